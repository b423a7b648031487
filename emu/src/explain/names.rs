//! Addresses in words, from a machine's modules, pool and kernel objects.

use crate::machine::Machine;
use crate::machine::memory::RegionKind;
use crate::report::{Names, Place};

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
        let Some(i) = self.machine.module_at(pc) else { return Place { pc, ..Place::default() } };
        let module = &self.machine.setup.modules[i];
        let mut place = Place { pc, module: Some(module.name.clone()), ..Place::default() };
        match &module.image {
            Some(image) => {
                // The driver's own code, not the library function inlined into it.
                let frames = image.source(pc);
                let own = frames.iter().find(|s| !is_library(&s.file)).or(frames.first());
                if let Some(s) = own {
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
        let Some(i) = self.machine.module_at(pc) else { return vec![whole] };
        let Some(image) = &self.machine.setup.modules[i].image else { return vec![whole] };
        let frames = image.source(pc);
        if frames.is_empty() {
            return vec![whole];
        }
        let place = |s: crate::loader::SourceFrame| Place {
            function: Some(s.function),
            source: Some((s.file, s.line)),
            ..whole.clone()
        };
        let own = |s: &crate::loader::SourceFrame| !is_library(&s.file);
        match frames.iter().any(own) {
            true => frames.into_iter().filter(own).map(place).collect(),
            false => frames.into_iter().map(place).collect(),
        }
    }

    /// A pointer in the digits of the machine.
    fn digits(&self, va: u64) -> String {
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

/// Whether a source file belongs to the compiler's library.
fn is_library(file: &str) -> bool {
    file.starts_with("/rustc/")
}
