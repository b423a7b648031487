//! Two runs side by side: what they have in common, where they part, and what follows in each.

use ratatui::text::Line;

use super::super::theme::Theme;
use super::super::view::top_of;
use super::pane::Pane;
use super::record::{Moment, Trace};
use super::state::TraceState;

/// Events before the parting that are shown, and events behind it that are aligned, at most.
const BEFORE: usize = 20;
const BEHIND: usize = 600;

/// Two runs, aligned.
pub struct Diff {
    /// What the other run is.
    pub other: String,
    /// How many events they have in common from the beginning.
    pub common: usize,
    /// The events from shortly before the parting on: of this run, of the other, or of both.
    pub rows: Vec<Row>,
}

/// A row: an event of this run and one of the other, by their indexes.
pub type Row = (Option<usize>, Option<usize>);

impl Diff {
    /// Aligns a run with another one: the same events of the same core, in the longest sequence
    /// that both have (Hunt and Szymanski's problem, by dynamic programming over a window).
    pub fn new(this: &Trace, other: &Trace, name: String) -> Diff {
        let (a, b) = (&this.moments, &other.moments);
        let pairs = a.iter().zip(b);
        let common = pairs
            .take_while(|(a, b)| same(a, b) && a.at == b.at)
            .count();
        let (left, right) = (&a[common..], &b[common..]);
        let (left, right) = (
            &left[..left.len().min(BEHIND)],
            &right[..right.len().min(BEHIND)],
        );
        let first = common.saturating_sub(BEFORE);
        let mut rows: Vec<Row> = (first..common).map(|i| (Some(i), Some(i))).collect();
        let shift = |i: Option<usize>| i.map(|i| i + common);
        rows.extend(
            align(left, right)
                .into_iter()
                .map(|(l, r)| (shift(l), shift(r))),
        );
        Diff {
            other: name,
            common,
            rows,
        }
    }

    /// The row that is selected: where the runs part, unless another one was.
    pub fn selected(&self, row: Option<usize>) -> usize {
        let parting = BEFORE.min(self.common);
        row.unwrap_or(parting)
            .min(self.rows.len().saturating_sub(1))
    }
}

/// Whether two events are the same thing, wherever in the run: addresses are alike in both runs, as
/// long as they were allocated alike.
fn same(a: &Moment, b: &Moment) -> bool {
    a.core == b.core && a.text == b.text && a.place == b.place
}

/// The longest common subsequence, with what is between its members.
fn align(a: &[Moment], b: &[Moment]) -> Vec<Row> {
    let width = b.len() + 1;
    let mut best = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i * width + j] = match same(&a[i], &b[j]) {
                true => best[(i + 1) * width + j + 1] + 1,
                false => best[(i + 1) * width + j].max(best[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && same(&a[i], &b[j]) {
            rows.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len()
            || i < a.len() && best[(i + 1) * width + j] >= best[i * width + j + 1]
        {
            rows.push((Some(i), None));
            i += 1;
        } else {
            rows.push((None, Some(j)));
            j += 1;
        }
    }
    rows
}

/// The rows around the selected one, this run on the left.
pub fn lines(state: &TraceState, theme: &Theme, width: usize, rows: usize) -> Vec<Line<'static>> {
    let (Some(diff), Some((other, _))) = (&state.diff, &state.forked) else {
        let text = "nothing to compare with: f at a choice decides differently, and compares";
        return vec![Line::from(text)];
    };
    let half = width.saturating_sub(5) / 2;
    let heading = format!(
        "{} events in common; then this run, and {}",
        diff.common, diff.other
    );
    let mut lines = vec![Line::styled(heading, theme.strong())];
    let room = rows.saturating_sub(1);
    let selected = diff.selected(state.row);
    let top = top_of(selected, diff.rows.len(), room);
    let cell = |trace: &Trace, index: Option<usize>| {
        let Some(moment) = index.and_then(|i| trace.moments.get(i)) else {
            return " ".repeat(half);
        };
        let text = format!("{} c{} {}", moment.at, moment.core, moment.text);
        let text: String = text.chars().take(half).collect();
        format!("{text:<half$}")
    };
    let shown = diff.rows.iter().enumerate().skip(top).take(room);
    lines.extend(shown.map(|(i, &(this, that))| {
        let sign = match (this, that) {
            (Some(_), Some(_)) => '│',
            (Some(_), None) => '<',
            _ => '>',
        };
        let text = format!(
            "{} {sign} {}",
            cell(&state.trace, this),
            cell(&other.trace, that)
        );
        let line = Line::from(text);
        match (i == selected && state.pane == Pane::Diff, sign) {
            (true, _) => line.style(theme.selected()),
            (false, '│') => line.style(theme.faint()),
            _ => line,
        }
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(texts: &str) -> Vec<Moment> {
        let moment = |c: char| Moment {
            at: Default::default(),
            core: 0,
            text: c.to_string().into(),
            place: None,
        };
        texts.chars().map(moment).collect()
    }

    #[test]
    fn the_longest_common_sequence_is_aligned() {
        let cases = [
            ("", "", ""),
            ("ab", "ab", "=="),
            ("axb", "ab", "=<="),
            ("ab", "ayb", "=>="),
            ("abcd", "acbd", "=<=>="),
            ("abc", "", "<<<"),
            ("", "ab", ">>"),
        ];
        for (a, b, expected) in cases {
            let rows = align(&moments(a), &moments(b));
            let signs: String = rows
                .iter()
                .map(|row| match row {
                    (Some(_), Some(_)) => '=',
                    (Some(_), None) => '<',
                    _ => '>',
                })
                .collect();
            assert_eq!(signs.len(), expected.len(), "{a} {b}: {signs}");
            let both = |s: &str| s.matches('=').count();
            assert_eq!(both(&signs), both(expected), "{a} {b}: {signs}");
        }
    }
}
