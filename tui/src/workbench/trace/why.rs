//! The reasons of the stop, oldest first.

use emu::report::WhyStep;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::wrapped;
use super::Body;
use super::pane::Pane;
use super::record::short_place;
use super::state::TraceState;

/// Widest column of what a step touched.
const WIDEST_WHAT: usize = 24;

/// The steps with their notes, and the line of the selected one.
pub fn body(state: &TraceState, theme: &Theme, width: usize) -> Body {
    let steps = &state.trace.report.why;
    if steps.is_empty() {
        let text = "nothing to explain: the machine was not stopped by a memory access";
        return Body {
            lines: vec![Line::from(text)],
            ..Body::default()
        };
    }
    let column = |text: fn(&WhyStep) -> usize| steps.iter().map(text).max().unwrap_or(0);
    let at = column(|step| step.at.to_string().len());
    let verb = column(|step| step.verb.chars().count());
    let what = column(|step| step.what.chars().count()).min(WIDEST_WHAT);
    let (mut lines, mut selected, mut rows) = (Vec::new(), 0, Vec::new());
    for (i, step) in steps.iter().enumerate() {
        let here = i == state.why;
        let mark = if here { '▶' } else { ' ' };
        let label = format!(
            "{mark}({}) {:>at$} c{} {:<verb$} ",
            step.number,
            step.at.to_string(),
            step.core,
            step.verb
        );
        let indent = label.chars().count();
        let text = format!("{:<what$}  {}", step.what, short_place(&step.place));
        let style = match here {
            true if state.pane == Pane::Why => theme.selected(),
            true => theme.strong(),
            false => ratatui::style::Style::new(),
        };
        if here {
            selected = lines.len();
        }
        for (i, text) in wrapped(&text, width.saturating_sub(indent))
            .iter()
            .enumerate()
        {
            let label = if i == 0 { label.as_str() } else { "" };
            lines.push(Line::styled(format!("{label:<indent$}{text}"), style));
        }
        if let Some(note) = &step.note {
            for (i, text) in wrapped(note, width.saturating_sub(indent + 3))
                .iter()
                .enumerate()
            {
                let mark = if i == 0 { "<- " } else { "   " };
                lines.push(Line::styled(
                    format!("{:indent$}{mark}{text}", ""),
                    theme.faint(),
                ));
            }
        }
        rows.resize(lines.len(), Some(i));
    }
    Body {
        lines,
        at: selected,
        rows,
    }
}
