//! What a search came to, as data.

use std::collections::BTreeMap;

use emu::choice::strategy::Replay;
use emu::choice::{ChoiceKind, Moves};
use emu::explain::{Explained, MachineNames, RunHeader};
use emu::oracle::Told;
use emu::report::{Place, codes};
use emu::rules;
use emu::scenario::{How, StopKind};
use emu::search::{self, Bound, Coverage, Group, Shrunk, Starts, Tally};
use emu::stop::Stop;
use emu::trace::EventKind;
use serde::Serialize;

use super::Chosen;
use crate::failure::{Failure, Outcome};
use crate::replay_line::Answers;
use crate::session::Session;

#[derive(Serialize)]
pub(crate) struct Summary {
    pub(crate) scenario: String,
    pub(crate) profile: &'static str,
    pub(crate) personality: &'static str,
    pub(crate) cpus: u8,
    pub(crate) granularity: &'static str,
    pub(crate) strategy: String,
    /// What dfs was bounded by, in words.
    pub(crate) bound: String,
    /// Of equivalent schedules dfs has gone on from one.
    pub(crate) reduced: bool,
    /// Kinds of choices that were explored, that were held still, and that were prompt.
    pub(crate) explored: Vec<&'static str>,
    pub(crate) held: Vec<&'static str>,
    pub(crate) prompt: Vec<&'static str>,
    pub(crate) schedules: u64,
    pub(crate) choices: u64,
    pub(crate) instructions: u64,
    /// Schedules of each strategy.
    pub(crate) by: BTreeMap<String, u64>,
    pub(crate) coverage: Coverage,
    /// Placements that are alike were all tried.
    pub(crate) every_opportunity: bool,
    /// The oracles looked at every run.
    pub(crate) each_stack: bool,
    /// With `each_stack`: the drivers' start with each of its allocations failing.
    pub(crate) starts: Option<Starts>,
    /// Whether every run ended as the scenario expects, and the expected stop was among them.
    pub(crate) expected: bool,
    /// What is not as expected.
    pub(crate) problems: Vec<String>,
    pub(crate) ends: Vec<End>,
    /// What the oracles found in the default schedule and in the runs that are shown.
    pub(crate) findings: Vec<Told>,
}

/// All runs that ended alike.
#[derive(Serialize)]
pub(crate) struct End {
    pub(crate) kind: String,
    pub(crate) code: Option<String>,
    pub(crate) name: Option<&'static str>,
    pub(crate) place: Option<Place>,
    /// The rule whose breach it is, if it is one.
    pub(crate) rule: Option<&'static str>,
    pub(crate) what: String,
    pub(crate) count: u64,
    /// How many each strategy found.
    pub(crate) by: BTreeMap<String, u64>,
    pub(crate) expected: bool,
    /// The first: which schedule of the search it was, its strategy and its seed.
    pub(crate) first_schedule: u64,
    pub(crate) first_strategy: String,
    pub(crate) first_seed: Option<u64>,
    pub(crate) choices: u64,
    /// The line that runs the first again, shrunk if it was shrunk.
    pub(crate) replay: String,
    /// Its shortest form.
    pub(crate) shrunk: Option<Shortest>,
}

/// The shortest schedule that ends like that.
#[derive(Serialize)]
pub(crate) struct Shortest {
    pub(crate) faults: usize,
    pub(crate) preemptions: usize,
    pub(crate) other_moves: usize,
    /// No schedule with fewer preemptions ends like that: all were tried.
    pub(crate) fewest: bool,
    pub(crate) choices: u64,
    pub(crate) schedule: String,
    pub(crate) replay: String,
    /// Its moves in words, in order.
    pub(crate) words: Vec<String>,
}

/// A shrunk schedule, told by a recorded run of it.
fn told(session: &Session, shrunk: &Shrunk, findings: &mut Findings) -> Outcome<Shortest> {
    let schedule = shrunk.ended.moves.to_string();
    let replay = session.replay_line(Answers::Schedule(&schedule));
    let header = RunHeader {
        replay_line: replay.clone(),
        ..RunHeader::default()
    };
    let explained = session.explain(&shrunk.ended, &header)?;
    findings.add(&explained);
    let names = MachineNames::new(&explained.machine);
    let events = explained.machine.recorder.events();
    let words = events.iter().filter_map(|event| match &event.kind {
        EventKind::Choice { label, .. } => {
            let place = names.resolve(event.pc);
            let at = place
                .file_line()
                .or(place.function)
                .map(|at| format!(" at {at}"));
            Some(match at {
                Some(at) => format!("{label}; core {} was{at}", event.core),
                None => label.clone(),
            })
        }
        _ => None,
    });
    Ok(Shortest {
        faults: shrunk.faults,
        preemptions: shrunk.preemptions,
        other_moves: shrunk.others,
        fewest: shrunk.fewest,
        choices: shrunk.ended.choices,
        words: words.collect(),
        schedule,
        replay,
    })
}

pub(super) fn summarise(
    session: &Session,
    chosen: &Chosen,
    tally: &Tally,
    coverage: Coverage,
    shrink: bool,
) -> Outcome<Summary> {
    let plan = &session.loaded.case.plan;
    let mut problems = Vec::new();
    let mut ends = Vec::new();
    let mut findings = Findings {
        survival: coverage.placements.is_some(),
        ..Findings::default()
    };
    if !plan.oracles.is_empty() {
        // The schedule in which nobody interferes shows what no luck is needed for.
        findings.look(session, &Moves::default())?;
    }
    for group in &tally.groups {
        if let Some(problem) = &group.problem {
            let first = &group.first;
            problems.push(match first.seed {
                Some(seed) if tally.by.len() == 1 => format!("seed {seed}: {problem}"),
                _ => format!("schedule {}: {problem}", first.schedule),
            });
        }
        ends.push(end(session, group, shrink, &mut findings)?);
    }
    let wanted = plan.expect.stop.name();
    let seen = tally.groups.iter().any(|g| g.signature.kind == wanted);
    if plan.expect.how == How::Possible && !seen {
        problems.push(format!(
            "expected {}, but it was in none of the schedules",
            plan.expect
        ));
    }
    if !plan.expect.may_stop() {
        let found = findings.all.iter();
        problems.extend(found.map(|f| format!("{}: {}", f.oracle, f.what)));
    }
    let starts = match chosen.placing.oracles {
        true => Some(search::starts(&session.loaded.case, &session.scope)),
        false => None,
    };
    let starts = starts
        .transpose()
        .map_err(|error| session.failure(&error))?;
    problems.extend(
        starts
            .iter()
            .flat_map(|starts| starts.problems.iter().cloned()),
    );
    ends.sort_by_key(|end| (std::cmp::Reverse(end.count), end.first_schedule));
    let world = session.openness.world;
    // A fault is a choice only where the plan has rules for it.
    let exists = |kind: &ChoiceKind| *kind != ChoiceKind::Fault || !plan.faults.is_empty();
    let names = |which: &dyn Fn(ChoiceKind) -> bool| {
        let kinds = ChoiceKind::ALL.into_iter().filter(exists);
        kinds.filter(|&k| which(k)).map(ChoiceKind::name).collect()
    };
    Ok(Summary {
        scenario: plan.scenario.clone(),
        profile: plan.profile.name(),
        personality: plan.personality.name(),
        cpus: plan.cpus,
        granularity: session.openness.granularity.name(),
        strategy: chosen.name.clone(),
        bound: match (chosen.name.as_str(), chosen.bound) {
            ("dfs", bound) => bound.words(),
            _ => Bound::NONE.words(),
        },
        reduced: chosen.reduce,
        explored: names(&|kind| world.leaves_open(kind)),
        held: names(&|kind| world.held.contains(kind)),
        prompt: names(&|kind| world.prompt.contains(kind)),
        schedules: tally.schedules,
        choices: tally.choices,
        instructions: tally.instructions,
        by: tally.by.clone(),
        coverage,
        each_stack: chosen.placing.oracles,
        starts,
        every_opportunity: chosen.placing.every,
        expected: problems.is_empty(),
        problems,
        ends,
        findings: findings.all,
    })
}

/// Findings of several runs, each mistake once.
#[derive(Default)]
struct Findings {
    all: Vec<Told>,
    /// Faults were placed: who waits for what a lost packet would have brought has survived.
    survival: bool,
}

impl Findings {
    fn add(&mut self, explained: &Explained) {
        let survived = self.survival && search::survived(&explained.ended.stop);
        let found = explained.report.findings.iter();
        for finding in found.filter(|f| !survived || f.oracle != "deadlock") {
            if self.all.iter().all(|f| f.signature != finding.signature) {
                self.all.push(finding.clone());
            }
        }
    }

    fn look(&mut self, session: &Session, moves: &Moves) -> Outcome<()> {
        let ended = session
            .campaign()?
            .run(Box::new(Replay::new(moves.clone())));
        let explained = session.explain(&ended, &RunHeader::default())?;
        self.add(&explained);
        Ok(())
    }
}

fn end(session: &Session, group: &Group, shrink: bool, findings: &mut Findings) -> Outcome<End> {
    let (signature, first) = (&group.signature, &group.first);
    let completed = signature.kind == StopKind::Completed.name();
    let moves: Moves = first
        .moves
        .parse()
        .map_err(|error| Failure::new(format!("the schedule that was found: {error}")))?;
    // Where it happened is asked of the run itself: the signature has only the function.
    let (mut place, mut rule, mut shrunk) = (None, None, None);
    if !completed {
        let mut campaign = session.campaign()?;
        let ended = campaign.run(Box::new(Replay::new(moves.clone())));
        place = search::signature(&ended.stop, campaign.machine()).1;
        let levels = &session.loaded.case.plan.rules;
        if matches!(ended.stop, Stop::Bugcheck(_)) && levels.may_stop() {
            let explained = session.explain(&ended, &RunHeader::default())?;
            rule = rules::ended_by(&explained.machine).map(|rule| rule.name);
        }
        if shrink {
            let found = search::shrink_best(&mut campaign, &group.shortest(), signature);
            shrunk = found.map(|s| told(session, &s, findings)).transpose()?;
        }
    }
    // A seed says it shorter, where the strategy needs to know nothing else.
    let by_seed = first.seed.filter(|_| {
        emu::choice::strategy::find(&first.strategy).is_some_and(|kind| !kind.wants_hints)
    });
    let answers = match by_seed {
        Some(seed) => Answers::Strategy {
            name: &first.strategy,
            seed,
        },
        None => Answers::Schedule(&first.moves),
    };
    let line = session.replay_line(answers);
    Ok(End {
        kind: signature.kind.clone(),
        code: signature.code.map(|code| format!("0x{code:08X}")),
        name: signature.code.and_then(codes::name),
        place,
        rule,
        what: signature.what.clone(),
        count: group.count,
        by: group.by.clone(),
        expected: group.unexpected == 0,
        first_schedule: first.schedule,
        first_strategy: first.strategy.clone(),
        first_seed: first.seed,
        choices: first.choices,
        replay: shrunk.as_ref().map_or(line, |s| s.replay.clone()),
        shrunk,
    })
}
