//! What strategies see of the machine: who acts, and what the next step of each would touch.

use isa::{Atomic, Reg, RegisterAccess};

use super::Machine;
use super::code::split_operand;
use super::context::{ContextKind, Next};
use crate::choice::{Action, Actor, Aside, Effect, Kinds, Operation, View};
use crate::nt::{self, Then, effect, spin_lock, thread};

impl View for Machine {
    fn actor(&self, option: Action) -> Actor {
        match option {
            Action::Run(core) => match self.state.cores[usize::from(core)].top().kind {
                ContextKind::Thread(id) => Actor::Thread(id),
                ContextKind::Dpc => Actor::Dpc(core),
                ContextKind::Interrupt(_) => Actor::Interrupt(core),
                ContextKind::Idle => Actor::Dispatcher(core),
            },
            Action::Switch(core) => Actor::Dispatcher(core),
            Action::Interrupt { core, .. } => Actor::Interrupt(core),
            Action::Dpcs(core) => Actor::Dpc(core),
            Action::Clock(_) => Actor::Clock,
            Action::Packet { stream, .. } => Actor::Sender(stream),
            Action::Spare => Actor::Fault(0),
            Action::Strike(rule) => Actor::Fault(rule),
        }
    }

    fn operation(&self, option: Action) -> Operation {
        match option {
            Action::Run(core) => self.next_operation(usize::from(core)),
            Action::Spare => Operation::LOCAL,
            Action::Interrupt { core, .. } => effect::irql(usize::from(core)),
            Action::Packet { core, .. } => effect::arrival(usize::from(core)),
            _ => Operation::ANYTHING,
        }
    }

    fn aside(&self) -> Aside {
        let cores = self.state.cores.iter().zip(0..);
        let idle = cores.filter(|(c, _)| c.top().kind == ContextKind::Idle);
        let (allocated, freed) = self.state.nt.pools.counts();
        Aside {
            idle: idle.fold(0, |all, (_, core)| all | 1 << core),
            threads: thread::assignment(self),
            allocated,
            freed,
        }
    }

    fn place(&self, option: Action) -> u64 {
        match option {
            Action::Run(core) => self.caller_address(usize::from(core)),
            Action::Spare | Action::Strike(_) => self.caller_address(self.asked_about()),
            _ => 0,
        }
    }

    fn stack(&self) -> Vec<u64> {
        let frames = self.backtrace(self.asked_about());
        frames.into_iter().map(|frame| frame.pc).collect()
    }
}

impl Machine {
    /// What the next step of what runs on a core touches.
    fn next_operation(&self, core: usize) -> Operation {
        let top = self.state.cores[core].top();
        match &top.next {
            Next::Guest { .. } => self.guest_operation(core),
            Next::Update(loaded) => {
                Operation::one(loaded.address, u32::from(loaded.width), Effect::Write)
            }
            Next::Call(import) => {
                let slot = &self.setup.imports[*import as usize];
                let args = self.arguments(core, slot.api);
                effect::operation(self, core, slot.effect, &args)
            }
            Next::Spin { lock, .. } => effect::lock(self, *lock, Effect::Acquire),
            Next::Special => effect::operation(self, core, effect::Kind::Irql, &[0; 12]),
            next if self.ends_thread(core) => {
                debug_assert!(matches!(next, Next::Resume(..) | Next::Host(..)));
                effect::operation(self, core, effect::Kind::End, &[0; 12])
            }
            next if is_local(next) => Operation::LOCAL,
            // The adapter's queue of this core is serviced.
            Next::Host(Then::Ndis(nt::ndis::Then::Service(_)), _) => effect::irql(core),
            // A thread comes back from a wait.
            Next::Resume(Then::Return | Then::ReturnValue(_), Some(_), _) => match top.kind {
                ContextKind::Thread(id) => {
                    let woken = self.state.nt.threads.list[id as usize].woken;
                    effect::object(self, woken, Effect::Acquire)
                }
                _ => Operation::ANYTHING,
            },
            _ => Operation::ANYTHING,
        }
    }

    /// What the instruction at the PC touches, if it is a scheduling point.
    fn guest_operation(&self, core: usize) -> Operation {
        let live = self.engine.registers(core);
        let pc = live.get(Reg::PC);
        if !self.engine.is_point(pc) {
            return Operation::LOCAL;
        }
        let Some(insn) = self.engine.insn(pc) else {
            return Operation::ANYTHING;
        };
        let all = match insn.atomic {
            Atomic::Fence(_) => return Operation::ANYTHING,
            _ => insn.operands(),
        };
        // An exclusive load and its store are one update to everybody else.
        let exclusive = insn.atomic == Atomic::LoadExclusive;
        // Of two accesses to the same place the load is the first step.
        let split = split_operand(&insn, self.arch()).filter(|_| self.cpus() > 1);
        all.filter(|m| !m.implicit_stack)
            .fold(Operation::LOCAL, |all, m| {
                let effect = match (m.write || exclusive) && split != Some(m) {
                    true => Effect::Write,
                    false => Effect::Read,
                };
                // How far a repeated instruction goes is not known before.
                let length = match insn.repeat {
                    true => u32::from(u16::MAX),
                    false => u32::from(m.width.max(1)),
                };
                all.and(m.address(&live), length, effect)
            })
    }

    /// Whether the next thing that happens on a core is the end of its thread.
    pub(super) fn ends_thread(&self, core: usize) -> bool {
        let top = self.state.cores[core].top();
        matches!(top.kind, ContextKind::Thread(_))
            && matches!(
                top.next,
                Next::Resume(Then::End, ..) | Next::Host(Then::End, _)
            )
    }

    /// Whether nobody could see when the next step of a core happens. Cheap, unlike the operation.
    pub(super) fn steps_locally(&self, core: usize) -> bool {
        let top = self.state.cores[core].top();
        match &top.next {
            Next::Guest { .. } => {
                let pc = self.engine.registers(core).get(Reg::PC);
                !self.engine.is_point(pc)
            }
            Next::Call(import) => {
                let slot = &self.setup.imports[*import as usize];
                match slot.effect {
                    effect::Kind::Handle(_) => self.next_operation(core).is_local(),
                    effect => !effect.is_point() || self.blocks(core, slot),
                }
            }
            // Only who waits for the end can tell when it was, and coming back from a wait is a
            // step of its own.
            _ if self.ends_thread(core) => self.setup.world.held.includes(Kinds::WORLD),
            next => is_local(next),
        }
    }

    /// Whether the call that a core is about to make will only make it wait, and nothing but
    /// threads can notice: with the outside world held still, a lock that is held is one that
    /// cannot be acquired, and trying is no step of its own.
    fn blocks(&self, core: usize, slot: &super::ImportSlot) -> bool {
        if !self.setup.world.held.includes(Kinds::WORLD) {
            return false;
        }
        let args = || self.arguments(core, slot.api);
        match slot.effect {
            effect::Kind::Lock(at, Effect::Acquire) => !spin_lock::is_free(self, args()[at]),
            effect::Kind::Wait(object, timeout) => {
                let args = args();
                args[timeout] == 0 && !self.is_signalled(core, args[object])
            }
            effect::Kind::WaitMany(..) => true,
            _ => false,
        }
    }

    fn is_signalled(&self, core: usize, object: u64) -> bool {
        let owner = thread::current_object(self, core);
        nt::dispatcher::available(self, object, owner)
    }
}

/// Whether a step of the kernel's own is nobody else's business.
fn is_local(next: &Next) -> bool {
    matches!(
        next,
        Next::Host(Then::Thread(thread::Then::Start { .. }), _)
    )
}
