//! The same source makes the same bytes wherever it is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The driver that is built a second time, and for which architecture.
const DRIVER: &str = "ipnat";
const ARCH: &str = "x86";

#[test]
fn a_build_in_another_folder_makes_the_same_bytes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let elsewhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a/rather/deeper/place");
    let _ = fs::remove_dir_all(&elsewhere);
    copy(&root.join("drivers-src"), &elsewhere.join("drivers-src"));
    let pinned = "rust-toolchain.toml";
    fs::copy(root.join(pinned), elsewhere.join(pinned)).unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["drivers", "--only", DRIVER, "--arch", ARCH])
        .env("CARGO_MANIFEST_DIR", elsewhere.join("xtask"))
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");

    let place = format!("target/drivers/{ARCH}/{DRIVER}");
    let (first, second) = (root.join(&place), elsewhere.join(&place));
    let stamp = |folder: &Path| fs::read_to_string(folder.join("stamp")).unwrap_or_default();
    assert_eq!(
        stamp(&first),
        stamp(&second),
        "target/drivers is not up to date: run `cargo xtask drivers`"
    );
    let files = files(&second);
    assert!(files.len() > 2, "{files:?}");
    for file in files {
        let name = file.strip_prefix(&second).unwrap();
        let same = fs::read(&file).unwrap() == fs::read(first.join(name)).unwrap();
        assert!(same, "{} differs", name.display());
    }
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let copy = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(file, copy).unwrap();
    }
}

/// All files below a folder, without those that a build left in `target`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("target") => {}
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}
