//! What the stop screens and the event log need to know about a stopped machine, as plain data.
//!
//! The machine fills a [`StopFacts`] once; every renderer is a pure function of it.

use isa::Profile;

use crate::personality::Personality;
use crate::stop::Bugcheck;

/// A stopped machine, as far as its stop screen and its event log show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopFacts {
    /// The emulated machine.
    pub profile: Profile,
    /// The modelled Windows.
    pub personality: Personality,
    /// Number of processors, at least 1.
    pub cpus: u8,
    /// The bugcheck; its `blamed` is an index into `modules`.
    pub bugcheck: Bugcheck,
    /// Loaded images in the order of `PsLoadedModuleList`: the kernel first, then the HAL, then
    /// the drivers as they were loaded.
    pub modules: Vec<ModuleFacts>,
    /// Guest address of the first word of `stack`.
    pub stack_pointer: u64,
    /// Pointer-sized words of the stopping core's stack from `stack_pointer` upwards, as far as
    /// the stack is mapped.
    pub stack: Vec<u64>,
    /// The processor's identification as NT 4.0 prints it after `CPUID:`: vendor, family, model
    /// and stepping, for example `GenuineIntel 6.5.2`. Empty if the processor has none.
    pub cpu: String,
    /// Virtual time since boot, in units of 100 ns.
    pub uptime: u64,
    /// What the recovery options make of the stop.
    pub recovery: Recovery,
}

impl StopFacts {
    /// The loaded image that contains a guest address.
    pub fn module_at(&self, address: u64) -> Option<&ModuleFacts> {
        self.modules.iter().find(|module| module.contains(address))
    }

    /// The image that the kernel blames (`KiBugCheckDriver`), if it blames one.
    pub fn blamed(&self) -> Option<&ModuleFacts> {
        self.bugcheck
            .blamed
            .and_then(|index| self.modules.get(index))
    }

    /// A pointer in the digits of the machine: 8 or 16, upper case, as `%p` prints it.
    pub fn pointer(&self, value: u64) -> String {
        match self.profile.pointer_size() {
            8 => format!("{value:016X}"),
            _ => format!("{value:08X}"),
        }
    }

    /// The same in lower case, as `%08lx` and the event log print it.
    pub fn pointer_lower(&self, value: u64) -> String {
        self.pointer(value).to_ascii_lowercase()
    }
}

/// One loaded image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleFacts {
    /// File name, for example `ntoskrnl.exe`.
    pub name: String,
    /// Guest address of the image (`DllBase`).
    pub base: u64,
    /// Size of the image, in bytes.
    pub size: u64,
    /// `TimeDateStamp` of the PE header: seconds since 1970, or a linker's hash.
    pub timestamp: u32,
    /// File version of the version resource, for example `5.2.3790.1830`, if it has one.
    pub version: Option<[u16; 4]>,
}

impl ModuleFacts {
    /// Whether the guest address lies in the image.
    pub fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.size
    }
}

/// What is written when the machine stops: the CrashControl values of Microsoft KB 307973.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// `CrashDumpEnabled` 0.
    None,
    /// `CrashDumpEnabled` 1, complete memory.
    Complete,
    /// `CrashDumpEnabled` 2, kernel memory.
    Kernel,
    /// `CrashDumpEnabled` 3, the 64 KB minidump.
    Small,
}

/// The recovery options of the modelled machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What is dumped.
    pub dump: Dump,
    /// Path of the dump file on the modelled machine; unused when nothing is dumped.
    pub dump_file: String,
    /// Whether an event is written (`LogEvent`).
    pub log_event: bool,
}

impl Recovery {
    /// The options of a server as installed: a complete dump to `%SystemRoot%\MEMORY.DMP` and an
    /// event (Microsoft KB 307973 and, for NT 4.0, the Server Resource Kit).
    pub fn installed(personality: Personality) -> Self {
        let root = if personality == Personality::Nt4 {
            "WINNT"
        } else {
            "WINDOWS"
        };
        Recovery {
            dump: Dump::Complete,
            dump_file: format!("C:\\{root}\\MEMORY.DMP"),
            log_event: true,
        }
    }
}
