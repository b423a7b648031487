//! The program on a terminal: a few ways through the workbench from beginning to end, and the
//! terminal as it was afterwards. That it is also after a panic is tested where one can be made: in
//! `src/workbench/tests/panics.rs`.
//!
//! The drivers must have been built (`cargo xtask drivers`).

#![cfg(unix)]

mod pty;

use std::fs;
use std::path::Path;
use std::process::Command;

use pty::Terminal;

const PROGRAM: &str = env!("CARGO_BIN_EXE_irqlab");
const UTF8: (&str, &str) = ("LC_ALL", "C.UTF-8");
const ENTER: &str = "\r";
const ESC: &str = "\x1b";
const CTRL_C: &str = "\x03";
const DOWN: &str = "\x1b[B";

fn workbench() -> Terminal {
    let mut terminal = Terminal::open(PROGRAM, &[UTF8], (80, 24));
    terminal.shows("choose a scenario");
    terminal
}

#[test]
fn from_the_start_to_the_trace_of_the_nat_router_and_out() {
    let mut terminal = workbench();
    assert!(terminal.has_mouse());
    terminal.send(DOWN);
    terminal.shows("settings of bluetooth");
    terminal.send("/kb931322\r");
    terminal.shows("settings of kb931322");
    terminal.shows("irqlab run kb931322 --profile amd64 --seed 1");
    // The first seed from the chosen one on that stops, whichever compiler the drivers are of.
    terminal.send("f");
    terminal.shows("*** STOP: 0x000000D1");
    terminal.shows("ipnat.sys");
    terminal.send(ENTER);
    terminal.shows("1 Timeline");
    terminal.shows("free   NatP");
    terminal.send(":pane stack\r");
    terminal.shows("[5 Stack]");
    terminal.shows("find_preserved_address");
    // Back to the free, two causes before the use, and to the machine as it was there.
    terminal.send("3kk");
    terminal.shows("ipnat/reset.rs:25");
    terminal.send("4");
    terminal.shows("[4 Cores]");
    terminal.shows("DISPATCH_LEVEL");
    // The last decision but one differently.
    terminal.send("GDDf");
    terminal.shows("decided differently at choice");
    terminal.send(" ");
    terminal.shows("│ fork │");
    terminal.send(ESC);
    // Two of them at once would be another key.
    terminal.shows("│ seed ");
    terminal.send(ESC);
    terminal.shows("Machine and settings of kb931322");
    terminal.send("q");
    terminal.ends(0);
}

#[test]
fn a_search_is_watched_and_what_it_finds_is_opened() {
    let mut terminal = workbench();
    terminal.send(":explore bluetooth --schedules 300\r");
    terminal.shows("How runs ended");
    terminal.shows("ended");
    terminal.shows("300 schedules of 300");
    terminal.shows("1 preemption");
    // What stops is selected without a key.
    terminal.shows("shrunk to 1 preemption");
    terminal.send(ENTER);
    terminal.shows("*** STOP");
    terminal.send(" ");
    terminal.shows("1 Timeline");
    terminal.send(ESC);
    terminal.shows("How runs ended");
    terminal.send(CTRL_C);
    terminal.ends(0);
}

#[test]
fn a_recorded_run_is_offered_and_opened() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("one.schedule");
    let save = format!("{PROGRAM} run account --save {} >/dev/null", file.display());
    let line = format!("cd {} && {save}; {PROGRAM}", folder.display());
    let mut terminal = Terminal::open(&line, &[UTF8], (80, 24));
    terminal.shows("choose a scenario");
    terminal.send("/one.sch");
    terminal.shows("recorded: account on amd64");
    // The first ends the filter's line, the second opens what it leaves.
    terminal.send(ENTER);
    terminal.shows("Enter run");
    terminal.send(ENTER);
    terminal.shows("account │ amd64");
    terminal.send(CTRL_C);
    terminal.ends(0);
}

/// A run of other drivers is refused with what differs, and repeated as far as it goes where that is
/// asked for; then the same is said beside the run.
#[test]
fn a_recorded_run_of_other_drivers_is_told_to_be_one() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal-other");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("other.schedule");
    let save = format!("{PROGRAM} run account --seed 41 --save {}", file.display());
    let done = Command::new("sh").args(["-c", &save]).output().unwrap();
    assert_ne!(done.status.code(), Some(2), "{done:?}");
    let text = fs::read_to_string(&file).unwrap();
    let (before, hash) = text.split_once("driver=account.sys:").unwrap();
    let first = if hash.starts_with('0') { '1' } else { '0' };
    let other = format!("{before}driver=account.sys:{first}{}", &hash[1..]);
    fs::write(&file, other).unwrap();
    let line = format!("cd {} && {PROGRAM}", folder.display());
    let mut terminal = Terminal::open(&line, &[UTF8], (80, 24));
    terminal.shows("choose a scenario");
    terminal.send("/other.sch");
    terminal.shows("recorded: account on amd64");
    terminal.send(ENTER);
    terminal.shows("Enter run");
    terminal.send(ENTER);
    terminal.shows("other bytes of account.sys");
    terminal.shows("--best-effort");
    terminal.send(" :replay other.schedule --best-effort\r");
    terminal.shows("repeated as far as it goes");
    terminal.shows("other bytes of account.sys");
    terminal.send("  ");
    terminal.shows("1 Timeline");
    // Who has dismissed the message finds it again.
    terminal.send(":pane run\r");
    terminal.shows("repeated as far as it goes");
    terminal.send(CTRL_C);
    terminal.ends(0);
}

#[test]
fn a_search_without_an_end_is_ended() {
    let mut terminal = workbench();
    terminal.send(":explore kb931322 --exhaustive --no-shrink\r");
    terminal.shows("schedules");
    terminal.wait("a schedule", |screen| {
        let text = screen.contents();
        text.contains("searching") && text.contains("completed")
    });
    terminal.send("x");
    terminal.shows("ended");
    terminal.send(ESC);
    terminal.shows("choose a scenario");
    terminal.send("E");
    terminal.shows("How runs ended");
    terminal.send(CTRL_C);
    terminal.ends(0);
}

#[test]
fn control_c_leaves_while_something_runs() {
    let mut terminal = workbench();
    terminal.send(":explore kb931322 --exhaustive\r");
    terminal.shows("1 s");
    terminal.send(CTRL_C);
    terminal.ends(0);
}

#[test]
fn a_terminal_without_utf_8_gets_ascii() {
    let mut terminal = Terminal::open(PROGRAM, &[("LC_ALL", "C")], (80, 24));
    terminal.shows("choose a scenario");
    terminal.shows("+>Scenarios 1 of ");
    assert!(terminal.text().is_ascii(), "{}", terminal.text());
    terminal.send("q");
    terminal.ends(0);
}

#[test]
fn a_bad_file_is_told_before_the_terminal_is_taken() {
    let line = format!("{PROGRAM} not-there.toml");
    let mut terminal = Terminal::open(&line, &[UTF8], (80, 24));
    terminal.ends(2);
    assert!(
        terminal.text().contains("not-there.toml"),
        "{}",
        terminal.text()
    );
}
