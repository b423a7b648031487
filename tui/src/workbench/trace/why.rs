//! The reasons of the stop, oldest first.

use emu::report::{StopLine, WhyStep, codes};
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::wrapped;
use super::Body;
use super::pane::Pane;
use super::record::short_place;
use super::state::TraceState;

/// Widest column of what a step touched.
const WIDEST_WHAT: usize = 24;

/// How the run ended, and what would have saved it: for the frame of the pane, which has so much
/// room.
pub fn ending(state: &TraceState, room: usize) -> (String, String) {
    let report = &state.trace.report;
    let how = match &report.stop {
        StopLine::Bugcheck(line) => {
            let name = codes::name(line.code).unwrap_or("a bugcheck without a name");
            match &line.place.module {
                Some(module) if room >= 78 => format!(" {name} in {module} "),
                _ => format!(" {name} "),
            }
        }
        StopLine::Completed => String::new(),
        other => format!(" {} ", other.kind()),
    };
    let saving = report.why.iter();
    let saving = saving.filter(|s| s.verb == "choice" && state.trace.saving.contains(&s.at));
    let saving: Vec<String> = saving.map(|step| format!("({})", step.number)).collect();
    let saved = match saving.len() {
        0 => String::new(),
        _ => format!(" saved by another decision at {} ", saving.join(" or ")),
    };
    // What would have saved it is said nowhere else.
    match how.chars().count() + saved.chars().count() <= room {
        true => (how, saved),
        false => (String::new(), saved),
    }
}

/// The steps with their notes, and the line of the selected one.
pub fn body(state: &TraceState, theme: &Theme, width: usize, rows: usize) -> Body {
    let steps = &state.trace.report.why;
    if steps.is_empty() {
        let text = match state.trace.report.stop {
            StopLine::Completed => "nothing to explain: the run completed",
            _ => "no reason is known; run (the last pane) has what is",
        };
        return Body {
            lines: vec![Line::from(text)],
            ..Body::default()
        };
    }
    let rows_in_sight = rows;
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
        let place = match step.place.pc {
            // Nobody's code: the processor was idle.
            0 => String::new(),
            _ => short_place(&step.place),
        };
        let text = format!("{:<what$}  {place}", step.what);
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
    let stack = steps.get(state.why).map_or(&[][..], |step| &step.stack);
    // Where there is room, who called the code of the selected one.
    if stack.len() > 1 && lines.len() + 3 < rows_in_sight {
        let heading = format!("({}) was called by", steps[state.why].number);
        lines.push(Line::default());
        lines.push(Line::styled(heading, theme.faint()));
        let callers = stack[1..].iter().take(rows_in_sight - lines.len());
        lines.extend(callers.map(|place| {
            let function = place.function.as_deref().unwrap_or("");
            Line::from(format!("    {:<22}  {function}", short_place(place)))
        }));
    }
    Body {
        lines,
        at: selected,
        rows,
    }
}
