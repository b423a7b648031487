//! `cargo xtask demo`: both founding crashes, from a fresh clone.

use crate::failure::Outcome;
use crate::process::{run as run_program, say, shown};
use crate::{drivers, no_arguments, setup, workspace};

/// What is shown, as arguments of the program.
const DEMO: &[&[&str]] = &[
    &["run", "kb931322", "--profile", "amd64", "--until-stop"],
    &["run", "q252664", "--profile", "alpha", "--until-stop"],
];

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    setup::run(&[])?;
    drivers::build_all()?;
    say("building irqlab (its processor emulator takes a few minutes, once)");
    run_program(workspace::cargo().args(["build", "--release", "--quiet"]))?;
    for words in DEMO {
        let mut cargo = workspace::cargo();
        cargo
            .args(["run", "--release", "--quiet", "--"])
            .args(*words);
        say(shown(&cargo));
        run_program(&mut cargo)?;
    }
    Ok(())
}
