//! What drivers have printed, and which faults were injected.

use super::{Listing, Pane, Row, View};
use crate::trace::EventKind;

/// The pane.
pub const PANE: Pane = Pane {
    name: "log",
    help: "what drivers printed with DbgPrint, and the faults that were injected",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let events = view.record.events();
    let row = |i: usize| {
        let event = &events[i];
        let text = match &event.kind {
            EventKind::Debug { text } => text.trim_end().to_owned(),
            EventKind::Injected { fault, detail } => format!("fault {fault}: {detail}"),
            _ => return None,
        };
        let cells = [
            event.at.to_string(),
            format!("c{}", event.core),
            text,
            view.event_place(i),
        ];
        Some(Row::new(cells).at(event.at).core(event.core))
    };
    let rows: Vec<Row> = view.past().filter_map(row).collect();
    Listing {
        columns: &["at", "core", "text", "place"],
        current: rows.len().checked_sub(1),
        rows,
        empty: "no driver has printed anything",
        ..Listing::default()
    }
}
