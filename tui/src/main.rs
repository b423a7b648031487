//! The `irqlab` program: command line and terminal workbench. Both are thin over `emu`.

mod bundle;
mod case;
mod catalogue;
mod cli;
mod command;
mod failure;
mod index;
mod output;
mod replay_line;
mod schedule_file;
mod session;
mod suggest;
mod table;
mod workbench;

use std::io::{IsTerminal, stdin, stdout};
use std::panic;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::Cli;

/// Workers allocate and free all the time, and each restore of a machine does: with the C library's
/// allocator two workers get in each other's way (docs/BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status for bad input.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        eprintln!("irqlab: a defect of irqlab, please report it: {info}");
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let result = match &cli.command {
        Some(command) => command::execute(command),
        None if stdin().is_terminal() && stdout().is_terminal() => {
            workbench::run(&cli.files).map(|()| true)
        }
        None => {
            eprintln!("{}", Cli::command().render_help());
            return ExitCode::from(BAD_INPUT);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("irqlab: {failure}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// Help and version that were asked for go to standard output; anything else is bad input.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    eprint!("irqlab: {text}");
    ExitCode::from(BAD_INPUT)
}
