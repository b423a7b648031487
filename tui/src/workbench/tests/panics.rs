//! A panic gives the terminal back. The program has none to offer, so the panic is made by a test
//! that another test runs in a terminal.

#![cfg(unix)]

use std::env;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::pty::Terminal;

/// Set for the test that panics: where it waits for the moment to do so.
const PORT: &str = "IRQLAB_TEST_PANIC_PORT";

#[test]
fn the_terminal_is_given_back_after_a_panic() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let program = env::current_exe().unwrap();
    let line = format!(
        "'{}' --exact workbench::tests::panics::the_workbench_with_a_thread_that_panics --nocapture",
        program.display()
    );
    let vars = [("LC_ALL", "C.UTF-8"), (PORT, &port)];
    let mut terminal = Terminal::open(&line, &vars, (80, 24));
    terminal.shows("choose a scenario");
    terminal.send("?");
    terminal.shows("Help");
    assert!(terminal.has_mouse());
    // The connection ends, and so does the workbench.
    drop(listener.accept().unwrap());
    terminal.ends(101);
    assert!(
        terminal.text().contains("a thread panics"),
        "{}",
        terminal.text()
    );
}

/// Not a test of its own: see above.
#[test]
fn the_workbench_with_a_thread_that_panics() {
    let Ok(port) = env::var(PORT) else {
        return;
    };
    let port: u16 = port.parse().unwrap();
    thread::spawn(move || {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = connection.read(&mut [0]);
        panic!("a thread panics");
    });
    crate::workbench::run(&[]).unwrap();
}
