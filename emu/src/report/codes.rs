//! The bugcheck codes: their names, what their parameters mean, and how a parameter encodes what
//! a memory access tried to do.
//!
//! Source of names and parameters: Microsoft, "Bug check code reference" (windows-driver-docs,
//! one page per code, named after it), unless a row says otherwise. The explanations are ours.

use isa::Profile;

use super::words::access_noun;
use crate::personality::Personality;
use crate::stop::Access;

/// The earliest Windows that raises a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// Windows NT 4.0 or earlier.
    Nt4,
    /// Windows 2000.
    Windows2000,
    /// Windows XP or Server 2003.
    WindowsXp,
    /// Windows Vista or Server 2008.
    Vista,
    /// Windows 8 or Server 2012.
    Windows8,
}

impl Release {
    /// Whether a kernel of that personality can raise a code of this release.
    pub fn is_in(self, personality: Personality) -> bool {
        let newest = match personality {
            Personality::Nt4 => Self::Nt4,
            Personality::Ws2003Sp1 | Personality::Ws2003Sp2 => Self::WindowsXp,
        };
        self <= newest
    }
}

/// What one parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Nothing.
    Unused,
    /// The address that was touched.
    Memory,
    /// An IRQL.
    Irql,
    /// What the access was: see [`operation`].
    Operation,
    /// The address of the instruction.
    Instruction,
    /// An exception code (NTSTATUS).
    Status,
    /// One of several kinds, on which the other parameters may depend.
    Kind(&'static [(u64, &'static str)]),
    /// Something else, in words.
    Value(&'static str),
}

/// A bugcheck code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BugcheckCode {
    /// The number.
    pub code: u32,
    /// The symbolic name, as `bugcodes.h` of the WDK spells it.
    pub name: &'static str,
    /// The earliest Windows that raises it.
    pub since: Release,
    /// The four parameters.
    pub parameters: [Parameter; 4],
    /// What it means, in one line.
    pub meaning: &'static str,
    /// The public page that the row rests on.
    pub source: &'static str,
}

/// The row of a code. The variants that a minidump carries (0x10000000 added, `_M`) have the row
/// of the code they vary.
pub fn find(code: u32) -> Option<&'static BugcheckCode> {
    let plain = if code >> 28 == 1 {
        code & 0x0FFF_FFFF
    } else {
        code
    };
    CODES.iter().find(|row| row.code == plain)
}

/// The name of a code, or `None` if it is not in the table.
pub fn name(code: u32) -> Option<&'static str> {
    find(code).map(|row| row.name)
}

/// The value that stands for an access in a parameter of kind [`Parameter::Operation`].
///
/// x86 processors without no-execute pages report a fetch like a read, so NT 4.0 knows only 0 and
/// 1; from Server 2003 SP1 on a fetch is 8 (bit 3 in Microsoft's page of 0x0A, and
/// `EXCEPTION_EXECUTE_FAULT` of ReactOS `xdk/arm64/ke.h`).
pub fn operation(access: Access, personality: Personality) -> u64 {
    match access {
        Access::Read => 0,
        Access::Write => 1,
        Access::Execute if personality == Personality::Nt4 => 0,
        Access::Execute => 8,
    }
}

/// What a parameter of kind [`Parameter::Operation`] says. Microsoft's page of 0xD1 gives 2 and 8
/// for a fetch.
pub fn access_of(value: u64) -> Option<Access> {
    match value {
        0 => Some(Access::Read),
        1 => Some(Access::Write),
        2 | 8 => Some(Access::Execute),
        _ => None,
    }
}

/// What parameter number `index` (0 to 3) of a bugcheck says, in words without its digits; empty
/// if it says nothing or the code is unknown.
pub fn explain(code: u32, params: &[u64; 4], index: usize, profile: Profile) -> String {
    let Some((parameter, &value)) = find(code)
        .and_then(|row| row.parameters.get(index))
        .zip(params.get(index))
    else {
        return String::new();
    };
    match *parameter {
        Parameter::Unused => String::new(),
        Parameter::Memory => "memory referenced".to_string(),
        Parameter::Irql => match u8::try_from(value) {
            Ok(level) => format!("IRQL, {}", profile.irql().name(level)),
            Err(_) => "IRQL".to_string(),
        },
        Parameter::Operation => match access_of(value) {
            Some(access) => access_noun(access).to_string(),
            None => "unknown operation".to_string(),
        },
        Parameter::Instruction => "address of the instruction".to_string(),
        Parameter::Status => match status(value) {
            Some(name) => format!("exception, {name}"),
            None => "exception".to_string(),
        },
        Parameter::Kind(kinds) => match kinds.iter().find(|(kind, _)| *kind == value) {
            Some((_, words)) => (*words).to_string(),
            None => "a kind that is not in the table".to_string(),
        },
        Parameter::Value(words) => words.to_string(),
    }
}

/// The exception codes that a kernel-mode driver can meet (WDK `ntstatus.h`); the code may be
/// sign-extended to 64 bits.
fn status(value: u64) -> Option<&'static str> {
    match value & 0xFFFF_FFFF {
        0x8000_0002 => Some("STATUS_DATATYPE_MISALIGNMENT"),
        0x8000_0003 => Some("STATUS_BREAKPOINT"),
        0xC000_0005 => Some("STATUS_ACCESS_VIOLATION"),
        0xC000_0006 => Some("STATUS_IN_PAGE_ERROR"),
        0xC000_001D => Some("STATUS_ILLEGAL_INSTRUCTION"),
        0xC000_0094 => Some("STATUS_INTEGER_DIVIDE_BY_ZERO"),
        0xC000_0095 => Some("STATUS_INTEGER_OVERFLOW"),
        0xC000_0096 => Some("STATUS_PRIVILEGED_INSTRUCTION"),
        0xC000_0420 => Some("STATUS_ASSERTION_FAILURE"),
        _ => None,
    }
}

use Parameter::{Instruction, Irql, Kind, Memory, Operation, Status, Unused, Value};
use Release::{Nt4, Vista, Windows8, Windows2000, WindowsXp};

const NONE: [Parameter; 4] = [Unused; 4];
const ACCESS: [Parameter; 4] = [Memory, Irql, Operation, Instruction];
const POOL_ACCESS: [Parameter; 4] = [Memory, Operation, Instruction, Unused];

/// Every code that is known here, by number.
pub static CODES: &[BugcheckCode] = &[
    BugcheckCode {
        code: 0x08,
        name: "IRQL_NOT_DISPATCH_LEVEL",
        since: Nt4,
        parameters: NONE,
        meaning: "something that must run at DISPATCH_LEVEL ran at another level",
        source: "Bug Check 0x8",
    },
    BugcheckCode {
        code: 0x09,
        name: "IRQL_NOT_GREATER_OR_EQUAL",
        since: Nt4,
        parameters: NONE,
        meaning: "the IRQL was lower than it must be",
        source: "Bug Check 0x9",
    },
    BugcheckCode {
        code: 0x0A,
        name: "IRQL_NOT_LESS_OR_EQUAL",
        since: Nt4,
        parameters: ACCESS,
        meaning: "pageable or invalid memory was touched at DISPATCH_LEVEL or above",
        source: "Bug Check 0xA",
    },
    BugcheckCode {
        code: 0x0F,
        name: "SPIN_LOCK_ALREADY_OWNED",
        since: Nt4,
        parameters: NONE,
        meaning: "a core took a spin lock that it holds already",
        source: "Bug Check 0xF",
    },
    BugcheckCode {
        code: 0x10,
        name: "SPIN_LOCK_NOT_OWNED",
        since: Nt4,
        parameters: NONE,
        meaning: "a spin lock was released that nobody held",
        source: "Bug Check 0x10",
    },
    BugcheckCode {
        code: 0x19,
        name: "BAD_POOL_HEADER",
        since: Nt4,
        parameters: [
            Kind(&[
                (
                    0x2,
                    "special pool: the pattern behind the block was overwritten",
                ),
                (0x3, "the pool's free list is corrupt"),
                (0x5, "adjacent pool headers disagree"),
                (0x6, "the previous-size field of a pool header is corrupt"),
                (0x7, "the size in a pool header is corrupt"),
                (0x8, "the size in a pool header is corrupt"),
                (0x9, "the size in a pool header is corrupt"),
                (0xA, "the size in a pool header is corrupt"),
                (0xD, "the header of a freed block was modified"),
                (0xE, "the header of a freed block was modified"),
                (0xF, "the header of a freed block was modified"),
                (0x20, "the size in a pool header is corrupt"),
                (0x21, "the data behind the block was overwritten"),
                (0x22, "the freed address is not tracked"),
                (0x23, "the header of a freed block was modified"),
                (0x24, "the header of a freed block was modified"),
                (0x25, "the header of a freed block was modified"),
            ]),
            Value("pool entry"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
        ],
        meaning: "a pool header is corrupt",
        source: "Bug Check 0x19",
    },
    BugcheckCode {
        code: 0x1E,
        name: "KMODE_EXCEPTION_NOT_HANDLED",
        since: Nt4,
        parameters: [
            Status,
            Instruction,
            Value("first parameter of the exception"),
            Value("second parameter of the exception"),
        ],
        meaning: "kernel-mode code raised an exception that nothing handled",
        source: "Bug Check 0x1E",
    },
    BugcheckCode {
        code: 0x35,
        name: "NO_MORE_IRP_STACK_LOCATIONS",
        since: Nt4,
        parameters: [Value("the IRP"), Unused, Unused, Unused],
        meaning: "an IRP was passed on although it has no stack location left",
        source: "Bug Check 0x35",
    },
    BugcheckCode {
        code: 0x44,
        name: "MULTIPLE_IRP_COMPLETE_REQUESTS",
        since: Nt4,
        parameters: [Value("the IRP"), Unused, Unused, Unused],
        meaning: "an IRP was completed that was completed before",
        source: "Bug Check 0x44",
    },
    BugcheckCode {
        code: 0x4A,
        name: "IRQL_GT_ZERO_AT_SYSTEM_SERVICE",
        since: Nt4,
        parameters: [Value("the system service"), Irql, Unused, Unused],
        meaning: "a thread returned to user mode above PASSIVE_LEVEL",
        source: "Bug Check 0x4A",
    },
    BugcheckCode {
        code: 0x50,
        name: "PAGE_FAULT_IN_NONPAGED_AREA",
        since: Nt4,
        parameters: [
            Memory,
            Operation,
            Instruction,
            Kind(&[
                (0x0, "the page table entry is free"),
                (0x2, "there is no page table"),
                (0x3, "the address belongs to another session"),
                (0x4, "the address is not canonical"),
                (0xF, "a user address that the kernel may not touch"),
            ]),
        ],
        meaning: "invalid system memory was touched below DISPATCH_LEVEL",
        source: "Bug Check 0x50 (operations as before Windows 10, version 1507)",
    },
    BugcheckCode {
        code: 0x7E,
        name: "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
        since: WindowsXp,
        parameters: [
            Status,
            Instruction,
            Value("exception record"),
            Value("context record"),
        ],
        meaning: "a system thread raised an exception that nothing handled",
        source: "Bug Check 0x7E",
    },
    BugcheckCode {
        code: 0x7F,
        name: "UNEXPECTED_KERNEL_MODE_TRAP",
        since: Nt4,
        parameters: [
            Kind(&[
                (0x0, "divide error"),
                (0x1, "debug trap"),
                (0x3, "breakpoint"),
                (0x4, "overflow"),
                (0x5, "bounds check"),
                (0x6, "invalid opcode"),
                (0x7, "no coprocessor"),
                (
                    0x8,
                    "double fault: the kernel stack overflowed, or hardware failed",
                ),
                (0xA, "invalid task state segment"),
                (0xB, "segment not present"),
                (0xC, "stack fault"),
                (0xD, "general protection fault"),
                (0xF, "reserved trap"),
                (0x10, "floating-point error"),
                (0x11, "alignment check"),
            ]),
            Unused,
            Unused,
            Unused,
        ],
        meaning: "the processor raised a trap that the kernel may not catch",
        source: "Bug Check 0x7F",
    },
    BugcheckCode {
        code: 0x8E,
        name: "KERNEL_MODE_EXCEPTION_NOT_HANDLED",
        since: WindowsXp,
        parameters: [Status, Instruction, Value("trap frame"), Unused],
        meaning: "kernel-mode code raised an exception that nothing handled",
        source: "Bug Check 0x8E",
    },
    BugcheckCode {
        code: 0x99,
        name: "INVALID_REGION_OR_SEGMENT",
        since: Nt4,
        parameters: NONE,
        meaning: "the region allocator was given an invalid region or segment",
        source: "Bug Check 0x99",
    },
    BugcheckCode {
        code: 0xA0,
        name: "INTERNAL_POWER_ERROR",
        since: Windows2000,
        parameters: [
            Value("kind of power failure"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
        ],
        meaning: "the power policy manager met a fatal error",
        source: "Bug Check 0xA0",
    },
    BugcheckCode {
        code: 0xB8,
        name: "ATTEMPTED_SWITCH_FROM_DPC",
        since: Nt4,
        parameters: [
            Value("the thread that was running"),
            Value("the thread to be switched to"),
            Value("stack of the thread that was running"),
            Unused,
        ],
        meaning: "a DPC waited, attached or yielded",
        source: "Bug Check 0xB8",
    },
    BugcheckCode {
        code: 0xBE,
        name: "ATTEMPTED_WRITE_TO_READONLY_MEMORY",
        since: Windows2000,
        parameters: [Memory, Value("page table entry"), Unused, Unused],
        meaning: "a driver wrote to read-only memory",
        source: "Bug Check 0xBE",
    },
    BugcheckCode {
        code: 0xC1,
        name: "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION",
        since: Windows2000,
        parameters: [
            Value("the block"),
            Value("depends on parameter 4"),
            Value("depends on parameter 4"),
            Kind(&[
                (0x20, "a block was freed that is not allocated"),
                (0x21, "a bad address was freed"),
                (0x22, "a bad address was freed"),
                (0x23, "bytes near the block were overwritten"),
                (0x24, "bytes behind the block were overwritten"),
                (0x30, "memory was allocated at a wrong IRQL"),
                (0x31, "memory was freed at a wrong IRQL"),
                (0x32, "a single bit is wrong, perhaps by hardware"),
            ]),
        ],
        meaning: "a driver wrote to an invalid part of the special pool",
        source: "Bug Check 0xC1",
    },
    BugcheckCode {
        code: 0xC2,
        name: "BAD_POOL_CALLER",
        since: Windows2000,
        parameters: [
            Kind(&[
                (0x00, "an allocation of zero bytes was asked for"),
                (0x01, "the pool header is corrupt"),
                (0x02, "the pool header is corrupt"),
                (0x04, "the pool header is corrupt"),
                (0x06, "the block was freed before"),
                (0x07, "the block was freed before"),
                (0x08, "memory was allocated at a wrong IRQL"),
                (0x09, "memory was freed at a wrong IRQL"),
                (0x0A, "the block was freed with a wrong tag"),
                (0x0B, "the block's quota is corrupt"),
                (0x0C, "the block's quota is corrupt"),
                (0x0D, "the block's quota is corrupt"),
                (0x40, "a user-mode address was freed"),
                (0x41, "the freed address was never allocated"),
                (0x42, "the freed address was never allocated"),
                (0x43, "the freed address was never allocated"),
                (0x44, "the freed address was never allocated"),
                (0x46, "the freed address was never allocated"),
                (0x47, "the freed address was never allocated"),
                (0x48, "the freed address was never allocated"),
                (0x50, "the freed address was never allocated"),
                (0x60, "an invalid contiguous memory address was freed"),
                (0x99, "an invalid address was freed"),
                (0x9A, "memory from the must-succeed pool was asked for"),
                (0x9B, "the tag is zero"),
                (0x9C, "the tag is BIG"),
                (0x9D, "the tag is not printable"),
            ]),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
        ],
        meaning: "a driver asked for or freed pool memory wrongly",
        source: "Bug Check 0xC2",
    },
    BugcheckCode {
        code: 0xC4,
        name: "DRIVER_VERIFIER_DETECTED_VIOLATION",
        since: Windows2000,
        parameters: [
            Kind(VERIFIER),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
        ],
        meaning: "Driver Verifier found a broken rule",
        source: "Bug Check 0xC4",
    },
    BugcheckCode {
        code: 0xC5,
        name: "DRIVER_CORRUPTED_EXPOOL",
        since: Windows2000,
        parameters: ACCESS,
        meaning: "the kernel stumbled over pool of less than a page that a driver corrupted",
        source: "Bug Check 0xC5",
    },
    BugcheckCode {
        code: 0xC6,
        name: "DRIVER_CAUGHT_MODIFYING_FREED_POOL",
        since: Windows2000,
        parameters: [
            Memory,
            Operation,
            Kind(&[(0, "kernel mode"), (1, "user mode")]),
            Unused,
        ],
        meaning: "a driver touched pool memory that was freed",
        source: "Bug Check 0xC6",
    },
    BugcheckCode {
        code: 0xC7,
        name: "TIMER_OR_DPC_INVALID",
        since: Windows2000,
        parameters: [
            Kind(&[
                (0, "a timer lies where no timer may be"),
                (1, "a DPC lies where no DPC may be"),
                (2, "a DPC routine lies where no code may be"),
                (3, "the processor number of a DPC is invalid"),
                (4, "a DPC changed the thread's APC disable count"),
                (5, "a timer's DPC changed the thread's APC disable count"),
            ]),
            Value("the object"),
            Value("start of the range checked"),
            Value("end of the range checked"),
        ],
        meaning: "a timer or a DPC lies in memory that was freed",
        source: "Bug Check 0xC7",
    },
    BugcheckCode {
        code: 0xC8,
        name: "IRQL_UNEXPECTED_VALUE",
        since: Windows2000,
        parameters: [
            Value("current IRQL << 16 | expected IRQL << 8 | a number for the check"),
            Value("depends on the check"),
            Value("depends on the check"),
            Value("depends on the check"),
        ],
        meaning: "the IRQL is not what it must be",
        source: "Bug Check 0xC8",
    },
    BugcheckCode {
        code: 0xC9,
        name: "DRIVER_VERIFIER_IOMANAGER_VIOLATION",
        since: Windows2000,
        parameters: [
            Kind(&[
                (0x01, "IoFreeIrp of something that is not an IRP"),
                (0x02, "IoFreeIrp of an IRP that a thread still owns"),
                (0x03, "IoCallDriver with something that is not an IRP"),
                (0x04, "IoCallDriver with an invalid device object"),
                (0x05, "a dispatch routine returned at another IRQL"),
                (0x06, "an IRP was completed with STATUS_PENDING"),
                (0x07, "an IRP was completed with its cancel routine set"),
                (0x08, "the buffer of an IRP is invalid"),
                (0x09, "the buffer of an IRP is invalid"),
                (0x0E, "IoCompleteRequest above DISPATCH_LEVEL"),
                (0x10, "IoCallDriver above DISPATCH_LEVEL"),
                (0x11, "IoCallDriver above DISPATCH_LEVEL"),
                (0x12, "IoCallDriver above DISPATCH_LEVEL"),
            ]),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
            Value("depends on parameter 1"),
        ],
        meaning: "Driver Verifier found an IRP treated wrongly",
        source: "Bug Check 0xC9",
    },
    BugcheckCode {
        code: 0xCC,
        name: "PAGE_FAULT_IN_FREED_SPECIAL_POOL",
        since: Windows2000,
        parameters: POOL_ACCESS,
        meaning: "the kernel touched special pool that was freed",
        source: "Bug Check 0xCC",
    },
    BugcheckCode {
        code: 0xCD,
        name: "PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
        since: Windows2000,
        parameters: POOL_ACCESS,
        meaning: "the kernel touched memory behind a block of special pool",
        source: "Bug Check 0xCD",
    },
    BugcheckCode {
        code: 0xCE,
        name: "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
        since: Windows2000,
        parameters: POOL_ACCESS,
        meaning: "code of an unloaded driver was called",
        source: "Bug Check 0xCE",
    },
    BugcheckCode {
        code: 0xD0,
        name: "DRIVER_CORRUPTED_MMPOOL",
        since: Windows2000,
        parameters: ACCESS,
        meaning: "the kernel stumbled over pool of a page or more that a driver corrupted",
        source: "Bug Check 0xD0",
    },
    BugcheckCode {
        code: 0xD1,
        name: "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
        since: Windows2000,
        parameters: ACCESS,
        meaning: "a driver touched pageable or invalid memory at DISPATCH_LEVEL or above",
        source: "Bug Check 0xD1",
    },
    BugcheckCode {
        code: 0xD3,
        name: "DRIVER_PORTION_MUST_BE_NONPAGED",
        since: Windows2000,
        parameters: ACCESS,
        meaning: "the kernel touched a pageable part of a driver at DISPATCH_LEVEL or above",
        source: "Bug Check 0xD3",
    },
    BugcheckCode {
        code: 0xD4,
        name: "SYSTEM_SCAN_AT_RAISED_IRQL_CAUGHT_IMPROPER_DRIVER_UNLOAD",
        since: Windows2000,
        parameters: ACCESS,
        meaning: "a driver was unloaded with operations pending and is still needed",
        source: "Bug Check 0xD4",
    },
    BugcheckCode {
        code: 0xD5,
        name: "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL",
        since: Windows2000,
        parameters: POOL_ACCESS,
        meaning: "a driver touched special pool that was freed",
        source: "Bug Check 0xD5",
    },
    BugcheckCode {
        code: 0xD6,
        name: "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
        since: Windows2000,
        parameters: POOL_ACCESS,
        meaning: "a driver touched memory behind a block of special pool",
        source: "Bug Check 0xD6",
    },
    BugcheckCode {
        code: 0xE2,
        name: "MANUALLY_INITIATED_CRASH",
        since: Windows2000,
        parameters: NONE,
        meaning: "the user asked for the stop",
        source: "Bug Check 0xE2",
    },
    BugcheckCode {
        code: 0xFC,
        name: "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY",
        since: WindowsXp,
        parameters: [Memory, Value("page table entry"), Unused, Unused],
        meaning: "memory was executed that is not code",
        source: "Bug Check 0xFC",
    },
    BugcheckCode {
        code: 0x101,
        name: "CLOCK_WATCHDOG_TIMEOUT",
        since: Vista,
        parameters: [
            Value("clock ticks without a clock interrupt"),
            Unused,
            Value("PRCB of the processor that hangs"),
            Value("number of the processor that hangs"),
        ],
        meaning: "a processor does not take its clock interrupts",
        source: "Bug Check 0x101",
    },
    BugcheckCode {
        code: 0x133,
        name: "DPC_WATCHDOG_VIOLATION",
        since: Windows8,
        parameters: [
            Kind(&[
                (0, "a single DPC or ISR ran for too long"),
                (
                    1,
                    "the processor was at DISPATCH_LEVEL or above for too long",
                ),
            ]),
            Value("clock ticks: spent if parameter 1 is 0, else allowed"),
            Value("clock ticks allowed, if parameter 1 is 0"),
            Unused,
        ],
        meaning: "DPCs took too long",
        source: "Bug Check 0x133",
    },
    BugcheckCode {
        code: 0x139,
        name: "KERNEL_SECURITY_CHECK_FAILURE",
        since: Windows8,
        parameters: [
            Value("kind of corruption"),
            Value("trap frame"),
            Value("exception record"),
            Unused,
        ],
        meaning: "the kernel found a critical structure corrupt",
        source: "Bug Check 0x139",
    },
];

/// Parameter 1 of 0xC4.
const VERIFIER: &[(u64, &str)] = &[
    (0x00, "an allocation of zero bytes was asked for"),
    (0x01, "paged pool was allocated above APC_LEVEL"),
    (0x02, "nonpaged pool was allocated above DISPATCH_LEVEL"),
    (0x10, "an address was freed that no allocation returned"),
    (0x11, "paged pool was freed above APC_LEVEL"),
    (0x12, "nonpaged pool was freed above DISPATCH_LEVEL"),
    (0x13, "the block was freed before"),
    (0x14, "the block was freed before"),
    (0x15, "the freed block holds an active timer"),
    (0x17, "the freed block holds an active ERESOURCE"),
    (0x30, "KeRaiseIrql to a lower level"),
    (0x31, "KeLowerIrql to a higher level"),
    (
        0x32,
        "KeReleaseSpinLock at a level other than DISPATCH_LEVEL",
    ),
    (
        0x35,
        "a spin lock was released at a level other than DISPATCH_LEVEL",
    ),
    (
        0x36,
        "a queued spin lock was released at a level other than DISPATCH_LEVEL",
    ),
    (0x3B, "a wait at DISPATCH_LEVEL or above"),
    (0x3F, "a reference count is wrong"),
    (0x40, "KeAcquireSpinLockAtDpcLevel below DISPATCH_LEVEL"),
    (0x41, "KeReleaseSpinLockFromDpcLevel below DISPATCH_LEVEL"),
    (0x42, "KeAcquireSpinLock above DISPATCH_LEVEL"),
    (0x51, "memory behind the freed block was overwritten"),
    (0x52, "memory behind the freed block was overwritten"),
    (0x53, "memory behind the freed block was overwritten"),
    (0x54, "memory behind the freed block was overwritten"),
    (0x59, "memory behind the freed block was overwritten"),
    (0x60, "a driver was unloaded without freeing its pool"),
    (0x62, "a driver was unloaded without freeing its pool"),
    (0x70, "MmProbeAndLockPages at a wrong IRQL"),
    (0x80, "KeSetEvent above DISPATCH_LEVEL"),
    (0xC0, "IoCallDriver with interrupts disabled"),
    (0xC1, "a dispatch routine returned with interrupts disabled"),
    (0xD0, "an ERESOURCE was used above its level"),
    (0xD1, "an ERESOURCE was used above its level"),
    (0xD2, "an ERESOURCE was used above its level"),
    (0xE5, "a function was called at a wrong IRQL"),
    (0xFA, "a completion routine returned at another IRQL"),
    (0x111, "an interrupt service routine changed the IRQL"),
    (0x120, "a wait at a wrong IRQL"),
    (0x131, "a work item's routine is pageable"),
    (0x1000, "deadlock: a lock was taken twice by its holder"),
    (0x1001, "deadlock: locks are taken in different orders"),
    (0x1002, "deadlock: the lock was never initialised"),
    (0x1003, "deadlock: locks were released out of order"),
    (0x1004, "deadlock: the lock was released by another thread"),
    (0x1005, "deadlock: the lock was initialised twice"),
    (0x1007, "deadlock: the lock was released without being held"),
    (
        0x1008,
        "deadlock: the lock was taken and released by different functions",
    ),
    (
        0x1009,
        "deadlock: the lock was taken and released by different functions",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_code_twice() {
        for pair in CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{:#x}", pair[1].code);
        }
    }

    #[test]
    fn kinds_are_sorted_and_unique() {
        for row in CODES {
            for parameter in row.parameters {
                let Kind(kinds) = parameter else { continue };
                for pair in kinds.windows(2) {
                    assert!(pair[0].0 < pair[1].0, "{} {:#x}", row.name, pair[1].0);
                }
            }
        }
    }

    /// NT 4.0 has neither the driver-blaming rewrites of 0x0A nor Driver Verifier.
    #[test]
    fn nt4_does_not_know_the_codes_of_windows_2000() {
        for code in [0xC4, 0xC5, 0xD0, 0xD1, 0xD3, 0xD4] {
            let row = find(code).unwrap();
            assert!(!row.since.is_in(Personality::Nt4), "{}", row.name);
            assert!(row.since.is_in(Personality::Ws2003Sp1), "{}", row.name);
        }
        assert!(find(0x0A).unwrap().since.is_in(Personality::Nt4));
        assert!(!find(0x133).unwrap().since.is_in(Personality::Ws2003Sp2));
    }

    #[test]
    fn operations_by_personality() {
        let (nt4, sp1) = (Personality::Nt4, Personality::Ws2003Sp1);
        assert_eq!(operation(Access::Read, nt4), 0);
        assert_eq!(operation(Access::Write, nt4), 1);
        assert_eq!(operation(Access::Execute, nt4), 0);
        assert_eq!(operation(Access::Execute, sp1), 8);
        for access in [Access::Read, Access::Write, Access::Execute] {
            assert_eq!(access_of(operation(access, sp1)), Some(access));
        }
    }

    #[test]
    fn parameters_in_words() {
        let words = |code, params, index| explain(code, &params, index, Profile::Amd64);
        let params = [0x10, 2, 1, 0xFFFF_F800_0000_1000];
        assert_eq!(words(0xD1, params, 0), "memory referenced");
        assert_eq!(words(0xD1, params, 1), "IRQL, DISPATCH_LEVEL");
        assert_eq!(words(0xD1, params, 2), "write");
        assert_eq!(words(0xD1, params, 3), "address of the instruction");
        let exception = [0xFFFF_FFFF_C000_0005, 0, 0, 0];
        assert_eq!(
            words(0x7E, exception, 0),
            "exception, STATUS_ACCESS_VIOLATION"
        );
        assert_eq!(
            words(0x1000_007E, exception, 0),
            "exception, STATUS_ACCESS_VIOLATION"
        );
        assert_eq!(words(0xC2, [7, 0, 0, 0], 0), "the block was freed before");
        assert_eq!(words(0xFFFF, params, 0), "");
        assert_eq!(words(0xD1, params, 9), "");
    }
}
