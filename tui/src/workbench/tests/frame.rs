//! What a frame costs: from a key to the bytes for the terminal, on a long run of eight cores.
//!
//! A benchmark, and so not among the tests that are run by themselves; `docs/BENCHMARKS.md` has the
//! call and its numbers.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};

use super::*;
use crate::workbench::guide::look;
use crate::workbench::trace::Pane;
use crate::workbench::worker::{CaseChoice, Job, Task, carry_out};
use emu::choice::strategy;
use emu::machine::Granularity;
use emu::scenario::Selection;

/// The whole way from a key to a frame is to take no longer.
const AIM: Duration = Duration::from_millis(8);
/// The terminal.
const SIZE: Rect = Rect::new(0, 0, 200, 60);
/// Instructions that the run has at least, and events.
const LEAST: usize = 1_000_000;

/// Where a terminal would be.
struct Sink(usize);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The packet path of the NAT router on eight cores, with so many packets that the run has a
/// million instructions and a million events.
fn long_run() -> App {
    let mut app = workbench();
    let case = CaseChoice {
        scenario: "kb931322".into(),
        selection: Selection {
            cpus: Some(8),
            set: vec![
                ("driver".into(), "fixed".into()),
                ("questions".into(), "650".into()),
            ],
            ..Selection::default()
        },
        openness: Granularity::Access.into(),
        source: None,
    };
    let task = Task::Seeds {
        strategy: strategy::find("random").unwrap(),
        first: 1,
        tries: 1,
    };
    let Effect::Start(job) = app.start(case, task, None) else {
        panic!("it starts")
    };
    let begin = Instant::now();
    let news = carry_out(&job as &Job, &|_| true).unwrap().unwrap();
    app.reply(Reply { id: job.id, news });
    let trace = &app.trace.as_ref().expect("it has run").trace;
    let path = trace.record.as_ref().unwrap().path().len();
    println!(
        "run of {path} instructions, {} choices, {} events on 8 cores: made and indexed in {:.1} s",
        trace.report.run.choices,
        trace.moments.len(),
        begin.elapsed().as_secs_f64()
    );
    assert!(path >= LEAST && trace.moments.len() >= LEAST);
    app
}

/// Frames of one kind: what they are, and how long each took.
struct Kind {
    name: String,
    took: Vec<Duration>,
}

#[test]
#[ignore = "a benchmark"]
fn frame() {
    let mut app = long_run();
    let theme = Theme::new(Depth::True, false);
    let mut terminal = Terminal::with_options(
        CrosstermBackend::new(Sink(0)),
        TerminalOptions {
            viewport: Viewport::Fixed(SIZE),
        },
    )
    .unwrap();
    let mut travellers = Vec::new();
    let mut kinds: Vec<Kind> = Vec::new();
    let mut measure = |app: &mut App, name: &str, line: &str, times: usize| {
        let mut took = Vec::new();
        let keys = scripts::keys(line);
        for _ in 0..times {
            for key in &keys {
                let begin = Instant::now();
                app.key(*key);
                terminal
                    .draw(|frame| view::draw(app, &theme, frame))
                    .unwrap();
                took.push(begin.elapsed());
                // What the guide's thread does meanwhile is not waited for, but drawn when it
                // comes.
                while let Some((id, traveller)) = app.next_traveller() {
                    travellers.extend(traveller.map(|traveller| (id, traveller)));
                }
                if let Some(question) = app.question() {
                    let mine = travellers.iter_mut().find(|(id, _)| *id == question.trace);
                    let (id, traveller) = mine.expect("every trace has a machine");
                    let scene = look(traveller, question);
                    let begin = Instant::now();
                    app.scene(*id, scene);
                    terminal
                        .draw(|frame| view::draw(app, &theme, frame))
                        .unwrap();
                    took.push(begin.elapsed());
                }
            }
        }
        match kinds.iter_mut().find(|kind| kind.name == name) {
            Some(kind) => kind.took.append(&mut took),
            None => kinds.push(Kind {
                name: name.to_owned(),
                took,
            }),
        }
    };
    for goal in ["start", "20%", "50%", "80%", "end"] {
        measure(&mut app, "go to a moment", &format!(":go {goal}<Enter>"), 2);
        measure(&mut app, "instructions", "s s S S n N l L o O", 3);
        measure(&mut app, "events", "e E . , > . < Right Left", 3);
        measure(&mut app, "choices", "x X d D", 3);
        measure(&mut app, "history", "[ ]", 3);
        measure(&mut app, "zoom", "1 - - - - - - - - - - - - - - - - -", 1);
        measure(&mut app, "pan, far", "j k PgDn PgUp j k", 2);
        measure(&mut app, "zoom", "+ + + + + + + + + + + + + + + + +", 1);
        measure(&mut app, "pan, near", "j k PgDn PgUp j k", 2);
    }
    for pane in Pane::all() {
        let keys = format!(":pane {}<Enter> j k PgDn PgUp", pane.name());
        measure(&mut app, "panes", &keys, 1);
        measure(&mut app, "panes alone", "z j k z", 1);
    }
    measure(&mut app, "breakpoints", ":go 50%<Enter> p Esc C c C c", 3);
    measure(
        &mut app,
        "datum",
        ":pane memory<Enter> y Esc w W t T W W w w",
        3,
    );
    measure(&mut app, "help, line", "? j j k Esc : z o Tab Esc", 3);

    println!("input to frame at 200x60, in ms: median, 99th of 100, worst of how many");
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut all: Vec<Duration> = Vec::new();
    kinds.iter().for_each(|kind| all.extend(&kind.took));
    kinds.push(Kind {
        name: "all".to_owned(),
        took: all,
    });
    for kind in &mut kinds {
        kind.took.sort();
        let share =
            |part: usize| ms(kind.took[(kind.took.len() * part / 100).min(kind.took.len() - 1)]);
        println!(
            "  {:16} {:6.2} {:6.2} {:6.2} of {}",
            kind.name,
            share(50),
            share(99),
            share(100),
            kind.took.len()
        );
    }
    // The worst of all may be another program's.
    let all = &kinds.last().expect("it has just been added").took;
    let late = all.iter().filter(|took| **took > AIM).count();
    assert!(
        late * 100 <= all.len(),
        "{late} of {} take longer",
        all.len()
    );
}
