//! What the checks remember of a run, besides what the kernel itself knows. A plain value, and the
//! same whatever the levels of the rules are.

use std::collections::BTreeMap;
use std::ops::Range;

use super::order::Order;

/// See above.
#[derive(Clone, Default, Hash)]
pub(crate) struct Checks {
    cores: Vec<PerCore>,
    /// Mutexes that are owned: their addresses, and the thread objects of the owners.
    mutexes: BTreeMap<u64, u64>,
    /// In which order locks were taken.
    order: Order<()>,
    /// Work items by the threads that carry them out, and whether their routines have begun.
    work: BTreeMap<u32, (u64, bool)>,
}

#[derive(Clone, Default, Hash)]
struct PerCore {
    /// Instructions that drivers have executed on it.
    executed: u64,
    /// Spin locks that it holds, in the order in which they were taken.
    held: Vec<Held>,
}

/// A spin lock that a core holds.
#[derive(Clone, Copy, Hash)]
struct Held {
    lock: u64,
    /// Instructions that the core had executed.
    since: u64,
    /// Routines that were active on the core.
    depth: usize,
}

impl Checks {
    /// Nothing has happened on so many cores.
    pub fn new(cores: u8) -> Checks {
        Checks {
            cores: vec![PerCore::default(); usize::from(cores)],
            ..Checks::default()
        }
    }

    /// A core has executed so many instructions of drivers.
    pub fn executed(&mut self, core: usize, instructions: u64) {
        self.cores[core].executed += instructions;
    }

    /// Instructions of drivers that a core has executed so far.
    pub fn clock(&self, core: usize) -> u64 {
        self.cores[core].executed
    }

    /// A core has a lock now.
    pub fn taken(&mut self, core: usize, lock: u64, depth: usize) {
        let since = self.clock(core);
        let held = Held { lock, since, depth };
        self.cores[core].held.push(held);
    }

    /// Whether a core holds a lock.
    pub fn holds(&self, core: usize, lock: u64) -> bool {
        self.cores[core].held.iter().any(|h| h.lock == lock)
    }

    /// Whether a core holds a spin lock.
    pub fn holds_any(&self, core: usize) -> bool {
        !self.cores[core].held.is_empty()
    }

    /// Whether anyone holds a spin lock or owns a mutex.
    pub fn any_held(&self) -> bool {
        !self.mutexes.is_empty() || self.cores.iter().any(|core| !core.held.is_empty())
    }

    /// A lock is wanted on a core, by a thread if one is given (its object). Gives of each circle in
    /// the order of locks that this closes how many locks it has.
    pub fn wanted(&mut self, core: usize, thread: Option<u64>, lock: u64) -> Vec<usize> {
        let mutexes = self.mutexes.iter();
        let own = mutexes.filter(|(_, owner)| Some(**owner) == thread);
        let spin = self.cores[core].held.iter().map(|h| h.lock);
        let held: Vec<(u64, ())> = spin.chain(own.map(|(&m, _)| m)).map(|l| (l, ())).collect();
        match held.is_empty() {
            true => Vec::new(),
            false => self.order.taken(lock, &held).iter().map(Vec::len).collect(),
        }
    }

    /// The locks at these addresses are no more, or are made anew.
    pub fn forget_locks(&mut self, gone: &Range<u64>) {
        self.order.forget(gone);
    }

    /// A lock is given back, by its own core or by another one. Gives how many instructions its
    /// core has executed with it; `None` if nobody held it.
    pub fn released(&mut self, core: usize, lock: u64) -> Option<u64> {
        let others = (0..self.cores.len()).filter(|&c| c != core);
        let owner = std::iter::once(core)
            .chain(others)
            .find(|&c| self.holds(c, lock))?;
        let now = self.clock(owner);
        let held = &mut self.cores[owner].held;
        let at = held.iter().rposition(|h| h.lock == lock)?;
        Some(now - held.remove(at).since)
    }

    /// The locks that a core took while at least so many routines were active on it.
    pub fn taken_since(&self, core: usize, depth: usize) -> Vec<u64> {
        let held = self.cores[core].held.iter();
        held.filter(|h| h.depth >= depth).map(|h| h.lock).collect()
    }

    /// A thread, by its object, owns a mutex now, or nobody does.
    pub fn owned(&mut self, mutex: u64, thread: Option<u64>) {
        match thread {
            Some(thread) => drop(self.mutexes.insert(mutex, thread)),
            None => drop(self.mutexes.remove(&mutex)),
        }
    }

    /// What the thread that ends on a core leaves behind: locks, and whether each is a mutex. It
    /// is forgotten.
    pub fn left_by(&mut self, core: usize, thread: u64) -> Vec<(u64, bool)> {
        let of = |(_, owner): &(&u64, &u64)| **owner == thread;
        let mutexes = self.mutexes.iter().filter(of).map(|(&mutex, _)| mutex);
        let mut all: Vec<(u64, bool)> = mutexes.map(|mutex| (mutex, true)).collect();
        self.mutexes.retain(|_, owner| *owner != thread);
        let held = self.cores[core].held.iter();
        all.extend(held.map(|h| (h.lock, false)));
        all
    }

    /// A work item waits for the thread of that number.
    pub fn work_queued(&mut self, thread: u32, item: u64) {
        self.work.insert(thread, (item, false));
    }

    /// A thread begins with its routine.
    pub fn thread_begins(&mut self, thread: u32) {
        if let Some((_, begun)) = self.work.get_mut(&thread) {
            *begun = true;
        }
    }

    /// The work item that a thread carries out.
    pub fn work_of(&self, thread: u32) -> Option<u64> {
        self.work.get(&thread).map(|(item, _)| *item)
    }

    /// A thread has ended.
    pub fn thread_ended(&mut self, thread: u32) {
        self.work.remove(&thread);
    }

    /// The work items that wait for their threads.
    pub fn queued_work(&self) -> impl Iterator<Item = u64> {
        let waiting = self.work.values().filter(|(_, begun)| !begun);
        waiting.map(|(item, _)| *item)
    }
}
