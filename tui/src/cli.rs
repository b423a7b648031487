//! What can be written on the command line.

pub mod campaign;
pub mod load;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use emu::choice::strategy::{STRATEGIES, StrategyKind, find};
use emu::choice::{ChoiceKind, Kinds, World};
use emu::machine::Granularity;
use emu::personality::Personality;
use emu::scenario::{CPUS_MAX, Selection};
use emu::scene::Pane;
use emu::travel::{Datum, Goal};
use isa::Profile;

use crate::session::Openness;
use crate::suggest;

/// Runs Windows-style kernel drivers on emulated processors in which every source of
/// non-determinism is a numbered choice, so that any crash can be searched for, replayed and
/// explained.
///
/// Without a command, on a terminal: the workbench.
#[derive(Debug, Parser)]
#[command(name = "irqlab", version, after_help = STATUS, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Scenarios (.toml), recorded runs (.schedule) and drivers (.sys) that the workbench is to offer
    #[arg(value_name = "FILE", value_parser = workbench_file)]
    pub files: Vec<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const STATUS: &str = "Exit status: 0 if the run ended as the scenario expects, 1 if it did not, \
                      2 if the input is bad.";

/// The commands; each is a file of `command`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario once and explain how it ended
    Run(RunArgs),
    /// Run a scenario under many schedules and count how it ends
    Explore(ExploreArgs),
    /// Run a recorded schedule again, exactly
    Replay(ReplayArgs),
    /// Boot a machine with drivers of one's own, use every device they create, and unload them
    Load(load::LoadArgs),
    /// Carry out the jobs of a campaign file
    Campaign(campaign::CampaignArgs),
    /// List what a driver imports and what of it is modelled
    Imports(ImportsArgs),
    /// List the bundled drivers
    Drivers(DriversArgs),
    /// List the bundled scenarios
    Scenarios(ScenariosArgs),
    /// List the rules that drivers have to keep, or try each on its own pair of drivers
    Rules(RulesArgs),
    /// List the kinds of faults, or check that each breaks what it is to break
    Faults(FaultsArgs),
}

/// What is run: a scenario and the choices made for it.
#[derive(Args, Clone, Debug)]
pub struct CaseArgs {
    /// A bundled scenario (see `irqlab scenarios`) or the path of a .toml file; of a .sys file, what
    /// `irqlab load` makes for it
    pub scenario: String,
    /// The emulated machine; the scenario's first unless given
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub profile: Option<Profile>,
    /// The modelled Windows; the scenario's first unless given
    #[arg(long, value_name = "PERSONALITY", value_parser = personalities())]
    pub personality: Option<Personality>,
    /// Number of processors; the scenario's unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(CPUS_MAX)))]
    pub cpus: Option<u8>,
    /// Change a setting of the scenario (see `irqlab scenarios -v`)
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Inject a fault: KIND@PLACE#N:NAME=VALUE,..., for example pool.fail:nth=3,tag=IPrb or
    /// irql.raise@KfReleaseSpinLock#3 (see `irqlab faults`)
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// Turn an oracle on, or off with no-NAME; all and none mean every one of them
    #[arg(long, value_name = "ORACLE")]
    pub oracle: Vec<String>,
    /// Set how much a rule counts: off, warn or stop; all means every one (see `irqlab rules`)
    #[arg(long, value_name = "NAME=LEVEL")]
    pub rule: Vec<String>,
    /// How often the outside world may decide
    #[arg(long, value_name = "GRANULARITY", default_value = "access", value_parser = granularities())]
    pub granularity: Granularity,
    /// Hold kinds of choices still: what they are about happens only when nothing else can. A list
    /// of interrupt, dpc, timer, packet, thread and fault, or world for all of them but fault
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = held)]
    pub hold: Vec<Kinds>,
    /// What these kinds of choices are about happens as soon as it can, packets on the cores in turn.
    /// A list of interrupt, dpc, timer and packet, or world for all of them; --hold gives way to it
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = prompt)]
    pub prompt: Vec<Kinds>,
    /// At sync granularity, make accesses that race scheduling points too; a few runs find them
    #[arg(long)]
    pub races: bool,
}

impl CaseArgs {
    /// Which decisions are left open.
    pub fn openness(&self) -> Openness {
        let all = |list: &[Kinds]| {
            list.iter()
                .flat_map(|kinds| kinds.iter())
                .collect::<Kinds>()
        };
        let prompt = all(&self.prompt);
        // What is to happen at once is not held still.
        let held = all(&self.hold)
            .iter()
            .filter(|&k| !prompt.contains(k))
            .collect();
        Openness {
            granularity: self.granularity,
            world: World { held, prompt },
            races: self.races,
        }
    }

    /// What the user chose.
    pub fn selection(&self) -> Selection {
        Selection {
            profile: self.profile,
            personality: self.personality,
            cpus: self.cpus,
            set: self.set.clone(),
            faults: self.fault.clone(),
            oracles: self.oracle.clone(),
            rules: self.rule.clone(),
        }
    }
}

/// How a result is printed.
#[derive(Args, Clone, Debug)]
pub struct OutputArgs {
    /// As text for people, or as one JSON object
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Width of the text in cells; the terminal's, or 80, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(64..=1000))]
    pub width: Option<u16>,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `irqlab run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// What is run.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Seed of the strategy
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Try the seeds from --seed upwards until a run does not complete, at most 10,000
    #[arg(long, conflicts_with = "schedule")]
    pub until_stop: bool,
    /// What answers the choices
    #[arg(long, value_name = "STRATEGY", default_value = DEFAULT_STRATEGY, value_parser = strategies())]
    pub strategy: Strategy,
    /// Answer the choices as this schedule says
    #[arg(long, value_name = "MOVES", conflicts_with_all = ["seed", "strategy"])]
    pub schedule: Option<String>,
    /// Write the schedule to a file for `irqlab replay`
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// A moment of the run to look at.
    #[command(flatten)]
    pub moment: MomentArgs,
    /// The form of the result.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `irqlab explore`
#[derive(Args, Debug)]
pub struct ExploreArgs {
    /// What is run.
    #[command(flatten)]
    pub case: CaseArgs,
    /// How schedules are searched; portfolio unless --seeds or --exhaustive say otherwise
    #[arg(long, value_name = "SEARCH", value_parser = searches())]
    pub strategy: Option<String>,
    /// Every schedule, up to a bound: the same as --strategy dfs, without a limit of schedules
    #[arg(long, conflicts_with_all = ["strategy", "seeds"])]
    pub exhaustive: bool,
    /// Bound of dfs: choices at which what could go on does not, and another core or thread does
    #[arg(long, value_name = "K", conflicts_with_all = ["delays", "seeds"])]
    pub preemptions: Option<u32>,
    /// Bound of dfs: packets, interrupts and the like that come otherwise than by themselves
    #[arg(long, value_name = "K", conflicts_with_all = ["delays", "seeds"])]
    pub arrivals: Option<u32>,
    /// Kinds of faults to place, each where and when it makes a difference: rules as after --fault;
    /// interrupt, dpc or timer for what comes from outside; scenario for the rules of the scenario
    #[arg(long, value_name = "KIND[:WHERE]", value_parser = placed_list,
          conflicts_with_all = ["seeds"])]
    pub faults: Vec<PlacedList>,
    /// Faults in one schedule: 1 with --faults unless given; also a bound of dfs
    #[arg(long, value_name = "K", conflicts_with_all = ["delays", "seeds"],
          value_parser = clap::value_parser!(u32).range(1..=8))]
    pub max_faults: Option<u32>,
    /// Only place a fault once at each call stack, and let the oracles look at every run
    #[arg(long, requires = "faults",
          conflicts_with_all = ["exhaustive", "preemptions", "arrivals", "every_opportunity"])]
    pub each_stack: bool,
    /// Place faults at every opportunity, also where kind, place and call stack are the same
    #[arg(long, requires = "faults")]
    pub every_opportunity: bool,
    /// Bound of dfs: options passed over
    #[arg(long, value_name = "K", conflicts_with = "seeds")]
    pub delays: Option<u32>,
    /// Of dfs: go on only once from what differs in nothing but the order of independent steps
    #[arg(long, conflicts_with = "seeds")]
    pub reduce: bool,
    /// The seeds to run, both ends included; the strategy is random unless it is given
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Seeds>,
    /// Run at most N schedules: 1000 unless given, all of them with --exhaustive
    #[arg(long, value_name = "N", conflicts_with = "seeds",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub schedules: Option<u64>,
    /// Begin no more schedules after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub time: Option<u64>,
    /// Keep the state of the search in this file, and go on from it if it is there
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Show what was found as it was found, without looking for its shortest form
    #[arg(long)]
    pub no_shrink: bool,
    /// Worker threads; one for each processor unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// End with the first schedule whose run does not complete
    #[arg(long)]
    pub until_first: bool,
    /// The form of the result.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl ExploreArgs {
    /// What the user chose of the case, the faults to be placed among it.
    pub fn selection(&self) -> Selection {
        let mut selection = self.case.selection();
        let rules = self.faults.iter().flat_map(|list| &list.rules);
        selection.faults.extend(rules.cloned());
        selection
    }

    /// Kinds of choices that are placements; none if nothing is to be placed.
    pub fn placed(&self) -> Kinds {
        let all = self.faults.iter().flat_map(|list| {
            let faults = list.own || !list.rules.is_empty();
            let fault = faults.then_some(ChoiceKind::Fault);
            list.outside.iter().chain(fault)
        });
        all.collect()
    }
}

/// What is to be placed: one value of `--faults`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacedList {
    /// Fault rules, as after `--fault`.
    pub rules: Vec<String>,
    /// The rules that the scenario has.
    pub own: bool,
    /// Kinds of what comes from outside.
    pub outside: Kinds,
}

/// Commas part the kinds, and the parameters of a kind.
fn placed_list(text: &str) -> Result<PlacedList, String> {
    let mut list = PlacedList::default();
    let mut is_rule = false;
    for part in text.split(',').map(str::trim) {
        let begins = part.find([':', '@']).unwrap_or(part.len());
        let outside = ChoiceKind::from_name(part).filter(|&kind| {
            use ChoiceKind::{Dpc, Interrupt, Timer};
            [Interrupt, Dpc, Timer].contains(&kind)
        });
        match (part.find('='), outside) {
            _ if part.is_empty() => {
                return Err("there is nothing before or behind a comma".into());
            }
            (Some(sign), _) if sign < begins => match list.rules.last_mut() {
                Some(rule) if is_rule => {
                    rule.push(if rule.contains(':') { ',' } else { ':' });
                    rule.push_str(part);
                }
                _ => {
                    return Err(format!(
                        "'{part}' is a parameter, and no kind stands before it"
                    ));
                }
            },
            (_, Some(kind)) => {
                list.outside = list.outside.with(kind);
                is_rule = false;
            }
            (_, None) if part == "scenario" => {
                list.own = true;
                is_rule = false;
            }
            (_, None) => {
                list.rules.push(part.to_owned());
                is_rule = true;
            }
        }
    }
    Ok(list)
}

/// A moment of a run, and what of it is shown.
#[derive(Args, Debug)]
pub struct MomentArgs {
    /// Look at a moment instead of the whole run: CHOICE:STEP, CHOICE, a share like 50%, start,
    /// booted or end
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<Goal>,
    /// Show this pane of the moment: may be repeated
    #[arg(long, value_name = "PANE", value_parser = panes())]
    pub pane: Vec<&'static Pane>,
    /// Look at this core instead of the one that acts at the moment
    #[arg(long, value_name = "N")]
    pub core: Option<u8>,
    /// Look at this memory: an address in hexadecimal, and after a comma a length in bytes
    #[arg(long, value_name = "ADDRESS[,LENGTH]", value_parser = datum)]
    pub datum: Option<Datum>,
}

impl MomentArgs {
    /// It, if anything of it was asked for.
    pub fn given(&self) -> Option<&MomentArgs> {
        let any = self.at.is_some() || !self.pane.is_empty() || self.core.is_some();
        (any || self.datum.is_some()).then_some(self)
    }
}

fn panes() -> impl TypedValueParser<Value = &'static Pane> {
    let names: Vec<&str> = emu::scene::PANES.iter().map(|pane| pane.name).collect();
    PossibleValuesParser::new(names).map(|name| emu::scene::find(&name).expect("it is one of them"))
}

fn datum(text: &str) -> Result<Datum, String> {
    let (address, length) = text.split_once(',').unwrap_or((text, "8"));
    let digits = address.trim_start_matches("0x");
    let wrong = || {
        "write an address in hexadecimal and a length from 1 to 65536, for example fffffadf98001000,8".to_owned()
    };
    let address = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
    match length.parse() {
        Ok(length @ 1..=65536) => Ok(Datum { address, length }),
        _ => Err(wrong()),
    }
}

/// `irqlab replay`
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// A file written by `irqlab run --save`; - reads standard input
    pub file: String,
    /// Replay as far as possible what was recorded with other drivers, another scenario or another
    /// irqlab
    #[arg(long)]
    pub best_effort: bool,
    /// Show this recorded run beside it: what they have in common, where they part, and what follows
    #[arg(long, value_name = "FILE", conflicts_with_all = ["at", "pane", "core", "datum"])]
    pub diff: Option<String>,
    /// A moment of the run to look at.
    #[command(flatten)]
    pub moment: MomentArgs,
    /// The form of the result.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `irqlab imports`
#[derive(Args, Debug)]
pub struct ImportsArgs {
    /// A driver file, or the path of a bundled one as `irqlab drivers` shows it
    pub driver: String,
    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// `irqlab drivers`
#[derive(Args, Debug)]
pub struct DriversArgs {
    /// As text for people, or as one JSON object
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// `irqlab scenarios`
#[derive(Args, Debug)]
pub struct ScenariosArgs {
    /// Also show what each is about and what can be set
    #[arg(short, long)]
    pub verbose: bool,
    /// As text for people, or as one JSON object
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// `irqlab rules`
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// Run for every rule the driver that breaks it and the one that keeps it
    #[arg(long)]
    pub check: bool,
    /// Only on this emulated machine; on one for each architecture unless given
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), requires = "check")]
    pub profile: Option<Profile>,
    /// As text for people, or as one JSON object
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// `irqlab faults`
#[derive(Args, Debug)]
pub struct FaultsArgs {
    /// Only this kind, with all that there is to say about it
    pub kind: Option<String>,
    /// Run for each kind the driver that it breaks and the one that lives with it, and print a table
    #[arg(long)]
    pub check: bool,
    /// With --check: only on this machine
    #[arg(long, value_name = "PROFILE", value_parser = profiles(), requires = "check")]
    pub profile: Option<Profile>,
    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

/// The strategy unless another one is chosen.
pub const DEFAULT_STRATEGY: &str = "random";

/// A strategy by its row in the table of strategies.
#[derive(Clone, Copy)]
pub struct Strategy(pub &'static StrategyKind);

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

/// A range of seeds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

pub(crate) fn seeds(text: &str) -> Result<Seeds, String> {
    let wrong = || "write A..B, for example 1..200 (200 seeds)".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let seeds = Seeds {
        first: number(first)?,
        last: number(last)?,
    };
    match seeds.last.checked_sub(seeds.first) {
        None => Err(format!("{last} comes before {first}")),
        // Each seed keeps a result.
        Some(more) if more >= 100_000_000 || seeds.last == u64::MAX => Err("too many seeds".into()),
        Some(_) => Ok(seeds),
    }
}

/// A file for the workbench: anything else is rather a command that is misspelt.
fn workbench_file(text: &str) -> Result<String, String> {
    if [".toml", ".schedule", ".sys"]
        .iter()
        .any(|end| text.ends_with(end))
    {
        return Ok(text.to_owned());
    }
    let program = Cli::command();
    let verbs: Vec<&str> = program
        .get_subcommands()
        .map(|verb| verb.get_name())
        .collect();
    Err(format!(
        "it is no command, and the name of a file for the workbench ends in .toml, .schedule or .sys; {}",
        suggest::mend(text, &verbs)
    ))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write KEY=VALUE, for example driver=fixed")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn profiles() -> impl TypedValueParser<Value = Profile> {
    let values = Profile::ALL.map(|p| PossibleValue::new(p.name()).help(p.describe()));
    PossibleValuesParser::new(values).map(|name| Profile::from_name(&name).expect("a listed name"))
}

fn personalities() -> impl TypedValueParser<Value = Personality> {
    PossibleValuesParser::new(Personality::ALL.map(Personality::name))
        .map(|name| Personality::from_name(&name).expect("a listed name"))
}

fn granularities() -> impl TypedValueParser<Value = Granularity> {
    PossibleValuesParser::new(Granularity::ALL.map(Granularity::name))
        .map(|name| Granularity::from_name(&name).expect("a listed name"))
}

fn held(text: &str) -> Result<Kinds, String> {
    let all = ChoiceKind::ALL.into_iter();
    kinds(
        text,
        Kinds::WORLD,
        all.filter(|k| *k != ChoiceKind::Core).collect(),
    )
}

fn prompt(text: &str) -> Result<Kinds, String> {
    kinds(text, World::CAN_BE_PROMPT, World::CAN_BE_PROMPT)
}

/// One of `known`, or `world` for these.
fn kinds(text: &str, world: Kinds, known: Kinds) -> Result<Kinds, String> {
    if text == "world" {
        return Ok(world);
    }
    let kind = ChoiceKind::from_name(text).filter(|&kind| known.contains(kind));
    let names: Vec<&str> = known.iter().map(ChoiceKind::name).collect();
    kind.map(|kind| Kinds::NONE.with(kind)).ok_or_else(|| {
        let known = [&names[..], &["world"]].concat();
        format!(
            "'{text}' is no kind of choice; {}",
            suggest::mend(text, &known)
        )
    })
}

/// Searches that are more than a strategy that draws schedules, with their help; the first is the
/// one unless another one is chosen.
pub const SEARCHES: &[(&str, &str)] = &[
    ("portfolio", "several strategies share the budget"),
    ("dfs", "every schedule, up to a bound"),
    ("dpor", "one schedule of every class of equivalent ones"),
];

/// What searches schedules: the strategies that draw them, and those that are more than that.
fn searches() -> PossibleValuesParser {
    let more = SEARCHES
        .iter()
        .map(|(name, help)| PossibleValue::new(*name).help(*help));
    let drawn = STRATEGIES
        .iter()
        .map(|s| PossibleValue::new(s.name).help(s.help));
    PossibleValuesParser::new(more.chain(drawn).collect::<Vec<_>>())
}

fn strategies() -> impl TypedValueParser<Value = Strategy> {
    let values = STRATEGIES
        .iter()
        .map(|s| PossibleValue::new(s.name).help(s.help));
    PossibleValuesParser::new(values.collect::<Vec<_>>())
        .map(|name| Strategy(find(&name).expect("a listed name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_placed_is_a_list() {
        let list =
            placed_list("pool.fail:tag=NatP,pool=paged, memory.page_out,interrupt,dpc").unwrap();
        assert_eq!(
            list.rules,
            ["pool.fail:tag=NatP,pool=paged", "memory.page_out"]
        );
        let outside: Vec<_> = list.outside.iter().map(ChoiceKind::name).collect();
        assert_eq!(outside, ["interrupt", "dpc"]);
        assert_eq!(
            placed_list("a@b#3,level=5").unwrap().rules,
            ["a@b#3:level=5"]
        );
        for (text, problem) in [
            ("tag=NatP", "no kind stands before it"),
            ("interrupt,tag=NatP", "no kind stands before it"),
            ("pool.fail,,dpc", "nothing before or behind a comma"),
        ] {
            let error = placed_list(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn seeds_include_both_ends() {
        assert_eq!(
            seeds("1..200"),
            Ok(Seeds {
                first: 1,
                last: 200
            })
        );
        assert_eq!(seeds("7..7"), Ok(Seeds { first: 7, last: 7 }));
        for wrong in [
            "",
            "1",
            "1..",
            "..2",
            "2..1",
            "a..b",
            "0..18446744073709551615",
        ] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }
}
