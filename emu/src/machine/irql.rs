//! The cores' interrupt request levels, and the instructions that change them.

use isa::{Reg, RegisterAccess, Special};

use super::Machine;
use super::context::{ContextKind, Next};
use crate::nt::{self, Then};
use crate::stop::Stop;
use crate::trace::EventKind;

impl Machine {
    /// Sets a core's IRQL. What becomes deliverable is delivered by
    /// [`Machine::software_interrupts`] afterwards.
    pub fn set_irql(&mut self, core: usize, to: u8) {
        let from = self.state.cores[core].irql;
        if from != to {
            self.set_irql_quietly(core, to);
            self.event(core, EventKind::Irql { from, to });
            if from < self.irqls().dispatch && to >= self.irqls().dispatch {
                crate::faults::raised(self, core);
            }
        }
    }

    /// Sets a core's IRQL without an event: the event that caused it tells enough.
    pub(super) fn set_irql_quietly(&mut self, core: usize, to: u8) {
        self.state.cores[core].irql = to;
        nt::irql::mirror(self, core);
    }

    /// Whether the instruction at the core's PC sets the IRQL.
    pub(super) fn is_irql_change(&self, core: usize) -> bool {
        let pc = self.engine.registers(core).get(Reg::PC);
        self.engine
            .insn(pc)
            .is_some_and(|i| matches!(i.special, Special::WriteCr8(_)))
    }

    /// Performs the instruction at the PC, which the emulator cannot.
    pub(super) fn special(&mut self, core: usize) -> Result<(), Box<Stop>> {
        let mut live = self.engine.registers(core);
        let pc = live.get(Reg::PC);
        let asked = Next::Guest { asked: true };
        // Events that it causes are the instruction's.
        self.state.cores[core].top_mut().next = Next::Special;
        if crate::faults::interrupts(self, core, None, pc)? {
            return Ok(());
        }
        crate::faults::at_address(self, core, pc);
        let Some(insn) = self.engine.insn(pc) else {
            self.state.cores[core].top_mut().next = asked;
            return self.processor_exception(core);
        };
        match insn.special {
            // A fault asked to stop here; now it goes on.
            Special::None => {
                self.state.cores[core].top_mut().next = asked;
                return Ok(());
            }
            Special::ReadCr8(to) => live.set(to, u64::from(self.state.cores[core].irql)),
            Special::WriteCr8(from) => {
                let level = (live.get(from) & 0xF) as u8;
                self.set_irql(core, level);
            }
            Special::Rdtsc | Special::Rdtscp => {
                let counter = self.engine.retired();
                if self.arch() == isa::Arch::Arm64 {
                    if let Some(to) = insn.writes.iter().find(|r| r.is_general()) {
                        live.set(to, counter);
                    }
                } else {
                    live.set(Reg(0), counter & 0xFFFF_FFFF);
                    live.set(Reg(2), counter >> 32);
                    if insn.special == Special::Rdtscp {
                        live.set(Reg(1), core as u64);
                    }
                }
            }
            Special::Hlt => {}
            Special::Cli | Special::Sti => {
                let name = self.module_name_at(pc);
                return Err(Box::new(Stop::Unimplemented {
                    name,
                    caller: pc,
                    detail: "the driver masks interrupts with an instruction".into(),
                }));
            }
            Special::Privileged | Special::SystemCall => {
                return Err(Box::new(Stop::Unimplemented {
                    name: self.module_name_at(pc),
                    caller: pc,
                    detail: "a privileged instruction".into(),
                }));
            }
            Special::Int(_) | Special::Break(_) | Special::Undefined => {
                self.state.cores[core].top_mut().next = asked;
                return self.processor_exception(core);
            }
        }
        live.set(Reg::PC, insn.next());
        self.state.cores[core].top_mut().next = Next::Guest { asked: false };
        Ok(())
    }

    fn module_name_at(&self, va: u64) -> String {
        self.module_at(va)
            .map_or_else(|| "?".into(), |i| self.setup.modules[i].name.clone())
    }

    /// A device interrupt reaches a core.
    pub(crate) fn interrupt(&mut self, core: usize, source: u32) {
        let level = nt::ndis::interrupt_level(self, source);
        let then = Then::Ndis(nt::ndis::Then::Service(source));
        self.push_context(
            core,
            ContextKind::Interrupt(source),
            level,
            Next::Host(then, 0),
        );
        self.event(
            core,
            EventKind::Interrupt {
                delivered: true,
                level,
                source,
            },
        );
    }
}
