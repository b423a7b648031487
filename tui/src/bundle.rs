//! The files that the program carries in itself: the built drivers and their sources.
//!
//! The build script packs them. The pack is a zlib stream; inside it are the number of files and
//! then, for each one in the order of their paths, the length of its path, the path, the length of
//! its content and the content. Numbers are 32 bits, little-endian. It is unpacked at first use.
//!
//! Paths: `index.json` and `<arch>/<driver>/<build>/<driver>.sys` and `.pdb` as below
//! `target/drivers`; `drivers-src/<crate>/src/...` for sources, which is how the PDBs name them
//! once their backslashes are turned.

use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bundle.bin"));

/// A set of files in memory.
#[derive(Debug, Default)]
pub struct Bundle {
    contents: Vec<u8>,
    files: BTreeMap<String, Range<usize>>,
}

/// The program's own files, unpacked at the first call.
///
/// Without an `index.json` in it the program was built without drivers.
pub fn bundle() -> &'static Bundle {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    BUNDLE.get_or_init(|| unpack(PACKED).expect("the build script wrote the pack"))
}

impl Bundle {
    /// The content of one file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files
            .get(path)
            .map(|range| &self.contents[range.clone()])
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

/// Reads a pack; `None` if it is none.
fn unpack(packed: &[u8]) -> Option<Bundle> {
    let mut contents = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut contents).ok()?;
    let mut at = 0;
    let mut take = |length: usize| {
        let range = at..at + length;
        at = range.end;
        contents.get(range.clone()).map(|bytes| (range, bytes))
    };
    let number = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize);
    let mut files = BTreeMap::new();
    for _ in 0..number(take(4)?.1)? {
        let length = number(take(4)?.1)?;
        let path = String::from_utf8(take(length)?.1.to_vec()).ok()?;
        let length = number(take(4)?.1)?;
        files.insert(path, take(length)?.0);
    }
    Some(Bundle { contents, files })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_file_is_the_one_on_disk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(bundle().paths().count() > 0);
        for path in bundle().paths() {
            let base = match path.starts_with("drivers-src/") {
                true => root.clone(),
                false => root.join("target/drivers"),
            };
            let on_disk = fs::read(base.join(path)).unwrap();
            // Not shown: they are long.
            assert!(bundle().file(path) == Some(on_disk.as_slice()), "{path}");
        }
        assert!(bundle().file("drivers-src/crt/src/lib.rs").is_some());
        assert_eq!(bundle().file("drivers-src/crt/src/none.rs"), None);
    }

    #[test]
    fn what_is_no_pack_is_refused() {
        assert!(unpack(&[]).is_none());
        assert!(unpack(&PACKED[..PACKED.len() / 2]).is_none());
    }
}
