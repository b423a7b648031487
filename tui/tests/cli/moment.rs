//! Moments of a run without a terminal: every pane, at any moment, as text and as JSON.

use serde_json::Value;

use super::{Folder, irqlab};

/// A run of a small driver that stops.
const RUN: [&str; 5] = ["run", "bluetooth", "--profile", "amd64", "--until-stop"];

fn look(more: &[&str]) -> super::Ran {
    irqlab(&[&RUN, more].concat())
}

const PANES: [&str; 16] = [
    "why",
    "timeline",
    "cores",
    "code",
    "stack",
    "registers",
    "memory",
    "choice",
    "events",
    "pool",
    "locks",
    "irps",
    "threads",
    "queues",
    "packets",
    "log",
];

#[test]
fn every_pane_at_the_end_in_the_middle_and_at_the_start() {
    let panes: Vec<&str> = PANES.iter().flat_map(|pane| ["--pane", pane]).collect();
    for at in ["start", "50%", "end"] {
        let json = look(&[&["--at", at, "--format", "json"], &panes[..]].concat());
        assert_eq!((json.status, json.stderr.as_str()), (0, ""), "{at}");
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        for pane in PANES {
            let rows = json["panes"][pane]["rows"].as_array();
            assert!(rows.is_some(), "{pane} at {at}: {json:#}");
        }
        assert!(
            !json["panes"]["registers"]["rows"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        let text = look(&[&["--at", at], &panes[..]].concat());
        assert_eq!(text.status, 0);
        for pane in PANES {
            let title = format!("── {pane} ──");
            assert!(
                text.stdout.contains(&title),
                "{title} at {at}: {}",
                text.stdout
            );
        }
    }
}

#[test]
fn a_moment_has_its_cores_code_and_stack() {
    let ran = look(&["--at", "end"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for part in [
        "moment ",
        "── cores ──",
        "── code ──",
        "── stack ──",
        "bluetooth::",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn the_same_moment_of_a_recorded_run() {
    let folder = Folder::new("moment");
    let file = folder.0.join("stop.schedule");
    let file = file.to_str().unwrap().to_owned();
    assert_eq!(look(&["--save", &file]).status, 0);
    let arguments = ["--at", "30%", "--pane", "registers", "--pane", "threads"];
    let replayed = irqlab(&[&["replay", &file], &arguments[..]].concat());
    assert_eq!(replayed.status, 0, "{}", replayed.stderr);
    assert_eq!(replayed.stdout, look(&arguments).stdout);
}

#[test]
fn a_core_and_a_datum_are_looked_at() {
    let other = look(&["--at", "50%", "--core", "1", "--pane", "registers"]);
    assert!(other.stdout.contains("core 1"), "{}", other.stdout);
    let code = look(&["--at", "end", "--pane", "code", "--format", "json"]);
    let code: Value = serde_json::from_str(&code.stdout).unwrap();
    let address = code["panes"]["code"]["rows"][0]["datum"]["address"]
        .as_str()
        .unwrap();
    let bytes = look(&[
        "--at",
        "end",
        "--pane",
        "memory",
        "--datum",
        &format!("{address},4"),
    ]);
    assert_eq!(bytes.status, 0);
    let digits = address.trim_start_matches("0x");
    assert!(bytes.stdout.contains(digits), "{digits}: {}", bytes.stdout);
}

#[test]
fn moments_that_are_none() {
    look(&["--at", "x"]).is_bad_input(&["'x' is no moment", "CHOICE:STEP"]);
    look(&["--at", "7:99999999"]).is_bad_input(&["no moment 7:99999999", "the nearest is"]);
    look(&["--at", "999999999"]).is_bad_input(&["no moment 999999999:00", "the nearest is"]);
    look(&["--at", "end", "--core", "9"]).is_bad_input(&["no core 9", "below 2"]);
    look(&["--pane", "nothing"]).is_bad_input(&["nothing", "registers"]);
    look(&["--datum", "zz"]).is_bad_input(&["hexadecimal"]);
    look(&["--datum", "10,0"]).is_bad_input(&["1 to 65536"]);
}

#[test]
fn two_recorded_runs_side_by_side() {
    let folder = Folder::new("diff");
    let file = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (stops, completes) = (file("stops.schedule"), file("completes.schedule"));
    assert_eq!(look(&["--save", &stops]).status, 0);
    let run = ["run", "bluetooth", "--profile", "amd64", "--schedule", "-"];
    let ran = irqlab(&[&run[..], &["--save", &completes]].concat());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let diff =
        |a: &str, b: &str, more: &[&str]| irqlab(&[&["replay", a, "--diff", b], more].concat());
    let text = diff(&stops, &completes, &[]);
    assert_eq!((text.status, text.stderr.as_str()), (0, ""));
    for part in [
        "< ",
        "stops.schedule: STOP 0x000000E2",
        "> ",
        "events in common",
    ] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
    let json = diff(&stops, &completes, &["--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let common = json["common"].as_u64().unwrap();
    // Both have booted; what parts them is the first decision of the one that stops.
    assert!(common > 15, "{json:#}");
    let parting = &json["parting"]["this"];
    assert_eq!(parting["event"], common);
    assert!(
        parting["text"].as_str().unwrap().starts_with("choice "),
        "{json:#}"
    );
    assert_ne!(json["parting"]["other"]["text"], parting["text"]);
    let of = |run: &str| -> Vec<u64> {
        let rows = json["rows"].as_array().unwrap().iter();
        rows.filter_map(|row| row[run]["event"].as_u64()).collect()
    };
    for run in ["this", "other"] {
        let events = json[run]["events"].as_u64().unwrap();
        let first = common.saturating_sub(20);
        assert_eq!(
            of(run),
            (first..events).collect::<Vec<_>>(),
            "{run}: all, in order"
        );
    }
    let same = diff(&stops, &stops, &[]);
    assert!(
        same.stdout.contains("the runs are the same"),
        "{}",
        same.stdout
    );
    diff(&stops, "nothing.schedule", &[]).is_bad_input(&["nothing.schedule"]);
    diff(&stops, &completes, &["--at", "end"]).is_bad_input(&["--diff", "--at"]);
    diff("-", "-", &[]).is_bad_input(&["--diff", "standard input"]);
}
