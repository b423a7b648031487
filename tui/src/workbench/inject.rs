//! A fault at the moment that is looked at: the run again with it, beside the run without.

use emu::choice::Moves;
use emu::faults::KINDS;
use emu::position::Position;
use emu::scenario::fault_from;

use super::app::{App, Effect, Fork};
use super::worker::{Beside, Task};
use crate::suggest;

impl App {
    /// Makes the run that is shown again with a fault that strikes at the first opportunity from the
    /// focus on, unless the rule says itself when.
    pub(super) fn inject(&mut self, words: &[String]) -> Effect {
        let Some(state) = &self.trace else {
            return Effect::None;
        };
        let Some(record) = &state.trace.record else {
            return Effect::Refuse("this run was not recorded".into());
        };
        let rule = words.join(" ");
        let kind = rule.split(['@', '#', ':']).next().unwrap_or_default();
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        if !known.contains(&kind) {
            let mend = suggest::mend(kind, &known);
            return Effect::Refuse(format!("there is no fault '{kind}'\nmend: {mend}"));
        }
        let at = state.focus.at;
        let (rule, from) = match fault_from(&rule, at) {
            Ok((rule, true)) => (rule, at),
            Ok((rule, false)) => (rule, Position::default()),
            Err(error) => return Effect::Refuse(error.to_string()),
        };
        let mut case = self.case.clone();
        case.selection.faults.push(rule.clone());
        let run = &state.trace.report.run;
        let task = Task::Moves {
            // Before the fault the same choices are asked; behind it the numbers may mean others.
            moves: Moves(record.ended.moves.0.clone()),
            strategy: run.strategy.clone(),
            seed: run.seed,
            finding: None,
            best_effort: true,
        };
        let was = super::trace::end(&state.trace.report.stop);
        let beside = Beside::Run(
            state.trace.clone(),
            format!("the run without {kind}, {was}"),
        );
        let fork = Fork {
            at: from,
            header: kind.to_owned(),
            said: format!("with {rule}"),
        };
        self.start_fork(case, task, fork, beside)
    }
}
