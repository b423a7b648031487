//! Which single decision would have saved the machine: the run again with one choice of its schedule
//! decided otherwise, and everything taking its course from there, as `f` does it.
//!
//! The choices among the reasons of the stop are tried. If none of them saves it, moves of the
//! schedule are, and one after which it was too late becomes a reason, too.

use emu::campaign::Campaign;
use emu::choice::Moves;
use emu::choice::strategy::Replay;
use emu::report::{Report, WhyStep};
use emu::search::{Signature, signature};
use emu::stop::Stop;
use emu::trace::EventKind;
use emu::travel::Record;

use super::trace::{Trace, findings};
use crate::failure::Outcome;
use crate::session::Session;

/// Runs that are made at most.
const RUNS: u64 = 24;
/// Choices and instructions of all of them together, about: as many as take well below a second at
/// `access` granularity. Of longer runs fewer are made, or none.
const CHOICES: u64 = 600_000;
const INSTRUCTIONS: u64 = 20_000_000;
/// Other options of one choice that are tried.
const OPTIONS: usize = 3;

/// Tells at the choices among the reasons of a stop what would have come of the other decision.
///
/// # Errors
/// The machine does not boot.
pub fn weigh(session: &Session, trace: &mut Trace) -> Outcome<()> {
    let Some(record) = trace.record.clone() else {
        return Ok(());
    };
    let run = &trace.report.run;
    let runs = RUNS
        .min(CHOICES / run.choices.max(1))
        .min(INSTRUCTIONS / run.instructions.max(1));
    if record.ended.stop == Stop::Completed || runs == 0 {
        return Ok(());
    }
    let campaign = session.campaign()?;
    let mut other = Other {
        end: signature(&record.ended.stop, campaign.machine()).0,
        campaign,
        record: &record,
        left: runs,
    };
    let reasons = trace.report.why.iter_mut();
    let choices = reasons.filter(|step| step.verb == "choice");
    let mut tried = Vec::new();
    for step in choices {
        tried.push(step.at.choice);
        let Some((saves, said)) = other.decisions(step.at.choice) else {
            continue;
        };
        // What the options come to is told instead of how many they are.
        let note = step.note.take();
        let place = note.iter().flat_map(|note| note.split("; ")).next();
        step.note = Some(match place {
            Some(place) => format!("{place}; {said}"),
            None => said,
        });
        if saves {
            trace.saving.push(step.at);
        }
    }
    if !trace.saving.is_empty() {
        return Ok(());
    }
    let moves = record.ended.moves.0.iter().map(|(number, _)| *number);
    let moves: Vec<u64> = moves.filter(|number| !tried.contains(number)).collect();
    if let Some((number, said)) = other.latest(&moves)
        && let Some(step) = reason(trace, &record, number, said)
    {
        trace.saving.push(step.at);
        add(&mut trace.report, step);
    }
    Ok(())
}

/// Makes runs in which one choice is decided otherwise.
struct Other<'a> {
    campaign: Campaign,
    /// How the recorded run ended.
    end: Signature,
    record: &'a Record,
    left: u64,
}

impl Other<'_> {
    /// A move that decided otherwise saves the machine, where the one after it does not: of a few
    /// moves the last, of many the one that bisection comes to.
    fn latest(&mut self, moves: &[u64]) -> Option<(u64, String)> {
        let (mut saves, mut late) = (None, moves.len());
        let mut from = 0;
        while from < late {
            let few = (late - from) as u64 <= self.left;
            let at = match saves {
                None if few => late - 1,
                // The first move otherwise is the run in which nobody interferes.
                None => from,
                Some(_) => from + (late - from) / 2,
            };
            match self.decisions(moves[at])? {
                (true, said) => {
                    saves = Some((moves[at], said));
                    from = at + 1;
                }
                (false, _) if saves.is_none() && at == from => return None,
                (false, _) => late = at,
            }
        }
        saves
    }

    /// What comes of the other options of a choice: whether one of them lets the run complete, and
    /// in words. `None`: none was tried.
    fn decisions(&mut self, number: u64) -> Option<(bool, String)> {
        let question = self.record.question(number)?;
        let all = question.options.iter().enumerate();
        let others = all.filter(|(i, _)| *i != question.taken).take(OPTIONS);
        let mut said = None;
        for (option, action) in others {
            self.left = self.left.checked_sub(1)?;
            let made = self.record.ended.moves.0.iter().copied();
            let mut moves: Vec<(u64, u32)> = made.take_while(|(n, _)| *n < number).collect();
            if option != 0 {
                moves.push((number, option as u32));
            }
            let ended = self.campaign.run(Box::new(Replay::new(Moves(moves))));
            let end = signature(&ended.stop, self.campaign.machine()).0;
            let action = action.words(question.current);
            if end.is_completed() {
                return Some((true, format!("saved if {action}")));
            }
            let same = end == self.end;
            said.get_or_insert_with(|| match same {
                true => format!("no help if {action}"),
                false => format!("if {action}: {}", end.what),
            });
        }
        said.map(|said| (false, said))
    }
}

/// The choice of that number as a reason.
fn reason(trace: &Trace, record: &Record, number: u64, note: String) -> Option<WhyStep> {
    let events = record.events().iter().enumerate();
    let mut choices = events.filter(|(_, event)| event.at.choice == number);
    let (index, event, label) = choices.find_map(|(i, event)| match &event.kind {
        EventKind::Choice { label, .. } => Some((i, event, label)),
        _ => None,
    })?;
    let place = trace.moments.get(index)?.place.as_deref().cloned();
    Some(WhyStep {
        number: 0,
        at: event.at,
        core: event.core,
        verb: "choice".into(),
        what: label.clone(),
        place: place.unwrap_or_default(),
        note: Some(note),
        stack: Vec::new(),
    })
}

/// Puts a reason where it belongs in time.
fn add(report: &mut Report, step: WhyStep) {
    let at = report.why.partition_point(|other| other.at < step.at);
    report.why.insert(at, step);
    findings::number(report);
}
