//! `drivers-src/drivers.toml`: the one list of builds, read strictly.

use crate::date::Date;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeSet;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// An architecture that drivers are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arch {
    X86,
    X64,
    Arm64,
}

impl Arch {
    pub const ALL: [Arch; 3] = [Arch::X86, Arch::X64, Arch::Arm64];

    /// The name of folders, of the linker's `/MACHINE` and of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86 => "x86",
            Arch::X64 => "x64",
            Arch::Arm64 => "arm64",
        }
    }

    /// The compiler's name for it.
    pub fn target(self) -> &'static str {
        match self {
            Arch::X86 => "i686-pc-windows-msvc",
            Arch::X64 => "x86_64-pc-windows-msvc",
            Arch::Arm64 => "aarch64-pc-windows-msvc",
        }
    }
}

/// The emulated machines and the architecture whose image each one runs.
const PROFILES: [(&str, Arch); 5] = [
    ("i386", Arch::X86),
    ("amd64", Arch::X64),
    ("arm64", Arch::Arm64),
    ("alpha", Arch::Arm64),
    ("ia64", Arch::Arm64),
];

/// Where a build's version and date come from.
const SOURCES: [&str; 3] = ["article", "service pack", "assumed"];

/// One build of one driver. The comments of `drivers.toml` say what each field means.
#[derive(Clone, Debug)]
pub struct Build {
    pub driver: String,
    pub id: String,
    pub features: Vec<String>,
    pub personality: Vec<String>,
    pub profiles: Vec<String>,
    pub version: [u16; 4],
    pub product: String,
    pub description: String,
    pub service_pack: String,
    pub branch: String,
    /// For each profile that has one, in the order of `profiles`.
    pub dates: Vec<(String, Date)>,
    pub source: String,
    pub note: String,
}

impl Build {
    /// The architectures that its profiles run, in the order of [`Arch::ALL`].
    pub fn archs(&self) -> impl Iterator<Item = Arch> + '_ {
        Arch::ALL
            .into_iter()
            .filter(|&arch| self.profiles.iter().any(|name| arch_of(name) == Some(arch)))
    }

    /// The time stamp of its image for `arch`.
    pub fn time_stamp(&self, arch: Arch) -> u32 {
        let own = self.dates.iter().find(|(p, _)| arch_of(p) == Some(arch));
        // `read` refuses a build without any date.
        own.or(self.dates.first())
            .map_or(0, |(_, date)| date.unix_seconds())
    }

    /// The file version as text, `5.2.3790.1830`.
    pub fn version_text(&self) -> String {
        self.version.map(|part| part.to_string()).join(".")
    }
}

fn arch_of(profile: &str) -> Option<Arch> {
    PROFILES.iter().find(|p| p.0 == profile).map(|p| p.1)
}

/// Reads the list; `text` is the content of the file that messages call `file`.
///
/// # Errors
/// Status 2 with `file:line: what`: TOML syntax, an unknown or missing key, a value of the wrong
/// kind, an unknown profile, a date without a profile, two builds of one name.
pub fn read(file: &str, text: &str) -> Outcome<Vec<Build>> {
    let place = |offset: usize| {
        let line = text[..offset].bytes().filter(|&b| b == b'\n').count() + 1;
        format!("{file}:{line}")
    };
    let fail = |offset: usize, what: &str| Failure::usage(format!("{}: {what}", place(offset)));
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        fail(offset, error.message())
    })?;
    let mut builds: Vec<Build> = Vec::new();
    let mut names = BTreeSet::new();
    for (key, value) in document.get_ref() {
        let (DeValue::Array(tables), "build") = (value.get_ref(), key.get_ref().as_ref()) else {
            return Err(fail(key.span().start, "only `[[build]]` tables are known"));
        };
        for table in tables.iter() {
            let start = table.span().start;
            let DeValue::Table(fields) = table.get_ref() else {
                return Err(fail(start, "a build is a table"));
            };
            let build = read_build(fields, start).map_err(|e| fail(e.offset, &e.what))?;
            if !names.insert((build.driver.clone(), build.id.clone())) {
                let what = format!("a second build `{}/{}`", build.driver, build.id);
                return Err(fail(start, &what));
            }
            builds.push(build);
        }
    }
    match builds.is_empty() {
        true => Err(fail(0, "no `[[build]]` in it")),
        false => Ok(builds),
    }
}

/// What is wrong and where, as a byte offset into the text.
struct Wrong {
    offset: usize,
    what: String,
}

fn wrong<T>(offset: usize, what: impl Into<String>) -> Result<T, Wrong> {
    let what = what.into();
    Err(Wrong { offset, what })
}

fn read_build(fields: &DeTable<'_>, start: usize) -> Result<Build, Wrong> {
    const KEYS: [&str; 13] = [
        "driver",
        "id",
        "features",
        "personality",
        "profiles",
        "version",
        "product",
        "description",
        "service_pack",
        "branch",
        "date",
        "source",
        "note",
    ];
    for key in fields.keys() {
        if !KEYS.contains(&key.get_ref().as_ref()) {
            return wrong(key.span().start, format!("unknown key `{}`", key.get_ref()));
        }
    }
    let field = |key: &str| match fields.get(key) {
        Some(value) => Ok(value),
        None => wrong(start, format!("this build has no `{key}`")),
    };
    let text = |key: &str| field(key).and_then(string);
    let list = |key: &str| field(key).and_then(strings);

    let profiles = list("profiles")?;
    if let Some(unknown) = profiles.iter().find(|p| arch_of(p).is_none()) {
        let offset = field("profiles")?.span().start;
        return wrong(offset, format!("unknown profile `{unknown}`"));
    }
    let version = field("version")?;
    let Some(parts) = version_parts(&string(version)?) else {
        return wrong(version.span().start, "a version is four numbers");
    };
    let source = text("source")?;
    if !SOURCES.contains(&source.as_str()) {
        let offset = field("source")?.span().start;
        return wrong(offset, format!("`source` is one of {SOURCES:?}"));
    }
    Ok(Build {
        driver: name(field("driver")?)?,
        id: name(field("id")?)?,
        features: list("features")?,
        personality: list("personality")?,
        version: parts,
        product: text("product")?,
        description: text("description")?,
        service_pack: text("service_pack")?,
        branch: text("branch")?,
        dates: dates(field("date")?, &profiles)?,
        source,
        note: text("note")?,
        profiles,
    })
}

fn string(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => wrong(value.span().start, "this is to be a string"),
    }
}

fn strings(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Wrong> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(string).collect(),
        _ => wrong(value.span().start, "this is to be a list of strings"),
    }
}

/// A word that becomes a file or folder name.
fn name(value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let text = string(value)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match !text.is_empty() && text.chars().all(plain) {
        true => Ok(text),
        false => wrong(
            value.span().start,
            "a name is lower-case letters, digits and `-`",
        ),
    }
}

fn version_parts(text: &str) -> Option<[u16; 4]> {
    let parts: Vec<u16> = text
        .split('.')
        .map(u16::from_str)
        .collect::<Result<_, _>>()
        .ok()?;
    parts.try_into().ok()
}

fn dates(value: &Spanned<DeValue<'_>>, profiles: &[String]) -> Result<Vec<(String, Date)>, Wrong> {
    let date = |value: &Spanned<DeValue<'_>>| {
        string(value)?
            .parse::<Date>()
            .or_else(|what| wrong(value.span().start, what))
    };
    let DeValue::Table(each) = value.get_ref() else {
        let date = date(value)?;
        return Ok(profiles.iter().map(|p| (p.clone(), date)).collect());
    };
    if let Some(key) = each
        .keys()
        .find(|key| !profiles.iter().any(|p| p == key.get_ref().as_ref()))
    {
        let what = format!("`{}` is no profile of this build", key.get_ref());
        return wrong(key.span().start, what);
    }
    let dated: Vec<(String, Date)> = profiles
        .iter()
        .filter_map(|p| each.get(p.as_str()).map(|value| (p, value)))
        .map(|(p, value)| Ok((p.clone(), date(value)?)))
        .collect::<Result<_, _>>()?;
    match dated.is_empty() {
        true => wrong(value.span().start, "no date in it"),
        false => Ok(dated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"
[[build]]
driver = "d"
id = "one"
features = ["buggy"]
personality = ["nt4"]
profiles = ["i386", "alpha"]
version = "4.0.1381.2"
product = "4.00"
description = "text"
service_pack = ""
branch = ""
date = { i386 = "2000-02-01T13:04", alpha = "2000-02-04T17:17" }
source = "article"
note = ""
"#;

    #[test]
    fn the_project_s_own_list_is_right() {
        let file = crate::workspace::driver_sources().join("drivers.toml");
        let builds = read("drivers.toml", &std::fs::read_to_string(file).unwrap()).unwrap();
        assert!(builds.iter().all(|build| build.archs().count() > 0));
    }

    #[test]
    fn an_image_s_time_stamp_is_its_architecture_s_date() {
        let build = read("f", ONE).unwrap().remove(0);
        assert_eq!(build.archs().collect::<Vec<_>>(), [Arch::X86, Arch::Arm64]);
        // 1 February 2000, 13:04 and 4 February 2000, 17:17 UTC.
        assert_eq!(build.time_stamp(Arch::X86), 949_410_240);
        assert_eq!(build.time_stamp(Arch::Arm64), 949_684_620);
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (from, to, message) in [
            ("note = \"\"", "", "f:2: this build has no `note`"),
            ("note =", "notes =", "f:15: unknown key `notes`"),
            ("\"alpha\"]", "\"vax\"]", "f:7: unknown profile `vax`"),
            ("1381.2", "1381", "f:8: a version is four numbers"),
            ("\"one\"", "\"../one\"", "f:4: a name is"),
            ("alpha =", "ia64 =", "f:13: `ia64` is no profile"),
            ("17:17", "27:17", "f:13: `2000-02-04T27:17` is no date"),
            ("\"article\"", "\"hearsay\"", "f:14: `source` is one of"),
            ("\"4.00\"", "4.00", "f:9: this is to be a string"),
            ("[[build]]", "[[builds]]", "f:2: only `[[build]]`"),
        ] {
            let text = ONE.replace(from, to);
            assert_ne!(text, ONE);
            let failure = read("f", &text).unwrap_err();
            assert!(
                failure.message.starts_with(message),
                "{message} / {}",
                failure.message
            );
            assert_eq!(failure.status, 2);
        }
        let twice = format!("{ONE}{ONE}");
        let failure = read("f", &twice).unwrap_err();
        assert!(failure.message.contains("a second build `d/one`"));
        assert!(read("f", "").is_err());
        assert!(read("f", "[[build]\n").is_err());
    }
}
