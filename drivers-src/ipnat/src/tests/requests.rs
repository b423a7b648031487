use super::config::{info, port, range, reservation};
use super::wire::{address, udp};
use crate::flow::Protocol;
use crate::ioctl::*;
use crate::nat::Nat;
use crate::os::{self, AtDispatch};
use crate::packet::Packet;
use crate::requests::{RequestError, handle};
use crate::translate;

/// Sends a request as the I/O manager would: one buffer for input and output.
fn request(nat: &Nat, code: u32, input: &[u8], room: usize) -> Result<Vec<u8>, RequestError> {
    let mut buffer = input.to_vec();
    buffer.resize(input.len().max(room), 0xEE);
    let length = handle(nat, code, &mut buffer, input.len(), room)?;
    assert!(length <= room, "an answer longer than the output");
    buffer.truncate(length);
    Ok(buffer)
}

fn index(index: u32) -> Vec<u8> {
    index.to_le_bytes().to_vec()
}

fn create(n: u32) -> Vec<u8> {
    [
        index(n),
        address("203.0.113.2").to_bytes().to_vec(),
        vec![255, 255, 255, 0],
    ]
    .concat()
}

fn send(nat: &Nat, from: &str, to: &str) {
    let at = AtDispatch::raise();
    let interface = nat.find(2, &at).expect("the interface");
    let mut bytes = udp(from, to);
    let mut packet = Packet::parse(&mut bytes).unwrap();
    translate::outbound(&interface, &mut packet, os::ticks(), &at);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn configured(flags: u32) -> Nat {
    let nat = Nat::new();
    request(&nat, IOCTL_NAT_CREATE_INTERFACE, &create(2), 0).unwrap();
    let pool = range("203.0.113.10", "203.0.113.19");
    let set = info(2, flags, &[(IP_NAT_ADDRESS_RANGE_TYPE, 12, &pool)]);
    request(&nat, IOCTL_NAT_SET_INTERFACE_INFO, &set, 0).unwrap();
    nat
}

#[test]
fn the_life_of_an_interface() {
    let before = os::blocks_in_use();
    let nat = configured(3 | IP_NAT_INTERFACE_FLAGS_PRESERVE);
    assert_eq!(
        request(&nat, IOCTL_NAT_CREATE_INTERFACE, &create(2), 0),
        Err(RequestError::Exists)
    );
    request(&nat, IOCTL_NAT_CREATE_INTERFACE, &create(3), 0).unwrap();
    request(&nat, IOCTL_NAT_RESET_INTERFACE, &index(2), 0).unwrap();
    request(&nat, IOCTL_NAT_DELETE_INTERFACE, &index(2), 0).unwrap();
    for code in [
        IOCTL_NAT_DELETE_INTERFACE,
        IOCTL_NAT_RESET_INTERFACE,
        IOCTL_NAT_GET_INTERFACE_INFO,
        IOCTL_NAT_GET_INTERFACE_STATISTICS,
        IOCTL_NAT_GET_PRESERVATION,
    ] {
        assert_eq!(
            request(&nat, code, &index(2), 100),
            Err(RequestError::NotFound)
        );
        assert_eq!(
            request(&nat, code, &[2, 0], 100),
            Err(RequestError::TooShort)
        );
    }
    nat.delete_all();
    assert_eq!(os::blocks_in_use(), before);
}

#[test]
fn an_interface_in_use_outlives_its_deletion() {
    let before = os::blocks_in_use();
    let nat = configured(3);
    let at = AtDispatch::raise();
    let interface = nat.find(2, &at).unwrap();
    assert!(nat.delete(2));
    assert!(nat.find(2, &at).is_none());
    assert_eq!(interface.lock(&at).configuration.pool.len(), 10);
    drop(interface);
    assert_eq!(os::blocks_in_use(), before);
}

#[test]
fn a_configuration_reads_back_as_it_was_set() {
    let nat = configured(3);
    let blocks: [(u32, usize, &[u8]); 3] = [
        (
            IP_NAT_ADDRESS_RANGE_TYPE,
            12,
            &range("203.0.113.10", "203.0.113.19"),
        ),
        (
            IP_NAT_ADDRESS_MAPPING_TYPE,
            12,
            &reservation("10.0.0.7", "203.0.113.12", true),
        ),
        (
            IP_NAT_PORT_MAPPING_TYPE,
            16,
            &port(Protocol::TCP, "203.0.113.2:8080", "10.0.0.6:80"),
        ),
    ];
    let set = info(2, 0x103, &blocks);
    request(&nat, IOCTL_NAT_SET_INTERFACE_INFO, &set, 0).unwrap();
    let get = request(&nat, IOCTL_NAT_GET_INTERFACE_INFO, &index(2), 500).unwrap();
    assert_eq!(get, set);
    let short = request(&nat, IOCTL_NAT_GET_INTERFACE_INFO, &index(2), set.len() - 1);
    assert_eq!(short, Err(RequestError::NoRoom));
    nat.delete_all();
}

#[test]
fn sessions_are_listed_in_portions() {
    let nat = configured(3);
    for host in 1..=7 {
        send(&nat, &format!("10.0.0.{host}:1025"), "8.8.8.8:53");
    }
    let statistics = request(&nat, IOCTL_NAT_GET_INTERFACE_STATISTICS, &index(2), 56).unwrap();
    assert_eq!(
        (statistics.len(), word(&statistics, 0), word(&statistics, 4)),
        (56, 7, 0)
    );
    assert_eq!(word(&statistics, 24), 7, "packets forward");

    let mut context = vec![0; 16];
    let mut hosts = Vec::new();
    loop {
        let input = [index(2), context.clone()].concat();
        let room = ENUMERATE_SIZE + 3 * SESSION_MAPPING_SIZE;
        let part = request(&nat, IOCTL_NAT_GET_INTERFACE_MAPPING_TABLE, &input, room).unwrap();
        let count = word(&part, 20) as usize;
        assert_eq!(part.len(), ENUMERATE_SIZE + count * SESSION_MAPPING_SIZE);
        assert_eq!(word(&part, 24), 7, "the total");
        for session in part[ENUMERATE_SIZE..].chunks(SESSION_MAPPING_SIZE) {
            assert_eq!(session[0], 17);
            hosts.push(session[7]);
            assert_eq!(session[8..10], 1025u16.to_be_bytes());
            assert_eq!(session[12..15], [203, 0, 113]);
            assert_eq!(session[20..24], [8, 8, 8, 8]);
            assert_eq!(word(session, 28), 1, "outbound");
        }
        context = part[4..20].to_vec();
        if word(&part, 4) == 0 {
            break;
        }
    }
    assert_eq!(hosts, [1, 2, 3, 4, 5, 6, 7]);
    nat.delete_all();
}

#[test]
fn preserved_addresses_are_listed() {
    let nat = configured(3 | IP_NAT_INTERFACE_FLAGS_PRESERVE);
    send(&nat, "10.0.0.1:1025", "8.8.8.8:53");
    send(&nat, "10.0.0.2:1025", "8.8.8.8:53");
    let all = request(&nat, IOCTL_NAT_GET_PRESERVATION, &index(2), 100).unwrap();
    assert_eq!(word(&all, 0), 2);
    assert_eq!(all[4..16], [10, 0, 0, 1, 203, 0, 113, 10, 1, 0, 0, 0]);
    let part = request(&nat, IOCTL_NAT_GET_PRESERVATION, &index(2), 20).unwrap();
    assert_eq!(
        (word(&part, 0), part.len()),
        (2, 16),
        "the count, and what has room"
    );
    nat.delete_all();
}

#[test]
fn timeouts_are_for_all() {
    let nat = configured(3);
    let block = [60u32.to_le_bytes(), 2u32.to_le_bytes()].concat();
    let set = info(0, 0, &[(IP_NAT_TIMEOUT_TYPE, 8, &block)]);
    request(&nat, IOCTL_NAT_SET_GLOBAL_INFO, &set, 0).unwrap();
    send(&nat, "10.0.0.1:1025", "8.8.8.8:53");
    let at = AtDispatch::raise();
    let sessions = || nat.find(2, &at).unwrap().lock(&at).mappings.len();
    os::set_ticks(os::ticks_per_second());
    nat.expire(&at);
    assert_eq!(sessions(), 1);
    os::set_ticks(2 * os::ticks_per_second());
    nat.expire(&at);
    assert_eq!(sessions(), 0);
    nat.delete_all();
}

#[test]
fn unknown_requests() {
    let nat = Nat::new();
    for code in [0, 0x0012_A024, 0x0012_A001, u32::MAX] {
        assert_eq!(
            request(&nat, code, &index(2), 100),
            Err(RequestError::Unknown)
        );
    }
}
