//! The registers of x64, in encoding order (Intel SDM vol. 2, tables 2-1 and 3-1).

use crate::registers::{Reg, RegisterFile};

pub(super) static FILE: RegisterFile = RegisterFile {
    general: &[
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15",
    ],
    vector: &[
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
    ],
    others: &[
        (Reg::PC, "rip"),
        (Reg::FLAGS, "rflags"),
        (Reg::SEGMENT_BASE, "gs_base"),
    ],
    aliases: &[],
    stack_pointer: Reg(4),
    frame_pointer: Reg(5),
    link_register: None,
    return_register: Reg(0),
};
