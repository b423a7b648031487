//! What the instruction of an access says about it: whether it is indivisible, and what it orders.

use std::collections::BTreeMap;

use isa::{Arch, Atomic};

use crate::machine::Machine;

/// How an access takes part in synchronisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// Two accesses of this kind do not race.
    pub atomic: bool,
    /// What was released at the address is known from here on.
    pub acquires: bool,
    /// What is known here is released at the address.
    pub releases: bool,
}

/// The facts about instructions, found once for each.
#[derive(Default)]
pub struct Code(BTreeMap<u64, (Sync, Sync)>);

impl Code {
    /// About the load or the store of the instruction at `pc`.
    pub fn sync(&mut self, machine: &Machine, pc: u64, write: bool) -> Sync {
        let (load, store) = *self.0.entry(pc).or_insert_with(|| facts(machine, pc));
        if write { store } else { load }
    }
}

fn facts(machine: &Machine, pc: u64) -> (Sync, Sync) {
    let plain = Sync::default();
    let atomic = Sync {
        atomic: true,
        ..plain
    };
    let acquire = Sync {
        acquires: true,
        ..atomic
    };
    let release = Sync {
        releases: true,
        ..atomic
    };
    match machine.insn(pc).map_or(Atomic::No, |i| i.atomic) {
        // A locked update also orders what comes before it on x86 (Intel SDM vol. 3, 9.2.2); an
        // exclusive pair is one update.
        Atomic::Locked | Atomic::LoadExclusive | Atomic::StoreExclusive => (acquire, release),
        Atomic::AcquireLoad => (acquire, atomic),
        Atomic::ReleaseStore => (atomic, release),
        _ if !by_source(machine, pc) => (plain, plain),
        // Every load of an x86 processor is an acquire, every store a release; an atomic access of
        // the language that needs no more is an ordinary `mov`.
        _ if machine.arch() != Arch::Arm64 => (acquire, release),
        _ => (atomic, atomic),
    }
}

/// Whether the source says that the access is indivisible: an atomic type of Rust's core library,
/// or one of `winnt.h`'s `ReadAcquire`, `WriteNoFence` and their like, inlined there.
fn by_source(machine: &Machine, pc: u64) -> bool {
    let Some(module) = machine.module_at(pc) else {
        return false;
    };
    let Some(image) = &machine.setup.modules[module].image else {
        return false;
    };
    let frames = image.source(pc);
    frames
        .first()
        .is_some_and(|f| f.function.starts_with("core::sync::atomic::") || header(&f.function))
}

fn header(function: &str) -> bool {
    let kind = function
        .strip_prefix("Read")
        .or(function.strip_prefix("Write"));
    let kind = kind.map(|k| k.trim_end_matches(|c: char| c.is_ascii_digit()));
    let kind = kind.map(|k| k.trim_start_matches("Pointer").trim_start_matches("ULong"));
    let kind = kind.map(|k| k.trim_start_matches(|c: char| c.is_ascii_digit()));
    matches!(kind, Some("Acquire" | "Release" | "NoFence" | "Raw"))
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn the_headers_atomic_accessors() {
        for name in [
            "ReadAcquire",
            "WriteRelease64",
            "ReadPointerNoFence",
            "ReadULong64Raw",
        ] {
            assert!(header(name), "{name}");
        }
        for name in ["ReadFile", "WritePort", "Acquire"] {
            assert!(!header(name), "{name}");
        }
    }
}
