//! `cargo xtask setup`: everything that `cargo run --release` needs from the outside.

use crate::failure::Outcome;
use crate::process::say;
use crate::{no_arguments, system, toolchain};

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    system::ensure_c_toolchain()?;
    say(toolchain::choose()?.describe());
    Ok(())
}
