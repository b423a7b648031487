//! Bad input: what is wrong, where, and the mend. It ends the program with status 2.

use std::fmt;

use emu::machine::BootError;
use emu::scenario::ScenarioError;

/// A message for the user. The first words name the file, the line or the option it is about.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure(String);

/// A result that may be a [`Failure`].
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }

    /// A failure that is about `place`: a file, or an option.
    pub fn at(place: impl fmt::Display, problem: impl fmt::Display) -> Failure {
        Failure(format!("{place}: {problem}"))
    }

    /// The same with a line that says what to do.
    pub fn mend(self, mend: impl fmt::Display) -> Failure {
        Failure(format!("{}\nmend: {mend}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Failure {
        Failure(error.to_string())
    }
}

impl From<BootError> for Failure {
    fn from(error: BootError) -> Failure {
        Failure(error.to_string())
    }
}
