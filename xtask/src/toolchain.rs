//! Which compiler builds the drivers. There are two routes to one.
//!
//! - `rustup`: the workspace's pinned toolchain with the precompiled `core` of the three targets.
//! - `debian`: the packages `rustc-web` and `rust-web-src`, whose `core` is compiled with the
//!   drivers. Compiler and library source must be of one version, and theirs are.
//!
//! The first that works is taken; `IRQLAB_DRIVER_TOOLCHAIN=rustup|debian` forces one.

use crate::failure::{Failure, Outcome};
use crate::manifest::Arch;
use crate::process::{capture, run, say, starts};
use crate::stamp::write_if_changed;
use crate::{system, workspace};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that forces a route.
const CHOICE: &str = "IRQLAB_DRIVER_TOOLCHAIN";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Rustup,
    Debian,
}

impl Route {
    pub fn name(self) -> &'static str {
        match self {
            Route::Rustup => "rustup",
            Route::Debian => "debian",
        }
    }
}

/// A compiler and a linker that can build drivers.
pub struct Toolchain {
    pub route: Route,
    /// The compiler's own words: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub compiler: String,
    /// The commit it was built from, as the precompiled `core` names it in its source paths.
    pub commit: String,
    /// Where the library sources would be, if they are installed.
    pub library_source: PathBuf,
    /// LLVM's linker; it becomes `lld-link` by the name it is called by.
    pub linker: PathBuf,
    /// The linker's own words.
    pub linker_version: String,
}

impl Toolchain {
    /// Makes a cargo command build with this toolchain.
    pub fn apply(&self, cargo: &mut Command) {
        if self.route == Route::Debian {
            cargo.env("RUSTC", DEBIAN_RUSTC);
            // Stable compilers let `-Z` options pass only with this set.
            cargo.env("RUSTC_BOOTSTRAP", "1");
            cargo.arg("-Zbuild-std=core");
        }
    }

    /// One line for the person who wants to know what is being used, and why.
    pub fn describe(&self) -> String {
        let forced = env::var_os(CHOICE).is_some_and(|choice| !choice.is_empty());
        let why = match (self.route, forced) {
            (_, true) => "as IRQLAB_DRIVER_TOOLCHAIN says",
            (Route::Rustup, _) => "the pinned toolchain has the three targets",
            (Route::Debian, _) => "the pinned toolchain could not get the three targets",
        };
        format!(
            "driver toolchain: {} route, {} ({why})",
            self.route.name(),
            self.compiler
        )
    }
}

/// Takes the first route that works, installing what it needs.
///
/// # Errors
/// Status 2 if the variable names no route; else what kept the last route tried from working.
pub fn choose() -> Outcome<Toolchain> {
    match env::var(CHOICE).unwrap_or_default().as_str() {
        "rustup" => rustup(),
        "debian" => debian(),
        "" if fell_back() => debian(),
        "" => rustup().or_else(fall_back),
        other => Err(Failure::usage(format!(
            "{CHOICE} is `{other}`; it can be `rustup` or `debian`"
        ))),
    }
}

/// Takes the second route where the first does not work, and leaves a note of that.
fn fall_back(first: Failure) -> Outcome<Toolchain> {
    say(format!("the rustup route does not work: {}", first.message));
    let toolchain = debian().map_err(|second| Failure {
        message: format!(
            "no toolchain for the drivers.\n  rustup: {}\n  debian: {}",
            first.message, second.message
        ),
        ..second
    })?;
    write_if_changed(&fallback_note(), first.message.as_bytes())?;
    Ok(toolchain)
}

/// Whether the first route failed before and nobody has added the targets since: waiting for a
/// download to fail again at every build would be a nuisance.
fn fell_back() -> bool {
    fallback_note().is_file() && !Compiler::ask("rustc").is_ok_and(|pinned| pinned.has_targets())
}

fn fallback_note() -> PathBuf {
    workspace::driver_scratch().join("rustup-route-failed")
}

fn rustup() -> Outcome<Toolchain> {
    let compiler = Compiler::ask("rustc")?;
    if !compiler.has_targets() {
        if !starts("rustup", "--version") {
            return Err(Failure::usage(format!(
                "{} lacks the targets {}, and there is no rustup to add them",
                compiler.version,
                Arch::ALL.map(Arch::target).join(" ")
            )));
        }
        say("adding the driver targets to the pinned toolchain");
        let mut add = Command::new("rustup");
        add.current_dir(workspace::root()).args(["target", "add"]);
        run(add.args(Arch::ALL.map(Arch::target)))?;
    }
    let linker = compiler.bundled_linker();
    if !linker.is_file() {
        let what = format!("{} brings no {}", compiler.version, linker.display());
        return Err(Failure::step(what));
    }
    compiler.toolchain(Route::Rustup, linker)
}

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

fn debian() -> Outcome<Toolchain> {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/core/Cargo.toml");
    if !Path::new(DEBIAN_RUSTC).is_file() || !source.is_file() {
        system::install(&["rustc-web", "rust-web-src"], "a second Rust compiler")?;
    }
    let compiler = Compiler::ask(DEBIAN_RUSTC)?;
    let needed = env!("CARGO_PKG_RUST_VERSION");
    if !at_least(&compiler.version, needed) {
        return Err(Failure::usage(format!(
            "{DEBIAN_RUSTC} is {}, and the drivers need {needed} or later",
            compiler.version
        )));
    }
    // The pinned toolchain is what runs cargo, so its linker is there in every likely case.
    let pinned = Compiler::ask("rustc");
    let bundled = pinned.map(|pinned| pinned.bundled_linker());
    let linker = match bundled {
        Ok(linker) if linker.is_file() => linker,
        _ => packaged_linker()?,
    };
    compiler.toolchain(Route::Debian, linker)
}

fn packaged_linker() -> Outcome<PathBuf> {
    const NAMES: [&str; 2] = ["lld-link-19", "lld-link"];
    let find = || NAMES.into_iter().find(|name| starts(name, "--version"));
    if find().is_none() {
        system::install(&["lld-19"], "the linker")?;
    }
    find()
        .map(PathBuf::from)
        .ok_or_else(|| Failure::usage(format!("no linker: none of {NAMES:?} starts")))
}

/// What a compiler says about itself.
struct Compiler {
    version: String,
    commit: String,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks the compiler `rustc` in the repository's folder, whose toolchain file pins rustup's.
    fn ask(rustc: &str) -> Outcome<Compiler> {
        let ask = |option: &str| {
            let mut command = Command::new(rustc);
            capture(command.current_dir(workspace::root()).arg(option))
        };
        let text = ask("-vV")?;
        let field = |key: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(key));
            found.unwrap_or_default().to_string()
        };
        Ok(Compiler {
            version: text.lines().next().unwrap_or_default().to_string(),
            commit: field("commit-hash: "),
            host: field("host: "),
            sysroot: PathBuf::from(ask("--print=sysroot")?.trim()),
        })
    }

    /// Whether the precompiled library of every driver target is installed.
    fn has_targets(&self) -> bool {
        let libraries = self.sysroot.join("lib/rustlib");
        Arch::ALL
            .into_iter()
            .all(|arch| libraries.join(arch.target()).join("lib").is_dir())
    }

    fn bundled_linker(&self) -> PathBuf {
        let tools = self.sysroot.join("lib/rustlib").join(&self.host);
        tools.join("bin/rust-lld")
    }

    fn toolchain(self, route: Route, linker: PathBuf) -> Outcome<Toolchain> {
        let linker_version = capture(crate::link::lld(&linker).arg("--version"))?;
        Ok(Toolchain {
            route,
            library_source: self.sysroot.join("lib/rustlib/src/rust"),
            compiler: self.version,
            commit: self.commit,
            linker,
            linker_version: linker_version.trim().to_string(),
        })
    }
}

/// Whether `rustc 1.96.0 (...)` is `needed` (`1.95`) or later.
fn at_least(version: &str, needed: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    };
    let version = version.split(' ').nth(1).unwrap_or_default();
    numbers(version) >= numbers(needed)
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(at_least("rustc 1.96.0 (ac68faa20 2026-05-25)", "1.95"));
        assert!(at_least("rustc 1.95.0", "1.95"));
        assert!(at_least("rustc 1.100.0", "1.95"));
        assert!(!at_least("rustc 1.85.1", "1.95"));
        assert!(!at_least("", "1.95"));
    }
}
