//! `cargo xtask test`: everything a change must pass.
//!
//! Everything of the main workspace is checked, documented and tested in the release profile: the
//! processor emulator is then compiled once, and the long tests run at full speed. The pinned runs
//! are also run on a build of irqlab with debug assertions; see [`builds`].
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

const DENY: [&str; 3] = ["--", "-D", "warnings"];

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    let steps = Steps::new();
    let outcome = all(&steps);
    steps.end(outcome)
}

fn all(steps: &Steps) -> Outcome<()> {
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
            // Nobody listens if a step there has failed.
            let _ = built.send(());
            check_drivers(steps)
        },
        || {
            // The machine knows no driver.
            steps.run("compiling the machine and its tests", || {
                loud(main(&[&TEST[..], &["--lib", "--no-run"]].concat()))
            })?;
            // They become a part of the program. Without them a step there has failed.
            steps.run("waiting for the drivers", || {
                drivers
                    .recv()
                    .map_err(|_| Failure::step("there are no drivers"))
            })?;
            compile(steps)
        },
    )?;
    steps.beside(|| long_tests(steps), || other_tests(steps))?;
    steps.run("runs of both builds", builds::compare)
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

/// Everything that is made of the main workspace before its tests.
fn compile(steps: &Steps) -> Outcome<()> {
    steps.run("lints", || {
        let all = ["clippy", "--release", "--workspace", "--all-targets"];
        loud(main(&[&all[..], &DENY].concat()))
    })?;
    steps.run("documentation", || {
        loud(main(&["doc", "--release", "--workspace", "--no-deps"]))
    })?;
    steps.run("pinned runs with debug assertions", || {
        builds::forget()?;
        let test = builds::checked_test()?;
        loud(main(&test.iter().map(String::as_str).collect::<Vec<_>>()))
    })?;
    steps.run("compiling the tests", || {
        let targets = targets(|_| true)?;
        loud(main(&[&TEST[..], &words(&targets), &["--no-run"]].concat()))
    })
}

const TEST: [&str; 3] = ["test", "--release", "--workspace"];

fn long_tests(steps: &Steps) -> Outcome<()> {
    steps.run("tests of the bundled drivers", || {
        loud(main(&[&TEST[..], &["--test", LONGEST]].concat()))
    })
}

fn other_tests(steps: &Steps) -> Outcome<()> {
    steps.run("all other tests", || {
        let targets = targets(|name| name != LONGEST)?;
        quiet(main(&[&TEST[..], &words(&targets)].concat()))
    })?;
    steps.run("examples in the documentation", || {
        quiet(main(&[&TEST[..], &["--doc"]].concat()))
    })
}

/// Cargo's options for the tests inside every crate and for those beside it that are `wanted`. The
/// benchmark is no test: to compile it would be in vain.
fn targets(wanted: impl Fn(&str) -> bool) -> Outcome<Vec<String>> {
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
    let tests = names.flat_map(|name| ["--test".to_string(), name]);
    let inside = ["--lib", "--bins"].map(String::from);
    Ok(inside.into_iter().chain(tests).collect())
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
        let all = targets(|_| true).unwrap();
        let others = targets(|name| name != LONGEST).unwrap();
        let missing = all.iter().filter(|word| !others.contains(word));
        assert_eq!(missing.collect::<Vec<_>>(), [LONGEST]);
        for name in ["docs", "cli", "tidy", "loader", "unwind", "shapes"] {
            assert!(others.iter().any(|word| word == name), "{name}: {others:?}");
        }
        assert_eq!(others[..2], ["--lib", "--bins"]);
    }
}
