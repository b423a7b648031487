//! The object identifiers that the virtual adapter knows: the mandatory ones of an Ethernet
//! miniport (Windows 2000 DDK, "General Objects" and "802.3 Objects"; numbers from `ntddndis.h`).

use super::adapter::{Counters, HEADER, filter};
use super::protocol::Binding;
use super::status;
use crate::scenario::Adapter;

const CURRENT_PACKET_FILTER: u32 = 0x0001_010E;
const CURRENT_LOOKAHEAD: u32 = 0x0001_010F;
const PROTOCOL_OPTIONS: u32 = 0x0001_0112;
const MULTICAST_LIST: u32 = 0x0101_0103;

/// 100 Mbit/s in units of 100 bit/s.
const LINK_SPEED: u32 = 1_000_000;
/// Multicast addresses that fit into the adapter's list.
const GROUPS_MAX: u32 = 32;
/// What the adapter buffers: so many frames of full size, in each direction.
const FRAMES: u32 = 64;
/// `NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA`, `NDIS_MAC_OPTION_TRANSFERS_NOT_PEND`
const MAC_OPTIONS: u32 = 0x1 | 0x4;
/// NDIS 4.0
const DRIVER_VERSION: u16 = 0x0400;
/// No manufacturer's code.
const VENDOR: u32 = 0x00FF_FFFF;
const VENDOR_DESCRIPTION: &[u8] = b"Virtual Ethernet Adapter\0";

/// What the answers are made from.
pub(super) struct Facts<'a> {
    /// The adapter.
    pub adapter: &'a Adapter,
    /// Who asks.
    pub binding: &'a Binding,
    /// The adapter's statistics.
    pub counters: Counters,
}

impl Facts<'_> {
    fn payload_max(&self) -> u32 {
        u32::from(self.adapter.mtu)
    }

    fn frame_max(&self) -> u32 {
        self.payload_max() + HEADER as u32
    }
}

/// An object and its value.
struct Object {
    oid: u32,
    value: fn(&Facts<'_>) -> Vec<u8>,
}

const fn object(oid: u32, value: fn(&Facts<'_>) -> Vec<u8>) -> Object {
    Object { oid, value }
}

fn long(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// All objects, by number. Hardware is ready, media are connected: both are 0.
const OBJECTS: &[Object] = &[
    object(0x0001_0101, |_| {
        OBJECTS.iter().flat_map(|o| o.oid.to_le_bytes()).collect()
    }),
    object(0x0001_0102, |_| long(0)),
    object(0x0001_0103, |_| long(0)),
    object(0x0001_0104, |_| long(0)),
    object(0x0001_0105, |f| long(f.payload_max())),
    object(0x0001_0106, |f| long(f.payload_max())),
    object(0x0001_0107, |_| long(LINK_SPEED)),
    object(0x0001_0108, |f| long(f.frame_max() * FRAMES)),
    object(0x0001_0109, |f| long(f.frame_max() * FRAMES)),
    object(0x0001_010A, |f| long(f.frame_max())),
    object(0x0001_010B, |f| long(f.frame_max())),
    object(0x0001_010C, |_| long(VENDOR)),
    object(0x0001_010D, |_| VENDOR_DESCRIPTION.to_vec()),
    object(CURRENT_PACKET_FILTER, |f| long(f.binding.filter)),
    object(CURRENT_LOOKAHEAD, |f| long(f.binding.lookahead)),
    object(0x0001_0110, |_| DRIVER_VERSION.to_le_bytes().to_vec()),
    object(0x0001_0111, |f| long(f.frame_max())),
    object(0x0001_0113, |_| long(MAC_OPTIONS)),
    object(0x0001_0114, |_| long(0)),
    object(0x0001_0115, |_| long(FRAMES)),
    object(0x0002_0101, |f| long(f.counters.sent)),
    object(0x0002_0102, |f| long(f.counters.received)),
    object(0x0002_0103, |f| long(f.counters.send_errors)),
    object(0x0002_0104, |_| long(0)),
    object(0x0002_0105, |f| long(f.counters.no_buffer)),
    object(0x0101_0101, |f| f.adapter.mac.to_vec()),
    object(0x0101_0102, |f| f.adapter.mac.to_vec()),
    object(MULTICAST_LIST, |f| f.binding.groups.concat()),
    object(0x0101_0104, |_| long(GROUPS_MAX)),
    object(0x0102_0101, |_| long(0)),
    object(0x0102_0102, |_| long(0)),
    object(0x0102_0103, |_| long(0)),
];

/// The value of an object; `None` if the adapter does not know it.
pub(super) fn query(oid: u32, facts: &Facts<'_>) -> Option<Vec<u8>> {
    OBJECTS
        .iter()
        .find(|o| o.oid == oid)
        .map(|o| (o.value)(facts))
}

/// Why an object was not set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The NDIS status.
    pub status: u32,
    /// Bytes that the value should have had, if its length is wrong.
    pub needed: u32,
}

/// Sets an object of a binding.
pub(super) fn set(
    oid: u32,
    value: &[u8],
    adapter: &Adapter,
    binding: &mut Binding,
) -> Result<(), Refusal> {
    let refused = |status| Err(Refusal { status, needed: 0 });
    match oid {
        CURRENT_PACKET_FILTER => match long_of(value)? {
            asked if asked & !filter::ALL != 0 => return refused(status::NOT_SUPPORTED),
            asked => binding.filter = asked,
        },
        CURRENT_LOOKAHEAD => match long_of(value)? {
            asked if asked > u32::from(adapter.mtu) => return refused(status::INVALID_DATA),
            asked => binding.lookahead = asked,
        },
        // Hints about what the protocol does; there is nothing here to make faster by them.
        PROTOCOL_OPTIONS => {
            long_of(value)?;
        }
        MULTICAST_LIST => {
            let (groups, rest) = value.as_chunks::<6>();
            if !rest.is_empty() {
                let needed = value.len().next_multiple_of(6) as u32;
                return Err(Refusal {
                    status: status::INVALID_LENGTH,
                    needed,
                });
            }
            if groups.len() > GROUPS_MAX as usize {
                return refused(status::RESOURCES);
            }
            binding.groups = groups.to_vec();
        }
        _ => return refused(status::NOT_SUPPORTED),
    }
    Ok(())
}

fn long_of(value: &[u8]) -> Result<u32, Refusal> {
    let wrong = Refusal {
        status: status::INVALID_LENGTH,
        needed: 4,
    };
    value
        .first_chunk()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .ok_or(wrong)
}
