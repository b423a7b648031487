//! The event-log records that the boot after a stop writes, and the signature of the crash report
//! that it shows.

use super::facts::{Dump, StopFacts};
use crate::personality::Personality;

/// One record of the System log, or the crash report that is shown at the next log-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `Save Dump` or `System Error`; `Microsoft Windows` for the crash report.
    pub source: &'static str,
    /// The event's number; `None` for the crash report, which is shown and not logged.
    pub id: Option<u32>,
    /// `Information` or `Error`.
    pub kind: &'static str,
    /// Category number; 0 is none.
    pub category: u16,
    /// The text.
    pub description: String,
    /// The binary data.
    pub data: Vec<u8>,
}

/// Added to the bugcheck code by a small memory dump, and seen wherever the code was read from one
/// (Microsoft, bug check 0x1000007E).
const FROM_MINIDUMP: u32 = 0x1000_0000;

/// `wSuiteMask` of a server: `VER_SUITE_TERMINAL` 0x10 and `VER_SUITE_SINGLEUSERTS` 0x100
/// (`winnt.h`).
const SUITE_MASK: u32 = 0x110;
/// `wProductType` of a server: `VER_NT_SERVER` (`winnt.h`).
const PRODUCT_TYPE: u32 = 3;

/// The records of a stop, in the order in which they appear; none if the recovery options say so.
pub fn records(facts: &StopFacts) -> Vec<Record> {
    let mut records = Vec::new();
    if facts.recovery.log_event {
        records.extend(save_dump(facts));
        records.extend(system_error(facts));
    }
    records.extend(crash_report(facts));
    records
}

/// Event 1001, or 1000 when nothing was saved.
///
/// Texts: Microsoft KB 235496 (NT 4.0), KB 920911 (Server 2003, which does not name its version)
/// and KB 235999 (1000). No public text says what Server 2003 logs when nothing was saved, so
/// nothing is made up for that.
fn save_dump(facts: &StopFacts) -> Option<Record> {
    let saved = facts.recovery.dump != Dump::None;
    let nt4 = facts.personality == Personality::Nt4;
    if !saved && !nt4 {
        return None;
    }
    let params = facts
        .bugcheck
        .params
        .map(|p| format!("0x{}", facts.pointer_lower(p)));
    let mut description = format!(
        "The computer has rebooted from a bugcheck.  The bugcheck was: 0x{:08x} ({}).",
        facts.bugcheck.code,
        params.join(", ")
    );
    if nt4 {
        let (_, _, build) = facts.personality.version();
        description += &format!(" Microsoft Windows NT [v15.{build}].");
    }
    description += &match saved {
        true => format!(" A dump was saved in: {}.", facts.recovery.dump_file),
        false => " A full dump was not saved.".to_string(),
    };
    Some(Record {
        source: "Save Dump",
        id: Some(if saved { 1001 } else { 1000 }),
        kind: "Information",
        category: 0,
        description,
        data: Vec::new(),
    })
}

/// Event 1003 of Windows XP and Server 2003, from what the crash report found in the dump.
fn system_error(facts: &StopFacts) -> Option<Record> {
    let code = dumped_code(facts)?;
    let params = facts.bugcheck.params.map(|p| facts.pointer_lower(p));
    let [a, b, c, d] = &params;
    Some(Record {
        source: "System Error",
        id: Some(1003),
        kind: "Error",
        category: 102,
        description: format!(
            "Error code {code:08x}, parameter1 {a}, parameter2 {b}, parameter3 {c}, \
             parameter4 {d}.\n\
             For more information, see Help and Support Center at \
             http://go.microsoft.com/fwlink/events.asp."
        ),
        data: system_error_data(code, &params),
    })
}

/// The binary data of event 1003: the text once more in ASCII without an end mark, so 84 bytes
/// with parameters of 8 digits. With 16 digits (116 bytes) the form is an assumption.
fn system_error_data(code: u32, params: &[String; 4]) -> Vec<u8> {
    format!(
        "System Error  Error code {code:08x}  Parameters {}",
        params.join(", ")
    )
    .into_bytes()
}

/// The crash report of Windows XP and Server 2003 with its signature.
///
/// Form of the numbers: public reports such as `BCCode : 1000000a BCP1 : 00000000 BCP2 : 00000002
/// BCP3 : 00000000 BCP4 : 804FD60F OSVer : 5_1_2600 SP : 2_0 Product : 768_1`; the code has no
/// leading zeros and small letters, the parameters have all digits and capitals.
fn crash_report(facts: &StopFacts) -> Option<Record> {
    let code = dumped_code(facts)?;
    let [a, b, c, d] = facts.bugcheck.params.map(|p| facts.pointer(p));
    let (major, minor, build) = facts.personality.version();
    let service_pack = facts.personality.service_pack();
    Some(Record {
        source: "Microsoft Windows",
        id: None,
        kind: "Error",
        category: 0,
        description: format!(
            "The system has recovered from a serious error.\n\
             BCCode : {code:x} BCP1 : {a} BCP2 : {b} BCP3 : {c} BCP4 : {d} \
             OSVer : {major}_{minor}_{build} SP : {service_pack}_0 \
             Product : {SUITE_MASK}_{PRODUCT_TYPE}"
        ),
        data: Vec::new(),
    })
}

/// The code as the dump's header carries it; `None` where no crash report reads one: without a
/// dump, and on NT 4.0.
fn dumped_code(facts: &StopFacts) -> Option<u32> {
    match facts.recovery.dump {
        _ if facts.personality == Personality::Nt4 => None,
        Dump::None => None,
        Dump::Small => Some(facts.bugcheck.code | FROM_MINIDUMP),
        Dump::Complete | Dump::Kernel => Some(facts.bugcheck.code),
    }
}

/// Binary data as Event Viewer shows it: offset, eight bytes, and their characters.
pub fn hex_rows(data: &[u8]) -> Vec<String> {
    data.chunks(8)
        .enumerate()
        .map(|(row, bytes)| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
            let text: String = bytes
                .iter()
                .map(|&byte| match byte {
                    0x20..=0x7E => char::from(byte),
                    _ => '.',
                })
                .collect();
            format!("{:04x}: {hex:<26}{text}", row * 8)
                .trim_end()
                .to_string()
        })
        .collect()
}
