//! The founding cases from the list of scenarios to the reasons of their stops, with the real
//! drivers (`cargo xtask drivers`).
//!
//! Addresses differ from compiler to compiler, so only parts of these screens are looked for; `panes`
//! compares screens letter by letter where the drivers are those of the pinned compiler.

use super::{App, Effect, Reply, View, press, text, workbench};
use emu::report::StopLine;

use crate::workbench::search_job::Searcher;
use crate::workbench::worker::carry_out;

/// Presses keys that choose a scenario, searches for a seed that stops, and answers as a worker
/// does.
pub fn found(keys: &str) -> App {
    let mut app = workbench();
    press(&mut app, keys);
    let Effect::Start(job) = app.key(super::named(super::KeyCode::Char('f'))) else {
        panic!("f starts a search")
    };
    let id = job.id;
    let news = carry_out(&job, &|_| true)
        .unwrap()
        .expect("somebody listens");
    app.reply(Reply { id, news });
    assert_eq!(app.message, None);
    app
}

/// The screens on the way from the stop to the reasons; each has all of its parts.
#[track_caller]
fn shows(name: &str, mut app: App, stop: &[&str], why: &[&str]) {
    for (width, height) in [(80, 24), (160, 50)] {
        app.view = View::Stop;
        shows_all(&format!("{name}-stop"), &app, (width, height), stop);
        press(&mut app, " ");
        shows_all(&format!("{name}-why"), &app, (width, height), &[]);
    }
    press(&mut app, "z");
    shows_all(&format!("{name}-reasons"), &app, (100, 40), why);
}

#[track_caller]
fn shows_all(name: &str, app: &App, (width, height): (u16, u16), parts: &[&str]) {
    let screen = text(app, width, height);
    for part in parts {
        assert!(
            screen.contains(part),
            "{part:?} is not in {name}:\n{screen}"
        );
    }
}

#[test]
fn the_nat_router() {
    let app = found("");
    let stop = [
        "*** STOP: 0x000000D1",
        "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
        "ipnat.sys",
    ];
    shows(
        "kb931322",
        app,
        &stop,
        &["free ", "NatP", "ipnat/reset.rs:", "ipnat/preserve.rs:"],
    );
}

#[test]
fn the_ftp_server() {
    let app = found("<down><down><tab><right>");
    let stop = [
        "STOP 0x0000000A",
        "IRQL_NOT_LESS_OR_EQUAL",
        "tcpip.sys",
        "no public text",
    ];
    shows("q252664", app, &stop, &["read ", "tcp/deliver.rs:"]);
}

/// A fork makes the same moves up to its choice, takes another option there, and none after it:
/// where something else happened than would by itself, and where nothing did.
#[test]
fn a_fork_decides_differently_at_one_choice() {
    let mut app = found("");
    press(&mut app, " ");
    let record = app.trace.as_ref().unwrap().trace.record.clone().unwrap();
    let last = |taken: fn(usize) -> bool| {
        let mut choices = (1..=record.choices()).rev();
        choices.find(|&n| record.question(n).is_some_and(|q| taken(q.taken)))
    };
    for choice in [last(|taken| taken != 0), last(|taken| taken == 0)] {
        let choice = choice.unwrap();
        press(&mut app, &format!(":go {choice}<enter>"));
        let Effect::Start(job) = app.key(super::named(super::KeyCode::Char('f'))) else {
            panic!("f starts a run")
        };
        let news = carry_out(&job, &|_| true).unwrap().unwrap();
        app.reply(Reply { id: job.id, news });
        let fork = app.trace.as_ref().unwrap();
        assert_eq!(fork.focus.at.choice, choice);
        let forked = fork.trace.record.as_ref().unwrap();
        let (was, is) = (
            record.question(choice).unwrap(),
            forked.question(choice).unwrap(),
        );
        assert_eq!(was.options, is.options, "the same question");
        assert_ne!(was.taken, is.taken, "another answer");
        let made = |moves: &emu::choice::Moves, until: u64| {
            let moves = moves.0.iter().copied();
            moves.take_while(|(n, _)| *n < until).collect::<Vec<_>>()
        };
        let (before, after) = (&record.ended.moves, &forked.ended.moves);
        assert_eq!(made(before, choice), made(after, choice));
        assert_eq!(made(after, choice + 1), after.0, "nothing after it");
        // Back to where the fork came from.
        press(&mut app, " <esc>");
        let back = app.trace.as_ref().unwrap().trace.record.as_ref().unwrap();
        assert_eq!(back.ended.trace_hash, record.ended.trace_hash);
    }
}

/// Types a line that starts a run, and makes that run.
fn carry(app: &mut super::App, line: &str) {
    press(app, line);
    let Effect::Start(job) = app.key(super::named(super::KeyCode::Enter)) else {
        panic!("{line} starts a run: {:?}", app.message)
    };
    let news = carry_out(&job, &|_| true).unwrap().unwrap();
    app.reply(Reply { id: job.id, news });
}

/// A fault strikes at the moment that is looked at, in the run as it was until there: also in a run
/// from a file. Back at the run without it, it is gone.
#[test]
fn a_fault_strikes_at_the_focus() {
    let file = std::env::temp_dir().join(format!("irqlab-fault-{}.schedule", std::process::id()));
    let name = file.display();
    let mut app = workbench();
    carry(
        &mut app,
        &format!(":run bluetooth --set driver=fixed --set pool=true --seed 1 --save {name}"),
    );
    carry(&mut app, &format!(":replay {name}"));
    std::fs::remove_file(&file).unwrap();
    app.view = View::Trace;
    let record = app.trace.as_ref().unwrap().trace.record.clone().unwrap();
    assert_eq!(record.ended.stop, emu::stop::Stop::Completed);

    press(&mut app, ":go 0:0<enter>");
    let at = app.trace.as_ref().unwrap().focus.at;
    carry(&mut app, ":fault pool.fail");
    let fork = app.trace.as_ref().unwrap();
    assert_eq!(fork.focus.at, at);
    let stop = &fork.trace.report.stop;
    assert!(matches!(stop, StopLine::Request { .. }), "{stop:?}");
    let message = app.message.clone().unwrap();
    assert!(
        message.contains(&format!("with pool.fail:position={at}: request")),
        "{message}"
    );
    shows_all(
        "a fault",
        &app,
        (120, 36),
        &["│ pool.fail │", "was completed"],
    );
    press(&mut app, " <esc>");
    let back = app.trace.as_ref().unwrap().trace.record.as_ref().unwrap();
    assert_eq!(back.ended.trace_hash, record.ended.trace_hash);
    assert!(app.case.selection.faults.is_empty());
}

/// The decision that is said to save the machine does, when `f` makes it; there is one for each of
/// the founding cases, among the reasons or added to them.
#[test]
fn the_decision_that_saves_the_machine_does() {
    for keys in ["", "<down><down><tab><right>"] {
        let mut app = found(keys);
        press(&mut app, " ");
        let state = app.trace.as_mut().unwrap();
        let saving = state.trace.saving.clone();
        assert!(!saving.is_empty(), "nothing saves it: {keys:?}");
        let why = &state.trace.report.why;
        let numbers: Vec<u32> = why.iter().map(|step| step.number).collect();
        assert!(numbers.iter().copied().eq(1..=why.len() as u32));
        state.why = why.iter().position(|step| step.at == saving[0]).unwrap();
        let step = why[state.why].clone();
        let note = step.note.unwrap();
        assert!(
            step.verb == "choice" && note.contains("saved if core"),
            "{note}"
        );
        state.move_in_pane(0);
        assert_eq!(state.focus.at, saving[0]);
        let Effect::Start(job) = app.key(super::named(super::KeyCode::Char('f'))) else {
            panic!("f starts a run: {:?}", app.message)
        };
        let news = carry_out(&job, &|_| true).unwrap().unwrap();
        app.reply(Reply { id: job.id, news });
        let stop = &app.trace.as_ref().unwrap().trace.report.stop;
        assert_eq!(*stop, StopLine::Completed);
    }
}

/// A finding of a search is opened where it happened, with its places as reasons, though the run
/// completed.
#[test]
fn a_finding_of_a_search_is_opened_at_its_places() {
    let mut app = workbench();
    press(&mut app, ":explore port --schedules 20 --jobs 1");
    let Effect::Search(job) = app.key(super::named(super::KeyCode::Enter)) else {
        panic!("explore searches: {:?}", app.message)
    };
    let id = job.id;
    let (sender, news) = std::sync::mpsc::channel();
    Searcher::new(move |id, what| sender.send((id, what)).is_ok()).start(*job);
    while app.search.as_ref().unwrap().goes_on() {
        let (of, what) = news.recv().unwrap();
        assert_eq!(of, id);
        app.search_news(id, what);
    }
    let search = app.search.as_mut().unwrap();
    let at = search.findings.iter().position(|f| f.told.oracle == "race");
    let at = at.expect("nobody orders the list and the release");
    search.select_at(search.at.tally.groups.len() + at);
    let told = search.finding().unwrap().told.clone();
    let Effect::Start(job) = app.key(super::named(super::KeyCode::Enter)) else {
        panic!("Enter opens it: {:?}", app.message)
    };
    let news = carry_out(&job, &|_| true).unwrap().unwrap();
    app.reply(Reply { id: job.id, news });
    let state = app.trace.as_ref().unwrap();
    let why = &state.trace.report.why;
    for (step, place) in why.iter().zip(&told.places) {
        assert_eq!(
            (step.at.to_string(), step.core),
            (place.at.clone(), place.core)
        );
        assert_eq!(step.verb, "race");
    }
    assert_eq!(state.why + 1, told.places.len());
    assert_eq!(state.focus.at, why[state.why].at);
    app.view = View::Trace;
    shows_all(
        "a finding",
        &app,
        (100, 40),
        &["race", &told.what[..20], "port/lib.rs:"],
    );
}
