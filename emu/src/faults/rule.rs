//! From a rule of a scenario to a fault, with messages for what is wrong with it.

use std::fmt;
use std::sync::Arc;

use super::{Fault, KINDS};
use crate::scenario::{FaultRule, Value};

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

/// Which opportunities a fault takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Which {
    /// All of them.
    Every,
    /// The nth, from 1.
    Nth(u64),
    /// The schedule decides.
    Choice,
}

/// The parameters of a rule.
pub(super) struct Params<'a>(&'a FaultRule);

impl Params<'_> {
    pub(super) fn error(&self, message: impl Into<String>) -> RuleError {
        RuleError {
            origin: self.0.origin.clone(),
            message: message.into(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.params.get(name).map(Value::to_string)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, RuleError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = |_| self.error(format!("{name} must be a number, not '{text}'"));
        text.parse().map(Some).map_err(wrong)
    }

    /// `nth = N` or `every = true`; otherwise the schedule decides.
    pub(super) fn which(&self) -> Result<Which, RuleError> {
        let every = self.text("every");
        match (self.number("nth")?, every.as_deref()) {
            (Some(0), _) => Err(self.error("nth counts from 1")),
            (Some(_), Some(_)) => Err(self.error("nth and every exclude each other")),
            (Some(n), None) => Ok(Which::Nth(n)),
            (None, Some("true")) => Ok(Which::Every),
            (None, Some("false") | None) => Ok(Which::Choice),
            (None, Some(text)) => {
                Err(self.error(format!("every must be true or false, not '{text}'")))
            }
        }
    }
}

pub(super) fn parse(rule: &FaultRule) -> Result<Arc<dyn Fault>, RuleError> {
    let params = Params(rule);
    let Some(kind) = KINDS.iter().find(|k| k.name == rule.kind) else {
        let known: Vec<_> = KINDS.iter().map(|k| k.name).collect();
        let known = known.join(", ");
        return Err(params.error(format!(
            "there is no fault '{}'; there are {known}",
            rule.kind
        )));
    };
    for name in rule.params.keys() {
        if !kind.params.iter().any(|(known, _)| known == name) {
            let known: Vec<_> = kind.params.iter().map(|(known, _)| *known).collect();
            let known = known.join(", ");
            return Err(params.error(format!(
                "{} has no parameter '{name}'; it has {known}",
                kind.name
            )));
        }
    }
    (kind.parse)(&params)
}
