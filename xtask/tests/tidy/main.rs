//! What holds for every file of the repository, checked as a test.

mod architecture;
mod licences;
mod manifests;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
struct Source {
    /// Its path in the repository, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is(&self, kind: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| own == kind)
    }

    /// The numbered lines for which `wrong` says what is wrong, as `path:line: what`.
    fn complaints<'a>(
        &'a self,
        wrong: impl Fn(&str) -> Option<String> + 'a,
    ) -> impl Iterator<Item = String> + 'a {
        let numbered = self.text.lines().zip(1..);
        numbered.filter_map(move |(line, number): (&str, u32)| {
            wrong(line).map(|what| format!("{}:{number}: {what}", self.path))
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the repository, in the order of their paths.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root(), "", &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.iter().any(|source| source.path == "Cargo.toml"));
    sources
}

fn collect(folder: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if name == "target" || name == ".git" {
            continue; // Not ours. In a second work tree `.git` is a file.
        }
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), sources);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            sources.push(Source { path, text });
        }
    }
}

/// Fails with all complaints, one a line, if there are any.
#[track_caller]
fn expect_none(complaints: impl IntoIterator<Item = String>) {
    let all: Vec<String> = complaints.into_iter().collect();
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}
