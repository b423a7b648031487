//! Cancelling IRPs under the cancel spin lock.

use super::Then;
use super::history::{self, What};
use super::irp;
use crate::machine::Machine;
use crate::machine::context::{Next, Outcome};
use crate::nt::api::{Contract, Module, Style, byte, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, spin_lock, thread};
use crate::trace::EventKind;
use crate::trace::event::IrpOp;

const WDK: &str = "Windows driver documentation: Canceling IRPs, IoCancelIrp; wdm.h";
const CANCEL_STATE_IN_COMPLETED_IRP: u32 = 0x48;
const MUST_SUCCEED_POOL_EMPTY: u32 = 0x41;

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style: Style::Std,
        args,
        irql,
        source: WDK,
        handler,
    }
}

/// Cancel functions.
pub const API: &[Api] = &[
    row(
        "IoAcquireCancelSpinLock",
        &[ptr("Irql")],
        Contract::Dispatch,
        acquire,
    ),
    row(
        "IoReleaseCancelSpinLock",
        &[byte("Irql")],
        Contract::ExactlyDispatch,
        release,
    ),
    row("IoCancelIrp", &[ptr("Irp")], Contract::Dispatch, cancel),
];

/// The lock word, which is the kernel's own.
fn lock(call: &mut Call<'_>) -> Result<u64, Trouble> {
    if call.m.state.nt.io.cancel_lock == 0 {
        let size = call.arch().pointer_size();
        let lock = pool::allocate(call.m, call.core, size, *b"Io  ", false);
        if lock == 0 {
            return Err(call.bugcheck(MUST_SUCCEED_POOL_EMPTY, [size, 0, 0, 0]));
        }
        call.set_ptr(lock, 0)?;
        call.m.state.nt.io.cancel_lock = lock;
    }
    Ok(call.m.state.nt.io.cancel_lock)
}

/// Raises to DISPATCH_LEVEL and takes the lock.
fn take(call: &mut Call<'_>, then: nt::Then) -> Done {
    let lock = lock(call)?;
    let to = call.m.irqls().dispatch.max(call.irql());
    call.m.set_irql(call.core, to);
    spin_lock::acquire(call, lock, then)
}

fn give_back(call: &mut Call<'_>, irql: u8) -> Result<(), Trouble> {
    let lock = lock(call)?;
    spin_lock::drop_lock(call, lock)?;
    call.m.set_irql(call.core, irql);
    Ok(())
}

fn acquire(call: &mut Call<'_>) -> Done {
    let irql_at = call.args[0];
    let irql = call.irql();
    call.set_u8(irql_at, irql)?;
    take(call, nt::Then::ReturnValue(0))
}

fn release(call: &mut Call<'_>) -> Done {
    let irql = call.args[0] as u8;
    give_back(call, irql)?;
    Ok(Outcome::Return(0))
}

fn cancel(call: &mut Call<'_>) -> Done {
    let irp = call.args[0];
    let irql = call.irql();
    take(call, nt::Then::Io(Then::Cancel { irp, irql }))
}

/// The requester of an IRP cancels it, in a thread of its own that runs at once if a core idles.
pub(crate) fn from_outside(m: &mut Machine, core: usize, irp: u64) {
    let begin = nt::Then::Io(Then::CancelOutside { irp });
    history::note(m, core, irp, What::Cancelled);
    thread::create(m, core, "cancel", irp::PRIORITY, Next::Host(begin, 0));
    thread::fill_idle_cores(m);
    let idle = m.state.cores.iter().position(|c| {
        let top = c.top();
        matches!(&top.next, Next::Host(nt::Then::Io(Then::CancelOutside { irp: of }), _) if *of == irp)
    });
    if let Some(other) = idle {
        // It does so before anything else happens.
        m.state.current = other as u8;
    }
}

/// The thread of the requester: takes the lock for an IRP that is still there.
pub(super) fn outside(call: &mut Call<'_>, irp: u64) -> Done {
    let irql = call.irql();
    take(call, nt::Then::Io(Then::CancelLocked { irp, irql }))
}

/// The requester has the lock.
pub(super) fn outside_locked(call: &mut Call<'_>, irp: u64, irql: u8) -> Done {
    if call.m.state.nt.io.irps.is_completed(irp) {
        // Its end came first; the requester knows.
        give_back(call, irql)?;
        return Ok(Outcome::End);
    }
    locked(call, irp, irql)
}

/// The lock is held: mark the IRP, and call its cancel routine, which gives the lock back.
pub(super) fn locked(call: &mut Call<'_>, irp: u64, irql: u8) -> Done {
    let l = layout::of(call.arch());
    call.set_u8(irp + l.irp.cancel, 1)?;
    let routine = call.ptr(irp + l.irp.cancel_routine)?;
    call.set_ptr(irp + l.irp.cancel_routine, 0)?;
    if routine == 0 {
        give_back(call, irql)?;
        return Ok(Outcome::Return(0));
    }
    let count = call.u8(irp + l.irp.stack_count)?;
    if call.u8(irp + l.irp.current_location)? > count.saturating_add(1) {
        return Err(call.bugcheck(CANCEL_STATE_IN_COMPLETED_IRP, [irp, routine, 0, 0]));
    }
    call.set_u8(irp + l.irp.cancel_irql, irql)?;
    let stack = call.ptr(irp + l.irp.current_stack_location)?;
    let device = call.ptr(stack + l.stack.device_object)?;
    let major = call.u8(stack + l.stack.major_function)?;
    let minor = call.u8(stack + l.stack.minor_function)?;
    history::note(call.m, call.core, irp, What::Cancelled);
    call.event(EventKind::Irp {
        op: IrpOp::Cancelled,
        irp,
        major,
        minor,
        device,
        status: 0,
    });
    let then = nt::Then::ReturnValue(1);
    Ok(Outcome::Enter {
        what: "cancel routine",
        routine,
        args: vec![device, irp],
        then,
    })
}
