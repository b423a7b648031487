//! Where an x86 or x64 instruction goes.

use super::decode::Raw;
use crate::decode::Flow;
use crate::profile::Arch;

pub(super) fn flow(raw: &Raw) -> Flow {
    let target = raw
        .immediate(0)
        .filter(|_| raw.operands.len() == 1)
        .map(|value| target(raw, value as u64));
    match raw.name {
        "jmp" | "ljmp" => Flow::Jump { target },
        "call" | "lcall" => Flow::Call { target },
        "ret" | "retf" | "retfq" | "iret" | "iretd" | "iretq" | "sysret" | "sysretq"
        | "sysexit" | "sysexitq" => Flow::Return,
        "int" | "int3" | "int1" | "ud0" | "ud1" | "ud2" | "syscall" | "sysenter" => Flow::Trap,
        "loop" | "loope" | "loopne" => branch(target),
        name if name.starts_with('j') => branch(target),
        _ => Flow::Next,
    }
}

/// In 32-bit mode an operand-size prefix cuts the target to 16 bits (Intel SDM vol. 2, JMP).
fn target(raw: &Raw, address: u64) -> u64 {
    match raw.arch {
        Arch::X86 if raw.prefixes.operand_size => address & 0xFFFF,
        arch => arch.truncate(address),
    }
}

fn branch(target: Option<u64>) -> Flow {
    target.map_or(Flow::Next, |target| Flow::Branch { target })
}
