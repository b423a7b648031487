//! Sending, and what comes back.

use super::*;
use crate::trace::EventKind;
use crate::trace::event::PacketOp;

/// An ARP request of adapter One for the host, without the link header's addresses.
const QUESTION: &[u8] = &[
    8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9,
];

impl Rig {
    fn sent(&self) -> Vec<(u32, u32, String)> {
        let events = self.m.recorder.events().iter();
        let sent = events.filter_map(|e| match &e.kind {
            EventKind::Packet {
                op: PacketOp::Sent,
                adapter,
                length,
                contents,
                ..
            } => Some((*adapter, *length, contents.words().to_string())),
            _ => None,
        });
        sent.collect()
    }
}

#[test]
fn a_host_answers_arp() {
    for profile in isa::Profile::ALL {
        let mut rig = Rig::new(profile, "");
        let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
        let packet = rig.packet(&[&EVERYONE, &ONE, QUESTION]);
        assert_eq!(rig.status("NdisSend", &[binding, packet]), status::SUCCESS);
        let question = "ARP who has 10.0.0.9 tell 10.0.0.1".to_owned();
        assert_eq!(rig.sent(), [(0, 42, question)]);
        // There is no stream in the plan: the wires of the adapters are streams 0 and 1.
        assert_eq!(rig.ready(), [0]);
        assert!(ndis::stream_outstanding(&rig.m));
        let (_, _, args, _) = entered(rig.arrive_and_defer(0, 1));
        let answer = rig.contents(args[1]);
        assert_eq!(
            crate::scenario::summary(&answer),
            "ARP 10.0.0.9 is at 02-00-00-00-00-09"
        );
        assert_eq!(rig.ready(), [0; 0]);
    }
}

#[test]
fn adapters_on_one_wire_hear_each_other() {
    let mut rig = Rig::new(isa::Profile::I386, "");
    let one = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let to_two = rig.packet(&[&TWO, &ONE, &[0x88, 0xB5, 1, 2, 3]]);
    assert_eq!(rig.status("NdisSend", &[one, to_two]), status::SUCCESS);
    assert_eq!(
        rig.ready(),
        [0; 0],
        "nobody listens on Two: the frame is lost"
    );
    rig.open(4, r"\Device\Two", DIRECTED_AND_BROADCAST);
    assert_eq!(rig.status("NdisSend", &[one, to_two]), status::SUCCESS);
    assert_eq!(rig.ready(), [1]);
    let (_, _, args, _) = entered(rig.arrive_and_defer(1, 0));
    assert_eq!(rig.contents(args[1])[..12], [TWO, ONE].concat());
    // One for the host is heard by neither adapter.
    let to_peer = rig.packet(&[&PEER, &ONE, &[0x88, 0xB5]]);
    assert_eq!(rig.status("NdisSend", &[one, to_peer]), status::SUCCESS);
    assert_eq!(rig.ready(), [0; 0]);
}

#[test]
fn frames_have_a_shortest_and_a_longest_length() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let binding = rig.open(4, r"\Device\Two", DIRECTED_AND_BROADCAST);
    let table = [
        (13, status::INVALID_PACKET),
        (14, status::SUCCESS),
        (590, status::SUCCESS),
        (591, status::INVALID_PACKET),
    ];
    for (length, expected) in table {
        let packet = rig.packet(&[&vec![0x02; length]]);
        assert_eq!(
            rig.status("NdisSend", &[binding, packet]),
            expected,
            "{length} bytes"
        );
    }
    let counted = |rig: &mut Rig, oid| rig.request(binding, 0, oid, &[0; 4]).3[0];
    assert_eq!(
        (
            counted(&mut rig, 0x0002_0101),
            counted(&mut rig, 0x0002_0103)
        ),
        (2, 2)
    );
}

#[test]
fn packets_of_an_array_are_completed_one_by_one() {
    let mut rig = Rig::new(isa::Profile::Ia64, "");
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let good = rig.packet(&[&EVERYONE, &ONE, QUESTION]);
    let bad = rig.packet(&[&EVERYONE]);
    let array = rig.scratch + 0x800;
    rig.set_ptr(array, good);
    rig.set_ptr(array + 8, bad);
    let mut outcome = rig.try_on(0, "NdisSendPackets", &[binding, array, 2]);
    for (packet, status) in [(good, status::SUCCESS), (bad, status::INVALID_PACKET)] {
        let (what, routine, args, then) = entered(outcome.expect("it is completed"));
        assert_eq!((what, routine), ("SendComplete", handler::SEND_COMPLETE));
        assert_eq!(args, [CONTEXT, packet, u64::from(status)]);
        outcome = rig.resume(0, then, 0);
    }
    assert_eq!(outcome, Ok(Outcome::Return(0)));
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(
        rig.status("NdisCloseAdapter", &[binding]),
        status::SUCCESS,
        "nothing is left"
    );
}

#[test]
fn a_buffer_chain_that_does_not_end_is_noticed() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let packet = rig.packet(&[&EVERYONE]);
    let mdl = rig.ptr(packet + layout::of(rig.m.arch()).packet.head);
    rig.set_ptr(mdl, mdl);
    let out = rig.out[0];
    let sent = rig.try_on(0, "NdisSend", &[out, binding, packet]);
    assert!(complaint(sent).contains("does not end"));
}
