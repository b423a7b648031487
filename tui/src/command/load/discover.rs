//! Control codes that are in drivers' code.

use emu::loader::Image;

pub(super) fn codes(_images: &[Image]) -> Vec<u32> {
    Vec::new()
}
