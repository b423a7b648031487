use std::collections::BTreeMap;

use super::wire::endpoint;
use crate::address::{Address, Endpoint};
use crate::flow::{Direction, Flow, Protocol};
use crate::mapping::{Id, InsertError, MappingTable, SESSIONS_MAX, Session};
use crate::session::TcpState;

fn table() -> Box<MappingTable> {
    // All-zero bytes are the empty table.
    unsafe { Box::<MappingTable>::new_zeroed().assume_init() }
}

fn session(private: Endpoint, public: Endpoint, remote: Endpoint) -> Session {
    Session {
        private,
        public,
        remote,
        last_use: 0,
        protocol: Protocol::UDP,
        direction: Direction::Outbound,
        tcp: TcpState::default(),
    }
}

fn flow(local: Endpoint, remote: Endpoint) -> Flow {
    Flow {
        protocol: Protocol::UDP,
        local,
        remote,
    }
}

fn all(table: &MappingTable) -> Vec<(Id, Session)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((id, next)) = table.next(from) {
        found.push((id, *table.session(id)));
        from = next;
    }
    found
}

#[test]
fn found_from_both_sides() {
    let mut table = table();
    let (private, public) = (endpoint("10.0.0.2:1000"), endpoint("203.0.113.1:2000"));
    let remotes = [endpoint("8.8.8.8:53"), endpoint("9.9.9.9:53")];
    for remote in remotes {
        table.insert(session(private, public, remote)).unwrap();
    }
    for remote in remotes {
        let out = table.find_outbound(&flow(private, remote)).unwrap();
        let back = table.find_inbound(&flow(public, remote)).unwrap();
        assert_eq!(out, back);
        assert_eq!(table.session(out).remote, remote);
    }
    assert_eq!(
        table.find_outbound(&flow(private, endpoint("8.8.8.8:54"))),
        None
    );
    assert_eq!(table.find_inbound(&flow(private, remotes[0])), None);
    let tcp = Flow {
        protocol: Protocol::TCP,
        ..flow(private, remotes[0])
    };
    assert_eq!(
        table.find_outbound(&tcp),
        None,
        "another protocol, another session"
    );
}

/// RFC 4787 REQ-3, RFC 5382 REQ-7.
#[test]
fn no_public_endpoint_serves_two_hosts() {
    let mut table = table();
    let public = endpoint("203.0.113.1:2000");
    let remote = endpoint("8.8.8.8:53");
    let first = table
        .insert(session(endpoint("10.0.0.2:1000"), public, remote))
        .unwrap();
    let intruder = session(endpoint("10.0.0.3:1000"), public, endpoint("9.9.9.9:53"));
    assert_eq!(table.insert(intruder), Err(InsertError::Overloaded));
    table.remove(first);
    assert!(table.insert(intruder).is_ok(), "free again");
}

#[test]
fn a_full_table_says_so_and_recovers() {
    let mut table = table();
    let at = |n: usize| Endpoint::new(Address(0x0A00_0000 + n as u32), 1000);
    let make = |n: usize| session(at(n), at(n + 0x10_0000), at(0));
    let ids: Vec<Id> = (0..SESSIONS_MAX)
        .map(|n| table.insert(make(n)).unwrap())
        .collect();
    assert_eq!(table.insert(make(SESSIONS_MAX)), Err(InsertError::Full));
    table.remove(ids[7]);
    assert!(table.insert(make(SESSIONS_MAX)).is_ok());
    assert_eq!(table.len(), SESSIONS_MAX);
    table.retain(|_| false, |_| ());
    assert!(table.is_empty() && all(&table).is_empty());
}

/// A long random history against an ordered map; after each step the table is a bijection between
/// (protocol, private, remote) and (protocol, public, remote).
#[test]
fn behaves_like_a_map() {
    let mut table = table();
    let mut model: BTreeMap<(Endpoint, Endpoint), Session> = BTreeMap::new();
    let mut random = 7u32;
    let mut next = |n: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % n
    };
    for step in 0..20_000u32 {
        let private = Endpoint::new(Address(0x0A00_0000 + next(12)), 1000 + next(3) as u16);
        let remote = Endpoint::new(Address(0x0808_0800 + next(6)), 53);
        let public = Endpoint::new(Address(0xCB00_7100 + next(3)), 2000 + next(12) as u16);
        let key = (private, remote);
        if let Some(id) = table.find_outbound(&flow(private, remote)) {
            assert_eq!(model.remove(&key), Some(table.remove(id)));
        } else {
            assert!(!model.contains_key(&key), "step {step}: a session was lost");
            let new = session(private, public, remote);
            let taken = model
                .values()
                .any(|s| s.public == public && s.private != private);
            match table.insert(new) {
                Ok(_) => assert!(!taken && model.insert(key, new).is_none()),
                Err(error) => assert!(taken && error == InsertError::Overloaded),
            }
        }
        assert_eq!(table.len(), model.len());
        if step % 97 == 0 {
            let sessions = all(&table);
            assert_eq!(sessions.len(), model.len());
            for (id, s) in sessions {
                assert_eq!(model.get(&(s.private, s.remote)), Some(&s));
                let back = table.find_inbound(&flow(s.public, s.remote));
                assert_eq!(
                    back,
                    Some(id),
                    "step {step}: two sessions share their public side"
                );
            }
        }
    }
    assert!(
        model.len() > 20,
        "the history reached a table worth the name"
    );
}
