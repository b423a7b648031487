//! Comparison with a file of expected text.

use std::path::PathBuf;

/// Compares the text with `expected/NAME.txt`; with `UPDATE_EXPECT=1` writes the file.
#[track_caller]
pub fn expect(name: &str, actual: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/report/expected");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        std::fs::write(&path, actual).expect("the fixture can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs (UPDATE_EXPECT=1 writes it anew)\n{}",
        path.display(),
        first_difference(&expected, actual)
    );
}

fn first_difference(expected: &str, actual: &str) -> String {
    let mut pairs = expected.lines().zip(actual.lines()).enumerate();
    match pairs.find(|(_, (a, b))| a != b) {
        Some((index, (a, b))) => format!("line {}\n  expected {a}\n  actual   {b}", index + 1),
        None => format!(
            "{} lines expected, {} lines actual",
            expected.lines().count(),
            actual.lines().count()
        ),
    }
}
