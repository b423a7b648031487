//! The bugcheck codes: their names, what their parameters mean, and how a parameter encodes what
//! a memory access tried to do.
//!
//! Source of names and parameters: Microsoft, "Bug check code reference" (windows-driver-docs,
//! one page per code, named after it), unless a row says otherwise. The explanations are ours.

mod table;

use isa::Profile;

use super::words::access_noun;
use crate::personality::Personality;
use crate::stop::Access;

pub use table::CODES;

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

#[cfg(test)]
mod tests {
    use super::Parameter::Kind;
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
