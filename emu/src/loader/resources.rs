//! The version resource (Microsoft, "VS_VERSIONINFO structure" and its children).
//!
//! The block is a tree of nodes: length, length of the value, kind of the value, a UTF-16 key, the
//! value, then the children; key and value are each padded to 4 bytes.

use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ResourceDirectory, ResourceDirectoryTable};

use super::LoadError;
use super::pe::Directory;

/// The signature of `VS_FIXEDFILEINFO`.
const FIXED_SIGNATURE: u32 = 0xFEEF_04BD;

/// The most strings that are kept; it bounds the work on a damaged tree.
const MOST_STRINGS: usize = 1024;

/// What the version resource of a driver says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// The file version, for example 5.2.3790.1830.
    pub file_version: [u16; 4],
    /// The version of the product it belongs to.
    pub product_version: [u16; 4],
    /// `dwFileFlags` as far as `dwFileFlagsMask` makes them valid: 1 debug, 2 prerelease, ...
    pub flags: u32,
    /// The strings of the first language, by key: `FileDescription`, `OriginalFilename`, ...
    pub strings: BTreeMap<String, String>,
}

/// Finds and reads the first version resource of a mapped image.
pub(super) fn version(data: &[u8], directory: Directory) -> Result<Option<Version>, LoadError> {
    let bad = |problem| LoadError::BadTable {
        table: "resource",
        rva: directory.rva,
        problem,
    };
    let section = directory
        .bytes(data)
        .ok_or_else(|| bad("it lies outside the image"))?;
    let resources = ResourceDirectory::new(section);
    let root = resources
        .root()
        .map_err(|_| bad("its root lies outside the table"))?;
    let Some(block) = find_version(resources, &root).map_err(|()| bad("its tree is broken"))?
    else {
        return Ok(None);
    };
    let block = Directory {
        rva: block.offset_to_data.get(LE),
        len: block.size.get(LE),
    };
    let block = block
        .bytes(data)
        .ok_or_else(|| bad("the version lies outside the image"))?;
    match read(block) {
        Some(version) => Ok(Some(version)),
        None => Err(bad("the version is not a VS_VERSIONINFO block")),
    }
}

/// Walks type, name and language. The depth is fixed, so a tree that points into itself ends.
fn find_version<'data>(
    resources: ResourceDirectory<'data>,
    root: &ResourceDirectoryTable<'data>,
) -> Result<Option<&'data pe::ImageResourceDataEntry>, ()> {
    let is_version =
        |entry: &&pe::ImageResourceDirectoryEntry| entry.name_or_id().id() == Some(pe::RT_VERSION);
    let Some(mut entry) = root.entries.iter().find(is_version) else {
        return Ok(None);
    };
    for _ in ["name", "language"] {
        let table = entry.data(resources).map_err(|_| ())?.table().ok_or(())?;
        let Some(first) = table.entries.first() else {
            return Ok(None);
        };
        entry = first;
    }
    let block = entry.data(resources).map_err(|_| ())?.data().ok_or(())?;
    Ok(Some(block))
}

/// Reads a `VS_VERSIONINFO` block.
fn read(block: &[u8]) -> Option<Version> {
    let root = Node::read(block)?;
    if root.key != "VS_VERSION_INFO" {
        return None;
    }
    let field = |index: usize| {
        let bytes = root.value.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    // VS_FIXEDFILEINFO: signature, structure version, file version, product version (each high
    // half first), flags mask, flags, ...
    if field(0)? != FIXED_SIGNATURE {
        return None;
    }
    let version = |high: u32, low: u32| {
        [
            (high >> 16) as u16,
            high as u16,
            (low >> 16) as u16,
            low as u16,
        ]
    };
    Some(Version {
        file_version: version(field(2)?, field(3)?),
        product_version: version(field(4)?, field(5)?),
        flags: field(6)? & field(7)?,
        strings: strings(&root),
    })
}

/// The strings of the first `StringTable` in `StringFileInfo`.
fn strings(root: &Node) -> BTreeMap<String, String> {
    let table = root
        .children()
        .find(|child| child.key == "StringFileInfo")
        .and_then(|info| info.children().next());
    let mut strings = BTreeMap::new();
    for string in table.iter().flat_map(Node::children).take(MOST_STRINGS) {
        strings.insert(string.key.clone(), string.text());
    }
    strings
}

/// One node of the tree.
struct Node<'data> {
    key: String,
    value: &'data [u8],
    /// What follows the value, up to the node's end.
    rest: &'data [u8],
    /// The node's length with padding.
    len: usize,
}

impl<'data> Node<'data> {
    /// The node at the start of `bytes`, if there is a sound one.
    fn read(bytes: &'data [u8]) -> Option<Node<'data>> {
        let word = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let len = usize::from(word(0)?);
        let value_units = usize::from(word(2)?);
        // The value's length counts bytes if it is binary and UTF-16 units if it is text.
        let value_len = match word(4)? {
            0 => value_units,
            _ => value_units * 2,
        };
        let node = bytes.get(..len)?;
        let mut units = Vec::new();
        let mut at = 6;
        loop {
            let unit = u16::from_le_bytes([*node.get(at)?, *node.get(at + 1)?]);
            at += 2;
            if unit == 0 {
                break;
            }
            units.push(unit);
        }
        let value_start = at.next_multiple_of(4).min(len);
        // Some compilers count text in bytes; a value never reaches beyond its node.
        let value_end = (value_start + value_len).min(len);
        Some(Node {
            key: String::from_utf16_lossy(&units),
            value: &node[value_start..value_end],
            rest: &node[value_end.next_multiple_of(4).min(len)..],
            len: len.next_multiple_of(4),
        })
    }

    /// The nodes below this one, as far as they are sound.
    fn children(&self) -> impl Iterator<Item = Node<'data>> + use<'data> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let node = Node::read(rest)?;
            // A node has at least its six header bytes, so that this always moves on.
            rest = rest.get(node.len..).unwrap_or_default();
            Some(node)
        })
    }

    /// A text value, up to its terminator.
    fn text(&self) -> String {
        let units: Vec<u16> = self
            .value
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .take_while(|unit| *unit != 0)
            .collect();
        String::from_utf16_lossy(&units)
    }
}
