//! What the host system has to bring, and installing it where there is `apt-get`.

use crate::failure::{Failure, Outcome};
use crate::process::{capture, run, say, shown, starts};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tool that the program's C libraries are built with.
struct Need {
    /// What it is, for a person on a system whose package names are not known here.
    what: &'static str,
    debian: &'static str,
    present: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "cmake",
        debian: "cmake",
        present: || starts("cmake", "--version"),
    },
    Need {
        what: "make",
        debian: "make",
        present: || starts("make", "--version") || starts("ninja", "--version"),
    },
    Need {
        what: "a C compiler",
        debian: "gcc",
        present: || starts("cc", "--version"),
    },
    Need {
        what: "the C library's headers",
        debian: "libc6-dev",
        present: || any_file(&["/usr/include", "/usr/local/include"], "stdio.h"),
    },
    Need {
        what: "a C++ compiler",
        debian: "g++",
        present: || starts("c++", "--version"),
    },
    Need {
        what: "libclang with its headers",
        debian: "libclang-dev",
        present: has_libclang,
    },
];

/// Makes sure that everything is there to build the program's C libraries.
///
/// # Errors
/// As [`install`].
pub fn ensure_c_toolchain() -> Outcome<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        say("C compiler, C++ compiler, cmake, make and libclang are there");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.debian).collect();
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    install(&packages, &names.join(", "))?;
    match missing.iter().find(|need| !(need.present)()) {
        None => Ok(()),
        Some(need) => Err(Failure::usage(format!(
            "{} is still missing after installing `{}`",
            need.what, need.debian
        ))),
    }
}

/// Installs Debian packages without asking anything, through `sudo` where that is needed.
///
/// # Errors
/// Status 2 without `apt-get`, or without the right to use it: the message says what to install.
/// Status 1 if `apt-get` itself fails.
pub fn install(packages: &[&str], what: &str) -> Outcome<()> {
    let words = packages.join(" ");
    if !starts("apt-get", "--version") {
        return Err(Failure::usage(format!(
            "missing: {what}. This system has no apt-get; install the equivalent of Debian's \
             `{words}` with its own package manager and start again"
        )));
    }
    let sudo = match (is_root(), starts("sudo", "--version")) {
        (true, _) => false,
        (false, true) => true,
        (false, false) => {
            return Err(Failure::usage(format!(
                "missing: {what}. As root, run `apt-get install {words}` and start again"
            )));
        }
    };
    say(format!("installing {what}"));
    let mut update = apt_get(sudo);
    update.args(["update", "-qq"]);
    let mut install = apt_get(sudo);
    install.args(["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(packages);
    for command in [&mut update, &mut install] {
        say(format!("  {}", shown(command)));
        run(command)?;
    }
    Ok(())
}

fn apt_get(sudo: bool) -> Command {
    let mut command = Command::new("env");
    if sudo {
        command = Command::new("sudo");
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Whether the binding generator will find libclang, and libclang its own headers.
fn has_libclang() -> bool {
    const FOLDERS: [&str; 8] = [
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/lib/*-linux-gnu",
        "/usr/lib/llvm*/lib",
        "/usr/lib/llvm/*/lib64",
        "/usr/local/llvm*/lib",
        "/opt/*/lib",
    ];
    const HEADERS: [&str; 5] = [
        "/usr/lib/clang/*/include",
        "/usr/lib64/clang/*/include",
        "/usr/local/lib/clang/*/include",
        "/usr/lib/llvm*/lib/clang/*/include",
        "/usr/lib/llvm/*/lib*/clang/*/include",
    ];
    if let Some(own) = env::var_os("LIBCLANG_PATH") {
        return Path::new(&own).exists();
    }
    any_file(&FOLDERS, "libclang*.so*") && any_file(&HEADERS, "stddef.h")
}

fn any_file(folders: &[&str], name: &str) -> bool {
    folders
        .iter()
        .any(|folder| !matching(&format!("{folder}/{name}")).is_empty())
}

/// The paths that fit a pattern in which `*` stands for any part of one name.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = found
            .iter()
            .flat_map(|folder| match part.contains('*') {
                true => entries(folder, part),
                false => vec![folder.join(part)],
            })
            .filter(|path| path.exists())
            .collect();
    }
    found
}

fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| fits(&entry.file_name().to_string_lossy(), pattern))
        .map(|entry| entry.path())
        .collect()
}

/// Whether `name` fits `pattern`, in which each `*` stands for any characters.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(i, _)| i).chain([rest.len()]);
            starts.into_iter().any(|i| fits(&rest[i..], tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        assert!(fits("libclang-14.so.1", "libclang*.so*"));
        assert!(fits("libclang.so", "libclang*.so*"));
        assert!(!fits("libclang-cpp.a", "libclang*.so*"));
        assert!(!fits("xlibclang.so", "libclang*.so*"));
        assert!(fits("", "*"));
    }

    #[test]
    fn patterns_find_paths() {
        let own = env!("CARGO_MANIFEST_DIR");
        let found = matching(&format!("{own}/s*c/sys*.rs"));
        assert_eq!(found, [PathBuf::from(own).join("src/system.rs")]);
        assert!(matching("/no*such/folder*").is_empty());
    }
}
