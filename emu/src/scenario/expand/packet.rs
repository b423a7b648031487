//! A `send` step as a packet template.

use super::Expander;
use super::stream::Sender;
use crate::scenario::condition::Scope;
use crate::scenario::error::ScenarioError;
use crate::scenario::packet::{
    ArpTemplate, Checksum, EchoTemplate, Fragment, IpTemplate, Link, PacketTemplate, TcpFlags,
    TcpTemplate, Transport, UdpTemplate,
};
use crate::scenario::plan::Protocol;
use crate::scenario::schema::{Field, FragmentTable, Spanned, StreamStepTable};

const BROADCAST: [u8; 6] = [0xFF; 6];

/// What a stack of that time offers: six segments of Ethernet size.
const WINDOW: i64 = 8760;

const CHECKSUMS: [(&str, Checksum); 3] = [
    ("right", Checksum::Right),
    ("wrong", Checksum::Wrong),
    ("none", Checksum::None),
];

/// What a `send` puts on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Frame,
    ArpRequest,
    ArpReply,
    Segment(TcpFlags),
    Datagram,
    EchoRequest,
    EchoReply,
}

impl Expander<'_> {
    /// The packet of a step. Updates the number of bytes sent.
    pub fn packet(
        &mut self,
        send: &Field,
        place: &Spanned<StreamStepTable>,
        scope: &Scope,
        sender: &mut Sender,
        sent: &mut [u32],
    ) -> Result<PacketTemplate, ScenarioError> {
        let kind = self.kind(send, scope, sender)?;
        self.check_keys(kind, send, place.get_ref(), scope)?;
        let (context, step) = (self.under(scope), place.get_ref());
        let host = &self.hosts[sender.host];
        let adapter = &self.adapters[host.adapter];
        let to_mac = step
            .to_mac
            .as_ref()
            .map(|field| context.mac(field))
            .transpose()?;
        match kind {
            Kind::Frame => {
                let bytes = context.bytes_or_none(&step.data, self.profile)?;
                let max = usize::from(adapter.mtu) + 14;
                match (14..=max).contains(&bytes.len()) {
                    true => Ok(PacketTemplate::Frame(bytes)),
                    false => {
                        let problem = format!("a frame of {} bytes", bytes.len());
                        let mend = format!("it has a header of 14 bytes and at most {max} in all");
                        Err(context.error(place, problem, mend))
                    }
                }
            }
            Kind::ArpRequest | Kind::ArpReply => {
                let request = kind == Kind::ArpRequest;
                let link = Link {
                    source: host.mac,
                    destination: to_mac.unwrap_or(BROADCAST),
                };
                let target = step
                    .ip
                    .as_ref()
                    .map(|field| context.ipv4(field))
                    .transpose()?;
                Ok(PacketTemplate::Arp(ArpTemplate {
                    link,
                    request,
                    sender_mac: host.mac,
                    sender_ip: host.ip,
                    target_mac: if request {
                        [0; 6]
                    } else {
                        to_mac.unwrap_or(BROADCAST)
                    },
                    // Without an address it announces its own.
                    target_ip: target.unwrap_or(host.ip),
                }))
            }
            _ => {
                let link = Link {
                    source: host.mac,
                    destination: to_mac.unwrap_or(adapter.mac),
                };
                self.ip(kind, link, place, scope, sender, sent)
                    .map(PacketTemplate::Ip)
            }
        }
    }

    /// What the word after `send` means in this stream.
    fn kind(&self, send: &Field, scope: &Scope, sender: &Sender) -> Result<Kind, ScenarioError> {
        let context = self.under(scope);
        let mut words = vec![
            ("frame", Kind::Frame),
            ("arp request", Kind::ArpRequest),
            ("arp reply", Kind::ArpReply),
        ];
        let protocol = sender.flow.map(|flow| self.flows[flow].protocol);
        let text = context.text(send)?;
        match protocol {
            Some(Protocol::Tcp) if !words.iter().any(|(word, _)| *word == text) => {
                return self.flags(send, scope).map(Kind::Segment);
            }
            Some(Protocol::Udp) => words.push(("datagram", Kind::Datagram)),
            Some(Protocol::Icmp) => {
                words.push(("echo request", Kind::EchoRequest));
                words.push(("echo reply", Kind::EchoReply));
            }
            _ => {}
        }
        context.word(send, &words)
    }

    /// Keys that mean nothing for this kind of packet are mistakes.
    fn check_keys(
        &self,
        kind: Kind,
        send: &Field,
        step: &StreamStepTable,
        scope: &Scope,
    ) -> Result<(), ScenarioError> {
        let is_arp = matches!(kind, Kind::ArpRequest | Kind::ArpReply);
        let is_tcp = matches!(kind, Kind::Segment(_));
        let is_echo = matches!(kind, Kind::EchoRequest | Kind::EchoReply);
        let is_ip = is_tcp || is_echo || kind == Kind::Datagram;
        let written = [
            ("data", step.data.is_some(), !is_arp),
            ("offset", step.offset.is_some(), is_tcp),
            ("ack", step.ack.is_some(), is_tcp),
            ("window", step.window.is_some(), is_tcp),
            ("urgent", step.urgent.is_some(), is_tcp),
            ("mss", step.mss.is_some(), is_tcp),
            ("sequence", step.sequence.is_some(), is_echo),
            ("checksum", step.checksum.is_some(), is_ip),
            ("ip_checksum", step.ip_checksum.is_some(), is_ip),
            ("ttl", step.ttl.is_some(), is_ip),
            ("id", step.id.is_some(), is_ip),
            ("dont_fragment", step.dont_fragment.is_some(), is_ip),
            ("fragment", step.fragment.is_some(), is_ip),
            ("ip", step.ip.is_some(), is_arp),
            ("to_mac", step.to_mac.is_some(), kind != Kind::Frame),
        ];
        match written
            .into_iter()
            .find(|(_, is_written, has_meaning)| *is_written && !has_meaning)
        {
            None => Ok(()),
            Some((key, ..)) => {
                let problem = format!("the key '{key}' means nothing for this packet");
                Err(self.under(scope).error(send, problem, "leave it away"))
            }
        }
    }

    fn ip(
        &self,
        kind: Kind,
        link: Link,
        place: &Spanned<StreamStepTable>,
        scope: &Scope,
        sender: &mut Sender,
        sent: &mut [u32],
    ) -> Result<IpTemplate, ScenarioError> {
        let (context, step) = (self.under(scope), place.get_ref());
        // `kind` only finds segments, datagrams and echoes in a stream that has a flow.
        let flow = sender.flow.unwrap_or_default();
        let data = context.bytes_or_none(&step.data, self.profile)?;
        let checksum = self.checksum(&step.checksum, scope)?;
        let length = data.len()
            + if matches!(kind, Kind::Segment(_)) {
                20
            } else {
                8
            };
        let transport = match kind {
            Kind::Segment(flags) => {
                let segment = self.segment(flags, checksum, data, step, scope, sent[flow])?;
                sent[flow] = sent[flow].max(segment.end());
                Transport::Tcp(segment)
            }
            Kind::EchoRequest | Kind::EchoReply => Transport::Echo(EchoTemplate {
                request: kind == Kind::EchoRequest,
                sequence: context.number_or(&step.sequence, 0..=65535, 1)? as u16,
                checksum,
                data,
            }),
            _ => Transport::Udp(UdpTemplate { checksum, data }),
        };
        let fragment = step
            .fragment
            .as_ref()
            .map(|part| self.fragment(part, scope))
            .transpose()?;
        let adapter = &self.adapters[self.hosts[sender.host].adapter];
        let carried = fragment.map_or(length, |part| length.min(part.length.into()));
        if carried + 20 > usize::from(adapter.mtu) || length > 65_515 {
            let problem = format!("a packet of {} bytes on {}", carried + 20, adapter.name);
            let mend = format!("send at most {} bytes, or use fragment", adapter.mtu);
            return Err(context.error(place, problem, mend));
        }
        sender.packets = sender.packets.wrapping_add(1);
        Ok(IpTemplate {
            link,
            flow,
            ttl: context.number_or(&step.ttl, 0..=255, 64)? as u8,
            id: context.number_or(&step.id, 0..=65535, sender.packets.into())? as u16,
            dont_fragment: context.boolean_or(&step.dont_fragment, fragment.is_none())?,
            fragment,
            checksum: self.checksum(&step.ip_checksum, scope)?,
            transport,
        })
    }

    fn segment(
        &self,
        flags: TcpFlags,
        checksum: Checksum,
        data: Vec<u8>,
        step: &StreamStepTable,
        scope: &Scope,
        sent: u32,
    ) -> Result<TcpTemplate, ScenarioError> {
        let context = self.under(scope);
        if let (Some(urgent), false) = (&step.urgent, flags.contains(TcpFlags::URG)) {
            // A pointer without its flag may be meant, but only if it says so with a zero.
            if context.number(urgent, 0..=65535)? != 0 {
                let mend = "add U to the flags";
                return Err(context.error(urgent, "an urgent pointer without its flag", mend));
            }
        }
        let ack = step
            .ack
            .as_ref()
            .map(|field| context.number(field, 0..=1 << 31))
            .transpose()?;
        let mss = step
            .mss
            .as_ref()
            .map(|field| context.number(field, 0..=65535))
            .transpose()?;
        Ok(TcpTemplate {
            flags,
            offset: context.number_or(&step.offset, 0..=1 << 31, sent.into())? as u32,
            ack: ack.map(|ack| ack as u32),
            window: context.number_or(&step.window, 0..=65535, WINDOW)? as u16,
            urgent: context.number_or(&step.urgent, 0..=65535, 0)? as u16,
            mss: mss.map(|mss| mss as u16),
            checksum,
            data,
        })
    }

    fn fragment(
        &self,
        place: &Spanned<FragmentTable>,
        scope: &Scope,
    ) -> Result<Fragment, ScenarioError> {
        let (context, table) = (self.under(scope), place.get_ref());
        let offset = context.number(&table.offset, 0..=65_528)? as u16;
        if !offset.is_multiple_of(8) {
            let problem = "a fragment begins at a multiple of 8";
            return Err(context.error(&table.offset, problem, "see RFC 791, Fragment Offset"));
        }
        let length = context.number(&table.length, 1..=65_515)? as u16;
        Ok(Fragment {
            offset,
            length,
            more: context.boolean(&table.more)?,
        })
    }

    fn checksum(&self, field: &Option<Field>, scope: &Scope) -> Result<Checksum, ScenarioError> {
        let word = |field| self.under(scope).word(field, &CHECKSUMS);
        field.as_ref().map_or(Ok(Checksum::Right), word)
    }
}
