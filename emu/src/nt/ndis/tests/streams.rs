//! When streams go on.

use super::*;
use crate::explain::MachineNames;
use crate::stop::{Wait, Waiter};

/// Two streams that wait for each other, and a conversation.
const WAITING: &str = r#"
[[stream]]
name = "first"
host = "peer"
step = [
    { await = { signal = "go" } },
    { send = "arp request", ip = "10.0.0.1" },
    { await = { arp = "10.0.0.1" } },
    { send = "arp request", ip = "10.0.0.1" },
]

[[stream]]
name = "second"
host = "peer"
step = [
    { send = "arp request", ip = "10.0.0.1" },
    { signal = "go" },
]
"#;

/// Who waits, at which step, and what for.
fn stuck(rig: &Rig) -> Vec<String> {
    let names = MachineNames::new(&rig.m);
    let line = |wait: Wait| {
        let Waiter::Stream { stream, step } = wait.waiter else {
            panic!("{wait:?}")
        };
        let name = &rig.m.setup.plan.streams[stream].name;
        format!("{name} at {step} until {}", names.awaited(&wait.awaited))
    };
    ndis::waiting_streams(&rig.m)
        .into_iter()
        .map(line)
        .collect()
}

#[test]
fn conditions_and_signals() {
    let mut rig = Rig::new(isa::Profile::Amd64, WAITING);
    let waiting = stuck(&rig);
    assert_eq!(
        waiting,
        [
            "first at 0 until go is signalled",
            "second at 0 until a driver asks adapter One for packets",
        ]
    );
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    assert_eq!(rig.ready(), [1]);
    ndis::arrive(&mut rig.m, 1, 0);
    assert_eq!(rig.ready(), [0], "the signal was raised behind the packet");
    ndis::arrive(&mut rig.m, 0, 0);
    assert_eq!(rig.ready(), [0; 0]);
    let waiting = stuck(&rig);
    assert_eq!(
        waiting,
        ["first at 2 until host peer knows the station of 10.0.0.1"]
    );
    // An answer from 10.0.0.1: opcode 2, sender One, to the host.
    let answer = [
        8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9,
    ];
    let packet = rig.packet(&[&PEER, &ONE, &answer]);
    assert_eq!(rig.status("NdisSend", &[binding, packet]), status::SUCCESS);
    assert_eq!(rig.ready(), [0]);
    assert!(ndis::stream_outstanding(&rig.m));
}

/// A signal that a thread of the plan raises.
#[test]
fn signals_from_elsewhere() {
    let mut rig = Rig::new(isa::Profile::Amd64, WAITING);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    assert_eq!(rig.ready(), [1]);
    ndis::signal(&mut rig.m, 0, 0);
    assert_eq!(rig.ready(), [0, 1]);
}

/// Nothing arrives that is not there.
#[test]
fn a_stream_that_is_not_ready_stays_as_it_is() {
    let mut rig = Rig::new(isa::Profile::Amd64, WAITING);
    let before = rig.m.recorder.count();
    for stream in [0, 2, 3, 4, 999] {
        ndis::arrive(&mut rig.m, stream, 0);
    }
    assert_eq!(rig.m.recorder.count(), before);
}
