//! The project's own commands: `cargo xtask demo`, `cargo xtask test` and what they are made of.
//!
//! Every step says in one line on stderr what it does before it does it. Exit status: 0 done,
//! 1 a step failed, 2 the command line is wrong or this machine lacks something that the program
//! cannot install (the message says what).

mod bench;
mod builds;
mod checks;
mod date;
mod demo;
mod drivers;
mod failure;
mod index;
mod link;
mod manifest;
mod process;
mod setup;
mod stamp;
mod steps;
mod system;
mod toolchain;
mod version_resource;
mod workspace;

use failure::{Failure, Outcome};
use std::process::ExitCode;

/// One subcommand: its name and arguments as the help shows them, what it does, and its function.
struct Command {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Outcome<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "demo",
        arguments: "",
        help: "set up, build the drivers, and show both founding crashes",
        run: demo::run,
    },
    Command {
        name: "test",
        arguments: "",
        help: "set up, build the drivers, then every check and test (what CI runs)",
        run: checks::run,
    },
    Command {
        name: "setup",
        arguments: "",
        help: "install what is missing: C toolchain, cmake, libclang, driver targets",
        run: setup::run,
    },
    Command {
        name: "drivers",
        arguments: "[--only DRIVER]... [--arch x86|x64|arm64]...",
        help: "build the drivers into target/drivers",
        run: drivers::run,
    },
    Command {
        name: "bench",
        arguments: "",
        help: "set up, build the drivers, and print the benchmark's numbers",
        run: bench::run,
    },
    Command {
        name: "help",
        arguments: "",
        help: "print this list",
        run: help,
    },
];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = match arguments.is_empty() {
        true => "help".to_string(),
        false => arguments.remove(0),
    };
    let outcome = match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(&arguments),
        None if name == "--help" || name == "-h" => help(&[]),
        None => Err(Failure::usage(format!(
            "no command `{name}`; `cargo xtask help` lists them"
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: error: {}", failure.message);
            ExitCode::from(failure.status)
        }
    }
}

fn help(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    println!("cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:<8} {}", command.name, command.help);
        if !command.arguments.is_empty() {
            println!("           {}", command.arguments);
        }
    }
    Ok(())
}

/// The check of a command that takes no arguments.
fn no_arguments(arguments: &[String]) -> Outcome<()> {
    match arguments.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::usage(format!("unexpected argument `{extra}`"))),
    }
}
