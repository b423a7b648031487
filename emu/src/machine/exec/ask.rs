//! A choice: the strategy is asked, and what it answers is recorded.

use super::super::Machine;
use crate::choice::{Action, Choice, Strategy};
use crate::trace::EventKind;

impl Machine {
    /// Asks the strategy; records the answer.
    pub(super) fn answer(&mut self, options: &[Action]) -> usize {
        let current = self.state.current;
        let number = self.state.choices + 1;
        let announced = self.decider.announced;
        let taken = self.with_strategy(|strategy, m| {
            strategy.choose(&Choice {
                number,
                options,
                current,
                announced,
                view: m,
            })
        });
        let taken = taken.min(options.len() - 1);
        self.state.choices = number;
        self.state.choice_at = self.engine.retired();
        self.engine.mark_choice();
        if self.recorder.keeps() {
            self.questions.push(options, taken, current);
        }
        if taken != 0 {
            self.decider.moves.push((number, taken as u32));
            let label = match options[taken] {
                Action::Strike(rule) => match self.setup.plan.faults.get(usize::from(rule)) {
                    Some(rule) => format!("{} strikes", rule.kind),
                    None => options[taken].words(current),
                },
                action => action.words(current),
            };
            let (options, taken) = (options.len() as u32, taken as u32);
            self.event(
                usize::from(current),
                EventKind::Choice {
                    options,
                    taken,
                    label,
                },
            );
        }
        taken
    }

    /// A choice inside the kernel's own work: does the fault of rule `rule` strike this core here? One
    /// of `options` answers, the last one, is that it does.
    pub fn strikes(&mut self, core: usize, rule: u16, options: u32) -> bool {
        if !self.state.choosing {
            return false;
        }
        let spare = options.max(2) as usize - 1;
        let mut all = vec![Action::Spare; spare];
        all.push(Action::Strike(rule));
        self.decider.struck = Some(core as u8);
        let taken = self.answer(&all);
        self.decider.struck = None;
        taken == spare
    }

    /// The core that the choice at hand is about.
    pub(in crate::machine) fn asked_about(&self) -> usize {
        usize::from(self.decider.struck.unwrap_or(self.state.current))
    }

    /// Lends the strategy to who also needs the machine.
    pub(super) fn with_strategy<T>(
        &mut self,
        what: impl FnOnce(&mut dyn Strategy, &Machine) -> T,
    ) -> T {
        let mut strategy = self.decider.strategy.take().expect("a run has a strategy");
        let result = what(&mut *strategy, self);
        self.decider.strategy = Some(strategy);
        result
    }
}
