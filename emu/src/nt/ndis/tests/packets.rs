//! Descriptors: pools, chains, copies, memory.

use super::*;
use crate::stop::Bugcheck;

#[test]
fn a_packet_pool_has_as_many_as_it_was_made_for() {
    let mut rig = Rig::new(isa::Profile::I386, "");
    let at = rig.out[1];
    assert_eq!(
        rig.status("NdisAllocatePacketPool", &[at, 2, 12]),
        status::SUCCESS
    );
    let pool = rig.ptr(at);
    let mut packets = Vec::new();
    for _ in 0..2 {
        assert_eq!(
            rig.status("NdisAllocatePacket", &[at, pool]),
            status::SUCCESS
        );
        packets.push(rig.ptr(at));
    }
    // 0x38 bytes of descriptor, 12 of the protocol, rounded up.
    let offset = layout::of(rig.m.arch()).packet.oob_offset;
    assert_eq!(rig.bytes(packets[0] + offset, 2), [0x48, 0]);
    assert_eq!(
        rig.status("NdisAllocatePacket", &[at, pool]),
        status::RESOURCES
    );
    assert_eq!(rig.ptr(at), 0);
    assert_eq!(rig.call("NdisPacketPoolUsage", &[pool]), 2);

    rig.write(packets[1] + 8, &[0xEE; 8]);
    rig.call("NdisFreePacket", &[packets[1]]);
    let twice = rig.try_on(0, "NdisFreePacket", &[packets[1]]);
    assert!(complaint(twice).contains("not a packet in use"));
    assert_eq!(
        rig.status("NdisAllocatePacket", &[at, pool]),
        status::SUCCESS
    );
    assert_eq!(rig.ptr(at), packets[1], "the one freed last");
    assert_eq!(rig.bytes(packets[1] + 8, 8), [0; 8], "and cleared");

    rig.call("NdisFreePacketPool", &[pool]);
    let after = rig.try_on(0, "NdisFreePacketPool", &[pool]);
    assert!(complaint(after).contains("not the handle of a packet pool"));
}

#[test]
fn pools_that_are_too_large_are_refused() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let at = rig.out[1];
    for (count, reserved) in [(u64::from(u32::MAX), 16), (1, 0x1_0000)] {
        let status = rig.status("NdisAllocatePacketPool", &[at, count, reserved]);
        assert_eq!((status, rig.ptr(at)), (status::RESOURCES, 0));
    }
}

#[test]
fn chains_are_taken_apart_from_both_ends() {
    for profile in [isa::Profile::I386, isa::Profile::Alpha] {
        let mut rig = Rig::new(profile, "");
        let packet = rig.packet(&[b"abc", b"de", b"f"]);
        let at = rig.out[1];
        let part = |rig: &mut Rig, function: &str| {
            rig.call(function, &[packet, at]);
            let mdl = rig.ptr(at);
            if mdl == 0 {
                return (Vec::new(), rig.contents(packet));
            }
            rig.call("NdisQueryBuffer", &[mdl, rig.out[2], rig.out[3]]);
            let (address, length) = (rig.ptr(rig.out[2]), u64::from(rig.u32(rig.out[3])));
            (rig.bytes(address, length), rig.contents(packet))
        };
        let table: [(&str, &[u8], &[u8]); 4] = [
            ("NdisUnchainBufferAtBack", b"f", b"abcde"),
            ("NdisUnchainBufferAtFront", b"abc", b"de"),
            ("NdisUnchainBufferAtBack", b"de", b""),
            ("NdisUnchainBufferAtBack", b"", b""),
        ];
        for (function, taken, left) in table {
            assert_eq!(part(&mut rig, function), (taken.to_vec(), left.to_vec()));
        }
    }
}

#[test]
fn bytes_go_from_packet_to_packet() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let from = rig.packet(&[b"abc", b"defgh"]);
    let to = rig.packet(&[b"....", b"...."]);
    let at = rig.out[1];
    rig.call("NdisCopyFromPacketToPacket", &[to, 2, 5, from, 1, at]);
    assert_eq!((rig.u32(at), rig.contents(to)), (5, b"..bcdef.".to_vec()));
    rig.call("NdisCopyFromPacketToPacket", &[to, 6, 9, from, 6, at]);
    assert_eq!((rig.u32(at), rig.contents(to)), (2, b"..bcdegh".to_vec()));
    let [first_at, address_at, length_at, total_at] = rig.out;
    rig.call(
        "NdisGetFirstBufferFromPacket",
        &[from, first_at, address_at, length_at, total_at],
    );
    assert_eq!((rig.u32(length_at), rig.u32(total_at)), (3, 8));
    assert_eq!(rig.bytes(rig.ptr(address_at), 3), b"abc");
}

#[test]
fn a_buffer_describes_what_it_is_told_to() {
    // Alpha and Itanium have pages of 8 KiB.
    let profiles = [
        (isa::Profile::I386, 0x1000),
        (isa::Profile::Amd64, 0x1000),
        (isa::Profile::Alpha, 0x2000),
    ];
    for (profile, page) in profiles {
        let mut rig = Rig::new(profile, "");
        let l = nt::layout::of(rig.m.arch());
        let block = pool::allocate(&mut rig.m, 0, 3 * page, *b"Test", false);
        let (address, length) = (block + page - 8, 2 * page);
        let at = rig.out[1];
        assert_eq!(
            rig.status("NdisAllocateBuffer", &[at, 0, address, length]),
            status::SUCCESS
        );
        let mdl = rig.ptr(at);
        assert_eq!(
            rig.bytes(mdl + l.mdl.words, 2)[0] as u64,
            l.mdl.size + 3 * l.pointer
        );
        assert_eq!(rig.ptr(mdl + l.mdl.start_va), block);
        assert_eq!(u64::from(rig.u32(mdl + l.mdl.byte_offset)), page - 8);
        assert_eq!(rig.call("NdisBufferLength", &[mdl]), length);
        assert_eq!(rig.call("NdisBufferVirtualAddress", &[mdl]), address);

        let [_, _, part_at, _] = rig.out;
        assert_eq!(
            rig.status("NdisCopyBuffer", &[part_at, 0, mdl, 4, 8]),
            status::SUCCESS
        );
        let part = rig.ptr(part_at);
        assert_eq!(rig.call("NdisBufferVirtualAddress", &[part]), address + 4);
        let out = rig.out[0];
        let over = rig.try_on(0, "NdisCopyBuffer", &[out, part_at, 0, mdl, 1, length]);
        assert!(complaint(over).contains("more than the buffer describes"));

        rig.call("NdisFreeBuffer", &[mdl]);
        let twice = rig.try_on(0, "NdisFreeBuffer", &[mdl]);
        let Err(Trouble::Stop(stop)) = twice else {
            panic!("{twice:?}")
        };
        // BAD_POOL_CALLER, as the pool says it.
        assert!(matches!(*stop, Stop::Bugcheck(b) if matches!(*b, Bugcheck { code: 0xC2, .. })));
    }
}

#[test]
fn memory_comes_from_nonpaged_pool() {
    let mut rig = Rig::new(isa::Profile::I386, "");
    let at = rig.out[1];
    let tag = u64::from(u32::from_le_bytes(*b"Tag1"));
    assert_eq!(rig.call("NdisAllocateMemoryWithTag", &[at, 100, tag]), 0);
    let block = rig.ptr(at);
    let (_, facts) = rig
        .m
        .state
        .nt
        .pools
        .containing(block)
        .expect("it is allocated");
    assert_eq!((facts.size, facts.tag, facts.paged), (100, *b"Tag1", false));
    rig.call("NdisFreeMemory", &[block, 100, 0]);
    assert_eq!(rig.m.state.nt.pools.containing(block), None);
    let huge = rig.call("NdisAllocateMemoryWithTag", &[at, 0xFFFF_FFFF, tag]);
    assert_eq!((huge as u32, rig.ptr(at)), (status::FAILURE, 0));
    let noncached = rig.try_on(0, "NdisAllocateMemory", &[at, 100, 2, u64::MAX]);
    assert!(complaint(noncached).contains("noncached"));
}
