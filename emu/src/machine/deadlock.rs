//! Who waits for what when nothing can happen any more.

use super::Machine;
use super::context::{ContextKind, Next};
use crate::nt::thread::{self, ThreadState};
use crate::nt::{dispatcher, ndis};
use crate::stop::{Awaited, Holder, Stop, Wait, Waiter};

impl Machine {
    /// The stop for a machine in which nothing can happen although work is outstanding.
    pub(super) fn deadlock(&self) -> Stop {
        let mut waits = self.spinning();
        let (requesters, others): (Vec<_>, Vec<_>) = self
            .waiting_threads()
            .partition(|&id| self.state.nt.threads.list[id as usize].script.is_some());
        waits.extend(requesters.into_iter().flat_map(|id| self.waits_of(id)));
        waits.extend(ndis::waiting_streams(self));
        waits.extend(others.into_iter().flat_map(|id| self.waits_of(id)));
        Stop::Deadlock { waits }
    }

    fn spinning(&self) -> Vec<Wait> {
        let cores = self.state.cores.iter();
        let spin = cores.filter_map(|core| match core.top().next {
            Next::Spin { lock, since } => Some(Wait {
                waiter: Waiter::Core {
                    core: core.number,
                    thread: match core.top().kind {
                        ContextKind::Thread(id) => Some(id),
                        _ => None,
                    },
                },
                awaited: Awaited::SpinLock(lock),
                holder: self
                    .state
                    .nt
                    .locks
                    .0
                    .get(&lock)
                    .map(|h| Holder::Core(h.core)),
                since: Some(since),
            }),
            _ => None,
        });
        spin.collect()
    }

    fn waiting_threads(&self) -> impl Iterator<Item = u32> {
        let threads = self.state.nt.threads.list.iter().zip(0..);
        threads
            .filter(|(thread, _)| thread.state == ThreadState::Waiting)
            .map(|(_, id)| id)
    }

    /// What a waiting thread waits for.
    fn waits_of(&self, id: u32) -> Vec<Wait> {
        let thread = &self.state.nt.threads.list[id as usize];
        let wait = |(awaited, holder)| Wait {
            waiter: Waiter::Thread {
                thread: id,
                core: thread.core,
            },
            awaited,
            holder,
            since: Some(thread.since),
        };
        let blockers = match &thread.wait {
            Some(_) => dispatcher::blockers(self, id),
            None => {
                let condition = thread::awaited_condition(self, id);
                condition
                    .map(|c| (Awaited::Condition(c), None))
                    .into_iter()
                    .collect()
            }
        };
        blockers.into_iter().map(wait).collect()
    }
}

#[cfg(test)]
mod tests {
    use isa::Mem;

    use super::super::context::Outcome;
    use super::super::{Granularity, Watch, boot};
    use super::*;
    use crate::nt::{self, Call, pool};
    use crate::scenario::{Selection, parse};
    use crate::stop::ObjectKind;

    const MACHINE: &str = r#"
title = "idle"
summary = "no drivers"
machine = { profiles = ["i386", "amd64", "arm64"], personalities = ["ws2003-sp1"], cpus = 2 }
"#;

    /// A machine with threads that do what the test says.
    struct Rig {
        m: Machine,
        memory: u64,
    }

    impl Rig {
        fn new(profile: isa::Profile) -> Rig {
            let scenario = parse("idle.toml", MACHINE).expect("it is right");
            let selection = Selection {
                profile: Some(profile),
                ..Selection::default()
            };
            let plan = scenario
                .expand(&selection, &|_| Err("no files".into()))
                .expect("it is right");
            let mut m =
                boot(&plan, &[], Granularity::Sync, Watch::Nothing).expect("nothing can go wrong");
            let memory = pool::allocate(&mut m, 0, 0x1000, *b"Test", false);
            Rig { m, memory }
        }

        /// The n-th object.
        fn object(&self, n: u64) -> u64 {
            self.memory + 0x100 * n
        }

        fn call(&mut self, core: usize, name: &str, given: &[u64]) -> Outcome {
            let api = nt::find(name).expect("it is in the table");
            let mut args = [0; 12];
            args[..given.len()].copy_from_slice(given);
            let m = &mut self.m;
            (api.handler)(&mut Call { m, core, args }).expect("nothing can go wrong")
        }

        /// A new thread on a core that idles.
        fn thread(&mut self, core: usize, name: &str) -> u32 {
            let id = thread::create(&mut self.m, core, name, 8, Next::Idle);
            assert!(thread::dispatch(&mut self.m, core));
            id
        }

        /// The core's thread waits for an object.
        fn wait(&mut self, core: usize, object: u64) {
            let waits = self.call(core, "KeWaitForSingleObject", &[object, 0, 0, 0, 0]);
            assert!(matches!(waits, Outcome::Wait { .. }), "{waits:?}");
            thread::park(&mut self.m, core);
        }

        fn waits(&self) -> Vec<Wait> {
            match self.m.deadlock() {
                Stop::Deadlock { waits } => waits,
                other => panic!("{other:?}"),
            }
        }
    }

    const PROFILES: [isa::Profile; 3] =
        [isa::Profile::I386, isa::Profile::Amd64, isa::Profile::Arm64];

    /// Two threads take two mutexes in different orders.
    #[test]
    fn mutexes_have_holders() {
        for profile in PROFILES {
            let mut rig = Rig::new(profile);
            let (first, second) = (rig.object(0), rig.object(1));
            let mut threads = Vec::new();
            for (core, mutex) in [first, second].into_iter().enumerate() {
                rig.call(core, "KeInitializeMutex", &[mutex, 0]);
                threads.push(rig.thread(core, "worker"));
                let got = rig.call(core, "KeWaitForSingleObject", &[mutex, 0, 0, 0, 0]);
                assert!(matches!(got, Outcome::Continue(_, 0)), "{got:?}");
            }
            rig.wait(0, second);
            rig.wait(1, first);
            let wait = |i: usize, mutex| Wait {
                waiter: Waiter::Thread {
                    thread: threads[i],
                    core: i as u8,
                },
                awaited: Awaited::Object(ObjectKind::Mutex, mutex),
                holder: Some(Holder::Thread(threads[1 - i])),
                since: Some(rig.m.position()),
            };
            assert_eq!(rig.waits(), [wait(0, second), wait(1, first)]);
        }
    }

    /// The kind is what the object's header says, and a thread that ends is its own holder.
    #[test]
    fn objects_are_called_what_they_are() {
        for profile in PROFILES {
            let mut rig = Rig::new(profile);
            let objects: Vec<u64> = (0..3).map(|n| rig.object(n)).collect();
            rig.call(0, "KeInitializeEvent", &[objects[0], 1, 0]);
            rig.call(0, "KeInitializeSemaphore", &[objects[1], 0, 1]);
            rig.call(0, "KeInitializeTimerEx", &[objects[2], 1]);
            let first = rig.thread(0, "waits for an event");
            rig.wait(0, objects[0]);
            let thread = rig.m.state.nt.threads.list[first as usize].object;
            for &object in &[objects[1], objects[2], thread] {
                rig.thread(0, "waits");
                rig.wait(0, object);
            }
            let waits = rig.waits();
            let awaited: Vec<_> = waits.iter().map(|w| (w.awaited, w.holder)).collect();
            let object = |kind, at| (Awaited::Object(kind, at), None);
            assert_eq!(
                awaited,
                [
                    object(ObjectKind::Event, objects[0]),
                    object(ObjectKind::Semaphore, objects[1]),
                    object(ObjectKind::Timer, objects[2]),
                    (
                        Awaited::Object(ObjectKind::Thread, thread),
                        Some(Holder::Thread(first))
                    ),
                ]
            );
        }
    }

    /// Of several objects, all of which have to come, those are listed that have not.
    #[test]
    fn a_wait_for_all_lists_what_is_missing() {
        for profile in PROFILES {
            let mut rig = Rig::new(profile);
            let events: Vec<u64> = (0..3).map(|n| rig.object(n)).collect();
            for (&event, set) in events.iter().zip([0, 1, 0]) {
                rig.call(0, "KeInitializeEvent", &[event, 0, set]);
            }
            let (list, size) = (rig.object(4), rig.m.arch().pointer_size());
            for (&event, i) in events.iter().zip(0..) {
                let word = &event.to_le_bytes()[..size as usize];
                assert!(rig.m.memory.write(list + i * size, word));
            }
            let arch = rig.m.arch();
            assert_eq!(rig.m.memory.read_ptr(arch, list), Some(events[0]));
            rig.thread(0, "waits");
            let waits = rig.call(0, "KeWaitForMultipleObjects", &[3, list]);
            assert!(matches!(waits, Outcome::Wait { .. }), "{waits:?}");
            thread::park(&mut rig.m, 0);
            let awaited: Vec<_> = rig.waits().iter().map(|w| w.awaited).collect();
            let event = |i: usize| Awaited::Object(ObjectKind::Event, events[i]);
            assert_eq!(awaited, [event(0), event(2)]);
        }
    }
}
