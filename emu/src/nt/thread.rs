//! Threads: system threads of drivers, the boot, worker threads, and the scripted requesters that
//! stand for user-mode programs. A thread on no core keeps its context here.

use super::api::{Contract, Module, Style, long, ptr};
use super::{Api, Call, Done, dispatcher, io, layout, ndis, status, timer};
use crate::machine::Machine;
use crate::machine::context::{Context, ContextKind, Next, Outcome, ThreadId};
use crate::position::Position;
use crate::scenario::{Await, ThreadStep};
use crate::stop::Stop;
use crate::trace::EventKind;
use crate::trace::event::{ThreadOp, WaitOp};

const WDK: &str = "Windows driver documentation: System Threads, System Worker Threads; wdm.h";
const NORMAL: u8 = 8;
/// Worker threads run at these priorities: critical, delayed, hypercritical.
const WORKER_PRIORITY: [u8; 3] = [13, 12, 15];

/// All threads.
#[derive(Clone, Default, Hash)]
pub struct Threads {
    /// By number. Ended ones stay.
    pub list: Vec<Thread>,
    /// Ready to run, in the order they became so.
    ready: Vec<ThreadId>,
    /// Instruction count at which the current `DriverEntry` has taken too long.
    pub boot_deadline: Option<u64>,
    /// The driver whose `DriverEntry` was called last.
    pub boot_driver: usize,
    /// The first thing that went wrong in the boot, in words.
    pub boot_error: Option<BootFailure>,
}

/// Why a driver did not start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BootFailure {
    /// Index of the driver in the plan.
    pub driver: usize,
    /// What `DriverEntry` returned.
    pub status: u32,
}

/// One thread.
#[derive(Clone, Debug, Hash)]
pub struct Thread {
    /// For reports.
    pub name: String,
    /// 1 to 31.
    pub priority: u8,
    /// What it is doing.
    pub state: ThreadState,
    /// Its context while it is on no core.
    pub context: Option<Context>,
    /// Address of its KTHREAD.
    pub object: u64,
    /// The core that it runs on or last ran on.
    pub core: u8,
    /// Its IRQL while it is on no core: PASSIVE or APC.
    pub irql: u8,
    /// What it waits for.
    pub wait: Option<dispatcher::Wait>,
    /// The object whose wait it was woken from last.
    pub woken: u64,
    /// When it last left its core.
    pub since: Position,
    /// For a scripted requester: where it is in its script.
    pub script: Option<Script>,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThreadState {
    /// Waits for a core.
    Ready,
    /// Is on this core.
    Running(u8),
    /// Waits for something.
    Waiting,
    /// Has ended.
    Ended,
}

/// A requester's place in its script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Script {
    /// Index of the thread in the plan.
    pub plan: usize,
    /// Steps done.
    pub done: usize,
    /// Handles it has opened; 0 is none.
    pub handles: Vec<u64>,
    /// The requests that have ended: index of the step, and status.
    pub statuses: Vec<(usize, u32)>,
    /// It waits for a condition of the wires.
    pub awaiting: bool,
}

/// What the kernel does next in a thread of its own.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Then {
    /// Calls `DriverEntry` of the plan's driver of that index; those before have been called.
    Boot(usize),
    /// `DriverEntry` of that driver came back.
    Booted(usize),
    /// The next step of the thread's script.
    Script,
    /// The step came to a status.
    Stepped,
    /// A system thread's routine begins.
    Start {
        /// Its address.
        routine: u64,
        /// Its argument.
        context: u64,
    },
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

/// Thread functions.
pub const API: &[Api] = &[
    row(
        "PsCreateSystemThread",
        &[
            ptr("ThreadHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
            ptr("ProcessHandle"),
            ptr("ClientId"),
            ptr("StartRoutine"),
            ptr("StartContext"),
        ],
        Contract::Passive,
        create_system_thread,
    ),
    row(
        "PsTerminateSystemThread",
        &[long("ExitStatus")],
        Contract::Passive,
        terminate,
    ),
    row("PsGetCurrentThread", &[], Contract::Any, current_thread),
    row("KeGetCurrentThread", &[], Contract::Any, current_thread),
    row(
        "KeSetPriorityThread",
        &[ptr("Thread"), long("Priority")],
        Contract::Passive,
        set_priority,
    ),
    row(
        "ExQueueWorkItem",
        &[ptr("WorkItem"), long("QueueType")],
        Contract::Dispatch,
        queue_work,
    ),
];

/// Creates a thread that begins with `next` when it gets a core.
pub(crate) fn create(
    m: &mut Machine,
    core: usize,
    name: &str,
    priority: u8,
    next: Next,
) -> ThreadId {
    let id = m.state.nt.threads.list.len() as ThreadId;
    let stack = m.kernel_stack(id);
    let object = m.kernel_object(0x40);
    // Dispatcher header of a thread: type 6, not signalled until it ends.
    let size = layout::of(m.arch()).dispatcher_header.size;
    m.memory.write(object, &[6, 0, (size / 4) as u8, 0]);
    let context = Context::new(ContextKind::Thread(id), next, stack, 0);
    m.state.nt.threads.list.push(Thread {
        name: name.to_owned(),
        priority,
        state: ThreadState::Ready,
        context: Some(context),
        object,
        core: core as u8,
        irql: 0,
        wait: None,
        woken: 0,
        since: Position::default(),
        script: None,
    });
    m.state.nt.threads.ready.push(id);
    m.event(
        core,
        EventKind::Thread {
            op: ThreadOp::Created,
            thread: id,
        },
    );
    id
}

/// Gives ready threads to idle cores, as the dispatcher of the real system does when it readies a
/// thread: it looks for an idle processor before it queues [ReactOS ke/thrdschd.c,
/// KiDeferredReadyThread; NT 4.0 did the same]. Whether any core got one.
pub(crate) fn fill_idle_cores(m: &mut Machine) -> bool {
    let mut any = false;
    for core in 0..m.state.cores.len() {
        if m.state.nt.threads.ready.is_empty() {
            break;
        }
        any |= dispatch(m, core);
    }
    any
}

/// A hash of which threads are ready, in their order, and of which thread each core has.
pub(crate) fn assignment(m: &Machine) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = twox_hash::XxHash3_64::new();
    m.state.nt.threads.ready.hash(&mut hasher);
    for core in &m.state.cores {
        core.thread().hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether a thread of at least the running thread's priority waits for a core.
pub(crate) fn rival(m: &Machine, core: usize) -> bool {
    let c = &m.state.cores[core];
    let Some(running) = c.thread() else {
        return false;
    };
    let threads = &m.state.nt.threads;
    let priority = threads.list[running as usize].priority;
    c.contexts.len() == 1
        && threads
            .ready
            .iter()
            .any(|&t| threads.list[t as usize].priority >= priority)
}

/// Gives an idle core the ready thread of the highest priority, first come first served.
pub(crate) fn dispatch(m: &mut Machine, core: usize) -> bool {
    if m.state.cores[core].top().kind != ContextKind::Idle {
        return false;
    }
    let threads = &mut m.state.nt.threads;
    let best = threads
        .ready
        .iter()
        .map(|&t| threads.list[t as usize].priority)
        .max();
    let Some(best) = best else { return false };
    let at = threads
        .ready
        .iter()
        .position(|&t| threads.list[t as usize].priority == best);
    let id = threads.ready.remove(at.expect("one has the best priority"));
    let thread = &mut threads.list[id as usize];
    thread.state = ThreadState::Running(core as u8);
    thread.core = core as u8;
    let (irql, object) = (thread.irql, thread.object);
    m.state.cores[core].contexts[0] = thread.context.take().expect("a ready thread has one");
    m.load_top(core);
    m.state.lively();
    m.set_irql(core, irql);
    m.set_current_thread(core, object);
    m.event(
        core,
        EventKind::Thread {
            op: ThreadOp::Running,
            thread: id,
        },
    );
    true
}

/// Takes the running thread off its core.
fn descend(m: &mut Machine, core: usize, state: ThreadState) -> Option<ThreadId> {
    let id = m.state.cores[core].thread()?;
    m.save_top(core);
    let idle = Context::new(
        ContextKind::Idle,
        Next::Idle,
        m.state.cores[core].dpc_stack,
        0,
    );
    let context = std::mem::replace(&mut m.state.cores[core].contexts[0], idle);
    let irql = m.state.cores[core].irql;
    let since = m.position();
    let thread = &mut m.state.nt.threads.list[id as usize];
    thread.state = state;
    thread.irql = irql;
    thread.since = since;
    thread.context = Some(context);
    m.set_current_thread(core, 0);
    m.event(
        core,
        EventKind::Thread {
            op: ThreadOp::Parked,
            thread: id,
        },
    );
    Some(id)
}

/// The running thread waits.
pub(crate) fn park(m: &mut Machine, core: usize) {
    let waiting = m.state.cores[core].thread();
    descend(m, core, ThreadState::Waiting);
    // What it waits for may have come true while it got here.
    if let Some(id) = waiting
        && m.state.nt.threads.list[id as usize]
            .script
            .as_ref()
            .is_some_and(|s| s.awaiting)
    {
        poll_awaiting(m, core);
    }
}

/// The running thread gives way.
pub(crate) fn yield_core(m: &mut Machine, core: usize) {
    if let Some(id) = descend(m, core, ThreadState::Ready) {
        m.state.nt.threads.ready.push(id);
        dispatch(m, core);
    }
}

/// The thread on `core` has ended.
pub(crate) fn ended(m: &mut Machine, core: usize, id: ThreadId) {
    descend(m, core, ThreadState::Ended);
    let thread = &mut m.state.nt.threads.list[id as usize];
    thread.context = None;
    let object = thread.object;
    m.event(
        core,
        EventKind::Thread {
            op: ThreadOp::Ended,
            thread: id,
        },
    );
    dispatcher::set_state(m, core, object, 1);
}

/// Ends a thread's wait with a status.
pub(crate) fn wake(m: &mut Machine, _core: usize, id: ThreadId, value: u64) {
    let threads = &mut m.state.nt.threads;
    let thread = &mut threads.list[id as usize];
    let Some(wait) = thread.wait.take() else {
        return;
    };
    thread.state = ThreadState::Ready;
    thread.woken = wait.objects.first().copied().unwrap_or(0);
    let context = thread
        .context
        .as_mut()
        .expect("a waiting thread is on no core");
    let frame = context
        .frames
        .pop()
        .expect("a waiting thread waits in a call");
    context.next = Next::Resume(frame.then, frame.caller, value);
    threads.ready.push(id);
    m.state
        .nt
        .timers
        .cancel(|d| d == timer::Due::Wait(id, wait.number));
}

/// A thread's wait has taken too long.
pub(crate) fn timed_out(m: &mut Machine, core: usize, id: ThreadId, number: u64) {
    let current = m.state.nt.threads.list[id as usize].wait.as_ref();
    if let Some(wait) = current.filter(|w| w.number == number) {
        let object = wait.objects.first().copied().unwrap_or(0);
        // A delay that is over is not a time-out.
        let value = if wait.objects.is_empty() {
            status::SUCCESS
        } else {
            status::TIMEOUT
        };
        dispatcher::forget(m, id);
        m.event(
            core,
            EventKind::Wait {
                op: WaitOp::TimedOut,
                object,
                thread: id,
            },
        );
        wake(m, core, id, u64::from(value));
    }
}

/// What a thread waits for.
pub(crate) fn wait_of(m: &Machine, id: ThreadId) -> Option<dispatcher::Wait> {
    m.state.nt.threads.list[id as usize].wait.clone()
}

/// Puts the current thread to sleep until `due`.
pub(crate) fn sleep(call: &mut Call<'_>, due: u64, then: super::Then) -> Done {
    let relative = due.saturating_sub(call.m.now()).max(1);
    dispatcher::wait_for(call, Vec::new(), false, Some(-(relative as i64)), then)
}

/// The KTHREAD of the thread on a core, 0 when it idles.
pub(crate) fn current_object(m: &Machine, core: usize) -> u64 {
    let id = m.state.cores[core].thread();
    id.map_or(0, |id| m.state.nt.threads.list[id as usize].object)
}

/// The requests of the scripted requesters that have ended: index of the thread in the plan, index
/// of the step, status; in the order of the threads.
pub fn statuses(m: &Machine) -> impl Iterator<Item = (usize, usize, u32)> {
    let scripts = m
        .state
        .nt
        .threads
        .list
        .iter()
        .filter_map(|t| t.script.as_ref());
    scripts.flat_map(|script| {
        let all = script.statuses.iter();
        all.map(|&(step, status)| (script.plan, step, status))
    })
}

/// Whether a scripted requester has not finished, and is not just waiting for packets that will
/// never come.
pub(crate) fn requester_outstanding(m: &Machine) -> bool {
    let threads = &m.state.nt.threads.list;
    threads
        .iter()
        .any(|t| t.script.is_some() && t.state != ThreadState::Ended)
}

fn create_system_thread(call: &mut Call<'_>) -> Done {
    let [handle_at, _, _, _, _, routine, context, ..] = call.args;
    let then = super::Then::Thread(Then::Start { routine, context });
    let name = call.m.place(routine);
    let id = create(call.m, call.core, &name, NORMAL, Next::Host(then, 0));
    let object = call.m.state.nt.threads.list[id as usize].object;
    let handle = io::new_handle(call.m, io::HandleTarget::Thread(object));
    call.set_ptr(handle_at, handle)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn terminate(call: &mut Call<'_>) -> Done {
    // Whatever the thread was in is abandoned.
    call.this_core().top_mut().frames.clear();
    Ok(Outcome::End)
}

fn current_thread(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return(current_object(call.m, call.core)))
}

fn set_priority(call: &mut Call<'_>) -> Done {
    let [object, priority, ..] = call.args;
    let mut threads = call.m.state.nt.threads.list.iter_mut();
    match threads.find(|t| t.object == object) {
        Some(thread) => {
            let old = std::mem::replace(&mut thread.priority, (priority as u8).clamp(1, 31));
            Ok(Outcome::Return(u64::from(old)))
        }
        None => Err(call.unimplemented("KeSetPriorityThread", "not a thread")),
    }
}

fn queue_work(call: &mut Call<'_>) -> Done {
    let [item, queue, ..] = call.args;
    // WORK_QUEUE_ITEM: LIST_ENTRY, WorkerRoutine, Parameter.
    let size = call.arch().pointer_size();
    let routine = call.ptr(item + 2 * size)?;
    let context = call.ptr(item + 3 * size)?;
    let priority = WORKER_PRIORITY[(queue as usize).min(2)];
    crate::rules::object::queued(call.m, call.core, item, queue)?;
    let then = super::Then::Thread(Then::Start { routine, context });
    let name = call.m.place(routine);
    let id = create(call.m, call.core, &name, priority, Next::Host(then, 0));
    call.m.state.checks.work_queued(id, item);
    Ok(Outcome::Return(0))
}

pub(crate) fn resume(call: &mut Call<'_>, then: Then, value: u64) -> Done {
    match then {
        Then::Boot(driver) => crate::machine::boot_driver(call, driver),
        Then::Booted(driver) => {
            let status = value as u32;
            if !status::is_success(status) {
                call.m.state.nt.threads.boot_error = Some(BootFailure { driver, status });
                return Ok(Outcome::End);
            }
            io::driver::entry_returned(call, driver)?;
            Ok(Outcome::Continue(
                super::Then::Thread(Then::Boot(driver + 1)),
                0,
            ))
        }
        Then::Script => script(call),
        Then::Stepped => stepped(call, value as u32),
        Then::Start { routine, context } => {
            if let Some(id) = call.this_core().thread() {
                call.m.state.checks.thread_begins(id);
            }
            let args = vec![context];
            Ok(Outcome::Enter {
                what: "thread",
                routine,
                args,
                then: super::Then::End,
            })
        }
    }
}

fn current_script<'a>(call: &'a mut Call<'_>) -> &'a mut Script {
    let id = call.m.state.cores[call.core]
        .thread()
        .expect("a script runs on a thread");
    let script = call.m.state.nt.threads.list[id as usize].script.as_mut();
    script.expect("only requesters come here")
}

/// Begins the next step of the current thread's script.
fn script(call: &mut Call<'_>) -> Done {
    let script = current_script(call);
    let (plan, done) = (script.plan, script.done);
    script.awaiting = false;
    let setup = call.m.setup.clone();
    let Some(step) = setup.plan.threads[plan].steps.get(done) else {
        return Ok(Outcome::End);
    };
    let next = super::Then::Thread(Then::Script);
    match step {
        ThreadStep::Sleep { ms } => {
            current_script(call).done += 1;
            let due = call.m.now() + u64::from(*ms) * 10_000;
            sleep(call, due, next)
        }
        ThreadStep::Signal(signal) => {
            current_script(call).done += 1;
            ndis::signal(call.m, call.core, *signal);
            Ok(Outcome::Continue(next, 0))
        }
        ThreadStep::Await(condition) => {
            if call.m.state.nt.net.peer.reached(condition) {
                current_script(call).done += 1;
                return Ok(Outcome::Continue(next, 0));
            }
            current_script(call).awaiting = true;
            Ok(Outcome::Wait { then: next })
        }
        request => io::request::begin(call, request, super::Then::Thread(Then::Stepped)),
    }
}

/// A request of the script has ended with a status.
fn stepped(call: &mut Call<'_>, status: u32) -> Done {
    let script = current_script(call);
    let (plan, done) = (script.plan, script.done);
    script.done += 1;
    script.statuses.push((done, status));
    let setup = call.m.setup.clone();
    let step = &setup.plan.threads[plan].steps[done];
    let expected = match step {
        ThreadStep::Open { expect, .. }
        | ThreadStep::Ioctl { expect, .. }
        | ThreadStep::Read { expect, .. }
        | ThreadStep::Write { expect, .. }
        | ThreadStep::Flush { expect, .. }
        | ThreadStep::Unload { expect, .. } => *expect,
        _ => None,
    };
    if let Some(expected) = expected
        && expected != status
    {
        let thread = setup.plan.threads[plan].name.clone();
        return Err(Stop::Request {
            thread,
            step: done,
            status,
            expected,
        }
        .into());
    }
    Ok(Outcome::Continue(super::Then::Thread(Then::Script), 0))
}

/// The condition that a requester awaits, if its step is one.
pub(crate) fn awaited_condition(m: &Machine, id: ThreadId) -> Option<Await> {
    let script = m.state.nt.threads.list[id as usize].script.as_ref()?;
    let step = m.setup.plan.threads[script.plan].steps.get(script.done);
    match step {
        Some(ThreadStep::Await(condition)) if script.awaiting => Some(*condition),
        _ => None,
    }
}

/// Wakes the requesters whose conditions have come true.
pub(crate) fn poll_awaiting(m: &mut Machine, _core: usize) {
    for id in 0..m.state.nt.threads.list.len() {
        let Some(condition) = awaited_condition(m, id as ThreadId) else {
            continue;
        };
        let waiting = m.state.nt.threads.list[id].state == ThreadState::Waiting;
        if waiting && m.state.nt.net.peer.reached(&condition) {
            let threads = &mut m.state.nt.threads;
            let thread = &mut threads.list[id];
            thread.state = ThreadState::Ready;
            let context = thread.context.as_mut().expect("it is on no core");
            let frame = context.frames.pop().expect("it waits in a step");
            context.next = Next::Resume(frame.then, frame.caller, 0);
            threads.ready.push(id as ThreadId);
        }
    }
}

/// Starts the plan's requesters; called when the boot is over.
pub(crate) fn start_requesters(m: &mut Machine) {
    let setup = m.setup.clone();
    for (plan, thread) in setup.plan.threads.iter().enumerate() {
        let next = Next::Host(super::Then::Thread(Then::Script), 0);
        let id = create(m, 0, &thread.name, thread.priority, next);
        let handles = vec![0; thread.handles];
        m.state.nt.threads.list[id as usize].script = Some(Script {
            plan,
            done: 0,
            handles,
            statuses: Vec::new(),
            awaiting: false,
        });
    }
    ndis::start(m);
}
