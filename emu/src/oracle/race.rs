//! Data races: two accesses to the same bytes by different actors, at least one a store, at least
//! one not atomic, and neither ordered before the other by anything that both took part in.
//!
//! The algorithm is FastTrack's (Flanagan and Freund 2009): vector clocks for actors and what they
//! synchronise by, epochs for accesses. What it reports did not have to come out badly in this run,
//! and what it does not report may still race in another one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::code::Code;
use super::finding::{Access, Finding, Object, Spot};
use super::order::{Key, Order};
use super::shadow::{Mark, Shadow};
use super::walk::{Observer, Walk, walk};
use super::{Oracle, place_of, spot};
use crate::choice::{Actor, Effect};
use crate::explain::MachineNames;
use crate::machine::memory::RegionKind;
use crate::machine::{Ended, Machine};
use crate::nt::effect;
use crate::report::tag;
use crate::trace::EventKind;
use crate::trace::event::{PacketOp, PoolOp};

/// The oracle.
pub const ORACLE: Oracle = Oracle {
    name: "race",
    help: "accesses to the same memory that nothing orders (happens-before, vector clocks)",
    default_on: true,
    check,
};

const RULE: &str = "Windows driver documentation: Introduction to Spin Locks; \
                    Flanagan and Freund, FastTrack (PLDI 2009)";
const HELP: &str = "guard both places with the same lock, or make both accesses interlocked";
const HELP_FREED: &str = "free the memory only when nobody can be using it: count the users, or \
                          hold the lock under which they find it";

/// An access that a race may be reported for.
#[derive(Clone)]
struct Seen {
    what: What,
    actor: Actor,
    core: u8,
    irql: u8,
    access: Access,
    /// Index into the sets of locks.
    locks: usize,
}

/// Where the record has the access.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Index in the access log.
    Access(usize),
    /// A kernel function that accesses memory for its caller: index of the call's event.
    Call(usize),
    /// The release of a pool block: index of the event.
    Free(usize),
}

/// Two accesses that race, and how often their places did.
struct Pair {
    first: Seen,
    second: Seen,
    count: u64,
    /// The places themselves, of the last that was counted.
    last: (What, What),
    block: Option<(u64, u64, [u8; 4])>,
}

struct Detector<'a> {
    machine: &'a Machine,
    names: MachineNames<'a>,
    order: Order,
    shadow: Shadow,
    code: Code,
    seen: Vec<Seen>,
    /// Sets of locks that were held, each once.
    locks: Vec<Vec<u64>>,
    lock_sets: BTreeMap<Vec<u64>, usize>,
    /// Threads that have a stack of their own.
    stacks: u64,
    /// The event of a packet that its miniport has back on a core.
    reclaimed: Option<usize>,
    /// Pools of packet descriptors: size, and bytes of each descriptor.
    packets: BTreeMap<u64, (u64, u64)>,
    /// Blocks of the pool: size and tag.
    blocks: BTreeMap<u64, (u64, [u8; 4])>,
    pairs: BTreeMap<(u64, u64), Pair>,
    found: Vec<(u64, u64)>,
    /// Places of events in the driver's own code.
    own: BTreeMap<usize, u64>,
}

fn check(machine: &Machine, _ended: &Ended) -> Vec<Finding> {
    let mut detector = detect(machine);
    let found = std::mem::take(&mut detector.found);
    let accesses = found.iter().flat_map(|key| {
        let pair = &detector.pairs[key];
        [pair.first.what, pair.second.what]
    });
    let wanted: BTreeSet<usize> = accesses
        .filter_map(|what| match what {
            What::Access(i) => path_index(machine, i),
            _ => None,
        })
        .collect();
    let stacks = super::stacks::at(machine, &wanted);
    // A loop over unguarded memory has a race for every pair of its instructions: one is told for
    // each pair of functions.
    let mut findings: Vec<Finding> = Vec::new();
    let mut told: BTreeMap<(String, Vec<Option<String>>), usize> = BTreeMap::new();
    for key in &found {
        let finding = detector.finding(key, &stacks);
        let function = |pc: u64| detector.names.resolve(pc).function;
        let mut functions = vec![function(key.0), function(key.1)];
        functions.sort();
        match told.entry((finding.what.clone(), functions)) {
            Entry::Occupied(known) => findings[*known.get()].count += finding.count,
            Entry::Vacant(new) => {
                new.insert(findings.len());
                findings.push(finding);
            }
        }
    }
    findings
}

/// The index in the path of the instruction that made an access.
fn path_index(machine: &Machine, access: usize) -> Option<usize> {
    let a = &machine.accesses()[access];
    machine.path_index(machine.position_of_access(a), a.core, a.pc)
}

/// The addresses of the instructions whose accesses race in a recorded run.
pub fn racy_pcs(machine: &Machine) -> BTreeSet<u64> {
    let detector = detect(machine);
    let seen = detector.pairs.values().flat_map(|p| [&p.first, &p.second]);
    seen.filter_map(|s| match s.what {
        What::Access(i) => Some(machine.accesses()[i].pc),
        _ => None,
    })
    .collect()
}

fn detect(machine: &Machine) -> Detector<'_> {
    let regions = machine.memory.regions().iter();
    let stacks = regions.filter(|r| matches!(r.kind, RegionKind::Stack(_)));
    let mut detector = Detector {
        machine,
        names: MachineNames::new(machine),
        order: Order::default(),
        shadow: Shadow::default(),
        code: Code::default(),
        seen: Vec::new(),
        locks: Vec::new(),
        lock_sets: BTreeMap::new(),
        stacks: (stacks.count() as u64).saturating_sub(2 * u64::from(machine.cpus())),
        reclaimed: None,
        packets: BTreeMap::new(),
        blocks: BTreeMap::new(),
        pairs: BTreeMap::new(),
        found: Vec::new(),
        own: BTreeMap::new(),
    };
    walk(machine, &mut detector);
    detector
}

impl Observer for Detector<'_> {
    const ACCESSES: bool = true;

    fn access(&mut self, walk: &Walk<'_>, access: usize) {
        let a = self.machine.accesses()[access];
        let actor = walk.actor(a.core);
        if !self.is_shared(actor, a.address) {
            return;
        }
        let sync = self.code.sync(self.machine, a.pc, a.write);
        let key = Key::Atomic(a.address);
        if sync.acquires {
            self.order.acquire(actor, key);
        }
        let what = Access {
            address: a.address,
            length: u64::from(a.width),
            write: a.write,
            atomic: sync.atomic,
        };
        self.record(walk, a.core, What::Access(access), what);
        if sync.releases {
            self.order.release(actor, key);
        }
    }

    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        match &e.kind {
            EventKind::Call { name, args } => {
                if let effect::Kind::Touch(at, length, _) = walk.effect(name) {
                    let access = Access {
                        address: args[at],
                        length: u64::from(length),
                        write: true,
                        atomic: true,
                    };
                    let actor = walk.actor(e.core);
                    self.order.acquire(actor, Key::Atomic(access.address));
                    self.called(walk, event, access);
                }
                if *name == "NdisFreePacket" {
                    self.packet_freed(walk, event, args[0]);
                }
                if let effect::Kind::Plain(ranges) = walk.effect(name) {
                    for &(at, length, effect) in ranges {
                        let access = Access {
                            address: args[at],
                            length: args[length],
                            write: effect == Effect::Write,
                            atomic: false,
                        };
                        self.called(walk, event, access);
                    }
                }
            }
            EventKind::Packet {
                op: PacketOp::Returned,
                ..
            } => self.reclaimed = Some(event),
            EventKind::Pool {
                op,
                block,
                size,
                tag,
                ..
            } => match op {
                PoolOp::Allocated => {
                    self.shadow.forget(*block, *size);
                    self.blocks.insert(*block, (*size, *tag));
                    self.packet_pool(walk, event, *block, *size);
                }
                PoolOp::Freed => self.freed(walk, event, *block, *size),
                PoolOp::Failed => {}
            },
            _ => {}
        }
        self.order.before(walk, event);
    }

    fn after(&mut self, walk: &Walk<'_>, event: usize) {
        self.order.after(walk, event);
    }
}

impl Detector<'_> {
    /// Whether others may access what is at an address.
    fn is_shared(&self, actor: Actor, address: u64) -> bool {
        let Some(region) = self.machine.memory.region(address) else {
            return false;
        };
        let cpus = u64::from(self.machine.cpus());
        match (region.kind, actor) {
            (RegionKind::Stack(n), Actor::Thread(id)) => {
                u64::from(n) != 2 * cpus + u64::from(id) % self.stacks.max(1)
            }
            (RegionKind::Stack(n), Actor::Dpc(core)) => u64::from(n) != 2 * u64::from(core),
            (RegionKind::Stack(_), _) => false,
            (RegionKind::Image(_) | RegionKind::NonPagedPool | RegionKind::PagedPool, _) => true,
            _ => false,
        }
    }

    /// A kernel function accesses memory for who called it.
    fn called(&mut self, walk: &Walk<'_>, event: usize, access: Access) {
        let core = walk.event_at(event).core;
        if access.length > 0 && self.is_shared(walk.actor(core), access.address) {
            self.record(walk, core, What::Call(event), access);
        }
    }

    /// A block may be a new pool of packet descriptors, as many as an argument or two say.
    fn packet_pool(&mut self, walk: &Walk<'_>, event: usize, block: u64, size: u64) {
        let call = walk.call(event).map(|c| &walk.event_at(c).kind);
        let Some(EventKind::Call { name, args }) = call else {
            return;
        };
        let count = match *name {
            "NdisAllocatePacketPool" => args[2],
            "NdisAllocatePacketPoolEx" => args[2].saturating_add(args[3]),
            _ => return,
        };
        let pointer = self.machine.arch().pointer_size();
        let each = size.checked_div(count).unwrap_or(0) / pointer * pointer;
        self.packets.insert(block, (size, each));
    }

    /// A descriptor goes back to its pool, which no event tells: it is written for the last time,
    /// and whoever gets it next gets a new one.
    fn packet_freed(&mut self, walk: &Walk<'_>, event: usize, packet: u64) {
        let pool = self.packets.range(..=packet).next_back();
        let pool = pool.filter(|(start, (size, _))| packet < *start + size);
        let Some((_, &(_, length))) = pool else {
            return;
        };
        let access = Access {
            address: packet,
            length,
            write: true,
            atomic: false,
        };
        self.called(walk, event, access);
        self.shadow.forget(packet, length);
        self.order.forget(packet, length);
    }

    /// A block is freed. To the driver that frees it this is a store to all of it.
    fn freed(&mut self, walk: &Walk<'_>, event: usize, block: u64, length: u64) {
        let e = walk.event_at(event);
        let returned = self.reclaimed.map(|i| walk.event_at(i));
        let by_miniport = returned.is_some_and(|r| r.core == e.core && r.at == e.at);
        let call = walk.call(event).map(|c| &walk.event_at(c).kind);
        let by_driver = matches!(call, Some(EventKind::Call { name, .. }) if name.contains("Free"));
        if !by_miniport && !by_driver {
            // The kernel frees what it allocated itself for a request, when all are done with it.
            self.shadow.forget(block, length);
            return;
        }
        let mut clock = self.order.clock(walk.actor(e.core)).clone();
        if by_miniport {
            // Whoever is the last to return a packet frees it; NDIS counts.
            for key in [Key::Returned, Key::Received] {
                if let Some(others) = self.order.released(key) {
                    clock.join(others);
                }
            }
        }
        let access = Access {
            address: block,
            length,
            write: true,
            atomic: false,
        };
        self.record_knowing(walk, e.core, What::Free(event), access, &clock);
    }

    fn record(&mut self, walk: &Walk<'_>, core: u8, what: What, access: Access) {
        let clock = self.order.clock(walk.actor(core)).clone();
        self.record_knowing(walk, core, what, access, &clock);
    }

    fn record_knowing(
        &mut self,
        walk: &Walk<'_>,
        core: u8,
        what: What,
        access: Access,
        clock: &Clock,
    ) {
        let actor = walk.actor(core);
        let index = self.order.index(actor);
        let source = self.seen.len() as u32;
        let mark = Mark {
            actor: index,
            epoch: clock.get(index),
            write: access.write,
            atomic: access.atomic,
            source,
        };
        let mut races: Vec<u32> = Vec::new();
        let (start, length) = (access.address, access.length);
        self.shadow.access(start, length, mark, clock, |m| {
            if races.last() != Some(&m.source) {
                races.push(m.source);
            }
        });
        let locks = self.locks_held(walk, core);
        let irql = walk.irql(core);
        self.seen.push(Seen {
            what,
            actor,
            core,
            irql,
            access,
            locks,
        });
        races.sort_unstable();
        races.dedup();
        for first in races {
            self.race(first as usize, source as usize);
        }
    }

    fn locks_held(&mut self, walk: &Walk<'_>, core: u8) -> usize {
        let held: Vec<u64> = walk.held(core).iter().map(|h| h.lock).collect();
        if let Some(&known) = self.lock_sets.get(&held) {
            return known;
        }
        self.locks.push(held.clone());
        self.lock_sets.insert(held, self.locks.len() - 1);
        self.locks.len() - 1
    }

    /// Two accesses race.
    fn race(&mut self, first: usize, second: usize) {
        let (a, b) = (self.seen[first].clone(), self.seen[second].clone());
        let (at_a, at_b) = (self.place(a.what), self.place(b.what));
        let key = (at_a.min(at_b), at_a.max(at_b));
        let last = (a.what, b.what);
        if let Some(pair) = self.pairs.get_mut(&key) {
            if pair.last != last {
                (pair.count, pair.last) = (pair.count + 1, last);
            }
            return;
        }
        let at = a.access.address.max(b.access.address);
        let block = self.blocks.range(..=at).next_back();
        let block = block.filter(|(start, (size, _))| at < *start + size);
        let block = block.map(|(&start, &(size, tag))| (start, size, tag));
        self.found.push(key);
        let pair = Pair {
            first: a,
            second: b,
            count: 1,
            last,
            block,
        };
        self.pairs.insert(key, pair);
    }

    /// The place in the code that stands for an access when races are counted.
    fn place(&mut self, what: What) -> u64 {
        match what {
            What::Access(i) => self.machine.accesses()[i].pc,
            What::Call(i) | What::Free(i) => {
                let (machine, names) = (self.machine, &self.names);
                *self.own.entry(i).or_insert_with(|| {
                    let stack = machine.recorder.stack(i).unwrap_or_default();
                    let own = names.own_frame(stack).map(|f| stack[f] - 1);
                    own.unwrap_or_else(|| place_of(machine, i))
                })
            }
        }
    }

    fn finding(&self, key: &(u64, u64), stacks: &BTreeMap<usize, Vec<u64>>) -> Finding {
        let pair = &self.pairs[key];
        let verb = |s: &Seen| match s.what {
            What::Free(_) => "release",
            _ if s.access.write => "store",
            _ => "load",
        };
        let freed =
            matches!(pair.first.what, What::Free(_)) || matches!(pair.second.what, What::Free(_));
        let of = match &pair.block {
            Some((_, _, t)) => format!("pool block {}", tag(*t)),
            None => "memory".to_owned(),
        };
        let what = format!(
            "{} and {} of {of} that nothing orders",
            verb(&pair.first),
            verb(&pair.second)
        );
        let address = pair.first.access.address.max(pair.second.access.address);
        Finding {
            places: vec![
                self.spot(&pair.first, stacks),
                self.spot(&pair.second, stacks),
            ],
            object: Some(match pair.block {
                Some((address, length, t)) => Object {
                    address,
                    length,
                    what: format!("pool block {}", tag(t)),
                },
                None => Object {
                    address,
                    length: pair.second.access.length.min(pair.first.access.length),
                    what: "memory".into(),
                },
            }),
            help: if freed { HELP_FREED } else { HELP },
            rule: RULE,
            count: pair.count,
            ..Finding::new(ORACLE.name, what)
        }
    }

    fn spot(&self, seen: &Seen, stacks: &BTreeMap<usize, Vec<u64>>) -> Spot {
        let locks = self.locks[seen.locks].clone();
        let (Access { length, write, .. }, atomic) = (seen.access, seen.access.atomic);
        let how = if atomic { " atomically" } else { "" };
        let role = match seen.what {
            What::Free(_) => format!("frees the block of {length:#x} bytes"),
            _ if write => format!("writes {length} bytes{how}"),
            _ => format!("reads {length} bytes{how}"),
        };
        match seen.what {
            What::Access(i) => {
                let a = self.machine.accesses()[i];
                let index = path_index(self.machine, i);
                let stack = index.and_then(|index| stacks.get(&index)).cloned();
                Spot {
                    role,
                    position: self.machine.position_of_access(&a),
                    core: seen.core,
                    actor: seen.actor,
                    irql: seen.irql,
                    pc: a.pc,
                    stack: stack.unwrap_or_default(),
                    access: Some(seen.access),
                    locks,
                }
            }
            What::Call(i) | What::Free(i) => Spot {
                access: Some(seen.access),
                locks,
                ..spot(self.machine, i, seen.actor, role)
            },
        }
    }
}
