//! Stop screens.

use emu::personality::Personality;
use emu::report::codes::CODES;
use emu::report::{Colour, Dump, StopFacts, eventlog, screen};
use isa::Profile;

use crate::expect::expect;
use crate::{NT4, SP1, SP2, sample};

/// The screen as text: size and colours, the lines, the note.
fn screen_text(facts: &StopFacts) -> String {
    let screen = screen::render(facts);
    let mut text = format!(
        "{}x{} {:?} on {:?}\n",
        screen.columns, screen.rows, screen.foreground, screen.background
    );
    for line in &screen.lines {
        text += line;
        text.push('\n');
    }
    if let Some(note) = screen.note {
        text += &format!("note: {note}\n");
    }
    text
}

#[test]
fn report_screens() {
    for (name, profile, personality) in [
        ("screen-nt4-i386", Profile::I386, NT4),
        ("screen-nt4-alpha", Profile::Alpha, NT4),
        ("screen-ws2003-i386", Profile::I386, SP1),
        ("screen-ws2003-amd64", Profile::Amd64, SP2),
        ("screen-ws2003-ia64", Profile::Ia64, SP1),
    ] {
        expect(name, &screen_text(&sample::facts(profile, personality)));
    }
}

/// Codes with a message of their own hide their name; those without public advice say so.
#[test]
fn report_screen_messages() {
    let mut facts = sample::facts(Profile::I386, SP1);
    facts.bugcheck.code = 0x8E;
    facts.bugcheck.params = [0xC000_0005, 0xF27A_FE8E, 0xF789_3B48, 0];
    facts.bugcheck.blamed = None;
    expect("screen-ws2003-8e", &screen_text(&facts));

    facts.bugcheck.code = 0x7F;
    facts.bugcheck.params = [8, 0, 0, 0];
    let screen = screen::render(&facts);
    assert!(!screen.lines.iter().any(|line| line.contains("UNEXPECTED")));
    assert!(screen.note.unwrap().contains("no public text"));
}

/// A screen is a grid: nothing is longer or taller, whatever is loaded and whatever code stops.
#[test]
fn report_screens_fit_their_display() {
    for profile in Profile::ALL {
        for personality in Personality::ALL {
            for row in CODES {
                let mut facts = sample::facts(profile, personality);
                facts.bugcheck.code = row.code;
                for number in 0..200 {
                    let mut module = facts.modules[2].clone();
                    module.name = format!("quite-a-long-driver-name-{number}.sys");
                    facts.modules.push(module);
                }
                facts.stack = vec![facts.modules[2].base + 0x10; 300];
                let screen = screen::render(&facts);
                assert!(screen.lines.len() <= screen.rows, "{}", row.name);
                for line in &screen.lines {
                    assert!(line.chars().count() <= screen.columns, "{line}");
                    assert_eq!(line.trim_end(), line);
                }
            }
        }
    }
}

#[test]
fn report_64_bit_screens_have_16_digits() {
    for profile in [
        Profile::Amd64,
        Profile::Ia64,
        Profile::Arm64,
        Profile::Alpha,
    ] {
        let lines = screen::render(&sample::facts(profile, SP1)).lines;
        // The line runs on at the right edge, as on the display.
        let whole = lines.concat();
        let stop = "*** STOP: 0x000000D1 (0x0000000000000010,0x0000000000000002,\
                    0x0000000000000000,0x";
        assert!(whole.contains(stop), "{whole}");
    }
    let i386 = screen::render(&sample::facts(Profile::I386, SP1)).lines;
    let stop = "*** STOP: 0x000000D1 (0x00000010,0x00000002,0x00000000,0xF27AFE8E)";
    assert!(i386.iter().any(|line| line == stop));
}

/// The stack dump of NT 4.0: a line only for words that point into an image, the word twice.
#[test]
fn report_nt4_stack_rows() {
    let mut facts = sample::facts(Profile::I386, NT4);
    let inside = facts.modules[2].base + 0x123;
    facts.stack_pointer = 0x8014_0048;
    facts.stack = vec![1, inside, 2, 3];
    let lines = screen::render(&facts).lines;
    let row = format!("8014004c {inside:08x} {inside:08x} 00000002 00000003");
    let rows: Vec<&String> = lines.iter().filter(|l| l.starts_with("801400")).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].trim_end(), format!("{row:<62} - sample.sys"));
}

#[test]
fn report_nt4_without_a_dump() {
    let mut facts = sample::facts(Profile::I386, NT4);
    facts.recovery.dump = Dump::None;
    let last = screen::render(&facts).lines.pop().unwrap();
    assert_eq!(
        last,
        "contact your system administrator or technical support group."
    );
    let records = eventlog::records(&facts);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].id, Some(1000));
    assert!(
        records[0]
            .description
            .ends_with("A full dump was not saved.")
    );
}

#[test]
fn report_profiles_without_public_text_say_so() {
    for profile in [
        Profile::Alpha,
        Profile::Amd64,
        Profile::Arm64,
        Profile::Ia64,
    ] {
        let screen = screen::render(&sample::facts(profile, NT4));
        let note = "No public text of this profile's stop screen is known.";
        assert_eq!(screen.note.as_deref(), Some(note));
        assert_eq!(screen.background, Colour::Default);
        assert!(!screen.lines.iter().any(|line| line.contains("***")));
    }
    assert_eq!(
        screen::render(&sample::facts(Profile::I386, NT4)).note,
        None
    );
    assert_eq!(
        screen::render(&sample::facts(Profile::Amd64, SP2)).note,
        None
    );
    assert!(
        screen::render(&sample::facts(Profile::Ia64, SP2))
            .note
            .is_some()
    );
}
