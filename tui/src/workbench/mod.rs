//! The terminal workbench: choose a scenario, run it, see it stop, find out why.
//!
//! [`App`] is the whole state; a key or a worker's reply changes it ([`App::key`],
//! [`App::reply`]), [`view::draw`] shows it, and both are pure. This file is the only one that
//! touches the terminal.

mod act;
mod app;
mod commands;
mod entry;
mod export;
mod files;
mod guide;
mod help;
mod home;
mod home_view;
mod inject;
mod keys;
mod line;
mod mouse;
mod overlay;
mod palette;
mod saving;
mod search;
mod search_job;
mod search_view;
mod stop_screen;
#[cfg(test)]
mod tests;
mod theme;
pub(crate) mod trace;
mod view;
mod walk;
mod worker;

use std::io;
use std::panic;
use std::process;
use std::thread;

use crossbeam::channel::{self, Sender};
use ratatui::DefaultTerminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    self, DisableMouseCapture, EnableMouseCapture, KeyEvent, KeyEventKind, MouseEvent,
};
use ratatui::crossterm::execute;

use crate::failure::{Failure, Outcome};
use app::{App, Effect};
use guide::Guide;
use home::Home;
use search::News;
use search_job::Searcher;
use theme::Theme;
use trace::Scene;
use worker::{Reply, Worker};

/// Everything that can happen to the workbench.
enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size.
    Resize,
    /// The terminal cannot be read any more.
    Gone(io::Error),
    /// A run makes progress or has ended.
    Worker(Reply),
    /// What the machine of the trace with this number shows.
    Scene(u64, Scene),
    /// The search with this number makes progress or has ended.
    Search(u64, News),
}

/// Runs the workbench until the user leaves it; `files` are offered beside the bundled scenarios.
///
/// # Errors
/// A file is not well formed, or the terminal cannot be used.
pub fn run(files: &[String]) -> Outcome<()> {
    let home = Home::new(files)?;
    restore_on_panic();
    let terminal = ratatui::try_init().map_err(terminal_failure)?;
    let result = capture_mouse(true).and_then(|()| event_loop(terminal, App::new(home)));
    restore();
    result.map_err(terminal_failure)
}

/// Gives the terminal back as it was.
fn restore() {
    // There is nobody to tell if this fails.
    let _ = capture_mouse(false);
    ratatui::restore();
    // The terminal's own value does this when it is dropped, which a panic may not come to.
    let _ = execute!(io::stdout(), Show);
}

fn capture_mouse(on: bool) -> io::Result<()> {
    match on {
        true => execute!(io::stdout(), EnableMouseCapture),
        false => execute!(io::stdout(), DisableMouseCapture),
    }
}

fn terminal_failure(error: io::Error) -> Failure {
    Failure::at("terminal", error)
}

/// A panic anywhere, on a worker too, gives the terminal back before it says what happened.
fn restore_on_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // A frame that is being written is finished first, and none comes after it.
        let _alone = io::stdout().lock();
        restore();
        report(info);
        process::exit(101);
    }));
}

fn event_loop(mut terminal: DefaultTerminal, mut app: App) -> io::Result<()> {
    let (sender, events) = channel::unbounded();
    let theme = Theme::of_terminal();
    let (replies, news, scenes) = (sender.clone(), sender.clone(), sender.clone());
    let worker = Worker::new(move |reply| replies.send(Event::Worker(reply)).is_ok());
    let searcher = Searcher::new(move |id, what| news.send(Event::Search(id, what)).is_ok());
    let guide = Guide::new(move |id, scene| scenes.send(Event::Scene(id, scene)).is_ok());
    thread::spawn(move || read_terminal(&sender));
    draw(&mut terminal, &app, &theme)?;
    while let Ok(event) = events.recv() {
        // What has queued up meanwhile is handled before the next frame.
        for event in std::iter::once(event).chain(events.try_iter()) {
            let mut effect = Effect::None;
            match event {
                Event::Key(key) => effect = app.key(key),
                Event::Mouse(event) => mouse::mouse(&mut app, event, &theme),
                Event::Resize => {}
                Event::Gone(error) => return Err(error),
                Event::Worker(reply) => app.reply(reply),
                Event::Scene(id, scene) => app.scene(id, scene),
                Event::Search(id, news) => app.search_news(id, news),
            }
            match effect {
                Effect::None | Effect::Refuse(_) => {}
                Effect::Quit => return Ok(()),
                Effect::Start(job) => worker.start(*job),
                Effect::Cancel => worker.cancel(),
                Effect::Search(job) => searcher.start(*job),
                Effect::EndSearch => searcher.end(),
                Effect::Write(path, content) => {
                    let size = terminal.size()?;
                    app.message = Some(export::write(&app, &theme, size, &path, content));
                    app.home.written(&path);
                }
                Effect::Mouse(on) => capture_mouse(on)?,
            }
        }
        while let Some((trace, traveller)) = app.next_traveller() {
            match traveller {
                Some(traveller) => guide.travel(trace, traveller),
                None => guide.forget(trace),
            }
        }
        if let Some(question) = app.question() {
            guide.ask(question);
        }
        draw(&mut terminal, &app, &theme)?;
    }
    Ok(())
}

/// Draws a frame that no other thread writes into.
fn draw(terminal: &mut DefaultTerminal, app: &App, theme: &Theme) -> io::Result<()> {
    let _alone = io::stdout().lock();
    terminal.draw(|frame| view::draw(app, theme, frame))?;
    Ok(())
}

fn read_terminal(events: &Sender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
            Ok(event::Event::Mouse(mouse)) => Event::Mouse(mouse),
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
