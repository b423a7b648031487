//! A bugcheck: code, parameters, and the machine's facts at that moment.

/// What a memory access tried to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum Access {
    /// A load.
    Read,
    /// A store, or the store half of a read-modify-write.
    Write,
    /// An instruction fetch.
    Execute,
}

/// The stop of a machine: what `KeBugCheckEx` was called with and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bugcheck {
    /// The bugcheck code, for example 0xD1.
    pub code: u32,
    /// The four parameters, zero-extended to 64 bits.
    pub params: [u64; 4],
    /// The core that stopped first.
    pub core: u8,
    /// That core's IRQL at the fault or the call, before the raise to HIGH_LEVEL.
    pub irql: u8,
    /// The faulting instruction, or the return address of the call to `KeBugCheckEx`.
    pub pc: u64,
    /// The memory access that failed, if one did: address and kind.
    pub access: Option<(u64, Access)>,
    /// `KiBugCheckDriver`: the loaded image that a ws2003 personality blames, by index in the
    /// list of loaded modules; `None` on nt4, and where the kernel blames nobody.
    pub blamed: Option<usize>,
}
