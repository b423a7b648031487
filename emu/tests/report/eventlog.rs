//! Event-log records and the crash report.

use emu::report::eventlog::{self, hex_rows};
use emu::report::{Dump, Record, StopFacts, screen};
use isa::Profile;

use crate::expect::expect;
use crate::{NT4, SP1, SP2, sample};

fn record_text(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        text += &format!(
            "{} {:?} {} category {}\n{}\n",
            record.source, record.id, record.kind, record.category, record.description
        );
        for row in hex_rows(&record.data) {
            text += &format!("{row}\n");
        }
        text.push('\n');
    }
    text
}

#[test]
fn report_event_log() {
    for (name, profile, personality) in [
        ("eventlog-nt4-i386", Profile::I386, NT4),
        ("eventlog-ws2003-i386", Profile::I386, SP1),
        ("eventlog-ws2003-amd64", Profile::Amd64, SP2),
    ] {
        let facts = sample::facts(profile, personality);
        expect(name, &record_text(&eventlog::records(&facts)));
    }
}

fn system_error(facts: &StopFacts) -> Record {
    let mut records = eventlog::records(facts).into_iter();
    records.find(|record| record.id == Some(1003)).unwrap()
}

fn crash_report(facts: &StopFacts) -> String {
    let mut records = eventlog::records(facts).into_iter();
    records
        .find(|record| record.id.is_none())
        .unwrap()
        .description
}

/// The 84 bytes of event 1003 on x86, part by part.
#[test]
fn report_event_1003_has_84_bytes() {
    let record = system_error(&sample::facts(Profile::I386, SP1));
    assert_eq!(
        (record.source, record.kind, record.category),
        ("System Error", "Error", 102)
    );
    let data = &record.data;
    assert_eq!(data.len(), 25 + 8 + 13 + 4 * 8 + 3 * 2);
    assert_eq!(&data[..25], b"System Error  Error code ");
    assert_eq!(&data[25..33], b"000000d1");
    assert_eq!(&data[33..46], b"  Parameters ");
    assert_eq!(&data[46..], b"00000010, 00000002, 00000000, f27afe8e");
    assert!(!data.contains(&0));
    // The form in which Event Viewer shows it.
    let rows = hex_rows(data);
    assert_eq!(rows[0], "0000: 53 79 73 74 65 6d 20 45   System E");
    assert_eq!(rows[3], "0018: 20 30 30 30 30 30 30 64    000000d");
    assert_eq!(rows.len(), 11);
}

#[test]
fn report_a_small_dump_flags_the_code() {
    let mut facts = sample::facts(Profile::I386, SP1);
    facts.recovery.dump = Dump::Small;
    assert!(
        system_error(&facts)
            .description
            .starts_with("Error code 100000d1, ")
    );
    assert!(crash_report(&facts).contains("BCCode : 100000d1 BCP1 : "));
    assert_eq!(&system_error(&facts).data[25..33], b"100000d1");
}

/// The published hot-fix article for Stop 0xD1 contradicts itself in four places (its event data
/// is copied from an article on Stop 0x50). The records made here must not.
#[test]
fn report_does_not_repeat_the_contradictions_of_the_published_example() {
    // As published: the bytes say 0x50 where the characters beside them say 0xD1.
    let published_bytes = *b"00000050";
    let published_characters = "000000D1";
    assert_ne!(published_bytes, *published_characters.as_bytes());

    for (personality, service_pack) in [(SP1, "1_0"), (SP2, "2_0")] {
        let facts = sample::facts(Profile::I386, personality);
        let record = system_error(&facts);
        // Bytes and words say the same code, and the parameters are the stop's own.
        assert_eq!(&record.data[25..33], b"000000d1");
        assert!(
            record
                .description
                .starts_with("Error code 000000d1, parameter1 00000010, ")
        );
        assert!(!record.data.windows(9).any(|bytes| bytes == b"ffffffd1,"));
        // The build is the released one, with the service pack: not 5_2_3718 and 0_0.
        let report = crash_report(&facts);
        let version = format!("OSVer : 5_2_3790 SP : {service_pack} Product : 272_3");
        assert!(report.ends_with(&version), "{report}");
        // The source is System Error, not System with an "Error time".
        assert_eq!(record.source, "System Error");
        // The screen shows the name that belongs to the code.
        let lines = screen::render(&facts).lines;
        assert!(
            lines
                .iter()
                .any(|line| line == "DRIVER_IRQL_NOT_LESS_OR_EQUAL")
        );
        assert!(
            !lines
                .iter()
                .any(|line| line.starts_with("IRQL_NOT_LESS_OR_EQUAL"))
        );
    }
}

#[test]
fn report_nt4_has_no_crash_report() {
    let records = eventlog::records(&sample::facts(Profile::I386, NT4));
    let ids: Vec<Option<u32>> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids, [Some(1001)]);
}

#[test]
fn report_no_events_when_the_options_say_so() {
    let mut facts = sample::facts(Profile::I386, SP1);
    facts.recovery.log_event = false;
    let records = eventlog::records(&facts);
    assert!(records.iter().all(|record| record.id.is_none()));
}
