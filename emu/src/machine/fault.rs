//! When an access to memory has no translation: bring the page in, or stop the machine with the
//! bugcheck that Windows would give.
//!
//! The decision follows the page fault handlers as ReactOS documents them in code (ke/bug.c,
//! ke/i386/traphdlr.c, mm/ARM3/pagfault.c, which model Windows Server 2003), and the parameter
//! descriptions of the debugger documentation (Bug Check 0xA, 0xD1, 0x50, 0xBE, 0x7E, 0x8E, 0x1E,
//! 0x7F).

use isa::{Flow, Reg, RegisterAccess, Special};

use super::Machine;
use super::context::Caller;
use super::memory::{Miss, RegionKind};
use crate::nt::{self, Trouble, status};
use crate::personality::Personality;
use crate::stop::{Access, Bugcheck, Stop};
use crate::trace::EventKind;

const IRQL_NOT_LESS_OR_EQUAL: u32 = 0x0A;
const KMODE_EXCEPTION_NOT_HANDLED: u32 = 0x1E;
const PAGE_FAULT_IN_NONPAGED_AREA: u32 = 0x50;
const SYSTEM_THREAD_EXCEPTION_NOT_HANDLED: u32 = 0x7E;
const UNEXPECTED_KERNEL_MODE_TRAP: u32 = 0x7F;
const KERNEL_MODE_EXCEPTION_NOT_HANDLED: u32 = 0x8E;
const ATTEMPTED_WRITE_TO_READONLY_MEMORY: u32 = 0xBE;
const DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS: u32 = 0xCE;
const DRIVER_IRQL_NOT_LESS_OR_EQUAL: u32 = 0xD1;
const DRIVER_PORTION_MUST_BE_NONPAGED: u32 = 0xD3;
const SYSTEM_SCAN_AT_RAISED_IRQL_CAUGHT_IMPROPER_DRIVER_UNLOAD: u32 = 0xD4;
const DOUBLE_FAULT: u64 = 8;

/// The operation as parameter 3 of 0x0A and 0xD1 writes it: bit 0 a write, bit 3 an execution.
fn operation(access: Access) -> u64 {
    match access {
        Access::Read => 0,
        Access::Write => 1,
        Access::Execute => 8,
    }
}

impl Machine {
    /// The exact address of an access to `page` by the instruction at the core's PC. The emulator
    /// only tells the page.
    pub(super) fn fault_address(&self, core: usize, page: u64, access: Access) -> u64 {
        let live = self.engine.registers(core);
        let pc = live.get(Reg::PC);
        if access == Access::Execute {
            return if pc.wrapping_sub(page) < 0x1000 {
                pc
            } else {
                page
            };
        }
        let Some(insn) = self.engine.insn(pc) else {
            return page;
        };
        let width = |m: &isa::MemOperand| u64::from(m.width.max(1));
        let touched = insn.operands().map(|m| (m.address(&live), width(m)));
        touched
            .filter(|&(at, width)| at < page + 0x1000 && at.wrapping_add(width) > page)
            .map(|(at, _)| at.max(page))
            .next()
            .unwrap_or(page)
    }

    /// Driver code touched `va` and there is no translation.
    pub(super) fn access_fault(
        &mut self,
        core: usize,
        va: u64,
        access: Access,
    ) -> Result<(), Box<Stop>> {
        let pc = self.engine.registers(core).get(Reg::PC);
        let miss = self.memory.miss(va, access);
        if miss == Some(Miss::NotResident) && self.page_in(core, va) {
            return Ok(());
        }
        if miss.is_none() {
            // It was kept from the core, which may not wait for pages, so that it is seen.
            self.engine.allow(core, va);
            return crate::rules::page::touched(self, core, va, access, pc);
        }
        self.event(
            core,
            EventKind::Fault {
                address: va,
                access,
            },
        );
        Err(Box::new(self.memory_bugcheck(core, va, access, pc, miss)))
    }

    /// Makes sure that kernel code running on `core` can touch `length` bytes at `va`.
    #[inline]
    pub fn touch(
        &mut self,
        core: usize,
        va: u64,
        length: u64,
        access: Access,
    ) -> Result<(), Trouble> {
        match !self.setup.watches_pages && self.memory.is_at_hand(va, length) {
            true => Ok(()),
            false => self.touch_each(core, va, length, access),
        }
    }

    fn touch_each(
        &mut self,
        core: usize,
        va: u64,
        length: u64,
        access: Access,
    ) -> Result<(), Trouble> {
        let Some(last) = va.checked_add(length.max(1) - 1) else {
            return Err(Trouble::Fault { va, access });
        };
        let mut at = va;
        loop {
            match self.memory.miss(at, access) {
                // The kernel writes import tables and the like through its own mappings.
                None | Some(Miss::Rights) => self.touched_by_kernel(core, at, access)?,
                Some(Miss::NotResident) if self.page_in(core, at) => {}
                Some(_) => return Err(Trouble::Fault { va: at, access }),
            }
            match (at | 0xFFF).checked_add(1) {
                Some(next) if next <= last => at = next,
                _ => return Ok(()),
            }
        }
    }

    /// Kernel code working for a driver touches memory that is there.
    fn touched_by_kernel(&mut self, core: usize, va: u64, access: Access) -> Result<(), Box<Stop>> {
        let no_wait = self.state.cores[core].irql >= self.irqls().dispatch;
        if !(self.setup.watches_pages && no_wait && self.memory.is_pageable(va)) {
            return Ok(());
        }
        let pc = self.caller_address(core);
        crate::rules::page::touched(self, core, va, access, pc)
    }

    /// Brings a page into memory, if the core may wait for it.
    fn page_in(&mut self, core: usize, va: u64) -> bool {
        if self.state.cores[core].irql >= self.irqls().dispatch {
            return false;
        }
        let size = self.setup.profile.page_size();
        let page = va & !(size - 1);
        self.memory.change_pages(page, size, |p| p.resident = true);
        self.event(
            core,
            EventKind::Page {
                resident: true,
                page,
            },
        );
        true
    }

    /// Takes a page out of memory.
    pub fn page_out(&mut self, core: usize, va: u64) {
        let size = self.setup.profile.page_size();
        let page = va & !(size - 1);
        self.memory.change_pages(page, size, |p| p.resident = false);
        self.event(
            core,
            EventKind::Page {
                resident: false,
                page,
            },
        );
    }

    /// Kernel code working for a driver touched memory it could not.
    pub(crate) fn kernel_fault(
        &mut self,
        core: usize,
        va: u64,
        access: Access,
        caller: Option<Caller>,
    ) -> Box<Stop> {
        let pc = match caller {
            Some(caller) => self.setup.imports[caller.import as usize].address,
            None => self.setup.modules[0].base,
        };
        self.event(
            core,
            EventKind::Fault {
                address: va,
                access,
            },
        );
        let miss = self.memory.miss(va, access).or(Some(Miss::Invalid));
        Box::new(self.memory_bugcheck(core, va, access, pc, miss))
    }

    fn memory_bugcheck(
        &mut self,
        core: usize,
        va: u64,
        access: Access,
        pc: u64,
        miss: Option<Miss>,
    ) -> Stop {
        let irql = self.state.cores[core].irql;
        let op = operation(access);
        let below = va.wrapping_sub(1);
        let on_stack = |va| {
            matches!(
                self.memory.region(va).map(|r| r.kind),
                Some(RegionKind::Stack(_))
            )
        };
        let overflow = miss == Some(Miss::Invalid) && on_stack(va) && access == Access::Write;
        let (code, params) = if overflow && on_stack(below) {
            (UNEXPECTED_KERNEL_MODE_TRAP, [DOUBLE_FAULT, 0, 0, 0])
        } else if miss == Some(Miss::Rights) && access == Access::Write {
            (ATTEMPTED_WRITE_TO_READONLY_MEMORY, [va, 0, 0, 0])
        } else if irql >= self.irqls().dispatch {
            (IRQL_NOT_LESS_OR_EQUAL, [va, u64::from(irql), op, pc])
        } else if self.setup.personality.blames_drivers() && nt::io::driver::is_unloaded(self, va) {
            (
                DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                [va, op, pc, 0],
            )
        } else if va >= self.setup.map.kernel {
            // 0: a free page table entry, 2: no page table for the address.
            let kind = if self.memory.region(va).is_some() {
                0
            } else {
                2
            };
            (PAGE_FAULT_IN_NONPAGED_AREA, [va, op.min(1), pc, kind])
        } else {
            return self.exception(core, status::ACCESS_VIOLATION, pc, [op, va]);
        };
        let mut stop = self.bugcheck_at(core, code, params, pc);
        stop.access = Some((va, access));
        Stop::Bugcheck(Box::new(stop))
    }

    /// The processor raised an exception of its own at the core's PC.
    pub(super) fn processor_exception(&mut self, core: usize) -> Result<(), Box<Stop>> {
        let pc = self.engine.registers(core).get(Reg::PC);
        let insn = self.engine.insn(pc);
        let code = match insn.map(|i| (i.special, i.flow)) {
            Some((Special::Int(3) | Special::Break(0xF000), _)) => status::BREAKPOINT,
            None | Some((Special::Undefined, _)) => status::ILLEGAL_INSTRUCTION,
            Some((Special::None, Flow::Next)) => status::INTEGER_DIVIDE_BY_ZERO,
            Some(_) => status::ILLEGAL_INSTRUCTION,
        };
        Err(Box::new(self.exception(core, code, pc, [0, 0])))
    }

    /// An exception that no handler takes: drivers that handle exceptions are not modelled.
    fn exception(&mut self, core: usize, code: u32, pc: u64, information: [u64; 2]) -> Stop {
        let status = u64::from(code);
        let system_thread = self.state.cores[core]
            .thread()
            .is_none_or(|id| self.state.nt.threads.list[id as usize].script.is_none());
        let (bugcheck, params) = if self.setup.personality == Personality::Nt4 {
            (
                KMODE_EXCEPTION_NOT_HANDLED,
                [status, pc, information[0], information[1]],
            )
        } else if system_thread {
            let sp = isa::stack_pointer(self.arch());
            let frame = self.engine.registers(core).get(sp);
            (
                SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
                [status, pc, frame, frame],
            )
        } else {
            let sp = isa::stack_pointer(self.arch());
            let frame = self.engine.registers(core).get(sp);
            (KERNEL_MODE_EXCEPTION_NOT_HANDLED, [status, pc, frame, 0])
        };
        let mut stop = self.bugcheck_at(core, bugcheck, params, pc);
        if code == status::ACCESS_VIOLATION {
            let access = if information[0] == 1 {
                Access::Write
            } else {
                Access::Read
            };
            stop.access = Some((information[1], access));
        }
        Stop::Bugcheck(Box::new(stop))
    }

    /// The stop that `KeBugCheckEx(code, params)` on `core` leads to.
    pub fn bugcheck(&mut self, core: usize, code: u32, params: [u64; 4]) -> Stop {
        let pc = self.caller_address(core);
        self.bugcheck_from(core, code, params, pc)
    }

    /// The same for which the code at `pc` is to blame.
    pub(crate) fn bugcheck_from(
        &mut self,
        core: usize,
        code: u32,
        params: [u64; 4],
        pc: u64,
    ) -> Stop {
        Stop::Bugcheck(Box::new(self.bugcheck_at(core, code, params, pc)))
    }

    fn bugcheck_at(&self, core: usize, code: u32, params: [u64; 4], pc: u64) -> Bugcheck {
        let mut code = code;
        let mut blamed = None;
        if code == IRQL_NOT_LESS_OR_EQUAL && self.setup.personality.blames_drivers() {
            let at_fault = self.in_driver(params[3]);
            let touched = self.in_driver(params[0]);
            if at_fault.is_some() {
                (code, blamed) = (DRIVER_IRQL_NOT_LESS_OR_EQUAL, at_fault);
            } else if self.module_at(params[3]).is_some() && touched.is_some() {
                let unloaded = nt::io::driver::is_unloaded(self, params[0]);
                code = match unloaded {
                    true => SYSTEM_SCAN_AT_RAISED_IRQL_CAUGHT_IMPROPER_DRIVER_UNLOAD,
                    false => DRIVER_PORTION_MUST_BE_NONPAGED,
                };
                blamed = touched;
            }
        } else if self.setup.personality.blames_drivers() {
            blamed = self.in_driver(pc);
        }
        let irql = self.state.cores[core].irql;
        Bugcheck {
            code,
            params,
            core: core as u8,
            irql,
            pc,
            access: None,
            blamed,
        }
    }
}
