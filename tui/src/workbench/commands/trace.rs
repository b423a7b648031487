//! Commands of the trace.

use emu::report::markdown;
use emu::travel::{Direction, Motion};
use ratatui::crossterm::event::KeyCode;

use super::super::app::View;
use super::super::keys::{Key, letter, named};
use super::super::trace::Pane;
use super::{Args, Command, FILE, Group, PLAIN};

/// See the module.
pub const GROUP: Group = Group {
    title: "In the trace",
    commands: COMMANDS,
};

const HERE: &[View] = &[View::Trace];

const COMMANDS: &[Command] = &[
    Command {
        id: "next-row",
        help: "go down in the pane; in why and events, to that moment",
        hint: "move",
        keys: &[named(KeyCode::Down), letter('j')],
        views: HERE,
        act: |app, _| app.move_in_pane(1),
        ..PLAIN
    },
    Command {
        id: "previous-row",
        help: "go up in the pane",
        keys: &[named(KeyCode::Up), letter('k')],
        views: HERE,
        act: |app, _| app.move_in_pane(-1),
        ..PLAIN
    },
    Command {
        id: "next-page",
        help: "go down ten rows in the pane",
        keys: &[named(KeyCode::PageDown)],
        views: HERE,
        act: |app, _| app.move_in_pane(10),
        ..PLAIN
    },
    Command {
        id: "previous-page",
        help: "go up ten rows in the pane",
        keys: &[named(KeyCode::PageUp)],
        views: HERE,
        act: |app, _| app.move_in_pane(-10),
        ..PLAIN
    },
    Command {
        id: "follow",
        help: "go to the moment of the selected row",
        keys: &[named(KeyCode::Enter)],
        views: HERE,
        act: |app, _| app.follow(),
        ..PLAIN
    },
    Command {
        id: "next-pane",
        help: "give the next pane the focus",
        hint: "pane",
        keys: &[named(KeyCode::Tab)],
        views: HERE,
        act: |app, _| app.turn_pane(1),
        ..PLAIN
    },
    Command {
        id: "previous-pane",
        help: "give the pane before the focus",
        keys: &[named(KeyCode::BackTab)],
        views: HERE,
        act: |app, _| app.turn_pane(-1),
        ..PLAIN
    },
    Command {
        id: "pane",
        help: "give the pane of this name or number the focus",
        keys: &[Key::Digit('0')],
        views: HERE,
        args: Some(&Args {
            form: "PANE",
            required: true,
            complete: |_, _| {
                Pane::all()
                    .iter()
                    .map(|pane| pane.name().to_owned())
                    .collect()
            },
        }),
        act: |app, words| app.focus_pane(words),
        ..PLAIN
    },
    Command {
        id: "zoom-pane",
        help: "show the pane alone, or all panes again",
        hint: "zoom",
        keys: &[letter('z')],
        views: HERE,
        act: |app, _| app.zoom_pane(),
        ..PLAIN
    },
    Command {
        id: "step",
        help: "execute one instruction of the core",
        hint: "step",
        keys: &[letter('s')],
        views: HERE,
        act: |app, _| app.walk(Motion::Instruction, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "step-back",
        help: "one instruction of the core back",
        keys: &[letter('S')],
        views: HERE,
        act: |app, _| app.walk(Motion::Instruction, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "over",
        help: "the same, calls as a whole",
        keys: &[letter('n')],
        views: HERE,
        act: |app, _| app.walk(Motion::Over, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "over-back",
        help: "the same back",
        keys: &[letter('N')],
        views: HERE,
        act: |app, _| app.walk(Motion::Over, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "line",
        help: "go to the next source line of the function",
        keys: &[letter('l')],
        views: HERE,
        act: |app, _| app.walk(Motion::Line, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "line-back",
        help: "go to the line before",
        keys: &[letter('L')],
        views: HERE,
        act: |app, _| app.walk(Motion::Line, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "out",
        help: "go to where the function returns",
        keys: &[letter('o')],
        views: HERE,
        act: |app, _| app.walk(Motion::Out, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "out-back",
        help: "go to where it was called",
        keys: &[letter('O')],
        views: HERE,
        act: |app, _| app.walk(Motion::Out, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "next-event",
        help: "go to the next event",
        hint: "event",
        keys: &[letter('e'), named(KeyCode::Right)],
        views: HERE,
        act: |app, _| app.walk(Motion::Event, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-event",
        help: "go to the event before",
        keys: &[letter('E'), named(KeyCode::Left)],
        views: HERE,
        act: |app, _| app.walk(Motion::Event, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "next-on-core",
        help: "go to the next event of the same core",
        keys: &[letter('.')],
        views: HERE,
        act: |app, _| app.walk(Motion::CoreEvent, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-on-core",
        help: "go to the event before of the same core",
        keys: &[letter(',')],
        views: HERE,
        act: |app, _| app.walk(Motion::CoreEvent, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "next-deviation",
        help: "go to the next choice that the schedule decides",
        hint: "decision",
        keys: &[letter('d')],
        views: HERE,
        act: |app, _| app.walk(Motion::Deviation, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-deviation",
        help: "go to the one before",
        keys: &[letter('D')],
        views: HERE,
        act: |app, _| app.walk(Motion::Deviation, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "fork",
        help: "decide differently at this choice, and run",
        hint: "fork",
        keys: &[letter('f')],
        views: HERE,
        act: |app, _| app.fork(),
        ..PLAIN
    },
    Command {
        id: "next-choice",
        help: "go to the next choice of any kind",
        keys: &[letter('x')],
        views: HERE,
        act: |app, _| app.walk(Motion::Choice, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-choice",
        help: "go to the choice before",
        keys: &[letter('X')],
        views: HERE,
        act: |app, _| app.walk(Motion::Choice, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "next-write",
        help: "go to the next write of the datum",
        hint: "write",
        keys: &[letter('w')],
        views: HERE,
        act: |app, _| app.walk(Motion::Write, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-write",
        help: "go to the write before",
        keys: &[letter('W')],
        views: HERE,
        act: |app, _| app.walk(Motion::Write, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "next-touch",
        help: "go to the next access to the datum",
        keys: &[letter('t')],
        views: HERE,
        act: |app, _| app.walk(Motion::Touch, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "previous-touch",
        help: "go to the access before",
        keys: &[letter('T')],
        views: HERE,
        act: |app, _| app.walk(Motion::Touch, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "continue",
        help: "run to the next breakpoint, or the end",
        hint: "run",
        keys: &[letter('c')],
        views: HERE,
        act: |app, _| app.walk(Motion::Run, Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "continue-back",
        help: "run back to a breakpoint, or the start",
        keys: &[letter('C')],
        views: HERE,
        act: |app, _| app.walk(Motion::Run, Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "go",
        help: "go to a moment: 7:12, choice 7, 50%, start, booted or end",
        keys: &[letter('g')],
        views: HERE,
        args: Some(&Args {
            form: "MOMENT",
            required: true,
            complete: |_, _| ["start", "booted", "end", "50%"].map(String::from).to_vec(),
        }),
        act: |app, words| app.go_to(words),
        ..PLAIN
    },
    Command {
        id: "start",
        help: "go to the first moment",
        keys: &[named(KeyCode::Home)],
        views: HERE,
        act: |app, _| app.go_to(&["start".to_owned()]),
        ..PLAIN
    },
    Command {
        id: "end",
        help: "go to the last moment",
        keys: &[named(KeyCode::End), letter('G')],
        views: HERE,
        act: |app, _| app.go_to(&["end".to_owned()]),
        ..PLAIN
    },
    Command {
        id: "history-back",
        help: "go back to where the focus was",
        keys: &[letter('[')],
        views: HERE,
        act: |app, _| app.revisit(Direction::Backward),
        ..PLAIN
    },
    Command {
        id: "history-forward",
        help: "go forward again",
        keys: &[letter(']')],
        views: HERE,
        act: |app, _| app.revisit(Direction::Forward),
        ..PLAIN
    },
    Command {
        id: "next-core",
        help: "look at the next core at the same moment",
        keys: &[letter('>')],
        views: HERE,
        act: |app, _| app.look_at_core(1),
        ..PLAIN
    },
    Command {
        id: "previous-core",
        help: "look at the core before at the same moment",
        keys: &[letter('<')],
        views: HERE,
        act: |app, _| app.look_at_core(-1),
        ..PLAIN
    },
    Command {
        id: "take",
        help: "select the memory of the selected row as the datum",
        keys: &[letter('y')],
        views: HERE,
        act: |app, _| app.take_datum(),
        ..PLAIN
    },
    Command {
        id: "datum",
        help: "select memory as the datum",
        views: HERE,
        args: Some(&Args {
            form: "ADDRESS [LENGTH]",
            required: true,
            complete: |_, _| Vec::new(),
        }),
        act: |app, words| app.select_datum(words),
        ..PLAIN
    },
    Command {
        id: "breakpoint",
        help: "set a breakpoint here or at a line, or take it away",
        keys: &[letter('p')],
        views: HERE,
        args: Some(&Args {
            form: "[FILE:LINE]",
            required: false,
            complete: |app, _| {
                let trace = app.trace.as_ref().map(|state| &state.trace);
                trace.map_or_else(Vec::new, |trace| trace.lines.keys().cloned().collect())
            },
        }),
        act: |app, words| app.toggle_breakpoint(words),
        ..PLAIN
    },
    Command {
        id: "note",
        help: "note something about this moment",
        keys: &[letter('m')],
        views: HERE,
        args: Some(&Args {
            form: "TEXT",
            required: true,
            complete: |_, _| Vec::new(),
        }),
        act: |app, words| app.note(words),
        ..PLAIN
    },
    Command {
        id: "save",
        help: "write the schedule of the run to a new file",
        views: HERE,
        args: Some(&FILE),
        act: |app, words| app.write(words, |state| state.trace.schedule.clone()),
        ..PLAIN
    },
    Command {
        id: "story",
        help: "write the story of the run to a new file, as Markdown",
        views: HERE,
        args: Some(&FILE),
        act: |app, words| app.write(words, |state| markdown::render(&state.trace.report)),
        ..PLAIN
    },
    Command {
        id: "zoom-in",
        help: "show fewer events in a cell of the timeline",
        keys: &[letter('+')],
        views: HERE,
        act: |app, _| app.zoom_time(1),
        ..PLAIN
    },
    Command {
        id: "zoom-out",
        help: "show more events in a cell of the timeline",
        keys: &[letter('-')],
        views: HERE,
        act: |app, _| app.zoom_time(-1),
        ..PLAIN
    },
    Command {
        id: "screen",
        help: "show the stop screen again",
        keys: &[letter('v')],
        views: HERE,
        act: |app, _| app.show_screen(),
        ..PLAIN
    },
];
