//! How a scenario expects its run to end.

use std::fmt;

use crate::stop::{Bugcheck, Stop};

/// The expected end of a run. A field that is `None` may have any value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expectation {
    /// The kind of stop.
    pub stop: StopKind,
    /// The bugcheck code.
    pub bugcheck: Option<u32>,
    /// IRQL of the stopping core at the fault.
    pub irql: Option<u8>,
    /// The bugcheck's parameters 1 to 4.
    pub parameters: [Option<u64>; 4],
    /// The module that the program counter is in, for example `sample.sys`.
    pub module: Option<String>,
    /// Whether it happens under every schedule.
    pub how: How,
    /// The fewest preemptions with which it happens: how short its schedule can get. Not judged run
    /// by run, since most runs have more.
    pub preemptions: Option<u32>,
}

/// The kinds of [`Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum StopKind {
    Completed,
    Bugcheck,
    Deadlock,
    Unimplemented,
    Request,
    Limit,
}

/// Under how many schedules the expected stop happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Under all.
    Always,
    /// Under some; the run completes under the others.
    Possible,
}

impl StopKind {
    /// Every kind, with the name that scenarios use.
    pub const ALL: [(&'static str, StopKind); 6] = [
        ("completed", StopKind::Completed),
        ("bugcheck", StopKind::Bugcheck),
        ("deadlock", StopKind::Deadlock),
        ("unimplemented", StopKind::Unimplemented),
        ("request", StopKind::Request),
        ("limit", StopKind::Limit),
    ];

    /// The kind of a stop.
    pub fn of(stop: &Stop) -> StopKind {
        match stop {
            Stop::Completed => StopKind::Completed,
            Stop::Bugcheck(_) => StopKind::Bugcheck,
            Stop::Deadlock { .. } => StopKind::Deadlock,
            Stop::Unimplemented { .. } => StopKind::Unimplemented,
            Stop::Request { .. } => StopKind::Request,
            Stop::Limit { .. } => StopKind::Limit,
        }
    }

    /// The name that scenarios use.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }
}

impl Default for Expectation {
    /// The run completes, under every schedule.
    fn default() -> Self {
        Expectation {
            stop: StopKind::Completed,
            bugcheck: None,
            irql: None,
            parameters: [None; 4],
            module: None,
            how: How::Always,
            preemptions: None,
        }
    }
}

impl Expectation {
    /// Whether something is expected to go wrong, under some schedule at least.
    pub fn may_stop(&self) -> bool {
        self.stop != StopKind::Completed
    }

    /// Whether a run may end like this. `module` is the name of the image that the stop's program
    /// counter is in.
    ///
    /// # Errors
    /// What differs, in one sentence.
    pub fn judge(&self, stop: &Stop, module: Option<&str>) -> Result<(), String> {
        let kind = StopKind::of(stop);
        if kind == StopKind::Completed && self.how == How::Possible {
            return Ok(());
        }
        if kind != self.stop {
            return Err(format!(
                "expected {self}, but it ended with: {}",
                kind.name()
            ));
        }
        match stop {
            Stop::Bugcheck(bugcheck) => self.judge_bugcheck(bugcheck, module),
            _ => Ok(()),
        }
    }

    fn judge_bugcheck(&self, bugcheck: &Bugcheck, module: Option<&str>) -> Result<(), String> {
        let differs = |what: &str, wanted: String, found: String| {
            Err(format!("expected {what} {wanted}, but it is {found}"))
        };
        if let Some(code) = self.bugcheck.filter(|code| *code != bugcheck.code) {
            return differs("bugcheck", hex(code.into()), hex(bugcheck.code.into()));
        }
        if let Some(irql) = self.irql.filter(|irql| *irql != bugcheck.irql) {
            return differs("IRQL", irql.to_string(), bugcheck.irql.to_string());
        }
        for (index, (wanted, found)) in self.parameters.iter().zip(bugcheck.params).enumerate() {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                return differs(&format!("parameter {}", index + 1), hex(wanted), hex(found));
            }
        }
        match &self.module {
            Some(wanted) if !module.is_some_and(|found| found.eq_ignore_ascii_case(wanted)) => {
                differs(
                    "a stop in",
                    wanted.clone(),
                    module.unwrap_or("no module").to_owned(),
                )
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stop.name())?;
        if let Some(code) = self.bugcheck {
            write!(f, " {}", hex(code.into()))?;
        }
        if let Some(module) = &self.module {
            write!(f, " in {module}")?;
        }
        match self.how {
            How::Always => Ok(()),
            How::Possible => f.write_str(" or completed"),
        }
    }
}

fn hex(value: u64) -> String {
    format!("0x{value:08X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bugcheck(code: u32) -> Stop {
        Stop::Bugcheck(Box::new(Bugcheck {
            code,
            params: [0x10, 2, 0, 0xF000],
            core: 1,
            irql: 2,
            pc: 0xF000,
            access: None,
            blamed: None,
        }))
    }

    fn expectation() -> Expectation {
        Expectation {
            stop: StopKind::Bugcheck,
            bugcheck: Some(0xD1),
            irql: Some(2),
            parameters: [None, Some(2), Some(0), None],
            module: Some("sample.sys".to_owned()),
            how: How::Possible,
            preemptions: None,
        }
    }

    #[test]
    fn a_possible_stop_may_fail_to_happen() {
        assert_eq!(expectation().judge(&Stop::Completed, None), Ok(()));
        let always = Expectation {
            how: How::Always,
            ..expectation()
        };
        assert_eq!(
            always.judge(&Stop::Completed, None).unwrap_err(),
            "expected bugcheck 0x000000D1 in sample.sys, but it ended with: completed"
        );
    }

    #[test]
    fn every_field_counts() {
        assert_eq!(
            expectation().judge(&bugcheck(0xD1), Some("SAMPLE.SYS")),
            Ok(())
        );
        let wrong = |change: fn(&mut Expectation)| {
            let mut expectation = expectation();
            change(&mut expectation);
            expectation
                .judge(&bugcheck(0xD1), Some("sample.sys"))
                .unwrap_err()
        };
        let cases = [
            wrong(|e| e.bugcheck = Some(0xA)),
            wrong(|e| e.irql = Some(5)),
            wrong(|e| e.parameters[0] = Some(0)),
            wrong(|e| e.module = Some("other.sys".to_owned())),
        ];
        assert_eq!(
            cases,
            [
                "expected bugcheck 0x0000000A, but it is 0x000000D1",
                "expected IRQL 5, but it is 2",
                "expected parameter 1 0x00000000, but it is 0x00000010",
                "expected a stop in other.sys, but it is sample.sys",
            ]
        );
    }
}
