//! The registry: keys and values by path, without hives, security or links.
//!
//! Paths begin with `\Registry`. Keys and values are compared without regard to case and
//! enumerated in the order in which they came to be; a key exists if it, a value of it or a key
//! below it was written (Windows driver documentation, "Registry Key Object Routines").

pub mod query;
pub mod zw;

use std::collections::BTreeMap;

use crate::scenario::plan::RegValue;

pub use query::Query;
pub(crate) use query::routine_returned;

/// `REG_` types (`winnt.h`).
pub mod kind {
    #![allow(missing_docs)]
    pub const NONE: u32 = 0;
    pub const SZ: u32 = 1;
    pub const EXPAND_SZ: u32 = 2;
    pub const BINARY: u32 = 3;
    pub const DWORD: u32 = 4;
    pub const MULTI_SZ: u32 = 7;
}

/// A value's data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    /// One of the `REG_` types in [`kind`].
    pub kind: u32,
    /// The data as the registry keeps it: strings are terminated UTF-16, numbers little-endian.
    pub data: Vec<u8>,
}

/// A key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Key {
    /// Its name without the path, as first written.
    name: String,
    /// Names and values, oldest first.
    values: Vec<(String, Value)>,
    /// Names of the keys below it, as first written, oldest first.
    children: Vec<String>,
}

/// All keys.
#[derive(Clone, Debug, Default, Hash)]
pub struct Registry {
    /// By path in lower case.
    keys: BTreeMap<String, Key>,
}

/// UTF-16, little-endian, not terminated.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl From<&RegValue> for Value {
    fn from(value: &RegValue) -> Value {
        let terminated = |text: &str| [utf16(text), vec![0, 0]].concat();
        let (kind, data) = match value {
            RegValue::Sz(text) => (kind::SZ, terminated(text)),
            RegValue::MultiSz(list) => {
                let strings = list.iter().flat_map(|text| terminated(text));
                (kind::MULTI_SZ, strings.chain([0, 0]).collect())
            }
            RegValue::Dword(number) => (kind::DWORD, number.to_le_bytes().to_vec()),
            RegValue::Binary(data) => (kind::BINARY, data.clone()),
        };
        Value { kind, data }
    }
}

/// A path as the map of keys has it.
fn canonical(path: &str) -> String {
    path.trim_end_matches('\\').to_lowercase()
}

impl Registry {
    /// A registry with these values: key path, value name, data. A later value replaces an
    /// earlier one of the same name.
    pub fn new(values: &[(String, String, RegValue)]) -> Registry {
        let mut registry = Registry::default();
        for (key, name, value) in values {
            registry.create(key);
            registry.set(key, name, value.into());
        }
        registry
    }

    /// Whether there is such a key.
    pub fn exists(&self, path: &str) -> bool {
        self.keys.contains_key(&canonical(path))
    }

    /// Creates a key and all keys above it; false if it was there already.
    pub fn create(&mut self, path: &str) -> bool {
        let path = path.trim_end_matches('\\');
        if path.is_empty() || self.exists(path) {
            return false;
        }
        let (parent, name) = path.rsplit_once('\\').unwrap_or(("", path));
        self.create(parent);
        if let Some(parent) = self.keys.get_mut(&canonical(parent)) {
            parent.children.push(name.to_owned());
        }
        let key = Key {
            name: name.to_owned(),
            ..Key::default()
        };
        self.keys.insert(canonical(path), key);
        true
    }

    /// Deletes a key without keys below it; false if it is not such a key.
    pub fn delete(&mut self, path: &str) -> bool {
        let path = canonical(path);
        if self.keys.get(&path).is_none_or(|k| !k.children.is_empty()) {
            return false;
        }
        self.keys.remove(&path);
        if let Some((parent, name)) = path.rsplit_once('\\')
            && let Some(parent) = self.keys.get_mut(parent)
        {
            parent.children.retain(|child| child.to_lowercase() != name);
        }
        true
    }

    /// A value of a key.
    pub fn value(&self, path: &str, name: &str) -> Option<&Value> {
        let name = name.to_lowercase();
        self.values(path)
            .find(|(n, _)| n.to_lowercase() == name)
            .map(|(_, v)| v)
    }

    /// Sets a value; false if there is no such key.
    pub fn set(&mut self, path: &str, name: &str, value: Value) -> bool {
        let Some(key) = self.keys.get_mut(&canonical(path)) else {
            return false;
        };
        let lower = name.to_lowercase();
        match key
            .values
            .iter_mut()
            .find(|(n, _)| n.to_lowercase() == lower)
        {
            Some((_, old)) => *old = value,
            None => key.values.push((name.to_owned(), value)),
        }
        true
    }

    /// Deletes a value; false if there is no such value.
    pub fn delete_value(&mut self, path: &str, name: &str) -> bool {
        let Some(key) = self.keys.get_mut(&canonical(path)) else {
            return false;
        };
        let before = key.values.len();
        let lower = name.to_lowercase();
        key.values.retain(|(n, _)| n.to_lowercase() != lower);
        key.values.len() < before
    }

    /// Names and values of a key, oldest first; none if there is no such key.
    pub fn values(&self, path: &str) -> impl Iterator<Item = (&str, &Value)> {
        let key = self.keys.get(&canonical(path));
        key.into_iter()
            .flat_map(|k| k.values.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// Names of the keys below a key, oldest first; none if there is no such key.
    pub fn children(&self, path: &str) -> impl Iterator<Item = &str> {
        let key = self.keys.get(&canonical(path));
        key.into_iter()
            .flat_map(|k| k.children.iter().map(String::as_str))
    }

    /// A key's name without its path.
    pub fn name(&self, path: &str) -> Option<&str> {
        self.keys.get(&canonical(path)).map(|k| k.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let key = "\\Registry\\Machine\\System\\Sample\\Parameters".to_owned();
        Registry::new(&[
            (key.clone(), "Router".into(), RegValue::Dword(1)),
            (
                key.clone(),
                "Bind".into(),
                RegValue::MultiSz(vec!["a".into(), "b".into()]),
            ),
            (key, "ROUTER".into(), RegValue::Dword(2)),
        ])
    }

    #[test]
    fn keys_and_values_ignore_case_and_keep_their_order() {
        let r = registry();
        let key = "\\REGISTRY\\machine\\system\\SAMPLE\\parameters\\";
        assert!(r.exists(key));
        let two = Value {
            kind: kind::DWORD,
            data: vec![2, 0, 0, 0],
        };
        assert_eq!(r.value(key, "router"), Some(&two));
        let names: Vec<&str> = r.values(key).map(|(name, _)| name).collect();
        assert_eq!(names, ["Router", "Bind"]);
    }

    #[test]
    fn a_key_brings_the_keys_above_it() {
        let r = registry();
        let above: Vec<&str> = r.children("\\Registry\\Machine\\System").collect();
        assert_eq!(above, ["Sample"]);
        assert!(!r.exists("\\Registry\\Machine\\Software"));
        assert_eq!(
            r.name("\\registry\\machine\\SYSTEM\\sample"),
            Some("Sample")
        );
    }

    #[test]
    fn strings_are_terminated_utf16() {
        let value = Value::from(&RegValue::MultiSz(vec!["a".into(), "b".into()]));
        assert_eq!(value.data, [b'a', 0, 0, 0, b'b', 0, 0, 0, 0, 0]);
        assert_eq!(Value::from(&RegValue::Sz("é".into())).data, [0xE9, 0, 0, 0]);
    }

    #[test]
    fn keys_with_keys_below_stay() {
        let mut r = registry();
        assert!(!r.delete("\\Registry\\Machine\\System\\Sample"));
        assert!(r.delete("\\Registry\\Machine\\System\\Sample\\PARAMETERS"));
        assert!(r.delete("\\Registry\\Machine\\System\\Sample"));
        assert_eq!(r.children("\\Registry\\Machine\\System").count(), 0);
    }
}
