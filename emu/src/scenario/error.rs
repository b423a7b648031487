//! What is wrong with a scenario, where, and how to mend it.

use std::fmt;
use std::ops::Range;

/// A scenario, or a choice made for it, that cannot be used. `Display` shows the place, the
/// problem, the offending line and the mend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScenarioError {
    /// Where: `FILE:LINE:COLUMN`, or the command-line option. Lines and columns count from 1,
    /// columns in characters.
    pub origin: String,
    /// Line in the file; 0 if the error is not in the file.
    pub line: u32,
    /// Column in the line; 0 if the error is not in the file.
    pub column: u32,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub mend: String,
    /// The offending line, and how many of its characters from `column` on are meant.
    pub excerpt: Option<(String, usize)>,
}

impl ScenarioError {
    /// An error that is not in the file's text.
    pub(super) fn elsewhere(
        origin: &str,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> ScenarioError {
        ScenarioError {
            origin: origin.to_owned(),
            line: 0,
            column: 0,
            problem: problem.into(),
            mend: mend.into(),
            excerpt: None,
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.problem)?;
        if let Some((text, marked)) = &self.excerpt {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            // Tabs of the line are kept before the mark, so that it stands under its text.
            let before = text.chars().take(self.column as usize - 1);
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n{gutter} |\n{number} | {text}\n{gutter} | {indent}")?;
            f.write_str(&"^".repeat((*marked).max(1)))?;
        }
        if !self.mend.is_empty() {
            write!(f, "\nmend: {}", self.mend)?;
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioError {}

/// The text of a TOML file, a scenario or another, and the name that messages give it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The name.
    pub file: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// What the file says.
    ///
    /// # Errors
    /// The first mistake in its form, with its place and how to mend it.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, ScenarioError> {
        toml::from_str(&self.text).map_err(|error| super::parse::toml_error(self, &error))
    }

    /// An error about the bytes of `span`.
    pub fn error(
        &self,
        span: Range<usize>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> ScenarioError {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_text = self.text[line_start..].lines().next().unwrap_or("");
        let line_end = line_start + line_text.len();
        let column = self.text[line_start..start].chars().count() + 1;
        let marked = self.text[start.min(line_end)..end.min(line_end)]
            .chars()
            .count();
        let line = self.line(start);
        ScenarioError {
            origin: format!("{}:{line}:{column}", self.file),
            line,
            column: column as u32,
            problem: problem.into(),
            mend: mend.into(),
            excerpt: Some((line_text.to_owned(), marked)),
        }
    }

    /// An error about a part of the string that is the TOML value at `span`. The value's
    /// characters stand in the text as they are unless the string has escapes; then the whole
    /// value is shown.
    pub fn error_within(
        &self,
        span: Range<usize>,
        value: &str,
        part: Range<usize>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> ScenarioError {
        let outer = self.boundary(span.start)..self.boundary(span.end);
        let inner = match self.text.get(outer.clone()).and_then(|raw| raw.find(value)) {
            Some(at) if !value.is_empty() => {
                let start = outer.start + at;
                start + part.start.min(value.len())..start + part.end.min(value.len())
            }
            _ => outer,
        };
        self.error(inner, problem, mend)
    }

    /// The line, from 1, in which this byte stands.
    pub fn line(&self, at: usize) -> u32 {
        self.text[..self.boundary(at)].matches('\n').count() as u32 + 1
    }

    /// The nearest character boundary at or before `at`.
    fn boundary(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at)
            .rev()
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(0)
    }
}

/// A mend for a word that is none of `known`: the nearest known word if it is near, else all of
/// them after `intro`.
pub(crate) fn one_of<'a>(
    intro: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, &known) {
        Some(near) => format!("did you mean '{near}'?"),
        None if known.is_empty() => format!("{intro}: none"),
        None => format!("{intro}: {}", known.join(", ")),
    }
}

/// The known word with the smallest edit distance, if at most a third of the word differs.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distances = known.iter().map(|&k| (edit_distance(word, k), k));
    let (distance, near) = distances.min_by_key(|&(distance, _)| distance)?;
    (distance <= word.chars().count().max(near.chars().count()).div_ceil(3)).then_some(near)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment, case ignored).
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(edit_distance("urgent", "urgent"), 0);
        assert_eq!(edit_distance("urgnet", "urgent"), 1);
        assert_eq!(edit_distance("cpu", "cpus"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(
            one_of("one of", "drivr", ["driver", "thread"]),
            "did you mean 'driver'?"
        );
        assert_eq!(
            one_of("one of", "weather", ["driver", "thread"]),
            "one of: driver, thread"
        );
    }

    #[test]
    fn marks_columns_in_characters() {
        let source = Source {
            file: "a.toml".to_owned(),
            text: "x\n\té = bad\n".to_owned(),
        };
        let error = source.error(8..11, "no", "");
        assert_eq!((error.line, error.column), (2, 6));
        assert_eq!(
            error.to_string(),
            "a.toml:2:6: no\n  |\n2 | \té = bad\n  | \t    ^^^"
        );
    }
}
