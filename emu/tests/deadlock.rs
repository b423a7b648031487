//! Machines in which nothing can happen any more: the stop says who waits for what, in every form
//! of the report.

use emu::campaign::{Campaign, Case};
use emu::choice::Moves;
use emu::choice::strategy::Random;
use emu::explain::{RunHeader, explain};
use emu::machine::{Ended, Granularity};
use emu::report::{Report, json, text};
use emu::scenario::{Await, Selection, parse};
use emu::stop::{Awaited, Stop, Wait, Waiter};

/// A wire on which nobody answers: no driver is loaded.
const SCENARIO: &str = r#"
title = "nobody answers"
summary = "a sender, a receiver and a program wait for what never comes"
machine = { profiles = ["amd64", "i386", "arm64"], personalities = ["ws2003-sp1"], cpus = 2 }
[[adapter]]
name = "Wire"
mac = "02-00-00-00-00-01"
[[host]]
name = "peer"
adapter = "Wire"
ip = "10.0.0.9"
mac = "02-00-00-00-00-09"
[[stream]]
name = "answers"
host = "peer"
step = [ { signal = "begun" }, { await = { arp = "10.0.0.1" } }, { signal = "late" } ]
[[stream]]
name = "asks"
host = "peer"
step = [ { send = "arp request", ip = "10.0.0.1" } ]
[[thread]]
name = "program"
step = [ { await = { signal = "begun" } }, { await = { signal = "late" } } ]
"#;

fn case(profile: isa::Profile, scenario: &str) -> Case {
    let scenario = parse("quiet.toml", scenario).unwrap_or_else(|e| panic!("{e}"));
    let selection = Selection {
        profile: Some(profile),
        ..Selection::default()
    };
    let plan = scenario.expand(&selection, &|_| Err("no files".into()));
    let plan = plan.unwrap_or_else(|e| panic!("{e}"));
    Case::load(plan, |driver| Err(format!("no driver {}", driver.name)))
        .unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn waits(ended: &Ended) -> &[Wait] {
    match &ended.stop {
        Stop::Deadlock { waits } => waits,
        other => panic!("{other:?}"),
    }
}

fn report(case: &Case) -> Report {
    let header = RunHeader::default();
    let told = explain(case, Granularity::Sync, &Moves::default(), &header);
    told.unwrap_or_else(|e| panic!("{e}")).report
}

#[test]
fn streams_and_requesters_that_wait_are_listed() {
    for profile in [isa::Profile::I386, isa::Profile::Amd64, isa::Profile::Arm64] {
        let case = case(profile, SCENARIO);
        let mut campaign = Campaign::new(&case, Granularity::Sync).unwrap();
        for seed in 1..4 {
            let ended = campaign.run(Box::new(Random::new(seed)));
            let [program, answers, asks] = waits(&ended) else {
                panic!("{ended:?}")
            };
            assert!(matches!(program.waiter, Waiter::Thread { .. }));
            let late = case.plan.signals.iter().position(|name| name == "late");
            let late = Await::Signal(late.expect("the plan has it"));
            assert_eq!(program.awaited, Awaited::Condition(late));
            assert!(program.since.is_some());

            let waiter = Waiter::Stream { stream: 0, step: 1 };
            assert_eq!(answers.waiter, waiter, "the signal before it was raised");
            let host = Await::Resolved {
                host: 0,
                ip: [10, 0, 0, 1].into(),
            };
            assert_eq!(answers.awaited, Awaited::Condition(host));

            let waiter = Waiter::Stream { stream: 1, step: 0 };
            assert_eq!((asks.waiter, asks.awaited), (waiter, Awaited::Listener(0)));
        }
    }
}

#[test]
fn every_report_names_the_stream_and_what_it_awaits() {
    let report = report(&case(isa::Profile::Amd64, SCENARIO));
    // On as wide a page as it takes to see sentences whole.
    let page = text::render(&report, 200);
    for line in [
        "deadlock: 3 waits without an end",
        "stream answers, step 2, waits until host peer knows the station of 10.0.0.1",
        "stream asks, step 1, waits until a driver asks adapter Wire for packets",
    ] {
        assert!(page.lines().any(|l| l == line), "{line:?} is not in {page}");
    }
    let program = page.lines().find(|line| line.contains("program (core "));
    let program = program.expect("the program is listed");
    assert!(
        program.contains(") waits until late is signalled, since "),
        "{program}"
    );

    let object: serde_json::Value = serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    assert_eq!(object["stop"]["kind"], "deadlock");
    let answers = &object["stop"]["waits"][1];
    assert_eq!(answers["stream"], "answers");
    assert_eq!(answers["step"], 1);
    assert_eq!(answers["kind"], "condition");
    assert_eq!(answers["object"], "host peer knows the station of 10.0.0.1");
    assert!(answers["core"].is_null() && answers["since"].is_null());
}

/// One wait is all that there is to say.
#[test]
fn a_single_wait_is_in_the_verdict() {
    let alone = SCENARIO.replace("{ await = { signal = \"late\" } }", "{ sleep_ms = 1 }");
    let begin = alone
        .find("[[stream]]\nname = \"asks\"")
        .expect("it is there");
    let end = alone.find("[[thread]]").expect("it is there");
    let alone = format!("{}{}", &alone[..begin], &alone[end..]);
    let report = report(&case(isa::Profile::Amd64, &alone));
    assert_eq!(
        text::verdict(&report),
        "deadlock: stream answers, step 2, waits until host peer knows the station of 10.0.0.1"
    );
}
