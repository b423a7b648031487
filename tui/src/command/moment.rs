//! A moment of a run, without a terminal: the same tables that the workbench shows.

use std::sync::Arc;

use emu::explain::Explained;
use emu::scene::{self, Pane, View};
use emu::travel::{Focus, Goal, Record};
use serde_json::{Map, json};

use crate::cli::{Format, MomentArgs, OutputArgs};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::session::Session;

/// Panes that are shown unless others are asked for.
const USUAL: [&str; 3] = ["cores", "code", "stack"];

/// Prints what there is to see at a moment of a run; whether the run ended as expected.
pub(super) fn show(
    session: &Session,
    explained: Explained,
    args: &MomentArgs,
    form: &OutputArgs,
) -> Outcome<bool> {
    let expected = explained.report.expected;
    let record = Arc::new(Record::new(explained));
    let goal = args.at.unwrap_or(Goal::End);
    let mut focus = record.focus_on(record.focus_at_end(), goal);
    if let Goal::Position(wanted) = goal
        && focus.at != wanted
    {
        let (first, last) = (record.first(), record.last());
        return Err(
            Failure::at("--at", format!("the run has no moment {wanted}")).mend(format!(
                "write one from {first} to {last}; the nearest is {}",
                focus.at
            )),
        );
    }
    if let Some(core) = args.core {
        let cpus = record.report.run.cpus;
        if core >= cpus {
            return Err(Failure::at("--core", format!("there is no core {core}"))
                .mend(format!("write a number below {cpus}")));
        }
        focus.core = core;
    }
    focus.datum = args.datum;
    let mut traveller = session.traveller(record.clone())?;
    traveller.seek(focus.at);
    let view = View {
        machine: traveller.machine(),
        record: &record,
        focus,
    };
    let usual = || USUAL.iter().filter_map(|name| scene::find(name)).collect();
    let panes: Vec<&Pane> = match args.pane.is_empty() {
        true => usual(),
        false => args.pane.clone(),
    };
    output::print(&match form.format {
        Format::Text => text(&view, &panes),
        Format::Json => as_json(&view, &panes),
    })?;
    Ok(expected)
}

fn text(view: &View<'_>, panes: &[&Pane]) -> String {
    let Focus { at, core, .. } = view.focus;
    let mut text = format!("moment {at} of {}, core {core}\n", view.record.last());
    for pane in panes {
        text += &format!("\n── {} ──\n", pane.name);
        text += &scene::text(&(pane.list)(view));
    }
    text
}

fn as_json(view: &View<'_>, panes: &[&Pane]) -> String {
    let tables = panes.iter().map(|pane| {
        let table = serde_json::to_value((pane.list)(view)).expect("it is plain data");
        (pane.name.to_owned(), table)
    });
    let tables: Map<String, serde_json::Value> = tables.collect();
    let object = json!({
        "at": view.focus.at.to_string(),
        "last": view.record.last().to_string(),
        "core": view.focus.core,
        "panes": tables,
    });
    format!("{object:#}\n")
}
