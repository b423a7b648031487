//! The registers of x86, in encoding order (Intel SDM vol. 2, table 2-1).

use crate::registers::{Reg, RegisterFile};

pub(super) static FILE: RegisterFile = RegisterFile {
    general: &["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"],
    vector: &[
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
    ],
    others: &[
        (Reg::PC, "eip"),
        (Reg::FLAGS, "eflags"),
        (Reg::SEGMENT_BASE, "fs_base"),
    ],
    aliases: &[],
    stack_pointer: Reg(4),
    frame_pointer: Reg(5),
    link_register: None,
    return_register: Reg(0),
};
