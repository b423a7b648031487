//! What the tests on real drivers share: a case from a bundled scenario and the built drivers.

use std::path::{Path, PathBuf};

use emu::campaign::{Case, DriverFiles};
use emu::personality::Personality;
use emu::scenario::{self, Selection};

/// A setting by name, as on the command line; `personality` and `cpus` among them.
pub type Setting<'a> = (&'a str, &'a str);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
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
    let file = root().join(format!("scenarios/{name}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let scenario = scenario::parse(&format!("{name}.toml"), &text).unwrap_or_else(|e| panic!("{e}"));
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
    let plan = scenario.expand(&selection, &none).unwrap_or_else(|e| panic!("{e}"));
    let arch = plan.profile.arch().name();
    Case::load(plan, |driver| {
        let at = root().join("target/drivers").join(arch).join(&driver.name).join(&driver.build);
        let read = |extension: &str| {
            let path = at.join(format!("{}.{extension}", driver.name));
            std::fs::read(&path)
                .map_err(|e| format!("{}: {e}; run `cargo xtask drivers`", path.display()))
        };
        let (sys, pdb) = (read("sys")?, Some(read("pdb")?));
        Ok(DriverFiles { label: driver.name.clone(), sys, pdb })
    })
    .unwrap_or_else(|e| panic!("{e}"))
}
