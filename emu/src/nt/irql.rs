//! IRQL functions. On x64 drivers use CR8 instead, which the engine traps.

use super::api::{Contract, Module, Style, byte, ptr};
use super::{Api, Call, Done};
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::rules;

const WDK: &str = "Windows driver documentation: Managing Hardware Priorities; wdm.h";
const ROS: &str = "ReactOS hal/halx86/generic/irql.c (behaviour)";

/// Functions that read or change the IRQL.
pub const API: &[Api] = &[
    Api {
        name: "KeGetCurrentIrql",
        module: Module::Hal,
        style: Style::Std,
        args: &[],
        irql: Contract::Any,
        source: WDK,
        handler: current,
    },
    Api {
        name: "KfRaiseIrql",
        module: Module::Hal,
        style: Style::Fast,
        args: &[byte("NewIrql")],
        irql: Contract::Any,
        source: WDK,
        handler: kf_raise,
    },
    Api {
        name: "KfLowerIrql",
        module: Module::Hal,
        style: Style::Fast,
        args: &[byte("NewIrql")],
        irql: Contract::Any,
        source: WDK,
        handler: lower,
    },
    Api {
        name: "KeRaiseIrql",
        module: Module::Hal,
        style: Style::Std,
        args: &[byte("NewIrql"), ptr("OldIrql")],
        irql: Contract::Any,
        source: WDK,
        handler: raise,
    },
    Api {
        name: "KeLowerIrql",
        module: Module::Hal,
        style: Style::Std,
        args: &[byte("NewIrql")],
        irql: Contract::Any,
        source: WDK,
        handler: lower,
    },
    Api {
        name: "KeRaiseIrqlToDpcLevel",
        module: Module::Hal,
        style: Style::Std,
        args: &[],
        irql: Contract::Dispatch,
        source: WDK,
        handler: raise_to_dpc,
    },
    Api {
        name: "KeRaiseIrqlToSynchLevel",
        module: Module::Hal,
        style: Style::Std,
        args: &[],
        irql: Contract::Any,
        source: ROS,
        handler: raise_to_synch,
    },
];

const IRQL_NOT_GREATER_OR_EQUAL: u32 = 0x09;
const IRQL_NOT_LESS_OR_EQUAL: u32 = 0x0A;

fn current(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return(u64::from(call.irql())))
}

fn raise_to(call: &mut Call<'_>, to: u8) -> Result<u8, super::Trouble> {
    let from = call.irql();
    if to < from {
        let (names, values) = (call.m.irqls(), [u64::from(from), u64::from(to)]);
        let what = format!(
            "raises the IRQL from {} to {}",
            names.name(from),
            names.name(to)
        );
        rules::by_call(call.m, call.core, &rules::irql::RAISE, &values, 0, what)?;
        let params = [u64::from(from), u64::from(to), 0, 9];
        return Err(call.bugcheck(IRQL_NOT_GREATER_OR_EQUAL, params));
    }
    call.m.set_irql(call.core, to);
    Ok(from)
}

fn kf_raise(call: &mut Call<'_>) -> Done {
    raise_to(call, call.args[0] as u8).map(|old| Outcome::Return(u64::from(old)))
}

fn raise(call: &mut Call<'_>) -> Done {
    let (to, old_at) = (call.args[0] as u8, call.args[1]);
    let old = raise_to(call, to)?;
    call.set_u8(old_at, old)?;
    Ok(Outcome::Return(0))
}

fn raise_to_dpc(call: &mut Call<'_>) -> Done {
    let to = call.m.irqls().dispatch;
    raise_to(call, to).map(|old| Outcome::Return(u64::from(old)))
}

fn raise_to_synch(call: &mut Call<'_>) -> Done {
    let to = call.m.irqls().synch;
    raise_to(call, to).map(|old| Outcome::Return(u64::from(old)))
}

fn lower(call: &mut Call<'_>) -> Done {
    let (from, to) = (call.irql(), call.args[0] as u8);
    if to > from {
        let (names, in_dpc) = (call.m.irqls(), call.this_core().in_dpc());
        let values = [u64::from(from), u64::from(to), u64::from(in_dpc)];
        let what = format!(
            "lowers the IRQL from {} to {}",
            names.name(from),
            names.name(to)
        );
        rules::by_call(call.m, call.core, &rules::irql::LOWER, &values, 0, what)?;
        return Err(call.bugcheck(
            IRQL_NOT_LESS_OR_EQUAL,
            [u64::from(from), u64::from(to), 0, 0],
        ));
    }
    call.m.set_irql(call.core, to);
    Ok(Outcome::Return(0))
}

/// Keeps the copy of a core's IRQL that drivers may read without a call: `KPCR.Irql`, at 0x24 on
/// x86 (FS:[24]). The other architectures have the register or the function only.
pub(crate) fn mirror(m: &mut Machine, core: usize) {
    if m.arch() == isa::Arch::X86 {
        let (pcr, irql) = (m.state.cores[core].pcr, m.state.cores[core].irql);
        m.memory.write(pcr + 0x24, &[irql]);
    }
}

/// A function that may only be called below DISPATCH_LEVEL lives in the kernel's pageable code,
/// and at or above that level nothing brings a page back: the call is the page fault that it is on
/// the real system at the worst moment.
pub(crate) fn check_contract(call: &mut Call<'_>, api: &Api) -> Result<(), super::Trouble> {
    let pageable = matches!(api.irql, Contract::Passive | Contract::Apc);
    if pageable && call.irql() >= call.m.irqls().dispatch {
        let va = call.m.address_of(api);
        return Err(super::call::fault(va, crate::stop::Access::Execute));
    }
    Ok(())
}
