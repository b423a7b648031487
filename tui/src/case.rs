//! From a scenario and what the user chose to a case that can be run: plan, drivers and hashes.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use emu::campaign::{Case, DriverFiles};
use emu::loader::{self, Image};
use emu::scenario::{DriverRef, Selection};
use isa::Arch;
use twox_hash::XxHash3_64;

use crate::bundle::bundle;
use crate::catalogue::Source;
use crate::failure::{Failure, Outcome};
use crate::index::index;
use crate::suggest;

/// A case and what identifies it.
pub struct Loaded {
    /// What is run.
    pub case: Case,
    /// Hash of the scenario's text and of every file it refers to but the drivers.
    pub scenario_hash: u64,
}

/// Makes every choice and loads the drivers.
///
/// # Errors
/// A choice that the scenario does not offer, a file that cannot be read, or a bad driver.
pub fn load(source: &Source, selection: &Selection) -> Outcome<Loaded> {
    let hash = RefCell::new(XxHash3_64::oneshot(source.text.as_bytes()));
    let files = |path: &str| {
        let Some(folder) = &source.folder else {
            return Err("a bundled scenario has no files beside it".to_owned());
        };
        let bytes = fs::read(folder.join(path)).map_err(|error| error.to_string())?;
        hash.replace_with(|&mut so_far| XxHash3_64::oneshot_with_seed(so_far, &bytes));
        Ok(bytes)
    };
    let plan = source.scenario.expand(selection, &files)?;
    let arch = plan.profile.arch();
    let folder = source.folder.as_deref().unwrap_or(Path::new(""));
    let drivers = |driver: &DriverRef| {
        let files = match &driver.file {
            Some(file) => own(&folder.join(file)),
            None => bundled(driver, arch),
        };
        files.map_err(|failure| failure.to_string())
    };
    let case = Case::load(plan, drivers).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Loaded {
        case,
        scenario_hash: hash.into_inner(),
    })
}

/// A driver by its path: a file, or else a path of the bundle.
///
/// # Errors
/// A file that cannot be read, or a bad driver.
pub fn by_path(path: &str) -> Outcome<Image> {
    let files = match path.strip_suffix(".sys") {
        _ if Path::new(path).exists() => own(Path::new(path))?,
        Some(stem) if bundle().file(path).is_some() => from_bundle(path, &format!("{stem}.pdb"))?,
        _ => {
            let known: Vec<&str> = bundle().paths().filter(|p| p.ends_with(".sys")).collect();
            let mend = match suggest::near(path, &known) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "`irqlab drivers` lists the bundled ones".to_owned(),
            };
            return Err(Failure::at(path, "there is no such file or bundled driver").mend(mend));
        }
    };
    let wrong = |error| Failure::at(&files.label, error);
    let mut image = loader::parse(&files.label, &files.sys).map_err(wrong)?;
    if let Some(pdb) = &files.pdb {
        image.attach_symbols(pdb).map_err(wrong)?;
    }
    Ok(image)
}

fn bundled(driver: &DriverRef, arch: Arch) -> Outcome<DriverFiles> {
    let index = index()?;
    let file = index.find(&driver.name, &driver.build, arch)?;
    from_bundle(&file.path, &file.pdb)
}

fn from_bundle(sys: &str, pdb: &str) -> Outcome<DriverFiles> {
    let file = |path: &str| {
        let missing = || Failure::at(path, "the bundle does not have it");
        bundle().file(path).map(<[u8]>::to_vec).ok_or_else(missing)
    };
    Ok(DriverFiles {
        label: sys.to_owned(),
        sys: file(sys)?,
        pdb: Some(file(pdb)?),
    })
}

/// A driver file of the user's own, with the symbols beside it if there are any.
fn own(path: &Path) -> Outcome<DriverFiles> {
    let label = path.display().to_string();
    let sys = fs::read(path).map_err(|error| Failure::at(&label, error))?;
    Ok(DriverFiles {
        label,
        sys,
        pdb: fs::read(path.with_extension("pdb")).ok(),
    })
}
