//! Which end of the run is expected under the choices made.

use super::Expander;
use crate::scenario::error::ScenarioError;
use crate::scenario::expect::{Expectation, How, StopKind};
use crate::scenario::schema::{ExpectTable, Field};

const HOW: [(&str, How); 2] = [("always", How::Always), ("possible", How::Possible)];

impl Expander<'_> {
    /// The first expectation whose condition holds; without any, that the run completes.
    pub fn expectation(&self) -> Result<Expectation, ScenarioError> {
        for table in &self.scenario.file.expect {
            if self.context().holds(&table.when)? {
                return self.expected(table);
            }
        }
        Ok(Expectation::default())
    }

    fn expected(&self, table: &ExpectTable) -> Result<Expectation, ScenarioError> {
        let context = self.context();
        let stop = context.word(&table.stop, &StopKind::ALL)?;
        let parameters = [
            &table.parameter1,
            &table.parameter2,
            &table.parameter3,
            &table.parameter4,
        ];
        let of_bugchecks =
            parameters
                .into_iter()
                .chain([&table.bugcheck, &table.irql, &table.module]);
        if stop != StopKind::Bugcheck
            && let Some(field) = of_bugchecks.flatten().next()
        {
            let problem = format!("a run that ends with '{}' has no bugcheck", stop.name());
            return Err(context.error(field, problem, "write stop = \"bugcheck\""));
        }
        if stop == StopKind::Completed
            && let Some(field) = &table.preemptions
        {
            let problem = "a run completes without preemptions, too";
            return Err(context.error(field, problem, "say it of another stop"));
        }
        let bits = |field: &Option<Field>, size| {
            field
                .as_ref()
                .map(|field| context.bits(field, size))
                .transpose()
        };
        let mut wanted = [None; 4];
        for (wanted, field) in wanted.iter_mut().zip(parameters) {
            *wanted = bits(field, 64)?;
        }
        Ok(Expectation {
            stop,
            bugcheck: bits(&table.bugcheck, 32)?.map(|code| code as u32),
            irql: bits(&table.irql, 8)?.map(|irql| irql as u8),
            parameters: wanted,
            module: table
                .module
                .as_ref()
                .map(|field| context.text(field))
                .transpose()?,
            how: match &table.how {
                Some(field) => context.word(field, &HOW)?,
                None => How::Always,
            },
            preemptions: bits(&table.preemptions, 32)?.map(|n| n as u32),
        })
    }
}
