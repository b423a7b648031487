//! Findings in words: every address resolved, and as text or JSON.

use std::fmt::Write;

use serde::Serialize;

use super::finding::{Finding, OtherOrder, Spot};
use crate::choice::Actor;
use crate::explain::MachineNames;
use crate::machine::Machine;
use crate::report::{Names, Place};

/// A finding with its addresses resolved. The names of the fields are an interface of the JSON
/// form: fields are added at the end and never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The oracle.
    pub oracle: &'static str,
    /// What is wrong, in one line.
    pub what: String,
    /// What it is about.
    pub object: Option<String>,
    /// Where, numbered from 1.
    pub places: Vec<ToldPlace>,
    /// How often the run shows it.
    pub count: u64,
    /// Whether the outcome is another one when the places come in the other order, if that was
    /// tried.
    pub order_matters: Option<bool>,
    /// What to do about it.
    pub help: &'static str,
    /// The public source of the rule.
    pub rule: &'static str,
    /// The same for the same mistake in other runs.
    pub signature: String,
    /// What came of the other order, if it was tried.
    pub other_order: Option<OtherOrder>,
}

/// A place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldPlace {
    /// Counted from 1.
    pub number: u32,
    /// What happened.
    pub role: String,
    /// When: `choice:step`.
    pub at: String,
    /// On which core.
    pub core: u8,
    /// Who did it, for example `thread 4 worker`.
    pub actor: String,
    /// The core's IRQL.
    pub irql: u8,
    /// The name of that level.
    pub level: &'static str,
    /// Where in the code, in the driver's own functions if it is known.
    pub place: Place,
    /// The call stack, innermost frame first, `place` among it; may be empty.
    pub stack: Vec<Place>,
    /// The locks that were held.
    pub locks: Vec<String>,
}

/// Resolves the addresses of a finding.
pub fn tell(machine: &Machine, finding: &Finding) -> Told {
    let names = MachineNames::new(machine);
    let object = finding.object.as_ref().map(|o| match o.length {
        0 => format!("{} {}", o.what, names.object(o.address)),
        n => format!("{} {}, {n:#x} bytes", o.what, names.object(o.address)),
    });
    let places = finding.places.iter().zip(1..);
    Told {
        oracle: finding.oracle,
        what: finding.what.clone(),
        object,
        places: places
            .map(|(spot, number)| told_place(machine, &names, spot, number))
            .collect(),
        count: finding.count,
        order_matters: finding.order_matters,
        help: finding.help,
        rule: finding.rule,
        signature: finding.signature(),
        other_order: finding.other_order.clone(),
    }
}

fn told_place(machine: &Machine, names: &MachineNames<'_>, spot: &Spot, number: u32) -> ToldPlace {
    // Return addresses stand behind their calls; so does this make the first one.
    let pcs = spot.stack.iter().copied();
    let pcs: Vec<u64> = std::iter::once(spot.pc + 1)
        .filter(|_| spot.pc != 0)
        .chain(pcs)
        .collect();
    let own = names.own_frame(&pcs).unwrap_or(0);
    let frames = pcs[own..].iter().map(|pc| pc.saturating_sub(1));
    let stack: Vec<Place> = frames.flat_map(|pc| names.resolve_inlined(pc)).collect();
    let actor = match spot.actor {
        Actor::Thread(id) => {
            let thread = machine.state.nt.threads.list.get(id as usize);
            format!("thread {id} {}", thread.map_or("?", |t| t.name.as_str()))
        }
        other => other.to_string(),
    };
    ToldPlace {
        number,
        role: spot.role.clone(),
        at: spot.position.to_string(),
        core: spot.core,
        actor,
        irql: spot.irql,
        level: machine.irqls().name(spot.irql),
        place: stack.first().cloned().unwrap_or_default(),
        stack,
        locks: spot.locks.iter().map(|&l| names.object(l)).collect(),
    }
}

/// A finding as text: what is wrong, the places with their stacks, and what to do.
pub fn render(told: &Told) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_told(&mut out, told);
    out
}

fn write_told(out: &mut String, told: &Told) -> std::fmt::Result {
    write!(out, "{}: {}", told.oracle, told.what)?;
    match told.count {
        1 => writeln!(out)?,
        n => writeln!(out, " ({n} times)")?,
    }
    if let Some(object) = &told.object {
        writeln!(out, "    about {object}")?;
    }
    for (i, p) in told.places.iter().enumerate() {
        let when = match (i, told.places.len()) {
            (_, 1) => "here",
            (i, n) if i + 1 == n => "now here",
            _ => "earlier here",
        };
        let (number, role) = (p.number, &p.role);
        writeln!(
            out,
            "({number}) {when}, at {}: core {} {role}",
            p.at, p.core
        )?;
        write!(out, "    {}, {}", p.actor, p.level)?;
        match p.locks.as_slice() {
            [] => writeln!(out, ", holding no lock")?,
            locks => writeln!(out, ", holding {}", locks.join(", "))?,
        }
        for frame in &p.stack {
            writeln!(out, "      {frame}")?;
        }
    }
    if let Some(other) = &told.other_order {
        match (other.same_end, other.same_memory) {
            (true, true) => writeln!(out, "order: the same either way so far")?,
            (true, false) => writeln!(
                out,
                "order: the order decides: the other way round other values are in that memory"
            )?,
            (false, _) if other.ends == "completed" => writeln!(
                out,
                "order: the order decides: the other way round the run completes"
            )?,
            (false, _) => writeln!(
                out,
                "order: the order decides: the other way round the run stops with {}",
                other.ends
            )?,
        }
    }
    if !told.help.is_empty() {
        writeln!(out, "help: {}", told.help)?;
    }
    if !told.rule.is_empty() {
        writeln!(out, "rule: {}", told.rule)?;
    }
    Ok(())
}
