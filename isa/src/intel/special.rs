//! x86 and x64 instructions that need the emulator's help.

use capstone::arch::x86::X86OperandType;

use super::decode::Raw;
use super::names;
use crate::decode::Special;

pub(super) fn special(raw: &Raw) -> Special {
    match raw.name {
        "mov" => mov(raw),
        "rdtsc" => Special::Rdtsc,
        "rdtscp" => Special::Rdtscp,
        "cli" => Special::Cli,
        "sti" => Special::Sti,
        "hlt" => Special::Hlt,
        "int3" => Special::Int(3),
        "int1" => Special::Int(1),
        "int" => raw
            .immediate(0)
            .map_or(Special::None, |vector| Special::Int(vector as u8)),
        "ud0" | "ud1" | "ud2" => Special::Undefined,
        "syscall" | "sysenter" => Special::SystemCall,
        name if PRIVILEGED.contains(&name) => Special::Privileged,
        _ => Special::None,
    }
}

/// Beside moves to and from control and debug registers, which have the mnemonic `mov`.
const PRIVILEGED: [&str; 38] = [
    "clac", "clts", "in", "insb", "insd", "insw", "invd", "invept", "invlpg", "invpcid", "invvpid",
    "iret", "iretd", "iretq", "lgdt", "lidt", "lldt", "lmsw", "ltr", "monitor", "mwait", "out",
    "outsb", "outsd", "outsw", "rdmsr", "rdpmc", "rsm", "stac", "swapgs", "sysexit", "sysexitq",
    "sysret", "sysretq", "vmcall", "wbinvd", "wrmsr", "xsetbv",
];

fn mov(raw: &Raw) -> Special {
    for (n, operand) in raw.operands.iter().enumerate() {
        let X86OperandType::Reg(id) = operand.op_type else {
            continue;
        };
        let other = raw.general(1 - n.min(1));
        match (names::control(id), other) {
            (Some(8), Some(other)) if n == 0 => return Special::WriteCr8(other.reg),
            (Some(8), Some(other)) => return Special::ReadCr8(other.reg),
            (Some(_), _) => return Special::Privileged,
            (None, _) if names::is_debug(id) => return Special::Privileged,
            (None, _) => {}
        }
    }
    Special::None
}
