//! The letters that events have on the lanes.

use crate::trace::EventKind;
use crate::trace::event::{LockOp, PoolOp};

/// What kind of event it is, as far as the lanes tell. Where several share a cell, the one that
/// comes first here is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The machine stopped.
    Bugcheck,
    /// An access failed, or a fault was injected.
    Fault,
    /// Pool was freed.
    Free,
    /// Pool was allocated, or could not be.
    Alloc,
    /// A lock was found taken.
    Spin,
    /// A lock was taken.
    Lock,
    /// A lock was given back.
    Unlock,
    /// A packet moved.
    Packet,
    /// A DPC was queued or entered.
    Dpc,
    /// An interrupt.
    Interrupt,
    /// A timer.
    Timer,
    /// An I/O request packet moved.
    Irp,
    /// A thread began, ended, waited or went on.
    Thread,
    /// A page left memory or came back.
    Page,
    /// A choice of the schedule.
    Choice,
}

impl Mark {
    /// All of them.
    pub const ALL: [Mark; 15] = [
        Self::Bugcheck,
        Self::Fault,
        Self::Free,
        Self::Alloc,
        Self::Spin,
        Self::Lock,
        Self::Unlock,
        Self::Packet,
        Self::Dpc,
        Self::Interrupt,
        Self::Timer,
        Self::Irp,
        Self::Thread,
        Self::Page,
        Self::Choice,
    ];

    /// The mark of an event; calls, IRQL changes and texts have none.
    pub fn of(kind: &EventKind) -> Option<Mark> {
        Some(match kind {
            EventKind::Bugcheck { .. } => Self::Bugcheck,
            EventKind::Fault { .. } | EventKind::Injected { .. } => Self::Fault,
            EventKind::Pool {
                op: PoolOp::Freed, ..
            } => Self::Free,
            EventKind::Pool { .. } => Self::Alloc,
            EventKind::Lock {
                op: LockOp::Contended,
                ..
            } => Self::Spin,
            EventKind::Lock {
                op: LockOp::Acquired,
                ..
            } => Self::Lock,
            EventKind::Lock {
                op: LockOp::Released,
                ..
            } => Self::Unlock,
            EventKind::Packet { .. } => Self::Packet,
            EventKind::Dpc { .. } => Self::Dpc,
            EventKind::Enter { what: "DPC", .. } => Self::Dpc,
            EventKind::Interrupt { .. } => Self::Interrupt,
            EventKind::Timer { .. } => Self::Timer,
            EventKind::Irp { .. } => Self::Irp,
            EventKind::Thread { .. } | EventKind::Wait { .. } => Self::Thread,
            EventKind::Page { .. } => Self::Page,
            EventKind::Choice { .. } => Self::Choice,
            _ => return None,
        })
    }

    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Self::Bugcheck => '!',
            Self::Fault => 'x',
            Self::Free => 'f',
            Self::Alloc => 'a',
            Self::Spin => 'S',
            Self::Lock => 'L',
            Self::Unlock => 'U',
            Self::Packet => 'P',
            Self::Dpc => 'D',
            Self::Interrupt => 'I',
            Self::Timer => 'T',
            Self::Irp => 'R',
            Self::Thread => 't',
            Self::Page => 'p',
            Self::Choice => '◆',
        }
    }

    /// What it stands for.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Bugcheck => "the machine stops",
            Self::Fault => "a memory access fails, or a fault is injected",
            Self::Free => "pool is freed",
            Self::Alloc => "pool is allocated",
            Self::Spin => "the core finds a spin lock taken",
            Self::Lock => "a spin lock is taken",
            Self::Unlock => "a spin lock is released",
            Self::Packet => "a packet arrives, is indicated, returned or sent",
            Self::Dpc => "a DPC is queued, removed or entered",
            Self::Interrupt => "a device interrupt",
            Self::Timer => "a timer is set, cancelled or expires",
            Self::Irp => "an IRP is dispatched, completed or cancelled",
            Self::Thread => "a thread begins, ends, waits or goes on",
            Self::Page => "a page leaves memory or comes back",
            Self::Choice => "a choice of the schedule, on the line below the lanes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_mark_has_a_letter_of_its_own() {
        let letters: BTreeSet<char> = Mark::ALL.iter().map(|mark| mark.letter()).collect();
        assert_eq!(letters.len(), Mark::ALL.len());
    }
}
