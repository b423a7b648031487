//! What is queued for later: DPCs and timers.

use super::{Listing, Pane, Row, View};
use crate::nt::dpc::Item;
use crate::nt::timer::Due;
use crate::report::words::Names;

/// The pane.
pub const PANE: Pane = Pane {
    name: "queues",
    help: "DPC queues of all cores, and timers by when they are due",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let (machine, names) = (view.machine, view.names());
    let size = machine.arch().pointer_size();
    let mut rows = Vec::new();
    for core in 0..machine.cpus() {
        let requested = machine.state.nt.dpcs.requested(core);
        let asked = if requested {
            "requested"
        } else {
            "not requested"
        };
        for item in machine.state.nt.dpcs.queue(core) {
            let row = match item {
                Item::Guest(dpc) => Row::new([
                    "DPC".into(),
                    format!("c{core}"),
                    asked.into(),
                    names.object(dpc),
                ])
                .datum(dpc, size),
                Item::Completion(irp) => {
                    let what = format!("completes IRP {}", names.object(irp));
                    Row::new(["DPC".into(), format!("c{core}"), asked.into(), what])
                }
                Item::Adapter(adapter) => {
                    let plan = &machine.setup.plan.adapters;
                    let name = plan.get(adapter as usize).map_or("?", |a| a.name.as_str());
                    let what = format!("the miniport of adapter {name}");
                    Row::new(["DPC".into(), format!("c{core}"), asked.into(), what])
                }
            };
            rows.push(row.core(core));
        }
    }
    let now = machine.now();
    for (due, what) in machine.state.nt.timers.iter() {
        let when = match due.checked_sub(now) {
            Some(0) | None => "due".to_owned(),
            Some(ticks) => format!("in {}.{:03} ms", ticks / 10_000, ticks % 10_000 / 10),
        };
        let row = match what {
            Due::Timer(timer, period) => {
                let every = match period {
                    0 => String::new(),
                    ms => format!(", every {ms} ms"),
                };
                let what = format!("{}{every}", names.object(timer));
                Row::new(["timer".into(), String::new(), when, what]).datum(timer, size)
            }
            Due::Frame(adapter) => {
                let plan = &machine.setup.plan.adapters;
                let name = plan.get(adapter as usize).map_or("?", |a| a.name.as_str());
                let what = format!("a frame that is held up goes on to adapter {name}");
                Row::new(["timer".into(), String::new(), when, what])
            }
            Due::Wait(thread, _) => {
                let what = format!("the wait of {}", names.thread(thread));
                Row::new(["wait".into(), String::new(), when, what])
            }
        };
        rows.push(row);
    }
    Listing {
        title: format!(
            "{}.{:03} ms since power-on",
            now / 10_000,
            now % 10_000 / 10
        ),
        columns: &["kind", "core", "when", "what"],
        rows,
        empty: "nothing is queued",
        ..Listing::default()
    }
}
