use super::translate::Router;
use super::wire::address;
use crate::ioctl::IP_NAT_INTERFACE_FLAGS_PRESERVE;

const PRESERVE: u32 = 3 | IP_NAT_INTERFACE_FLAGS_PRESERVE;
const POOL: (&str, &str) = ("203.0.113.10", "203.0.113.13");

fn public_of(router: &Router, host: &str) -> String {
    let sent = router
        .out_udp(&format!("{host}:1025"), "8.8.8.8:53")
        .expect("a way out");
    sent.split_once(':').unwrap().0.to_string()
}

/// RFC 4787 REQ-2 (paired), and one host for each address while there are addresses.
#[test]
fn every_host_has_its_own_address() {
    let router = Router::new(PRESERVE, POOL, &[]);
    let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
    let publics: Vec<String> = hosts.iter().map(|host| public_of(&router, host)).collect();
    for (i, public) in publics.iter().enumerate() {
        assert!(
            !publics[..i].contains(public),
            "{public} is preserved for two hosts"
        );
        for port in [2000, 3000, 4000] {
            let sent = router
                .out_udp(&format!("{}:{port}", hosts[i]), "9.9.9.9:53")
                .unwrap();
            assert_eq!(sent, format!("{public}:{port}"));
        }
    }
    let fifth = public_of(&router, "10.0.0.5");
    assert!(
        publics.contains(&fifth),
        "a host too many shares, by its ports"
    );
}

#[test]
fn an_address_survives_idleness_and_configuration() {
    let router = Router::new(PRESERVE, POOL, &[]);
    let (first, second) = (
        public_of(&router, "10.0.0.1"),
        public_of(&router, "10.0.0.2"),
    );
    router.idle(3600);
    assert_eq!(router.sessions(), 0, "the sessions are gone");
    assert_eq!(public_of(&router, "10.0.0.2"), second);
    router.configure(PRESERVE, ("203.0.113.10", "203.0.113.40"), &[]);
    router.idle(3600);
    assert_eq!(public_of(&router, "10.0.0.2"), second);
    assert_eq!(public_of(&router, "10.0.0.1"), first);
    // Off and on again.
    router.configure(3, POOL, &[]);
    router.configure(PRESERVE, POOL, &[]);
    router.idle(3600);
    assert_eq!(public_of(&router, "10.0.0.2"), second);
}

#[test]
fn an_address_that_left_the_pool_is_replaced() {
    let router = Router::new(PRESERVE, ("203.0.113.10", "203.0.113.11"), &[]);
    public_of(&router, "10.0.0.1");
    let kept = public_of(&router, "10.0.0.2");
    router.configure(PRESERVE, ("203.0.113.11", "203.0.113.14"), &[]);
    assert_eq!(public_of(&router, "10.0.0.2"), kept);
    let new = public_of(&router, "10.0.0.1");
    assert_eq!(
        new, "203.0.113.12",
        "the first address of the new pool that nobody has"
    );
    // The slot of 203.0.113.10 is used again; no address is in the table twice.
    let bindings = router.bindings();
    assert_eq!(bindings.len(), 2);
    assert_ne!(bindings[0].1, bindings[1].1);
}

#[test]
fn a_reservation_outranks_what_was_given_before() {
    let router = Router::new(PRESERVE, POOL, &[]);
    let before = public_of(&router, "10.0.0.1");
    public_of(&router, "10.0.0.2");
    router.configure(PRESERVE, POOL, &[("10.0.0.1", "203.0.113.13", false)]);
    assert_ne!(before, "203.0.113.13");
    assert_eq!(public_of(&router, "10.0.0.1"), "203.0.113.13");
    // The address that it had is free for another host, and the session on it is gone.
    assert_eq!(public_of(&router, "10.0.0.3"), before);
    assert_eq!(router.sessions(), 3);
    // Reserved for a host that another one had it: that one moves.
    let moved = public_of(&router, "10.0.0.2");
    router.configure(PRESERVE, POOL, &[("10.0.0.9", &moved, false)]);
    assert_ne!(public_of(&router, "10.0.0.2"), moved);
    assert_eq!(public_of(&router, "10.0.0.9"), moved);
}

#[test]
fn without_preservation_there_is_no_table() {
    let router = Router::new(3, POOL, &[]);
    public_of(&router, "10.0.0.1");
    assert_eq!(router.bindings(), []);
    assert_eq!(router.reset(), Ok(()));
    assert_eq!(router.blocks(), 1, "the interface alone");
}

#[test]
fn reserved_addresses_are_in_the_table_from_the_start() {
    let router = Router::new(PRESERVE, POOL, &[("10.0.0.9", "203.0.113.12", false)]);
    assert_eq!(
        router.bindings(),
        [(address("10.0.0.9"), address("203.0.113.12"), 2)]
    );
}
