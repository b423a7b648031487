//! Where an x86 or x64 instruction goes.

use super::decode::Raw;
use crate::decode::Flow;

pub(super) fn flow(raw: &Raw) -> Flow {
    let target = raw
        .immediate(0)
        .filter(|_| raw.operands.len() == 1)
        .map(|value| raw.arch.truncate(value as u64));
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

fn branch(target: Option<u64>) -> Flow {
    target.map_or(Flow::Next, |target| Flow::Branch { target })
}
