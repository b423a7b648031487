//! Two recorded runs side by side, as text and as JSON: the same as the workbench shows.

use emu::explain::Explained;
use emu::report::text::verdict;
use serde_json::{Value, json};

use crate::cli::{Format, OutputArgs};
use crate::failure::Outcome;
use crate::output;
use crate::workbench::trace::{Diff, Trace, cell, short_place};

/// Cells between the two runs, and rows that are shown of those behind the parting.
const BETWEEN: usize = 3;
const MOST: usize = 400;

/// Prints two runs; whether the first one ended as expected.
pub(super) fn show(
    name: &str,
    this: Explained,
    other_name: &str,
    other: Explained,
    form: &OutputArgs,
) -> Outcome<bool> {
    let (this, other) = (Trace::new(this), Trace::new(other));
    let diff = Diff::new(&this, &other, other_name.to_owned());
    output::print(&match form.format {
        Format::Text => text(name, &this, &other, &diff, output::width(form.width)),
        Format::Json => as_json(name, &this, &other, &diff),
    })?;
    Ok(this.report.expected)
}

fn text(name: &str, this: &Trace, other: &Trace, diff: &Diff, width: usize) -> String {
    let half = width.saturating_sub(BETWEEN) / 2;
    let mut text = format!(
        "< {name}: {}\n> {}: {}\n{} events in common\n\n",
        verdict(&this.report),
        diff.other,
        verdict(&other.report),
        diff.common
    );
    let shown = diff.rows.len().min(MOST);
    for &(a, b) in &diff.rows[..shown] {
        let sign = match (a, b) {
            (Some(_), Some(_)) => '│',
            (Some(_), None) => '<',
            _ => '>',
        };
        let row = format!("{} {sign} {}", cell(this, a, half), cell(other, b, half));
        text += row.trim_end();
        text.push('\n');
    }
    if diff.parting(this, other) == (None, None) {
        text += "the runs are the same\n";
    } else if diff.cut || shown < diff.rows.len() {
        text += "... and so on; JSON has more\n";
    }
    text
}

fn as_json(name: &str, this: &Trace, other: &Trace, diff: &Diff) -> String {
    let run = |name: &str, trace: &Trace| {
        let run = &trace.report.run;
        json!({
            "file": name,
            "stop": trace.report.stop.kind(),
            "events": trace.moments.len(),
            "choices": run.choices,
            "trace_hash": format!("{:016x}", run.trace_hash),
        })
    };
    let event = |trace: &Trace, index: Option<usize>| match index {
        Some(index) => {
            let moment = &trace.moments[index];
            json!({
                "event": index,
                "at": moment.at.to_string(),
                "core": moment.core,
                "text": &*moment.text,
                "place": moment.place.as_deref().map(short_place),
            })
        }
        None => Value::Null,
    };
    let row = |&(a, b): &(Option<usize>, Option<usize>)| json!({ "this": event(this, a), "other": event(other, b) });
    let object = json!({
        "this": run(name, this),
        "other": run(&diff.other, other),
        "common": diff.common,
        "parting": row(&diff.parting(this, other)),
        "rows": diff.rows.iter().map(row).collect::<Vec<_>>(),
        "cut": diff.cut,
    });
    format!("{object:#}\n")
}
