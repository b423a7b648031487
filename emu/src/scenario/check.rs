//! Every expression of a file is checked when the file is read, also where the choices of a run
//! would pass it by: a misspelt name must not wait for the one selection that reaches it.

use super::Scenario;
use super::condition::{Scope, Type};
use super::context::Context;
use super::error::{ScenarioError, Source};
use super::parse::is_name;
use super::schema::{
    AwaitTable, Data, ExpectTable, Field, FlowTable, Ioctl, RegistryItem, Scalar, Spanned,
    StreamStepTable, StreamTable, ThreadStepTable, ThreadTable,
};
use super::settings::Value;

/// The counter of a `repeat` that does not name one.
pub(super) const COUNTER: &str = "n";

type Checked = Result<(), ScenarioError>;

/// Checks the names and types of every expression in the file.
pub(super) fn names_and_types(scenario: &Scenario) -> Checked {
    let (profile, personality) = (scenario.profiles[0], scenario.personalities[0]);
    let scope = scenario.scope(profile, personality, scenario.cpus, |s| s.default.clone())?;
    let checker = Checker {
        source: &scenario.source,
        scope,
    };
    let file = &scenario.file;
    checker.numbers(&[
        &file.machine.nonpaged_pool_kib,
        &file.machine.paged_pool_kib,
    ])?;
    checker.booleans(&[&file.machine.special_pool])?;
    let limits = &file.limits;
    checker.numbers(&[&limits.instructions, &limits.driver_entry, &limits.choices])?;
    checker.numbers(&[&limits.dpc, &limits.spin_lock])?;
    for driver in &file.driver {
        checker.text(&driver.name)?;
        checker.texts(&[&driver.build, &driver.service, &driver.file])?;
        checker.booleans(&[&driver.when])?;
    }
    for registry in &file.registry {
        checker.text(&registry.key)?;
        checker.booleans(&[&registry.when])?;
        registry
            .values
            .values()
            .try_for_each(|item| checker.registry_item(item))?;
    }
    for adapter in &file.adapter {
        checker.texts(&[&adapter.mac, &adapter.link])?;
        checker.numbers(&[&adapter.mtu])?;
    }
    for host in &file.host {
        checker.numbers(&[&host.repeat])?;
        let checker = checker.within(&host.repeat, &host.counter)?;
        [&host.name, &host.adapter, &host.ip]
            .into_iter()
            .try_for_each(|f| checker.text(f))?;
        checker.texts(&[&host.mac])?;
        checker.booleans(&[&host.arp])?;
    }
    file.stream
        .iter()
        .try_for_each(|stream| checker.stream(stream))?;
    file.thread
        .iter()
        .try_for_each(|thread| checker.thread(thread))?;
    for fault in &file.fault {
        for (key, field) in fault.0.get_ref() {
            match (key.get_ref().as_str(), field.get_ref()) {
                ("when", _) => checker.boolean(field)?,
                ("kind", _) | (_, Scalar::Text(_)) => checker.text(field)?,
                _ => {}
            }
        }
    }
    file.expect
        .iter()
        .try_for_each(|expect| checker.expect(expect))
}

struct Checker<'a> {
    source: &'a Source,
    scope: Scope,
}

impl Checker<'_> {
    fn stream(&self, stream: &StreamTable) -> Checked {
        self.numbers(&[&stream.repeat])?;
        let checker = self.within(&stream.repeat, &stream.counter)?;
        checker.booleans(&[&stream.when])?;
        checker.text(&stream.name)?;
        checker.texts(&[&stream.host, &stream.flow, &stream.adapter, &stream.pcap])?;
        checker.texts(&[&stream.to_mac])?;
        checker.numbers(&[&stream.count])?;
        for flow in [&stream.tcp, &stream.udp, &stream.icmp]
            .into_iter()
            .flatten()
        {
            checker.flow(flow.get_ref())?;
        }
        checker.with("sent").stream_steps(&stream.step)
    }

    fn flow(&self, flow: &FlowTable) -> Checked {
        self.texts(&[&flow.to])?;
        self.numbers(&[&flow.port, &flow.id, &flow.to_port, &flow.isn])?;
        self.booleans(&[&flow.accept, &flow.acknowledge])
    }

    fn stream_steps(&self, steps: &[Spanned<StreamStepTable>]) -> Checked {
        for step in steps.iter().map(Spanned::get_ref) {
            self.numbers(&[&step.repeat])?;
            self.booleans(&[&step.when, &step.dont_fragment])?;
            self.texts(&[&step.send, &step.signal, &step.checksum, &step.ip_checksum])?;
            self.texts(&[&step.ip, &step.to_mac])?;
            self.numbers(&[
                &step.offset,
                &step.ack,
                &step.window,
                &step.urgent,
                &step.mss,
            ])?;
            self.numbers(&[&step.sequence, &step.ttl, &step.id])?;
            self.data(&step.data)?;
            self.wait(&step.wait)?;
            if let Some(fragment) = &step.fragment {
                self.number(&fragment.get_ref().offset)?;
                self.number(&fragment.get_ref().length)?;
                self.boolean(&fragment.get_ref().more)?;
            }
            self.within(&step.repeat, &step.counter)?
                .stream_steps(&step.step)?;
        }
        Ok(())
    }

    fn thread(&self, thread: &ThreadTable) -> Checked {
        self.numbers(&[&thread.repeat])?;
        let checker = self.within(&thread.repeat, &thread.counter)?;
        checker.booleans(&[&thread.when])?;
        checker.text(&thread.name)?;
        checker.numbers(&[&thread.priority])?;
        checker.thread_steps(&thread.step)
    }

    fn thread_steps(&self, steps: &[Spanned<ThreadStepTable>]) -> Checked {
        for step in steps.iter().map(Spanned::get_ref) {
            self.numbers(&[&step.repeat])?;
            self.booleans(&[&step.when])?;
            self.texts(&[&step.open, &step.close, &step.flush, &step.unload])?;
            self.texts(&[&step.handle, &step.signal])?;
            self.numbers(&[&step.output, &step.read, &step.offset, &step.sleep_ms])?;
            if !matches!(&step.status, Some(status) if is_any(status)) {
                self.numbers(&[&step.status])?;
            }
            match step
                .ioctl
                .as_ref()
                .map(|ioctl| (ioctl.span(), ioctl.get_ref()))
            {
                Some((span, Ioctl::Code(code))) => {
                    self.number(&Spanned::new(span, code.clone()))?;
                }
                Some((_, Ioctl::Parts(parts))) => {
                    self.number(&parts.device)?;
                    self.number(&parts.function)?;
                    self.text(&parts.method)?;
                    self.text(&parts.access)?;
                }
                None => {}
            }
            if let Some(ea) = &step.ea {
                self.text(&ea.get_ref().name)?;
                self.bytes(ea.get_ref().value.get_ref(), ea.get_ref().value.span())?;
            }
            self.data(&step.input)?;
            self.data(&step.write)?;
            self.wait(&step.wait)?;
            self.within(&step.repeat, &step.counter)?
                .thread_steps(&step.step)?;
        }
        Ok(())
    }

    fn wait(&self, wait: &Option<Spanned<AwaitTable>>) -> Checked {
        let Some(wait) = wait.as_ref().map(Spanned::get_ref) else {
            return Ok(());
        };
        self.texts(&[&wait.flags, &wait.signal, &wait.flow, &wait.adapter])?;
        self.texts(&[&wait.protocol, &wait.to, &wait.arp])?;
        self.numbers(&[
            &wait.count,
            &wait.acked,
            &wait.received,
            &wait.packets,
            &wait.port,
        ])
    }

    fn expect(&self, expect: &ExpectTable) -> Checked {
        self.booleans(&[&expect.when])?;
        self.text(&expect.stop)?;
        self.texts(&[&expect.module, &expect.how])?;
        self.numbers(&[
            &expect.bugcheck,
            &expect.irql,
            &expect.parameter1,
            &expect.parameter2,
        ])?;
        self.numbers(&[&expect.parameter3, &expect.parameter4, &expect.preemptions])
    }

    fn registry_item(&self, item: &RegistryItem) -> Checked {
        match item {
            RegistryItem::Scalar(field) => match field.get_ref() {
                Scalar::Text(_) => self.text(field),
                _ => Ok(()),
            },
            RegistryItem::Strings(fields) => fields.iter().try_for_each(|field| self.text(field)),
            RegistryItem::Typed(data) => {
                self.numbers(&[&data.dword])?;
                self.data(&data.binary)
            }
        }
    }

    fn data(&self, data: &Option<Spanned<Data>>) -> Checked {
        data.as_ref()
            .map_or(Ok(()), |data| self.bytes(data.get_ref(), data.span()))
    }

    fn bytes(&self, data: &Data, span: std::ops::Range<usize>) -> Checked {
        let items = match data {
            Data::Text(text) => {
                return self.text(&Spanned::new(span, Scalar::Text(text.clone())));
            }
            Data::Items(items) => items.iter().map(Spanned::get_ref),
        };
        for item in items {
            self.booleans(&[&item.when])?;
            self.numbers(&[
                &item.u8, &item.u16, &item.u32, &item.u64, &item.be16, &item.be32,
            ])?;
            self.numbers(&[&item.ptr, &item.zero, &item.align])?;
            self.texts(&[&item.ipv4, &item.mac, &item.text, &item.utf16, &item.bytes])?;
        }
        Ok(())
    }

    /// The checker of what a `repeat` encloses: its counter is a name there.
    fn within(
        &self,
        repeat: &Option<Field>,
        counter: &Option<Spanned<String>>,
    ) -> Result<Checker<'_>, ScenarioError> {
        match (repeat, counter) {
            (None, None) => Ok(Checker {
                source: self.source,
                scope: self.scope.clone(),
            }),
            (Some(_), None) => Ok(self.with(COUNTER)),
            (None, Some(counter)) => {
                let mend = "add repeat, or leave the counter away";
                Err(self
                    .source
                    .error(counter.span(), "a counter without repeat", mend))
            }
            (Some(_), Some(counter)) if is_name(counter.get_ref()) => {
                Ok(self.with(counter.get_ref()))
            }
            (Some(_), Some(counter)) => {
                let mend = "use letters, digits and _, a letter first";
                Err(self.source.error(counter.span(), "this is no name", mend))
            }
        }
    }

    fn with(&self, counter: &str) -> Checker<'_> {
        let mut scope = self.scope.clone();
        scope.insert(counter.to_owned(), Value::Int(0).into());
        Checker {
            source: self.source,
            scope,
        }
    }

    fn text(&self, field: &Field) -> Checked {
        self.context().check(field, Type::Text)
    }

    fn number(&self, field: &Field) -> Checked {
        self.context().check(field, Type::Int)
    }

    fn boolean(&self, field: &Field) -> Checked {
        self.context().check(field, Type::Bool)
    }

    fn texts(&self, fields: &[&Option<Field>]) -> Checked {
        fields
            .iter()
            .copied()
            .flatten()
            .try_for_each(|field| self.text(field))
    }

    fn numbers(&self, fields: &[&Option<Field>]) -> Checked {
        fields
            .iter()
            .copied()
            .flatten()
            .try_for_each(|field| self.number(field))
    }

    fn booleans(&self, fields: &[&Option<Field>]) -> Checked {
        fields
            .iter()
            .copied()
            .flatten()
            .try_for_each(|field| self.boolean(field))
    }

    fn context(&self) -> Context<'_> {
        Context {
            source: self.source,
            scope: &self.scope,
        }
    }
}

/// `status = "any"`
pub(super) fn is_any(status: &Field) -> bool {
    matches!(status.get_ref(), Scalar::Text(text) if text == "any")
}
