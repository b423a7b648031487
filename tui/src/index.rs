//! The list of bundled drivers, as the driver build wrote it (`index.json` of the bundle).

use std::collections::BTreeMap;

use isa::Arch;
use serde::{Deserialize, Serialize};

use crate::bundle::bundle;
use crate::failure::{Failure, Outcome};
use crate::suggest;

/// One built driver file.
#[derive(Debug, Deserialize, Serialize)]
pub struct DriverFile {
    /// The driver's name without `.sys`.
    pub driver: String,
    /// Which build of it: the word that scenarios use.
    pub build: String,
    /// The processor it is for, by [`Arch::name`].
    pub arch: String,
    /// The image's path in the bundle.
    pub path: String,
    /// The symbols' path in the bundle.
    pub pdb: String,
    /// The personalities it belongs to.
    pub personalities: Vec<String>,
    /// The profiles on which it may run.
    pub profiles: Vec<String>,
    /// File version of its version resource.
    pub file_version: String,
    /// What it is.
    pub description: String,
    /// The service pack it came with or is for.
    pub service_pack: String,
    /// The branch of the release, for example `SP1QFE`; may be empty.
    pub branch: String,
    /// Date and time of the original, by profile: `2007-01-16T10:51`.
    pub dates: BTreeMap<String, String>,
    /// Where the dates come from: `article`, `service pack` or `assumed`.
    pub source: String,
    /// What distinguishes the build.
    pub note: String,
    /// Bytes of the image.
    pub size: u64,
    /// Hash of the image.
    pub xxh3: String,
}

/// How the drivers were built, and all of them.
#[derive(Debug, Deserialize, Serialize)]
pub struct Index {
    /// The compiler.
    pub compiler: String,
    /// The linker.
    pub linker: String,
    /// The files, in the order of the drivers' manifest.
    pub files: Vec<DriverFile>,
}

/// The bundle's index.
///
/// # Errors
/// The program was built before its drivers were.
pub fn index() -> Outcome<Index> {
    let Some(text) = bundle().file("index.json") else {
        return Err(Failure::new("this irqlab was built without its drivers")
            .mend("`cargo xtask drivers` builds them; then build irqlab again"));
    };
    serde_json::from_slice(text).map_err(|error| Failure::at("index.json", error))
}

impl Index {
    /// The file of a build for a processor.
    ///
    /// # Errors
    /// There is no such driver or build; the message names those that there are.
    pub fn find(&self, driver: &str, build: &str, arch: Arch) -> Outcome<&DriverFile> {
        let unknown = |what: &str, word: &str, known: Vec<&str>| {
            let mut known = known;
            known.dedup();
            Failure::new(format!("there is no bundled {what} '{word}'"))
                .mend(suggest::mend(word, &known))
        };
        let all = || self.files.iter();
        if all().all(|f| f.driver != driver) {
            let known = all().map(|f| f.driver.as_str()).collect();
            return Err(unknown("driver", driver, known));
        }
        let builds = || all().filter(|f| f.driver == driver);
        if builds().all(|f| f.build != build) {
            let known = builds().map(|f| f.build.as_str()).collect();
            return Err(unknown(&format!("build of {driver}"), build, known));
        }
        builds()
            .find(|f| f.build == build && f.arch == arch.name())
            .ok_or_else(|| {
                Failure::new(format!(
                    "the build '{build}' of {driver} is not made for {}",
                    arch.name()
                ))
                .mend("choose another profile; `irqlab drivers` lists what there is")
            })
    }
}
