use super::wire::{address, endpoint};
use crate::config::{ConfigError, Configuration, parse_timeouts};
use crate::flow::Protocol;
use crate::ioctl::*;
use crate::session::Timeouts;

/// `IP_NAT_INTERFACE_INFO` (or `IP_NAT_GLOBAL_INFO`) with blocks of (type, structure size, bytes).
pub fn info(first: u32, flags: u32, blocks: &[(u32, usize, &[u8])]) -> Vec<u8> {
    let contents = 12 + 16 * blocks.len();
    let size = contents + blocks.iter().map(|block| block.2.len()).sum::<usize>();
    let mut words = vec![first, flags, 1, size as u32, blocks.len() as u32];
    let mut offset = contents;
    for (kind, size, bytes) in blocks {
        let count = bytes.len() / size;
        words.extend([*kind, *size as u32, count as u32, offset as u32]);
        offset += bytes.len();
    }
    let mut all: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    all.extend(blocks.iter().flat_map(|block| block.2));
    all
}

/// A range as it stands in a block.
pub fn range(first: &str, last: &str) -> Vec<u8> {
    [first, last, "255.255.255.0"]
        .iter()
        .flat_map(|text| address(text).to_bytes())
        .collect()
}

/// An address mapping as it stands in a block.
pub fn reservation(private: &str, public: &str, inbound: bool) -> Vec<u8> {
    let mut bytes = [address(private).to_bytes(), address(public).to_bytes()].concat();
    bytes.extend([inbound.into(), 0, 0, 0]);
    bytes
}

/// A port mapping as it stands in a block.
pub fn port(protocol: Protocol, public: &str, private: &str) -> Vec<u8> {
    let (public, private) = (endpoint(public), endpoint(private));
    let mut bytes = vec![protocol.0, 0];
    bytes.extend(public.port.to_be_bytes());
    bytes.extend(public.address.to_bytes());
    bytes.extend(private.port.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(private.address.to_bytes());
    bytes
}

fn sample() -> Vec<u8> {
    let ranges = [
        range("203.0.113.10", "203.0.113.19"),
        range("198.51.100.1", "198.51.100.1"),
    ];
    info(
        2,
        3,
        &[
            (IP_NAT_ADDRESS_RANGE_TYPE, 12, &ranges.concat()),
            (
                IP_NAT_ADDRESS_MAPPING_TYPE,
                12,
                &reservation("10.0.0.5", "203.0.113.12", true),
            ),
            (0xFFFF_0005, 4, &[1, 0, 0, 0]),
            (
                IP_NAT_PORT_MAPPING_TYPE,
                16,
                &port(Protocol::TCP, "0.0.0.0:8080", "10.0.0.6:80"),
            ),
        ],
    )
}

#[test]
fn everything_is_read() {
    let mut c = Configuration::parse(&sample()).unwrap();
    assert_eq!((c.flags, c.pool.len()), (3, 11));
    assert!(c.translates() && c.shares_addresses() && !c.preserves() && !c.is_firewall());
    let reserved = c.address_mappings()[0];
    assert_eq!(reserved.private, address("10.0.0.5"));
    assert_eq!(reserved.public, address("203.0.113.12"));
    assert!(reserved.inbound);
    c.complete(address("203.0.113.2"));
    let mapping = c.port_mappings()[0];
    assert_eq!(mapping.public, endpoint("203.0.113.2:8080"));
    assert_eq!(mapping.private, endpoint("10.0.0.6:80"));
}

#[test]
fn an_interface_without_pool_uses_its_own_address() {
    let mut c = Configuration::parse(&info(2, 3, &[])).unwrap();
    assert!(c.pool.is_empty());
    c.complete(address("203.0.113.2"));
    assert_eq!(c.pool.nth(0), Some(address("203.0.113.2")));
    assert_eq!(c.pool.len(), 1);
}

/// Whatever is cut off or overwritten with extreme numbers: an error or a configuration, no panic.
#[test]
fn a_hostile_buffer_is_refused_or_read_but_never_trusted() {
    let good = sample();
    for length in 0..good.len() {
        assert!(
            Configuration::parse(&good[..length]).is_err(),
            "{length} bytes"
        );
    }
    for at in (4..84).step_by(4) {
        for value in [0, 1, 0x7FFF_FFFF, 0x8000_0000, u32::MAX, u32::MAX - 11] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            let _ = Configuration::parse(&bytes);
        }
    }
}

#[test]
fn contradictions_are_refused() {
    let pool = range("203.0.113.10", "203.0.113.19");
    let refused = |blocks: &[(u32, usize, &[u8])]| {
        let mut all = vec![(IP_NAT_ADDRESS_RANGE_TYPE, 12, &pool[..])];
        all.extend(blocks);
        assert_eq!(
            Configuration::parse(&info(2, 3, &all)),
            Err(ConfigError::Invalid)
        );
    };
    refused(&[(
        IP_NAT_ADDRESS_RANGE_TYPE,
        12,
        &range("203.0.113.19", "203.0.113.20"),
    )]);
    refused(&[(
        IP_NAT_ADDRESS_MAPPING_TYPE,
        12,
        &reservation("10.0.0.1", "203.0.113.9", false),
    )]);
    let twice = [
        reservation("10.0.0.1", "203.0.113.10", false),
        reservation("10.0.0.2", "203.0.113.10", false),
    ];
    refused(&[(IP_NAT_ADDRESS_MAPPING_TYPE, 12, &twice.concat())]);
    refused(&[(
        IP_NAT_PORT_MAPPING_TYPE,
        16,
        &port(Protocol::ICMP, "0.0.0.0:1", "10.0.0.1:1"),
    )]);
    assert_eq!(
        Configuration::parse(&info(2, 0x8000, &[])),
        Err(ConfigError::Invalid)
    );
}

#[test]
fn timeouts() {
    assert_eq!(parse_timeouts(&info(0, 0, &[])), Ok(Timeouts::DEFAULT));
    let block = [60u32.to_le_bytes(), 7u32.to_le_bytes()].concat();
    let given = parse_timeouts(&info(0, 0, &[(IP_NAT_TIMEOUT_TYPE, 8, &block)]));
    assert_eq!(given, Ok(Timeouts { tcp: 60, udp: 7 }));
}
