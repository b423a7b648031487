//! `cargo xtask test`: everything a change must pass.
//!
//! Everything of the main workspace is checked, documented and tested in the release profile: the
//! processor emulator is then compiled once, and the long tests run at full speed. The tests inside
//! the libraries are compiled without optimisation and with debug assertions: to optimise the machine
//! a second time, for its own tests, would take much longer than they do. The pinned runs are run on
//! both builds; see [`builds`].
//!
//! The drivers' workspace has a target folder of its own, so that its steps are taken beside those
//! of the main one, whose emulator is compiled meanwhile. And the tests of the bundled drivers,
//! which are the longest, run beside all others.

use crate::failure::{Failure, Outcome};
use crate::process::{capture, run as run_program, say, shown};
use crate::steps::Steps;
use crate::toolchain::{self, Route};
use crate::{builds, drivers, manifest::Arch, no_arguments, setup, workspace};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::mpsc;

/// The longest tests, as cargo names them.
const LONGEST: &str = "bundled";

const TEST: [&str; 3] = ["test", "--release", "--workspace"];

/// The tests inside the programs, for cargo; those inside the libraries are another step.
const PROGRAMS: &[&str] = &["--bins"];

const DENY: [&str; 3] = ["--", "-D", "warnings"];

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    let steps = Steps::new();
    let outcome = all(&steps);
    steps.end(outcome)
}

fn all(steps: &Steps) -> Outcome<()> {
    let checked = builds::checked()?;
    let checked = words(&checked);
    steps.run("set-up", || setup::run(&[]))?;
    steps.run("format", || {
        let format = ["fmt", "--all", "--check"];
        loud(main(&format))?;
        loud(of_drivers(&format))
    })?;
    let (built, drivers) = mpsc::channel();
    steps.beside(
        move || {
            steps.run("drivers", drivers::build_all)?;
            // Nobody listens any more if a step there has failed.
            let _ = built.send(());
            check_drivers(steps)
        },
        || {
            // The emulator and the machine know no driver.
            steps.run("tests inside the libraries, with debug assertions", || {
                loud(main(&[&TEST[..], &checked, &["--lib"]].concat()))
            })?;
            steps.run("waiting for the drivers", || {
                let none = |_| Failure::step("the drivers are not built");
                drivers.recv().map_err(none)
            })?;
            check_main(steps, &checked)
        },
    )?;
    steps.beside(|| longest_tests(steps), || other_tests(steps))?;
    steps.run("comparing the pinned runs", builds::compare)
}

fn check_drivers(steps: &Steps) -> Outcome<()> {
    let clippy = ["clippy", "--all-targets"];
    steps.run("lints of the drivers", || {
        quiet(of_drivers(&[&clippy[..], &DENY].concat()))?;
        if toolchain::choose()?.route == Route::Debian {
            // It has no clippy.
            return Ok(());
        }
        // What touches the kernel exists on its own targets only.
        let targets = Arch::ALL.map(|arch| ["--target", arch.target()]).concat();
        quiet(of_drivers(&[&["clippy"], &targets[..], &DENY].concat()))?;
        quiet(of_drivers(&[
            "doc",
            "--no-deps",
            "--target",
            Arch::X64.target(),
        ]))
    })?;
    steps.run("tests of the drivers' parts", || {
        quiet(of_drivers(&["test"]))
    })
}

/// What needs the drivers and comes before the tests of the optimised build.
fn check_main(steps: &Steps, checked: &[&str]) -> Outcome<()> {
    steps.run("lints", || {
        let all = ["clippy", "--release", "--workspace", "--all-targets"];
        loud(main(&[&all[..], &DENY].concat()))
    })?;
    steps.run("documentation", || {
        loud(main(&["doc", "--release", "--workspace", "--no-deps"]))
    })?;
    steps.run("pinned runs, with debug assertions", || {
        builds::forget()?;
        let pinned = ["--test", LONGEST, "--", "--exact", "determinism::pinned"];
        loud(main(&[&TEST[..], checked, &pinned].concat()))
    })?;
    steps.run("compiling the other tests", || {
        let tests = tests(|_| true)?;
        loud(main(
            &[&TEST[..], PROGRAMS, &words(&tests), &["--no-run"]].concat(),
        ))
    })
}

fn longest_tests(steps: &Steps) -> Outcome<()> {
    steps.run("tests of the bundled drivers", || {
        loud(main(&[&TEST[..], &["--test", LONGEST]].concat()))
    })
}

fn other_tests(steps: &Steps) -> Outcome<()> {
    steps.run("all other tests", || {
        let tests = tests(|name| name != LONGEST)?;
        quiet(main(&[&TEST[..], PROGRAMS, &words(&tests)].concat()))
    })?;
    steps.run("examples in the documentation", || {
        quiet(main(&[&TEST[..], &["--doc"]].concat()))
    })
}

/// Cargo's options for the tests beside the crates, as far as they are `wanted`.
fn tests(wanted: impl Fn(&str) -> bool) -> Outcome<Vec<String>> {
    let mut names = BTreeSet::new();
    for krate in builds::OWN.into_iter().chain(["xtask"]) {
        let folder = workspace::root().join(krate).join("tests");
        let trouble = |error| Failure::step(format!("{}: {error}", folder.display()));
        for entry in fs::read_dir(&folder).map_err(trouble)? {
            let path = entry.map_err(trouble)?.path();
            let is_test = match path.is_dir() {
                true => path.join("main.rs").is_file(),
                false => path.extension().is_some_and(|kind| kind == "rs"),
            };
            if let Some(name) = path.file_stem()
                && is_test
            {
                names.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    let names = names.into_iter().filter(|name| wanted(name));
    Ok(names
        .flat_map(|name| ["--test".to_string(), name])
        .collect())
}

/// Cargo on the main workspace.
fn main(arguments: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(arguments);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Cargo on the drivers' workspace.
fn of_drivers(arguments: &[&str]) -> Command {
    let mut command = main(arguments);
    command.current_dir(workspace::driver_sources());
    command.env("CARGO_TARGET_DIR", workspace::driver_scratch());
    command
}

/// Runs a command whose output is seen as it comes.
fn loud(mut command: Command) -> Outcome<()> {
    say(shown(&command));
    run_program(&mut command)
}

/// Runs a command beside others: what it prints is shown when it has ended, its standard error only
/// if it has failed.
fn quiet(mut command: Command) -> Outcome<()> {
    say(shown(&command));
    let output = capture(&mut command)?;
    say(format!("done: {}", shown(&command)));
    print!("{output}");
    Ok(())
}

fn words(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_is_compiled_and_run_once() {
        let all = tests(|_| true).unwrap();
        let others = tests(|name| name != LONGEST).unwrap();
        let missing = all.iter().filter(|word| !others.contains(word));
        assert_eq!(missing.collect::<Vec<_>>(), [LONGEST]);
        assert_eq!(all.len(), others.len() + 2);
        for name in ["docs", "cli", "tidy", "loader", "unwind", "shapes"] {
            assert!(others.iter().any(|word| word == name), "{name}: {others:?}");
        }
    }
}
