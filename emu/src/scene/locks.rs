//! Spin locks: who has them, who waits, and who had them last.

use std::collections::BTreeMap;

use super::{Listing, Pane, Row, View};
use crate::machine::context::Next;
use crate::report::words::Names;
use crate::trace::EventKind;
use crate::trace::event::LockOp;

/// The pane.
pub const PANE: Pane = Pane {
    name: "locks",
    help: "spin locks that were taken so far: who has them, who spins, in which order they are held",
    list,
};

#[derive(Default)]
struct Uses {
    count: u64,
    /// The last event by which it was taken.
    taken: usize,
    /// It was found taken.
    contended: u64,
}

fn list(view: &View<'_>) -> Listing {
    let (machine, names) = (view.machine, view.names());
    let events = view.record.events();
    let mut locks: BTreeMap<u64, Uses> = BTreeMap::new();
    for i in view.past() {
        let EventKind::Lock { op, lock } = events[i].kind else {
            continue;
        };
        let uses = locks.entry(lock).or_default();
        match op {
            LockOp::Acquired => (uses.count, uses.taken) = (uses.count + 1, i),
            LockOp::Contended => uses.contended += 1,
            LockOp::Released => {}
        }
    }
    let held = &machine.state.nt.locks.0;
    for lock in held.keys() {
        locks.entry(*lock).or_default();
    }
    // Of the locks that a core holds, the one it took first is 1.
    let order = |lock: u64| {
        let own = held.get(&lock)?;
        let before = held
            .iter()
            .filter(|(other, h)| h.core == own.core && (h.since, **other) < (own.since, lock));
        Some(before.count() + 1)
    };
    let spinning = |lock: u64| {
        let cores = machine.state.cores.iter();
        let waiting =
            cores.filter(|c| matches!(c.top().next, Next::Spin { lock: l, .. } if l == lock));
        waiting
            .map(|c| format!("c{}", c.number))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut all: Vec<(u64, Uses)> = locks.into_iter().collect();
    all.sort_by_key(|(lock, uses)| (!held.contains_key(lock), std::cmp::Reverse(uses.taken)));
    let rows = all.iter().map(|(lock, uses)| {
        let holder = held.get(lock);
        let cells = [
            names.object(*lock),
            match (holder, order(*lock)) {
                (Some(h), Some(order)) => format!("c{} (its {})", h.core, nth(order)),
                _ => "free".into(),
            },
            holder.map_or_else(
                || {
                    events
                        .get(uses.taken)
                        .map_or_else(String::new, |e| e.at.to_string())
                },
                |h| h.since.to_string(),
            ),
            match holder {
                Some(h) => view.short(h.pc),
                None if uses.count > 0 => view.event_place(uses.taken),
                None => String::new(),
            },
            spinning(*lock),
            uses.count.to_string(),
            uses.contended.to_string(),
        ];
        let row = Row::new(cells).datum(*lock, machine.arch().pointer_size());
        match (holder, uses.count) {
            (Some(h), _) => row.at(h.since).core(h.core),
            (None, 1..) => row.at(events[uses.taken].at).core(events[uses.taken].core),
            _ => row,
        }
    });
    let rows: Vec<Row> = rows.collect();
    let datum = view.focus.datum.map(|datum| datum.address);
    Listing {
        title: format!("{} held", held.len()),
        columns: &[
            "lock",
            "holder",
            "taken",
            "place",
            "spins",
            "times",
            "contended",
        ],
        current: all.iter().position(|(lock, _)| Some(*lock) == datum),
        rows,
        empty: "no lock has been taken",
    }
}

fn nth(n: usize) -> String {
    match n {
        1 => "1st".into(),
        2 => "2nd".into(),
        3 => "3rd".into(),
        n => format!("{n}th"),
    }
}
