//! `irqlab load`: drivers without a scenario. One is made for them: it opens every device that they
//! create, sends requests, and unloads them.

mod discover;
pub mod requests;
pub(crate) mod script;
pub(crate) mod table;

use std::fs;
use std::path::{Path, PathBuf};

use emu::choice::strategy::{Random, Replay, find};
use emu::choice::{Moves, Strategy};
use emu::explain::RunHeader;
use emu::loader::Image;
use emu::machine::{Granularity, Watch};
use emu::nt::io::listing::{self, Listed};
use emu::scenario::{ScenarioError, Selection, parse};
use serde::Serialize;

use super::explore::{self, Budget, Chosen, summary::Summary};
use super::imports;
use crate::case;
use crate::catalogue::{self, Source};
use crate::cli::load::LoadArgs;
use crate::cli::{DEFAULT_STRATEGY, Format, SEARCHES};
use crate::failure::{Failure, Outcome};
use crate::index::index;
use crate::output;
use crate::replay_line::{Answers, quoted};
use crate::schedule_file::ScheduleFile;
use crate::session::{Openness, Session};
use requests::Control;
use script::{Named, Script, literal};
use table::Requested;

/// Threads that send requests unless the user says otherwise.
pub(crate) const THREADS: u8 = 2;
/// Runs whose statuses are shown: the one in which nobody interferes, and the first seeds.
const SHOWN: u64 = 9;

pub(super) fn run(args: &LoadArgs) -> Outcome<bool> {
    let loaded = load(&Wanted::of(args)?, args.selection(), args.granularity)?;
    let session = &loaded.session;
    if let Some(path) = &args.save_scenario {
        fs::write(path, &session.source.text).map_err(|e| Failure::at(path.display(), e))?;
    }
    if args.seed.is_some() || args.schedule.is_some() {
        return one(session, args);
    }
    if args.save.is_some() {
        return Err(
            Failure::at("--save", "one run is saved, and this is many").mend(
                "add --seed N or --schedule MOVES, as the replay line of what was found has it",
            ),
        );
    }
    let still: Box<dyn Strategy> = Box::new(Replay::new(Moves::default()));
    let seeds = (1..SHOWN).map(|seed| Box::new(Random::new(seed)) as Box<dyn Strategy>);
    let requested = table::requested(
        &session.loaded.case.plan,
        &mut session.campaign()?,
        [still].into_iter().chain(seeds),
    );
    let usual = match args.seeds {
        Some(_) => DEFAULT_STRATEGY,
        None => SEARCHES[0].0,
    };
    let name = args.strategy.as_deref().unwrap_or(usual);
    if args.seeds.is_some() && find(name).is_none() {
        let problem = format!("{name} draws no schedules from seeds");
        return Err(Failure::at("--seeds", problem).mend("use --schedules"));
    }
    let chosen = Chosen::named(name, args.seeds, args.schedules);
    let budget = Budget {
        seconds: None,
        until_first: false,
        jobs: args.jobs,
        resume: None,
        shrink: !args.no_shrink,
    };
    let search = explore::search(session, &chosen, &budget)?;
    let object = LoadObject {
        drivers: loaded.drivers(),
        devices: loaded.devices.iter().map(DeviceObject::of).collect(),
        controls: loaded.controls.iter().map(Control::to_string).collect(),
        requests: requested,
        search,
    };
    match args.output.format {
        Format::Json => output::print_json(&object)?,
        Format::Text => output::print(&text(&object))?,
    }
    Ok(object.search.expected)
}

/// One run, explained.
fn one(session: &Session, args: &LoadArgs) -> Outcome<bool> {
    let explained = match (&args.schedule, args.seed) {
        (Some(text), _) => {
            let moves: Moves = text.parse().map_err(|e| Failure::at("--schedule", e))?;
            let header = RunHeader {
                seed: 0,
                strategy: "replay".to_owned(),
                replay_line: session.replay_line(Answers::Schedule(text)),
            };
            session.run_moves(&moves, "--schedule", &header)?
        }
        (None, seed) => {
            let name = args.strategy.as_deref().unwrap_or(DEFAULT_STRATEGY);
            let Some(strategy) = find(name) else {
                let problem = format!("{name} draws no schedules from seeds");
                return Err(Failure::at("--seed", problem).mend("name another strategy"));
            };
            session.run_seed(strategy, seed.unwrap_or(1))?
        }
    };
    if let Some(path) = &args.save {
        let file = ScheduleFile::of(session, &explained);
        fs::write(path, format!("{file}\n")).map_err(|e| Failure::at(path.display(), e))?;
    }
    super::run::show(&explained, &args.output)
}

/// The name and the text of a file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn text_of(path: &Path) -> Outcome<(String, String)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Failure::at(&name, error))?;
    Ok((name, text))
}

/// What is to be loaded, and what its devices get.
pub(crate) struct Wanted {
    /// Paths of driver files, or of bundled ones.
    pub(crate) drivers: Vec<String>,
    /// Control requests; those that are found in the code if there are none.
    pub(crate) controls: Vec<Control>,
    /// Threads that send requests at once.
    pub(crate) threads: u8,
    /// The user's requests and registry: name and text of the file.
    pub(crate) requests: Option<(String, String)>,
    /// See `requests`.
    pub(crate) registry: Option<(String, String)>,
}

impl Wanted {
    fn of(args: &LoadArgs) -> Outcome<Wanted> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(text_of).transpose();
        Ok(Wanted {
            drivers: args.drivers.clone(),
            controls: args.ioctl.clone(),
            threads: args.threads,
            requests: read(&args.requests)?,
            registry: read(&args.registry)?,
        })
    }

    /// The words that ask for the same on the command line.
    fn call(&self) -> String {
        let mut call = "load".to_owned();
        let mut word = |text: &str| {
            call.push(' ');
            call += &quoted(text);
        };
        self.drivers.iter().for_each(|driver| word(driver));
        if self.threads != THREADS {
            word("--threads");
            word(&self.threads.to_string());
        }
        for control in &self.controls {
            word("--ioctl");
            word(&control.to_string());
        }
        for (option, file) in [
            ("--requests", &self.requests),
            ("--registry", &self.registry),
        ] {
            if let Some((name, _)) = file {
                word(option);
                word(name);
            }
        }
        call
    }
}

/// A session with a scenario that was made for drivers.
pub(crate) struct Made {
    /// The session.
    pub(crate) session: Session,
    /// The devices that the drivers have created.
    pub(crate) devices: Vec<Listed>,
    /// The control requests that are sent.
    pub(crate) controls: Vec<Control>,
}

impl Made {
    fn drivers(&self) -> Vec<DriverObject> {
        let drivers = self.session.loaded.case.drivers.iter();
        let object = |driver: &emu::machine::Driver| DriverObject {
            name: driver.image.name.clone(),
            xxh3: format!("{:016x}", driver.image.hash),
        };
        drivers.map(object).collect()
    }
}

/// Makes the scenario: boots once to see which devices there are.
///
/// # Errors
/// A file that is no driver or that needs what is not modelled, a mistake in the user's requests
/// or registry, or a `DriverEntry` that fails.
pub(crate) fn load(
    wanted: &Wanted,
    selection: Selection,
    openness: impl Into<Openness>,
) -> Outcome<Made> {
    let openness = openness.into();
    let mut images = Vec::new();
    let mut named: Vec<Named> = Vec::new();
    for path in &wanted.drivers {
        let image = case::by_path(path)?;
        let driver = name(path)?;
        if named.iter().any(|other| other.name == driver.name) {
            return Err(Failure::at(path, "a driver of this name is loaded already")
                .mend("leave one away, or give the file another name"));
        }
        named.push(driver);
        images.push(image);
    }
    let arch = one_arch(&wanted.drivers, &images)?;
    let missing: Vec<String> = images.iter().filter_map(imports::what_is_missing).collect();
    if !missing.is_empty() {
        return Err(Failure::new(missing.join("\n")).mend(
            "what is not modelled cannot be run; `irqlab imports` also lists what is modelled",
        ));
    }
    let title = wanted.drivers.iter().map(|path| {
        let path = Path::new(path);
        path.file_name()
            .map_or(String::new(), |n| n.to_string_lossy().into_owned())
    });
    let title = title.collect::<Vec<_>>().join(", ");
    let scenario_name = format!("{}.toml", named[0].name);
    let part =
        |file: &Option<(String, String)>| file.as_ref().map_or("", |(_, text)| text).to_owned();
    let (requests, registry) = (part(&wanted.requests), part(&wanted.registry));
    let mut script = Script {
        title: &title,
        arch,
        drivers: &named,
        devices: &[],
        controls: &[],
        threads: wanted.threads,
        requests: "",
        registry: &registry,
    };
    check_parts(wanted, &script)?;
    let call = wanted.call();
    let source = catalogue::made(&scenario_name, script.text(), call.clone())?;
    let first = Session::of(source, selection.clone(), openness)?;
    let booted = first.loaded.case.boot(openness.granularity, Watch::Points);
    let mut machine = booted.map_err(Failure::from)?;
    let devices = listing::devices(&mut machine).map_err(Failure::new)?;
    let controls = match wanted.controls.is_empty() {
        true => {
            let types = devices.iter().map(|device| device.device_type).collect();
            let codes = discover::codes(&images, &types);
            codes.into_iter().map(Control::found).collect()
        }
        false => wanted.controls.clone(),
    };
    script.devices = &devices;
    script.controls = &controls;
    script.requests = &requests;
    let source = catalogue::made(&scenario_name, script.text(), call)?;
    Ok(Made {
        session: Session::of(source, selection, openness)?,
        devices,
        controls,
    })
}

/// The scenario for one driver, with everything as it is unless somebody says otherwise.
///
/// # Errors
/// See [`load`].
pub(crate) fn source(path: &str) -> Outcome<Source> {
    let wanted = Wanted {
        drivers: vec![path.to_owned()],
        controls: Vec::new(),
        threads: THREADS,
        requests: None,
        registry: None,
    };
    let made = load(&wanted, Selection::default(), Granularity::Access)?;
    Ok(Source {
        name: path.to_owned(),
        call: format!("run {}", quoted(path)),
        ..made.session.source
    })
}

/// The user's tables by themselves, so that a mistake is reported in the user's file.
fn check_parts(wanted: &Wanted, script: &Script<'_>) -> Outcome<()> {
    let check = |(name, text): &(String, String), before: &str| {
        let lines = before.matches('\n').count() as u32;
        let whole = format!("{before}{text}");
        let expand = |scenario: emu::scenario::Scenario| {
            scenario.expand(&Selection::default(), &|_| Err("no files here".to_owned()))
        };
        match parse(name, &whole).and_then(expand) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::from(moved_up(error, name, lines))),
        }
    };
    let head = script.head();
    if let Some(file) = &wanted.registry {
        check(file, &head)?;
    }
    if let Some(file) = &wanted.requests {
        let thread = "[[thread]]\nname = \"requests\"\n[[thread.step]]\nopen = \"device\"\n";
        check(file, &format!("{head}{thread}"))?;
    }
    Ok(())
}

/// The error in a text that had so many lines put before it.
fn moved_up(mut error: ScenarioError, name: &str, lines: u32) -> ScenarioError {
    if error.line > lines {
        error.line -= lines;
        error.origin = format!("{name}:{}:{}", error.line, error.column);
    }
    error
}

/// The architecture that all images have.
fn one_arch(paths: &[String], images: &[Image]) -> Outcome<isa::Arch> {
    let arch = images[0].arch;
    let other = images
        .iter()
        .zip(paths)
        .find(|(image, _)| image.arch != arch);
    match other {
        None => Ok(arch),
        Some((image, path)) => {
            let problem = format!(
                "it is built for {}, but {} for {}",
                image.arch.name(),
                paths[0],
                arch.name()
            );
            Err(Failure::at(path, problem)
                .mend("drivers of one machine are built for one processor"))
        }
    }
}

/// How the scenario names a driver.
fn name(path: &str) -> Outcome<Named> {
    if !Path::new(path).exists()
        && let Some(file) = index()?.files.into_iter().find(|file| file.path == path)
    {
        return Ok(Named {
            from: format!("build = {}", literal(&file.build)),
            name: file.driver,
        });
    }
    let stem = Path::new(path).file_stem();
    let stem = stem.map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    Ok(Named {
        name: stem.replace(['.', '/', '\\'], "_"),
        from: format!("file = {}", literal(path)),
    })
}

#[derive(Serialize)]
struct LoadObject {
    drivers: Vec<DriverObject>,
    devices: Vec<DeviceObject>,
    controls: Vec<String>,
    requests: Vec<Requested>,
    search: Summary,
}

#[derive(Serialize)]
struct DriverObject {
    name: String,
    xxh3: String,
}

#[derive(Serialize)]
struct DeviceObject {
    name: Option<String>,
    links: Vec<String>,
    exclusive: bool,
}

impl DeviceObject {
    fn of(device: &Listed) -> DeviceObject {
        DeviceObject {
            name: device.name.clone(),
            links: device.links.clone(),
            exclusive: device.exclusive,
        }
    }
}

fn text(object: &LoadObject) -> String {
    let mut text = String::new();
    for device in &object.devices {
        let name = device
            .name
            .as_deref()
            .unwrap_or("a device without a name, not opened");
        let mut notes = device.links.clone();
        notes.extend(device.exclusive.then(|| "one file at a time".to_owned()));
        text += &match notes.as_slice() {
            [] => format!("{name}\n"),
            notes => format!("{name} ({})\n", notes.join(", ")),
        };
    }
    if object.devices.is_empty() {
        text += "the drivers have created no device: they are loaded and unloaded\n";
    }
    text.push('\n');
    text += &table::text(&object.requests);
    text.push('\n');
    text + &explore::text::text(&object.search)
}
