//! What a schedule is charged for a choice: the one definition of a preemption, which bounds,
//! shrinking and reports share.
//!
//! A **preemption** is a choice at which what could go on does not, and another core or another
//! thread does instead: the core that ran last could take its next step and another core takes one,
//! or a thread that runs gives its core to one that is ready (Musuvathi and Qadeer, "Iterative
//! Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007). Where the core
//! that ran last cannot go on, since it idles, waits or spins, another one that does preempts nobody.
//!
//! What comes from outside is an **arrival**, not a preemption: a packet, an interrupt or the clock
//! that is delivered, a queue of DPCs that is retired, in another moment, on another core or in
//! another order than by itself. What it interrupts goes on afterwards. If another core than the one
//! that ran last is interrupted, its interrupt routine runs when that core takes a step, and that
//! step is a preemption if the first could go on.
//!
//! A **fault** is a strike of a fault rule that is left to the schedule. It is neither: it changes
//! what happens, not when.

use super::Action;

/// What taking an option means.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Deviation {
    /// Option 0: what happens by itself.
    None,
    /// Another core goes on where the one that ran last cannot.
    Switch,
    /// See the module.
    Preemption,
    /// See the module.
    Arrival,
    /// See the module.
    Fault,
}

impl Deviation {
    /// What taking `option` means where `current` is the core that ran last.
    pub(super) fn of(options: &[Action], current: u8, option: usize) -> Deviation {
        let goes_on = options[0] == Action::Run(current);
        match options[option] {
            _ if option == 0 => Deviation::None,
            Action::Run(_) if goes_on => Deviation::Preemption,
            Action::Run(_) => Deviation::Switch,
            // Only a thread that could go on has a rival for its core.
            Action::Switch(_) => Deviation::Preemption,
            Action::Interrupt { .. }
            | Action::Dpcs(_)
            | Action::Clock(_)
            | Action::Packet { .. }
            | Action::Spare => Deviation::Arrival,
            Action::Strike(_) => Deviation::Fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cores_and_threads_preempt() {
        let packet = |core| Action::Packet { stream: 0, core };
        let interrupt = Action::Interrupt { core: 0, source: 1 };
        let running = [
            Action::Run(0),
            Action::Run(1),
            Action::Switch(1),
            interrupt,
            packet(1),
        ];
        let all = |options: &[Action], current| -> Vec<Deviation> {
            let each = 0..options.len();
            each.map(|o| Deviation::of(options, current, o)).collect()
        };
        use Deviation::{Arrival, None, Preemption, Switch};
        assert_eq!(
            all(&running, 0),
            [None, Preemption, Preemption, Arrival, Arrival]
        );
        // Core 2 cannot go on, so nobody is preempted when either of the others does.
        assert_eq!(
            all(&running, 2),
            [None, Switch, Preemption, Arrival, Arrival]
        );
        assert_eq!(all(&[packet(0), packet(1)], 0), [None, Arrival]);
        let fault = [Action::Spare, Action::Strike(0)];
        assert_eq!(all(&fault, 0), [None, Deviation::Fault]);
    }
}
