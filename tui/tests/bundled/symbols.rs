//! The drivers of this workspace, where they are built: their symbols against their sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use emu::loader::{Image, parse};

use crate::checks::{check_against_library, use_image};
use crate::support::{drivers, root};

/// Every file under `folder` whose name ends with `suffix`, in a fixed order; none if there is no
/// such folder.
fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, suffix));
        } else if path.to_str().is_some_and(|path| path.ends_with(suffix)) {
            found.push(path);
        }
    }
    found
}

fn load(path: &Path) -> Image {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut image = parse(name, &fs::read(path).unwrap()).unwrap();
    let pdb = path.with_file_name(image.pdb_name.clone().unwrap());
    let pdb = fs::read(pdb).unwrap();
    image.attach_symbols(&pdb).unwrap();
    check_against_library(&image, &pdb);
    image
}

/// The lines of the workspace's source files, read once each.
#[derive(Default)]
struct Sources(BTreeMap<String, Vec<String>>);

impl Sources {
    fn line(&mut self, file: &str, line: u32) -> &str {
        let lines = self.0.entry(file.to_string()).or_insert_with(|| {
            let text = fs::read_to_string(root().join(file));
            let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
            text.lines().map(str::to_string).collect()
        });
        // Line 0 is code that the compiler made of several lines.
        &lines[(line as usize).saturating_sub(1)]
    }
}

/// Drivers that are older than their sources fail here, as they do in other tests.
#[test]
fn symbols_name_the_lines_that_they_came_from() {
    let mut sources = Sources::default();
    let drivers = files(&drivers(), ".sys");
    assert!(!drivers.is_empty(), "run `cargo xtask drivers`");
    for path in drivers {
        let mut image = load(&path);
        let here = path.display();
        // The first line of the entry point is its declaration, or the attribute before it.
        let entry = image.base + u64::from(image.entry_rva);
        let frames = image.source(entry);
        let outermost = frames.last().unwrap();
        assert!(
            outermost.function.ends_with("::DriverEntry"),
            "{here}: {outermost:?}"
        );
        let declaration: String = (outermost.line..outermost.line + 3)
            .map(|line| sources.line(&outermost.file, line).to_string())
            .collect();
        assert!(
            declaration.contains("fn DriverEntry"),
            "{here}: {declaration}"
        );

        let symbols = image.symbols.clone().unwrap();
        let mut known = 0;
        for (rva, length, name) in symbols.functions() {
            for va in (rva..rva + length).map(|rva| image.base + u64::from(rva)) {
                assert_eq!(image.function(va).as_deref(), Some(name));
                for frame in image.source(va) {
                    assert!(!frame.file.contains('\\'), "{here}: {frame:?}");
                    if frame.file.starts_with("drivers-src/") {
                        sources.line(&frame.file, frame.line); // exists
                        known += 1;
                    }
                }
            }
        }
        assert!(known > 0, "{here}");
        use_image(&mut image);
    }
}
