//! Rules: what the documentation demands of a driver, checked while the machine runs.
//!
//! A rule is a row of its family's table: a file here for each family, a line in [`RULES`] for each
//! rule. Who could break it calls the family's check, which costs a comparison; only a breach is
//! told here. At level [`Level::Stop`] it ends the run with the bugcheck that Driver
//! Verifier, or the kernel, gives for it. At [`Level::Warn`] it is an event of a recorded run, of
//! which [`findings`] tells, and changes nothing of the run: Driver Verifier is opt-in.

mod finding;
pub mod irp;
pub mod irql;
mod level;
pub mod lock;
pub mod object;
pub(crate) mod order;
pub mod page;
pub mod pool;
mod returns;
mod state;
pub mod time;

pub(crate) use finding::causes;
pub use finding::findings;
pub use level::{ALL, Level, Levels, Unknown};
pub(crate) use returns::{ends, entered, returns, routines};
pub(crate) use state::Checks;

use crate::machine::Machine;
use crate::stop::Stop;
use crate::trace::EventKind;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in scenarios and on the command line: `family-what`.
    pub name: &'static str,
    /// What it demands, in one line.
    pub help: &'static str,
    /// What to do for it, in one line.
    pub mend: &'static str,
    /// The bugcheck of a breach at [`Level::Stop`].
    pub code: u32,
    /// The bugcheck's parameters.
    pub params: [Param; 4],
    /// The public documentation that it rests on.
    pub source: &'static str,
}

/// A parameter of the bugcheck of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// This number: the kind of the breach.
    Is(u64),
    /// What it holds, in words.
    What(&'static str),
    /// 0.
    Unused,
}

use Param::{Is, Unused, What};

impl Rule {
    /// The bugcheck of a breach as text: the code, and the kind of the breach where the first
    /// parameter is one, for example `0xC4/30`.
    pub fn stop(&self) -> String {
        match self.params[0] {
            Is(kind) => format!("{:#04X}/{kind:X}", self.code).replace("0X", "0x"),
            _ => format!("{:#04X}", self.code).replace("0X", "0x"),
        }
    }

    /// The parameters with these values for what is no constant, in order.
    fn filled(&self, values: &[u64]) -> [u64; 4] {
        let mut values = values.iter().copied();
        self.params.map(|param| match param {
            Is(kind) => kind,
            What(_) => values.next().unwrap_or(0),
            Unused => 0,
        })
    }
}

/// Parameters of which the first is a constant.
const fn kind(number: u64, more: [&'static str; 3]) -> [Param; 4] {
    [Is(number), what(more[0]), what(more[1]), what(more[2])]
}

/// A parameter in words; none is unused.
const fn what(words: &'static str) -> Param {
    if words.is_empty() {
        Unused
    } else {
        What(words)
    }
}

/// Every rule, in the order in which they are listed.
pub static RULES: &[&Rule] = &[
    &irql::API,
    &irql::RAISE,
    &irql::LOWER,
    &irql::WAIT,
    &irql::SET_EVENT,
    &irql::DISPATCH_RETURN,
    &irql::COMPLETION_RETURN,
    &irql::DPC_RETURN,
    &irql::WORK_RETURN,
    &irql::RETURN,
    &lock::ACQUIRE_IRQL,
    &lock::RELEASE_IRQL,
    &lock::DPC_ACQUIRE,
    &lock::DPC_RELEASE,
    &lock::RECURSIVE,
    &lock::ORDER,
    &lock::NOT_HELD,
    &lock::HELD_RETURN,
    &lock::THREAD_END,
    &pool::ZERO,
    &pool::PAGED_IRQL,
    &pool::NONPAGED_IRQL,
    &pool::FREE_PAGED_IRQL,
    &pool::FREE_NONPAGED_IRQL,
    &pool::NOT_ALLOCATED,
    &pool::DOUBLE_FREE,
    &pool::TAG,
    &pool::OVERRUN,
    &pool::LEAK,
    &object::TIMER_FREED,
    &object::DPC_FREED,
    &object::WORK_FREED,
    &object::WORK_QUEUED,
    &object::UNLOAD,
    &irp::COMPLETE_IRQL,
    &irp::COMPLETE_PENDING,
    &irp::COMPLETE_TWICE,
    &irp::CANCEL_ROUTINE,
    &irp::NOT_MARKED,
    &irp::MARKED,
    &irp::FORGOTTEN,
    &irp::CALL_IRQL,
    &irp::CALL_TYPE,
    &irp::CALL_DEVICE,
    &irp::FREE_TYPE,
    &page::CODE,
    &page::DATA,
    &time::DPC,
    &time::LOCK,
];

/// The rule of that name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name).copied()
}

/// A rule is broken here.
pub(crate) struct Breach<'a> {
    /// Which.
    pub rule: &'static Rule,
    /// The values of the parameters that are no constants, in order.
    pub values: &'a [u64],
    /// Address of what it is about, of which the record may tell more; 0 for nothing.
    pub object: u64,
    /// The code that is to blame, where it is not the kernel call in progress.
    pub pc: Option<u64>,
    /// What was done, in words.
    pub what: String,
}

/// Tells of a breach; ends the run if the rule is set to.
///
/// # Errors
/// The stop.
pub(crate) fn broken(m: &mut Machine, core: usize, breach: Breach<'_>) -> Result<(), Box<Stop>> {
    let Breach {
        rule,
        values,
        object,
        pc,
        what,
    } = breach;
    let level = m.setup.plan.rules.of(rule);
    if level == Level::Off {
        return Ok(());
    }
    let pc = pc.unwrap_or_else(|| m.caller_address(core));
    let params = rule.filled(values);
    if m.recorder.keeps() {
        let (rule, code) = (rule.name, rule.code);
        let kind = EventKind::Broken {
            rule,
            code,
            params,
            object,
            what,
        };
        m.event_from(core, pc, kind);
    }
    match level {
        Level::Stop => Err(Box::new(m.bugcheck_from(core, rule.code, params, pc))),
        Level::Warn | Level::Off => Ok(()),
    }
}

/// A breach by the kernel call in progress.
pub(crate) fn by_call(
    m: &mut Machine,
    core: usize,
    rule: &'static Rule,
    values: &[u64],
    object: u64,
    what: impl Into<String>,
) -> Result<(), Box<Stop>> {
    let breach = Breach {
        rule,
        values,
        object,
        pc: None,
        what: what.into(),
    };
    broken(m, core, breach)
}

/// What a driver must not leave behind when its image leaves memory.
pub(crate) const LEFT_BEHIND: [&Rule; 2] = [&pool::LEAK, &object::UNLOAD];

/// The rule whose breach ended a run, if one did and the run was recorded.
pub fn ended_by(m: &Machine) -> Option<&'static Rule> {
    let mut events = m.recorder.events().iter().rev();
    let stop = events.next().map(|e| &e.kind);
    match (stop, events.next().map(|e| &e.kind)) {
        (Some(EventKind::Bugcheck { .. }), Some(EventKind::Broken { rule, .. })) => {
            find(rule).filter(|rule| m.setup.plan.rules.of(rule) == Level::Stop)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::codes;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_bugcheck_is_in_the_table_of_codes() {
        let names: BTreeSet<&str> = RULES.iter().map(|r| r.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            let name = rule.name;
            assert!(name.contains('-') && name != level::ALL, "{name}");
            assert!(std::ptr::eq(find(name).expect("it is listed"), *rule));
            for text in [rule.help, rule.mend, rule.source] {
                assert!(!text.is_empty() && !text.contains('\n'), "{name}");
            }
            let code = codes::find(rule.code);
            let code = code.unwrap_or_else(|| panic!("{name}: {:#x}", rule.code));
            if let (Is(kind), codes::Parameter::Kind(kinds)) = (rule.params[0], code.parameters[0])
            {
                let known = kinds.iter().any(|(number, _)| *number == kind);
                assert!(known, "{name}: {:#x}/{kind:x} has no words", rule.code);
            }
        }
    }

    #[test]
    fn values_fill_what_is_no_constant() {
        assert_eq!(irql::RAISE.filled(&[2, 1]), [0x30, 2, 1, 0]);
        assert_eq!(irql::RAISE.stop(), "0xC4/30");
        assert_eq!(irp::COMPLETE_TWICE.stop(), "0x44");
        assert_eq!(time::DPC.stop(), "0x133/0");
    }
}
