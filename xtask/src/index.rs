//! `target/drivers/index.json`: what was built, for the program that shows and loads it.

use crate::failure::Outcome;
use crate::manifest::{Arch, Build};
use crate::stamp::{hash, read, write_if_changed};
use crate::toolchain::Toolchain;
use std::fmt::Write as _;
use std::path::Path;

/// Writes the index of every build of `builds` whose image is below `folder`; how many there are.
pub fn write(folder: &Path, builds: &[Build], toolchain: &Toolchain) -> Outcome<usize> {
    let mut entries = Vec::new();
    for build in builds {
        for arch in build.archs() {
            let stem = stem(build, arch);
            let image = folder.join(format!("{stem}.sys"));
            if image.is_file() {
                let symbols = read(&folder.join(format!("{stem}.pdb")))?;
                entries.push(entry(build, arch, &stem, &read(&image)?, &symbols));
            }
        }
    }
    let text = object(&[
        ("route", string(toolchain.route.name())),
        ("compiler", string(&toolchain.compiler)),
        ("linker", string(&toolchain.linker_version)),
        ("files", list(&entries, "\n")),
    ]) + "\n";
    write_if_changed(&folder.join("index.json"), text.as_bytes())?;
    Ok(entries.len())
}

/// The path of a build's files below `target/drivers`, without the extension.
pub fn stem(build: &Build, arch: Arch) -> String {
    let Build { driver, id, .. } = build;
    format!("{}/{driver}/{id}/{driver}", arch.name())
}

fn entry(build: &Build, arch: Arch, stem: &str, image: &[u8], symbols: &[u8]) -> String {
    let dates: Vec<(&str, String)> = build
        .dates
        .iter()
        .map(|(profile, date)| (profile.as_str(), string(&date.to_string())))
        .collect();
    object(&[
        ("driver", string(&build.driver)),
        ("build", string(&build.id)),
        ("arch", string(arch.name())),
        ("path", string(&format!("{stem}.sys"))),
        ("pdb", string(&format!("{stem}.pdb"))),
        ("features", strings(&build.features)),
        ("personalities", strings(&build.personality)),
        ("profiles", strings(&build.profiles)),
        ("file_version", string(&build.version_text())),
        ("product_version", string(&build.product)),
        ("description", string(&build.description)),
        ("service_pack", string(&build.service_pack)),
        ("branch", string(&build.branch)),
        ("dates", object(&dates)),
        ("source", string(&build.source)),
        ("note", string(&build.note)),
        ("size", image.len().to_string()),
        ("xxh3", string(&hash(image))),
        ("pdb_xxh3", string(&hash(symbols))),
    ])
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(key, value)| format!("{}: {value}", string(key)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn strings(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| string(item)).collect();
    list(&items, " ")
}

fn list(items: &[String], gap: &str) -> String {
    format!("[{}]", items.join(&format!(",{gap}")))
}

/// A JSON string (RFC 8259, section 7).
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let odd = "a\"b\\c\n\u{1}ä";
        let text = object(&[
            ("text", string(odd)),
            ("list", strings(&[odd.to_string(), String::new()])),
            ("none", strings(&[])),
        ]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["text"], odd);
        assert_eq!(value["list"], serde_json::json!([odd, ""]));
        assert_eq!(value["none"], serde_json::json!([]));
    }
}
