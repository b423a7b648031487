//! `cargo xtask bench`: the benchmark's numbers, from one run.

use crate::failure::Outcome;
use crate::process::run as run_program;
use crate::{drivers, no_arguments, setup, workspace};

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    setup::run(&[])?;
    drivers::build_all()?;
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--package", "irqlab"]);
    run_program(cargo.args(["--example", "bench"]))?;
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--release", "--package", "irqlab"]);
    cargo.args(["--bin", "irqlab", "frame"]);
    run_program(cargo.args(["--", "--ignored", "--nocapture"]))
}
