//! The events around the focus.

use super::{Listing, Pane, Row, View};
use crate::report::words::words;

/// The pane.
pub const PANE: Pane = Pane {
    name: "events",
    help: "what happened on all cores, around the moment",
    list,
};

/// Events that are shown before and behind.
const AROUND: usize = 40;

fn list(view: &View<'_>) -> Listing {
    let (events, names) = (view.record.events(), view.names());
    let here = view.past().end.saturating_sub(1);
    let (from, to) = (
        here.saturating_sub(AROUND),
        (here + AROUND + 1).min(events.len()),
    );
    let rows = (from..to).map(|i| {
        let event = &events[i];
        let cells = [
            event.at.to_string(),
            format!("c{}", event.core),
            view.irql(event.irql),
            words(event, &names),
            view.event_place(i),
        ];
        Row::new(cells).at(event.at).core(event.core)
    });
    Listing {
        title: format!("event {} of {}", here + 1, events.len()),
        columns: &["at", "core", "irql", "event", "place"],
        rows: rows.collect(),
        current: here.checked_sub(from),
        empty: "nothing happened",
    }
}
