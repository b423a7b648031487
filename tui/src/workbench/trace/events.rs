//! The events around the cursor, all cores in one list.

use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::top_of;
use super::Body;
use super::pane::Pane;
use super::record::short_place;
use super::state::TraceState;

/// As many lines as there are rows.
pub fn body(state: &TraceState, theme: &Theme, rows: usize) -> Body {
    let moments = &state.trace.moments;
    if moments.is_empty() {
        return Body {
            lines: vec![Line::from("nothing happened in this run")],
            ..Body::default()
        };
    }
    let top = top_of(state.cursor, moments.len(), rows);
    let shown = top..(top + rows).min(moments.len());
    let width = moments[shown.clone()]
        .iter()
        .map(|m| m.at.to_string().len())
        .max()
        .unwrap_or(0);
    let lanes = &state.trace.lanes;
    let mut heights = lanes.heights_before(top);
    let mut lines = Vec::with_capacity(rows);
    for i in shown.clone() {
        let (moment, spot) = (&moments[i], lanes.spot(i));
        if let (Some(height), Some(spot)) = (heights.get_mut(usize::from(moment.core)), spot) {
            *height = spot.height;
        }
        let here = i == state.cursor;
        let marks: String = heights.iter().map(|height| height.mark()).collect();
        let mark = spot.and_then(|spot| spot.mark);
        let letter = mark.map_or(' ', |mark| mark.letter());
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
    Body {
        lines,
        at: state.cursor - top.min(state.cursor),
        rows: shown.map(Some).collect(),
    }
}
