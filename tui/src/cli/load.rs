//! `irqlab load`

use std::path::PathBuf;

use clap::Args;
use emu::machine::Granularity;
use emu::personality::Personality;
use emu::scenario::{CPUS_MAX, Selection};
use isa::Profile;

use super::{OutputArgs, Seeds, granularities, personalities, profiles, searches, seeds};
use crate::command::load::THREADS;
use crate::command::load::requests::Control;

/// Most threads that send requests at once.
const THREADS_MAX: i64 = 16;

/// `irqlab load`
#[derive(Args, Debug)]
pub struct LoadArgs {
    /// Driver files, in the order in which they are loaded; or paths of bundled ones as
    /// `irqlab drivers` shows them
    #[arg(value_name = "DRIVER.sys", required = true)]
    pub drivers: Vec<String>,
    /// The emulated machine; i386, amd64 or arm64 unless given, as the drivers are built
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub profile: Option<Profile>,
    /// The modelled Windows; ws2003-sp1 unless given
    #[arg(long, value_name = "PERSONALITY", value_parser = personalities())]
    pub personality: Option<Personality>,
    /// Number of processors; 2 unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(CPUS_MAX)))]
    pub cpus: Option<u8>,
    /// Threads that send requests at once
    #[arg(long, value_name = "N", default_value_t = THREADS, value_parser = clap::value_parser!(u8).range(1..=THREADS_MAX))]
    pub threads: u8,
    /// Send this control code, for example 0x222000:in=01000000,out=16. Without any, those that are
    /// found in the drivers' code
    #[arg(long, value_name = "CODE[:in=HEX,out=N]", value_parser = control)]
    pub ioctl: Vec<Control>,
    /// Also make the requests in this file: tables thread.step as in a scenario
    #[arg(long, value_name = "FILE")]
    pub requests: Option<PathBuf>,
    /// The registry has what is in this file: tables registry as in a scenario
    #[arg(long, value_name = "FILE")]
    pub registry: Option<PathBuf>,
    /// Inject a fault, for example pool.fail:nth=3
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// Turn an oracle on, or off with no-NAME; all and none mean every one of them
    #[arg(long, value_name = "ORACLE")]
    pub oracle: Vec<String>,
    /// Set the level of a rule: off, warn or stop; all means every one. They are on stop
    #[arg(long, value_name = "RULE=LEVEL")]
    pub rule: Vec<String>,
    /// How often the outside world may decide
    #[arg(long, value_name = "GRANULARITY", default_value = "access", value_parser = granularities())]
    pub granularity: Granularity,
    /// How schedules are searched; portfolio unless --seeds says otherwise. With --seed, what answers
    /// the choices; random unless given
    #[arg(long, value_name = "SEARCH", value_parser = searches())]
    pub strategy: Option<String>,
    /// Run at most N schedules
    #[arg(long, value_name = "N", default_value_t = 500, conflicts_with = "seeds",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub schedules: u64,
    /// The seeds to run, both ends included; the strategy is random unless it is given
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<Seeds>,
    /// Run one seed, and explain it
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Run this schedule, and explain it
    #[arg(long, value_name = "MOVES", conflicts_with_all = ["seeds", "seed", "strategy"])]
    pub schedule: Option<String>,
    /// With --seed or --schedule: write the run to a file for `irqlab replay`
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Write the scenario that does the same, as a start for one's own
    #[arg(long, value_name = "FILE")]
    pub save_scenario: Option<PathBuf>,
    /// Show what was found as it was found, without looking for its shortest form
    #[arg(long)]
    pub no_shrink: bool,
    /// Worker threads; one for each processor unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// The form of the result.
    #[command(flatten)]
    pub output: OutputArgs,
}

impl LoadArgs {
    /// What the user chose of the scenario that is made.
    pub fn selection(&self) -> Selection {
        Selection {
            profile: self.profile,
            personality: self.personality,
            cpus: self.cpus,
            set: Vec::new(),
            faults: self.fault.clone(),
            oracles: self.oracle.clone(),
            rules: self.rule.clone(),
        }
    }
}

fn control(text: &str) -> Result<Control, String> {
    text.parse()
}
