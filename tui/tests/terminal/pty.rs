//! A terminal with a program in it: a pseudo-terminal, and what its screen shows.

use std::env;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::{MouseProtocolMode, Parser, Screen};

/// How long something may take before it counts as not happening: generous, since nothing waits
/// this long that works.
const LIMIT: Duration = Duration::from_secs(60);

/// The terminal.
pub struct Terminal {
    parser: Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    /// It is gone when this is.
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// A terminal of that size in which a shell runs `line`, and then says with what status that
    /// ended and how the terminal is set. `vars` are the only variables of `line` beside PATH.
    pub fn open(line: &str, vars: &[(&str, &str)], (columns, rows): (u16, u16)) -> Terminal {
        // The shell stays until the terminal is gone: what it has said last might be lost otherwise.
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut shell = CommandBuilder::new("sh");
        shell.arg("-c");
        shell.arg(format!("{line}; echo status=$?; stty -a | tr '; ' '\n\n' | grep -x -e '-*icanon' -e '-*echo' -e '-*isig'; echo end; read stay"));
        shell.env_clear();
        shell.env("PATH", env::var("PATH").unwrap_or_default());
        shell.env("TERM", "xterm-256color");
        vars.iter().for_each(|(name, value)| shell.env(name, value));
        shell.cwd(env::temp_dir());
        pair.slave.spawn_command(shell).expect("a shell");
        // With the last writer gone the reader ends.
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n) = reader.read(&mut bytes) {
                if n == 0 || sender.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let cells = |n| NonZeroU16::new(n).expect("a size");
        Terminal {
            parser: Parser::new(cells(rows), cells(columns), 0),
            output,
            input: pair.master.take_writer().expect("a writer"),
            _master: pair.master,
        }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.input
            .write_all(keys.as_bytes())
            .expect("a program that reads");
        self.input.flush().expect("a program that reads");
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        let until = Instant::now() + LIMIT;
        while !wanted(self.parser.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("no {what} on\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("ended without {what}:\n{}", self.text())
                }
            }
        }
    }

    /// Waits until the screen has this text.
    #[track_caller]
    pub fn shows(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Whether the program has the mouse.
    pub fn has_mouse(&self) -> bool {
        self.parser.screen().mouse_protocol_mode() != MouseProtocolMode::None
    }

    /// Waits for the end of the program: it ends with this status, and the terminal is as it was.
    #[track_caller]
    pub fn ends(&mut self, status: u8) {
        self.wait("end", |screen| {
            !screen.alternate_screen() && screen.contents().lines().any(|line| line.trim() == "end")
        });
        let text = self.text();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let status = format!("status={status}");
        for line in [status.as_str(), "icanon", "echo", "isig"] {
            assert!(lines.contains(&line), "no {line:?} in\n{text}");
        }
        assert!(!self.parser.screen().hide_cursor(), "the cursor is hidden");
        assert!(!self.has_mouse(), "the mouse is captured");
    }
}
