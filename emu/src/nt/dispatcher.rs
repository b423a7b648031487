//! Dispatcher objects: events, semaphores, mutexes, timers and threads, and waiting for them.
//! Type and signal state are in the driver's memory; who waits is here.

use std::collections::BTreeMap;

use super::api::{Contract, Module, Style, byte, long, ptr};
use super::{Api, Call, Done, Trouble, layout, status, thread, timer};
use crate::machine::Machine;
use crate::machine::context::{ContextKind, Outcome, ThreadId};
use crate::rules;
use crate::stop::{Awaited, Holder, ObjectKind};
use crate::trace::EventKind;
use crate::trace::event::WaitOp;

const WDK: &str = "Windows driver documentation: Introduction to Kernel Dispatcher Objects; wdm.h";
const NOTIFICATION_EVENT: u8 = 0;
const SYNCHRONIZATION_EVENT: u8 = 1;
const MUTANT: u8 = 2;
const SEMAPHORE: u8 = 5;
const THREAD: u8 = 6;
const NOTIFICATION_TIMER: u8 = 8;
const SYNCHRONIZATION_TIMER: u8 = 9;
const ATTEMPTED_SWITCH_FROM_DPC: u32 = 0xB8;

/// Who waits for what.
#[derive(Clone, Default, Hash)]
pub struct Waits {
    /// Waiting threads by object, first come first served.
    queues: BTreeMap<u64, Vec<Waiter>>,
    /// Number of the last wait begun.
    last: u64,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Waiter {
    thread: ThreadId,
    /// Number of the wait: an entry of a wait that has ended is stale.
    wait: u64,
    /// Index of the object in the wait.
    index: u32,
}

impl Waits {
    /// Objects that somebody waits for, and who.
    pub fn iter(&self) -> impl Iterator<Item = (u64, ThreadId)> {
        self.queues
            .iter()
            .flat_map(|(&object, q)| q.iter().map(move |w| (object, w.thread)))
    }
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Wait {
    /// Its number.
    pub number: u64,
    /// The objects; empty for a delay.
    pub objects: Vec<u64>,
    /// All of them, not any.
    pub all: bool,
}

/// What the kernel does when a wait ends.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Then {}

pub(crate) fn resume(_call: &mut Call<'_>, then: Then, _value: u64) -> Done {
    match then {}
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

/// Dispatcher object functions.
pub const API: &[Api] = &[
    row(
        "KeInitializeEvent",
        &[ptr("Event"), long("Type"), byte("State")],
        Contract::Any,
        initialize_event,
    ),
    row(
        "KeSetEvent",
        &[ptr("Event"), long("Increment"), byte("Wait")],
        Contract::Dispatch,
        set_event,
    ),
    row(
        "KeResetEvent",
        &[ptr("Event")],
        Contract::Dispatch,
        reset_event,
    ),
    row(
        "KeClearEvent",
        &[ptr("Event")],
        Contract::Dispatch,
        reset_event,
    ),
    row(
        "KeReadStateEvent",
        &[ptr("Event")],
        Contract::Dispatch,
        read_state,
    ),
    row(
        "KeInitializeSemaphore",
        &[ptr("Semaphore"), long("Count"), long("Limit")],
        Contract::Any,
        initialize_semaphore,
    ),
    row(
        "KeReleaseSemaphore",
        &[
            ptr("Semaphore"),
            long("Increment"),
            long("Adjustment"),
            byte("Wait"),
        ],
        Contract::Dispatch,
        release_semaphore,
    ),
    row(
        "KeInitializeMutex",
        &[ptr("Mutex"), long("Level")],
        Contract::Any,
        initialize_mutex,
    ),
    row(
        "KeReleaseMutex",
        &[ptr("Mutex"), byte("Wait")],
        Contract::Dispatch,
        release_mutex,
    ),
    row(
        "KeWaitForSingleObject",
        &[
            ptr("Object"),
            long("WaitReason"),
            byte("WaitMode"),
            byte("Alertable"),
            ptr("Timeout"),
        ],
        Contract::Dispatch,
        wait_single,
    ),
    row(
        "KeWaitForMultipleObjects",
        &[
            long("Count"),
            ptr("Object"),
            long("WaitType"),
            long("WaitReason"),
            byte("WaitMode"),
            byte("Alertable"),
            ptr("Timeout"),
            ptr("WaitBlockArray"),
        ],
        Contract::Dispatch,
        wait_multiple,
    ),
];

/// Fills in a dispatcher header: `size` in 32-bit words.
pub(crate) fn initialize(
    call: &mut Call<'_>,
    object: u64,
    kind: u8,
    size: u8,
    state: i32,
) -> Result<(), Trouble> {
    let at = layout::of(call.arch()).dispatcher_header;
    call.write_bytes(object, &[kind, 0, size, 0])?;
    call.set_u32(object + at.signal_state, state as u32)?;
    let head = object + at.wait_list_head;
    call.set_ptr(head, head)?;
    call.set_ptr(head + call.arch().pointer_size(), head)
}

fn initialize_event(call: &mut Call<'_>) -> Done {
    let [event, kind, state, ..] = call.args;
    let size = (layout::of(call.arch()).kevent.size / 4) as u8;
    initialize(call, event, kind as u8, size, i32::from(state != 0))?;
    Ok(Outcome::Return(0))
}

fn initialize_semaphore(call: &mut Call<'_>) -> Done {
    let [semaphore, count, limit, ..] = call.args;
    let l = layout::of(call.arch());
    initialize(
        call,
        semaphore,
        SEMAPHORE,
        (l.ksemaphore.size / 4) as u8,
        count as i32,
    )?;
    call.set_u32(semaphore + l.ksemaphore.limit, limit as u32)?;
    Ok(Outcome::Return(0))
}

fn initialize_mutex(call: &mut Call<'_>) -> Done {
    let mutex = call.args[0];
    let l = layout::of(call.arch());
    initialize(call, mutex, MUTANT, (l.kmutant.size / 4) as u8, 1)?;
    call.set_ptr(mutex + l.kmutant.owner_thread, 0)?;
    call.m.state.checks.forget_locks(&(mutex..mutex + 1));
    Ok(Outcome::Return(0))
}

fn state(call: &mut Call<'_>, object: u64) -> Result<i32, Trouble> {
    let at = layout::of(call.arch()).dispatcher_header.signal_state;
    Ok(call.u32(object + at)? as i32)
}

fn set_event(call: &mut Call<'_>) -> Done {
    let event = call.args[0];
    let before = state(call, event)?;
    call.m
        .touch(call.core, event, 8, crate::stop::Access::Write)?;
    set_state(call.m, call.core, event, 1);
    Ok(Outcome::Return(before as u32 as u64))
}

fn reset_event(call: &mut Call<'_>) -> Done {
    let event = call.args[0];
    let before = state(call, event)?;
    let at = layout::of(call.arch()).dispatcher_header.signal_state;
    call.set_u32(event + at, 0)?;
    call.event(EventKind::Signal {
        object: event,
        state: 0,
    });
    Ok(Outcome::Return(before as u32 as u64))
}

fn read_state(call: &mut Call<'_>) -> Done {
    let event = call.args[0];
    Ok(Outcome::Return(state(call, event)? as u32 as u64))
}

fn release_semaphore(call: &mut Call<'_>) -> Done {
    let [semaphore, _, adjustment, ..] = call.args;
    let before = state(call, semaphore)?;
    let limit = call.u32(semaphore + layout::of(call.arch()).ksemaphore.limit)? as i32;
    let after = before.saturating_add(adjustment as i32);
    if after > limit || (adjustment as i32) < 0 {
        // The documented exception; nobody here could catch it.
        return Err(call.unimplemented("KeReleaseSemaphore", "STATUS_SEMAPHORE_LIMIT_EXCEEDED"));
    }
    set_state(call.m, call.core, semaphore, after);
    Ok(Outcome::Return(before as u32 as u64))
}

fn release_mutex(call: &mut Call<'_>) -> Done {
    let mutex = call.args[0];
    let l = layout::of(call.arch());
    let me = thread::current_object(call.m, call.core);
    if call.ptr(mutex + l.kmutant.owner_thread)? != me {
        return Err(call.unimplemented("KeReleaseMutex", "STATUS_MUTANT_NOT_OWNED"));
    }
    let before = state(call, mutex)?;
    if before + 1 == 1 {
        call.set_ptr(mutex + l.kmutant.owner_thread, 0)?;
        call.m.state.checks.owned(mutex, None);
    }
    set_state(call.m, call.core, mutex, before + 1);
    Ok(Outcome::Return(before as u32 as u64))
}

/// Sets an object's signal state and satisfies the waits that this allows.
pub(crate) fn set_state(m: &mut Machine, core: usize, object: u64, state: i32) {
    let at = layout::of(m.arch()).dispatcher_header.signal_state;
    m.memory.write(object + at, &state.to_le_bytes());
    m.event(core, EventKind::Signal { object, state });
    let mut i = 0;
    while let Some(waiter) = m
        .state
        .nt
        .waits
        .queues
        .get(&object)
        .and_then(|q| q.get(i))
        .copied()
    {
        if satisfy(m, core, waiter) {
            i = 0;
        } else {
            i += 1;
        }
    }
}

/// Ends a waiter's wait if its objects allow it.
fn satisfy(m: &mut Machine, core: usize, waiter: Waiter) -> bool {
    let Some(wait) = thread::wait_of(m, waiter.thread) else {
        return false;
    };
    let owner = m.state.nt.threads.list[waiter.thread as usize].object;
    if wait.number != waiter.wait {
        return false;
    }
    let value = if wait.all {
        if !wait.objects.iter().all(|&o| available(m, o, owner)) {
            return false;
        }
        wait.objects.iter().for_each(|&o| consume(m, o, owner));
        0
    } else {
        let object = wait.objects[waiter.index as usize];
        if !available(m, object, owner) {
            return false;
        }
        consume(m, object, owner);
        u64::from(waiter.index)
    };
    let object = wait.objects[waiter.index as usize];
    forget(m, waiter.thread);
    m.event(
        core,
        EventKind::Wait {
            op: WaitOp::Satisfied,
            object,
            thread: waiter.thread,
        },
    );
    thread::wake(m, core, waiter.thread, u64::from(status::WAIT_0) + value);
    true
}

/// Takes a thread off every wait list.
pub(crate) fn forget(m: &mut Machine, thread: ThreadId) {
    m.state.nt.waits.queues.retain(|_, q| {
        q.retain(|w| w.thread != thread);
        !q.is_empty()
    });
}

fn header(m: &Machine, object: u64) -> (u8, i32) {
    use isa::Mem;
    let at = layout::of(m.arch()).dispatcher_header.signal_state;
    let kind = m.memory.read_u8(object).unwrap_or(0);
    (kind, m.memory.read_u32(object + at).unwrap_or(0) as i32)
}

/// Whether a wait for the object, by the thread that owns `owner`, would end at once.
pub(crate) fn available(m: &Machine, object: u64, owner: u64) -> bool {
    let (kind, state) = header(m, object);
    state > 0 || (kind == MUTANT && mutex_owner(m, object) == Some(owner))
}

/// What keeps a waiting thread waiting, and who has it: each object of its wait that it cannot have,
/// or the time of a delay.
pub(crate) fn blockers(m: &Machine, thread: ThreadId) -> Vec<(Awaited, Option<Holder>)> {
    let threads = &m.state.nt.threads.list;
    let Some(wait) = &threads[thread as usize].wait else {
        return Vec::new();
    };
    if wait.objects.is_empty() {
        return vec![(Awaited::Time, None)];
    }
    let me = threads[thread as usize].object;
    let missing = wait.objects.iter().filter(|&&o| !available(m, o, me));
    missing
        .map(|&object| {
            let kind = kind(m, object);
            let owner = match kind {
                ObjectKind::Mutex => mutex_owner(m, object),
                ObjectKind::Thread => Some(object),
                _ => None,
            };
            let known = |owner| threads.iter().position(|t| t.object == owner);
            let holder = owner
                .and_then(known)
                .map(|id| Holder::Thread(id as ThreadId));
            (Awaited::Object(kind, object), holder)
        })
        .collect()
}

/// What an object is, by the type in its header (`KOBJECTS` of the public `wdm.h`).
fn kind(m: &Machine, object: u64) -> ObjectKind {
    use isa::Mem;
    match m.memory.read_u8(object) {
        Some(NOTIFICATION_EVENT | SYNCHRONIZATION_EVENT) => ObjectKind::Event,
        Some(MUTANT) => ObjectKind::Mutex,
        Some(SEMAPHORE) => ObjectKind::Semaphore,
        Some(THREAD) => ObjectKind::Thread,
        Some(NOTIFICATION_TIMER | SYNCHRONIZATION_TIMER) => ObjectKind::Timer,
        _ => ObjectKind::Other,
    }
}

/// The KTHREAD that owns a mutex; `None` if its memory has gone.
fn mutex_owner(m: &Machine, mutex: u64) -> Option<u64> {
    use isa::Mem;
    let at = layout::of(m.arch()).kmutant.owner_thread;
    m.memory.read_ptr(m.arch(), mutex + at)
}

fn consume(m: &mut Machine, object: u64, owner: u64) {
    let (kind, state) = header(m, object);
    let l = layout::of(m.arch());
    let after = match kind {
        SYNCHRONIZATION_EVENT | SYNCHRONIZATION_TIMER => 0,
        SEMAPHORE => state - 1,
        MUTANT => {
            let n = m.arch().pointer_size() as usize;
            m.memory
                .write(object + l.kmutant.owner_thread, &owner.to_le_bytes()[..n]);
            m.state.checks.owned(object, Some(owner));
            state - 1
        }
        _ => return,
    };
    debug_assert!(kind != NOTIFICATION_EVENT);
    m.memory.write(
        object + l.dispatcher_header.signal_state,
        &after.to_le_bytes(),
    );
}

fn wait_single(call: &mut Call<'_>) -> Done {
    let [object, _, _, _, timeout, ..] = call.args;
    wait(call, vec![object], false, timeout)
}

fn wait_multiple(call: &mut Call<'_>) -> Done {
    let [count, objects, kind, _, _, _, timeout, ..] = call.args;
    if count == 0 || count > 64 {
        return Err(call.unimplemented("KeWaitForMultipleObjects", "more than 64 objects, or none"));
    }
    let size = call.arch().pointer_size();
    let list = (0..count)
        .map(|i| call.ptr(objects + i * size))
        .collect::<Result<_, _>>()?;
    // WaitAll = 0, WaitAny = 1.
    wait(call, list, kind == 0, timeout)
}

fn wait(call: &mut Call<'_>, objects: Vec<u64>, all: bool, timeout: u64) -> Done {
    let due = if timeout == 0 {
        None
    } else {
        Some(call.u64(timeout)? as i64)
    };
    wait_for(call, objects, all, due, super::Then::Return)
}

/// Waits on the current thread. `due` is as in `KeWaitForSingleObject`: `None` waits for ever, 0
/// only looks. The wait status is the value of `then`.
pub(crate) fn wait_for(
    call: &mut Call<'_>,
    objects: Vec<u64>,
    all: bool,
    due: Option<i64>,
    then: super::Then,
) -> Done {
    for &object in &objects {
        state(call, object)?;
    }
    let irql = call.irql();
    if due != Some(0) && irql == call.m.irqls().dispatch {
        let object = objects.first().copied().unwrap_or(0);
        let values = [u64::from(irql), object, due.unwrap_or(0) as u64];
        let what = "waits at DISPATCH_LEVEL";
        let rule = &rules::irql::WAIT;
        rules::by_call(call.m, call.core, rule, &values, object, what)?;
    }
    let owner = thread::current_object(call.m, call.core);
    for &object in objects.iter().filter(|_| due != Some(0)) {
        if header(call.m, object).0 == MUTANT && mutex_owner(call.m, object) != Some(owner) {
            rules::lock::ordered(call.m, call.core, object)?;
        }
    }
    if all && objects.iter().all(|&o| available(call.m, o, owner)) {
        objects.iter().for_each(|&o| consume(call.m, o, owner));
        return Ok(Outcome::Continue(then, 0));
    }
    if !all && let Some(i) = objects.iter().position(|&o| available(call.m, o, owner)) {
        consume(call.m, objects[i], owner);
        return Ok(Outcome::Continue(then, i as u64));
    }
    if due == Some(0) {
        return Ok(Outcome::Continue(then, u64::from(status::TIMEOUT)));
    }
    let thread = waiting_thread(call)?;
    let waits = &mut call.m.state.nt.waits;
    waits.last += 1;
    let number = waits.last;
    for (index, &object) in objects.iter().enumerate() {
        let waiter = Waiter {
            thread,
            wait: number,
            index: index as u32,
        };
        waits.queues.entry(object).or_default().push(waiter);
    }
    if let Some(&object) = objects.first() {
        call.event(EventKind::Wait {
            op: WaitOp::Blocked,
            object,
            thread,
        });
    }
    if let Some(due) = due {
        let at = timer::due_time(call.m, due);
        call.m
            .state
            .nt
            .timers
            .set(at, timer::Due::Wait(thread, number));
    }
    call.m.state.nt.threads.list[thread as usize].wait = Some(Wait {
        number,
        objects,
        all,
    });
    Ok(Outcome::Wait { then })
}

/// The current thread, if it may wait here. A wait in a DPC, or at DISPATCH_LEVEL, ends as on the
/// real system when the dispatcher is asked to switch there.
fn waiting_thread(call: &mut Call<'_>) -> Result<ThreadId, Trouble> {
    let core = &call.m.state.cores[call.core];
    let high = core.irql >= call.m.irqls().dispatch;
    match core.top().kind {
        ContextKind::Thread(id) if !high => Ok(id),
        _ => {
            let old = thread::current_object(call.m, call.core);
            let stack = call.m.registers(call.core).gpr[isa::stack_pointer(call.arch()).0 as usize];
            Err(call.bugcheck(ATTEMPTED_SWITCH_FROM_DPC, [old, 0, stack, 0]))
        }
    }
}
