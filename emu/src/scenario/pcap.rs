//! Frames of a capture file, pcap or pcapng.

use pcap_file::DataLink;
use pcap_file::pcap::PcapParser;
use pcap_file::pcapng::{Block, PcapNgParser};

/// The first bytes of a pcapng file: the type of its section header block.
const SECTION_HEADER: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

/// The Ethernet frames of a capture, in file order and as they were captured.
///
/// # Errors
/// What is wrong with the file, as the end of a sentence about it.
pub(super) fn frames(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if file.starts_with(&SECTION_HEADER) {
        frames_of_pcapng(file)
    } else {
        frames_of_pcap(file)
    }
}

fn frames_of_pcap(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let no_capture = |e| format!("is no pcap or pcapng file ({e})");
    let (mut rest, parser) = PcapParser::new(file).map_err(no_capture)?;
    ethernet(parser.header().datalink)?;
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let number = frames.len() + 1;
        let (after, packet) = parser.next_packet(rest).map_err(|e| broken(number, &e))?;
        whole(number, packet.data.len(), packet.orig_len)?;
        frames.push(packet.data.into_owned());
        rest = after;
    }
    Ok(frames)
}

fn frames_of_pcapng(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let no_capture = |e| format!("is no pcapng file ({e})");
    let (mut rest, mut parser) = PcapNgParser::new(file).map_err(no_capture)?;
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let number = frames.len() + 1;
        let (after, block) = parser.next_block(rest).map_err(|e| broken(number, &e))?;
        rest = after;
        match block {
            Block::InterfaceDescription(interface) => ethernet(interface.linktype)?,
            Block::EnhancedPacket(packet) => {
                whole(number, packet.data.len(), packet.original_len)?;
                frames.push(packet.data.into_owned());
            }
            Block::SimplePacket(packet) => {
                whole(number, packet.data.len(), packet.original_len)?;
                frames.push(packet.data.into_owned());
            }
            _ => {}
        }
    }
    Ok(frames)
}

fn ethernet(link: DataLink) -> Result<(), String> {
    match link {
        DataLink::ETHERNET => Ok(()),
        other => Err(format!("has frames of link type {other:?}, not Ethernet")),
    }
}

/// A capture that cut its frames cannot be played back.
fn whole(number: usize, captured: usize, original: u32) -> Result<(), String> {
    if captured as u64 == u64::from(original) {
        return Ok(());
    }
    Err(format!(
        "has only {captured} of {original} bytes of frame {number}"
    ))
}

fn broken(number: usize, error: &pcap_file::PcapError) -> String {
    format!("is damaged at frame {number} ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian pcap file of these frames.
    pub(in crate::scenario) fn pcap(link: u32, frames: &[&[u8]]) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65535, link] {
            file.extend(u32::to_le_bytes(word));
        }
        for frame in frames {
            for word in [1, 2, frame.len() as u32, frame.len() as u32] {
                file.extend(word.to_le_bytes());
            }
            file.extend(*frame);
        }
        file
    }

    /// A little-endian pcapng file of these frames.
    fn pcapng(frames: &[&[u8]]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut block = |kind: u32, body: &[u8]| {
            let padding = body.len().next_multiple_of(4) - body.len();
            let length = (12 + body.len() + padding) as u32;
            file.extend(kind.to_le_bytes());
            file.extend(length.to_le_bytes());
            file.extend(body);
            file.extend(&[0; 3][..padding]);
            file.extend(length.to_le_bytes());
        };
        let section = [0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0];
        block(0x0A0D_0D0A, &[section, [0xFF; 8]].concat());
        block(1, &[1, 0, 0, 0, 0xFF, 0xFF, 0, 0]);
        for frame in frames {
            let words = [0, 0, 0, frame.len() as u32, frame.len() as u32];
            let mut body: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
            body.extend(*frame);
            block(6, &body);
        }
        file
    }

    #[test]
    fn both_formats() {
        let wanted = vec![vec![1, 2, 3], vec![4; 60]];
        let slices: Vec<&[u8]> = wanted.iter().map(Vec::as_slice).collect();
        assert_eq!(frames(&pcap(1, &slices)).unwrap(), wanted);
        assert_eq!(frames(&pcapng(&slices)).unwrap(), wanted);
    }

    #[test]
    fn bad_files_are_errors() {
        assert!(
            frames(b"")
                .unwrap_err()
                .starts_with("is no pcap or pcapng file")
        );
        assert!(
            frames(b"this is no capture file")
                .unwrap_err()
                .starts_with("is no pcap")
        );
        assert!(
            frames(&pcap(101, &[]))
                .unwrap_err()
                .contains("not Ethernet")
        );
        let mut short = pcap(1, &[&[7; 20]]);
        short[36] = 99;
        assert_eq!(
            frames(&short).unwrap_err(),
            "has only 20 of 99 bytes of frame 1"
        );
    }

    #[test]
    fn damage_never_panics() {
        for file in [pcap(1, &[&[7; 20], &[8; 9]]), pcapng(&[&[7; 20], &[8; 9]])] {
            for length in 0..file.len() {
                let _ = frames(&file[..length]);
            }
            let mut state = 0x9E37_79B9_7F4A_7C15_u64;
            for _ in 0..20_000 {
                let mut damaged = file.clone();
                for _ in 0..4 {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    let at = state as usize % damaged.len();
                    damaged[at] = (state >> 32) as u8;
                }
                let _ = frames(&damaged);
            }
        }
    }
}
