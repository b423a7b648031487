//! Pool blocks with their history.

use std::collections::BTreeMap;

use super::{Listing, Pane, Row, View};
use crate::report;
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

/// The pane.
pub const PANE: Pane = Pane {
    name: "pool",
    help: "pool blocks, the youngest first: who allocated them, who freed them",
    list,
};

/// Freed blocks that are shown, at most.
const FREED: usize = 32;

struct Life {
    size: u64,
    tag: [u8; 4],
    paged: bool,
    allocated: usize,
    freed: Option<usize>,
}

fn list(view: &View<'_>) -> Listing {
    let events = view.record.events();
    let mut alive: BTreeMap<u64, Life> = BTreeMap::new();
    let mut dead: Vec<(u64, Life)> = Vec::new();
    for i in view.past() {
        let EventKind::Pool {
            op,
            block,
            size,
            tag,
            paged,
        } = events[i].kind
        else {
            continue;
        };
        match op {
            PoolOp::Allocated => {
                let (allocated, freed) = (i, None);
                alive.insert(
                    block,
                    Life {
                        size,
                        tag,
                        paged,
                        allocated,
                        freed,
                    },
                );
            }
            PoolOp::Freed => {
                if let Some(life) = alive.remove(&block) {
                    let freed = Some(i);
                    dead.push((block, Life { freed, ..life }));
                }
            }
            PoolOp::Failed => {}
        }
    }
    let count = alive.len();
    let bytes: u64 = alive.values().map(|life| life.size).sum();
    let freed = dead.len().saturating_sub(FREED);
    let mut lives: Vec<(u64, Life)> = alive
        .into_iter()
        .chain(dead.into_iter().skip(freed))
        .collect();
    lives.sort_by_key(|(_, life)| std::cmp::Reverse(life.freed.unwrap_or(life.allocated)));
    let said = |event: usize| {
        let e = &events[event];
        format!("c{} {} {}", e.core, e.at, view.event_place(event))
    };
    let rows = lives.iter().map(|(block, life)| {
        let last = life.freed.unwrap_or(life.allocated);
        let cells = [
            view.digits(*block),
            format!("{:#x}", life.size),
            report::tag(life.tag),
            life.freed.map(said).unwrap_or_default(),
            said(life.allocated),
            if life.paged { "paged" } else { "nonpaged" }.to_owned(),
        ];
        Row::new(cells)
            .datum(*block, life.size)
            .at(events[last].at)
            .core(events[last].core)
    });
    let rows: Vec<Row> = rows.collect();
    let datum = view.focus.datum;
    let holds = |(block, life): &(u64, Life)| {
        datum.is_some_and(|d| d.address.wrapping_sub(*block) < life.size.max(1))
    };
    Listing {
        title: format!("{count} blocks, {bytes} bytes in use"),
        columns: &["block", "size", "tag", "freed", "allocated", "pool"],
        current: lives.iter().position(holds),
        rows,
        empty: "no block has been allocated",
    }
}
