//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the repository: of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    // Cargo sets the variable for a program that it runs; the compiled-in value is for one that is
    // started directly.
    let own = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let own = own.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    own.parent().map(Path::to_path_buf).unwrap_or(own)
}

/// The second workspace, of the drivers.
pub fn driver_sources() -> PathBuf {
    root().join("drivers-src")
}

/// Where the built drivers are, whatever `CARGO_TARGET_DIR` says: the program's build script and
/// the tests look here.
pub fn drivers() -> PathBuf {
    root().join("target/drivers")
}

/// Where cargo puts what it builds of the main workspace.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Where the drivers' intermediate files go.
pub fn driver_scratch() -> PathBuf {
    target().join("driver-build")
}

/// Cargo, as the one that runs this program, started in the repository's folder.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
