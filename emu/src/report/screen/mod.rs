//! The screen that a stopped Windows shows: one file per layout.

mod neutral;
mod nt4;
mod ws2003;

use isa::Profile;

use super::facts::StopFacts;
use super::layout::visible;
use crate::personality::Personality;

/// A colour by name; what it looks like is the terminal's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Whatever the terminal uses.
    Default,
    /// VGA colour 1, which is colour 4 of the boot video driver's palette.
    Blue,
    /// VGA colour 7.
    Grey,
    /// VGA colour 15.
    White,
}

/// A stop screen: text on a grid of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Cells per line; no line is longer.
    pub columns: usize,
    /// Lines that the display has; `lines` never has more.
    pub rows: usize,
    /// The text from the top, without trailing spaces. Lines below the last are empty.
    pub lines: Vec<String>,
    /// Colour of the text.
    pub foreground: Colour,
    /// Colour of everything else.
    pub background: Colour,
    /// What a reader must know that is not on the screen, for example that this machine's
    /// screen has no public text.
    pub note: Option<String>,
}

/// The screen of a stopped machine. A machine whose screen has no public text gets the facts in a
/// neutral layout and a note that says so.
pub fn render(facts: &StopFacts) -> Screen {
    match (facts.personality, facts.profile) {
        (Personality::Nt4, Profile::I386) => nt4::render(facts),
        (Personality::Nt4, _) => neutral::render(facts),
        (Personality::Ws2003Sp1 | Personality::Ws2003Sp2, _) => ws2003::render(facts),
    }
}

/// A text display: what is printed runs on into the next line at the right edge, and scrolls off
/// the top at the bottom edge.
struct Display {
    columns: usize,
    rows: usize,
    lines: Vec<String>,
}

impl Display {
    fn new(columns: usize, rows: usize) -> Self {
        Display {
            columns,
            rows,
            lines: Vec::new(),
        }
    }

    /// Prints one line of text.
    fn print(&mut self, text: &str) {
        let cells: Vec<char> = text.trim_end().chars().map(visible).collect();
        if cells.is_empty() {
            self.lines.push(String::new());
        }
        for part in cells.chunks(self.columns) {
            let line: String = part.iter().collect();
            self.lines.push(line.trim_end().to_string());
        }
    }

    /// Prints several lines of text, which are separated by line feeds.
    fn print_all(&mut self, text: &str) {
        for line in text.lines() {
            self.print(line);
        }
    }

    fn finish(mut self, foreground: Colour, background: Colour, note: Option<String>) -> Screen {
        let excess = self.lines.len().saturating_sub(self.rows);
        self.lines.drain(..excess);
        Screen {
            columns: self.columns,
            rows: self.rows,
            lines: self.lines,
            foreground,
            background,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_wraps_at_the_edge_and_scrolls_at_the_bottom() {
        let mut display = Display::new(4, 3);
        display.print("abcdefgh");
        display.print("");
        display.print("1234");
        let screen = display.finish(Colour::White, Colour::Blue, None);
        assert_eq!(screen.lines, ["efgh", "", "1234"]);
    }
}
