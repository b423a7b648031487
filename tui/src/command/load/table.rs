//! Which request of which device came to which status.

use std::collections::BTreeMap;

use emu::campaign::Campaign;
use emu::choice::Strategy;
use emu::nt::{status, thread};
use emu::scenario::{Plan, ThreadStep};
use serde::Serialize;

use crate::table;

/// A request of a device, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Requested {
    /// The device; of `unload` the driver.
    pub(crate) device: String,
    /// `create`, `read`, `write`, `ioctl 0x00222000`, `flush` or `unload`.
    pub(crate) request: String,
    /// What it came to.
    pub(crate) statuses: Vec<StatusCount>,
}

/// A status, and how often it was one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StatusCount {
    /// Eight hexadecimal digits.
    pub(crate) status: String,
    /// Its name, if the kernel model uses it.
    pub(crate) name: Option<&'static str>,
    /// How many requests.
    pub(crate) count: u64,
}

/// What the requests of these runs came to, in the order in which the scenario makes them.
pub(crate) fn requested(
    plan: &Plan,
    campaign: &mut Campaign,
    runs: impl Iterator<Item = Box<dyn Strategy>>,
) -> Vec<Requested> {
    let mut keys: Vec<(String, String)> = Vec::new();
    let mut counts: BTreeMap<(usize, u32), u64> = BTreeMap::new();
    let steps: Vec<Vec<Option<usize>>> = plan
        .threads
        .iter()
        .map(|thread| {
            let mut at = String::new();
            let labels = thread.steps.iter().map(|step| {
                let key = label(plan, step, &mut at)?;
                Some(keys.iter().position(|k| *k == key).unwrap_or_else(|| {
                    keys.push(key);
                    keys.len() - 1
                }))
            });
            labels.collect()
        })
        .collect();
    for strategy in runs {
        campaign.run(strategy);
        for (thread, step, status) in thread::statuses(campaign.machine()) {
            if let Some(key) = steps[thread][step] {
                *counts.entry((key, status)).or_default() += 1;
            }
        }
    }
    let of = |key: usize| {
        let all = counts.range((key, 0)..=(key, u32::MAX));
        all.map(|(&(_, status), &count)| StatusCount {
            status: format!("0x{status:08X}"),
            name: known(status),
            count,
        })
    };
    let rows = keys.into_iter().enumerate();
    rows.map(|(key, (device, request))| Requested {
        device,
        request,
        statuses: of(key).collect(),
    })
    .collect()
}

fn known(status: u32) -> Option<&'static str> {
    let at = status::NAMES.binary_search_by_key(&status, |(value, _)| *value);
    at.ok().map(|at| status::NAMES[at].1)
}

/// Device and request of a step that is one; `at` is the device that is open.
fn label(plan: &Plan, step: &ThreadStep, at: &mut String) -> Option<(String, String)> {
    let request = match step {
        ThreadStep::Open { device, .. } => {
            device.clone_into(at);
            "create".to_owned()
        }
        ThreadStep::Ioctl { code, .. } => format!("ioctl 0x{code:08X}"),
        ThreadStep::Read { .. } => "read".to_owned(),
        ThreadStep::Write { .. } => "write".to_owned(),
        ThreadStep::Flush { .. } => "flush".to_owned(),
        ThreadStep::Unload { driver, .. } => {
            let name = plan.drivers[*driver].name.clone();
            return Some((name, "unload".to_owned()));
        }
        // A close has no status that says anything.
        ThreadStep::Close { .. }
        | ThreadStep::Sleep { .. }
        | ThreadStep::Await(_)
        | ThreadStep::Signal(_) => return None,
    };
    Some((at.clone(), request))
}

/// The table for people.
pub(crate) fn text(requested: &[Requested]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut last = "";
    for row in requested {
        let statuses = row.statuses.iter().map(|s| {
            let name = s.name.map(str::to_owned).unwrap_or(s.status.clone());
            format!("{name} {}", s.count)
        });
        let statuses: Vec<String> = statuses.collect();
        rows.push(vec![
            if row.device == last {
                String::new()
            } else {
                row.device.clone()
            },
            row.request.clone(),
            match statuses.is_empty() {
                true => "never ended".to_owned(),
                false => statuses.join(", "),
            },
        ]);
        last = &row.device;
    }
    table::render(
        &["device", "request", "statuses, and how often"],
        &rows,
        &[],
    )
}
