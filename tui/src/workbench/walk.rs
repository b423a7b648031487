//! What the commands do to the trace: walking it, looking at it, deciding differently.

use emu::choice::Moves;
use emu::position::Position;
use emu::travel::{Datum, Direction, Goal, Motion};

use super::app::{App, Content, Effect, Fork};
use super::trace::{Pane, TraceState};
use super::worker::{Beside, CaseChoice, Task};

impl App {
    /// Changes the trace, if there is one; what it says is shown.
    fn with_trace(&mut self, change: impl FnOnce(&mut TraceState) -> Result<(), String>) -> Effect {
        match self.trace.as_mut().map(change) {
            Some(Err(why)) => Effect::Refuse(why),
            _ => Effect::None,
        }
    }

    /// The same for what always works.
    fn change_trace(&mut self, change: impl FnOnce(&mut TraceState)) -> Effect {
        self.with_trace(|trace| {
            change(trace);
            Ok(())
        })
    }

    /// The same for what has something to say.
    fn ask_trace(
        &mut self,
        change: impl FnOnce(&mut TraceState) -> Result<String, String>,
    ) -> Effect {
        match self.trace.as_mut().map(change) {
            Some(Ok(text)) => {
                self.message = Some(text);
                Effect::None
            }
            Some(Err(why)) => Effect::Refuse(why),
            None => Effect::None,
        }
    }

    pub(super) fn walk(&mut self, motion: Motion, direction: Direction) -> Effect {
        self.with_trace(|trace| trace.walk(motion, direction))
    }

    /// Goes to the moment that the words name; without words they are asked for.
    pub(super) fn go_to(&mut self, words: &[String]) -> Effect {
        match words {
            [] => self.open_line("go ".into()),
            [word] => match word.parse::<Goal>() {
                Ok(goal) => self.with_trace(|trace| trace.go_to(goal)),
                Err(why) => Effect::Refuse(why),
            },
            _ => Effect::Refuse("mend: write one moment, for example go 50%".into()),
        }
    }

    pub(super) fn revisit(&mut self, direction: Direction) -> Effect {
        self.with_trace(|trace| trace.revisit(direction))
    }

    pub(super) fn look_at_core(&mut self, by: i8) -> Effect {
        self.change_trace(|trace| {
            let cpus = i16::from(trace.trace.report.run.cpus.max(1));
            let core = (i16::from(trace.focus.core) + i16::from(by)).rem_euclid(cpus);
            trace.look_at_core(core as u8);
        })
    }

    /// At the line that the words name, or at the instruction that is shown.
    pub(super) fn toggle_breakpoint(&mut self, words: &[String]) -> Effect {
        match words {
            [] => self.ask_trace(TraceState::toggle_breakpoint),
            [line] => self.ask_trace(|trace| trace.break_at_line(line)),
            _ => Effect::Refuse(
                "mend: write one line, for example breakpoint nat/reset.rs:97".into(),
            ),
        }
    }

    pub(super) fn follow(&mut self) -> Effect {
        self.with_trace(TraceState::follow)
    }

    pub(super) fn take_datum(&mut self) -> Effect {
        self.ask_trace(TraceState::take_datum)
    }

    /// Selects the memory that the words name: an address in hexadecimal, and a length in bytes.
    pub(super) fn select_datum(&mut self, words: &[String]) -> Effect {
        let hex = |word: &String| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok();
        let datum = match words {
            [address] => hex(address).map(|address| Datum { address, length: 8 }),
            [address, length] => match (hex(address), length.parse()) {
                (Some(address), Ok(length @ 1..=65536)) => Some(Datum { address, length }),
                _ => None,
            },
            _ => None,
        };
        match datum {
            Some(datum) => self.change_trace(|trace| trace.select_datum(Some(datum))),
            None => Effect::Refuse(
                "mend: write an address in hexadecimal and a length in bytes, for example datum \
                 fffffadf98001000 8"
                    .into(),
            ),
        }
    }

    /// Writes something about the trace into the file that the words name.
    pub(super) fn write(&mut self, words: &[String], text: fn(&TraceState) -> String) -> Effect {
        match (words, &self.trace) {
            ([file], Some(state)) => Effect::Write(file.into(), Content::Text(text(state))),
            (_, None) => Effect::Refuse("nothing has run yet".into()),
            _ => Effect::Refuse("mend: write the name of one file".into()),
        }
    }

    pub(super) fn note(&mut self, words: &[String]) -> Effect {
        match words {
            [] => self.open_line("note ".into()),
            _ => self.change_trace(|trace| trace.note(words.join(" "))),
        }
    }

    /// Starts a run that differs from the one that is shown, to be put beside it.
    pub(super) fn start_fork(
        &mut self,
        case: CaseChoice,
        task: Task,
        fork: Fork,
        beside: Beside,
    ) -> Effect {
        let effect = self.start(case, task, None);
        if let Some(running) = &mut self.running {
            running.fork = Some(fork);
        }
        effect.beside(beside)
    }

    /// Runs the schedule up to the choice at the focus again, with another decision there.
    pub(super) fn fork(&mut self) -> Effect {
        let Some(state) = &self.trace else {
            return Effect::None;
        };
        let (choice, option) = match state.selected_option() {
            Ok(found) => found,
            Err(why) => return Effect::Refuse(why),
        };
        let Some(record) = &state.trace.record else {
            return Effect::None;
        };
        let before = record
            .ended
            .moves
            .0
            .iter()
            .filter(|(number, _)| *number < choice);
        let mut moves: Vec<(u64, u32)> = before.copied().collect();
        if option != 0 {
            moves.push((choice, option as u32));
        }
        let run = &state.trace.report.run;
        let task = Task::Moves {
            moves: Moves(moves),
            strategy: run.strategy.clone(),
            seed: run.seed,
            finding: None,
            best_effort: false,
        };
        let was = super::trace::end(&state.trace.report.stop);
        let beside = Beside::Run(state.trace.clone(), format!("the run before, {was}"));
        let fork = Fork {
            at: Position { choice, step: 0 },
            header: "fork".to_owned(),
            said: format!("decided differently at choice {choice}"),
        };
        self.start_fork(self.case.clone(), task, fork, beside)
    }

    pub(super) fn move_in_pane(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.move_in_pane(by))
    }

    pub(super) fn turn_pane(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.turn_pane(by))
    }

    /// Gives the pane of this name or number the focus; a digit that is no number of a pane does
    /// nothing.
    pub(super) fn focus_pane(&mut self, words: &[String]) -> Effect {
        match words {
            [word] => match Pane::find(word) {
                Some(pane) => self.change_trace(|trace| trace.focus_pane(pane)),
                None if word.parse::<u64>().is_ok() => Effect::None,
                None => Effect::Refuse(format!("there is no pane '{word}'\nmend: Tab shows them")),
            },
            _ => Effect::Refuse("mend: write the name or the number of a pane".into()),
        }
    }

    /// Goes to an event that was pointed to on the lanes.
    pub(super) fn go_to_event(&mut self, event: usize) {
        self.change_trace(|trace| {
            trace.focus_pane(Pane::Timeline);
            trace.go_to_event(event);
        });
    }

    /// Selects a row of the pane with this number; follows the one that is selected already.
    pub(super) fn select_row(&mut self, pane: usize, row: usize) -> Effect {
        let Some(pane) = Pane::all().get(pane.wrapping_sub(1)).copied() else {
            return Effect::None;
        };
        self.with_trace(|trace| trace.select_row(pane, row))
    }

    pub(super) fn zoom_pane(&mut self) -> Effect {
        self.change_trace(|trace| trace.zoomed = !trace.zoomed)
    }

    pub(super) fn zoom_time(&mut self, by: isize) -> Effect {
        self.change_trace(|trace| trace.zoom_time(by))
    }
}
