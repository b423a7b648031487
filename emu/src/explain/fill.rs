//! Fills a [`Report`] from a machine whose run has ended.

use isa::{Mem, RegisterAccess};

use super::names::MachineNames;
use super::{RunHeader, why};
use crate::machine::context::{ContextKind, Next};
use crate::machine::{Ended, Machine};
use crate::oracle::{self, Finding, Told};
use crate::report::{
    BugcheckLine, CoreState, LockLine, ModuleFacts, Names, Place, Recovery, Report, RunFacts,
    StopFacts, StopLine, WaitLine, eventlog, screen, table,
};
use crate::rules;
use crate::stop::{Bugcheck, Holder, Limit, Stop, Wait, Waiter};
use crate::trace::{Event, EventKind};

/// Rows of the table of last events.
const ROWS: usize = 40;
/// Words of stack that the NT 4.0 screen looks at.
const STACK_WORDS: u64 = 256;

pub(super) fn report(
    machine: &Machine,
    ended: &Ended,
    header: &RunHeader,
    findings: &[Finding],
) -> Report {
    let names = MachineNames::new(machine);
    let setup = &machine.setup;
    let plan = &setup.plan;
    let facts = match &ended.stop {
        Stop::Bugcheck(b) => Some(stop_facts(machine, b)),
        _ => None,
    };
    let module = match &ended.stop {
        Stop::Bugcheck(b) => machine
            .module_at(b.pc)
            .map(|i| setup.modules[i].name.as_str()),
        _ => None,
    };
    let events = last_events(machine, &names);
    let findings: Vec<Told> = findings.iter().map(|f| oracle::tell(machine, f)).collect();
    Report {
        run: RunFacts {
            scenario: plan.scenario.clone(),
            profile: plan.profile,
            personality: plan.personality,
            cpus: plan.cpus,
            seed: header.seed,
            granularity: setup.granularity.name().into(),
            strategy: header.strategy.clone(),
            instructions: ended.instructions,
            choices: ended.choices,
            trace_hash: ended.trace_hash,
            schedule: ended.moves.to_string(),
            replay_line: header.replay_line.clone(),
        },
        stop: stop_line(machine, &names, &ended.stop),
        expected: plan.expect.judge(&ended.stop, module).is_ok()
            && (findings.is_empty() || plan.expect.may_stop()),
        screen: facts.as_ref().map(screen::render),
        event_log: facts.as_ref().map(eventlog::records).unwrap_or_default(),
        cores: (0..machine.state.cores.len())
            .map(|c| core_state(machine, &names, c))
            .collect(),
        events: table::rows(&events, &|_| true, ROWS, plan.profile, plan.cpus, &names),
        locks: locks(machine, &names),
        why: why::tell(machine, &names, &ended.stop),
        findings,
    }
}

/// The rules that are broken, and what the oracles that the plan asks for find.
pub(super) fn findings(machine: &Machine, ended: &Ended) -> Vec<Finding> {
    let asked = machine.setup.plan.oracles.iter();
    let asked: Vec<_> = asked.filter_map(|name| oracle::find(name)).collect();
    let mut all = rules::findings(machine);
    // An oracle of the same name tells more of a breach: all of its places.
    let found = oracle::check(machine, ended, &asked);
    all.retain(|breach| found.iter().all(|f| f.oracle != breach.oracle));
    all.extend(found);
    all
}

/// The last events that are not choices, each at the place in the driver itself.
fn last_events(machine: &Machine, names: &MachineNames<'_>) -> Vec<Event> {
    let all = machine.recorder.events().iter().enumerate().rev();
    let shown = all
        .filter(|(_, e)| !matches!(e.kind, EventKind::Choice { .. }))
        .take(ROWS);
    let mut last: Vec<Event> = shown
        .map(|(i, event)| {
            let stack = machine.recorder.stack(i).unwrap_or_default();
            let own = names.own_frame(stack).map(|f| stack[f] - 1);
            Event {
                pc: own.unwrap_or(event.pc),
                ..event.clone()
            }
        })
        .collect();
    last.reverse();
    last
}

fn stop_facts(machine: &Machine, bugcheck: &Bugcheck) -> StopFacts {
    let setup = &machine.setup;
    let arch = machine.arch();
    let sp = machine
        .registers(usize::from(bugcheck.core))
        .get(isa::stack_pointer(arch));
    let size = arch.pointer_size();
    let words = (0..STACK_WORDS).map_while(|i| machine.memory.read_ptr(arch, sp + i * size));
    StopFacts {
        profile: setup.profile,
        personality: setup.personality,
        cpus: setup.plan.cpus,
        bugcheck: bugcheck.clone(),
        modules: setup
            .modules
            .iter()
            .map(|m| ModuleFacts {
                name: m.name.clone(),
                base: m.base,
                size: m.size,
                timestamp: m.timestamp,
                version: m
                    .image
                    .as_ref()
                    .and_then(|i| i.version.as_ref())
                    .map(|v| v.file_version),
            })
            .collect(),
        stack_pointer: sp,
        stack: words.collect(),
        cpu: match arch {
            // The processor that the emulator presents on x86 by default.
            isa::Arch::X86 => "GenuineIntel 6.6.3".into(),
            _ => String::new(),
        },
        uptime: machine.now(),
        recovery: Recovery::installed(setup.personality),
    }
}

fn stop_line(machine: &Machine, names: &MachineNames<'_>, stop: &Stop) -> StopLine {
    match stop {
        Stop::Completed => StopLine::Completed,
        Stop::Bugcheck(b) => StopLine::Bugcheck(Box::new(BugcheckLine {
            code: b.code,
            params: b.params,
            cpu: b.core,
            irql: b.irql,
            place: names.resolve(b.pc),
            rule: rules::ended_by(machine).map(|rule| rule.name),
        })),
        Stop::Deadlock { waits } => StopLine::Deadlock {
            waits: waits
                .iter()
                .map(|wait| wait_line(machine, names, wait))
                .collect(),
        },
        Stop::Unimplemented {
            name,
            caller,
            detail,
        } => StopLine::Unimplemented {
            name: name.clone(),
            caller: names.resolve(*caller),
            detail: detail.clone(),
        },
        Stop::Request {
            thread,
            step,
            status,
            expected,
        } => StopLine::Request {
            thread: thread.clone(),
            step: *step,
            status: *status,
            expected: *expected,
        },
        Stop::Limit { limit, value, pc } => StopLine::Limit {
            limit: match limit {
                Limit::Instructions => "instructions".into(),
                Limit::DriverEntry => "DriverEntry instructions".into(),
                Limit::Choices => "choices".into(),
            },
            value: *value,
            place: names.resolve(*pc),
        },
    }
}

fn wait_line(machine: &Machine, names: &MachineNames<'_>, wait: &Wait) -> WaitLine {
    let (core, thread, stream) = match wait.waiter {
        Waiter::Core { core, thread } => (Some(core), thread, None),
        Waiter::Thread { thread, core } => (Some(core), Some(thread), None),
        Waiter::Stream { stream, step } => (None, None, Some((stream, step))),
    };
    let stream_name = |stream: usize| machine.setup.plan.streams[stream].name.clone();
    let (holder, holder_thread) = match wait.holder {
        Some(Holder::Core(core)) => (Some(core), None),
        Some(Holder::Thread(thread)) => (None, Some(names.thread(thread))),
        None => (None, None),
    };
    WaitLine {
        core,
        thread: thread.map(|id| names.thread(id)),
        stream: stream.map(|(stream, step)| (stream_name(stream), step)),
        awaited: wait.awaited,
        object: names.awaited(&wait.awaited),
        holder,
        holder_thread,
        since: wait.since,
    }
}

fn core_state(machine: &Machine, names: &MachineNames<'_>, core: usize) -> CoreState {
    let c = &machine.state.cores[core];
    let top = c.top();
    let context = match top.kind {
        ContextKind::Idle => "idle".into(),
        ContextKind::Thread(id) => names.thread(id),
        ContextKind::Dpc => "DPC".into(),
        ContextKind::Interrupt(source) => format!("interrupt {source}"),
    };
    let spinning = match top.next {
        Next::Spin { lock, .. } => format!(", spins for {}", names.object(lock)),
        _ => String::new(),
    };
    CoreState {
        core: c.number,
        irql: c.irql,
        context: context + &spinning,
        stack: stack(names, machine.backtrace(core).iter().map(|f| f.pc)),
    }
}

/// Return addresses, innermost first, as places. A return address stands after its call.
pub(super) fn stack(names: &MachineNames<'_>, pcs: impl Iterator<Item = u64>) -> Vec<Place> {
    pcs.enumerate()
        .flat_map(|(i, pc)| names.resolve_inlined(if i == 0 { pc } else { pc - 1 }))
        .collect()
}

fn locks(machine: &Machine, names: &MachineNames<'_>) -> Vec<LockLine> {
    let spinning = |lock: u64| {
        let cores = machine.state.cores.iter();
        cores
            .filter(|c| matches!(c.top().next, Next::Spin { lock: l, .. } if l == lock))
            .map(|c| c.number)
            .collect::<Vec<_>>()
    };
    let held = machine
        .state
        .nt
        .locks
        .0
        .iter()
        .map(|(&lock, held)| LockLine {
            lock: names.object(lock),
            holder: Some(held.core),
            since: Some(held.since),
            place: names.resolve(held.pc),
            waiters: spinning(lock),
        });
    held.collect()
}
