//! Why the run ended as it did.

use super::{Listing, Pane, Row, View, short_place};

/// The pane.
pub const PANE: Pane = Pane {
    name: "why",
    help: "the chain of causes of the stop, oldest first",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let steps = &view.record.report.why;
    let row = |step: &crate::report::WhyStep| {
        let cells = [
            step.number.to_string(),
            step.at.to_string(),
            format!("c{}", step.core),
            step.verb.clone(),
            step.what.clone(),
            short_place(&step.place),
            step.note.clone().unwrap_or_default(),
        ];
        Row::new(cells).at(step.at).core(step.core)
    };
    Listing {
        columns: &["step", "at", "core", "verb", "what", "place", "note"],
        rows: steps.iter().map(row).collect(),
        current: steps.iter().rposition(|step| step.at <= view.focus.at),
        empty: "the run did not stop",
        ..Listing::default()
    }
}
