//! Whole reports as text and as JSON.

use emu::oracle::Told;
use emu::report::{StopLine, json, markdown, text};
use isa::Profile;

use crate::expect::expect;
use crate::{NT4, SP1, sample};

#[test]
fn report_texts() {
    let bugcheck = sample::report(Profile::Amd64, SP1);
    expect("text-bugcheck-80", &text::render(&bugcheck, 80));
    expect("text-bugcheck-120", &text::render(&bugcheck, 120));
    for (name, stop) in sample::other_stops() {
        let mut report = sample::report(Profile::Amd64, SP1);
        (report.screen, report.event_log) = (None, Vec::new());
        (report.why, report.locks, report.events) = (Vec::new(), Vec::new(), Vec::new());
        report.expected = stop == StopLine::Completed;
        report.stop = stop;
        expect(&format!("text-{name}"), &text::render(&report, 80));
        expect(&format!("json-{name}"), &json::render(&report).unwrap());
    }
}

#[test]
fn stories() {
    let bugcheck = sample::report(Profile::Amd64, SP1);
    expect("story-bugcheck", &markdown::render(&bugcheck));
    for (name, stop) in sample::other_stops() {
        let mut report = sample::report(Profile::Amd64, SP1);
        report.why = Vec::new();
        report.expected = stop == StopLine::Completed;
        report.stop = stop;
        expect(&format!("story-{name}"), &markdown::render(&report));
    }
}

#[test]
fn report_text_keeps_its_width() {
    let mut report = sample::report(Profile::I386, NT4);
    report.run.replay_line = String::new();
    report.findings = vec![Told {
        oracle: "sample",
        what: "something that takes many words to say ".repeat(6),
        object: None,
        places: Vec::new(),
        count: 1,
        order_matters: None,
        help: "what to do about it, which takes as many words as what it is about does take, and more",
        rule: "a book with a long title: and a subtitle that is longer than the title, in two editions",
        signature: String::new(),
        other_order: None,
    }];
    for width in [80, 100, 160] {
        for line in text::render(&report, width).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn report_json() {
    let report = sample::report(Profile::Amd64, SP1);
    let text = json::render(&report).unwrap();
    expect("json-bugcheck", &text);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stop = &value["stop"];
    assert_eq!(stop["kind"], "bugcheck");
    assert_eq!(stop["code"], "0x000000D1");
    assert_eq!(stop["name"], "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    assert_eq!(stop["params"][1], "0x0000000000000002");
    assert_eq!(stop["module"], "sample.sys");
    assert_eq!(stop["source"], "queue.rs:97");
    assert_eq!((&stop["irql"], &stop["cpu"]), (&2.into(), &0.into()));
    assert_eq!(value["expected"], true);
}

/// The names that the command line promises stand first and in this order.
#[test]
fn report_json_begins_with_the_promised_fields() {
    let text = json::render(&sample::report(Profile::I386, NT4)).unwrap();
    let fields: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  \"")?.split('"').next())
        .collect();
    let promised = [
        "scenario",
        "profile",
        "personality",
        "cpus",
        "seed",
        "granularity",
        "stop",
        "expected",
        "instructions",
        "choices",
        "schedule",
        "trace_hash",
    ];
    assert_eq!(fields[..promised.len()], promised);
}
