//! The object namespace, as far as device drivers use it: named devices and events, and symbolic
//! links to them, in a fixed set of directories.
//!
//! Names are compared without regard to case. `\DosDevices` and `\GLOBAL??` are links to `\??`
//! (Windows driver documentation, "Object Names", "Introduction to MS-DOS Device Names").

use std::collections::BTreeMap;

use crate::nt::status;

/// Directories that exist from the start; drivers cannot make others here.
const DIRECTORIES: [&str; 7] = [
    "",
    "\\device",
    "\\??",
    "\\driver",
    "\\filesystem",
    "\\callback",
    "\\basenamedobjects",
];

/// Links followed in one look-up before it counts as a loop.
const LINKS_MAX: usize = 32;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A device object, by address.
    Device(u64),
    /// An event object, by address.
    Event(u64),
    /// Another name.
    Link(String),
}

/// All names.
#[derive(Clone, Debug, Default, Hash)]
pub struct Namespace {
    /// By full path in lower case, with `\??` for its other names.
    entries: BTreeMap<String, Entry>,
}

impl Namespace {
    /// Adds a name.
    ///
    /// # Errors
    /// The status that the object manager gives: a path that does not begin with a backslash, in
    /// no directory, or taken.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), u32> {
        let path = canonical(path)?;
        let (directory, name) = path.rsplit_once('\\').unwrap_or(("", ""));
        if name.is_empty() {
            return Err(status::OBJECT_NAME_INVALID);
        }
        if !DIRECTORIES.contains(&directory) {
            return Err(status::OBJECT_PATH_NOT_FOUND);
        }
        if self.entries.contains_key(&path) || DIRECTORIES.contains(&path.as_str()) {
            return Err(status::OBJECT_NAME_COLLISION);
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Takes a name away; gives what it stood for. Links are not followed.
    ///
    /// # Errors
    /// The status that the object manager gives if there is no such name.
    pub fn remove(&mut self, path: &str) -> Result<Entry, u32> {
        let path = canonical(path)?;
        self.entries
            .remove(&path)
            .ok_or(status::OBJECT_NAME_NOT_FOUND)
    }

    /// Takes away the name of a device or event.
    pub fn remove_object(&mut self, object: u64) {
        self.entries
            .retain(|_, e| !matches!(e, Entry::Device(o) | Entry::Event(o) if *o == object));
    }

    /// The name of a device or event, in lower case.
    pub fn name_of(&self, object: u64) -> Option<&str> {
        let named = |e: &Entry| matches!(e, Entry::Device(o) | Entry::Event(o) if *o == object);
        self.entries
            .iter()
            .find(|(_, e)| named(e))
            .map(|(name, _)| name.as_str())
    }

    /// Every symbolic link and what it stands for, in the order of their names, which are in lower
    /// case.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(|(name, entry)| match entry {
            Entry::Link(target) => Some((name.as_str(), target.as_str())),
            Entry::Device(_) | Entry::Event(_) => None,
        })
    }

    /// Follows a path through links to the first object on it: the object and the rest of the
    /// path, which is the object's own business, in its original case.
    ///
    /// # Errors
    /// The status that the object manager gives: a path that does not begin with a backslash, or
    /// one that leads nowhere.
    pub fn find(&self, path: &str) -> Result<(Entry, String), u32> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            match self.step(&path)? {
                (Entry::Link(target), rest) => path = target + &rest,
                found => return Ok(found),
            }
        }
        Err(status::OBJECT_NAME_NOT_FOUND)
    }

    /// The first entry on a path, and the rest of the path.
    fn step(&self, path: &str) -> Result<(Entry, String), u32> {
        if !path.starts_with('\\') {
            return Err(status::OBJECT_PATH_SYNTAX_BAD);
        }
        let ends = path
            .char_indices()
            .skip(1)
            .filter(|(_, c)| *c == '\\')
            .map(|(i, _)| i);
        for end in ends.chain([path.len()]) {
            let prefix = canonical(&path[..end])?;
            if let Some(entry) = self.entries.get(&prefix) {
                return Ok((entry.clone(), path[end..].to_owned()));
            }
            if !DIRECTORIES.contains(&prefix.as_str()) {
                let last = end == path.len();
                return Err(if last {
                    status::OBJECT_NAME_NOT_FOUND
                } else {
                    status::OBJECT_PATH_NOT_FOUND
                });
            }
        }
        // The path names a directory.
        Err(status::OBJECT_TYPE_MISMATCH)
    }
}

/// Lower case, and one spelling for the directory of MS-DOS device names.
fn canonical(path: &str) -> Result<String, u32> {
    if !path.starts_with('\\') {
        return Err(status::OBJECT_PATH_SYNTAX_BAD);
    }
    let lower = path.to_lowercase();
    for alias in ["\\dosdevices", "\\global??"] {
        if let Some(rest) = lower.strip_prefix(alias)
            && (rest.is_empty() || rest.starts_with('\\'))
        {
            return Ok(format!("\\??{rest}"));
        }
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Namespace {
        let mut names = Namespace::default();
        names.insert("\\Device\\Tcp", Entry::Device(0x100)).unwrap();
        names
            .insert("\\DosDevices\\TCP", Entry::Link("\\Device\\Tcp".into()))
            .unwrap();
        names
    }

    #[test]
    fn a_device_is_found_by_any_case_and_through_links() {
        let names = names();
        let device = |rest: &str| Ok((Entry::Device(0x100), rest.to_owned()));
        assert_eq!(names.find("\\device\\TCP"), device(""));
        assert_eq!(names.find("\\??\\Tcp\\Some\\File"), device("\\Some\\File"));
        assert_eq!(names.find("\\GLOBAL??\\tcp"), device(""));
        assert_eq!(names.name_of(0x100), Some("\\device\\tcp"));
    }

    #[test]
    fn what_is_not_there_says_how_far_the_path_led() {
        let names = names();
        assert_eq!(
            names.find("\\Device\\Udp"),
            Err(status::OBJECT_NAME_NOT_FOUND)
        );
        assert_eq!(
            names.find("\\Devices\\Udp"),
            Err(status::OBJECT_PATH_NOT_FOUND)
        );
        assert_eq!(
            names.find("Device\\Udp"),
            Err(status::OBJECT_PATH_SYNTAX_BAD)
        );
        assert_eq!(names.find("\\Device"), Err(status::OBJECT_TYPE_MISMATCH));
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = names();
        let again = names.insert("\\DEVICE\\tcp", Entry::Device(0x200));
        assert_eq!(again, Err(status::OBJECT_NAME_COLLISION));
        let nowhere = names.insert("\\Device\\Tcp\\Sub", Entry::Device(0x200));
        assert_eq!(nowhere, Err(status::OBJECT_PATH_NOT_FOUND));
        names.remove_object(0x100);
        assert_eq!(names.insert("\\DEVICE\\tcp", Entry::Device(0x200)), Ok(()));
    }

    #[test]
    fn links_in_a_circle_end() {
        let mut names = Namespace::default();
        names
            .insert("\\??\\A", Entry::Link("\\??\\B".into()))
            .unwrap();
        names
            .insert("\\??\\B", Entry::Link("\\??\\A".into()))
            .unwrap();
        assert_eq!(names.find("\\??\\A"), Err(status::OBJECT_NAME_NOT_FOUND));
    }
}
