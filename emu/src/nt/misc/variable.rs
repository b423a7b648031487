//! Variables that the kernel exports: a driver imports their addresses and reads them.
//!
//! They lie behind `KUSER_SHARED_DATA` in the memory that the kernel model shares with drivers.

use crate::machine::Machine;
use crate::nt::api::Module;

/// Where the first variable is, relative to the shared memory: behind the structure's own fields.
const FIRST: u64 = 0x800;
/// Bytes from one variable to the next.
const STRIDE: u64 = 16;

/// An exported variable.
pub struct Variable {
    /// Exported name.
    pub name: &'static str,
    /// Exporting module.
    pub module: Module,
    /// Bytes it takes; 0: as many as a pointer.
    pub width: u8,
    /// Public source of name and meaning.
    pub source: &'static str,
    /// Its value, which does not change.
    value: fn(&Machine, u64) -> u64,
}

const WDM: &str = "wdm.h, ntddk.h";

const fn row(name: &'static str, width: u8, value: fn(&Machine, u64) -> u64) -> Variable {
    Variable {
        name,
        module: Module::Ntoskrnl,
        width,
        source: WDM,
        value,
    }
}

/// Every exported variable. Object types are only compared, so any address does: their own.
pub const VARIABLES: &[Variable] = &[
    row("KeNumberProcessors", 1, |m, _| u64::from(m.cpus())),
    row("NtBuildNumber", 4, |m, _| {
        0xF000_0000 | u64::from(m.setup.personality.version().2)
    }),
    row("MmHighestUserAddress", 0, |m, _| {
        m.setup.map.kernel - 0x1_0001
    }),
    row("MmUserProbeAddress", 0, |m, _| {
        m.setup.map.kernel - 0x1_0000
    }),
    row("MmSystemRangeStart", 0, |m, _| m.setup.map.kernel),
    row("IoFileObjectType", 0, |_, at| at),
    row("IoDeviceObjectType", 0, |_, at| at),
    row("IoDriverObjectType", 0, |_, at| at),
    row("PsThreadType", 0, |_, at| at),
    row("ExEventObjectType", 0, |_, at| at),
];

/// The address of a variable, relative to the shared memory (`AddressMap::shared`); `None` if
/// there is none of that name.
pub fn offset(name: &str) -> Option<u64> {
    let index = VARIABLES.iter().position(|v| v.name == name)?;
    Some(FIRST + index as u64 * STRIDE)
}

/// Gives every variable its value; called once the shared memory is mapped.
pub(crate) fn initialize(m: &mut Machine) {
    for (i, variable) in VARIABLES.iter().enumerate() {
        let at = m.setup.map.shared + FIRST + i as u64 * STRIDE;
        let value = (variable.value)(m, at).to_le_bytes();
        let width = match variable.width {
            0 => m.arch().pointer_size() as usize,
            width => usize::from(width),
        };
        m.memory.write(at, &value[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_room() {
        let last = offset(VARIABLES[VARIABLES.len() - 1].name).unwrap();
        assert!(last + STRIDE <= 0x1000, "kernel objects begin there");
        assert_eq!(offset("KeNumberProcessors"), Some(FIRST));
        assert_eq!(offset("KeTickCount"), None);
    }
}
