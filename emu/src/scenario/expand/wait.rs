//! What streams and threads wait for.

use std::collections::BTreeMap;

use super::Expander;
use crate::scenario::condition::Scope;
use crate::scenario::error::ScenarioError;
use crate::scenario::packet::TcpFlags;
use crate::scenario::plan::{Await, Matcher, Protocol};
use crate::scenario::schema::{AwaitTable, Field, Spanned};

/// The protocols a matcher can name.
const PROTOCOLS: [(&str, Protocol); 3] = [
    ("tcp", Protocol::Tcp),
    ("udp", Protocol::Udp),
    ("icmp", Protocol::Icmp),
];

/// The most packets or bytes that can be waited for.
const COUNT_MAX: i64 = 1 << 30;

/// The stream that an `await` stands in.
#[derive(Clone, Copy)]
pub(super) struct Own {
    /// The host that sends, by index.
    pub host: usize,
    /// Its flow, by index.
    pub flow: Option<usize>,
}

impl Expander<'_> {
    /// The condition of an `await`. `own` is the stream it stands in; `streams` are
    /// the flows by the name of their stream.
    pub fn wait(
        &mut self,
        place: &Spanned<AwaitTable>,
        own: Option<Own>,
        streams: &BTreeMap<String, usize>,
        scope: &Scope,
    ) -> Result<Await, ScenarioError> {
        let (context, table) = (self.under(scope), place.get_ref());
        let kinds = [
            &table.flags,
            &table.acked,
            &table.received,
            &table.packets,
            &table.signal,
            &table.arp,
        ];
        if kinds.iter().filter(|kind| kind.is_some()).count() != 1 {
            let mend = "write one of flags, acked, received, packets, arp, signal";
            return Err(context.error(place, "await needs exactly one thing to wait for", mend));
        }
        if let (Some(count), None) = (&table.count, &table.flags) {
            let mend = "count belongs to flags; packets = 3 has its own number";
            return Err(context.error(count, "count means nothing here", mend));
        }
        if let Some(signal) = &table.signal {
            let name = context.text(signal)?;
            let signal = self.signal(&name);
            self.awaited.push((signal, place.span()));
            return Ok(Await::Signal(signal));
        }
        if let Some(arp) = &table.arp {
            let Some(Own { host, .. }) = own else {
                let mend = "write it in the stream of the host that asks";
                return Err(context.error(arp, "a thread is no host", mend));
            };
            let ip = context.ipv4(arp)?;
            return Ok(Await::Resolved { host, ip });
        }
        let own = own.and_then(|own| own.flow);
        let matches = [&table.adapter, &table.protocol, &table.to, &table.port];
        let matches: Vec<&Field> = matches.into_iter().flatten().collect();
        if let (Some(packets), None) = (&table.packets, &table.flow)
            && (own.is_none() || !matches.is_empty())
        {
            let count = context.number(packets, 1..=COUNT_MAX)? as u32;
            let matcher = self.matcher(table, scope)?;
            return Ok(Await::Sent { matcher, count });
        }
        if let Some(field) = matches.first() {
            let mend = "they choose among all packets sent, and go with packets, without flow";
            let problem = "adapter, protocol, to and port mean nothing here";
            return Err(context.error(field, problem, mend));
        }
        let flow = match (&table.flow, own) {
            (Some(name), _) => {
                let names = streams.keys().map(String::as_str);
                let index = context.find(name, "stream with a flow", names)?;
                streams.values().copied().nth(index)
            }
            (None, own) => own,
        };
        let Some(flow) = flow else {
            let mend = "name a stream: flow = \"...\"";
            return Err(context.error(place, "nothing says which flow is meant", mend));
        };
        let number = |field: &Option<Field>| context.number_or(field, 1..=COUNT_MAX, 1);
        let at_least = |field: &Option<Field>| context.number_or(field, 0..=COUNT_MAX, 0);
        if let Some(packets) = &table.packets {
            let count = context.number(packets, 1..=COUNT_MAX)? as u32;
            return Ok(Await::Packets { flow, count });
        }
        if table.received.is_some() {
            return Ok(Await::Received {
                flow,
                bytes: at_least(&table.received)? as u32,
            });
        }
        if self.flows[flow].protocol != Protocol::Tcp {
            let mend = "use packets or received";
            return Err(context.error(place, "only TCP has flags and acknowledgments", mend));
        }
        match &table.flags {
            Some(flags) => {
                let flags = self.flags(flags, scope)?;
                Ok(Await::Flags {
                    flow,
                    flags,
                    count: number(&table.count)? as u32,
                })
            }
            None => Ok(Await::Acked {
                flow,
                offset: at_least(&table.acked)? as u32,
            }),
        }
    }

    /// TCP flags from their letters.
    pub fn flags(&self, field: &Field, scope: &Scope) -> Result<TcpFlags, ScenarioError> {
        let context = self.under(scope);
        let letters = context.text(field)?;
        TcpFlags::from_letters(&letters).map_err(|wrong| {
            let mend = "flags are letters of S F R P A U E C, such as SA";
            context.error(field, format!("'{wrong}' is no TCP flag"), mend)
        })
    }

    /// Index of the matcher that a table describes.
    fn matcher(&mut self, table: &AwaitTable, scope: &Scope) -> Result<usize, ScenarioError> {
        let context = self.under(scope);
        let adapters = self.adapters.iter().map(|adapter| adapter.name.as_str());
        let adapter = table
            .adapter
            .as_ref()
            .map(|f| context.find(f, "adapter", adapters));
        let port = table.port.as_ref().map(|f| context.number(f, 1..=65535));
        let matcher = Matcher {
            adapter: adapter.transpose()?,
            protocol: table
                .protocol
                .as_ref()
                .map(|f| context.word(f, &PROTOCOLS))
                .transpose()?,
            to: table.to.as_ref().map(|f| context.ipv4(f)).transpose()?,
            port: port.transpose()?.map(|port| port as u16),
        };
        Ok(self
            .matchers
            .iter()
            .position(|known| *known == matcher)
            .unwrap_or_else(|| {
                self.matchers.push(matcher);
                self.matchers.len() - 1
            }))
    }
}
