//! Threads and what they wait for.

use super::{Listing, Pane, Row, View};
use crate::nt::thread::ThreadState;
use crate::report::words::Names;

/// The pane.
pub const PANE: Pane = Pane {
    name: "threads",
    help: "threads: on which core, or what they wait for since when",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let names = view.names();
    let threads = &view.machine.state.nt.threads.list;
    let row = |(id, thread): (usize, &crate::nt::thread::Thread)| {
        let state = match thread.state {
            ThreadState::Ready => "ready".to_owned(),
            ThreadState::Running(core) => format!("on c{core}"),
            ThreadState::Waiting => "waits".into(),
            ThreadState::Ended => "ended".into(),
        };
        let wait = match (&thread.wait, thread.state) {
            (Some(wait), ThreadState::Waiting) if wait.objects.is_empty() => "a delay".into(),
            (Some(wait), ThreadState::Waiting) => {
                let objects: Vec<String> = wait.objects.iter().map(|&o| names.object(o)).collect();
                let and = if wait.all { " and " } else { " or " };
                objects.join(and)
            }
            _ => String::new(),
        };
        let running = matches!(thread.state, ThreadState::Running(_));
        let since = if running {
            String::new()
        } else {
            thread.since.to_string()
        };
        let cells = [
            id.to_string(),
            thread.name.clone(),
            thread.priority.to_string(),
            state,
            wait,
            since,
        ];
        let row = Row::new(cells).core(thread.core);
        let row = row.datum(thread.object, view.machine.arch().pointer_size());
        if running { row } else { row.at(thread.since) }
    };
    let on = view.machine.state.cores[usize::from(view.focus.core)].thread();
    Listing {
        columns: &["thread", "name", "priority", "state", "waits for", "since"],
        rows: threads.iter().enumerate().map(row).collect(),
        current: on.map(|id| id as usize),
        empty: "there are no threads",
        ..Listing::default()
    }
}
