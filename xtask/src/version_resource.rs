//! The version resource of an image, as a compiled resource file (`.res`) for the linker.
//!
//! The formats are those of "Resource File Formats" and "VS_VERSIONINFO" in Microsoft's Windows
//! documentation: every structure starts with its length, its value's length and a type, then a
//! UTF-16 key, and value and children each start at a multiple of four.

use crate::manifest::Build;

/// The bytes of a resource file that holds one version resource for `build`.
pub fn resource_file(build: &Build) -> Vec<u8> {
    const RT_VERSION: u16 = 16;
    const VS_VERSION_INFO: u16 = 1;
    const MOVEABLE_PURE: u16 = 0x30;

    // An empty resource of type 0 and name 0 says that this is a 32-bit resource file.
    let mut file = resource_header(0, 0, 0, 0, 0);
    let version = version_info(build);
    file.extend(resource_header(
        version.len() as u32,
        RT_VERSION,
        VS_VERSION_INFO,
        MOVEABLE_PURE,
        ENGLISH_US,
    ));
    file.extend(&version);
    pad(&mut file);
    file
}

const ENGLISH_US: u16 = 0x0409;
const UNICODE: u16 = 1200;

/// RESOURCEHEADER with type and name given as numbers, which makes it 32 bytes.
fn resource_header(data: u32, kind: u16, name: u16, flags: u16, language: u16) -> Vec<u8> {
    const IS_NUMBER: u16 = 0xFFFF;
    let mut header = Vec::new();
    header.extend(data.to_le_bytes());
    header.extend(32u32.to_le_bytes());
    for half in [IS_NUMBER, kind, IS_NUMBER, name] {
        header.extend(half.to_le_bytes());
    }
    header.extend(0u32.to_le_bytes()); // DataVersion
    header.extend(flags.to_le_bytes());
    header.extend(language.to_le_bytes());
    header.extend(0u32.to_le_bytes()); // Version
    header.extend(0u32.to_le_bytes()); // Characteristics
    header
}

fn version_info(build: &Build) -> Vec<u8> {
    let file_name = format!("{}.sys", build.driver);
    let version = build.version_text();
    let comments = format!("build {} of irqlab's drivers", build.id);
    let strings = [
        ("Comments", comments.as_str()),
        ("CompanyName", "irqlab"),
        ("FileDescription", build.description.as_str()),
        ("FileVersion", version.as_str()),
        ("InternalName", file_name.as_str()),
        ("LegalCopyright", "GPL-2.0-only"),
        ("OriginalFilename", file_name.as_str()),
        ("ProductName", "irqlab"),
        ("ProductVersion", build.product.as_str()),
        ("SpecialBuild", build.branch.as_str()),
    ];
    let strings = strings.into_iter().filter(|(_, value)| !value.is_empty());
    let table = node(
        &format!("{ENGLISH_US:04x}{UNICODE:04x}"),
        Value::Text(""),
        strings
            .map(|(key, value)| node(key, Value::Text(value), []))
            .collect::<Vec<_>>(),
    );
    let translation = [ENGLISH_US.to_le_bytes(), UNICODE.to_le_bytes()].concat();
    let translation = node("Translation", Value::Binary(&translation), []);
    node(
        "VS_VERSION_INFO",
        Value::Binary(&fixed_info(build.version)),
        [
            node("StringFileInfo", Value::Text(""), [table]),
            node("VarFileInfo", Value::Text(""), [translation]),
        ],
    )
}

/// VS_FIXEDFILEINFO. File and product carry the same version here.
fn fixed_info(version: [u16; 4]) -> Vec<u8> {
    const SIGNATURE: u32 = 0xFEEF_04BD;
    const STRUCTURE_VERSION: u32 = 0x0001_0000;
    const ALL_FLAGS_VALID: u32 = 0x3F;
    const VOS_NT_WINDOWS32: u32 = 0x0004_0004;
    const VFT_DRV: u32 = 3;
    const VFT2_DRV_SYSTEM: u32 = 7;

    let [a, b, c, d] = version.map(u32::from);
    let (high, low) = (a << 16 | b, c << 16 | d);
    [
        SIGNATURE,
        STRUCTURE_VERSION,
        high,
        low,
        high,
        low,
        ALL_FLAGS_VALID,
        0, // flags: neither debug nor prerelease
        VOS_NT_WINDOWS32,
        VFT_DRV,
        VFT2_DRV_SYSTEM,
        0, // no date: the image's header has it
        0,
    ]
    .into_iter()
    .flat_map(u32::to_le_bytes)
    .collect()
}

/// The value of one structure; its length is counted in bytes or in UTF-16 units.
enum Value<'a> {
    Binary(&'a [u8]),
    Text(&'a str),
}

fn node(key: &str, value: Value<'_>, children: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let (is_text, count, value) = match value {
        Value::Binary(bytes) => (0u16, bytes.len(), bytes.to_vec()),
        Value::Text("") => (1, 0, Vec::new()),
        Value::Text(text) => {
            let units = utf16(text);
            (1, units.len() / 2, units)
        }
    };
    let mut bytes = vec![0, 0]; // the length, known at the end
    bytes.extend((count as u16).to_le_bytes());
    bytes.extend(is_text.to_le_bytes());
    bytes.extend(utf16(key));
    pad(&mut bytes);
    bytes.extend(value);
    for child in children {
        pad(&mut bytes);
        bytes.extend(child);
    }
    let length = bytes.len() as u16;
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// The text in UTF-16, little-endian, with its terminating zero.
fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_counts_and_pads_as_documented() {
        // "K" with the text "ab": 6 bytes of header, 4 of key, 2 of padding, 6 of value.
        let bytes = node("K", Value::Text("ab"), []);
        assert_eq!(
            bytes,
            [
                18, 0, 3, 0, 1, 0, b'K', 0, 0, 0, 0, 0, b'a', 0, b'b', 0, 0, 0
            ]
        );
        // A child starts at a multiple of four; the parent's length has no padding at its end.
        let parent = node("P", Value::Binary(&[7]), [bytes.clone()]);
        assert_eq!(parent[..12], [34, 0, 1, 0, 0, 0, b'P', 0, 0, 0, 0, 0]);
        assert_eq!(parent[12..16], [7, 0, 0, 0]);
        assert_eq!(parent[16..], bytes);
    }

    #[test]
    fn the_fixed_part_holds_the_version() {
        let bytes = fixed_info([5, 2, 3790, 1830]);
        assert_eq!(bytes.len(), 52);
        assert_eq!(bytes[..4], [0xBD, 0x04, 0xEF, 0xFE]);
        assert_eq!(bytes[8..16], [2, 0, 5, 0, 0x26, 0x07, 0xCE, 0x0E]);
    }
}
