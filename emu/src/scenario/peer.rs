//! The other machines on the wires at run time: they build the packets of their scripts, answer
//! ARP, acknowledge TCP data, and remember how far each conversation has come.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use etherparse::{ArpEthIpv4Packet, ArpOperation, LinkSlice, NetSlice, SlicedPacket};

use super::conversation::{Conversation, Packet, packet};
use super::frame::{self, Numbers};
use super::packet::{
    ArpTemplate, Checksum, IpTemplate, Link, PacketTemplate, TcpFlags, TcpTemplate, Transport,
};
use super::plan::{Await, Flow, Host, Matcher, Plan};

/// The window that hosts offer when they acknowledge on their own.
const WINDOW: u16 = 8760;

/// All hosts of a plan. A plain value: a clone of the machine clones it along.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    wires: Arc<Wires>,
    conversations: Vec<Conversation>,
    /// Packets seen, per matcher.
    sent: Vec<u32>,
    signals: Vec<bool>,
    /// Which host has learned whose station address.
    resolved: BTreeSet<(usize, Ipv4Addr)>,
}

/// What a sent frame brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Observed {
    /// Frames that now come back on the same adapter, in this order: an ARP reply, an
    /// acknowledgment.
    pub replies: Vec<Vec<u8>>,
    /// Index of the flow that the frame belongs to.
    pub flow: Option<usize>,
}

/// The part of a plan that does not change.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Wires {
    hosts: Vec<Host>,
    flows: Vec<Flow>,
    matchers: Vec<Matcher>,
}

impl Peer {
    /// The hosts of a plan, before anything was sent.
    pub fn new(plan: &Plan) -> Peer {
        let start = |flow: &Flow| Conversation::new(flow.remote);
        Peer {
            conversations: plan.flows.iter().map(start).collect(),
            sent: vec![0; plan.matchers.len()],
            signals: vec![false; plan.signals.len()],
            resolved: BTreeSet::new(),
            wires: Arc::new(Wires {
                hosts: plan.hosts.clone(),
                flows: plan.flows.clone(),
                matchers: plan.matchers.clone(),
            }),
        }
    }

    /// The frame that a template stands for now, which is when the host sends it. The
    /// acknowledgment number says what the host has received so far; of a flow whose remote is
    /// not known yet it and the remote's address are zero.
    pub fn build(&mut self, template: &PacketTemplate) -> Vec<u8> {
        match template {
            PacketTemplate::Frame(bytes) => bytes.clone(),
            PacketTemplate::Arp(arp) => frame::arp(arp),
            PacketTemplate::Ip(ip) => {
                if let Transport::Tcp(segment) = &ip.transport {
                    let sent = &mut self.conversations[ip.flow].sent;
                    *sent = (*sent).max(segment.end());
                }
                self.build_ip(ip)
            }
        }
    }

    fn build_ip(&self, template: &IpTemplate) -> Vec<u8> {
        let flow = &self.wires.flows[template.flow];
        let conversation = &self.conversations[template.flow];
        let from = (self.wires.hosts[flow.host].ip, flow.port);
        let to = conversation.remote.unwrap_or((Ipv4Addr::UNSPECIFIED, 0));
        let remote_isn = conversation.remote_isn.unwrap_or(0);
        let ack = match conversation.remote_isn {
            Some(isn) => isn.wrapping_add(1).wrapping_add(conversation.received),
            None => 0,
        };
        frame::ip(
            template,
            from,
            to,
            Numbers {
                isn: flow.isn,
                ack,
                remote_isn,
            },
        )
    }

    /// Takes note of a frame that a driver sent on an adapter.
    pub fn observe(&mut self, adapter: usize, frame: &[u8]) -> Observed {
        let Ok(sliced) = SlicedPacket::from_ethernet(frame) else {
            return Observed::default();
        };
        if let Some(NetSlice::Arp(arp)) = &sliced.net {
            let arp = arp.to_packet().try_eth_ipv4().ok();
            let reply = arp.and_then(|arp| self.receive_arp(adapter, &arp));
            return Observed {
                replies: reply.into_iter().collect(),
                flow: None,
            };
        }
        let Some(NetSlice::Ipv4(ip)) = &sliced.net else {
            return Observed::default();
        };
        let packet = packet(&sliced);
        self.count(
            adapter,
            ip.header().destination_addr(),
            ip.header().protocol().0,
            &packet,
        );
        let Some(packet) = packet else {
            return Observed::default();
        };
        let Some(flow) = self.flow_of(adapter, &packet) else {
            return Observed::default();
        };
        let reply = self.receive(flow, &packet, sender(&sliced));
        Observed {
            replies: reply.into_iter().collect(),
            flow: Some(flow),
        }
    }

    /// Whether what a step waits for has come true.
    pub fn reached(&self, condition: &Await) -> bool {
        match *condition {
            Await::Flags { flow, flags, count } => {
                let seen = self.conversations[flow].flags.iter();
                seen.filter(|(f, _)| f.contains(flags))
                    .map(|(_, n)| n)
                    .sum::<u32>()
                    >= count
            }
            Await::Acked { flow, offset } => self.conversations[flow]
                .acked
                .is_some_and(|acked| acked >= offset),
            Await::Received { flow, bytes } => self.conversations[flow].received >= bytes,
            Await::Packets { flow, count } => self.conversations[flow].packets >= count,
            Await::Sent { matcher, count } => self.sent[matcher] >= count,
            Await::Resolved { host, ip } => self.resolved.contains(&(host, ip)),
            Await::Signal(signal) => self.signals[signal],
        }
    }

    /// Raises a signal, for good.
    pub fn signal(&mut self, signal: usize) {
        self.signals[signal] = true;
    }

    /// An ARP packet was sent to the hosts on a wire: they learn from it, and one may reply.
    fn receive_arp(&mut self, adapter: usize, arp: &ArpEthIpv4Packet) -> Option<Vec<u8>> {
        let (sender, target) = (arp.sender_ipv4_addr(), arp.target_ipv4_addr());
        let meant = |host: &Host| host.adapter == adapter && host.ip == target;
        let host = self.wires.hosts.iter().position(meant)?;
        self.resolved.insert((host, sender));
        let host = &self.wires.hosts[host];
        (host.arp && arp.operation == ArpOperation::REQUEST).then(|| {
            frame::arp(&ArpTemplate {
                link: Link {
                    source: host.mac,
                    destination: arp.sender_mac,
                },
                request: false,
                sender_mac: host.mac,
                sender_ip: host.ip,
                target_mac: arp.sender_mac,
                target_ip: sender,
            })
        })
    }

    /// Counts a packet for every matcher that it fits.
    fn count(&mut self, adapter: usize, to: Ipv4Addr, protocol: u8, packet: &Option<Packet>) {
        let port = packet.as_ref().map(|packet| packet.to.1);
        for (matcher, sent) in self.wires.matchers.iter().zip(&mut self.sent) {
            let fits = matcher.adapter.is_none_or(|wanted| wanted == adapter)
                && matcher
                    .protocol
                    .is_none_or(|wanted| wanted.number() == protocol)
                && matcher.to.is_none_or(|wanted| wanted == to)
                && matcher.port.is_none_or(|wanted| Some(wanted) == port);
            *sent += u32::from(fits);
        }
    }

    /// The flow that a packet belongs to: the one with this remote, else the first that waits
    /// for its remote, which herewith is known.
    fn flow_of(&mut self, adapter: usize, packet: &Packet) -> Option<usize> {
        let wires = &self.wires;
        let is_for = |flow: &Flow| {
            let host = &wires.hosts[flow.host];
            host.adapter == adapter
                && (host.ip, flow.port) == packet.to
                && flow.protocol == packet.protocol
        };
        let mine: Vec<usize> = (0..wires.flows.len())
            .filter(|&i| is_for(&wires.flows[i]))
            .collect();
        let with = |remote| {
            mine.iter()
                .copied()
                .find(|&i| self.conversations[i].remote == remote)
        };
        let opens = packet
            .segment
            .as_ref()
            .is_none_or(|s| s.flags.contains(TcpFlags::SYN));
        let flow = with(Some(packet.from)).or_else(|| with(None).filter(|_| opens))?;
        self.conversations[flow].remote = Some(packet.from);
        Some(flow)
    }

    /// A packet reached the host of its flow, which may acknowledge it.
    fn receive(&mut self, flow: usize, packet: &Packet, sender: [u8; 6]) -> Option<Vec<u8>> {
        let Flow {
            isn,
            host,
            acknowledge,
            ..
        } = self.wires.flows[flow];
        let conversation = &mut self.conversations[flow];
        conversation.packets += 1;
        let Some(segment) = &packet.segment else {
            conversation.received = conversation.received.saturating_add(packet.length);
            return None;
        };
        conversation.take(segment, isn);
        // A SYN is answered by the script; a reset by nobody.
        let closed = TcpFlags(TcpFlags::SYN.0 | TcpFlags::RST.0);
        let owes = segment.length > 0 && segment.flags.0 & closed.0 == 0;
        let link = Link {
            source: self.wires.hosts[host].mac,
            destination: sender,
        };
        (acknowledge && owes).then(|| self.build_ip(&self.acknowledgment(flow, link)))
    }

    /// The segment by which a host acknowledges what it received.
    fn acknowledgment(&self, flow: usize, link: Link) -> IpTemplate {
        IpTemplate {
            link,
            flow,
            ttl: 64,
            id: 0,
            dont_fragment: true,
            fragment: None,
            checksum: Checksum::Right,
            transport: Transport::Tcp(TcpTemplate {
                flags: TcpFlags::ACK,
                offset: self.conversations[flow].sent,
                ack: None,
                window: WINDOW,
                urgent: 0,
                mss: None,
                checksum: Checksum::Right,
                data: Vec::new(),
            }),
        }
    }
}

/// The station that sent a frame.
fn sender(sliced: &SlicedPacket<'_>) -> [u8; 6] {
    match &sliced.link {
        Some(LinkSlice::Ethernet2(link)) => link.source(),
        _ => [0xFF; 6],
    }
}
