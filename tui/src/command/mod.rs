//! The commands: one file each. A command returns whether things are as expected: exit status 0
//! or 1; a [`Failure`](crate::failure::Failure) is status 2.

mod campaign;
mod diff;
mod drivers;
pub(crate) mod explore;
mod faults;
mod imports;
pub(crate) mod load;
mod moment;
pub(crate) mod replay;
mod rules;
mod run;
mod scenarios;

use crate::cli::Command;
use crate::failure::Outcome;

/// Carries a command out.
///
/// # Errors
/// Bad input.
pub fn execute(command: &Command) -> Outcome<bool> {
    match command {
        Command::Run(args) => run::run(args),
        Command::Explore(args) => explore::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Load(args) => load::run(args),
        Command::Campaign(args) => campaign::run(args),
        Command::Imports(args) => imports::run(args),
        Command::Drivers(args) => drivers::run(args),
        Command::Faults(args) => faults::run(args),
        Command::Scenarios(args) => scenarios::run(args),
        Command::Rules(args) => rules::run(args),
    }
}
