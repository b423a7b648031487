//! Colours and emphasis. Nothing is said by a colour alone, so all of them may be off.

use std::env;

use emu::report::Colour;
use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Whether colours are used (<https://no-color.org>).
    colour: bool,
}

impl Theme {
    /// Colours unless `NO_COLOR` says otherwise.
    pub fn of_terminal() -> Theme {
        Theme {
            colour: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// With or without colours.
    #[cfg(test)]
    pub fn new(colour: bool) -> Theme {
        Theme { colour }
    }

    fn paint(self, style: Style, colour: Color) -> Style {
        if self.colour { style.fg(colour) } else { style }
    }

    /// The line at the top.
    pub fn header(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What the cursor is on.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Border and title of the pane that has the focus.
    pub fn focus(self) -> Style {
        self.paint(Style::new().add_modifier(Modifier::BOLD), Color::Cyan)
    }

    /// What matters less.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters most.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Stops and faults.
    pub fn alarm(self) -> Style {
        self.paint(self.strong(), Color::Red)
    }

    /// Marks of events on the lanes.
    pub fn mark(self) -> Style {
        self.paint(self.strong(), Color::Yellow)
    }

    /// The text and the background of a stop screen.
    pub fn screen(self, foreground: Colour, background: Colour) -> Style {
        if !self.colour {
            return Style::new();
        }
        Style::new().fg(vga(foreground)).bg(vga(background))
    }
}

/// The colours of a VGA text display, as the terminal has them.
fn vga(colour: Colour) -> Color {
    match colour {
        Colour::Default => Color::Reset,
        Colour::Blue => Color::Blue,
        Colour::Grey => Color::Gray,
        Colour::White => Color::White,
    }
}
