//! The program as its users call it: what it prints, where, and with which status.
//!
//! The drivers must have been built (`cargo xtask drivers`).

mod bad_input;
mod campaign;
mod commands;
mod explore;
mod image;
mod load;
mod moment;
mod schema;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a call of the program came to.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

/// Calls the program.
fn irqlab(arguments: &[&str]) -> Ran {
    irqlab_with(arguments, "")
}

/// Calls the program with something on its standard input.
fn irqlab_with(arguments: &[&str], stdin: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_irqlab"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without having read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let stdout = reader(child.stdout.take().unwrap());
    let stderr = reader(child.stderr.take().unwrap());
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code().unwrap_or(-1),
            None if begin.elapsed() > LONGEST => {
                child.kill().unwrap();
                panic!("irqlab {arguments:?} does not end");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Ran {
        status,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

/// No call of these tests may take longer.
const LONGEST: Duration = Duration::from_secs(120);

/// Reads a stream to its end, beside the others.
fn reader(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}

impl Ran {
    /// Status 2, nothing on standard output, and every part in the message.
    #[track_caller]
    fn is_bad_input(&self, parts: &[&str]) {
        assert_eq!(self.status, 2, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        assert!(self.stderr.starts_with("irqlab: "), "{}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "{part:?} is not in:\n{}",
                self.stderr
            );
        }
    }
}

/// A folder for the files of one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes a file; its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
