//! Which oracles are asked: those that are on by default, changed by words such as `race`,
//! `no-livelock`, `all` and `none`.

use std::fmt;

use super::{ORACLES, Oracle, defaults};

/// A word that names no oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(
    /// The word.
    pub String,
);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = ORACLES.iter().map(|o| o.name).collect();
        let all = names.join(", ");
        write!(f, "'{}' is no oracle; there are {all}, all, none", self.0)
    }
}

/// The oracles that words ask for, in their order. Words are taken one after the other: a name
/// turns an oracle on, a name after `no-` or `-` turns it off, `all` and `none` mean every one.
///
/// # Errors
/// A word that names no oracle.
pub fn select<S: AsRef<str>>(words: &[S]) -> Result<Vec<&'static Oracle>, Unknown> {
    let mut on: Vec<&str> = defaults().iter().map(|o| o.name).collect();
    for word in words.iter().map(AsRef::as_ref) {
        let off = word.strip_prefix("no-").or(word.strip_prefix('-'));
        let name = off.unwrap_or(word);
        let named: Vec<&str> = match name {
            "all" => ORACLES.iter().map(|o| o.name).collect(),
            "none" if off.is_none() => {
                on.clear();
                continue;
            }
            _ => match super::find(name) {
                Some(oracle) => vec![oracle.name],
                None => return Err(Unknown(word.to_owned())),
            },
        };
        on.retain(|n| !named.contains(n));
        if off.is_none() {
            on.extend(named);
        }
    }
    Ok(ORACLES.iter().filter(|o| on.contains(&o.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let all = select(words).expect("all are oracles");
        all.iter().map(|o| o.name).collect()
    }

    #[test]
    fn words_turn_oracles_on_and_off() {
        let all: Vec<&str> = ORACLES.iter().map(|o| o.name).collect();
        assert_eq!(names(&["all"]), all);
        assert!(names(&["none"]).is_empty());
        assert_eq!(names(&["none", "race", "livelock", "-livelock"]), ["race"]);
        assert!(!names(&["no-race"]).contains(&"race"));
        assert_eq!(
            names(&[]),
            defaults().iter().map(|o| o.name).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_word_that_is_no_oracle() {
        let message = select(&["races"]).err().map(|e| e.to_string());
        assert!(message.is_some_and(|m| m.contains("'races'") && m.contains("lock-order")));
    }

    #[test]
    fn names_are_unique_and_found() {
        for oracle in ORACLES {
            let named = ORACLES.iter().filter(|o| o.name == oracle.name);
            assert_eq!(named.count(), 1, "{}", oracle.name);
            assert!(super::super::find(oracle.name).is_some());
            assert!(!oracle.name.starts_with("no-") && !oracle.help.is_empty());
        }
    }
}
