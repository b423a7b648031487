//! Decoding.
use crate::decode::Insn;
use capstone::{Capstone, CsResult};
pub(super) fn engine() -> CsResult<Capstone> {
    todo!()
}
pub(super) fn decode(_engine: &Capstone, _insn: &capstone::Insn) -> Option<Insn> {
    todo!()
}
