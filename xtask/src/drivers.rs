//! `cargo xtask drivers`: every build of the manifest, as `.sys` and `.pdb` below `target/drivers`.

use crate::failure::{Failure, Outcome};
use crate::manifest::{self, Arch, Build};
use crate::process::{run as run_program, say};
use crate::stamp::{self, Digest, write_if_changed};
use crate::toolchain::{self, Toolchain};
use crate::{index, link, workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What of the manifest to build; an empty list means all.
#[derive(Default)]
struct Selection {
    drivers: Vec<String>,
    archs: Vec<Arch>,
}

pub fn run(arguments: &[String]) -> Outcome<()> {
    build(&selection(arguments)?)
}

/// Builds whatever is not up to date.
pub fn build_all() -> Outcome<()> {
    build(&Selection::default())
}

fn selection(arguments: &[String]) -> Outcome<Selection> {
    let mut selection = Selection::default();
    let mut words = arguments.iter();
    while let Some(option) = words.next() {
        match (option.as_str(), words.next()) {
            ("--only", Some(driver)) => selection.drivers.push(driver.clone()),
            ("--arch", Some(name)) => {
                let arch = Arch::ALL.into_iter().find(|arch| arch.name() == name);
                let unknown = || Failure::usage(format!("no architecture `{name}`"));
                selection.archs.push(arch.ok_or_else(unknown)?);
            }
            ("--only" | "--arch", None) => {
                return Err(Failure::usage(format!("`{option}` needs a name after it")));
            }
            _ => return Err(Failure::usage(format!("unexpected argument `{option}`"))),
        }
    }
    Ok(selection)
}

/// All builds of one driver for one architecture: what is up to date or not as a whole.
struct Unit<'a> {
    driver: &'a str,
    arch: Arch,
    builds: Vec<&'a Build>,
    /// The digest of everything that it is made from.
    digest: String,
}

impl Unit<'_> {
    fn stamp(&self) -> PathBuf {
        let folder = workspace::drivers().join(self.arch.name());
        folder.join(self.driver).join("stamp")
    }

    fn is_up_to_date(&self) -> bool {
        let out = workspace::drivers();
        fs::read_to_string(self.stamp()).is_ok_and(|old| old == self.digest)
            && self.builds.iter().all(|build| {
                let stem = index::stem(build, self.arch);
                ["sys", "pdb"]
                    .iter()
                    .all(|kind| out.join(format!("{stem}.{kind}")).is_file())
            })
    }
}

fn build(selection: &Selection) -> Outcome<()> {
    let manifest = workspace::driver_sources().join("drivers.toml");
    let text = String::from_utf8_lossy(&stamp::read(&manifest)?).into_owned();
    let builds = manifest::read("drivers-src/drivers.toml", &text)?;
    let toolchain = toolchain::choose()?;

    let units = units(&builds, selection, &toolchain)?;
    let stale: Vec<&Unit> = units.iter().filter(|unit| !unit.is_up_to_date()).collect();
    if !stale.is_empty() {
        say(toolchain.describe());
        let libraries = compile(&toolchain, &stale)?;
        for unit in &stale {
            link_unit(&toolchain, unit, &libraries)?;
        }
    }
    let count = index::write(&workspace::drivers(), &builds, &toolchain)?;
    let what = match stale.is_empty() {
        true => "are up to date",
        false => "are built",
    };
    say(format!("drivers {what}: {count} images in target/drivers"));
    Ok(())
}

fn units<'a>(
    builds: &'a [Build],
    selection: &Selection,
    toolchain: &Toolchain,
) -> Outcome<Vec<Unit<'a>>> {
    let known: BTreeSet<&str> = builds.iter().map(|build| build.driver.as_str()).collect();
    if let Some(name) = selection
        .drivers
        .iter()
        .find(|n| !known.contains(n.as_str()))
    {
        return Err(Failure::usage(format!(
            "drivers-src/drivers.toml has no driver `{name}`, only {}",
            known.into_iter().collect::<Vec<_>>().join(", ")
        )));
    }
    let common = common_inputs(&known, toolchain)?;
    let mut units = Vec::new();
    for &driver in &known {
        let wanted = |names: &[String]| names.is_empty() || names.iter().any(|n| n == driver);
        if !wanted(&selection.drivers) {
            continue;
        }
        let folder = workspace::driver_sources().join(driver);
        if !folder.is_dir() {
            let what = format!("drivers-src/drivers.toml: no crate drivers-src/{driver}");
            return Err(Failure::usage(what));
        }
        let mut digest = common.clone();
        digest.add_folder(&folder)?;
        let own: Vec<&Build> = builds.iter().filter(|b| b.driver == driver).collect();
        digest.add("builds", format!("{own:?}").as_bytes());
        for arch in Arch::ALL {
            let builds: Vec<&Build> = own
                .iter()
                .copied()
                .filter(|build| build.archs().any(|a| a == arch))
                .collect();
            let chosen = selection.archs.is_empty() || selection.archs.contains(&arch);
            if chosen && !builds.is_empty() {
                units.push(Unit {
                    driver,
                    arch,
                    builds,
                    digest: digest.finish(),
                });
            }
        }
    }
    Ok(units)
}

/// What every driver is made from: the tools, this program's part in it, and the folders of the
/// workspace that are no drivers themselves.
fn common_inputs(drivers: &BTreeSet<&str>, toolchain: &Toolchain) -> Outcome<Digest> {
    let mut digest = Digest::default();
    for text in [
        toolchain.route.name(),
        &toolchain.compiler,
        &toolchain.linker_version,
        include_str!("drivers.rs"),
        include_str!("link.rs"),
        include_str!("toolchain.rs"),
        include_str!("version_resource.rs"),
    ] {
        digest.add("", text.as_bytes());
    }
    let sources = workspace::driver_sources();
    for file in stamp::files_below(&sources)? {
        let name = file.strip_prefix(&sources).unwrap_or(&file);
        let top = name
            .components()
            .next()
            .map(|c| c.as_os_str().to_os_string());
        let of_a_driver = top.is_some_and(|top| drivers.iter().any(|d| *d == top));
        let counts = !of_a_driver && name != Path::new("drivers.toml");
        if counts && name.extension().is_none_or(|kind| kind != "md") {
            digest.add(&name.to_string_lossy(), &stamp::read(&file)?);
        }
    }
    Ok(digest)
}

/// The static library of a driver crate with certain features for one architecture.
type Libraries = BTreeMap<(String, Vec<String>, Arch), PathBuf>;

/// Compiles every crate with every set of features that is needed, in as few runs of cargo as
/// there are sets for the crate that has most.
fn compile(toolchain: &Toolchain, units: &[&Unit]) -> Outcome<Libraries> {
    let archs: BTreeSet<Arch> = units.iter().map(|unit| unit.arch).collect();
    let mut sets: BTreeMap<&str, BTreeSet<&[String]>> = BTreeMap::new();
    for unit in units {
        let own = sets.entry(unit.driver).or_default();
        own.extend(unit.builds.iter().map(|build| build.features.as_slice()));
    }
    let rounds = sets.values().map(BTreeSet::len).max().unwrap_or(0);
    let mut libraries = Libraries::new();
    for round in 0..rounds {
        let crates: Vec<(&str, &[String])> = sets
            .iter()
            .filter_map(|(krate, sets)| Some((*krate, *sets.iter().nth(round)?)))
            .collect();
        compile_round(toolchain, &archs, &crates)?;
        // The next round writes its libraries over these.
        for (krate, features) in crates {
            for &arch in &archs {
                let scratch = workspace::driver_scratch();
                let made = scratch
                    .join(arch.target())
                    .join(format!("release/{}.lib", krate.replace('-', "_")));
                let kept = scratch
                    .join("libraries")
                    .join(arch.name())
                    .join(format!("{krate}+{}.lib", features.join("+")));
                write_if_changed(&kept, &stamp::read(&made)?)?;
                libraries.insert((krate.to_string(), features.to_vec(), arch), kept);
            }
        }
    }
    Ok(libraries)
}

fn compile_round(
    toolchain: &Toolchain,
    archs: &BTreeSet<Arch>,
    crates: &[(&str, &[String])],
) -> Outcome<()> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(workspace::driver_sources());
    cargo.args(["build", "--release", "--quiet"]);
    let mut words = Vec::new();
    for (krate, features) in crates {
        cargo.args(["--package", krate]);
        words.push(format!(
            "{krate} ({})",
            match features.is_empty() {
                true => "fixed".to_string(),
                false => features.join(", "),
            }
        ));
        for feature in *features {
            cargo.args(["--features", &format!("{krate}/{feature}")]);
        }
    }
    for arch in archs {
        cargo.args(["--target", arch.target()]);
    }
    let names: Vec<&str> = archs.iter().map(|arch| arch.name()).collect();
    say(format!(
        "compiling {} for {}",
        words.join(", "),
        names.join(", ")
    ));
    toolchain.apply(&mut cargo);
    set_environment(&mut cargo, toolchain);
    run_program(&mut cargo)
}

/// The compiler's options and cargo's folders, all of them given here so that nothing in the
/// user's own settings gets into an image.
fn set_environment(cargo: &mut Command, toolchain: &Toolchain) {
    let mut flags: Vec<OsString> = [
        // A stack can then be walked on x86, which has no unwind tables.
        "-Cforce-frame-pointers=yes",
        // Vector registers are not a kernel's to use freely on x86; and an access for each element
        // is what a person reading the disassembly expects.
        "-Cno-vectorize-loops",
        "-Cno-vectorize-slp",
    ]
    .map(OsString::from)
    .into();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    remap(&workspace::driver_scratch(), "target");
    let rust = format!("/rustc/{}", toolchain.commit);
    remap(&toolchain.library_source, &rust);
    if let Ok(real) = toolchain.library_source.canonicalize() {
        remap(&real, &rust);
    }
    for folder in registry_folders() {
        remap(&folder, "registry");
    }
    remap(&workspace::driver_sources(), "drivers-src");
    cargo.env(
        "CARGO_ENCODED_RUSTFLAGS",
        flags.join(&OsString::from("\x1f")),
    );
    cargo.env("CARGO_TARGET_DIR", workspace::driver_scratch());
    cargo.env("CARGO_INCREMENTAL", "0");
}

/// Where cargo unpacks packages: one folder for each registry.
fn registry_folders() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let source = home.unwrap_or_default().join("registry/src");
    let entries = fs::read_dir(source).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

fn link_unit(toolchain: &Toolchain, unit: &Unit, libraries: &Libraries) -> Outcome<()> {
    let (driver, arch) = (unit.driver, unit.arch);
    let ids: Vec<&str> = unit.builds.iter().map(|build| build.id.as_str()).collect();
    say(format!(
        "linking {driver}.sys for {}: {}",
        arch.name(),
        ids.join(", ")
    ));
    for build in &unit.builds {
        let key = (driver.to_string(), build.features.clone(), arch);
        let Some(library) = libraries.get(&key) else {
            return Err(Failure::step(format!(
                "no library of {driver} for {}",
                build.id
            )));
        };
        let stem = index::stem(build, arch);
        let scratch = workspace::driver_scratch().join("link").join(&stem);
        let linked = link::link(toolchain, build, arch, library, &scratch)?;
        let out = workspace::drivers();
        write_if_changed(&out.join(format!("{stem}.sys")), &linked.image)?;
        write_if_changed(&out.join(format!("{stem}.pdb")), &linked.symbols)?;
    }
    write_if_changed(&unit.stamp(), unit.digest.as_bytes())?;
    Ok(())
}
