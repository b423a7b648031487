use super::translate::Router;
use crate::interface::NoMemory;
use crate::ioctl::IP_NAT_INTERFACE_FLAGS_PRESERVE;
use crate::os;

const PRESERVE: u32 = 3 | IP_NAT_INTERFACE_FLAGS_PRESERVE;
const POOL: (&str, &str) = ("203.0.113.10", "203.0.113.73");

#[test]
fn a_reset_leaves_nothing_and_leaks_nothing() {
    let reservations = [("10.0.0.200", "203.0.113.20", false)];
    let router = Router::new(PRESERVE, POOL, &reservations);
    let blocks = router.blocks();
    for host in 1..100 {
        router.out_udp(&format!("10.0.0.{host}:1025"), "8.8.8.8:53");
    }
    assert_eq!(router.sessions(), 99);
    assert_eq!(router.bindings().len(), 64);
    assert_eq!(router.reset(), Ok(()));
    assert_eq!(router.sessions(), 0);
    assert_eq!(router.leases(), 0);
    assert_eq!(router.bindings().len(), 1, "the reserved one");
    assert_eq!(router.blocks(), blocks);
    assert!(router.in_udp("8.8.8.8:53", "203.0.113.10:1025").is_none());
    assert_eq!(
        router.out_udp("10.0.0.77:1025", "8.8.8.8:53").unwrap(),
        "203.0.113.10:1025"
    );
}

#[test]
fn a_reset_without_memory_goes_on_without_preservation() {
    let router = Router::new(PRESERVE, POOL, &[]);
    router.out_udp("10.0.0.1:1025", "8.8.8.8:53");
    os::fail_next_allocation();
    assert_eq!(router.reset(), Err(NoMemory));
    assert_eq!(router.sessions(), 0);
    assert!(router.out_udp("10.0.0.1:1025", "8.8.8.8:53").is_some());
    assert_eq!(router.bindings(), []);
    assert_eq!(router.reset(), Ok(()));
    router.out_udp("10.0.0.1:1025", "8.8.8.8:53");
    assert_eq!(router.bindings().len(), 1, "it is back");
}

/// Packets on three threads while a fourth resets and a fifth configures. The driver with the
/// defect is not run here: on a real machine its fault would end the test, not fail it.
#[cfg(not(feature = "buggy"))]
#[test]
fn resets_under_load() {
    let router = Router::new(PRESERVE, POOL, &[]);
    let made = router.blocks();
    let router = &router;
    let balance: isize = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for thread in 0..3 {
            threads.push(scope.spawn(move || {
                for n in 0..4000 {
                    let host = format!("10.0.{thread}.{}:1025", n % 20);
                    if let Some(public) = router.out_udp(&host, "8.8.8.8:53") {
                        let octet: u8 = public["203.0.113.".len()..]
                            .split_once(':')
                            .unwrap()
                            .0
                            .parse()
                            .unwrap();
                        assert!(
                            (10..=73).contains(&octet),
                            "{public} is no address of the pool"
                        );
                    }
                }
                os::blocks_in_use()
            }));
        }
        threads.push(scope.spawn(|| {
            for _ in 0..300 {
                router.reset().unwrap();
                std::thread::yield_now();
            }
            os::blocks_in_use()
        }));
        threads.push(scope.spawn(|| {
            for _ in 0..300 {
                router.configure(PRESERVE, POOL, &[]);
                std::thread::yield_now();
            }
            os::blocks_in_use()
        }));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(balance, 0, "every table that a reset made was freed, once");
    router.reset().unwrap();
    assert_eq!(
        (router.sessions(), router.leases(), router.blocks()),
        (0, 0, made)
    );
}
