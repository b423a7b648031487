//! Scripted threads.

use std::collections::BTreeMap;

use super::Expander;
use crate::scenario::check::is_any;
use crate::scenario::condition::Scope;
use crate::scenario::error::{ScenarioError, one_of};
use crate::scenario::plan::{ExtendedAttribute, ThreadPlan, ThreadStep};
use crate::scenario::schema::{
    ControlCodeTable, Field, Ioctl, Spanned, ThreadStepTable, ThreadTable,
};

/// The priority of a normal thread of a normal process.
const PRIORITY: i64 = 8;

/// The last field of `CTL_CODE` (ntddk.h).
const METHODS: [(&str, u32); 4] = [
    ("buffered", 0),
    ("in_direct", 1),
    ("out_direct", 2),
    ("neither", 3),
];

/// The access field of `CTL_CODE` (ntddk.h).
const ACCESS: [(&str, u32); 4] = [("any", 0), ("read", 1), ("write", 2), ("read_write", 3)];

/// The handle of a thread that names none.
const HANDLE: &str = "handle";

/// The names of a thread's handles, by index.
type Handles = Vec<String>;

impl Expander<'_> {
    /// Every thread that takes part, expanded.
    pub fn threads(&mut self) -> Result<Vec<ThreadPlan>, ScenarioError> {
        let flows = self.flows_by_name();
        let scenario = self.scenario;
        let mut scope = self.scope.clone();
        let mut threads: Vec<ThreadPlan> = Vec::new();
        for table in &scenario.file.thread {
            self.repeated(
                &table.repeat,
                &table.counter,
                &mut scope,
                &mut |this, scope| {
                    let context = this.under(scope);
                    if !context.holds(&table.when)? {
                        return Ok(());
                    }
                    let thread = this.thread(table, scope, &flows)?;
                    if threads.iter().any(|other| other.name == thread.name) {
                        let problem = format!("the thread '{}' is there twice", thread.name);
                        let mend =
                            "give it another name; in a repeat use the counter: \"user {n}\"";
                        return Err(this.under(scope).error(&table.name, problem, mend));
                    }
                    threads.push(thread);
                    Ok(())
                },
            )?;
        }
        Ok(threads)
    }

    fn thread(
        &mut self,
        table: &ThreadTable,
        scope: &Scope,
        flows: &BTreeMap<String, usize>,
    ) -> Result<ThreadPlan, ScenarioError> {
        let context = self.under(scope);
        let name = context.text(&table.name)?;
        let priority = context.number_or(&table.priority, 1..=31, PRIORITY)? as u8;
        let mut handles = Handles::new();
        let mut steps = Vec::new();
        self.each_step(&table.step, &mut scope.clone(), &mut |this, step, scope| {
            steps.push(this.thread_step(step, scope, flows, &mut handles)?);
            Ok(())
        })?;
        Ok(ThreadPlan {
            name,
            priority,
            handles: handles.len(),
            steps,
        })
    }

    fn thread_step(
        &mut self,
        place: &Spanned<ThreadStepTable>,
        scope: &Scope,
        flows: &BTreeMap<String, usize>,
        handles: &mut Handles,
    ) -> Result<ThreadStep, ScenarioError> {
        let step = place.get_ref();
        self.check_step(place, scope)?;
        if let Some(wait) = &step.wait {
            return self.wait(wait, None, flows, scope).map(ThreadStep::Await);
        }
        if let Some(signal) = &step.signal {
            let name = self.under(scope).text(signal)?;
            let signal = self.signal(&name);
            self.raised.insert(signal);
            return Ok(ThreadStep::Signal(signal));
        }
        let context = self.under(scope);
        if let Some(ms) = &step.sleep_ms {
            return Ok(ThreadStep::Sleep {
                ms: context.number(ms, 0..=86_400_000)? as u32,
            });
        }
        if let Some(close) = &step.close {
            return Ok(ThreadStep::Close {
                handle: self.handle(close, scope, handles)?,
            });
        }
        let expect = self.status(&step.status, scope)?;
        if let Some(flush) = &step.flush {
            let handle = self.handle(flush, scope, handles)?;
            return Ok(ThreadStep::Flush { handle, expect });
        }
        if let Some(unload) = &step.unload {
            let driver = self.driver_index(unload, scope)?;
            return Ok(ThreadStep::Unload { driver, expect });
        }
        if let Some(device) = &step.open {
            let device = context.text(device)?;
            let name = step
                .handle
                .as_ref()
                .map_or(Ok(HANDLE.to_owned()), |f| context.text(f))?;
            let handle = handles
                .iter()
                .position(|known| *known == name)
                .unwrap_or_else(|| {
                    handles.push(name);
                    handles.len() - 1
                });
            let ea = step.ea.as_ref().map(|ea| {
                let name = context.text(&ea.get_ref().name)?;
                let value = context.bytes(&ea.get_ref().value, self.profile)?;
                Ok(ExtendedAttribute { name, value })
            });
            return Ok(ThreadStep::Open {
                handle,
                device,
                ea: ea.transpose()?,
                expect,
            });
        }
        let handle = match &step.handle {
            Some(handle) => self.handle(handle, scope, handles)?,
            None => self.only_handle(place, scope, handles)?,
        };
        let offset = context.number_or(&step.offset, 0..=i64::MAX, 0)? as u64;
        if let Some(read) = &step.read {
            let length = context.number(read, 0..=1 << 20)? as u32;
            return Ok(ThreadStep::Read {
                handle,
                offset,
                length,
                expect,
            });
        }
        if let Some(data) = &step.write {
            let data = context.bytes(data, self.profile)?;
            return Ok(ThreadStep::Write {
                handle,
                offset,
                data,
                expect,
            });
        }
        let code = match &step.ioctl {
            Some(ioctl) => self.control_code(ioctl, scope)?,
            None => 0,
        };
        let input = context.bytes_or_none(&step.input, self.profile)?;
        let output = context.number_or(&step.output, 0..=1 << 20, 0)? as u32;
        Ok(ThreadStep::Ioctl {
            handle,
            code,
            input,
            output,
            expect,
        })
    }

    /// A step does one thing and has only the keys that belong to it.
    fn check_step(
        &self,
        place: &Spanned<ThreadStepTable>,
        scope: &Scope,
    ) -> Result<(), ScenarioError> {
        let step = place.get_ref();
        let (opens, controls) = (step.open.is_some(), step.ioctl.is_some());
        let (reads, writes) = (step.read.is_some(), step.write.is_some());
        let (flushes, unloads) = (step.flush.is_some(), step.unload.is_some());
        let others = [
            flushes,
            unloads,
            step.close.is_some(),
            step.sleep_ms.is_some(),
            step.wait.is_some(),
            step.signal.is_some(),
        ];
        let verbs = [opens, controls, reads, writes].into_iter().chain(others);
        let context = self.under(scope);
        if verbs.filter(|&is_written| is_written).count() != 1 {
            let mend = "write one of open, ioctl, read, write, flush, close, unload, sleep_ms, \
                        await, signal, or steps inside: step = [...]";
            return Err(context.error(place, "a step does exactly one thing", mend));
        }
        let requests = opens || controls || reads || writes;
        let written = [
            ("ea", step.ea.is_some(), opens),
            ("input", step.input.is_some(), controls),
            ("output", step.output.is_some(), controls),
            ("offset", step.offset.is_some(), reads || writes),
            ("handle", step.handle.is_some(), requests),
            (
                "status",
                step.status.is_some(),
                requests || flushes || unloads,
            ),
        ];
        match written
            .into_iter()
            .find(|(_, is_written, has_meaning)| *is_written && !has_meaning)
        {
            None => Ok(()),
            Some((key, ..)) => {
                let problem = format!("the key '{key}' means nothing in this step");
                Err(context.error(place, problem, "leave it away"))
            }
        }
    }

    /// Index of the driver that a step names.
    fn driver_index(&self, name: &Field, scope: &Scope) -> Result<usize, ScenarioError> {
        let context = self.under(scope);
        let wanted = context.text(name)?;
        let at = self.drivers.iter().position(|d| *d == wanted);
        at.ok_or_else(|| {
            let problem = format!("no driver '{wanted}' is loaded");
            let known = self.drivers.iter().map(String::as_str);
            context.error(name, problem, one_of("loaded are", &wanted, known))
        })
    }

    fn control_code(&self, place: &Spanned<Ioctl>, scope: &Scope) -> Result<u32, ScenarioError> {
        let context = self.under(scope);
        match place.get_ref() {
            Ioctl::Code(code) => {
                let field = Spanned::new(place.span(), code.clone());
                Ok(context.number(&field, 0..=0xFFFF_FFFF)? as u32)
            }
            Ioctl::Parts(ControlCodeTable {
                device,
                function,
                method,
                access,
            }) => {
                let device = context.number(device, 0..=0xFFFF)? as u32;
                let function = context.number(function, 0..=0xFFF)? as u32;
                let method = context.word(method, &METHODS)?;
                let access = context.word(access, &ACCESS)?;
                Ok(device << 16 | access << 14 | function << 2 | method)
            }
        }
    }

    /// The handle of a step that names none: the only one there is.
    fn only_handle(
        &self,
        place: &Spanned<ThreadStepTable>,
        scope: &Scope,
        handles: &Handles,
    ) -> Result<usize, ScenarioError> {
        let context = self.under(scope);
        match handles.len() {
            1 => Ok(0),
            0 => Err(context.error(place, "nothing is open yet", "open a device first")),
            _ => Err(context.error(
                place,
                "more than one handle is open",
                "add handle = \"...\"",
            )),
        }
    }

    fn handle(
        &self,
        field: &Field,
        scope: &Scope,
        handles: &Handles,
    ) -> Result<usize, ScenarioError> {
        self.under(scope)
            .find(field, "handle", handles.iter().map(String::as_str))
    }

    /// The status that a request has to end with; success if it is not written.
    fn status(&self, field: &Option<Field>, scope: &Scope) -> Result<Option<u32>, ScenarioError> {
        match field {
            None => Ok(Some(0)),
            Some(field) if is_any(field) => Ok(None),
            Some(field) => Ok(Some(self.under(scope).bits(field, 32)? as u32)),
        }
    }
}
