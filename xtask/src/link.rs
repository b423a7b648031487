//! Linking one driver image: the linker's command line, and nothing that depends on this machine.
//!
//! Cargo makes a static library of each driver crate; every build of the manifest is linked from
//! one of them with its own version resource and time stamp. The linker runs in a folder of its own
//! with relative names, since it writes its command line into the PDB: the same source gives the
//! same bytes wherever it is built.

use crate::failure::{Failure, Outcome};
use crate::manifest::{Arch, Build};
use crate::process::capture;
use crate::stamp::{read, write_if_changed};
use crate::toolchain::Toolchain;
use crate::version_resource;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// An image and its symbols.
pub struct Linked {
    pub image: Vec<u8>,
    pub symbols: Vec<u8>,
}

/// LLVM's linker in its Windows flavour, which it takes from the name that it is called by.
pub fn lld(linker: &Path) -> Command {
    let mut command = Command::new(linker);
    command.arg0("lld-link");
    command
}

/// Links `build` for `arch` from the static library of its crate, in the scratch folder `folder`.
pub fn link(
    toolchain: &Toolchain,
    build: &Build,
    arch: Arch,
    library: &Path,
    folder: &Path,
) -> Outcome<Linked> {
    let name = &build.driver;
    write_if_changed(
        &folder.join("version.res"),
        &version_resource::resource_file(build),
    )?;
    let local = folder.join(format!("{name}.lib"));
    fs::copy(library, &local)
        .map_err(|error| Failure::step(format!("{}: {error}", library.display())))?;
    let mut linker = lld(&toolchain.linker);
    capture(linker.current_dir(folder).args(arguments(build, arch)))?;
    Ok(Linked {
        image: read(&folder.join(format!("{name}.sys")))?,
        symbols: read(&folder.join(format!("{name}.pdb")))?,
    })
}

fn arguments(build: &Build, arch: Arch) -> Vec<String> {
    let name = &build.driver;
    let [major, minor, ..] = build.version;
    [
        "/NOLOGO".to_string(),
        format!("/MACHINE:{}", arch.name()),
        "/DRIVER".to_string(),
        format!("/SUBSYSTEM:NATIVE,{major}.{minor}"),
        format!("/VERSION:{major}.{minor}"),
        "/ENTRY:DriverEntry".to_string(),
        "/NODEFAULTLIB".to_string(),
        // The base that drivers of the time were linked at; relocations stay in the image.
        "/BASE:0x10000".to_string(),
        "/DYNAMICBASE".to_string(),
        "/TSAWARE:NO".to_string(),
        // Two functions with equal code stay two functions: a stack names the right one.
        "/OPT:REF,NOICF".to_string(),
        // Code that is needed by DriverEntry only.
        "/SECTION:INIT,ERD".to_string(),
        "/RELEASE".to_string(),
        format!("/TIMESTAMP:{}", build.time_stamp(arch)),
        "/DEBUG".to_string(),
        format!("/PDB:{name}.pdb"),
        format!("/PDBALTPATH:{name}.pdb"),
        "/PDBSOURCEPATH:.".to_string(),
        format!("/OUT:{name}.sys"),
        format!("{name}.lib"),
        "version.res".to_string(),
    ]
    .into()
}
