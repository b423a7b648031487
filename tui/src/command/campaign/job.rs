//! One job: its search, and what is kept of it for the reports.

use std::path::Path;
use std::time::Instant;

use emu::machine::{BootError, Watch};
use emu::oracle::Told;
use emu::report::Place;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::matrix::Spec;
use crate::command::explore::summary::{End, Summary};
use crate::command::explore::{self, Budget};
use crate::failure::{Failure, Outcome};
use crate::replay_line::Answers;
use crate::session::Session;

/// What a job came to: all that the reports say of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Hash of everything that the result depends on.
    pub(super) key: String,
    pub(super) suite: String,
    pub(super) name: String,
    /// Its object of the JSON lines.
    pub(super) line: String,
    /// Schedules that were run.
    pub(super) schedules: u64,
    pub(super) verdict: Verdict,
    /// What is not as expected, one sentence each; or the reason of an error.
    pub(super) problems: Vec<String>,
    pub(super) defects: Vec<Defect>,
    /// How long it took.
    pub(super) seconds: f64,
}

/// Whether a job is as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As the scenario expects.
    Passed,
    /// Not as it expects.
    Failed,
    /// The machine did not get as far as running a schedule.
    Error,
}

/// Something wrong at a place in the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Defect {
    /// The kind: `bugcheck-0x000000D1`, `deadlock`, or the name of an oracle.
    pub(super) rule: String,
    /// What the kind means, in one line.
    pub(super) about: String,
    pub(super) what: String,
    /// The place to look at first; the others tell how it came about.
    pub(super) places: Vec<Spot>,
    /// The scenario expects it.
    pub(super) expected: bool,
    /// The line that runs it again, if it has one of its own.
    pub(super) replay: Option<String>,
    /// The same for the same mistake in other runs of the same drivers.
    pub(super) fingerprint: String,
}

/// A place in the code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) what: String,
    pub(super) module: Option<String>,
    pub(super) function: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: u32,
}

impl Spot {
    fn of(place: &Place, what: &str) -> Spot {
        let (file, line) = place.source.clone().unzip();
        Spot {
            what: what.to_owned(),
            module: place.module.clone(),
            function: place.function.clone(),
            file,
            line: line.unwrap_or_default(),
        }
    }
}

/// The JSON line of a job: what `explore --format json` prints, and what is the campaign's own.
#[derive(Serialize)]
struct Line<'a> {
    suite: &'a str,
    job: &'a str,
    verdict: Verdict,
    error: Option<&'a str>,
    settings: &'a std::collections::BTreeMap<String, String>,
    faults: &'a [String],
    #[serde(flatten)]
    summary: Option<&'a Summary>,
    seconds: f64,
}

/// Hash of everything that the result of a job depends on.
pub(super) fn key(spec: &Spec, session: &Session) -> String {
    let budget = format!(
        "{:?} {:?} {} {}",
        spec.chosen, spec.seconds, spec.until_first, spec.shrink
    );
    let oracles = session.loaded.case.plan.oracles.join(",");
    let line = session.replay_line(Answers::Schedule("-"));
    let words = format!("{} {} {line} {oracles} {budget}", spec.suite, spec.name);
    let start = XxHash3_64::oneshot_with_seed(session.loaded.scenario_hash, words.as_bytes());
    let drivers = session.loaded.case.drivers.iter();
    let hash = drivers.fold(start, |hash, driver| {
        XxHash3_64::oneshot_with_seed(hash, &driver.image.hash.to_le_bytes())
    });
    format!("{hash:016x}")
}

/// Checks that the machine boots as far as that is the input's business.
///
/// # Errors
/// Drivers that cannot be loaded, or a fault that cannot be placed.
pub(super) fn check(spec: &Spec, session: &Session) -> Outcome<()> {
    match session
        .loaded
        .case
        .boot(session.scope.clone(), Watch::Points)
    {
        // That is a result: the driver's, not the campaign file's.
        Ok(_) | Err(BootError::DriverEntry { .. } | BootError::Stopped { .. }) => Ok(()),
        Err(error) => Err(Failure::at(&spec.place, session.failure(&error))),
    }
}

/// Does a job. `resume` keeps the state of its search.
///
/// # Errors
/// The state cannot be kept, or the search does not fit the case.
pub(super) fn run(
    spec: &Spec,
    session: &Session,
    jobs: Option<u16>,
    resume: Option<&Path>,
) -> Outcome<Done> {
    let began = Instant::now();
    let booted = session
        .loaded
        .case
        .boot(session.scope.clone(), Watch::Points);
    let (summary, error) = match booted {
        Err(error) => (None, Some(session.failure(&error).to_string())),
        Ok(_) => {
            let budget = Budget {
                seconds: spec.seconds,
                until_first: spec.until_first,
                jobs,
                resume,
                shrink: spec.shrink,
            };
            let summary = explore::search(session, &spec.chosen, &budget);
            let summary = summary.map_err(|failure| Failure::at(&spec.place, failure))?;
            (Some(summary), None)
        }
    };
    let verdict = match &summary {
        None => Verdict::Error,
        Some(summary) if summary.expected => Verdict::Passed,
        Some(_) => Verdict::Failed,
    };
    let plan = &session.loaded.case.plan;
    let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let line = Line {
        suite: &spec.suite,
        job: &spec.name,
        verdict,
        error: error.as_deref(),
        settings: &plan.settings,
        faults: &session.selection.faults,
        summary: summary.as_ref(),
        seconds,
    };
    let line = serde_json::to_string(&line).map_err(|e| Failure::at("the result as JSON", e))?;
    let defects = summary.as_ref().map(|s| defects(s, plan.expect.may_stop()));
    Ok(Done {
        key: key(spec, session),
        suite: spec.suite.clone(),
        name: spec.name.clone(),
        line,
        schedules: summary.as_ref().map_or(0, |s| s.schedules),
        verdict,
        problems: match (&summary, error) {
            (_, Some(error)) => vec![error],
            (Some(summary), None) => summary.problems.clone(),
            (None, None) => Vec::new(),
        },
        defects: defects.unwrap_or_default(),
        seconds,
    })
}

fn defects(summary: &Summary, may_stop: bool) -> Vec<Defect> {
    let stops = summary.ends.iter().filter(|end| end.kind != "completed");
    let mut all: Vec<Defect> = stops.map(stop).collect();
    for told in &summary.findings {
        let found = finding(told, may_stop);
        // A breach that ends a run is told as a stop, and as a finding that knows how it came about.
        let at = |defect: &Defect| defect.places.first().map(|p| (p.file.clone(), p.line));
        let same = |defect: &Defect| defect.rule == found.rule && at(defect) == at(&found);
        match all.iter_mut().find(|defect| same(defect)) {
            Some(stop) if stop.replay.is_some() => {
                stop.places.extend(found.places.into_iter().skip(1));
            }
            _ => all.push(found),
        }
    }
    all
}

fn stop(end: &End) -> Defect {
    let broken = end.rule.and_then(emu::rules::find);
    let rule = match (broken, &end.code) {
        (Some(rule), _) => rule.name.to_owned(),
        (None, Some(code)) => format!("{}-{code}", end.kind),
        (None, None) => end.kind.clone(),
    };
    let about = match (broken, end.name, end.kind.as_str()) {
        (Some(rule), ..) => documented(rule),
        (None, Some(name), _) => format!("The machine stops: {name}"),
        (None, None, "bugcheck") => "The machine stops".to_owned(),
        (None, None, "deadlock") => "Nothing can go on although work is outstanding".to_owned(),
        (None, None, "unimplemented") => "A driver uses what is not modelled".to_owned(),
        (None, None, "request") => "A request ends with another status than is expected".to_owned(),
        (None, None, _) => "A run does not end by itself".to_owned(),
    };
    Defect {
        rule,
        about,
        what: end.what.clone(),
        places: end
            .place
            .iter()
            .map(|place| Spot::of(place, &end.what))
            .collect(),
        expected: end.expected,
        replay: Some(end.replay.clone()),
        fingerprint: hashed(&end.what),
    }
}

fn finding(told: &Told, may_stop: bool) -> Defect {
    // The last place is where the rule is broken; what led to it comes before.
    let spots = told.places.iter().rev();
    let spots = spots.map(|place| {
        let what = format!("{} {} at {}", place.actor, place.role, place.level);
        Spot::of(&place.place, &what)
    });
    Defect {
        rule: told.oracle.to_owned(),
        about: about(told.oracle),
        what: match &told.object {
            Some(object) => format!("{} (about {object})", told.what),
            None => told.what.clone(),
        },
        places: spots.collect(),
        expected: may_stop,
        replay: None,
        fingerprint: hashed(&told.signature),
    }
}

/// What an oracle or a rule is about.
fn about(name: &str) -> String {
    let oracle = emu::oracle::find(name).map(|oracle| oracle.help.to_owned());
    let rule = || emu::rules::find(name).map(documented);
    oracle.or_else(rule).unwrap_or_default()
}

/// What a rule demands, and who says so.
fn documented(rule: &emu::rules::Rule) -> String {
    format!("{} ({})", rule.help, rule.source)
}

fn hashed(text: &str) -> String {
    format!("{:016x}", XxHash3_64::oneshot(text.as_bytes()))
}
