//! Breaches of a recorded run as findings.

use super::{Rule, find, irql};
use crate::machine::Machine;
use crate::oracle::walk::{Observer, Walk, walk};
use crate::oracle::{Finding, Object, Spot, grouped, spot};
use crate::trace::event::{IrpOp, LockOp, PoolOp, TimerOp};
use crate::trace::{Event, EventKind};

struct Breaches<'a> {
    machine: &'a Machine,
    found: Vec<Finding>,
}

/// What a recorded run has broken, each with the places that led to it, in the order of the run.
/// Nothing if the run was not recorded.
pub fn findings(machine: &Machine) -> Vec<Finding> {
    let events = machine.recorder.events().iter();
    let mut breaches = events.filter(|e| matches!(e.kind, EventKind::Broken { .. }));
    if breaches.next().is_none() {
        return Vec::new();
    }
    let found = Vec::new();
    let mut breaches = Breaches { machine, found };
    walk(machine, &mut breaches);
    grouped(breaches.found)
}

impl Observer for Breaches<'_> {
    fn before(&mut self, walk: &Walk<'_>, event: usize) {
        let e = walk.event_at(event);
        let EventKind::Broken {
            rule, object, what, ..
        } = &e.kind
        else {
            return;
        };
        let Some(rule) = find(rule) else { return };
        let actor = walk.actor(e.core);
        let mut places: Vec<Spot> = Vec::new();
        for (earlier, role) in causes(self.machine, event) {
            places.push(spot(self.machine, earlier, actor, role));
        }
        let mut place = spot(self.machine, event, actor, "breaks the rule");
        place.locks = walk.held(e.core).iter().map(|h| h.lock).collect();
        places.push(place);
        self.found.push(Finding {
            places,
            object: self.object(*object),
            help: rule.mend,
            rule: rule.source,
            ..Finding::new(rule.name, what.clone())
        });
    }
}

impl Breaches<'_> {
    /// What a breach is about, unless it is a routine, which is a place.
    fn object(&self, at: u64) -> Option<Object> {
        let code = self.machine.module_at(at).is_some();
        let object = Object {
            address: at,
            length: 0,
            what: "the object".into(),
        };
        (at != 0 && !code).then_some(object)
    }
}

/// What led to the breach of that event, in words: the last event by which what it is about was
/// allocated, taken, set, queued or entered; and of a wrong IRQL at a return, the one by which the
/// core came to it.
pub(crate) fn causes(machine: &Machine, breach: usize) -> Vec<(usize, String)> {
    let events = machine.recorder.events();
    let e = &events[breach];
    let EventKind::Broken { rule, object, .. } = e.kind else {
        return Vec::new();
    };
    let told = |(i, e): (usize, &Event)| became(e, object).map(|role| (i, role));
    let before = || events[..breach].iter().enumerate().rev();
    let mut causes: Vec<(usize, String)> = Vec::new();
    causes.extend((object != 0).then(|| before().find_map(told)).flatten());
    if AT_RETURN.iter().any(|r| r.name == rule) {
        let changed = before().find(|(_, b)| {
            b.core == e.core && matches!(b.kind, EventKind::Irql { to, .. } if to == e.irql)
        });
        causes.extend(changed.map(|(i, _)| (i, format!("sets the IRQL to {}", e.irql))));
    }
    causes
}

/// The rules about the IRQL at which a routine returns.
const AT_RETURN: [&Rule; 5] = [
    &irql::DISPATCH_RETURN,
    &irql::COMPLETION_RETURN,
    &irql::DPC_RETURN,
    &irql::WORK_RETURN,
    &irql::RETURN,
];

fn became(event: &Event, object: u64) -> Option<String> {
    let role = match event.kind {
        EventKind::Pool {
            op, block, size, ..
        } if block <= object && object < block + size.max(1) => match op {
            PoolOp::Allocated => format!("allocates the block of {size:#x} bytes"),
            PoolOp::Freed => "frees the block".into(),
            PoolOp::Failed => return None,
        },
        EventKind::Lock {
            op: LockOp::Acquired,
            lock,
        } if lock == object => "takes the lock".into(),
        EventKind::Timer {
            op: TimerOp::Set,
            timer,
        } if timer == object => "sets the timer".into(),
        EventKind::Dpc {
            queued: true, dpc, ..
        } if dpc == object => "queues the DPC".into(),
        EventKind::Irp { op, irp, .. } if irp == object => match op {
            IrpOp::Dispatched => "gets the IRP".into(),
            IrpOp::Completed => "completes the IRP".into(),
            IrpOp::Cancelled => "cancels the IRP".into(),
        },
        // A mutex that need not be waited for makes no event but this, nor does a spin lock of a
        // machine with one processor.
        EventKind::Call { name, ref args } if args.first() == Some(&object) => {
            if name.starts_with("KeWait") {
                "waits for the object".into()
            } else if name.contains("AcquireSpinLock") {
                "takes the lock".into()
            } else {
                return None;
            }
        }
        EventKind::Enter { routine, .. } if routine == object => {
            format!("is entered at IRQL {}", event.irql)
        }
        _ => return None,
    };
    Some(role)
}
