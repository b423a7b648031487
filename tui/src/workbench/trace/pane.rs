//! The panes, their names and their order.

use emu::scene;

/// The panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The lanes.
    Timeline,
    /// Source and disassembly.
    Code,
    /// The reasons of the stop.
    Why,
    /// The events.
    Events,
    /// The run, the event log, and the line that repeats it.
    Run,
    /// The notes.
    Notes,
    /// This run beside the one that it was forked from.
    Diff,
    /// A table of the machine at the moment, by index in [`scene::PANES`].
    Scene(usize),
}

/// Tables that have a pane of their own kind here.
const OWN: [&str; 4] = ["why", "events", "code", "timeline"];

impl Pane {
    /// In the order of their numbers and of the Tab key.
    pub fn all() -> Vec<Pane> {
        let scenes = scene::PANES.iter().enumerate();
        let scenes = scenes.filter(|(_, pane)| !OWN.contains(&pane.name));
        let scenes = scenes.map(|(i, _)| Self::Scene(i));
        [Self::Timeline, Self::Code, Self::Why]
            .into_iter()
            .chain(scenes)
            .chain([Self::Events, Self::Notes, Self::Diff, Self::Run])
            .collect()
    }

    /// Those that share a place.
    pub fn tabs() -> Vec<Pane> {
        Self::all().split_off(2)
    }

    /// Whether it shares a place with others.
    pub fn is_tab(self) -> bool {
        !matches!(self, Self::Timeline | Self::Code)
    }

    /// Its title.
    pub fn title(self) -> String {
        let name = self.name();
        match name {
            "irps" => "IRPs".into(),
            _ => name[..1].to_uppercase() + &name[1..],
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Code => "code",
            Self::Why => "why",
            Self::Events => "events",
            Self::Notes => "notes",
            Self::Diff => "diff",
            Self::Run => "run",
            Self::Scene(i) => scene::PANES[i].name,
        }
    }

    /// Its number, from 1: a digit gives the first nine the focus.
    pub fn number(self) -> usize {
        let all = Self::all();
        all.iter()
            .position(|pane| *pane == self)
            .map_or(0, |i| i + 1)
    }

    /// The pane with this name or number.
    pub fn find(word: &str) -> Option<Pane> {
        let all = Self::all();
        match word.parse::<usize>() {
            Ok(number) => all.get(number.checked_sub(1)?).copied(),
            Err(_) => all.into_iter().find(|pane| pane.name() == word),
        }
    }
}
