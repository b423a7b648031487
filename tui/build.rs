//! Packs the built drivers, their index and their sources into one compressed file that becomes
//! part of the program, so that the installed program needs nothing beside it.
//!
//! Without built drivers the pack has sources only and the build still works; the program then
//! says how to build them. `src/bundle.rs` reads the pack and describes its form.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = own.parent().ok_or("the package has no workspace")?;

    let mut files = BTreeMap::new();
    let drivers = root.join("target/drivers");
    // The index holds a hash of every other file there: it changes if any of them does.
    println!(
        "cargo::rerun-if-changed={}",
        drivers.join("index.json").display()
    );
    collect(&drivers, &drivers, &["sys", "pdb", "json"], &mut files)?;

    let sources = root.join("drivers-src");
    for entry in fs::read_dir(&sources)? {
        // A crate's own `src`, and not what a build may have left beside it.
        let folder = entry?.path().join("src");
        if folder.is_dir() {
            println!("cargo::rerun-if-changed={}", folder.display());
            collect(root, &folder, &["rs"], &mut files)?;
        }
    }

    let out = PathBuf::from(env::var("OUT_DIR")?).join("bundle.bin");
    fs::write(out, pack(&files)?)?;
    Ok(())
}

/// Adds the files below `folder` of the given kinds, under their paths relative to `base`.
fn collect(
    base: &Path,
    folder: &Path,
    kinds: &[&str],
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.extension().unwrap_or_default();
        if path.is_dir() {
            collect(base, &path, kinds, files)?;
        } else if kinds.iter().any(|known| kind == *known) {
            let name = path.strip_prefix(base)?.to_string_lossy().into_owned();
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn pack(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let number =
        |n: usize| -> Result<[u8; 4], Box<dyn Error>> { Ok(u32::try_from(n)?.to_le_bytes()) };
    encoder.write_all(&number(files.len())?)?;
    for (name, bytes) in files {
        encoder.write_all(&number(name.len())?)?;
        encoder.write_all(name.as_bytes())?;
        encoder.write_all(&number(bytes.len())?)?;
        encoder.write_all(bytes)?;
    }
    Ok(encoder.finish()?)
}
