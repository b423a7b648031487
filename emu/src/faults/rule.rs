//! From a rule of a scenario to a fault, with messages for what is wrong with it. What every kind
//! understands, where a fault strikes and how often, is read here and nowhere else.

use std::fmt;
use std::sync::Arc;

use super::place;
use super::{Armed, Fault, FaultKind, KINDS, Opportunity, World};
use crate::position::Position;
use crate::scenario::{FaultRule, Value, one_of};

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleError {
    /// Where the rule stands.
    pub origin: String,
    /// What is wrong, and the mend.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// Parameters that say where a fault strikes; for kinds that take a place.
pub const WHERE: &[(&str, &str)] = &[
    (
        "place",
        "a kernel function, or a driver's function by the end of its name: what stands behind @",
    ),
    (
        "call",
        "a kernel function, for example ExAllocatePoolWithTag",
    ),
    (
        "function",
        "a driver's function, by the end of its name, for example reset::reset_interface",
    ),
    (
        "line",
        "a line of that function: where its first instruction of the line begins",
    ),
    (
        "offset",
        "bytes from the beginning of that function to an instruction",
    ),
];

/// Parameters that say which opportunities a fault takes; every kind has them.
pub const WHEN: &[(&str, &str)] = &[
    (
        "nth",
        "the nth opportunity after the boot, from 1: what stands behind #",
    ),
    ("every", "true: every opportunity"),
    (
        "share",
        "the schedule decides, and one in so many of its answers is a strike",
    ),
    (
        "position",
        "the first opportunity at or after this moment of the run, choice:step",
    ),
    ("core", "only on this core, from 0"),
    ("times", "strikes at most so often"),
    (
        "boot",
        "true: while the drivers start, and not after it; with nth or every",
    ),
];

/// Which opportunities a fault takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Which {
    /// All of them.
    Every,
    /// The nth, from 1.
    Nth(u64),
    /// The schedule decides, among so many options.
    Choice(u32),
    /// The first that is not before.
    From(Position),
}

impl Which {
    /// Whether a rule with `self` and one with `other` would both have to decide one strike.
    fn contradicts(self, other: Which) -> bool {
        match (self, other) {
            (Which::Nth(a), Which::Nth(b)) => a == b,
            (Which::From(a), Which::From(b)) => a == b,
            (Which::Choice(_), Which::Choice(_)) => true,
            (Which::Every, _) | (_, Which::Every) => true,
            _ => false,
        }
    }
}

/// The parameters of a rule.
pub(super) struct Params<'a> {
    rule: &'a FaultRule,
    /// The machine that the faults are for.
    pub world: &'a World<'a>,
}

impl Params<'_> {
    pub(super) fn error(&self, message: impl Into<String>) -> RuleError {
        RuleError {
            origin: self.rule.origin.clone(),
            message: message.into(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.rule.params.get(name).map(Value::to_string)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, RuleError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = |_| self.error(format!("{name} must be a number, not '{text}'"));
        text.parse().map(Some).map_err(wrong)
    }

    /// A number in a range, or `default`.
    pub(super) fn within(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, RuleError> {
        let value = self.number(name)?.unwrap_or(default);
        if range.contains(&value) {
            return Ok(value);
        }
        let (first, last) = range.into_inner();
        Err(self.error(format!("{name} must be {first} to {last}, not {value}")))
    }

    /// A truth value; false if it is not there.
    pub(super) fn flag(&self, name: &str) -> Result<bool, RuleError> {
        match self.text(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(self.error(format!("{name} must be true or false, not '{text}'"))),
        }
    }

    /// One of some words, by its index; the first if it is not there.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<usize, RuleError> {
        let Some(text) = self.text(name) else {
            return Ok(0);
        };
        let found = words.iter().position(|word| **word == text);
        found.ok_or_else(|| {
            let (last, others) = words.split_last().expect("there are words to choose from");
            let list = others.join(", ");
            self.error(format!("{name} must be {list} or {last}, not '{text}'"))
        })
    }

    /// A pool tag.
    pub(super) fn tag(&self) -> Result<Option<[u8; 4]>, RuleError> {
        match self.text("tag") {
            None => Ok(None),
            Some(text) if text.is_ascii() && (1..=4).contains(&text.len()) => {
                let mut tag = [b' '; 4];
                tag[..text.len()].copy_from_slice(text.as_bytes());
                Ok(Some(tag))
            }
            Some(text) => Err(self.error(format!(
                "a pool tag has one to four characters, not '{text}'"
            ))),
        }
    }

    /// A core of the machine.
    pub(super) fn core(&self, name: &str) -> Result<Option<u8>, RuleError> {
        let cpus = self.world.cpus;
        match self.number(name)? {
            Some(core) if core >= u64::from(cpus) => Err(self.error(format!(
                "{name} {core} is not there: the machine has {cpus}, counted from 0"
            ))),
            core => Ok(core.map(|core| core as u8)),
        }
    }

    /// `nth`, `every`, `share` or `position`; otherwise the schedule decides.
    fn which(&self) -> Result<Which, RuleError> {
        let given: Vec<&str> = FaultRule::DECIDING
            .into_iter()
            .filter(|name| self.text(name).is_some())
            .collect();
        if let [one, other, ..] = given[..] {
            return Err(self.error(format!("{one} and {other} exclude each other")));
        }
        if let Some(text) = self.text("position") {
            let wrong = |_| self.error(format!("position must be choice:step, not '{text}'"));
            return text.parse().map(Which::From).map_err(wrong);
        }
        if self.text("share").is_some() {
            return Ok(Which::Choice(self.within("share", 2..=1000, 2)? as u32));
        }
        match self.number("nth")? {
            Some(0) => Err(self.error("nth counts from 1")),
            Some(n) => Ok(Which::Nth(n)),
            None if self.flag("every")? => Ok(Which::Every),
            None => Ok(Which::Choice(2)),
        }
    }
}

/// The kind of that name.
fn kind(rule: &FaultRule, world: &World<'_>) -> Result<&'static FaultKind, RuleError> {
    let found = KINDS.iter().find(|k| k.name == rule.kind);
    found.ok_or_else(|| {
        let mend = one_of("there are", &rule.kind, KINDS.iter().map(|k| k.name));
        let params = Params { rule, world };
        params.error(format!("there is no fault '{}'; {mend}", rule.kind))
    })
}

/// Makes a fault of a rule.
pub(super) fn parse(rule: &FaultRule, world: &World<'_>) -> Result<Armed, RuleError> {
    let kind = kind(rule, world)?;
    let params = Params { rule, world };
    for name in rule.params.keys() {
        let known = kind.all_params().map(|(known, _)| known);
        if known.clone().any(|known| known == name) {
            continue;
        }
        let places = WHERE.iter().any(|(place, _)| place == name);
        return Err(match kind.opportunity {
            Opportunity::Outside if places => params.error(format!(
                "{} has no place in a driver: it happens outside; take nth, position or core",
                kind.name
            )),
            _ => {
                let mend = one_of("it has", name, known);
                params.error(format!("{} has no parameter '{name}'; {mend}", kind.name))
            }
        });
    }
    let fault: Arc<dyn Fault> = Arc::from((kind.parse)(&params)?);
    let (place, addresses) = place::parse(&params)?;
    let times = params.number("times")?;
    if times == Some(0) {
        return Err(params.error("times counts from 1"));
    }
    let boot = params.flag("boot")?;
    let which = params.which()?;
    if boot && !matches!(which, Which::Nth(_) | Which::Every) {
        let problem = "boot needs nth or every: nothing is left to the schedule before the run";
        return Err(params.error(problem));
    }
    Ok(Armed {
        boot,
        kind,
        fault,
        place,
        addresses,
        which,
        core: params.core("core")?,
        times,
    })
}

/// Refuses a rule that has to decide a strike that an earlier one decides.
pub(super) fn agree(rules: &[FaultRule], armed: &[Armed]) -> Result<(), RuleError> {
    // Two rules that narrow differently what they strike at may both stand.
    let same = |a: &FaultRule, b: &FaultRule, name: &str| a.params.get(name) == b.params.get(name);
    for (later, b) in armed.iter().enumerate() {
        for (earlier, a) in armed[..later].iter().enumerate() {
            let (first, second) = (&rules[earlier], &rules[later]);
            let narrowed = a.kind.narrows.iter().all(|name| same(first, second, name));
            let cores = a.core.is_none() || b.core.is_none() || a.core == b.core;
            let alike = a.kind.name == b.kind.name && a.place == b.place && cores && narrowed;
            if alike && a.which.contradicts(b.which) {
                return Err(RuleError {
                    origin: second.origin.clone(),
                    message: format!(
                        "contradicts {}: both decide the same strike of {}; make them one rule, or \
                         give them another nth, place or core",
                        first.origin, a.kind.name
                    ),
                });
            }
        }
    }
    Ok(())
}
