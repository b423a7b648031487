//! Cargo manifests: what the workspaces decide is decided there only.

use crate::{expect_none, sources};

#[test]
fn every_package_takes_the_workspace_s_settings() {
    const LINES: [&str; 6] = [
        "version.workspace = true",
        "edition.workspace = true",
        "rust-version.workspace = true",
        "license.workspace = true",
        "publish.workspace = true",
        "[lints]\nworkspace = true",
    ];
    let sources = sources();
    let packages = sources
        .iter()
        .filter(|s| s.path.ends_with("/Cargo.toml") && s.text.contains("[package]"));
    expect_none(packages.flat_map(|source| {
        let missing = LINES.iter().filter(|line| !source.text.contains(*line));
        missing.map(|line| format!("{}: lacks `{}`", source.path, line.replace('\n', " ")))
    }));
}
