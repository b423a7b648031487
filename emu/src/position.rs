//! A moment in a run, stable across re-recordings.

use std::fmt;

/// A moment in a run: after choice number `choice` was answered, plus `step` instructions retired
/// by the whole machine since then. Written `choice:step`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// Number of choices answered so far; 0 is the boot, before the first choice.
    pub choice: u64,
    /// Instructions retired by all cores since that choice.
    pub step: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:02}", self.choice, self.step)
    }
}

impl std::str::FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is not a position; write CHOICE:STEP, for example 1842:17");
        let (choice, step) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Position {
            choice: choice.parse().map_err(|_| wrong())?,
            step: step.parse().map_err(|_| wrong())?,
        })
    }
}
