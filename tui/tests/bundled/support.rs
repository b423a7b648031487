//! What the tests on real drivers share: plans of the bundled scenarios, the built drivers, and
//! seeds that end in a certain way. Needs `cargo xtask drivers`.
#![allow(dead_code)] // The benchmark uses a part of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use emu::campaign::{Campaign, Case, DriverFiles};
use emu::choice::Moves;
use emu::choice::strategy::Random;
use emu::explain::{Explained, RunHeader, explain};
use emu::machine::{Ended, Granularity};
use emu::personality::Personality;
use emu::scenario::{self, DriverRef, Plan, ScenarioError, Selection};
use emu::stop::Stop;

/// A setting by name, as on the command line; `personality` and `cpus` among them.
pub type Setting<'a> = (&'a str, &'a str);

/// Every profile of both founding cases.
pub const CASES: [(&str, &str); 5] = [
    ("kb931322", "amd64"),
    ("kb931322", "i386"),
    ("kb931322", "ia64"),
    ("q252664", "i386"),
    ("q252664", "alpha"),
];

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace")
}

/// The case of a bundled scenario.
#[track_caller]
pub fn case(name: &str, profile: &str, settings: &[Setting<'_>]) -> Case {
    case_with_faults(name, profile, settings, &[])
}

/// The same with faults, written as after `--fault`.
#[track_caller]
pub fn case_with_faults(
    name: &str,
    profile: &str,
    settings: &[Setting<'_>],
    faults: &[&str],
) -> Case {
    load(plan(name, profile, settings, faults).unwrap_or_else(|e| panic!("{e}")))
}

/// What a bundled scenario asks for.
///
/// # Errors
/// A setting or a fault that the scenario's language does not have.
pub fn plan(
    name: &str,
    profile: &str,
    settings: &[Setting<'_>],
    faults: &[&str],
) -> Result<Plan, ScenarioError> {
    let file = root().join(format!("scenarios/{name}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let scenario = scenario::parse(&format!("{name}.toml"), &text)?;
    let mut selection = Selection {
        profile: isa::Profile::from_name(profile),
        faults: faults.iter().map(|f| f.to_string()).collect(),
        ..Selection::default()
    };
    for &(key, value) in settings {
        match key {
            "personality" => selection.personality = Personality::from_name(value),
            _ => selection.set.push((key.into(), value.into())),
        }
    }
    let none = |path: &str| Err(format!("{path}: not in the tests"));
    scenario.expand(&selection, &none)
}

/// The case of a plan, with the drivers as they are built.
#[track_caller]
pub fn load(plan: Plan) -> Case {
    let arch = plan.profile.arch();
    Case::load(plan, |driver| built(arch, driver)).unwrap_or_else(|e| panic!("{e}"))
}

/// The folder of the built drivers.
pub fn drivers() -> PathBuf {
    root().join("target/drivers")
}

/// The files of a driver's bundled build.
///
/// # Errors
/// A file cannot be read.
pub fn built(arch: isa::Arch, driver: &DriverRef) -> Result<DriverFiles, String> {
    let at = drivers()
        .join(arch.name())
        .join(&driver.name)
        .join(&driver.build);
    let read = |extension: &str| {
        let path = at.join(format!("{}.{extension}", driver.name));
        std::fs::read(&path)
            .map_err(|e| format!("{}: {e}; run `cargo xtask drivers`", path.display()))
    };
    let (sys, pdb) = (read("sys")?, Some(read("pdb")?));
    Ok(DriverFiles {
        label: driver.name.clone(),
        sys,
        pdb,
    })
}

/// The run of one seed.
#[track_caller]
pub fn run(case: &Case, granularity: Granularity, seed: u64) -> Ended {
    let mut campaign = Campaign::new(case, granularity).unwrap_or_else(|e| panic!("{e}"));
    campaign.run(Box::new(Random::new(seed)))
}

/// The first of 200 seeds, at granularity `access`, whose run ends in a way that `wanted` accepts.
#[track_caller]
pub fn first(case: &Case, wanted: impl Fn(&Ended) -> bool) -> (u64, Ended) {
    let mut campaign = Campaign::new(case, Granularity::Access).unwrap_or_else(|e| panic!("{e}"));
    let mut runs = (1..=200).map(|seed| (seed, campaign.run(Box::new(Random::new(seed)))));
    runs.find(|(_, ended)| wanted(ended))
        .expect("one of 200 seeds")
}

/// A run that stops, and its seed before it.
pub type Crash = Arc<(u64, Ended)>;

/// The first of 200 seeds of a bundled scenario, as it is, that does not complete at granularity
/// `access`. Many tests begin there; it is looked for once.
#[track_caller]
pub fn crash(scenario: &str, profile: &str) -> Crash {
    static FOUND: Shared<(String, String), (u64, Ended)> = Shared::new();
    let stops = |e: &Ended| e.stop != Stop::Completed;
    FOUND.get((scenario.into(), profile.into()), || {
        first(&case(scenario, profile, &[]), stops)
    })
}

/// Things that several tests need and that are the same for all of them, by name. Each is made by
/// the first test that asks for it, while others wait for it.
pub struct Shared<K, V>(Mutex<BTreeMap<K, Arc<OnceLock<Arc<V>>>>>);

impl<K: Ord, V> Shared<K, V> {
    /// Nothing has been made yet.
    pub const fn new() -> Shared<K, V> {
        Shared(Mutex::new(BTreeMap::new()))
    }

    /// The thing of this name. A test in which `make` panics fails, and so does the next one.
    pub fn get(&self, name: K, make: impl FnOnce() -> V) -> Arc<V> {
        let cell = self
            .0
            .lock()
            .expect("nobody panics in here")
            .entry(name)
            .or_default()
            .clone();
        cell.get_or_init(|| Arc::new(make())).clone()
    }
}

/// A run at granularity `access`, recorded and explained.
#[track_caller]
pub fn told(case: &Case, moves: &Moves) -> Explained {
    let header = RunHeader::default();
    explain(case, Granularity::Access, moves, &header).unwrap_or_else(|e| panic!("{e}"))
}

/// A line of a source file, by the path that the symbols give.
#[track_caller]
pub fn source_line(file: &str, line: u32) -> String {
    let path = root().join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let line = text.lines().nth(line as usize - 1);
    line.unwrap_or_else(|| panic!("{file} is shorter"))
        .trim()
        .to_owned()
}
