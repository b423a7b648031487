//! Two runs side by side as data: what they have in common, where they part, and what follows in
//! each, aligned.

use std::borrow::Cow;
use std::collections::HashMap;

use super::record::{Moment, Trace};

/// Events before the parting that are in the rows.
const BEFORE: usize = 20;
/// Events that are aligned at once: the table of all pairs of them is made.
const WINDOW: usize = 600;
/// Events in a row that are the same where two runs meet again, and events of one run among which the
/// first of them is looked for.
const ALIKE: usize = 3;
const SOON: usize = 50;
/// Rows behind the parting, at most.
const MOST: usize = 20_000;

/// Two runs, aligned.
pub struct Diff {
    /// What the other run is.
    pub other: String,
    /// How many events they have in common from the beginning.
    pub common: usize,
    /// The events from shortly before the parting on: of this run, of the other, or of both.
    pub rows: Vec<Row>,
    /// More came than there are rows for.
    pub cut: bool,
}

/// A row: an event of this run and one of the other, by their indexes.
pub type Row = (Option<usize>, Option<usize>);

impl Diff {
    /// Aligns a run with another one. Two events are the same that read the same and come from the
    /// same line of code on the same core; up to the parting they also happen at the same position,
    /// if both runs have the same drivers.
    pub fn new(this: &Trace, other: &Trace, name: String) -> Diff {
        let (a, b) = (&this.moments, &other.moments);
        let drivers = |trace: &Trace| {
            let images = trace.images.iter();
            images.map(|i| (i.name.clone(), i.hash)).collect::<Vec<_>>()
        };
        let exact = drivers(this) == drivers(other);
        let common = a
            .iter()
            .zip(b)
            .take_while(|(a, b)| (!exact || a.at == b.at) && Key::of(a) == Key::of(b))
            .count();
        let mut known = HashMap::new();
        let left = numbers(&a[common..], &mut known);
        let right = numbers(&b[common..], &mut known);
        let (aligned, cut) = align_all(&left, &right);
        let first = common.saturating_sub(BEFORE);
        let mut rows: Vec<Row> = (first..common).map(|i| (Some(i), Some(i))).collect();
        let shift = |i: Option<usize>| i.map(|i| i + common);
        rows.extend(aligned.into_iter().map(|(l, r)| (shift(l), shift(r))));
        Diff {
            other: name,
            common,
            rows,
            cut: cut || left.len() < a.len() - common || right.len() < b.len() - common,
        }
    }

    /// The first event of each run behind what they have in common.
    pub fn parting(&self, this: &Trace, other: &Trace) -> Row {
        let event = |trace: &Trace| Some(self.common).filter(|&i| i < trace.moments.len());
        (event(this), event(other))
    }

    /// The row that is selected: where the runs part, unless another one was.
    pub fn selected(&self, row: Option<usize>) -> usize {
        let parting = BEFORE.min(self.common);
        row.unwrap_or(parting)
            .min(self.rows.len().saturating_sub(1))
    }
}

/// What makes two events the same thing, wherever in the run and in whichever build of a driver.
/// Addresses are alike in both runs, as long as they were allocated alike.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    core: u8,
    text: Cow<'a, str>,
    function: Option<&'a str>,
    source: Option<&'a (String, u32)>,
}

impl Key<'_> {
    fn of(moment: &Moment) -> Key<'_> {
        let place = moment.place.as_deref();
        Key {
            core: moment.core,
            text: without_blocks(&moment.text),
            function: place.and_then(|place| place.function.as_deref()),
            source: place.and_then(|place| place.source.as_ref()),
        }
    }
}

/// A text without the names of pool blocks. They are those of the end of the run, so that one event
/// may have them in one run and not in the other.
fn without_blocks(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(at) = text[from..].find(" (").map(|at| from + at) {
        let Some(length) = text[at..].find(')') else {
            break;
        };
        match text[at..at + length].contains(" block") {
            true => text.to_mut().replace_range(at..=at + length, ""),
            false => from = at + length,
        }
    }
    text
}

/// A number for each of the events, the same for the same.
fn numbers<'a>(moments: &'a [Moment], known: &mut HashMap<Key<'a>, u32>) -> Vec<u32> {
    let moments = &moments[..moments.len().min(MOST)];
    let number = |moment| {
        let next = known.len() as u32;
        *known.entry(Key::of(moment)).or_insert(next)
    };
    moments.iter().map(number).collect()
}

/// Aligns window after window: where one ends with events that have no partner in it, the next
/// begins with them. Also says whether there were more rows than are kept.
fn align_all(a: &[u32], b: &[u32]) -> (Vec<Row>, bool) {
    let (mut i, mut j) = (0, 0);
    let mut rows: Vec<Row> = Vec::new();
    while (i < a.len() || j < b.len()) && rows.len() < MOST {
        let (left, right) = (&a[i..], &b[j..]);
        let left = &left[..left.len().min(WINDOW)];
        let right = &right[..right.len().min(WINDOW)];
        let mut window = align(left, right);
        let last = i + left.len() == a.len() && j + right.len() == b.len();
        let pair = |row: &Row| row.0.is_some() && row.1.is_some();
        let end = window.iter().rposition(pair).map_or(0, |at| at + 1);
        // Little progress would be paid with many windows: one of the runs does something else for
        // longer than a window, and where it comes back is looked for.
        if !last && end > WINDOW / 4 {
            window.truncate(end);
        } else if !last && let Some((l, r)) = meeting(&a[i..], &b[j..]) {
            window = (0..l).map(|l| (Some(l), None)).collect();
            window.extend((0..r).map(|r| (None, Some(r))));
        }
        let shifted = |(l, r): &Row| (l.map(|l| l + i), r.map(|r| r + j));
        rows.extend(window.iter().map(shifted));
        i += window.iter().filter(|row| row.0.is_some()).count();
        j += window.iter().filter(|row| row.1.is_some()).count();
    }
    let cut = i < a.len() || j < b.len();
    (rows, cut)
}

/// How far each of two runs goes until they do the same again: one of them at once or soon.
fn meeting(a: &[u32], b: &[u32]) -> Option<(usize, usize)> {
    let find = |few: &[u32], many: &[u32]| {
        let starts = few.windows(ALIKE).take(SOON).enumerate();
        let met = starts.filter_map(|(skipped, run)| {
            let at = many.windows(ALIKE).position(|other| other == run)?;
            Some((skipped, at)).filter(|_| skipped + at > 0)
        });
        met.min_by_key(|(skipped, at)| skipped + at)
    };
    let swapped = find(b, a).map(|(b, a)| (a, b));
    find(a, b)
        .into_iter()
        .chain(swapped)
        .min_by_key(|(a, b)| a + b)
}

/// The longest common subsequence, with what is between its members (Hunt and Szymanski's problem,
/// by dynamic programming).
fn align(a: &[u32], b: &[u32]) -> Vec<Row> {
    let width = b.len() + 1;
    let mut best = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i * width + j] = match a[i] == b[j] {
                true => best[(i + 1) * width + j + 1] + 1,
                false => best[(i + 1) * width + j].max(best[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut rows = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(rows: &[Row]) -> String {
        let sign = |row: &Row| match row {
            (Some(_), Some(_)) => '=',
            (Some(_), None) => '<',
            _ => '>',
        };
        rows.iter().map(sign).collect()
    }

    #[test]
    fn the_longest_common_sequence_is_aligned() {
        let cases = [
            ("", "", 0),
            ("ab", "ab", 2),
            ("axb", "ab", 2),
            ("ab", "ayb", 2),
            ("abcd", "acbd", 3),
            ("abc", "", 0),
            ("", "ab", 0),
        ];
        for (a, b, both) in cases {
            let numbers = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
            let rows = align(&numbers(a), &numbers(b));
            let signs = signs(&rows);
            assert_eq!(signs.matches('=').count(), both, "{a} {b}: {signs}");
            assert_eq!(signs.len(), a.len() + b.len() - both, "{a} {b}: {signs}");
        }
    }

    #[test]
    fn names_of_blocks_are_not_what_an_event_is() {
        let cases = [
            ("takes lock 98024010", "takes lock 98024010"),
            (
                "IRP e0460 (Irp  block) CREATE to e01b0 (Devi block +0x8)",
                "IRP e0460 CREATE to e01b0",
            ),
            (
                "signals e0408 (File block +0x98) (state 1)",
                "signals e0408 (state 1)",
            ),
            ("lock 8010 (ipnat.sys+0x10)", "lock 8010 (ipnat.sys+0x10)"),
            ("an open one (File block", "an open one (File block"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_blocks(text), expected);
        }
    }

    #[test]
    fn long_runs_are_aligned_window_by_window() {
        // Every tenth event of the second run is missing in the first, and a thousand at once.
        let b: Vec<u32> = (0..9000).collect();
        let hole = 4000..5000;
        let missing = |n: &u32| n % 10 == 3 || hole.contains(n);
        let a: Vec<u32> = b.iter().copied().filter(|n| !missing(n)).collect();
        let (rows, cut) = align_all(&a, &b);
        assert!(!cut);
        let left: Vec<usize> = rows.iter().filter_map(|row| row.0).collect();
        let right: Vec<usize> = rows.iter().filter_map(|row| row.1).collect();
        assert_eq!(left, (0..a.len()).collect::<Vec<_>>(), "all, in order");
        assert_eq!(right, (0..b.len()).collect::<Vec<_>>(), "all, in order");
        for row in &rows {
            if let (Some(l), Some(r)) = *row {
                assert_eq!(a[l], b[r], "a pair is one thing");
            }
        }
        let pairs = signs(&rows).matches('=').count();
        assert!(pairs * 10 > a.len() * 9, "{pairs} of {}", a.len());
        let endless = vec![7; 2 * MOST];
        assert!(align_all(&endless, &[]).1, "more than there are rows for");
    }
}
