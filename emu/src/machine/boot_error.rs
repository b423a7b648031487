//! Why a machine could not be booted, in words that say how to mend it.

use std::fmt;

use isa::Arch;

use crate::faults::RuleError;
use crate::loader::LoadError;
use crate::nt;
use crate::stop::{Limit, Stop};

/// Why a machine could not be booted.
#[derive(Clone, Debug)]
pub enum BootError {
    /// The driver is for another processor than the profile's.
    WrongMachine {
        /// The driver.
        driver: String,
        /// What it is for.
        found: Arch,
        /// The profile.
        profile: isa::Profile,
    },
    /// The driver cannot be put into memory.
    Load {
        /// The driver.
        driver: String,
        /// Why.
        error: LoadError,
    },
    /// The driver imports functions that are not modelled.
    Imports {
        /// The driver.
        driver: String,
        /// Module, function, and where the driver uses it.
        missing: Vec<MissingImport>,
    },
    /// A fault rule is wrong.
    Fault(RuleError),
    /// The machine's memory is too small.
    Memory,
    /// The emulator could not be set up.
    Engine(String),
    /// `DriverEntry` returned a failure.
    DriverEntry {
        /// The driver.
        driver: String,
        /// Its status.
        status: u32,
    },
    /// The run ended before the boot was over.
    Stopped {
        /// The driver whose `DriverEntry` ran.
        driver: String,
        /// How.
        stop: Box<Stop>,
    },
}

/// An import that is not modelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingImport {
    /// The module it is imported from.
    pub module: String,
    /// The function.
    pub name: String,
    /// Functions and source lines that call it, as far as they can be found.
    pub callers: Vec<String>,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BootError::WrongMachine {
                driver,
                found,
                profile,
            } => write!(
                f,
                "{driver} is a driver for {}, but profile {} runs drivers for {}; choose a \
                 profile for {} or the driver's build for {}",
                found.name(),
                profile.name(),
                profile.arch().name(),
                found.name(),
                profile.arch().name()
            ),
            BootError::Load { driver, error } => write!(f, "{driver}: {error}"),
            BootError::Imports { driver, missing } => {
                writeln!(
                    f,
                    "{driver} imports {} function{} that the kernel model does not have:",
                    missing.len(),
                    if missing.len() == 1 { "" } else { "s" }
                )?;
                for m in missing {
                    write!(f, "  {}!{}", m.module, m.name)?;
                    match m.callers.as_slice() {
                        [] => writeln!(f)?,
                        callers => writeln!(f, "  used by {}", callers.join(", "))?,
                    }
                }
                write!(f, "`irqlab imports` lists everything the driver needs")
            }
            BootError::Fault(error) => write!(f, "{error}"),
            BootError::Memory => f.write_str(
                "the machine's memory is too small for its drivers and pools; lower the pool \
                 sizes under [memory]",
            ),
            BootError::Engine(message) => f.write_str(message),
            BootError::DriverEntry { driver, status } => write!(
                f,
                "DriverEntry of {driver} failed with {status:#010x} ({})",
                nt::status::name(*status)
            ),
            BootError::Stopped { driver, stop } => match &**stop {
                Stop::Limit {
                    limit: Limit::DriverEntry,
                    value,
                    ..
                } => write!(
                    f,
                    "DriverEntry of {driver} did not return within {value} instructions; raise \
                     limits.driver_entry if it needs more"
                ),
                Stop::Unimplemented { name, detail, .. } => {
                    write!(
                        f,
                        "DriverEntry of {driver} needs what is not modelled: {name}"
                    )?;
                    if detail.is_empty() {
                        Ok(())
                    } else {
                        write!(f, " ({detail})")
                    }
                }
                Stop::Bugcheck(b) => {
                    write!(
                        f,
                        "DriverEntry of {driver} stopped the machine with {:#010X}",
                        b.code
                    )
                }
                _ => write!(f, "the boot ended in DriverEntry of {driver}"),
            },
        }
    }
}
