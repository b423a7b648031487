//! The events around the cursor, all cores in one list.

use emu::report::Height;
use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::top_of;
use super::pane::Pane;
use super::record::short_place;
use super::state::TraceState;

/// As many lines as there are rows, and which of them is the cursor's.
pub fn lines(state: &TraceState, theme: &Theme, rows: usize) -> (Vec<Line<'static>>, usize) {
    let moments = &state.trace.moments;
    if moments.is_empty() {
        return (vec![Line::from("nothing happened in this run")], 0);
    }
    let top = top_of(state.cursor, moments.len(), rows);
    let shown = top..(top + rows).min(moments.len());
    let cpus = usize::from(state.trace.report.run.cpus);
    let width = moments[shown.clone()]
        .iter()
        .map(|m| m.at.to_string().len())
        .max()
        .unwrap_or(0);
    let mut heights: Vec<Height> = (0..cpus)
        .map(|core| {
            let before = moments[..top]
                .iter()
                .rev()
                .find(|m| usize::from(m.core) == core);
            before.map_or(Height::Unknown, |moment| moment.height)
        })
        .collect();
    let mut lines = Vec::with_capacity(rows);
    for i in shown {
        let moment = &moments[i];
        if let Some(height) = heights.get_mut(usize::from(moment.core)) {
            *height = moment.height;
        }
        let here = i == state.cursor;
        let marks: String = heights.iter().map(|height| height.mark()).collect();
        let letter = moment.mark.map_or(' ', |mark| mark.letter());
        let place = moment.place.as_deref().map(short_place).unwrap_or_default();
        let text = format!(
            "{}{:>width$} {marks} c{} {letter} {}  {place}",
            if here { '▶' } else { ' ' },
            moment.at.to_string(),
            moment.core,
            moment.text
        );
        let style = match here {
            true if state.pane == Pane::Events => theme.selected(),
            true => theme.strong(),
            false => ratatui::style::Style::new(),
        };
        lines.push(Line::styled(text, style));
    }
    (lines, state.cursor - top.min(state.cursor))
}

/// What the title says if events were left out.
pub fn left_out(state: &TraceState) -> String {
    match state.trace.left_out {
        0 => String::new(),
        n => format!("── the first {n} left out "),
    }
}
