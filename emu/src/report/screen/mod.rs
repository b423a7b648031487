//! The screen that a stopped Windows shows.

/// A colour by name; what it looks like is the terminal's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Whatever the terminal uses.
    Default,
    /// VGA colour 1 or 4 of the boot palette.
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
