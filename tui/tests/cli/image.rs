//! Driver files that are wrong in one way, made from the built ones.

use std::fs;
use std::path::Path;

/// The bytes of a built driver, by its path as `irqlab drivers` shows it.
pub fn built(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/drivers")
        .join(path);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask drivers`", path.display()))
}

/// The file with `from` replaced, where it occurs, by as many bytes.
pub fn replaced(mut file: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = file
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    file[at..at + to.len()].copy_from_slice(to);
    without_checksum(file)
}

/// The file with other code at its entry point.
pub fn with_entry(mut file: Vec<u8>, code: &[u8]) -> Vec<u8> {
    let header = number(&file, 0x3C) as usize;
    let entry = number(&file, header + 24 + 16);
    let sections = header + 24 + usize::from(number(&file, header + 20) as u16);
    let count = usize::from(number(&file, header + 6) as u16);
    // VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData (Microsoft, "PE Format").
    let section = (0..count)
        .map(|i| sections + 40 * i)
        .find(|at| entry.wrapping_sub(number(&file, at + 12)) < number(&file, at + 8));
    let section = section.unwrap();
    let at = (entry - number(&file, section + 12) + number(&file, section + 20)) as usize;
    file[at..at + code.len()].copy_from_slice(code);
    without_checksum(file)
}

fn without_checksum(mut file: Vec<u8>) -> Vec<u8> {
    let checksum = number(&file, 0x3C) as usize + 24 + 64;
    file[checksum..checksum + 4].fill(0);
    file
}

fn number(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}
