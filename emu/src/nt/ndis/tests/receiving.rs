//! From the interrupt to the return of the packet.

use super::*;
use crate::trace::EventKind;
use crate::trace::event::{PacketOp, PoolOp};

impl Rig {
    /// What happened to packets so far.
    fn moves(&self) -> Vec<(PacketOp, u32)> {
        let events = self.m.recorder.events().iter();
        let moves = events.filter_map(|e| match e.kind {
            EventKind::Packet { op, number, .. } => Some((op, number)),
            _ => None,
        });
        moves.collect()
    }

    /// Blocks of received packets that are allocated.
    fn receive_blocks(&self) -> usize {
        let tags = [*b"NDrx", *b"NDpk"];
        self.m
            .state
            .nt
            .pools
            .blocks()
            .filter(|(_, b)| tags.contains(&b.tag))
            .count()
    }

    fn return_packet(&mut self, core: usize, packet: u64) -> Done {
        let array = self.scratch;
        self.set_ptr(array, packet);
        self.try_on(core, "NdisReturnPackets", &[array, 1])
    }
}

/// On every pointer size: interrupt, DPC, handlers, return on the other core.
#[test]
fn a_packet_that_is_kept() {
    for profile in isa::Profile::ALL {
        let mut rig = Rig::new(profile, ARP_REQUESTS);
        assert_eq!(rig.ready(), [0; 0], "nobody listens");
        rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
        assert_eq!(rig.ready(), [0]);

        ndis::arrive(&mut rig.m, 0, 1);
        assert_eq!(ndis::pending_interrupt(&rig.m, 0), None);
        assert_eq!(ndis::pending_interrupt(&rig.m, 1), Some(0));
        let level = ndis::interrupt_level(&rig.m, 0);
        assert!(rig.m.irqls().is_device(level));
        rig.m.set_irql(1, level);
        assert_eq!(
            ndis::pending_interrupt(&rig.m, 1),
            None,
            "masked by the IRQL"
        );
        rig.m.set_irql(1, 0);

        rig.resume(1, nt::Then::Ndis(Then::Service(0)), 0)
            .expect("it is serviced");
        assert_eq!(
            ndis::pending_interrupt(&rig.m, 1),
            None,
            "until the DPC is done"
        );
        let (what, routine, args, then) = entered(rig.defer(0, 1));
        assert_eq!((what, routine), ("ReceivePacket", handler::RECEIVE_PACKET));
        let [CONTEXT, packet] = args[..] else {
            panic!("{args:x?}")
        };

        let frame = rig.contents(packet);
        assert_eq!(
            crate::scenario::summary(&frame),
            "ARP who has 10.0.0.1 tell 10.0.0.9"
        );
        let at = layout::of(rig.m.arch());
        let oob = packet + u64::from(rig.u32(packet + at.packet.oob_offset) & 0xFFFF);
        assert_eq!(rig.u32(oob + at.oob.status), status::SUCCESS);
        assert_eq!(rig.u32(oob + at.oob.header_size), 14);
        assert_eq!(
            rig.u32(packet + at.packet.total_length) as usize,
            frame.len()
        );

        let (what, routine, args, then) = entered(rig.resume(1, then, 1).expect("it goes on"));
        assert_eq!(
            (what, routine),
            ("ReceiveComplete", handler::RECEIVE_COMPLETE)
        );
        assert_eq!(args, [CONTEXT]);
        let next = Ok(Outcome::Continue(nt::Then::NextDpc, 0));
        assert_eq!(rig.resume(1, then, 0), next);
        assert_eq!(
            rig.m.state.nt.net.held_packets().collect::<Vec<_>>(),
            [(packet, 0)]
        );
        assert_eq!(rig.receive_blocks(), 2);

        assert_eq!(rig.return_packet(0, packet), Ok(Outcome::Return(0)));
        assert_eq!(rig.receive_blocks(), 0);
        assert_eq!(rig.m.state.nt.net.held_packets().count(), 0);
        let moves = [PacketOp::Arrived, PacketOp::Indicated, PacketOp::Returned].map(|op| (op, 0));
        assert_eq!(rig.moves(), moves);
        let again = rig.return_packet(0, packet);
        assert!(complaint(again).contains("is not a received packet"));
    }
}

#[test]
fn a_packet_that_is_not_kept_goes_back_at_once() {
    let mut rig = Rig::new(isa::Profile::I386, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let (_, _, _, then) = entered(rig.arrive_and_defer(0, 0));
    // What a 32-bit handler leaves in edx is none of the result.
    rig.resume(0, then, 0xFFFF_FFFF_0000_0000)
        .expect("it goes on");
    assert_eq!(rig.receive_blocks(), 0);
}

#[test]
fn a_packet_may_come_back_before_the_handler() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let (_, _, args, then) = entered(rig.arrive_and_defer(0, 1));
    assert_eq!(rig.return_packet(0, args[1]), Ok(Outcome::Return(0)));
    assert_eq!(rig.receive_blocks(), 2, "the handler is still in it");
    rig.resume(1, then, 1).expect("it goes on");
    assert_eq!(rig.receive_blocks(), 0);
}

#[test]
fn a_packet_that_nobody_kept_must_not_come_back() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let (_, _, args, then) = entered(rig.arrive_and_defer(0, 1));
    rig.return_packet(0, args[1])
        .expect("it may be promised yet");
    assert!(complaint(rig.resume(1, then, 0)).contains("more often than it was kept"));
}

#[test]
fn packets_of_a_core_stay_in_order_and_end_in_one_batch() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    ndis::arrive(&mut rig.m, 0, 1);
    ndis::arrive(&mut rig.m, 0, 1);
    let (_, _, _, then) = entered(rig.arrive_and_defer(0, 1));
    let (_, _, _, then) = entered(rig.resume(1, then, 0).expect("second"));
    let (_, _, _, then) = entered(rig.resume(1, then, 0).expect("third"));
    let (what, _, _, then) = entered(rig.resume(1, then, 0).expect("the end"));
    assert_eq!(what, "ReceiveComplete");
    rig.resume(1, then, 0).expect("the DPC ends");
    let indicated: Vec<u32> = rig
        .moves()
        .into_iter()
        .filter_map(|(op, number)| (op == PacketOp::Indicated).then_some(number))
        .collect();
    assert_eq!(indicated, [0, 1, 2]);
    let events = rig.m.recorder.events().iter();
    let asserted = events
        .filter(|e| matches!(e.kind, EventKind::Interrupt { .. }))
        .count();
    assert_eq!(
        asserted, 1,
        "one interrupt for what came before it was serviced"
    );
    assert!(!ndis::stream_outstanding(&rig.m));
}

/// A frame that comes while the last handlers run is not forgotten.
#[test]
fn the_interrupt_comes_again_for_late_frames() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let (_, _, _, then) = entered(rig.arrive_and_defer(0, 1));
    let (what, _, _, then) = entered(rig.resume(1, then, 0).expect("the batch ends"));
    assert_eq!(what, "ReceiveComplete");
    ndis::arrive(&mut rig.m, 0, 1);
    assert_eq!(ndis::pending_interrupt(&rig.m, 1), None);
    rig.resume(1, then, 0).expect("the DPC ends");
    assert_eq!(ndis::pending_interrupt(&rig.m, 1), Some(0));
}

#[test]
fn two_protocols_share_a_packet() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    rig.open(4, r"\Device\One", 1);
    rig.open(4, r"\Device\One", 0x20);
    let (_, _, first, then) = entered(rig.arrive_and_defer(0, 0));
    let (what, _, second, then) = entered(rig.resume(0, then, 1).expect("the other one"));
    assert_eq!(
        (what, first[1]),
        ("ReceivePacket", second[1]),
        "the same packet"
    );
    let (what, _, _, then) = entered(rig.resume(0, then, 1).expect("nobody else wants it"));
    assert_eq!(what, "ReceiveComplete");
    let (what, _, _, then) = entered(rig.resume(0, then, 0).expect("to the other one"));
    assert_eq!(what, "ReceiveComplete");
    rig.resume(0, then, 0).expect("the DPC ends");
    rig.return_packet(0, first[1]).expect("one of two");
    assert_eq!(rig.receive_blocks(), 2);
    rig.return_packet(0, first[1]).expect("two of two");
    assert_eq!(rig.receive_blocks(), 0);
}

#[test]
fn lookahead_and_transfer() {
    for profile in [isa::Profile::I386, isa::Profile::Ia64] {
        let mut rig = Rig::new(profile, ARP_REQUESTS);
        let binding = rig.open(3, r"\Device\One", DIRECTED_AND_BROADCAST);
        let looked = rig.request(binding, 1, 0x0001_010F, &20u32.to_le_bytes());
        assert_eq!(looked.0, status::SUCCESS);
        let (what, routine, args, then) = entered(rig.arrive_and_defer(0, 0));
        assert_eq!((what, routine), ("Receive", handler::RECEIVE));
        let [CONTEXT, mac_context, header, 14, lookahead, 20, payload] = args[..] else {
            panic!("{args:x?}")
        };
        let frame = [rig.bytes(header, 14), rig.bytes(lookahead, 20)].concat();
        assert_eq!(rig.contents(mac_context)[..34], frame);

        // The rest, into two buffers, the second with room to spare.
        let rest = payload - 20;
        let packet = rig.packet(&[&[0; 6], &[0; 40]]);
        let done_at = rig.out[3];
        let args = [binding, mac_context, 20, rest, packet, done_at];
        assert_eq!(rig.status("NdisTransferData", &args), status::SUCCESS);
        assert_eq!(u64::from(rig.u32(done_at)), rest);
        let whole = rig.contents(mac_context);
        assert_eq!(rig.contents(packet)[..rest as usize], whole[34..]);

        // The handler's status is not a number of returns.
        rig.resume(0, then, u64::from(status::FAILURE))
            .expect("it goes on");
        assert_eq!(rig.receive_blocks(), 0);
        let out = rig.out[0];
        let late = rig.try_on(
            0,
            "NdisTransferData",
            &[out, binding, mac_context, 0, 1, packet, 0],
        );
        assert!(complaint(late).contains("no frame is being indicated"));
    }
}

#[test]
fn a_short_miniport_asks_for_copies() {
    let many = ARP_REQUESTS.replace("repeat = 3", "repeat = 70");
    let mut rig = Rig::new(isa::Profile::I386, &many);
    rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let mut kept = 0;
    loop {
        let (_, _, args, then) = entered(rig.arrive_and_defer(0, 0));
        let at = layout::of(rig.m.arch());
        let oob = args[1] + u64::from(rig.u32(args[1] + at.packet.oob_offset) & 0xFFFF);
        if rig.u32(oob + at.oob.status) == status::RESOURCES {
            assert_eq!(kept, 64);
            assert!(complaint(rig.resume(0, then, 1)).contains("NDIS_STATUS_RESOURCES"));
            break;
        }
        let (_, _, _, then) = entered(rig.resume(0, then, 1).expect("it is kept"));
        rig.resume(0, then, 0).expect("the DPC ends");
        kept += 1;
    }
}

#[test]
fn without_memory_a_frame_is_lost() {
    let mut plan = plan(isa::Profile::Amd64, ARP_REQUESTS);
    plan.memory.nonpaged_pool = 64 << 10;
    let mut rig = Rig::on(&plan);
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let mut eaten = Vec::new();
    for size in [0x1000, 0x800, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10] {
        loop {
            match pool::allocate(&mut rig.m, 0, size, *b"Hog ", false) {
                0 => break,
                block => eaten.push(block),
            }
        }
    }
    let outcome = rig.arrive_and_defer(0, 0);
    assert_eq!(
        outcome,
        Outcome::Continue(nt::Then::NextDpc, 0),
        "nobody hears of it"
    );
    let failed = |e: &crate::trace::Event| matches!(e.kind, EventKind::Pool { op: PoolOp::Failed, tag, .. } if tag == *b"NDrx");
    assert!(rig.m.recorder.events().iter().any(failed));
    for block in eaten {
        pool::free(&mut rig.m, 0, block).expect("it is ours");
    }
    let lost = rig.request(binding, 0, 0x0002_0105, &[0; 4]);
    assert_eq!(lost.3, [1, 0, 0, 0], "OID_GEN_RCV_NO_BUFFER");
    assert_eq!(entered(rig.arrive_and_defer(0, 0)).0, "ReceivePacket");
}
