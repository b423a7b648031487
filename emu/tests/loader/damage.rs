//! Damaged files: whatever is done to the bytes, the loader answers with a value.

use std::collections::BTreeSet;

use emu::loader::parse;

use crate::checks::use_image;
use crate::writer::*;

/// xorshift64*, so that every run damages the same bytes (Vigna, "An experimental exploration of
/// Marsaglia's xorshift generators, scrambled", 2016).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }
}

#[test]
fn a_prefix_is_never_a_driver() {
    for machine in [X86, X64, ARM64] {
        for checksum in [true, false] {
            let mut pe = driver(machine);
            pe.checksum = checksum;
            let file = pe.build();
            for length in 0..file.len() {
                let outcome = parse("a.sys", &file[..length]);
                assert!(outcome.is_err(), "{length} of {} bytes", file.len());
            }
        }
    }
}

#[test]
fn damage_is_an_error_or_harmless() {
    let mut random = Random(0x5EED);
    let mut errors = BTreeSet::new();
    let mut sound = 0;
    for machine in [X86, X64, ARM64] {
        let mut pe = driver(machine);
        pe.checksum = false;
        let whole = pe.build();
        for round in 0..20_000 {
            let mut file = whole.clone();
            for _ in 0..=random.below(8) {
                // Every other round the damage is where the tables are.
                let limit = if round % 2 == 0 { file.len() } else { 0x400 };
                let at = random.below(limit);
                file[at] = match random.below(3) {
                    0 => file[at] ^ (1 << random.below(8)),
                    1 => 0xFF,
                    _ => random.next() as u8,
                };
            }
            match parse("a.sys", &file) {
                Ok(mut image) => {
                    use_image(&mut image);
                    sound += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    let debug = format!("{error:?}");
                    errors.insert(debug.split([' ', '{']).next().unwrap().to_string());
                }
            }
        }
    }
    // The damage must reach all parts of the loader, or this shows nothing.
    let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
    assert_eq!(
        errors,
        [
            "BadHeader",
            "BadRelocation",
            "BadSection",
            "BadTable",
            "Checksum",
            "DelayImports",
            "NotNative",
            "NotPe",
            "OrdinalImport",
            "Truncated",
            "WrongMachine",
        ]
    );
    assert!(sound > 1000, "{sound}");
}
