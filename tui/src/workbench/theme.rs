//! Colours, emphasis and signs, as far as the terminal has them. Nothing is said by a colour
//! alone, and no two things differ as red and green do only, so all of them may be off.

use std::cell::RefCell;
use std::env;

use emu::report::Colour;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

/// How things look, and where they are.
#[derive(Debug)]
pub struct Theme {
    depth: Depth,
    /// Only characters of ASCII.
    ascii: bool,
    /// What the frame being drawn has at which place: what the mouse points to.
    places: RefCell<Vec<(Rect, Target)>>,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None, or none are wanted.
    None,
    /// The sixteen of ANSI, which every terminal shows in its own way.
    Ansi,
    /// The palette of 256.
    Palette,
    /// All of them.
    True,
}

/// What the mouse can point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The pane of the trace with this number.
    Pane(usize),
    /// An event on the lanes, by index.
    Event(usize),
    /// A row of the pane of the trace with this number, by index.
    Line(usize, usize),
    /// A row of the first screen, by index.
    Row(usize),
    /// A field of the chosen scenario, by index.
    Field(usize),
    /// A group of a search, by index.
    Group(usize),
}

/// Signs that are not ASCII, and what stands for them where there is only ASCII. The bars are the
/// heights of IRQLs as in [`emu::report::Height::ascii`].
const TWINS: &[(char, char)] = &[
    ('─', '-'),
    ('▂', '.'),
    ('▄', ':'),
    ('▆', '='),
    ('█', '#'),
    ('│', '|'),
    ('┃', '|'),
    ('┌', '+'),
    ('┐', '+'),
    ('└', '+'),
    ('┘', '+'),
    ('├', '+'),
    ('┤', '+'),
    ('┬', '+'),
    ('┴', '+'),
    ('┼', '+'),
    ('▶', '>'),
    ('◀', '<'),
    ('▸', '>'),
    ('◂', '<'),
    ('▼', 'v'),
    ('◆', '*'),
    ('◇', 'o'),
    ('↑', '^'),
    ('↓', 'v'),
    ('←', '<'),
    ('→', '>'),
    ('✗', 'x'),
    ('…', '~'),
];

/// What stands for a sign that has no twin.
const UNKNOWN: char = '?';

/// Colours by the number of them that there are: those of Okabe and Ito, which people with any
/// kind of colour vision tell apart (<https://jfly.uni-koeln.de/color/>), or the nearest ones.
struct Paint {
    ansi: Color,
    palette: u8,
    rgb: (u8, u8, u8),
}

const SKY_BLUE: Paint = Paint {
    ansi: Color::Cyan,
    palette: 74,
    rgb: (86, 180, 233),
};
const VERMILLION: Paint = Paint {
    ansi: Color::Red,
    palette: 166,
    rgb: (213, 94, 0),
};
const ORANGE: Paint = Paint {
    ansi: Color::Yellow,
    palette: 178,
    rgb: (230, 159, 0),
};

impl Depth {
    /// What `NO_COLOR` (<https://no-color.org>), `COLORTERM` and `TERM` say.
    fn of(no_colour: &str, colorterm: &str, term: &str) -> Depth {
        if !no_colour.is_empty() || term == "dumb" {
            return Depth::None;
        }
        if ["truecolor", "24bit"].contains(&colorterm) || term.ends_with("-direct") {
            return Depth::True;
        }
        match term.contains("256color") {
            true => Depth::Palette,
            false => Depth::Ansi,
        }
    }
}

/// Whether only ASCII may be shown: `IRQLAB_ASCII` says so, or the locale has another character
/// set than UTF-8. No locale at all says nothing about the terminal.
fn ascii(wish: &str, locale: &str) -> bool {
    match wish {
        "" => {
            let locale = locale.to_ascii_lowercase();
            !locale.is_empty() && !locale.contains("utf-8") && !locale.contains("utf8")
        }
        "0" => false,
        _ => true,
    }
}

impl Theme {
    /// What the environment says about the terminal.
    pub fn of_terminal() -> Theme {
        let get = |name: &str| env::var(name).unwrap_or_default();
        // The first that is set counts (POSIX, "Environment Variables").
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(get);
        let locale = locale.into_iter().find(|value| !value.is_empty());
        Theme::new(
            Depth::of(&get("NO_COLOR"), &get("COLORTERM"), &get("TERM")),
            ascii(&get("IRQLAB_ASCII"), &locale.unwrap_or_default()),
        )
    }

    /// So many colours, and only ASCII or not.
    pub fn new(depth: Depth, ascii: bool) -> Theme {
        Theme {
            depth,
            ascii,
            places: RefCell::default(),
        }
    }

    /// What is pointed to is here.
    pub fn place(&self, target: Target, area: Rect) {
        self.places.borrow_mut().push((area, target));
    }

    /// Forgets where things were: another frame begins.
    pub fn begin(&self) {
        self.places.borrow_mut().clear();
    }

    /// What is at a cell: what was drawn last covers what was drawn before.
    pub fn target(&self, column: u16, row: u16) -> Option<Target> {
        let at = Position { x: column, y: row };
        let places = self.places.borrow();
        let hit = places.iter().rev().find(|(area, _)| area.contains(at));
        hit.map(|(_, target)| *target)
    }

    /// What the screen calls a key.
    pub fn key(&self, key: super::keys::Key) -> String {
        match self.ascii {
            true => key.name(),
            false => key.sign(),
        }
    }

    /// Makes the frame one that the terminal can show.
    pub fn finish(&self, buffer: &mut Buffer) {
        if !self.ascii {
            return;
        }
        for cell in &mut buffer.content {
            if !cell.symbol().is_ascii() {
                let sign = cell.symbol().chars().next().unwrap_or(UNKNOWN);
                let twin = TWINS.iter().find(|(known, _)| *known == sign);
                cell.set_char(twin.map_or(UNKNOWN, |(_, twin)| *twin));
            }
        }
    }

    fn paint(&self, style: Style, paint: &Paint) -> Style {
        match self.depth {
            Depth::None => style,
            Depth::Ansi => style.fg(paint.ansi),
            Depth::Palette => style.fg(Color::Indexed(paint.palette)),
            Depth::True => style.fg(Color::Rgb(paint.rgb.0, paint.rgb.1, paint.rgb.2)),
        }
    }

    /// The line at the top.
    pub fn header(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What the cursor is on.
    pub fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Border and title of the pane that has the focus.
    pub fn focus(&self) -> Style {
        self.paint(Style::new().add_modifier(Modifier::BOLD), &SKY_BLUE)
    }

    /// What matters less.
    pub fn faint(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What matters most.
    pub fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Stops and faults.
    pub fn alarm(&self) -> Style {
        self.paint(self.strong(), &VERMILLION)
    }

    /// Marks of events on the lanes.
    pub fn mark(&self) -> Style {
        self.paint(self.strong(), &ORANGE)
    }

    /// The text and the background of a stop screen.
    pub fn screen(&self, foreground: Colour, background: Colour) -> Style {
        match self.depth {
            Depth::None => Style::new(),
            depth => Style::new()
                .fg(vga(depth, foreground))
                .bg(vga(depth, background)),
        }
    }
}

/// The colours of a VGA text display: exactly, or the nearest of the palette, or the terminal's.
fn vga(depth: Depth, colour: Colour) -> Color {
    let (ansi, palette, rgb) = match colour {
        Colour::Default => return Color::Reset,
        Colour::Blue => (Color::Blue, 19, (0, 0, 0xAA)),
        Colour::Grey => (Color::Gray, 248, (0xAA, 0xAA, 0xAA)),
        Colour::White => (Color::White, 231, (0xFF, 0xFF, 0xFF)),
    };
    match depth {
        Depth::None => Color::Reset,
        Depth::Ansi => ansi,
        Depth::Palette => Color::Indexed(palette),
        Depth::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu::report::Height;

    #[test]
    fn colours_are_those_of_the_terminal() {
        let cases = [
            (("1", "truecolor", "xterm-256color"), Depth::None),
            (("", "", "dumb"), Depth::None),
            (("", "truecolor", "xterm-256color"), Depth::True),
            (("", "", "xterm-direct"), Depth::True),
            (("", "", "screen-256color"), Depth::Palette),
            (("", "", "linux"), Depth::Ansi),
        ];
        for ((no_colour, colorterm, term), expected) in cases {
            assert_eq!(Depth::of(no_colour, colorterm, term), expected, "{term}");
        }
    }

    #[test]
    fn ascii_is_asked_for_or_follows_from_the_locale() {
        let cases = [
            ("", "", false),
            ("", "en_GB.UTF-8", false),
            ("", "C.utf8", false),
            ("", "C", true),
            ("", "de_DE.ISO-8859-1", true),
            ("1", "en_GB.UTF-8", true),
            ("0", "C", false),
        ];
        for (wish, locale, expected) in cases {
            assert_eq!(ascii(wish, locale), expected, "{wish:?} {locale:?}");
        }
    }

    #[test]
    fn twins_of_heights_are_those_of_reports() {
        let heights = [
            Height::Passive,
            Height::Apc,
            Height::Dispatch,
            Height::Device,
            Height::High,
        ];
        for height in heights {
            assert!(
                TWINS.contains(&(height.mark(), height.ascii())),
                "{height:?}"
            );
        }
        assert!(
            TWINS
                .iter()
                .all(|(sign, twin)| !sign.is_ascii() && twin.is_ascii())
        );
    }
}
