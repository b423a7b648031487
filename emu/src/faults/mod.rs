//! Fault injection: rules of a scenario that make the outside world unlucky, each strike a choice.

use crate::machine::Machine;
use crate::nt::{Api, Trouble};

/// What a rule has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Opportunities so far.
    pub seen: u64,
    /// Times it struck.
    pub struck: u64,
}

pub(crate) fn before_call(_m: &mut Machine, _core: usize, _api: &'static Api) -> Result<(), Trouble> {
    Ok(())
}
pub(crate) fn after_call(_m: &mut Machine, _core: usize) {}
pub(crate) fn before_routine(_m: &mut Machine, _core: usize, _routine: u64) {}
pub(crate) fn after_routine(_m: &mut Machine, _core: usize) {}
pub(crate) fn raised(_m: &mut Machine, _core: usize) {}
pub(crate) fn at_address(_m: &mut Machine, _core: usize, _pc: u64) {}
pub(crate) fn allocation(_m: &mut Machine, _core: usize, _size: u64, _tag: [u8; 4], _paged: bool) -> bool {
    false
}
