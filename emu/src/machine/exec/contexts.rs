//! What a core does, one activity on top of another: how contexts come and go.

use isa::RegisterAccess;

use super::super::Machine;
use super::super::context::{Context, ContextKind, Next};
use crate::nt::{Then, thread};

impl Machine {
    /// Ends the core's topmost context and goes back to what it interrupted.
    pub(super) fn end_context(&mut self, core: usize) {
        let ended = self.state.cores[core].top().kind;
        match ended {
            ContextKind::Idle => self.state.cores[core].top_mut().next = Next::Idle,
            ContextKind::Thread(id) => thread::ended(self, core, id),
            ContextKind::Dpc | ContextKind::Interrupt(_) => {
                let done = self.state.cores[core]
                    .contexts
                    .pop()
                    .expect("it is the top");
                self.set_irql(core, done.irql_before);
                self.load_top(core);
            }
        }
    }

    /// Puts a context on top of what the core does.
    pub fn push_context(&mut self, core: usize, kind: ContextKind, irql: u8, next: Next) {
        self.save_top(core);
        let c = &mut self.state.cores[core];
        let before = c.irql;
        let own = match kind {
            ContextKind::Interrupt(_) => c.interrupt_stack,
            _ => c.dpc_stack,
        };
        // Nested interrupts share a stack: continue below what the interrupted one uses.
        let used = c
            .contexts
            .iter()
            .rev()
            .find(|x| x.kind != ContextKind::Idle && x.stack == own);
        let sp = isa::stack_pointer(self.setup.profile.arch());
        let stack = match used.and_then(|x| x.registers.as_ref()) {
            Some(r) => r.get(sp) & !0xFF,
            _ => own,
        };
        c.contexts.push(Context::new(kind, next, stack, before));
        self.set_irql_quietly(core, irql);
    }

    /// Saves the registers of the core's topmost context, which is about to lose the core.
    pub fn save_top(&mut self, core: usize) {
        let top = self.state.cores[core].top();
        if top.kind != ContextKind::Idle && top.registers.is_none() {
            let saved = self.engine.registers(core).save();
            self.state.cores[core].top_mut().registers = Some(Box::new(saved));
        }
    }

    /// Loads the registers of the core's topmost context, which has got the core back.
    pub fn load_top(&mut self, core: usize) {
        if let Some(saved) = self.state.cores[core].top_mut().registers.take() {
            self.engine.registers(core).load(&saved);
        }
    }

    /// Delivers the DPCs that the core may run now.
    pub fn software_interrupts(&mut self, core: usize) {
        let dispatch = self.irqls().dispatch;
        if self.state.cores[core].irql < dispatch
            && self.state.nt.dpcs.requested(core as u8)
            && self.state.nt.dpcs.hears(core as u8, self.now())
            && !self.state.cores[core].in_dpc()
        {
            let next = Next::Host(Then::NextDpc, 0);
            self.push_context(core, ContextKind::Dpc, dispatch, next);
        }
    }
}
