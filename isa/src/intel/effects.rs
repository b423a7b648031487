//! The registers that an x86 or x64 instruction reads and writes.
//!
//! Capstone lists them; what its version 5.0.6 leaves out or adds is mended here. The test
//! `second_opinion` compares the result with another decoder.

use capstone::{InsnDetail, RegId};

use super::decode::Raw;
use super::names;
use crate::decode::{Flow, MemOperand, RegSet};
use crate::registers::Reg;
use crate::{frame_pointer, stack_pointer};

const AX: Reg = Reg(0);
const CX: Reg = Reg(1);
const DX: Reg = Reg(2);

/// The registers read and those written.
pub(super) fn effects(
    raw: &Raw,
    detail: &InsnDetail,
    mem: &[Option<MemOperand>; 2],
    flow: Flow,
) -> (RegSet, RegSet) {
    let registers =
        |ids: &[RegId]| -> RegSet { ids.iter().filter_map(|id| names::register(*id)).collect() };
    let mut reads = registers(detail.regs_read());
    let mut writes = registers(detail.regs_write());
    mend_reads(raw, &mut reads);
    mend_writes(raw, &mut writes);
    for operand in mem.iter().flatten() {
        operand.base.into_iter().for_each(|r| reads.insert(r));
        operand.index.into_iter().for_each(|r| reads.insert(r));
        if operand.segment {
            reads.insert(Reg::SEGMENT_BASE);
        }
        if operand.implicit_stack {
            writes.insert(stack_pointer(raw.arch));
        }
    }
    if raw.is_repeated() {
        reads.insert(CX);
        writes.insert(CX);
    }
    if flow != Flow::Next {
        writes.insert(Reg::PC);
    }
    (reads, writes)
}

fn mend_reads(raw: &Raw, reads: &mut RegSet) {
    let mut insert_first = || raw.register(0).into_iter().for_each(|r| reads.insert(r));
    match raw.name {
        // The destination stays when the condition fails, or in the part not written.
        "bswap" | "adox" | "adcx" | "cvtsi2sd" | "cvtsi2ss" | "cvtsd2ss" | "cvtss2sd" | "rcpss"
        | "rsqrtss" | "sqrtsd" | "sqrtss" => insert_first(),
        name if name.starts_with("cmov") => insert_first(),
        "cmpxchg" | "test" => [0, 1]
            .into_iter()
            .filter_map(|n| raw.register(n))
            .for_each(|r| reads.insert(r)),
        // The result does not depend on the operand.
        "xor" | "sub" | "xorps" | "xorpd" | "pxor" if raw.operands_equal() => {
            *reads = RegSet::EMPTY;
        }
        name if name.starts_with("psub") && raw.operands_equal() => *reads = RegSet::EMPTY,
        "nop" => *reads = RegSet::EMPTY,
        "leave" => *reads = RegSet::from_iter([frame_pointer(raw.arch)]),
        "enter" => reads.insert(frame_pointer(raw.arch)),
        "cmc" | "rcl" | "rcr" => reads.insert(Reg::FLAGS),
        "pcmpestrm" | "pcmpestri" | "vpcmpestrm" | "vpcmpestri" => {
            [AX, DX].into_iter().for_each(|r| reads.insert(r))
        }
        "stosb" | "stosw" | "stosd" | "stosq" if !raw.is_repeated() => reads.remove(CX),
        _ => {}
    }
}

fn mend_writes(raw: &Raw, writes: &mut RegSet) {
    match raw.name {
        "test" => *writes = RegSet::from_iter([Reg::FLAGS]),
        "cwd" | "cdq" | "cqo" => writes.remove(AX),
        "cmpxchg" => {
            writes.insert(AX);
            writes.insert(Reg::FLAGS);
            raw.register(0).into_iter().for_each(|r| writes.insert(r));
        }
        "xadd" | "verr" | "verw" | "lar" | "lsl" | "cli" | "sti" | "iret" | "iretd" | "iretq"
        | "pcmpestri" | "pcmpistri" | "vpcmpestri" | "vpcmpistri" => writes.insert(Reg::FLAGS),
        "stosb" | "stosw" | "stosd" | "stosq" if !raw.is_repeated() => writes.remove(CX),
        "enter" => writes.insert(frame_pointer(raw.arch)),
        "bswap" => raw.register(0).into_iter().for_each(|r| writes.insert(r)),
        "vbroadcasti128" | "vcvtpd2ps" => {
            raw.register(0).into_iter().for_each(|r| writes.insert(r))
        }
        "pcmpestrm" | "pcmpistrm" | "vpcmpestrm" | "vpcmpistrm" => {
            writes.insert(Reg::VECTOR);
            writes.insert(Reg::FLAGS);
        }
        _ => {}
    }
}
