//! From a campaign file to its jobs: every combination of every table, in the order of the file.

use std::path::{Path, PathBuf};

use emu::choice::strategy::STRATEGIES;
use emu::machine::Granularity;
use emu::personality::Personality;
use emu::rules::Levels;
use emu::scenario::{CPUS_MAX, Selection, Source};
use isa::Profile;
use toml::{Spanned, Value};

use super::file::{File, Job, List, Outputs};
use super::options;
use crate::catalogue;
use crate::cli::{ExploreArgs, SEARCHES};
use crate::command::explore::Chosen;
use crate::command::load::{self, Wanted};
use crate::failure::{Failure, Outcome};
use crate::session::{Openness, Session};
use crate::suggest;

/// Most jobs of a campaign.
const JOBS_MAX: usize = 10_000;

/// A campaign with nothing left to decide.
pub(super) struct Campaign {
    pub(super) title: String,
    pub(super) outputs: Outputs,
    /// The folder of the file: what it names is relative to it.
    pub(super) folder: PathBuf,
    pub(super) jobs: Vec<Spec>,
}

/// One job.
pub(super) struct Spec {
    /// The name of its table: what stands for the suite in a report.
    pub(super) suite: String,
    /// What distinguishes it from the others of the table.
    pub(super) name: String,
    /// The file and the line of its table.
    pub(super) place: String,
    what: What,
    selection: Selection,
    openness: Openness,
    pub(super) chosen: Chosen,
    /// No schedule begins after so many seconds.
    pub(super) seconds: Option<u64>,
    pub(super) until_first: bool,
    pub(super) shrink: bool,
}

#[derive(Clone)]
enum What {
    Scenario(String),
    Load(std::rc::Rc<Wanted>),
}

impl Spec {
    /// What the job runs.
    ///
    /// # Errors
    /// Bad input, with the place of the job's table.
    pub(super) fn session(&self) -> Outcome<Session> {
        let session = match &self.what {
            What::Scenario(name) => Session::new(name, self.selection.clone(), self.openness),
            What::Load(wanted) => {
                load::load(wanted, self.selection.clone(), self.openness).map(|made| made.session)
            }
        };
        session.map_err(|failure| Failure::at(&self.place, failure))
    }
}

/// Reads a campaign file.
///
/// # Errors
/// It cannot be read, or what is wrong in it, with its place.
pub(super) fn read(path: &Path) -> Outcome<Campaign> {
    let bundled = catalogue::CAMPAIGNS
        .iter()
        .find(|(name, _)| Path::new(name) == path);
    let (name, text) = match bundled {
        Some((name, text)) if !path.exists() => (format!("{name}.toml"), (*text).to_owned()),
        _ => load::text_of(path)?,
    };
    let source = Source { file: name, text };
    let file: File = source.read()?;
    if file.job.is_empty() {
        return Err(Failure::at(&source.file, "the campaign has no job").mend("add [[job]]"));
    }
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut jobs: Vec<Spec> = Vec::new();
    for job in file.job {
        let span = job.span();
        let reader = Reader {
            source: &source,
            folder: &folder,
            place: format!("{}:{}", source.file, source.line(span.start)),
        };
        let more = reader.jobs(job.into_inner().with(&file.defaults), span.clone())?;
        if let Some(twice) = more
            .iter()
            .find(|new| jobs.iter().any(|old| old.suite == new.suite))
        {
            let problem = format!("there is a job '{}' before it", twice.suite);
            return Err(source.error(span, problem, "give it another name").into());
        }
        jobs.extend(more);
        if jobs.len() > JOBS_MAX {
            let problem = format!("the campaign comes to more than {JOBS_MAX} jobs");
            return Err(source.error(span, problem, "shorten its lists").into());
        }
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    Ok(Campaign {
        title: file.title.or(stem).unwrap_or_default(),
        outputs: file.output,
        folder,
        jobs,
    })
}

struct Reader<'a> {
    source: &'a Source,
    folder: &'a Path,
    place: String,
}

/// An item of a list and the words that name it.
type Axis<T> = Vec<(T, String)>;

impl Reader<'_> {
    fn wrong<T>(&self, at: &Spanned<T>, problem: String, mend: impl Into<String>) -> Failure {
        self.source.error(at.span(), problem, mend).into()
    }

    fn jobs(&self, job: Job, span: std::ops::Range<usize>) -> Outcome<Vec<Spec>> {
        let (what, usual) = self.what(&job, span.clone())?;
        let suite = match &job.name {
            Some(name) if name.get_ref().trim().is_empty() => {
                return Err(self.wrong(name, "a job needs a name".into(), "write one, or no name"));
            }
            Some(name) => name.get_ref().clone(),
            None => usual,
        };
        let profiles = self.axis(&job.profiles, |name| {
            let known: Vec<&str> = Profile::ALL.iter().map(|p| p.name()).collect();
            Profile::from_name(name).ok_or(("profile", known))
        })?;
        let personalities = self.axis(&job.personalities, |name| {
            let known = Personality::ALL.iter().map(|p| p.name()).collect();
            Personality::from_name(name).ok_or(("personality", known))
        })?;
        let strategies = self.axis(&job.strategies, |name| {
            let drawn = STRATEGIES.iter().map(|s| s.name);
            let known: Vec<&str> = SEARCHES
                .iter()
                .map(|(name, _)| *name)
                .chain(drawn)
                .collect();
            match known.contains(&name) {
                true => Ok(name.to_owned()),
                false => Err(("strategy", known)),
            }
        })?;
        let cpus = self.cpus(&job.cpus)?;
        let settings = self.settings(&job)?;
        let faults = self.faults(&job)?;
        let oracles = self.oracles(&job.oracles)?;
        let rules = self.rules(&job.rules)?;

        let searches = strategies.iter().map(|(strategy, words)| {
            let search = self.search(strategy.as_deref(), &job, &span)?;
            Ok((search, words))
        });
        let searches: Vec<_> = searches.collect::<Outcome<_>>()?;

        let mut specs = Vec::new();
        for (profile, a) in &profiles {
            for (personality, b) in &personalities {
                for (cpus, c) in &cpus {
                    for (set, d) in &settings {
                        for (faults, e) in &faults {
                            for ((args, chosen), f) in &searches {
                                let words = [a, b, c, d, e, f].map(String::as_str);
                                let words = words.into_iter().filter(|word| !word.is_empty());
                                let words: Vec<&str> = words.collect();
                                let placed = args.selection().faults;
                                let selection = Selection {
                                    profile: *profile,
                                    personality: *personality,
                                    cpus: *cpus,
                                    set: set.clone(),
                                    faults: faults.iter().cloned().chain(placed).collect(),
                                    oracles: oracles.clone(),
                                    rules: rules.clone(),
                                };
                                specs.push(Spec {
                                    suite: suite.clone(),
                                    name: match words.is_empty() {
                                        true => suite.clone(),
                                        false => words.join(" "),
                                    },
                                    place: self.place.clone(),
                                    what: what.clone(),
                                    selection,
                                    openness: args.case.openness(),
                                    chosen: chosen.clone(),
                                    seconds: args.time,
                                    until_first: job.until_first.unwrap_or(false),
                                    shrink: job.shrink.unwrap_or(true),
                                });
                                if specs.len() > JOBS_MAX {
                                    return Ok(specs);
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(specs)
    }

    /// What is run, and the name of a job that has none.
    fn what(&self, job: &Job, span: std::ops::Range<usize>) -> Outcome<(What, String)> {
        let only_load = [
            ("ioctl", job.ioctl.as_ref().map(Spanned::span)),
            ("threads", job.threads.as_ref().map(Spanned::span)),
            ("requests", job.requests.as_ref().map(Spanned::span)),
            ("registry", job.registry.as_ref().map(Spanned::span)),
        ];
        match (&job.scenario, &job.drivers) {
            (Some(scenario), None) => {
                if let Some((key, Some(span))) = only_load.into_iter().find(|(_, s)| s.is_some()) {
                    let problem = format!("'{key}' is for drivers without a scenario");
                    return Err(self.source.error(span, problem, "leave it away").into());
                }
                let name = scenario.get_ref();
                let is_file = name.contains('/') || name.ends_with(".toml");
                let path = match is_file {
                    true => self.beside(name),
                    false => name.clone(),
                };
                catalogue::find(&path).map_err(|failure| self.at(scenario, &failure))?;
                let stem = Path::new(name).file_stem();
                let stem = stem.map_or(name.clone(), |s| s.to_string_lossy().into_owned());
                Ok((What::Scenario(path), stem))
            }
            (None, Some(drivers)) if !drivers.get_ref().is_empty() => {
                if let Some((key, _)) = job.set.iter().flatten().next() {
                    let problem = "drivers without a scenario have no settings".to_owned();
                    return Err(self.wrong(key, problem, "leave set away"));
                }
                let paths = drivers.get_ref().iter().map(|driver| {
                    let path = self.beside(driver.get_ref());
                    // Not a file: the path of a bundled driver.
                    match Path::new(&path).exists() {
                        true => path,
                        false => driver.get_ref().clone(),
                    }
                });
                let paths: Vec<String> = paths.collect();
                let name = Path::new(&paths[0]).file_stem();
                let name = name.map_or(String::new(), |s| s.to_string_lossy().into_owned());
                Ok((What::Load(self.wanted(job, paths)?.into()), name))
            }
            _ => {
                let problem = "a job runs either a scenario or drivers";
                let mend = "write scenario = \"NAME\", or drivers = [\"FILE.sys\"]";
                Err(self.source.error(span, problem, mend).into())
            }
        }
    }

    fn wanted(&self, job: &Job, drivers: Vec<String>) -> Outcome<Wanted> {
        let file = |path: &Option<Spanned<PathBuf>>| {
            let read = |path: &Spanned<PathBuf>| {
                load::text_of(&self.folder.join(path.get_ref()))
                    .map_err(|failure| self.at(path, &failure))
            };
            path.as_ref().map(read).transpose()
        };
        let mut controls = Vec::new();
        for control in job.ioctl.iter().flat_map(Spanned::get_ref) {
            let parsed = control.get_ref().parse();
            controls.push(parsed.map_err(|problem: String| self.wrong(control, problem, ""))?);
        }
        let threads = match &job.threads {
            None => load::THREADS,
            Some(threads) => self.number(threads, 1..=16)? as u8,
        };
        Ok(Wanted {
            drivers,
            controls,
            threads,
            requests: file(&job.requests)?,
            registry: file(&job.registry)?,
        })
    }

    /// A path of the campaign file, as it is from the current folder.
    fn beside(&self, path: &str) -> String {
        self.folder.join(path).display().to_string()
    }

    /// A failure that is about a value of the file.
    fn at<T>(&self, value: &Spanned<T>, failure: &Failure) -> Failure {
        let line = self.source.line(value.span().start);
        Failure::at(format!("{}:{line}", self.source.file), failure)
    }

    fn number(&self, value: &Spanned<i64>, range: std::ops::RangeInclusive<i64>) -> Outcome<u64> {
        let number = *value.get_ref();
        match range.contains(&number) {
            true => Ok(number as u64),
            false => {
                let (from, to) = range.into_inner();
                let mend = match to {
                    i64::MAX => format!("it is a number from {from} on"),
                    _ => format!("it is a number from {from} to {to}"),
                };
                Err(self.wrong(value, format!("{number} is not possible here"), mend))
            }
        }
    }

    /// The items of a list; without one, nothing, which leaves it to the scenario. An item is named
    /// only where there are others.
    fn axis<T>(
        &self,
        list: &Option<List<String>>,
        known: impl Fn(&str) -> Result<T, (&'static str, Vec<&'static str>)>,
    ) -> Outcome<Axis<Option<T>>> {
        let Some(list) = self.some(list)? else {
            return Ok(vec![(None, String::new())]);
        };
        let items = list.iter().map(|item| {
            let name = item.get_ref();
            let found = known(name).map_err(|(what, known)| {
                let problem = format!("there is no {what} '{name}'");
                self.wrong(item, problem, suggest::mend(name, &known))
            })?;
            Ok((
                Some(found),
                if list.len() > 1 {
                    name.clone()
                } else {
                    String::new()
                },
            ))
        });
        items.collect()
    }

    /// The items of a list that is there.
    fn some<'l, T>(&self, list: &'l Option<List<T>>) -> Outcome<Option<&'l [Spanned<T>]>> {
        match list {
            Some(list) if list.get_ref().is_empty() => Err(self.wrong(
                list,
                "a list without items makes no jobs".into(),
                "leave it away, or write what is to be run",
            )),
            list => Ok(list.as_ref().map(|list| list.get_ref().as_slice())),
        }
    }

    fn cpus(&self, list: &Option<List<i64>>) -> Outcome<Axis<Option<u8>>> {
        let Some(list) = self.some(list)? else {
            return Ok(vec![(None, String::new())]);
        };
        let items = list.iter().map(|item| {
            let cpus = self.number(item, 1..=i64::from(CPUS_MAX))? as u8;
            let several = list.len() > 1;
            Ok((
                Some(cpus),
                if several {
                    format!("cpus={cpus}")
                } else {
                    String::new()
                },
            ))
        });
        items.collect()
    }

    /// Every combination of the settings' values.
    fn settings(&self, job: &Job) -> Outcome<Axis<Vec<(String, String)>>> {
        let mut tables: Vec<_> = job.set.iter().flatten().collect();
        tables.sort_by_key(|(name, _)| name.span().start);
        let mut all: Axis<Vec<(String, String)>> = vec![(Vec::new(), String::new())];
        for (name, value) in tables {
            let (values, several) = match value.get_ref() {
                Value::Array(values) if values.is_empty() => {
                    let problem = "a list without items makes no jobs".to_owned();
                    return Err(self.wrong(value, problem, "write the values to be run"));
                }
                Value::Array(values) => (values.as_slice(), values.len() > 1),
                single => (std::slice::from_ref(single), false),
            };
            let mut more = Vec::new();
            for (before, words) in &all {
                for one in values {
                    let text = match one {
                        Value::String(text) => text.clone(),
                        Value::Integer(number) => number.to_string(),
                        Value::Boolean(yes) => yes.to_string(),
                        _ => {
                            let problem = "this is no value of a setting".to_owned();
                            let mend = "write a string, a number, true or false, or a list of them";
                            return Err(self.wrong(value, problem, mend));
                        }
                    };
                    let word = format!("{}={text}", name.get_ref());
                    let mut set = before.clone();
                    set.push((name.get_ref().clone(), text));
                    let words = match (several, words.is_empty()) {
                        (false, _) => words.clone(),
                        (true, true) => word,
                        (true, false) => format!("{words} {word}"),
                    };
                    more.push((set, words));
                }
                if more.len() > JOBS_MAX {
                    break;
                }
            }
            all = more;
        }
        Ok(all)
    }

    /// The sets of faults, each of which makes jobs of its own.
    fn faults(&self, job: &Job) -> Outcome<Axis<Vec<String>>> {
        let texts = |list: &List<String>| -> Vec<String> {
            list.get_ref()
                .iter()
                .map(|fault| fault.get_ref().clone())
                .collect()
        };
        match (&job.fault, &job.fault_sets) {
            (Some(_), Some(sets)) => Err(self.wrong(
                sets,
                "either fault or fault_sets".into(),
                "write fault = [\"...\"] for faults together, fault_sets = [[...], [...]] for one \
                 set after the other",
            )),
            (None, Some(sets)) if sets.get_ref().is_empty() => Err(self.wrong(
                sets,
                "a list without items makes no jobs".into(),
                "leave it away; [[]] is a run without faults",
            )),
            (None, Some(sets)) => {
                let sets = sets.get_ref().iter().map(|set| {
                    let faults = texts(set);
                    let words = match faults.is_empty() {
                        true => "no fault".to_owned(),
                        false => faults.join(" + "),
                    };
                    (faults, words)
                });
                Ok(sets.collect())
            }
            (fault, None) => Ok(vec![(
                fault.as_ref().map(texts).unwrap_or_default(),
                String::new(),
            )]),
        }
    }

    fn granularity(&self, value: &Option<Spanned<String>>) -> Outcome<Option<String>> {
        let Some(value) = value else {
            return Ok(None);
        };
        let name = value.get_ref();
        match Granularity::from_name(name) {
            Some(_) => Ok(Some(name.clone())),
            None => {
                let known: Vec<&str> = Granularity::ALL.iter().map(|g| g.name()).collect();
                let problem = format!("there is no granularity '{name}'");
                Err(self.wrong(value, problem, suggest::mend(name, &known)))
            }
        }
    }

    fn oracles(&self, list: &Option<List<String>>) -> Outcome<Vec<String>> {
        let words = list.iter().flat_map(Spanned::get_ref);
        let words = words.map(
            |word| match emu::oracle::select(&[word.get_ref().as_str()]) {
                Ok(_) => Ok(word.get_ref().clone()),
                Err(unknown) => Err(self.wrong(word, unknown.to_string(), "")),
            },
        );
        words.collect()
    }

    fn rules(&self, list: &Option<List<String>>) -> Outcome<Vec<String>> {
        let words = list.iter().flat_map(Spanned::get_ref);
        let words = words.map(|word| match Levels::default().say(word.get_ref()) {
            Ok(()) => Ok(word.get_ref().clone()),
            Err(unknown) => Err(self.wrong(word, unknown.to_string(), "")),
        });
        words.collect()
    }

    /// How a job is searched, in the words of the command line.
    fn search(
        &self,
        strategy: Option<&str>,
        job: &Job,
        span: &std::ops::Range<usize>,
    ) -> Outcome<(ExploreArgs, Chosen)> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([format!("--{name}"), value]);
            }
        };
        option("strategy", strategy.map(str::to_owned));
        option("granularity", self.granularity(&job.granularity)?);
        option("schedules", self.count(&job.schedules)?);
        option("time", self.count(&job.seconds)?);
        option("seeds", job.seeds.as_ref().map(|s| s.get_ref().clone()));
        let text = job.explore.as_ref();
        let seeds = job.seeds.as_ref().map(Spanned::span);
        let at = text.map(Spanned::span).or(seeds);
        let at = at.unwrap_or_else(|| span.clone());
        let parsed = options::parse(text.map_or("", |text| text.get_ref()), &words);
        let args =
            parsed.map_err(|(problem, mend)| self.source.error(at.clone(), problem, mend))?;
        match Chosen::of(&args) {
            Ok(chosen) => Ok((args, chosen)),
            Err(failure) => {
                let line = self.source.line(at.start);
                Err(Failure::at(format!("{}:{line}", self.source.file), failure))
            }
        }
    }

    /// A number from 1 on, as a word.
    fn count(&self, value: &Option<Spanned<i64>>) -> Outcome<Option<String>> {
        let number = |value| self.number(value, 1..=i64::MAX);
        let number = value.as_ref().map(number).transpose()?;
        Ok(number.map(|number| number.to_string()))
    }
}
