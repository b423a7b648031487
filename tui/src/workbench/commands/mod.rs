//! Every action as a command: id, help, keys and handler, in a file per group. The keys, the
//! hints, the help, the palette, the command line and its completion, and `docs/KEYS.md` all come
//! from these lists, so that a key is never named twice and a new command is one entry.

mod everywhere;
mod home;
mod outside;
mod search;
mod stop;
mod trace;

use super::app::{App, Effect, View};
use ratatui::crossterm::event::KeyCode;

use super::keys::{Key, letter};
use crate::suggest;

/// An action of the user.
pub struct Command {
    /// Its name: what is typed after a colon.
    pub id: &'static str,
    /// What it does, for the help.
    pub help: &'static str,
    /// The same in a word or two for the hint line; empty if it is not shown there.
    pub hint: &'static str,
    /// Its keys; the first is the one that is shown. One without keys is called by its name.
    pub keys: &'static [Key],
    /// Where it works.
    pub views: &'static [View],
    /// What may follow its name.
    pub args: Option<&'static Args>,
    /// Carries it out with the words that follow its name; a digit that is its key is such a word.
    pub act: fn(&mut App, &[String]) -> Effect,
}

/// The words that may follow the name of a command.
pub struct Args {
    /// How they are written.
    pub form: &'static str,
    /// Without any of them the command has no meaning.
    pub required: bool,
    /// What the next word may be, after those that are there.
    pub complete: fn(&App, &[String]) -> Vec<String>,
}

/// The name of a file.
const FILE: Args = Args {
    form: "FILE",
    required: true,
    complete: |_, _| Vec::new(),
};

/// What a command has unless it says otherwise.
const PLAIN: Command = Command {
    id: "",
    help: "",
    hint: "",
    keys: &[],
    views: &[],
    args: None,
    act: |_, _| Effect::None,
};

/// Commands that belong together.
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// In the order of the help.
    pub commands: &'static [Command],
}

pub(super) use outside::explore_job;

/// All commands, in the order of the help.
pub const GROUPS: &[Group] = &[
    home::GROUP,
    search::GROUP,
    stop::GROUP,
    trace::GROUP,
    outside::GROUP,
    everywhere::GROUP,
];

/// All views.
pub const ALL: &[View] = &[View::Home, View::Search, View::Stop, View::Trace];

/// All commands.
pub fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|group| group.commands)
}

/// The commands of a view.
pub fn in_view(view: View) -> impl Iterator<Item = &'static Command> {
    all().filter(move |command| command.views.contains(&view))
}

/// The command of a key in a view.
pub fn of_key(view: View, pressed: Key) -> Option<&'static Command> {
    in_view(view).find(|command| command.keys.iter().any(|key| key.matches(pressed)))
}

/// The upper-case key that goes back in time where a command's lower-case one goes forward.
pub fn reverse(view: View, command: &Command) -> Option<Key> {
    let back = match command.keys.first()? {
        Key::Plain(KeyCode::Char(c)) if c.is_ascii_lowercase() => letter(c.to_ascii_uppercase()),
        _ => return None,
    };
    let there = of_key(view, back)?;
    let ids = [
        format!("{}-back", command.id),
        command.id.replace("next", "previous"),
    ];
    (there.id != command.id && ids.iter().any(|id| id == there.id)).then_some(back)
}

/// The command with this id or the only one that begins like it.
///
/// # Errors
/// There is none, or there are several; with the mend.
pub fn of_name(view: View, name: &str) -> Result<&'static Command, String> {
    if let Some(command) = in_view(view).find(|command| command.id == name) {
        return Ok(command);
    }
    let like: Vec<_> = in_view(view).filter(|c| c.id.starts_with(name)).collect();
    match like[..] {
        [command] => Ok(command),
        [] => {
            let elsewhere = all().find(|command| command.id == name);
            if let Some(command) = elsewhere {
                let places: Vec<&str> = command.views.iter().map(|view| view.name()).collect();
                return Err(format!("'{name}' works on {} only", places.join(" and ")));
            }
            let known: Vec<&str> = in_view(view).map(|command| command.id).collect();
            let mend = match suggest::near(name, &known) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "Tab shows what there is".to_owned(),
            };
            Err(format!("there is no command '{name}'\nmend: {mend}"))
        }
        _ => {
            let ids: Vec<&str> = like.iter().map(|command| command.id).collect();
            Err(format!(
                "'{name}' may be {}\nmend: type more of it",
                ids.join(", ")
            ))
        }
    }
}

impl Command {
    /// Its id with the form of its words.
    pub fn form(&self) -> String {
        match self.args {
            Some(args) => format!("{} {}", self.id, args.form),
            None => self.id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_commands_share_a_key() {
        for view in ALL {
            let here: Vec<_> = in_view(*view).collect();
            for (i, one) in here.iter().enumerate() {
                for other in &here[i + 1..] {
                    for key in one.keys {
                        let clash = other.keys.iter().any(|k| k.matches(*key));
                        let (one, other, key) = (one.id, other.id, key.name());
                        assert!(!clash, "{view:?}: {one} and {other} share {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_command_has_a_name_of_its_own_and_help() {
        let ids: BTreeSet<_> = all().map(|c| c.id).collect();
        assert_eq!(ids.len(), all().count());
        for command in all() {
            let (id, args) = (command.id, command.args);
            assert!(!command.help.is_empty() && !id.contains(' '), "{id:?}");
            assert!(!command.views.is_empty(), "{id}");
            assert!(args.is_none_or(|args| !args.form.is_empty()), "{id}");
            assert!(command.hint.is_empty() || !command.keys.is_empty(), "{id}");
            // The help is not cut on the smallest terminal with several panes.
            assert!(command.help.chars().count() <= 61, "{id}");
        }
    }

    #[test]
    fn names_may_be_cut_short_while_they_are_unique() {
        let found = |name| of_name(View::Trace, name).map(|command| command.id);
        assert_eq!(found("quit"), Ok("quit"));
        assert_eq!(found("q"), Ok("quit"));
        // One id is the beginning of others.
        assert_eq!(found("pane"), Ok("pane"));
        let error = |name| found(name).unwrap_err();
        assert!(
            error("zoom").contains("zoom-pane, zoom-in"),
            "{}",
            error("zoom")
        );
        assert!(error("qiit").contains("did you mean 'quit'"));
        assert!(
            error("find").contains("on the first screen only"),
            "{}",
            error("find")
        );
        assert!(error("nothing-like-it").contains("Tab"));
    }
}
