//! Streams: first every stream's flow, because any step may refer to any of them, then the steps.

use std::collections::BTreeMap;

use super::Expander;
use super::wait::Own;
use crate::scenario::condition::Scope;
use crate::scenario::error::ScenarioError;
use crate::scenario::packet::PacketTemplate;
use crate::scenario::pcap;
use crate::scenario::plan::{Await, Flow, Protocol, Stream, StreamStep};
use crate::scenario::schema::{Field, FlowTable, Spanned, StreamStepTable, StreamTable};
use crate::scenario::settings::Value;

/// In the steps of a stream: the number of bytes that its flow has sent so far.
const SENT: &str = "sent";

/// Length of an Ethernet header.
const HEADER: usize = 14;

/// One stream that takes part, before its steps are known.
struct Instance<'a> {
    table: &'a StreamTable,
    name: String,
    /// The names that hold in it.
    scope: Scope,
    /// The host that sends, by index; a capture has none.
    host: Option<usize>,
    /// The flow that it declares, by index.
    flow: Option<usize>,
}

/// Who sends the packets of a stream, and how far it has come.
pub(super) struct Sender {
    /// The host, by index.
    pub host: usize,
    /// The flow, by index.
    pub flow: Option<usize>,
    /// Number of IPv4 packets so far, for their identification.
    pub packets: u16,
    /// Whether the flow's remote is sure to be known when the next step comes.
    remote_known: bool,
}

impl<'a> Expander<'a> {
    /// Every stream that takes part, expanded.
    pub fn streams(&mut self) -> Result<Vec<Stream>, ScenarioError> {
        let instances = self.instances()?;
        // Bytes sent so far, by flow, since streams can share one.
        let mut sent = vec![0; self.flows.len()];
        let mut streams = Vec::new();
        for instance in instances {
            let (adapter, steps) = match &instance.table.pcap {
                Some(path) => self.capture(path, &instance)?,
                None => self.script(&instance, &mut sent)?,
            };
            streams.push(Stream {
                name: instance.name,
                adapter,
                steps,
            });
        }
        Ok(streams)
    }

    /// Every flow's index by the name of the stream that declares it.
    pub fn flows_by_name(&self) -> BTreeMap<String, usize> {
        let named = |(index, flow): (usize, &Flow)| (flow.name.clone(), index);
        self.flows.iter().enumerate().map(named).collect()
    }

    /// The streams that take part; declares their flows.
    fn instances(&mut self) -> Result<Vec<Instance<'a>>, ScenarioError> {
        let mut instances: Vec<Instance<'a>> = Vec::new();
        let scenario = self.scenario;
        let mut scope = self.scope.clone();
        for table in &scenario.file.stream {
            self.repeated(
                &table.repeat,
                &table.counter,
                &mut scope,
                &mut |this, scope| {
                    let context = this.under(scope);
                    if !context.holds(&table.when)? {
                        return Ok(());
                    }
                    let name = context.text(&table.name)?;
                    if instances.iter().any(|other| other.name == name) {
                        let problem = format!("the stream '{name}' is there twice");
                        let mend =
                            "give it another name; in a repeat use the counter: \"load {n}\"";
                        return Err(context.error(&table.name, problem, mend));
                    }
                    let hosts = this.hosts.iter().map(|host| host.name.as_str());
                    let host = table
                        .host
                        .as_ref()
                        .map(|field| context.find(field, "host", hosts));
                    let host = host.transpose()?;
                    let flow = this.declare_flow(table, &name, host, scope)?;
                    instances.push(Instance {
                        table,
                        name,
                        scope: scope.clone(),
                        host,
                        flow,
                    });
                    Ok(())
                },
            )?;
        }
        Ok(instances)
    }

    /// The flow that a stream declares with `tcp`, `udp` or `icmp`.
    fn declare_flow(
        &mut self,
        stream: &StreamTable,
        name: &str,
        host: Option<usize>,
        scope: &Scope,
    ) -> Result<Option<usize>, ScenarioError> {
        let kinds = [
            (Protocol::Tcp, &stream.tcp),
            (Protocol::Udp, &stream.udp),
            (Protocol::Icmp, &stream.icmp),
        ];
        let mut declared = kinds
            .into_iter()
            .filter_map(|(kind, t)| Some((kind, t.as_ref()?)));
        let (first, second) = (declared.next(), declared.next());
        let context = self.under(scope);
        if let (Some((_, place)), true) = (first, second.is_some() || stream.flow.is_some()) {
            let mend = "write one of tcp, udp, icmp, flow; another stream takes the other";
            return Err(context.error(place, "a stream has one flow", mend));
        }
        let Some((protocol, place)) = first else {
            return Ok(None);
        };
        let Some(host) = host else {
            let mend = "add host = \"...\"";
            return Err(context.error(place, "nothing says who sends", mend));
        };
        let mut flow = self.flow(protocol, place, scope)?;
        (flow.name, flow.host) = (name.to_owned(), host);
        self.flows.push(flow);
        Ok(Some(self.flows.len() - 1))
    }

    /// A flow, but for its name and host.
    fn flow(
        &self,
        protocol: Protocol,
        place: &Spanned<FlowTable>,
        scope: &Scope,
    ) -> Result<Flow, ScenarioError> {
        let (context, table) = (self.under(scope), place.get_ref());
        let error = |problem: &str, mend: &str| Err(context.error(place, problem, mend));
        let accepts = context.boolean_or(&table.accept, false)?;
        if accepts == table.to.is_some() {
            return error(
                "a flow either begins or is begun",
                "write to = \"ADDRESS\", or accept = true for the one who is spoken to",
            );
        }
        let is_icmp = protocol == Protocol::Icmp;
        let port = |field: &Option<Field>, name: &str, is_wanted: bool| match field {
            Some(field) if is_wanted => context.number(field, 1..=65535).map(|port| port as u16),
            Some(field) => {
                let problem = format!("{name} means nothing here");
                Err(context.error(field, problem, "leave it away"))
            }
            None if is_wanted => {
                let problem = format!("the flow has no {name}");
                Err(context.error(place, problem, format!("add {name} = ...")))
            }
            None => Ok(0),
        };
        let own_port = port(&table.port, "port", !is_icmp)?;
        let identifier = port(&table.id, "id", is_icmp && !accepts)?;
        let remote_port = port(&table.to_port, "to_port", !is_icmp && !accepts)?;
        let remote = table.to.as_ref().map(|to| context.ipv4(to)).transpose()?;
        if protocol != Protocol::Tcp && (table.isn.is_some() || table.acknowledge.is_some()) {
            return error(
                "only TCP has sequence numbers",
                "leave isn and acknowledge away",
            );
        }
        Ok(Flow {
            name: String::new(),
            host: 0,
            protocol,
            port: if is_icmp { identifier } else { own_port },
            remote: remote.map(|ip| (ip, remote_port)),
            isn: context.number_or(&table.isn, 0..=0xFFFF_FFFF, 1000)? as u32,
            acknowledge: context.boolean_or(&table.acknowledge, true)?,
        })
    }

    /// The steps of a scripted stream, and its adapter.
    fn script(
        &mut self,
        instance: &Instance<'_>,
        sent: &mut [u32],
    ) -> Result<(usize, Vec<StreamStep>), ScenarioError> {
        let table = instance.table;
        let context = self.under(&instance.scope);
        let flows = self.flows_by_name();
        let shared = table.flow.as_ref().map(|field| {
            let names = flows.keys().map(String::as_str);
            let index = context.find(field, "stream with a flow", names)?;
            Ok(flows.values().copied().nth(index))
        });
        let flow = shared.transpose()?.flatten().or(instance.flow);
        let host = flow.map(|flow| self.flows[flow].host).or(instance.host);
        let Some(host) = host else {
            let mend = "add host = \"...\", or pcap = \"FILE\" for the frames of a capture";
            return Err(context.error(&table.name, "nothing says who sends", mend));
        };
        let unused = [&table.adapter, &table.to_mac, &table.count];
        if let Some(field) = unused.into_iter().flatten().next() {
            let problem = "adapter, to_mac and count of a stream belong to pcap";
            return Err(context.error(field, problem, "leave it away"));
        }
        let remote_known = flow.is_none_or(|flow| self.flows[flow].remote.is_some());
        let mut sender = Sender {
            host,
            flow,
            packets: 0,
            remote_known,
        };
        let mut scope = instance.scope.clone();
        set_sent(&mut scope, flow, sent);
        let mut steps = Vec::new();
        self.each_step(&table.step, &mut scope, &mut |this, step, scope| {
            this.stream_step(step, scope, &mut sender, sent, &flows, &mut steps)?;
            set_sent(scope, sender.flow, sent);
            Ok(())
        })?;
        Ok((self.hosts[host].adapter, steps))
    }

    /// One step: adds what it comes to.
    fn stream_step(
        &mut self,
        place: &Spanned<StreamStepTable>,
        scope: &Scope,
        sender: &mut Sender,
        sent: &mut [u32],
        flows: &BTreeMap<String, usize>,
        steps: &mut Vec<StreamStep>,
    ) -> Result<(), ScenarioError> {
        let step = place.get_ref();
        let context = self.under(scope);
        match (&step.send, &step.wait, &step.signal) {
            (Some(send), None, None) => {
                let packet = self.packet(send, place, scope, sender, sent)?;
                // Who is spoken to cannot answer before that has happened.
                if let (PacketTemplate::Ip(ip), false) = (&packet, sender.remote_known) {
                    steps.push(StreamStep::Await(Await::Packets {
                        flow: ip.flow,
                        count: 1,
                    }));
                    sender.remote_known = true;
                }
                steps.push(StreamStep::Send(packet));
            }
            (None, Some(wait), None) => {
                let own = Own {
                    host: sender.host,
                    flow: sender.flow,
                };
                let wait = self.wait(wait, Some(own), flows, scope)?;
                sender.remote_known |= wait.flow().is_some() && wait.flow() == sender.flow;
                steps.push(StreamStep::Await(wait));
            }
            (None, None, Some(name)) => {
                let name = context.text(name)?;
                let signal = self.signal(&name);
                self.raised.insert(signal);
                steps.push(StreamStep::Signal(signal));
            }
            _ => {
                let mend = "write one of send, await, signal, or steps inside: step = [...]";
                return Err(context.error(place, "a step does exactly one thing", mend));
            }
        }
        Ok(())
    }

    /// The frames of a capture file, and the adapter.
    fn capture(
        &mut self,
        path: &Field,
        instance: &Instance<'_>,
    ) -> Result<(usize, Vec<StreamStep>), ScenarioError> {
        let (context, table) = (self.under(&instance.scope), instance.table);
        let Some(adapter) = &table.adapter else {
            return Err(context.error(
                path,
                "nothing says where it arrives",
                "add adapter = \"...\"",
            ));
        };
        if !table.step.is_empty() || instance.host.is_some() || instance.flow.is_some() {
            let mend = "leave host, tcp, udp, icmp and step away, or write another stream";
            return Err(context.error(path, "a capture has its own packets", mend));
        }
        let names = self.adapters.iter().map(|adapter| adapter.name.as_str());
        let adapter = context.find(adapter, "adapter", names)?;
        let name = context.text(path)?;
        let unreadable = |problem| {
            context.error(
                path,
                format!("{name} {problem}"),
                "name a readable capture of Ethernet",
            )
        };
        let file = (self.files)(&name).map_err(|e| unreadable(format!("cannot be read: {e}")))?;
        let frames = pcap::frames(&file).map_err(unreadable)?;
        let to = table
            .to_mac
            .as_ref()
            .map(|field| context.mac(field))
            .transpose()?;
        let count = context.number_or(&table.count, 1..=1 << 20, 1 << 20)? as usize;
        let frames: Vec<Vec<u8>> = frames
            .into_iter()
            .filter(|frame| to.is_none_or(|to| frame.starts_with(&to)))
            .take(count)
            .collect();
        let max = usize::from(self.adapters[adapter].mtu) + HEADER;
        if let Some(frame) = frames.iter().find(|f| !(HEADER..=max).contains(&f.len())) {
            let problem = format!("{name} has a frame of {} bytes", frame.len());
            let mend = format!("this adapter takes {HEADER} to {max} bytes");
            return Err(context.error(path, problem, mend));
        }
        let steps: Vec<StreamStep> = frames
            .into_iter()
            .map(|frame| StreamStep::Send(PacketTemplate::Frame(frame)))
            .collect();
        if steps.is_empty() {
            let mend = "check to_mac, which has to be the frames' destination";
            return Err(context.error(path, format!("{name} has no such frames"), mend));
        }
        for _ in &steps {
            self.spend(path.span())?;
        }
        Ok((adapter, steps))
    }
}

fn set_sent(scope: &mut Scope, flow: Option<usize>, sent: &[u32]) {
    let bytes = flow.map_or(0, |flow| sent[flow]);
    scope.insert(SENT.to_owned(), Value::Int(bytes.into()).into());
}
