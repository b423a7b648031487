//! The registers of AArch64 (Arm ARM B1.2) with their roles on Windows (Microsoft, "Overview of
//! ARM64 ABI conventions").

use crate::registers::{Reg, RegisterFile};

pub(super) static FILE: RegisterFile = RegisterFile {
    general: &[
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
        "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
        "x27", "x28", "x29", "x30", "sp",
    ],
    vector: &[
        "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
        "v27", "v28", "v29", "v30", "v31",
    ],
    others: &[(Reg::PC, "pc"), (Reg::FLAGS, "nzcv")],
    aliases: &[(Reg(29), "fp"), (Reg(30), "lr")],
    stack_pointer: Reg(31),
    frame_pointer: Reg(29),
    link_register: Some(Reg(30)),
    return_register: Reg(0),
};
