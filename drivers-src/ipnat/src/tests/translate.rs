use std::cell::Cell;
use std::sync::Mutex;

use super::wire::*;
use crate::address::Address;
use crate::config::{AddressMapping, Configuration, PortMapping};
use crate::flow::{Direction, Protocol};
use crate::interface::{Interface, NoMemory, Statistics};
use crate::ioctl::{IP_NAT_INTERFACE_FLAGS_BOUNDARY, IP_NAT_INTERFACE_FLAGS_FW};
use crate::os::{self, AtDispatch};
use crate::packet::Packet;
use crate::pool::Range;
use crate::session::Timeouts;
use crate::translate::{self, Verdict};
use crate::{preserve, reset};

const NAPT: u32 = 3;
const POOL: (&str, &str) = ("203.0.113.10", "203.0.113.13");
const OWN: &str = "203.0.113.2";

/// One boundary interface with packets crossing it.
pub struct Router {
    interface: *mut Interface,
    blocks_before: isize,
    /// Control requests come one at a time.
    control: Mutex<()>,
}

// Shared between threads as the driver shares it between processors.
unsafe impl Sync for Router {}

thread_local! {
    static NOW: Cell<u32> = const { Cell::new(0) };
}

type Reservations<'a> = [(&'a str, &'a str, bool)];

impl Router {
    pub fn new(flags: u32, pool: (&str, &str), reservations: &Reservations) -> Router {
        let blocks_before = os::blocks_in_use();
        let router = Router {
            interface: Interface::create(2, address(OWN)),
            blocks_before,
            control: Mutex::new(()),
        };
        router.configure(flags, pool, reservations);
        router
    }

    pub fn configure(&self, flags: u32, pool: (&str, &str), reservations: &Reservations) {
        let mut configuration = Configuration::new(flags);
        let range = Range {
            first: address(pool.0),
            last: address(pool.1),
            mask: address("255.255.255.0"),
        };
        configuration.pool.add(range).unwrap();
        for &(private, public, inbound) in reservations {
            let (private, public) = (address(private), address(public));
            let mapping = AddressMapping {
                private,
                public,
                inbound,
            };
            configuration.add_address_mapping(mapping).unwrap();
        }
        self.set(configuration);
    }

    fn set(&self, configuration: Configuration) {
        let _one = self.control.lock().unwrap();
        self.interface().configure(configuration).unwrap();
    }

    fn interface(&self) -> &Interface {
        unsafe { &*self.interface }
    }

    /// Sends a packet across; gives what comes out.
    pub fn cross(&self, direction: Direction, mut bytes: Vec<u8>) -> (Verdict, Vec<u8>) {
        let at = AtDispatch::raise();
        let mut packet = Packet::parse(&mut bytes).expect("a packet that can be translated");
        let verdict = match direction {
            Direction::Outbound => {
                translate::outbound(self.interface(), &mut packet, os::ticks(), &at)
            }
            Direction::Inbound => {
                translate::inbound(self.interface(), &mut packet, os::ticks(), &at)
            }
        };
        check(&bytes);
        (verdict, bytes)
    }

    /// The source that the public network sees, or `None` if the datagram is dropped.
    pub fn out_udp(&self, from: &str, to: &str) -> Option<String> {
        let (verdict, bytes) = self.cross(Direction::Outbound, udp(from, to));
        (verdict == Verdict::Translated).then(|| ends(&bytes).0)
    }

    /// The private host that a datagram reaches.
    pub fn in_udp(&self, from: &str, to: &str) -> Option<String> {
        let (verdict, bytes) = self.cross(Direction::Inbound, udp(from, to));
        (verdict == Verdict::Translated).then(|| ends(&bytes).1)
    }

    fn tcp(
        &self,
        direction: Direction,
        from: &str,
        to: &str,
        flags: u8,
    ) -> Option<(String, String)> {
        let (verdict, bytes) = self.cross(direction, tcp(from, to, flags));
        (verdict == Verdict::Translated).then(|| ends(&bytes))
    }

    /// Lets time pass and sweeps.
    pub fn idle(&self, seconds: u32) {
        NOW.set(NOW.get() + seconds * os::ticks_per_second());
        os::set_ticks(NOW.get());
        self.interface()
            .expire(&Timeouts::DEFAULT, &AtDispatch::raise());
    }

    pub fn reset(&self) -> Result<(), NoMemory> {
        let _one = self.control.lock().unwrap();
        reset::reset_interface(self.interface())
    }

    pub fn sessions(&self) -> usize {
        self.interface().lock(&AtDispatch::raise()).mappings.len()
    }

    /// Sessions on addresses of the pool.
    fn pooled_sessions(&self) -> usize {
        let at = AtDispatch::raise();
        let state = self.interface().lock(&at);
        let (mut count, mut from) = (0, 0);
        while let Some((id, next)) = state.mappings.next(from) {
            let public = state.mappings.session(id).public.address;
            count += usize::from(state.configuration.pool.number_of(public).is_some());
            from = next;
        }
        count
    }

    pub fn leases(&self) -> u32 {
        self.interface().lock(&AtDispatch::raise()).leases.total()
    }

    fn statistics(&self) -> Statistics {
        self.interface().lock(&AtDispatch::raise()).statistics
    }

    pub fn bindings(&self) -> Vec<(Address, Address, u32)> {
        let at = AtDispatch::raise();
        let state = self.interface().lock(&at);
        let mut all = Vec::new();
        if !state.preservation.is_null() {
            let each = |private, public, kind| all.push((private, public, kind));
            unsafe { preserve::for_each(state.preservation, each) };
        }
        all
    }

    /// Pool blocks of this router; only on the thread that made it.
    pub fn blocks(&self) -> isize {
        os::blocks_in_use() - self.blocks_before
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(
                self.leases() as usize,
                self.pooled_sessions(),
                "pool conservation"
            );
        }
        unsafe { Interface::dereference(self.interface) };
        if !std::thread::panicking() {
            assert_eq!(os::blocks_in_use(), self.blocks_before, "blocks leaked");
        }
    }
}

#[test]
fn out_and_back() {
    let router = Router::new(NAPT, POOL, &[]);
    let public = router.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    assert_eq!(public, "203.0.113.10:1025");
    assert_eq!(
        router.in_udp("8.8.8.8:53", &public).unwrap(),
        "10.0.0.2:1025"
    );
    let counters = router.statistics();
    assert_eq!(counters.packets, [1, 1]);
    assert_eq!(counters.bytes, [33, 33]);
}

/// RFC 4787 REQ-1, RFC 5382 REQ-1: endpoint-independent mapping.
#[test]
fn one_public_endpoint_for_all_destinations() {
    let router = Router::new(NAPT, POOL, &[]);
    let public = router.out_udp("10.0.0.2:1025", "8.8.8.8:53");
    for to in ["8.8.8.8:54", "9.9.9.9:53", "198.51.100.7:1"] {
        assert_eq!(router.out_udp("10.0.0.2:1025", to), public);
    }
    assert_eq!(router.sessions(), 4);
}

/// RFC 4787 REQ-3: hosts with the same port get different public endpoints, even on one address;
/// REQ-4: of the same parity.
#[test]
fn no_overloading() {
    let router = Router::new(NAPT, ("203.0.113.10", "203.0.113.10"), &[]);
    let mut seen = Vec::new();
    for host in 1..=200 {
        let public = router
            .out_udp(&format!("10.0.0.{host}:4000"), "8.8.8.8:53")
            .unwrap();
        assert!(!seen.contains(&public), "{public} twice");
        let port: u32 = public.split_once(':').unwrap().1.parse().unwrap();
        assert_eq!(port % 2, 0);
        let back = router.in_udp("8.8.8.8:53", &public).unwrap();
        assert_eq!(back, format!("10.0.0.{host}:4000"));
        seen.push(public);
    }
}

/// RFC 4787 REQ-8: endpoint-independent filtering, unless the interface is a firewall.
#[test]
fn filtering() {
    let router = Router::new(NAPT, POOL, &[]);
    let public = router.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    assert_eq!(
        router.in_udp("9.9.9.9:99", &public).as_deref(),
        Some("10.0.0.2:1025")
    );
    assert_eq!(router.in_udp("9.9.9.9:99", "203.0.113.10:1026"), None);

    let firewall = Router::new(NAPT | IP_NAT_INTERFACE_FLAGS_FW, POOL, &[]);
    let public = firewall.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    assert_eq!(firewall.in_udp("9.9.9.9:99", &public), None);
    assert!(firewall.in_udp("8.8.8.8:53", &public).is_some());
}

#[test]
fn the_routers_own_traffic_is_left_alone() {
    let router = Router::new(NAPT, POOL, &[]);
    let own = udp("8.8.8.8:53", "203.0.113.2:500");
    assert_eq!(
        router.cross(Direction::Inbound, own.clone()),
        (Verdict::Untouched, own.clone())
    );
    let unknown = router.cross(Direction::Inbound, udp("8.8.8.8:53", "203.0.113.11:500"));
    assert_eq!(
        unknown.0,
        Verdict::Drop,
        "an address of the pool is nobody's but the translator's"
    );
    let firewall = Router::new(NAPT | IP_NAT_INTERFACE_FLAGS_FW, POOL, &[]);
    assert_eq!(firewall.cross(Direction::Inbound, own).0, Verdict::Drop);
    assert_eq!(firewall.statistics().rejects, [0, 1]);
}

#[test]
fn an_interface_that_is_no_boundary_translates_nothing() {
    let router = Router::new(0, POOL, &[]);
    for direction in [Direction::Inbound, Direction::Outbound] {
        let packet = udp("10.0.0.2:1025", "203.0.113.10:53");
        assert_eq!(
            router.cross(direction, packet.clone()),
            (Verdict::Untouched, packet)
        );
    }
    assert_eq!(router.sessions(), 0);
}

#[test]
fn queries_and_errors_of_icmp() {
    let router = Router::new(NAPT, ("203.0.113.10", "203.0.113.10"), &[]);
    let (_, first) = router.cross(Direction::Outbound, echo(8, "10.0.0.2", "8.8.8.8", 7));
    let (_, second) = router.cross(Direction::Outbound, echo(8, "10.0.0.3", "8.8.8.8", 7));
    let id = |packet: &[u8]| u16::from_be_bytes([packet[24], packet[25]]);
    assert_ne!(id(&first), id(&second), "one identifier, one host");
    let answer = echo(0, "8.8.8.8", "203.0.113.10", id(&second));
    let (verdict, back) = router.cross(Direction::Inbound, answer);
    assert_eq!(
        (verdict, id(&back), ends(&back).1.as_str()),
        (Verdict::Translated, 7, "10.0.0.3")
    );

    // RFC 4787 REQ-12, RFC 5508 REQ-7: an error reaches its host, and its session lives on.
    let (_, sent) = router.cross(Direction::Outbound, udp("10.0.0.2:1025", "8.8.8.8:53"));
    let sessions = router.sessions();
    let error = unreachable("192.0.2.1", "203.0.113.10", &sent, 28);
    let (verdict, error) = router.cross(Direction::Inbound, error);
    assert_eq!(
        (verdict, ends(&error).1.as_str()),
        (Verdict::Translated, "10.0.0.2")
    );
    assert_eq!(router.sessions(), sessions);
    // An outbound error hides the private host as well.
    let (_, arrived) = router.cross(Direction::Inbound, udp("8.8.8.8:53", "203.0.113.10:1025"));
    let error = unreachable("10.0.0.2", "8.8.8.8", &arrived, 28);
    let (verdict, error) = router.cross(Direction::Outbound, error);
    assert_eq!(
        (verdict, ends(&error).0.as_str()),
        (Verdict::Translated, "203.0.113.10")
    );
    assert_eq!(
        error[28 + 16..28 + 20],
        [203, 0, 113, 10],
        "the address it was sent to"
    );
}

#[test]
fn idle_sessions_end_and_used_ones_do_not() {
    const SYN: u8 = 2;
    let router = Router::new(NAPT, POOL, &[]);
    router.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    let (from, to) = router
        .tcp(Direction::Outbound, "10.0.0.2:1026", "8.8.8.8:80", SYN)
        .unwrap();
    router
        .tcp(Direction::Inbound, &to, &from, SYN | 16)
        .unwrap();
    let (_, half) = router
        .tcp(Direction::Outbound, "10.0.0.2:1027", "8.8.8.8:80", SYN)
        .unwrap();
    assert_eq!(half, "8.8.8.8:80");
    assert_eq!(router.sessions(), 3);
    // RFC 4787 REQ-6: an outbound packet refreshes.
    for _ in 0..5 {
        router.idle(50);
        router.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    }
    assert_eq!(
        router.sessions(),
        2,
        "250 s: the half-open connection is gone"
    );
    router.idle(61);
    assert_eq!(router.sessions(), 1, "the datagram session is gone");
    router.idle(23 * 3600);
    assert_eq!(router.sessions(), 1);
    router.idle(3600);
    assert_eq!(router.sessions(), 0, "after a day the connection is too");
}

#[test]
fn services_behind_static_mappings() {
    let router = Router::new(NAPT, POOL, &[]);
    let mut configuration = Configuration::new(NAPT);
    let range = Range {
        first: address(POOL.0),
        last: address(POOL.1),
        mask: Address(0),
    };
    configuration.pool.add(range).unwrap();
    let mapping = PortMapping {
        protocol: Protocol::TCP,
        public: endpoint("0.0.0.0:8080"),
        private: endpoint("10.0.0.6:80"),
    };
    configuration.add_port_mapping(mapping).unwrap();
    let reserved = AddressMapping {
        private: address("10.0.0.7"),
        public: address("203.0.113.12"),
        inbound: true,
    };
    configuration.add_address_mapping(reserved).unwrap();
    router.set(configuration);

    let (_, to) = router
        .tcp(Direction::Inbound, "8.8.8.8:999", "203.0.113.2:8080", 2)
        .unwrap();
    assert_eq!(to, "10.0.0.6:80");
    let (from, _) = router
        .tcp(Direction::Outbound, "10.0.0.6:80", "8.8.8.8:999", 18)
        .unwrap();
    assert_eq!(from, "203.0.113.2:8080");
    // Also when the service begins, from its public endpoint and no other.
    let (from, _) = router
        .tcp(Direction::Outbound, "10.0.0.6:80", "9.9.9.9:1", 2)
        .unwrap();
    assert_eq!(from, "203.0.113.2:8080");

    assert_eq!(
        router.in_udp("8.8.8.8:999", "203.0.113.12:7777").unwrap(),
        "10.0.0.7:7777"
    );
    assert_eq!(
        router.out_udp("10.0.0.7:5555", "8.8.8.8:53").unwrap(),
        "203.0.113.12:5555"
    );
    for host in 20..40 {
        let other = router
            .out_udp(&format!("10.0.0.{host}:5555"), "8.8.8.8:53")
            .unwrap();
        assert!(
            !other.starts_with("203.0.113.12:"),
            "the reserved address is the host's alone"
        );
    }
}

/// Without port translation ("address only") a host has its address to itself, and its ports.
#[test]
fn address_only() {
    let router = Router::new(
        IP_NAT_INTERFACE_FLAGS_BOUNDARY,
        ("203.0.113.10", "203.0.113.11"),
        &[],
    );
    assert_eq!(
        router.out_udp("10.0.0.1:7", "8.8.8.8:53").unwrap(),
        "203.0.113.10:7"
    );
    assert_eq!(
        router.out_udp("10.0.0.2:7", "8.8.8.8:53").unwrap(),
        "203.0.113.11:7"
    );
    assert_eq!(
        router.out_udp("10.0.0.1:9", "8.8.8.8:53").unwrap(),
        "203.0.113.10:9"
    );
    assert_eq!(
        router.out_udp("10.0.0.3:7", "8.8.8.8:53"),
        None,
        "no address left"
    );
    assert_eq!(router.statistics().rejects, [1, 0]);
    router.idle(61);
    assert_eq!(
        router.out_udp("10.0.0.3:7", "8.8.8.8:53").unwrap(),
        "203.0.113.10:7"
    );
}

#[test]
fn sessions_outlive_a_configuration_that_still_allows_them() {
    let router = Router::new(NAPT, POOL, &[]);
    let public = router.out_udp("10.0.0.2:1025", "8.8.8.8:53").unwrap();
    router.configure(NAPT, ("203.0.113.9", "203.0.113.20"), &[]);
    assert_eq!(
        router.in_udp("8.8.8.8:53", &public).unwrap(),
        "10.0.0.2:1025"
    );
    router.configure(NAPT, ("203.0.113.11", "203.0.113.20"), &[]);
    assert_eq!(router.sessions(), 0);
}
