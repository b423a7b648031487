//! `irql.raise`: a kernel call, or a routine of a driver, runs at a higher IRQL than its caller
//! meant it to.

use std::sync::Arc;

use isa::{Mem, RegisterAccess};

use super::rule::{Params, Which};
use super::{Fault, FaultKind, RuleError, Site, Undo};
use crate::nt::Api;

pub(super) const KIND: FaultKind = FaultKind {
    name: "irql.raise",
    help: "a kernel call or a driver's routine runs at a higher IRQL",
    params: &[
        (
            "call",
            "the kernel function, for example ExAllocatePoolWithTag; any if there is no routine either",
        ),
        (
            "routine",
            "the driver's function, by the end of its name, for example reset::rebuild",
        ),
        (
            "level",
            "the IRQL, 1 to the profile's highest; 2 (DISPATCH_LEVEL) if absent",
        ),
        (
            "nth",
            "the nth time it is reached after the boot; the schedule decides if absent",
        ),
        ("every", "true: every time"),
    ],
    parse,
};

struct IrqlRaise {
    what: What,
    level: u8,
    which: Which,
}

enum What {
    /// Any kernel call.
    Any,
    Call(String),
    Routine(String),
}

fn parse(params: &Params<'_>) -> Result<Arc<dyn Fault>, RuleError> {
    let what = match (params.text("call"), params.text("routine")) {
        (Some(name), None) if crate::nt::find(&name).is_some() => What::Call(name),
        (Some(name), None) => {
            return Err(params.error(format!("'{name}' is not a modelled kernel function")));
        }
        (None, Some(name)) => What::Routine(name),
        (None, None) => What::Any,
        _ => return Err(params.error("call and routine exclude each other")),
    };
    let level = match params.number("level")?.unwrap_or(2) {
        level @ 1..=31 => level as u8,
        level => return Err(params.error(format!("level must be 1 to 31, not {level}"))),
    };
    Ok(Arc::new(IrqlRaise {
        what,
        level,
        which: params.which()?,
    }))
}

impl IrqlRaise {
    /// Raises; gives whether it did.
    fn raise(&self, at: &mut Site<'_>, undo_at: u64, name: &str) -> bool {
        let (core, irql) = (at.core as u8, at.m.state.cores[at.core].irql);
        let level = self.level.min(at.m.irqls().high);
        if irql >= level || !at.strikes(self.which) {
            return false;
        }
        let (sp, contexts) = depth(at);
        at.progress().undo.push(Undo {
            core,
            irql,
            at: undo_at,
            sp,
            contexts,
        });
        at.tell(
            "irql.raise",
            format!("{name} runs at IRQL {level} instead of {irql}"),
        );
        at.m.set_irql(at.core, level);
        true
    }

    /// Goes back to the IRQL from before, if a raise on this core ends at `place`.
    fn lower(&self, at: &mut Site<'_>, place: u64) {
        let core = at.core as u8;
        let (sp, contexts) = depth(at);
        let ends = |u: &Undo| {
            u.core == core && u.at == place && (place == 0 || u.contexts == contexts && u.sp <= sp)
        };
        if let Some(i) = at.progress().undo.iter().rposition(ends) {
            let undo = at.progress().undo.remove(i);
            at.m.set_irql(at.core, undo.irql);
        }
    }
}

/// How deep in calls a core is: its stack pointer, and its contexts.
fn depth(at: &Site<'_>) -> (u64, usize) {
    let live = at.m.live_registers(at.core);
    (
        live.get(isa::stack_pointer(at.m.arch())),
        at.m.state.cores[at.core].contexts.len(),
    )
}

impl Fault for IrqlRaise {
    fn routine(&self) -> Option<&str> {
        match &self.what {
            What::Routine(name) => Some(name),
            What::Any | What::Call(_) => None,
        }
    }

    fn before_call(&self, at: &mut Site<'_>, api: &'static Api) {
        match &self.what {
            What::Any => self.raise(at, 0, api.name),
            What::Call(name) if name == api.name => self.raise(at, 0, api.name),
            _ => false,
        };
    }

    fn after_call(&self, at: &mut Site<'_>) {
        self.lower(at, 0);
    }

    fn at(&self, at: &mut Site<'_>, pc: u64) {
        let What::Routine(name) = &self.what else {
            return;
        };
        self.lower(at, pc);
        if at.begins(pc) {
            let arch = at.m.arch();
            let live = at.m.live_registers(at.core);
            let back = match isa::link_register(arch) {
                Some(link) => live.get(link),
                None => {
                    let sp = live.get(isa::stack_pointer(arch));
                    at.m.memory.read_ptr(arch, sp).unwrap_or(0)
                }
            };
            if self.raise(at, back, name) {
                at.m.stop_at(back);
            }
        }
    }
}
