//! Where a step leads. Every motion has its mirror image: what it does forwards, it does backwards.

use std::collections::BTreeSet;

use super::Record;
use crate::position::Position;
use crate::trace::EventKind;

/// A stretch of memory that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datum {
    /// First address.
    pub address: u64,
    /// Bytes, at least 1.
    pub length: u64,
}

impl Datum {
    /// Whether an access of so many bytes touches it. The last address of the address space is one
    /// like any other.
    pub fn is_touched(self, address: u64, bytes: u64) -> bool {
        let behind = |from: u64, at: u64, length: u64| at.wrapping_sub(from) < length;
        behind(self.address, address, self.length) || behind(address, self.address, bytes)
    }
}

/// What all panes are about: a moment of the run, a core, and a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The moment.
    pub at: Position,
    /// The core that is looked at.
    pub core: u8,
    /// The event that is looked at, by index; of those at one position one is.
    pub event: Option<usize>,
    /// The memory that is looked at.
    pub datum: Option<Datum>,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the end of the run.
    Forward,
    /// Towards its beginning.
    Backward,
}

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// One instruction of the core.
    Instruction,
    /// One instruction of who runs on the core, calls as a whole, whatever else happens meanwhile.
    Over,
    /// To where the function returns; backwards, to where it was called.
    Out,
    /// To another source line of the same function, or out of it.
    Line,
    /// One event of any core.
    Event,
    /// One event of the core.
    CoreEvent,
    /// One choice.
    Choice,
    /// One choice at which something else happened than would by itself.
    Deviation,
    /// To where the datum is written.
    Write,
    /// To where the datum is read or written.
    Touch,
    /// To a breakpoint, or the end of the run.
    Run,
}

/// A place to go to, as one writes it: `1842:17`, `1842`, `50%`, `start`, `booted`,
/// `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// A position.
    Position(Position),
    /// A share of the instructions of the run, from 0 to 1.
    Share(f64),
    /// The first moment: before the first `DriverEntry`.
    Start,
    /// The end of the boot, when the workload begins.
    Booted,
    /// The last one.
    End,
}

impl std::str::FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Goal, String> {
        let wrong = || {
            format!(
                "'{text}' is no moment; write CHOICE:STEP, CHOICE, a share like 50%, start, booted or \
                 end"
            )
        };
        match text.trim() {
            "start" => return Ok(Goal::Start),
            "booted" => return Ok(Goal::Booted),
            "end" => return Ok(Goal::End),
            _ => {}
        }
        if let Some(share) = text.trim().strip_suffix('%') {
            let share: f64 = share.trim().parse().map_err(|_| wrong())?;
            return match (0.0..=100.0).contains(&share) {
                true => Ok(Goal::Share(share / 100.0)),
                false => Err(wrong()),
            };
        }
        if let Ok(choice) = text.trim().parse() {
            return Ok(Goal::Position(Position { choice, step: 0 }));
        }
        text.trim().parse().map(Goal::Position).map_err(|_| wrong())
    }
}

impl Record {
    /// The focus at the end of the run: on the core and the event that ended it.
    pub fn focus_at_end(&self) -> Focus {
        let event = self.events().len().checked_sub(1);
        let at = self.last();
        let core = event.map_or(0, |i| self.events()[i].core);
        let at = event.map_or(at, |i| at.max(self.events()[i].at));
        Focus {
            at,
            core,
            event,
            datum: None,
        }
    }

    /// The focus at a goal.
    pub fn focus_on(&self, from: Focus, goal: Goal) -> Focus {
        let at = match goal {
            Goal::Position(at) => self.clamp(at),
            Goal::Start => self.first(),
            Goal::Booted => self.booted(),
            Goal::End => {
                return Focus {
                    datum: from.datum,
                    ..self.focus_at_end()
                };
            }
            Goal::Share(share) => {
                let retired = (self.path().len() as f64 * share).round() as u64;
                self.moment(retired)
            }
        };
        // The core that acts there.
        let next = self.path().get(self.retired(at) as usize);
        Focus {
            at,
            core: next.map_or(from.core, |(core, _)| *core),
            event: self.event_behind(at).checked_sub(1),
            datum: from.datum,
        }
    }

    /// The focus on an event.
    pub fn focus_on_event(&self, from: Focus, event: usize) -> Focus {
        let e = &self.events()[event];
        Focus {
            at: e.at,
            core: e.core,
            event: Some(event),
            datum: from.datum,
        }
    }

    /// Where a motion leads; `None` if there is nothing more that way.
    pub fn go(
        &self,
        from: Focus,
        motion: Motion,
        direction: Direction,
        breakpoints: &BTreeSet<u64>,
    ) -> Option<Focus> {
        let forward = direction == Direction::Forward;
        match motion {
            Motion::Event | Motion::CoreEvent => {
                let core = (motion == Motion::CoreEvent).then_some(from.core);
                self.event_step(from, core, forward)
            }
            Motion::Choice => self.choice_step(from, forward),
            Motion::Deviation => self.deviation_step(from, forward),
            Motion::Run => {
                let retired = self.retired(from.at) as usize;
                let hits = breakpoints.iter().filter_map(|&pc| {
                    let all = self.executions(pc);
                    let before = |count: usize| all.partition_point(|&i| (i as usize) < count);
                    match forward {
                        true => all.get(before(retired + 1)),
                        false => all.get(before(retired).checked_sub(1)?),
                    }
                });
                let found = match forward {
                    true => hits.min(),
                    false => hits.max(),
                };
                match found {
                    Some(&index) => Some(self.at_instruction(from, index as usize)),
                    None => {
                        let goal = if forward { Goal::End } else { Goal::Start };
                        Some(self.focus_on(from, goal)).filter(|to| to.at != from.at)
                    }
                }
            }
            Motion::Write | Motion::Touch => self.access_step(from, motion, forward),
            Motion::Instruction => {
                let retired = self.retired(from.at);
                match forward {
                    true => {
                        let next = self.next_on_core(from.core, retired)?;
                        Some(self.behind_instruction(from, next))
                    }
                    false => {
                        let last = self.last_on_core(from.core, retired)?;
                        Some(self.at_instruction(from, last))
                    }
                }
            }
            Motion::Over | Motion::Out | Motion::Line => self.call_step(from, motion, forward),
        }
    }

    /// Just before the instruction at that index of the path.
    fn at_instruction(&self, from: Focus, index: usize) -> Focus {
        let at = self.moment(index as u64);
        Focus {
            at,
            core: self.path()[index].0,
            event: self.event_behind(at).checked_sub(1),
            datum: from.datum,
        }
    }

    /// Just behind it.
    fn behind_instruction(&self, from: Focus, index: usize) -> Focus {
        let at = self.moment(index as u64 + 1);
        Focus {
            at,
            core: from.core,
            event: self.event_behind(at).checked_sub(1),
            datum: from.datum,
        }
    }

    fn event_step(&self, from: Focus, core: Option<u8>, forward: bool) -> Option<Focus> {
        let events = self.events();
        // The event of the focus, if the focus is still where it happened.
        let here = from.event.filter(|&i| events[i].at == from.at);
        let to = match forward {
            true => {
                let next = here.map_or_else(|| self.event_behind(from.at), |i| i + 1);
                match core {
                    Some(core) => self.next_event(core, next),
                    None => Some(next).filter(|&next| next < events.len()),
                }
            }
            false => {
                let before = here.unwrap_or_else(|| self.event_from(from.at));
                match core {
                    Some(core) => self.last_event(core, before),
                    None => before.checked_sub(1),
                }
            }
        };
        to.map(|event| self.focus_on_event(from, event))
    }

    fn choice_step(&self, from: Focus, forward: bool) -> Option<Focus> {
        let here = from.at.choice;
        let to = match forward {
            true => Some(here + 1).filter(|&next| next <= self.choices()),
            // From within the steps behind a choice, back to the choice itself.
            false if from.at.step > 0 => Some(here),
            false => here.checked_sub(1),
        };
        self.at_choice(from, to.filter(|&choice| choice > 0)?)
    }

    /// The moves of the schedule are where something else happened than would by itself.
    fn deviation_step(&self, from: Focus, forward: bool) -> Option<Focus> {
        let moves = &self.ended.moves.0;
        let here = from.at.choice;
        let to = match forward {
            true => moves.get(moves.partition_point(|&(number, _)| number <= here)),
            false => {
                let own = u64::from(from.at.step > 0);
                let before = moves.partition_point(|&(number, _)| number < here + own);
                moves.get(before.checked_sub(1)?)
            }
        };
        self.at_choice(from, to?.0)
    }

    fn at_choice(&self, from: Focus, choice: u64) -> Option<Focus> {
        let at = Position { choice, step: 0 };
        Some(self.focus_on(from, Goal::Position(at)))
    }

    fn access_step(&self, from: Focus, motion: Motion, forward: bool) -> Option<Focus> {
        let datum = from.datum?;
        let log = self.accesses();
        let retired = self.retired(from.at);
        let wanted = |&i: &usize| {
            let a = &log[i];
            let kind = a.write || motion == Motion::Touch;
            kind && datum.is_touched(a.address, u64::from(a.width))
        };
        // An access's count includes its own instruction.
        let index = match forward {
            true => {
                let next = log.partition_point(|a| a.retired <= retired + 1);
                (next..log.len()).find(wanted)
            }
            false => {
                let before = log.partition_point(|a| a.retired <= retired);
                (0..before).rev().find(wanted)
            }
        };
        let own = index.map(|index| {
            let instruction = (log[index].retired - 1) as usize;
            let core = log[index].core;
            Focus {
                core,
                ..self.at_instruction(from, instruction)
            }
        });
        let stores = self.kernel_stores();
        let touched = |&i: &usize| datum.is_touched(stores[i].address, stores[i].length);
        let kernel = match forward {
            true => {
                let next = stores.partition_point(|store| store.at <= from.at);
                (next..stores.len()).find(touched)
            }
            false => {
                let before = stores.partition_point(|store| store.at < from.at);
                (0..before).rev().find(touched)
            }
        };
        let kernel = kernel.map(|i| Focus {
            at: stores[i].at,
            core: stores[i].core,
            event: self.event_behind(stores[i].at).checked_sub(1),
            datum: from.datum,
        });
        // At one position the kernel's comes first: the instruction is still to be executed.
        let both = kernel.into_iter().chain(own);
        match forward {
            true => both.min_by_key(|to| to.at),
            false => both.max_by_key(|to| to.at),
        }
    }

    /// Steps that know calls from other instructions. They follow who runs on the core, not the
    /// core: what interrupts it is not walked through.
    fn call_step(&self, from: Focus, motion: Motion, forward: bool) -> Option<Focus> {
        let retired = self.retired(from.at);
        let next = self.next_on_core(from.core, retired);
        let here = match forward {
            true => next?,
            false => next.or_else(|| self.last_on_core(from.core, retired))?,
        };
        let (strand, at) = self.strand(here);
        let pc = |i: usize| self.path()[strand[i] as usize].1;
        let depth = |i: usize| self.depth(strand[i] as usize);
        let (level, line) = (depth(at), self.line(pc(at)));
        let wanted = |&i: &usize| match motion {
            Motion::Out => depth(i) < level,
            Motion::Line => depth(i) < level || depth(i) == level && self.line(pc(i)) != line,
            _ => depth(i) <= level,
        };
        let to = match forward {
            true => (at + 1..strand.len()).find(wanted),
            false => (0..at).rev().find(wanted),
        };
        match to {
            Some(to) => Some(self.at_instruction(from, strand[to] as usize)),
            // The run ends inside the call.
            None if forward => Some(self.focus_on(from, Goal::End)).filter(|to| to.at != from.at),
            None => None,
        }
    }

    /// The source line of an address.
    fn line(&self, pc: u64) -> Option<(String, u32)> {
        let frame = self.source(pc)?;
        Some((frame.file, frame.line))
    }

    /// What a choice event of the focus is about, by number; 0 before the first.
    pub fn choice_of(&self, focus: Focus) -> u64 {
        let event = focus.event.map(|i| &self.events()[i]);
        match event.map(|e| (&e.kind, e.at)) {
            Some((EventKind::Choice { .. }, at)) if at == focus.at => at.choice,
            _ => focus.at.choice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Datum;

    #[test]
    fn a_datum_is_touched_by_what_overlaps_it() {
        let datum = |address, length| Datum { address, length };
        let cases = [
            (datum(16, 8), (16, 8), true),
            (datum(16, 8), (12, 4), false),
            (datum(16, 8), (12, 5), true),
            (datum(16, 8), (23, 1), true),
            (datum(16, 8), (24, 1), false),
            // Neither end of the address space is a special case.
            (datum(u64::MAX, 8), (u64::MAX, 1), true),
            (datum(u64::MAX - 7, 8), (u64::MAX - 3, 4), true),
            (datum(u64::MAX - 7, 8), (0, 4), false),
        ];
        for (datum, (address, bytes), touched) in cases {
            let found = datum.is_touched(address, bytes);
            assert_eq!(found, touched, "{datum:?} by {bytes} bytes at {address}");
        }
    }
}
