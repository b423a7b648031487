//! Source and disassembly at the cursor.

use emu::report::{Place, StopLine};
use emu::scene::code::disassemble;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::super::theme::Theme;
use super::super::view::{pane, top_of};
use super::pane::Pane;
use super::record::{Trace, short_source};
use super::state::TraceState;

/// Instructions that are kept before and after the one at the cursor.
const AROUND: usize = 40;

/// The code of an event. It is worked out when the cursor moves, not when a frame is drawn.
#[derive(Clone, Debug, Default)]
pub struct CodeView {
    /// Source file and line.
    pub source: Option<(String, u32)>,
    /// The function.
    pub function: Option<String>,
    /// The instructions around it: address and text.
    pub instructions: Vec<(u64, String)>,
    /// Index of the event's own instruction.
    pub current: Option<usize>,
}

impl CodeView {
    /// The code of the event with this index.
    pub fn at(trace: &Trace, event: usize) -> CodeView {
        let place = trace.moments.get(event).and_then(|m| m.place.as_deref());
        let code = place.map_or_else(CodeView::default, |place| Self::of(trace, place));
        if code.source.is_some() || code.function.is_some() {
            return code;
        }
        // In the kernel: the driver's code that called it, or whose call ended the run.
        let record = trace.record.as_ref();
        let stack = record.map_or(&[][..], |record| record.stack(event));
        let calls = stack.iter().map(|pc| pc.saturating_sub(1));
        let caller = calls.filter(|pc| trace.images.iter().any(|image| image.contains(*pc)));
        if let Some(pc) = { caller }.next() {
            return Self::of_pc(trace, Some(pc));
        }
        match &trace.report.stop {
            StopLine::Bugcheck(line) if event + 1 == trace.moments.len() => {
                Self::of(trace, &line.place)
            }
            _ => code,
        }
    }

    /// The code at an address.
    pub fn of_pc(trace: &Trace, pc: Option<u64>) -> CodeView {
        let (Some(record), Some(pc)) = (&trace.record, pc) else {
            return CodeView::default();
        };
        let image = record.image(pc);
        let frame = record.source(pc);
        let place = Place {
            pc,
            module: image.map(|image| image.name.clone()),
            function: frame.as_ref().map(|frame| frame.function.clone()),
            source: frame.map(|frame| (frame.file, frame.line)),
        };
        Self::of(trace, &place)
    }

    /// The code of a place.
    pub fn of(trace: &Trace, place: &Place) -> CodeView {
        let image = trace.images.iter().find(|image| image.contains(place.pc));
        let (lines, current) = match image {
            Some(image) => disassemble(image, place.pc, AROUND),
            None => Default::default(),
        };
        let instructions = lines.into_iter().map(|(at, _, text)| (at, text)).collect();
        CodeView {
            source: place.source.clone(),
            function: place.function.clone(),
            instructions,
            current,
        }
    }
}

/// Draws it: source and disassembly side by side, or one above the other in a tall pane.
pub fn draw(state: &TraceState, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let code = &state.code;
    let place = match (&code.source, &code.function) {
        (Some((file, line)), Some(function)) => format!("{function} {}:{line}", short_source(file)),
        (None, Some(function)) => function.clone(),
        _ => "no driver code at this event".into(),
    };
    let block = pane(
        &format!("2 Code── {place} "),
        state.pane == Pane::Code,
        theme,
    );
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let halves = [Constraint::Percentage(50), Constraint::Min(0)];
    let [one, two] = match inner.height >= 16 {
        true => Layout::vertical(halves).areas(inner),
        false => Layout::horizontal(halves).spacing(1).areas(inner),
    };
    frame.render_widget(Paragraph::new(source(state, theme, one.height)), one);
    frame.render_widget(Paragraph::new(instructions(state, theme, two)), two);
}

fn source(state: &TraceState, theme: &Theme, rows: u16) -> Vec<Line<'static>> {
    let Some((file, line)) = &state.code.source else {
        return Vec::new();
    };
    let lines = match state.trace.sources.get(file) {
        Some(lines) if !lines.is_empty() => lines,
        _ => return vec![Line::from(format!("the text of {file} is not here"))],
    };
    let current = (*line as usize).saturating_sub(1);
    let top = top_of(current, lines.len(), rows.into());
    let shown = lines.iter().enumerate().skip(top).take(rows.into());
    // What all of them are indented by says nothing.
    let indent = |text: &String| text.len() - text.trim_start().len();
    let indented = shown
        .clone()
        .filter(|(_, text)| !text.is_empty())
        .map(|(_, t)| indent(t));
    let cut = indented.min().unwrap_or(0);
    let marked = |(i, text): (usize, &String)| {
        let mark = if i == current { '▶' } else { ' ' };
        let line = Line::from(format!(
            "{:>4} {mark} {}",
            i + 1,
            text.get(cut..).unwrap_or("")
        ));
        if i == current {
            line.style(theme.strong())
        } else {
            line
        }
    };
    shown.map(marked).collect()
}

/// Narrowest column that has room for all digits of an address.
const WIDE: u16 = 48;

fn instructions(state: &TraceState, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let code = &state.code;
    let rows = area.height;
    let digits = |address: u64| match area.width >= WIDE {
        true => format!("{address:08x}"),
        // The low half tells neighbours apart; the stacks have all of it.
        false => format!("{:08x}", address as u32),
    };
    let current = code.current.unwrap_or(0);
    let top = top_of(current, code.instructions.len(), rows.into());
    let shown = code
        .instructions
        .iter()
        .enumerate()
        .skip(top)
        .take(rows.into());
    let marked = |(i, (address, text)): (usize, &(u64, String))| {
        let here = code.current == Some(i);
        let line = Line::from(format!(
            "{} {} {text}",
            if here { '▶' } else { ' ' },
            digits(*address)
        ));
        if here {
            line.style(theme.strong())
        } else {
            line
        }
    };
    shown.map(marked).collect()
}
