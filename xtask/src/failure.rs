//! How a command ends when it does not end well.

/// What went wrong, in words for a person, and the exit status that says what kind it was.
#[derive(Debug)]
pub struct Failure {
    /// One or more lines, without the program's name and without a full stop of its own.
    pub message: String,
    /// 1: a step failed. 2: wrong usage, a wrong input file, or a machine that lacks something.
    pub status: u8,
}

impl Failure {
    /// A step that was tried and failed: status 1.
    pub fn step(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: 1,
        }
    }

    /// Wrong usage, wrong input, or something missing that only the user can provide: status 2.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: 2,
        }
    }
}

/// The result of everything here that can fail.
pub type Outcome<T> = Result<T, Failure>;
