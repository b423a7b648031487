//! The terminal workbench: choose a scenario, run it, see it stop, find out why.
//!
//! [`App`] is the whole state; a key or a worker's reply changes it ([`App::key`],
//! [`App::reply`]), [`view::draw`] shows it, and both are pure. This file is the only one that
//! touches the terminal.

mod app;
mod help;
mod home;
mod home_view;
mod keys;
mod stop_screen;
#[cfg(test)]
mod tests;
mod theme;
mod trace;
mod view;
mod worker;

use std::io;
use std::panic;
use std::process;
use std::thread;

use crossbeam::channel::{self, Sender};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, KeyEvent, KeyEventKind};

use crate::failure::{Failure, Outcome};
use app::{App, Effect};
use home::Home;
use theme::Theme;
use worker::{Reply, Worker};

/// Everything that can happen to the workbench.
enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Resize,
    /// The terminal cannot be read any more.
    Gone(io::Error),
    /// A run makes progress or has ended.
    Worker(Reply),
}

/// Runs the workbench until the user leaves it.
///
/// # Errors
/// The terminal cannot be used.
pub fn run() -> Outcome<()> {
    let home = Home::new()?;
    restore_on_panic();
    let terminal = ratatui::try_init().map_err(terminal_failure)?;
    let result = event_loop(terminal, App::new(home));
    ratatui::restore();
    result.map_err(terminal_failure)
}

fn terminal_failure(error: io::Error) -> Failure {
    Failure::at("terminal", error)
}

/// A panic anywhere, on a worker too, gives the terminal back before it says what happened.
fn restore_on_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        ratatui::restore();
        report(info);
        process::exit(101);
    }));
}

fn event_loop(mut terminal: DefaultTerminal, mut app: App) -> io::Result<()> {
    let (sender, events) = channel::unbounded();
    let theme = Theme::of_terminal();
    let replies = sender.clone();
    let worker = Worker::new(move |reply| replies.send(Event::Worker(reply)).is_ok());
    thread::spawn(move || read_terminal(&sender));
    terminal.draw(|frame| view::draw(&app, &theme, frame))?;
    while let Ok(event) = events.recv() {
        // What has queued up meanwhile is handled before the next frame.
        for event in std::iter::once(event).chain(events.try_iter()) {
            let effect = match event {
                Event::Key(key) => app.key(key),
                Event::Resize => Effect::None,
                Event::Gone(error) => return Err(error),
                Event::Worker(reply) => {
                    app.reply(reply);
                    Effect::None
                }
            };
            match effect {
                Effect::None => {}
                Effect::Quit => return Ok(()),
                Effect::Start(job) => worker.start(job),
                Effect::Cancel => worker.cancel(),
            }
        }
        terminal.draw(|frame| view::draw(&app, &theme, frame))?;
    }
    Ok(())
}

fn read_terminal(events: &Sender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
            Ok(event::Event::Resize(..)) => Event::Resize,
            Ok(_) => continue,
            Err(error) => {
                let _ = events.send(Event::Gone(error));
                return;
            }
        };
        if events.send(event).is_err() {
            return;
        }
    }
}
