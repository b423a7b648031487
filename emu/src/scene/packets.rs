//! Packets, decoded, and where they are.

use super::{Listing, Pane, Row, View};
use crate::trace::EventKind;
use crate::trace::event::PacketOp;

/// The pane.
pub const PANE: Pane = Pane {
    name: "packets",
    help: "packets that moved so far, decoded, the latest first",
    list,
};

/// Movements that are shown, at most.
const MOST: usize = 200;

fn list(view: &View<'_>) -> Listing {
    let events = view.record.events();
    let plan = &view.record.setup.plan;
    let row = |i: usize| {
        let event = &events[i];
        let EventKind::Packet {
            op,
            adapter,
            number,
            length,
            contents,
        } = &event.kind
        else {
            return None;
        };
        let verb = match op {
            PacketOp::Arrived => "arrived",
            PacketOp::Indicated => "indicated",
            PacketOp::Returned => "returned",
            PacketOp::Sent => "sent",
        };
        let name = plan
            .adapters
            .get(*adapter as usize)
            .map_or("?", |a| a.name.as_str());
        let cells = [
            event.at.to_string(),
            format!("c{}", event.core),
            verb.into(),
            name.into(),
            contents.words().to_string(),
            number.to_string(),
            length.to_string(),
        ];
        Some(Row::new(cells).at(event.at).core(event.core))
    };
    let held: Vec<String> = {
        let packets = view.machine.state.nt.net.held_packets();
        packets.map(|(_, number)| number.to_string()).collect()
    };
    Listing {
        title: match held.len() {
            0 => "the drivers hold no received packet".into(),
            _ => format!("received packets that drivers hold: {}", held.join(", ")),
        },
        columns: &["at", "core", "what", "adapter", "packet", "number", "bytes"],
        rows: view.past().rev().filter_map(row).take(MOST).collect(),
        current: Some(0),
        empty: "no packet has moved",
    }
}
