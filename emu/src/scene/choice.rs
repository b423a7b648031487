//! The choice at the focus: what could have happened, and what did.

use super::{Listing, Pane, Row, View};
use crate::choice::Action;

/// The pane.
pub const PANE: Pane = Pane {
    name: "choice",
    help: "what could have happened at the last choice, and what did",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let number = view.record.choice_of(view.focus);
    let Some(question) = view.record.question(number) else {
        return Listing {
            title: "before the first choice".into(),
            empty: "nothing has been decided yet",
            ..Listing::default()
        };
    };
    let retired = view.record.retired(crate::position::Position {
        choice: number,
        step: 0,
    });
    let rows = question.options.iter().enumerate().map(|(i, option)| {
        let place = match option {
            Action::Run(core) => view.record.pc(*core, retired).map(|pc| view.short(pc)),
            _ => None,
        };
        let ran = match (i == question.taken, i) {
            (true, 0) => "by itself",
            (true, _) => "it was made to",
            (false, 0) => "would have by itself",
            (false, _) => "",
        };
        let mut words = option.words(question.current);
        if let Action::Packet { stream, core } = option {
            let name = &view.record.setup.plan.streams[usize::from(*stream)].name;
            words = format!("a packet of stream {name} arrives on core {core}");
        }
        Row::new([i.to_string(), words, place.unwrap_or_default(), ran.into()])
    });
    let moves = &view.record.ended.moves.0;
    let deviations = moves.partition_point(|&(n, _)| n <= number);
    Listing {
        title: format!(
            "choice {number} of {}; {deviations} of {} moves are made",
            view.record.choices(),
            moves.len()
        ),
        columns: &["option", "what", "place", "happened"],
        rows: rows.collect(),
        current: Some(question.taken),
        ..Listing::default()
    }
}
