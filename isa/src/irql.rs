//! The interrupt request levels (IRQLs) of each profile.
//!
//! Sources: the `*_LEVEL` constants of `wdm.h` in the mingw-w64 DDK headers (x86, x64, Itanium);
//! ReactOS `sdk/include/xdk/arm64/ke.h` (Arm64); Solomon, "Inside Windows NT", 2nd edition,
//! figure 3-3 with the interrupt levels of Linux `arch/alpha/include/asm/irqflags.h` (Alpha);
//! Microsoft, "Scheduling, Thread Context, and IRQL" (device ranges, SYNCH). What none of these
//! settles is named in [`IrqlTable::unverified`].

/// The levels of one machine, each an IRQL number; a higher number masks all lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IrqlTable {
    /// `PASSIVE_LEVEL`: ordinary thread code.
    pub passive: u8,
    /// `APC_LEVEL`: asynchronous procedure calls are held off.
    pub apc: u8,
    /// `DISPATCH_LEVEL`: the scheduler is held off; no waits and no page faults from here up.
    pub dispatch: u8,
    /// Corrected machine checks (`CMCI_LEVEL`; `CMC_LEVEL` on Itanium), where the machine has them.
    pub cmc: Option<u8>,
    /// The lowest level that a device interrupt can have.
    pub device_min: u8,
    /// The highest level that a device interrupt can have.
    pub device_max: u8,
    /// Itanium's `PC_LEVEL`, the performance counter interrupt.
    pub pc: Option<u8>,
    /// `PROFILE_LEVEL`: the profiling timer.
    pub profile: Option<u8>,
    /// `SYNCH_LEVEL` of a multiprocessor kernel: the level of the dispatcher database lock.
    pub synch: u8,
    /// `SYNCH_LEVEL` of a uniprocessor kernel.
    pub synch_uniprocessor: u8,
    /// `CLOCK_LEVEL` (`CLOCK2_LEVEL`): the interval timer.
    pub clock: u8,
    /// `IPI_LEVEL`: interrupts from one processor to another.
    pub ipi: u8,
    /// `POWER_LEVEL`: power failure.
    pub power: u8,
    /// `HIGH_LEVEL`: everything is masked; a bugcheck runs here.
    pub high: u8,
    /// The fields of this table for which no public source was found, by name.
    pub unverified: &'static [&'static str],
}

impl IrqlTable {
    /// What the kernel's headers call `level`; `device` in the device range, `invalid` above
    /// [`high`](Self::high) and `reserved` for a level between that has no meaning of its own.
    /// Where several names share a number the most specific to that number is given, and
    /// `HIGH_LEVEL` always wins.
    pub fn name(&self, level: u8) -> &'static str {
        if level > self.high {
            return "invalid";
        }
        let fixed = [
            (Some(self.high), "HIGH_LEVEL"),
            (Some(self.passive), "PASSIVE_LEVEL"),
            (Some(self.apc), "APC_LEVEL"),
            (Some(self.dispatch), "DISPATCH_LEVEL"),
            (Some(self.clock), "CLOCK_LEVEL"),
            (Some(self.ipi), "IPI_LEVEL"),
            (Some(self.power), "POWER_LEVEL"),
            (self.profile, "PROFILE_LEVEL"),
            (self.pc, "PC_LEVEL"),
        ];
        if let Some((_, name)) = fixed.iter().find(|(at, _)| *at == Some(level)) {
            return name;
        }
        // A device may be given the number of the corrected machine check or of SYNCH, so these
        // names count only outside the device range.
        if self.is_device(level) {
            "device"
        } else if self.cmc == Some(level) {
            "CMC_LEVEL"
        } else if self.synch == level {
            "SYNCH_LEVEL"
        } else {
            "reserved"
        }
    }

    /// Whether a device interrupt can have this level.
    pub fn is_device(&self, level: u8) -> bool {
        (self.device_min..=self.device_max).contains(&level)
    }
}

/// 32-bit x86 with the 32 software levels of its HAL.
pub static I386: IrqlTable = IrqlTable {
    passive: 0,
    apc: 1,
    dispatch: 2,
    cmc: Some(5),
    device_min: 3,
    device_max: 26,
    pc: None,
    profile: Some(27),
    synch: 27,
    synch_uniprocessor: 2,
    clock: 28,
    ipi: 29,
    power: 30,
    high: 31,
    unverified: &[],
};

/// x64, where the level is the CR8 register.
pub static AMD64: IrqlTable = IrqlTable {
    passive: 0,
    apc: 1,
    dispatch: 2,
    cmc: Some(5),
    device_min: 3,
    device_max: 11,
    pc: None,
    profile: Some(15),
    synch: 12,
    synch_uniprocessor: 12,
    clock: 13,
    ipi: 14,
    power: 14,
    high: 15,
    unverified: &["synch_uniprocessor"],
};

/// 64-bit Arm. SYNCH is two below IPI by analogy with x64.
pub static ARM64: IrqlTable = IrqlTable {
    passive: 0,
    apc: 1,
    dispatch: 2,
    cmc: Some(5),
    device_min: 3,
    device_max: 12,
    pc: None,
    profile: Some(15),
    synch: 12,
    synch_uniprocessor: 12,
    clock: 13,
    ipi: 14,
    power: 14,
    high: 15,
    unverified: &["synch", "synch_uniprocessor"],
};

/// Alpha's eight hardware levels. No public text gives NT's SYNCH level: 6 (as high as IPI) on a
/// multiprocessor and 2 on a uniprocessor are assumptions.
pub static ALPHA: IrqlTable = IrqlTable {
    passive: 0,
    apc: 1,
    dispatch: 2,
    cmc: None,
    device_min: 3,
    device_max: 4,
    pc: None,
    profile: None,
    synch: 6,
    synch_uniprocessor: 2,
    clock: 5,
    ipi: 6,
    power: 7,
    high: 7,
    unverified: &["synch", "synch_uniprocessor"],
};

/// Itanium, where the level is the priority class of the task priority register.
pub static IA64: IrqlTable = IrqlTable {
    passive: 0,
    apc: 1,
    dispatch: 2,
    cmc: Some(3),
    device_min: 4,
    device_max: 11,
    pc: Some(12),
    profile: Some(15),
    synch: 13,
    synch_uniprocessor: 2,
    clock: 13,
    ipi: 14,
    power: 15,
    high: 15,
    unverified: &[],
};
