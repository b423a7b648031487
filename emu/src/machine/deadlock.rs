//! Who waits for what when nothing can happen any more.

use super::Machine;
use super::context::Next;
use crate::nt::thread::ThreadState;
use crate::stop::{Stop, Wait};

impl Machine {
    /// The stop for a machine in which nothing can happen although work is outstanding.
    pub(super) fn deadlock(&self) -> Stop {
        let mut waits = Vec::new();
        for core in &self.state.cores {
            if let Next::Spin { lock, since } = core.top().next {
                waits.push(Wait {
                    core: core.number,
                    thread: core.thread(),
                    object: lock,
                    what: "spin lock",
                    holder: self.state.nt.locks.0.get(&lock).map(|h| h.core),
                    since,
                });
            }
        }
        for (id, thread) in self.state.nt.threads.list.iter().enumerate() {
            if thread.state != ThreadState::Waiting || thread.script.is_none() {
                continue;
            }
            let object = thread
                .wait
                .as_ref()
                .and_then(|w| w.objects.first().copied());
            waits.push(Wait {
                core: 0,
                thread: Some(id as u32),
                object: object.unwrap_or(0),
                what: if object.is_some() {
                    "event"
                } else {
                    "what never comes"
                },
                holder: None,
                since: thread.since,
            });
        }
        Stop::Deadlock { waits }
    }
}
