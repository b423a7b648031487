//! What is kept when the kernel enters driver code, what is checked when that returns, and when a
//! thread ends.

use isa::Mem;

use super::{Breach, Rule, broken, irp, irql, lock, object, pool, time};
use crate::machine::Machine;
use crate::machine::context::{ContextKind, Entered, Frame};
use crate::nt::{layout, status, thread};
use crate::stop::Stop;

/// How things are as the kernel enters a routine.
pub(crate) fn entered(m: &Machine, core: usize, what: &str, args: &[u64]) -> Entered {
    let arg = |at: usize| args.get(at).copied().unwrap_or(0);
    let mut first = [arg(0), arg(1), arg(2)];
    if what == "dispatch" {
        let at = layout::of(m.arch()).irp.current_stack_location;
        first[2] = m.memory.read_ptr(m.arch(), first[1] + at).unwrap_or(0);
    }
    Entered {
        irql: m.state.cores[core].irql,
        began: m.state.checks.clock(core),
        args: first,
        marked: None,
    }
}

/// Routines that the kernel has entered and that are active on a core.
pub(crate) fn routines(m: &Machine, core: usize) -> usize {
    let frames = m.state.cores[core].contexts.iter().flat_map(|c| &c.frames);
    frames.filter(|frame| !frame.what.is_empty()).count()
}

/// A routine that the kernel has entered on a core returns `value`.
pub(crate) fn returns(m: &mut Machine, core: usize, value: u64) -> Result<(), Box<Stop>> {
    let Some(frame) = m.state.cores[core].top().frames.last() else {
        return Ok(());
    };
    let frame = frame.clone();
    level(m, core, &frame)?;
    let depth = routines(m, core);
    lock::at_return(m, core, frame.routine, depth, || name(&frame))?;
    match frame.what {
        "DPC" => {
            let instructions = m.state.checks.clock(core) - frame.entered.began;
            time::returned(m, core, frame.routine, instructions)
        }
        "dispatch" => irp::dispatched(m, core, &frame, value),
        "DriverUnload" => unloaded(m, core, frame.routine),
        // Its image goes as well.
        "DriverEntry" if !status::is_success(value as u32) => unloaded(m, core, frame.routine),
        _ => Ok(()),
    }
}

fn name(frame: &Frame) -> String {
    match frame.what {
        "DPC" => "a DPC routine".into(),
        "thread" => "the routine of a thread".into(),
        what if what.ends_with("routine") => format!("a {what}"),
        what => format!("a {what} routine"),
    }
}

/// The IRQL at which a routine returns.
fn level(m: &mut Machine, core: usize, frame: &Frame) -> Result<(), Box<Stop>> {
    let (before, after) = (frame.entered.irql, m.state.cores[core].irql);
    if before == after {
        return Ok(());
    }
    let (low, high) = (u64::from(before), u64::from(after));
    let unexpected = high << 16 | low << 8 | 2;
    let work = m.state.cores[core]
        .thread()
        .and_then(|t| m.state.checks.work_of(t));
    let args = frame.entered.args;
    let (rule, values): (&'static Rule, Vec<u64>) = match (frame.what, work) {
        ("dispatch", _) => (&irql::DISPATCH_RETURN, vec![args[0], low, high]),
        ("completion routine", _) => (&irql::COMPLETION_RETURN, vec![frame.routine, low, high]),
        ("DPC", _) => (&irql::DPC_RETURN, vec![unexpected]),
        ("thread", Some(item)) => (&irql::WORK_RETURN, vec![frame.routine, high, args[0], item]),
        _ => (&irql::RETURN, vec![unexpected]),
    };
    let breach = Breach {
        rule,
        values: &values,
        object: frame.routine,
        pc: Some(frame.routine),
        what: format!(
            "{} entered at IRQL {before} returns at IRQL {after}",
            name(frame)
        ),
    };
    broken(m, core, breach)
}

fn unloaded(m: &mut Machine, core: usize, routine: u64) -> Result<(), Box<Stop>> {
    let Some(module) = m.in_driver(routine) else {
        return Ok(());
    };
    let at = &m.setup.modules[module];
    let driver = at.base..at.base + at.size;
    object::unloaded(m, core, driver, routine)?;
    pool::unloaded(m, core, module, routine)
}

/// The context on top of a core ends; nothing if it is no thread.
pub(crate) fn ends(m: &mut Machine, core: usize) -> Result<(), Box<Stop>> {
    let ContextKind::Thread(id) = m.state.cores[core].top().kind else {
        return Ok(());
    };
    let object = thread::current_object(m, core);
    lock::at_thread_end(m, core, object)?;
    m.state.checks.thread_ended(id);
    Ok(())
}
