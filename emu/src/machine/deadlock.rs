//! Who waits for what when nothing can happen any more.

use super::Machine;
use super::context::Next;
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
                    thread: core.thread(),
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
