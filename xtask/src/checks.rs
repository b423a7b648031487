//! `cargo xtask test`: everything a change must pass.
//!
//! Everything of the main workspace is checked, documented and tested in the release profile: the
//! processor emulator is then compiled once, and the long tests run at full speed. Before them, the
//! pinned runs are run on a build of irqlab with debug assertions; see [`builds`].

use crate::failure::Outcome;
use crate::process::{run as run_program, say, shown};
use crate::toolchain::{self, Route};
use crate::{builds, drivers, manifest::Arch, no_arguments, setup, workspace};
use std::path::PathBuf;
use std::process::Command;

pub fn run(arguments: &[String]) -> Outcome<()> {
    no_arguments(arguments)?;
    setup::run(&[])?;
    drivers::build_all()?;

    let main = workspace::root();
    let drivers = workspace::driver_sources();
    cargo(&main, &["fmt", "--all", "--check"])?;
    cargo(&drivers, &["fmt", "--all", "--check"])?;

    const DENY: [&str; 3] = ["--", "-D", "warnings"];
    cargo(
        &drivers,
        &[&["clippy", "--all-targets"], &DENY[..]].concat(),
    )?;
    if toolchain::choose()?.route == Route::Rustup {
        // What touches the kernel exists on its own targets only; Debian's compiler has no clippy.
        let targets = Arch::ALL.map(|arch| ["--target", arch.target()]).concat();
        cargo(&drivers, &[&["clippy"], &targets[..], &DENY].concat())?;
        cargo(
            &drivers,
            &["doc", "--no-deps", "--target", Arch::X64.target()],
        )?;
    }
    cargo(&drivers, &["test"])?;

    cargo(
        &main,
        &[
            &["clippy", "--release", "--workspace", "--all-targets"],
            &DENY[..],
        ]
        .concat(),
    )?;
    cargo(&main, &["doc", "--release", "--workspace", "--no-deps"])?;

    builds::forget()?;
    let checked = builds::checked_test()?;
    cargo(
        &main,
        &checked.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    cargo(&main, &["test", "--release", "--workspace"])?;
    say("comparing the pinned runs of both builds");
    builds::compare()
}

fn cargo(folder: &PathBuf, arguments: &[&str]) -> Outcome<()> {
    let mut command: Command = workspace::cargo();
    command.current_dir(folder).args(arguments);
    command.env("RUSTDOCFLAGS", "-D warnings");
    if *folder == workspace::driver_sources() {
        command.env("CARGO_TARGET_DIR", workspace::driver_scratch());
    }
    say(shown(&command));
    run_program(&mut command)
}
