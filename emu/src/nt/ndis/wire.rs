//! Where a sent frame goes: to other adapters on the same link, or to the hosts there.

use super::stream;
use crate::machine::Machine;
use crate::scenario::Adapter;
use crate::trace::event::PacketOp;
use crate::trace::{EventKind, FrameContents};

/// Puts a frame of at least a link header onto the wire of an adapter.
pub(super) fn transmit(m: &mut Machine, core: usize, from: usize, frame: &[u8]) {
    let net = &mut m.state.nt.net;
    let number = net.sent;
    net.sent += 1;
    net.adapters[from].counters.sent += 1;
    m.event(
        core,
        EventKind::Packet {
            op: PacketOp::Sent,
            adapter: from as u32,
            number,
            length: frame.len() as u32,
            contents: FrameContents::of(frame, m.recorder.keeps()),
        },
    );
    let route = route(&m.setup.plan.adapters, from, frame);
    let net = &mut m.state.nt.net;
    for to in route.adapters {
        // What reaches an adapter that nobody listens on is lost.
        if net.adapters[to].is_open() {
            net.adapters[to].wire.push_back(frame.to_vec().into());
        }
    }
    if route.hosts {
        let observed = net.peer.observe(from, frame);
        let replies = observed.replies.into_iter().map(Into::into);
        net.adapters[from].wire.extend(replies);
    }
    stream::advance(m, core);
}

/// Who hears a frame.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    /// Numbers of adapters.
    adapters: Vec<usize>,
    /// Whether the hosts on the wire do.
    hosts: bool,
}

/// Who hears a frame that the adapter `from` sends. One for its own address it hears itself.
fn route(adapters: &[Adapter], from: usize, frame: &[u8]) -> Route {
    let to = &frame[..6];
    let link = &adapters[from].link;
    let on_link = adapters.iter().enumerate().filter(|(_, a)| a.link == *link);
    let is_group = to[0] & 1 == 1;
    let heard = on_link.filter(|&(i, a)| if is_group { i != from } else { a.mac == to });
    let adapters: Vec<usize> = heard.map(|(i, _)| i).collect();
    let hosts = is_group || adapters.is_empty();
    Route { adapters, hosts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(number: u8, link: &str) -> Adapter {
        let mac = [2, 0, 0, 0, 0, number];
        Adapter {
            name: format!("net{number}"),
            mac,
            mtu: 1500,
            link: link.into(),
        }
    }

    #[test]
    fn frames_stay_on_their_link() {
        let adapters = [
            adapter(0, "lan"),
            adapter(1, "lan"),
            adapter(2, "wan"),
            adapter(3, "lan"),
        ];
        let to = |last: u8| [2, 0, 0, 0, 0, last];
        let table: [(usize, [u8; 6], &[usize], bool); 6] = [
            (0, to(1), &[1], false),
            (0, to(0), &[0], false),
            (0, to(2), &[], true),
            (2, to(2), &[2], false),
            (1, [0xFF; 6], &[0, 3], true),
            (2, [0xFF; 6], &[], true),
        ];
        for (from, to, heard, hosts) in table {
            let expected = Route {
                adapters: heard.to_vec(),
                hosts,
            };
            assert_eq!(route(&adapters, from, &to), expected, "{from} to {to:x?}");
        }
    }
}
