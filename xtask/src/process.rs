//! Running other programs: shown, checked, and with their output passed on or captured.

use crate::failure::{Failure, Outcome};
use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Says on stderr, in one line, what happens next.
pub fn say(what: impl AsRef<str>) {
    eprintln!("xtask: {}", what.as_ref());
}

/// Runs a program with this process's own output; fails unless it ends with status 0.
pub fn run(command: &mut Command) -> Outcome<()> {
    let shown = shown(command);
    match command.status() {
        Err(error) => Err(Failure::step(format!("cannot start `{shown}`: {error}"))),
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::step(format!("`{shown}` failed ({status})"))),
    }
}

/// Runs a program and returns its standard output; fails unless it ends with status 0, and then
/// the message carries what it wrote to both outputs.
pub fn capture(command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::step(format!("cannot start `{shown}`: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Failure::step(format!(
        "`{shown}` failed ({})\n{}{}",
        output.status, text, errors
    )))
}

/// Whether a program can be started at all; its arguments should make it end at once.
pub fn starts(program: impl AsRef<OsStr>, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it, but for its environment.
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("a");
        command.args(["-b=c", "two words", "it's", ""]);
        assert_eq!(shown(&command), r"a -b=c 'two words' 'it'\''s' ''");
    }

    #[test]
    fn a_failing_program_is_a_failure_with_its_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let failure = capture(&mut command).unwrap_err();
        assert_eq!(failure.status, 1);
        assert!(
            failure.message.contains("out\nerr\n"),
            "{}",
            failure.message
        );
        assert!(run(Command::new("sh").args(["-c", "exit 1"])).is_err());
        assert!(run(&mut Command::new("/no/such/program")).is_err());
    }
}
