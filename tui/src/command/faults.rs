//! `irqlab faults`: the kinds of faults, and whether each breaks what it is to break and nothing
//! else.

use emu::choice::Moves;
use emu::choice::strategy::Replay;
use emu::faults::{FaultKind, KINDS, Opportunity};
use emu::machine::{Granularity, Machine, Watch};
use emu::scenario::{Selection, StopKind};
use emu::stop::Stop;
use isa::Profile;
use serde::Serialize;

use crate::case;
use crate::catalogue;
use crate::cli::{FaultsArgs, Format};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::suggest;
use crate::table;

/// The scenario with a case for each kind.
const SCENARIO: &str = "faults";

pub(super) fn run(args: &FaultsArgs) -> Outcome<bool> {
    let kinds = kinds(args)?;
    if args.check {
        return check(args, &kinds);
    }
    match args.format {
        Format::Json => {
            let all: Vec<KindObject> = kinds.iter().map(|kind| object(kind)).collect();
            output::print_json(&all)?;
        }
        Format::Text if args.kind.is_some() => output::print(&details(kinds[0]))?,
        Format::Text => output::print(&list(&kinds))?,
    }
    Ok(true)
}

/// The kinds that are asked for.
fn kinds(args: &FaultsArgs) -> Outcome<Vec<&'static FaultKind>> {
    let Some(name) = &args.kind else {
        return Ok(KINDS.iter().collect());
    };
    let found = KINDS.iter().find(|kind| kind.name == name);
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let missing = || {
        let problem = format!("there is no kind of fault '{name}'");
        Failure::new(problem).mend(suggest::mend(name, &names))
    };
    Ok(vec![found.ok_or_else(missing)?])
}

fn list(kinds: &[&FaultKind]) -> String {
    let width = kinds.iter().map(|k| k.name.len()).max().unwrap_or(0);
    let lines = kinds
        .iter()
        .map(|kind| format!("{:width$}  {}\n", kind.name, kind.help));
    lines.collect()
}

/// What a kind can strike at, in words.
fn opportunity(kind: &FaultKind) -> &'static str {
    match kind.opportunity {
        Opportunity::Place => "strikes at a place in what drivers do",
        Opportunity::Event => "strikes at events of its own; a place narrows them",
        Opportunity::Outside => "strikes at events that no driver causes: it has no place",
    }
}

/// All that there is to say about a kind.
fn details(kind: &FaultKind) -> String {
    let params: Vec<(&str, &str)> = kind.all_params().collect();
    let width = params.iter().map(|p| p.0.len()).max().unwrap_or(0);
    let mut text = format!("{}: {}\n{}\n\n", kind.name, kind.help, opportunity(kind));
    for (name, help) in params {
        text += &format!("  {name:width$}  {help}\n");
    }
    text + &format!("\nknown from: {}\n", kind.source)
}

#[derive(Serialize)]
struct KindObject {
    name: &'static str,
    help: &'static str,
    opportunity: &'static str,
    params: Vec<ParamObject>,
    source: &'static str,
}

#[derive(Serialize)]
struct ParamObject {
    name: &'static str,
    help: &'static str,
}

fn object(kind: &FaultKind) -> KindObject {
    let param = |(name, help)| ParamObject { name, help };
    KindObject {
        name: kind.name,
        help: kind.help,
        opportunity: match kind.opportunity {
            Opportunity::Place => "place",
            Opportunity::Event => "event",
            Opportunity::Outside => "outside",
        },
        params: kind.all_params().map(param).collect(),
        source: kind.source,
    }
}

/// Runs the pair of each kind on the profiles; whether all end as they are to.
fn check(args: &FaultsArgs, kinds: &[&FaultKind]) -> Outcome<bool> {
    let source = catalogue::find(SCENARIO)?;
    let profiles = match args.profile {
        Some(profile) => vec![profile],
        None => source.scenario.profiles.clone(),
    };
    let mut cells = Vec::new();
    for kind in kinds {
        for &profile in &profiles {
            cells.push(cell(&source, kind, profile)?);
        }
    }
    let right = cells.iter().all(|cell| cell.wrong.is_none());
    match args.format {
        Format::Json => output::print_json(&cells)?,
        Format::Text => {
            let headings: Vec<&str> = ["fault"]
                .into_iter()
                .chain(profiles.iter().map(|p| p.name()))
                .collect();
            let rows: Vec<Vec<String>> = cells
                .chunks(profiles.len())
                .map(|row| {
                    let words = row.iter().map(|cell| match &cell.wrong {
                        None => cell.stop.clone(),
                        Some(_) => "WRONG".to_owned(),
                    });
                    std::iter::once(row[0].fault.to_owned())
                        .chain(words)
                        .collect()
                })
                .collect();
            let mut text = table::render(&headings, &rows, &[]);
            for cell in &cells {
                if let Some(wrong) = &cell.wrong {
                    text += &format!("{} on {}: {wrong}\n", cell.fault, cell.profile);
                }
            }
            let good = cells.iter().filter(|cell| cell.wrong.is_none()).count();
            text += &format!(
                "{good} of {} pairs: the driver with the defect stops as shown, without the fault \
                 it does not, and the correct one lives with it\n",
                cells.len()
            );
            output::print(&text)?;
        }
    }
    Ok(right)
}

/// What became of the pair of a kind on a profile.
#[derive(Serialize)]
struct Cell {
    fault: &'static str,
    profile: &'static str,
    /// How the driver with the defect stops.
    stop: String,
    /// What is not as it is to be.
    wrong: Option<String>,
}

fn cell(source: &catalogue::Source, kind: &FaultKind, profile: Profile) -> Outcome<Cell> {
    let run = |driver: &str, strike: bool| -> Outcome<(Stop, Machine, Result<(), String>)> {
        let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let selection = Selection {
            profile: Some(profile),
            set: vec![
                set("fault", kind.name),
                set("driver", driver),
                set("strike", if strike { "true" } else { "false" }),
            ],
            ..Selection::default()
        };
        let case = case::load(source, &selection)?.case;
        let mut machine = case.boot(Granularity::Sync, Watch::Points)?;
        // The outside world does nothing on its own: what happens is the fault's doing.
        let ended = machine.run(Box::new(Replay::new(Moves::default())));
        let module = module(&machine, &ended.stop);
        let judged = case.plan.expect.judge(&ended.stop, module.as_deref());
        Ok((ended.stop, machine, judged))
    };
    let mut wrong = Vec::new();
    let (stop, machine, judged) = run("buggy", true)?;
    if let Err(problem) = judged {
        wrong.push(format!("the driver with the defect: {problem}"));
    }
    if stop == Stop::Completed {
        wrong.push("the driver with the defect lives".to_owned());
    }
    let struck = |machine: &Machine| machine.state.faults.iter().all(|fault| fault.struck > 0);
    if !struck(&machine) {
        wrong.push("it does not strike".to_owned());
    }
    let (_, _, judged) = run("buggy", false)?;
    if let Err(problem) = judged {
        wrong.push(format!("without the fault: {problem}"));
    }
    let (_, machine, judged) = run("fixed", true)?;
    if let Err(problem) = judged {
        wrong.push(format!("the correct driver: {problem}"));
    } else if !struck(&machine) {
        wrong.push("it does not strike at the correct driver".to_owned());
    }
    Ok(Cell {
        fault: kind.name,
        profile: profile.name(),
        stop: match &stop {
            Stop::Bugcheck(b) => format!("0x{:02X}", b.code),
            other => StopKind::of(other).name().to_owned(),
        },
        wrong: (!wrong.is_empty()).then(|| wrong.join("; ")),
    })
}

/// The module in which a bugcheck happened.
fn module(machine: &Machine, stop: &Stop) -> Option<String> {
    let Stop::Bugcheck(bugcheck) = stop else {
        return None;
    };
    let index = machine.module_at(bugcheck.pc)?;
    Some(machine.setup.modules[index].name.clone())
}

/// The page of the documentation that is made from the list.
#[cfg(test)]
mod page;
