//! Timers: a list ordered by due time, looked at by the clock interrupt.

use super::api::{Contract, Module, Style, byte, long, ptr, quad};
use super::{Api, Call, Done, dispatcher, dpc, layout, misc, thread};
use crate::faults;
use crate::machine::Machine;
use crate::machine::context::{Outcome, ThreadId};
use crate::machine::memory::Miss;
use crate::stop::{Access, Stop};
use crate::trace::EventKind;
use crate::trace::event::TimerOp;

const WDK: &str = "Windows driver documentation: Timer Objects and DPCs; wdm.h";

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Due {
    /// A driver's KTIMER, by address, with its period in ms (0: none).
    Timer(u64, u32),
    /// The end of a thread's wait, by thread and number of the wait.
    Wait(ThreadId, u64),
    /// A frame that was held up on its way to the adapter of this number.
    Frame(u32),
}

/// Timers that are set, by due time.
#[derive(Clone, Default, Hash)]
pub struct Timers {
    list: Vec<(u64, Due)>,
}

impl Timers {
    /// When the first one is due, in 100 ns since power-on.
    pub fn next_due(&self) -> Option<u64> {
        self.list.first().map(|(due, _)| *due)
    }

    /// Adds a timer. Equal due times keep their order.
    pub fn set(&mut self, due: u64, what: Due) {
        let at = self.list.partition_point(|(d, _)| *d <= due);
        self.list.insert(at, (due, what));
    }

    /// Takes away what matches; true if there was any.
    pub fn cancel(&mut self, matches: impl Fn(Due) -> bool) -> bool {
        let before = self.list.len();
        self.list.retain(|(_, d)| !matches(*d));
        self.list.len() < before
    }

    /// All timers with their due times.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Due)> {
        self.list.iter().copied()
    }
}

const fn row(
    name: &'static str,
    args: &'static [super::Arg],
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

/// Timer functions.
pub const API: &[Api] = &[
    row(
        "KeInitializeTimer",
        &[ptr("Timer")],
        Contract::Dispatch,
        initialize,
    ),
    row(
        "KeInitializeTimerEx",
        &[ptr("Timer"), long("Type")],
        Contract::Dispatch,
        initialize_ex,
    ),
    row(
        "KeSetTimer",
        &[ptr("Timer"), quad("DueTime"), ptr("Dpc")],
        Contract::Dispatch,
        set,
    ),
    row(
        "KeSetTimerEx",
        &[ptr("Timer"), quad("DueTime"), long("Period"), ptr("Dpc")],
        Contract::Dispatch,
        set_ex,
    ),
    row("KeCancelTimer", &[ptr("Timer")], Contract::Dispatch, cancel),
    row(
        "KeReadStateTimer",
        &[ptr("Timer")],
        Contract::Dispatch,
        read_state,
    ),
    row(
        "KeDelayExecutionThread",
        &[byte("WaitMode"), byte("Alertable"), ptr("Interval")],
        Contract::Apc,
        delay,
    ),
];

const NOTIFICATION_TIMER: u8 = 8;
/// When a timer that catches up is due again, in 100 ns: its DPC may have run by then.
const SOON: u64 = 20;
/// 100 ns in a millisecond.
const MS: u64 = 10_000;

fn initialize(call: &mut Call<'_>) -> Done {
    call.args[1] = 0;
    initialize_ex(call)
}

fn initialize_ex(call: &mut Call<'_>) -> Done {
    let [timer, kind, ..] = call.args;
    let at = layout::of(call.arch()).ktimer;
    call.write_bytes(timer, &vec![0; at.size as usize])?;
    let size = (at.size / 4) as u8;
    dispatcher::initialize(call, timer, NOTIFICATION_TIMER + kind as u8, size, 0)?;
    Ok(Outcome::Return(0))
}

fn set(call: &mut Call<'_>) -> Done {
    let [timer, due, dpc, ..] = call.args;
    set_timer(call, timer, due as i64, 0, dpc)
}

fn set_ex(call: &mut Call<'_>) -> Done {
    let [timer, due, period, dpc, ..] = call.args;
    set_timer(call, timer, due as i64, period as u32, dpc)
}

fn set_timer(call: &mut Call<'_>, timer: u64, due: i64, period: u32, dpc: u64) -> Done {
    let at = layout::of(call.arch()).ktimer;
    let was = call
        .m
        .state
        .nt
        .timers
        .cancel(|d| matches!(d, Due::Timer(t, _) if t == timer));
    // The pool, not the timer queue, owns the memory: touching it here is what faults.
    call.set_ptr(timer + at.dpc, dpc)?;
    call.set_u32(timer + at.period, period)?;
    call.set_u32(
        timer + layout::of(call.arch()).dispatcher_header.signal_state,
        0,
    )?;
    let when = due_time(call.m, due);
    let when = faults::timer_set(call.m, call.core, timer, when);
    call.set_u64(timer + at.due_time, when)?;
    call.m.state.nt.timers.set(when, Due::Timer(timer, period));
    call.event(EventKind::Timer {
        op: TimerOp::Set,
        timer,
    });
    Ok(Outcome::Return(u64::from(was)))
}

/// Negative: relative; positive: system time.
pub(crate) fn due_time(m: &Machine, due: i64) -> u64 {
    if due < 0 {
        m.now().saturating_add(due.unsigned_abs())
    } else {
        misc::time::since_power_on(m.setup.personality, due as u64)
    }
}

fn cancel(call: &mut Call<'_>) -> Done {
    let timer = call.args[0];
    let was = call
        .m
        .state
        .nt
        .timers
        .cancel(|d| matches!(d, Due::Timer(t, _) if t == timer));
    if was {
        call.event(EventKind::Timer {
            op: TimerOp::Cancelled,
            timer,
        });
    }
    Ok(Outcome::Return(u64::from(was)))
}

fn read_state(call: &mut Call<'_>) -> Done {
    let at = layout::of(call.arch()).dispatcher_header.signal_state;
    let state = call.u32(call.args[0] + at)?;
    Ok(Outcome::Return(u64::from(state != 0)))
}

fn delay(call: &mut Call<'_>) -> Done {
    let interval = call.u64(call.args[2])? as i64;
    thread::sleep(
        call,
        due_time(call.m, interval),
        super::Then::ReturnValue(0),
    )
}

/// The clock interrupt on `core` retires every timer that is due.
///
/// # Errors
/// The memory of a timer or its DPC has gone: the page fault that the kernel has there.
pub(crate) fn expire(m: &mut Machine, core: usize) -> Result<(), Box<Stop>> {
    while m
        .state
        .nt
        .timers
        .next_due()
        .is_some_and(|due| due <= m.now())
    {
        let (due, what) = m.state.nt.timers.list.remove(0);
        match what {
            Due::Wait(thread, wait) => thread::timed_out(m, core, thread, wait),
            Due::Frame(adapter) => super::ndis::let_go(m, adapter),
            Due::Timer(timer, period) => expired(m, core, due, timer, period)?,
        }
    }
    Ok(())
}

/// A driver's timer that was due then expires.
fn expired(
    m: &mut Machine,
    core: usize,
    due: u64,
    timer: u64,
    period: u32,
) -> Result<(), Box<Stop>> {
    let l = layout::of(m.arch());
    m.event(
        core,
        EventKind::Timer {
            op: TimerOp::Expired,
            timer,
        },
    );
    reach(m, core, timer, l.ktimer.size)?;
    if period != 0 {
        let next = match faults::timer_expired(m, core, timer) {
            true => m.now() + SOON,
            false => due + u64::from(period) * MS,
        };
        m.state.nt.timers.set(next, Due::Timer(timer, period));
    }
    dispatcher::set_state(m, core, timer, 1);
    use isa::Mem;
    let dpc = m.memory.read_ptr(m.arch(), timer + l.ktimer.dpc);
    let Some(dpc) = dpc.filter(|&dpc| dpc != 0) else {
        return Ok(());
    };
    reach(m, core, dpc, l.kdpc.size)?;
    if m.memory.read_ptr(m.arch(), dpc + l.kdpc.dpc_data) == Some(0)
        && let (Some(importance), Some(number)) = (
            m.memory.read_u8(dpc + l.kdpc.importance),
            m.memory.read_u8(dpc + l.kdpc.number),
        )
    {
        dpc::queue_guest(m, core, dpc, importance, number);
    }
    Ok(())
}

/// The kernel goes through the timers that are due at DISPATCH_LEVEL, where it waits for no page
/// (ReactOS ke/timerobj.c, KiTimerExpiration, behaviour): an object of a driver that is not in
/// memory is a page fault of the kernel's own.
fn reach(m: &mut Machine, core: usize, object: u64, size: u64) -> Result<(), Box<Stop>> {
    let ends = [object, object.wrapping_add(size - 1)];
    let gone = ends.into_iter().find(|&va| {
        let miss = m.memory.miss(va, Access::Write);
        matches!(miss, Some(Miss::NotResident | Miss::Invalid))
    });
    let Some(va) = gone else {
        return Ok(());
    };
    let dispatch = m.irqls().dispatch;
    if m.state.cores[core].irql < dispatch {
        m.set_irql(core, dispatch);
    }
    Err(m.kernel_fault(core, va, Access::Write, None))
}
