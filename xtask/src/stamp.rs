//! Knowing without building that nothing changed.
//!
//! A stamp is a digest of everything that an output is made from. It is kept beside the output;
//! if it still matches and the output is there, nothing is to be done.

use crate::failure::{Failure, Outcome};
use std::fs;
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// A digest in the making: labelled pieces, so that moving bytes from one to the next changes it.
#[derive(Clone, Default)]
pub struct Digest {
    bytes: Vec<u8>,
}

impl Digest {
    pub fn add(&mut self, label: &str, bytes: &[u8]) {
        for piece in [label.as_bytes(), bytes] {
            self.bytes.extend((piece.len() as u64).to_le_bytes());
            self.bytes.extend(piece);
        }
    }

    /// Adds every file below `folder`, in the order of their paths, with the paths.
    pub fn add_folder(&mut self, folder: &Path) -> Outcome<()> {
        for file in files_below(folder)? {
            let name = file.strip_prefix(folder).unwrap_or(&file);
            self.add(&name.to_string_lossy(), &read(&file)?);
        }
        Ok(())
    }

    /// Sixteen hexadecimal digits.
    pub fn finish(&self) -> String {
        hash(&self.bytes)
    }
}

/// The XXH3 hash of `bytes` with seed 0, as sixteen hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(bytes))
}

/// Every file below `folder`, sorted by path; folders named `target` are left out.
pub fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let trouble = |error| Failure::step(format!("{}: {error}", folder.display()));
        for entry in fs::read_dir(&folder).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            match entry.file_type().map_err(trouble)?.is_dir() {
                true if entry.file_name() == "target" => {}
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file; the message of a failure names it.
pub fn read(file: &Path) -> Outcome<Vec<u8>> {
    fs::read(file).map_err(|error| Failure::step(format!("{}: {error}", file.display())))
}

/// Writes a file and the folders above it, unless it holds these bytes already: what is made from
/// it need not be made again. Returns whether it wrote.
pub fn write_if_changed(file: &Path, bytes: &[u8]) -> Outcome<bool> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let trouble = |error| Failure::step(format!("{}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(trouble)?;
    }
    fs::write(file, bytes).map_err(trouble)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_apart_what_a_plain_concatenation_would_not() {
        let of = |pieces: &[(&str, &str)]| {
            let mut digest = Digest::default();
            for (label, bytes) in pieces {
                digest.add(label, bytes.as_bytes());
            }
            digest.finish()
        };
        assert_eq!(of(&[("a", "bc")]), of(&[("a", "bc")]));
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "b"), ("", "c")]), of(&[("a", ""), ("b", "c")]));
    }
}
