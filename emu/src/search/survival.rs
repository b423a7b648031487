//! Whether drivers have survived a fault: what that comes to is not always what the workload wanted.

use crate::campaign::Campaign;
use crate::machine::{Ended, Machine, Watch};
use crate::oracle::{self, Finding};
use crate::rules;
use crate::stop::{Awaited, Stop};

/// By what the runs of a search are judged, beside what the scenario expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judging {
    /// Where the scenario expects that the workload is done, it is enough that the drivers survive.
    pub survival: bool,
    /// Every run is recorded, and the oracles of the plan look at it.
    pub oracles: bool,
}

/// `STATUS_INSUFFICIENT_RESOURCES` of ntstatus.h.
const INSUFFICIENT_RESOURCES: u32 = 0xC000_009A;

/// Whether the drivers have done what they can: the workload is done, or a request was refused for
/// want of memory, or the run ends because nobody waits but those outside of the machine and those
/// who wait for them, for a packet that was lost and that nobody sends again. Nobody waits for a
/// driver. Whether the drivers would go on if it came after all is not tried.
pub fn survived(stop: &Stop) -> bool {
    match stop {
        Stop::Completed => true,
        Stop::Request { status, .. } => *status == INSUFFICIENT_RESOURCES,
        Stop::Deadlock { waits } => waits.iter().all(|wait| {
            let outside = matches!(wait.awaited, Awaited::Condition(_) | Awaited::Listener(_));
            outside && wait.holder.is_none()
        }),
        _ => false,
    }
}

/// The same of the machine as it is then: where everyone waits, drivers have also given back all
/// that keeps others out: spin locks, mutexes, the IRQL.
pub(super) fn survives(stop: &Stop, machine: &Machine) -> bool {
    let waiting = matches!(stop, Stop::Deadlock { .. });
    survived(stop) && !(waiting && rules::lock::keeps_out(machine))
}

impl Judging {
    /// How the machines of the search have to be watched.
    pub(super) fn watch(self) -> Watch {
        match self.oracles {
            true => Watch::Recording,
            false => Watch::Points,
        }
    }

    /// What the oracles of the plan find first in the run that a campaign has just made.
    pub(super) fn finding(self, campaign: &Campaign, ended: &Ended) -> Option<Finding> {
        if !self.oracles {
            return None;
        }
        let machine = campaign.machine();
        let asked = machine.setup.plan.oracles.iter();
        let asked: Vec<_> = asked.filter_map(|name| oracle::find(name)).collect();
        let mut findings = oracle::check(machine, ended, &asked);
        // Of a wait that a lost packet explains it is known that the drivers survive it.
        if survives(&ended.stop, machine) {
            findings.retain(|finding| finding.oracle != "deadlock");
        }
        findings.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::{Holder, ObjectKind, Wait, Waiter};

    #[test]
    fn who_waits_for_a_driver_has_not_survived() {
        let wait = |awaited, holder| Wait {
            waiter: Waiter::Thread { thread: 1, core: 0 },
            awaited,
            holder,
            since: None,
        };
        let deadlock = |waits: &[Wait]| Stop::Deadlock {
            waits: waits.to_vec(),
        };
        let adapter = wait(Awaited::Listener(0), None);
        let event = wait(Awaited::Object(ObjectKind::Event, 0x1000), None);
        let lock = wait(Awaited::SpinLock(0x1000), Some(Holder::Core(1)));
        assert!(survived(&deadlock(std::slice::from_ref(&adapter))));
        assert!(!survived(&deadlock(&[adapter.clone(), event])));
        assert!(!survived(&deadlock(&[lock])));
        let request = |status| Stop::Request {
            thread: "rras".into(),
            step: 2,
            status,
            expected: 0,
        };
        assert!(survived(&request(INSUFFICIENT_RESOURCES)));
        assert!(!survived(&request(0xC000_0001)) && survived(&Stop::Completed));
    }
}
