//! Where a wrong pointer came from: a backward slice of one register over the recorded path.
//!
//! The path is what each core executed, the access log what it loaded and stored. Starting at the
//! faulting instruction, the register that formed the address is followed back through copies and
//! additions to the load that brought it, through the core's own stack slots, to memory that other
//! contexts can reach. The store that put the value there is the next link of the story.

use isa::{Arch, Def, Reg};

use crate::machine::memory::RegionKind;
use crate::machine::{AccessRecord, Machine};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The load that brought it: its index in the access log.
    pub load: usize,
    /// The store that put it there, if it happened in this run.
    pub store: Option<usize>,
}

/// How far back the slice looks, in instructions of the core.
const REACH: usize = 100_000;

/// Follows `reg` back from the instruction at index `from` of the path (exclusive).
pub fn origin(machine: &Machine, core: u8, reg: Reg, from: usize) -> Option<Origin> {
    let path = machine.path();
    let log = machine.accesses();
    let arch = machine.arch();
    let mut wanted = reg;
    let mut at = from;
    let mut steps = 0;
    while at > 0 && steps < REACH {
        at -= 1;
        let (who, pc) = path[at];
        if who != core {
            continue;
        }
        steps += 1;
        let Some(insn) = machine.insn(pc) else {
            continue;
        };
        if !insn.writes.contains(wanted) {
            continue;
        }
        match insn.def {
            Def::Copy { dst, src } if dst == wanted => wanted = src,
            Def::AddConst { dst, src, .. } if dst == wanted => wanted = src,
            // Adjusting the stack or an address by write-back does not make the value.
            Def::Load { dst, .. } if dst == wanted => {
                let load = access_of(log, at, core, false)?;
                let store = last_store(log, load);
                let own = store.filter(|&s| log[s].core == core);
                let private = is_stack(machine, log[load].address);
                match own {
                    // Spilled: what was stored there is what is wanted.
                    Some(s) if private => {
                        let (index, _) = path_index(&log[s]);
                        wanted = stored_register(machine, arch, log[s].pc)?;
                        at = index;
                    }
                    _ => return Some(Origin { load, store }),
                }
            }
            _ => return None,
        }
    }
    None
}

/// The index in the path of the instruction that made an access, and its core.
fn path_index(access: &AccessRecord) -> (usize, u8) {
    (access.retired as usize - 1, access.core)
}

/// The access that the instruction at path index `at` made.
fn access_of(log: &[AccessRecord], at: usize, core: u8, write: bool) -> Option<usize> {
    let retired = at as u64 + 1;
    let first = log.partition_point(|a| a.retired < retired);
    (first..log.len())
        .take_while(|&i| log[i].retired == retired)
        .find(|&i| log[i].core == core && log[i].write == write)
}

/// The last store to what the access at `load` read, before it.
pub fn last_store(log: &[AccessRecord], load: usize) -> Option<usize> {
    let a = log[load];
    let end = a.address + u64::from(a.width);
    (0..load).rev().find(|&i| {
        let s = &log[i];
        s.write && s.address < end && a.address < s.address + u64::from(s.width)
    })
}

/// The last store that put something else than `value` where the access at `store` did, before it.
pub fn store_before(log: &[AccessRecord], store: usize) -> Option<usize> {
    let a = log[store];
    (0..store)
        .rev()
        .find(|&i| log[i].write && log[i].address == a.address)
}

fn is_stack(machine: &Machine, va: u64) -> bool {
    matches!(
        machine.memory.region(va).map(|r| r.kind),
        Some(RegionKind::Stack(_))
    )
}

/// The register that the store at `pc` stores, if that is clear.
fn stored_register(machine: &Machine, arch: Arch, pc: u64) -> Option<Reg> {
    let insn = machine.insn(pc)?;
    let operand = insn.operands().find(|m| m.write)?;
    let address = [operand.base, operand.index];
    let sp = isa::stack_pointer(arch);
    let mut sources = insn
        .reads
        .iter()
        .filter(|r| r.is_general() && *r != sp && !address.contains(&Some(*r)));
    let source = sources.next()?;
    sources.next().is_none().then_some(source)
}
