//! The network as the built drivers use it: frames reach the protocol, answers reach the hosts, and
//! every received packet comes back to its miniport.

use std::collections::BTreeMap;

use emu::choice::strategy;
use emu::machine::{Granularity, Machine, Watch};
use emu::stop::Stop;
use emu::trace::EventKind;
use emu::trace::event::PacketOp;

use crate::support::case;

/// Runs a correct driver to the end of the workload.
#[track_caller]
fn completed(scenario: &str, profile: &str, strategy: &str, seed: u64) -> Machine {
    let case = case(scenario, profile, &[("driver", "fixed")]);
    let mut machine = case
        .boot(Granularity::Sync, Watch::Recording)
        .unwrap_or_else(|e| panic!("{e}"));
    let strategy = strategy::find(strategy).expect("it is a strategy");
    let ended = machine.run(strategy.start(seed));
    assert_eq!(
        ended.stop,
        Stop::Completed,
        "{scenario} on {profile}, seed {seed}"
    );
    machine
}

/// From the wire through the driver and back, on each architecture that runs this driver.
#[test]
fn an_arp_request_is_answered() {
    for profile in ["i386", "alpha"] {
        let machine = completed("q252664", profile, "round-robin", 0);
        let events = machine.recorder.events();
        let moved = |wanted: PacketOp, text: &str| {
            events.iter().position(|e| match &e.kind {
                EventKind::Packet { op, contents, .. } => {
                    *op == wanted && contents.words().starts_with(text)
                }
                _ => false,
            })
        };
        let question = "ARP who has 10.0.0.1 tell 10.0.0.2";
        let entered = events.iter().position(|e| {
            matches!(
                e.kind,
                EventKind::Enter {
                    what: "ReceivePacket",
                    ..
                }
            )
        });
        let stations = [
            moved(PacketOp::Arrived, question),
            moved(PacketOp::Indicated, question),
            entered,
            moved(PacketOp::Sent, "ARP 10.0.0.1 is at 02-00-00-00-00-01"),
            moved(PacketOp::Arrived, "10.0.0.2:1025 > 10.0.0.1:21 S seq 5000"),
        ];
        assert!(
            stations.iter().all(Option::is_some),
            "{profile}: {stations:?}"
        );
        assert!(stations.is_sorted(), "{profile}: {stations:?}");
    }
}

/// Whatever the schedule: what was indicated is returned once, and nothing is left over.
#[test]
fn every_packet_comes_back() {
    for (scenario, profile) in [
        ("q252664", "i386"),
        ("kb931322", "amd64"),
        ("kb931322", "ia64"),
    ] {
        for seed in 1..=10 {
            let machine = completed(scenario, profile, "random", seed);
            let mut away: BTreeMap<u32, i32> = BTreeMap::new();
            let mut indicated = 0;
            for event in machine.recorder.events() {
                match event.kind {
                    EventKind::Packet {
                        op: PacketOp::Indicated,
                        number,
                        ..
                    } => {
                        *away.entry(number).or_default() += 1;
                        indicated += 1;
                    }
                    EventKind::Packet {
                        op: PacketOp::Returned,
                        number,
                        ..
                    } => {
                        *away.entry(number).or_default() -= 1;
                    }
                    _ => {}
                }
            }
            assert!(
                indicated > 20,
                "{scenario} on {profile}: only {indicated} indications"
            );
            away.retain(|_, count| *count != 0);
            assert_eq!(
                away,
                BTreeMap::new(),
                "{scenario} on {profile}, seed {seed}"
            );
            assert_eq!(machine.state.nt.net.held_packets().count(), 0);
        }
    }
}
