//! IRPs in flight, and what happened to them.

use super::{Listing, Pane, Row, View};
use crate::nt::io::history::{Record, What};
use crate::report::words::irp_function;

/// The pane.
pub const PANE: Pane = Pane {
    name: "irps",
    help: "IRPs in flight and their way through the drivers, a line for each step",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let irps = &view.machine.state.nt.io.irps;
    let datum = view.focus.datum.map(|datum| datum.address);
    // Those that have ended are told about when one of them is looked at.
    let ended = irps.ended().filter(|r| Some(r.irp) == datum);
    let all: Vec<&Record> = irps.live().chain(ended).collect();
    let mut rows = Vec::new();
    let mut current = None;
    for record in &all {
        if Some(record.irp) == datum {
            current = current.or(Some(rows.len()));
        }
        for (i, step) in record.history.iter().enumerate() {
            let what = match step.what {
                What::Allocated => "allocated".into(),
                What::Dispatched { device, major } => {
                    let function = irp_function(major, 0);
                    format!("{function} to device {}", view.digits(device))
                }
                What::Completed(status) => format!("completed with {status:08x}"),
                What::Cancelled => "cancelled".into(),
                What::Freed => "freed".into(),
            };
            let cells = [
                if i == 0 {
                    view.digits(record.irp)
                } else {
                    String::new()
                },
                step.at.to_string(),
                format!("c{}", step.core),
                what,
                view.short(step.pc),
            ];
            let row = Row::new(cells).at(step.at).core(step.core);
            rows.push(row.datum(record.irp, view.machine.arch().pointer_size()));
        }
    }
    Listing {
        title: format!("{} in flight", irps.live().count()),
        columns: &["irp", "at", "core", "step", "place"],
        rows,
        current,
        empty: "no IRP is in flight",
    }
}
