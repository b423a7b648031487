//! What every core is doing.

use super::{Listing, Pane, Row, View};
use crate::machine::context::{ContextKind, Next};
use crate::report::words::Names;

/// The pane.
pub const PANE: Pane = Pane {
    name: "cores",
    help: "what every core is doing, and at which IRQL",
    list,
};

fn list(view: &View<'_>) -> Listing {
    let (machine, names) = (view.machine, view.names());
    let row = |core: &crate::machine::context::Core| {
        let number = usize::from(core.number);
        let contexts = core
            .contexts
            .iter()
            .rev()
            .map(|context| match context.kind {
                ContextKind::Idle => "idle".to_owned(),
                ContextKind::Thread(id) => names.thread(id),
                ContextKind::Dpc => "DPCs".to_owned(),
                ContextKind::Interrupt(source) => format!("interrupt {source}"),
            });
        let contexts: Vec<String> = contexts.collect();
        let next = match core.top().next {
            Next::Idle => String::new(),
            Next::Guest { .. } | Next::Special => "executes".into(),
            Next::Update(_) => "between a load and its store".into(),
            Next::Call(import) => {
                let slot = &machine.setup.imports[import as usize];
                format!("calls {}", slot.api.name)
            }
            Next::Host(..) | Next::Resume(..) => "in the kernel".into(),
            Next::Spin { lock, .. } => format!("spins for {}", names.object(lock)),
            Next::Blocked => "waits".into(),
        };
        let pc = machine
            .backtrace(number)
            .first()
            .map_or(0, |frame| frame.pc);
        let place = match core.top().next {
            Next::Guest { .. } | Next::Update(_) | Next::Special => view.short(pc),
            _ => view.short(pc.saturating_sub(1)),
        };
        let cells = [
            format!("c{number}"),
            view.irql(core.irql),
            contexts.join(" over "),
            next,
            place,
        ];
        Row::new(cells).core(core.number)
    };
    let cores = &machine.state.cores;
    Listing {
        title: format!("{} of {}", view.focus.at, view.record.last()),
        columns: &["core", "irql", "runs", "does", "place"],
        rows: cores.iter().map(row).collect(),
        current: cores.iter().position(|core| core.number == view.focus.core),
        ..Listing::default()
    }
}
