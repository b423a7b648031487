//! Addresses in words, from a machine's modules, pool and kernel objects.

use crate::loader::SourceFrame;
use crate::machine::Machine;
use crate::machine::memory::RegionKind;
use crate::report::{Names, Place};
use crate::stop::{Awaited, ObjectKind, Wait, Waiter};

/// The names of a machine at the end of its run.
pub struct MachineNames<'a> {
    machine: &'a Machine,
}

impl<'a> MachineNames<'a> {
    /// The names of this machine.
    pub fn new(machine: &'a Machine) -> Self {
        MachineNames { machine }
    }

    /// A code address with everything that is known about it.
    pub fn resolve(&self, pc: u64) -> Place {
        let Some(i) = self.machine.module_at(pc) else {
            return Place {
                pc,
                ..Place::default()
            };
        };
        let module = &self.machine.setup.modules[i];
        let mut place = Place {
            pc,
            module: Some(module.name.clone()),
            ..Place::default()
        };
        match &module.image {
            Some(image) => {
                let frames = image.source(pc);
                if let Some(s) = own_frame(&image.name, &frames).or(frames.first()) {
                    place.function = Some(s.function.clone());
                    place.source = Some((s.file.clone(), s.line));
                } else {
                    place.function = image.function(pc);
                }
            }
            None => {
                let slots = &self.machine.setup.imports;
                let slot = slots.iter().find(|s| s.address == pc & !0xF);
                place.function = slot.map(|s| s.api.name.to_owned());
            }
        }
        place
    }

    /// Every source frame at a code address, innermost first: inlined functions have their own.
    pub fn resolve_inlined(&self, pc: u64) -> Vec<Place> {
        let whole = self.resolve(pc);
        let Some(i) = self.machine.module_at(pc) else {
            return vec![whole];
        };
        let Some(image) = &self.machine.setup.modules[i].image else {
            return vec![whole];
        };
        let frames = image.source(pc);
        if frames.is_empty() {
            return vec![whole];
        }
        let place = |s: SourceFrame| Place {
            function: Some(s.function),
            source: Some((s.file, s.line)),
            ..whole.clone()
        };
        let own = |s: &SourceFrame| is_own(&image.name, s);
        match frames.iter().any(own) {
            true => frames.into_iter().filter(own).map(place).collect(),
            false => frames.into_iter().map(place).collect(),
        }
    }

    /// Of the return addresses of a stack, innermost first, the first that lies in code of the
    /// driver itself and not of a library linked into it.
    pub fn own_frame(&self, stack: &[u64]) -> Option<usize> {
        stack.iter().position(|&pc| {
            let pc = pc.saturating_sub(1);
            let Some(i) = self.machine.module_at(pc) else {
                return false;
            };
            let image = self.machine.setup.modules[i].image.as_ref();
            image.is_some_and(|image| own_frame(&image.name, &image.source(pc)).is_some())
        })
    }

    /// A thread by its number, for example `thread 3 netsh`.
    pub fn thread(&self, id: u32) -> String {
        let thread = self.machine.state.nt.threads.list.get(id as usize);
        let name = thread.map_or("?", |t| t.name.as_str());
        format!("thread {id} {name}")
    }

    /// What somebody waits for. A condition stands behind "until".
    pub fn awaited(&self, awaited: &Awaited) -> String {
        let plan = &self.machine.setup.plan;
        match *awaited {
            Awaited::Object(ObjectKind::Thread, at) => {
                let mut threads = self.machine.state.nt.threads.list.iter();
                match threads.position(|t| t.object == at) {
                    Some(id) => format!("the end of {}", self.thread(id as u32)),
                    None => format!("thread {}", self.object(at)),
                }
            }
            Awaited::SpinLock(at) | Awaited::Object(_, at) => {
                format!("{} {}", awaited.kind(), self.object(at))
            }
            Awaited::Time => "a delay to end".into(),
            Awaited::Condition(condition) => condition.words(plan),
            Awaited::Listener(adapter) => {
                format!(
                    "a driver asks adapter {} for packets",
                    plan.adapters[adapter].name
                )
            }
        }
    }

    /// A wait without what differs from run to run: a stream and its condition, or else the kind of
    /// thing that is waited for.
    pub fn wait(&self, wait: &Wait) -> String {
        match wait.waiter {
            Waiter::Stream { stream, .. } => {
                let name = &self.machine.setup.plan.streams[stream].name;
                format!("stream {name} until {}", self.awaited(&wait.awaited))
            }
            _ => wait.awaited.kind().to_owned(),
        }
    }

    /// A pointer in the digits of the machine.
    pub fn digits(&self, va: u64) -> String {
        match self.machine.arch().pointer_size() {
            4 => format!("{va:08x}"),
            _ => format!("{va:016x}"),
        }
    }
}

impl Names for MachineNames<'_> {
    fn place(&self, va: u64) -> String {
        self.resolve(va).to_string()
    }

    fn short(&self, va: u64) -> String {
        let place = self.resolve(va);
        match (&place.source, &place.function) {
            (Some((file, line)), _) => {
                let file = file.rsplit('/').next().unwrap_or(file);
                format!("{file}:{line}")
            }
            (None, Some(function)) => function.clone(),
            (None, None) => self.digits(va),
        }
    }

    fn object(&self, va: u64) -> String {
        let digits = self.digits(va);
        if let Some((base, block)) = self.machine.state.nt.pools.containing(va) {
            let tag = crate::report::tag(block.tag);
            return match va - base {
                0 => format!("{digits} ({tag} block)"),
                offset => format!("{digits} ({tag} block +{offset:#x})"),
            };
        }
        match self.machine.memory.region(va).map(|r| (r.kind, r.base)) {
            Some((RegionKind::Image(i), base)) => {
                let module = &self.machine.setup.modules[usize::from(i)];
                format!("{digits} ({}+{:#x})", module.name, va - base)
            }
            Some((RegionKind::Stack(n), _)) => format!("{digits} (kernel stack {n})"),
            _ => digits,
        }
    }
}

/// The innermost frame that is the driver's own code, not a library function inlined into it.
pub fn own_frame<'a>(image: &str, frames: &'a [SourceFrame]) -> Option<&'a SourceFrame> {
    frames.iter().find(|s| is_own(image, s))
}

/// Whether a function is the driver's own: a driver's crate has the name of its file. Everything
/// else was linked into it.
fn is_own(image: &str, frame: &SourceFrame) -> bool {
    let stem = image.split('.').next().unwrap_or(image);
    frame
        .function
        .strip_prefix(stem)
        .is_some_and(|rest| rest.starts_with("::"))
}
