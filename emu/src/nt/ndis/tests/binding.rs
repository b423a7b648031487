//! Registering, binding, asking the adapter, and closing.

use super::*;
use crate::machine::context::Next;

#[test]
fn registration_is_checked() {
    // Version, length, and what comes of it.
    let table = [
        (2, 0x90, status::BAD_VERSION),
        (3, 0x90, status::SUCCESS),
        (3, 0x20, status::BAD_CHARACTERISTICS),
        (4, 0x90, status::SUCCESS),
        (4, 0x68, status::BAD_CHARACTERISTICS),
        (5, 0x90, status::SUCCESS),
        (6, 0x90, status::BAD_VERSION),
    ];
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    for (version, length, expected) in table {
        let from = rig.characteristics(version);
        let at = rig.out[1];
        let status = rig.status("NdisRegisterProtocol", &[at, from, length]);
        assert_eq!(status, expected, "version {version}, length {length:#x}");
        assert_eq!(rig.ptr(at) != 0, status == status::SUCCESS);
    }
    let at = layout::of(rig.m.arch()).characteristics;
    let from = rig.characteristics(4);
    rig.set_ptr(from + at.receive, 0);
    let handle_at = rig.out[1];
    let status = rig.status("NdisRegisterProtocol", &[handle_at, from, 0x90]);
    assert_eq!(status, status::BAD_CHARACTERISTICS);
}

#[test]
fn nt4_has_no_ndis_5() {
    let mut plan = plan(isa::Profile::I386, "");
    plan.personality = crate::personality::Personality::Nt4;
    let mut rig = Rig::on(&plan);
    let from = rig.characteristics(5);
    let at = rig.out[1];
    assert_eq!(
        rig.status("NdisRegisterProtocol", &[at, from, 0x4C]),
        status::BAD_VERSION
    );
}

#[test]
fn adapters_are_found_by_name_and_medium() {
    let mut rig = Rig::new(isa::Profile::I386, "");
    let protocol = rig.protocol(4);
    let table = [
        (r"\Device\One", 0, status::SUCCESS),
        (r"\DEVICE\two", 0, status::SUCCESS),
        (r"\Device\Three", 0, status::ADAPTER_NOT_FOUND),
        ("One", 0, status::ADAPTER_NOT_FOUND),
        (r"\Devise\One", 0, status::ADAPTER_NOT_FOUND),
        (
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}One",
            0,
            status::ADAPTER_NOT_FOUND,
        ),
        (r"\Device\One", 1, status::UNSUPPORTED_MEDIA),
    ];
    for (name, medium, expected) in table {
        let (status, binding) = rig.try_open(protocol, name, medium);
        assert_eq!(status, expected, "{name} for medium {medium}");
        assert_eq!(binding != 0, status == status::SUCCESS);
        if status == status::SUCCESS {
            assert_eq!(rig.u32(rig.out[3]), 1, "index of the medium");
        }
    }
}

#[test]
fn objects_have_their_values_and_lengths() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let binding = rig.open(4, r"\Device\Two", DIRECTED_AND_BROADCAST);
    let table: [(u32, &[u8]); 7] = [
        (0x0101_0102, &TWO),
        (0x0101_0101, &TWO),
        (0x0001_0106, &576u32.to_le_bytes()),
        (0x0001_0111, &590u32.to_le_bytes()),
        (0x0001_0107, &1_000_000u32.to_le_bytes()),
        (0x0001_0104, &[0; 4]),
        (0x0001_010E, &DIRECTED_AND_BROADCAST.to_le_bytes()),
    ];
    for (oid, value) in table {
        let length = value.len() as u32;
        let room = vec![0xEE; value.len()];
        let expected = (status::SUCCESS, length, 0, value.to_vec());
        assert_eq!(rig.request(binding, 0, oid, &room), expected, "{oid:#x}");
        let short = &room[1..];
        let expected = (status::INVALID_LENGTH, 0, length, short.to_vec());
        assert_eq!(
            rig.request(binding, 0, oid, short),
            expected,
            "{oid:#x}, short"
        );
    }
    // What the list of supported objects names can be asked.
    let list = rig.request(binding, 0, 0x0001_0101, &[0; 0x100]);
    let oids = list.3[..list.1 as usize].as_chunks::<4>().0.to_vec();
    assert!(oids.len() > 20);
    for oid in oids {
        let oid = u32::from_le_bytes(oid);
        assert_eq!(
            rig.request(binding, 0, oid, &[0; 0x100]).0,
            status::SUCCESS,
            "{oid:#x}"
        );
    }
}

#[test]
fn settings_are_checked() {
    let mut rig = Rig::new(isa::Profile::Amd64, "");
    let binding = rig.open(4, r"\Device\Two", 1);
    let table: [(u32, &[u8], u32); 8] = [
        (0x0001_010E, &[0x2F, 0, 0, 0], status::SUCCESS),
        (0x0001_010E, &[0x10, 0, 0, 0], status::NOT_SUPPORTED),
        (0x0001_010E, &[1], status::INVALID_LENGTH),
        (0x0001_010F, &[64, 0, 0, 0], status::SUCCESS),
        (0x0001_010F, &[0, 64, 0, 0], status::INVALID_DATA),
        (0x0101_0103, &[1, 0, 0x5E, 0, 0, 1], status::SUCCESS),
        (0x0101_0103, &[1, 0, 0x5E, 0, 0], status::INVALID_LENGTH),
        (0x0101_0102, &ONE, status::NOT_SUPPORTED),
    ];
    for (oid, value, expected) in table {
        assert_eq!(
            rig.request(binding, 1, oid, value).0,
            expected,
            "{oid:#x} = {value:?}"
        );
    }
    assert_eq!(
        rig.request(binding, 0, 0x0001_010E, &[0; 4]).3,
        [0x2F, 0, 0, 0]
    );
    assert_eq!(
        rig.request(binding, 0, 0x0101_0103, &[0; 6]).3,
        [1, 0, 0x5E, 0, 0, 1]
    );
    // NdisRequestQueryStatistics is not a protocol's to ask.
    assert_eq!(
        rig.request(binding, 2, 0x0001_010E, &[0; 4]).0,
        status::NOT_SUPPORTED
    );
}

#[test]
fn closing_is_immediate_when_nothing_goes_on() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    assert_eq!(rig.ready(), [0]);
    assert_eq!(rig.status("NdisCloseAdapter", &[binding]), status::SUCCESS);
    assert_eq!(rig.ready(), [0; 0], "nobody listens any more");
    let out = rig.out[0];
    let again = rig.try_on(0, "NdisCloseAdapter", &[out, binding]);
    assert!(complaint(again).contains("not the handle of an open binding"));
}

#[test]
fn closing_waits_for_the_batch() {
    let mut rig = Rig::new(isa::Profile::Amd64, ARP_REQUESTS);
    let binding = rig.open(4, r"\Device\One", DIRECTED_AND_BROADCAST);
    let (_, _, _, then) = entered(rig.arrive_and_defer(0, 1));
    assert_eq!(rig.status("NdisCloseAdapter", &[binding]), status::PENDING);
    let threads = rig.m.state.nt.threads.list.len();
    let (what, _, _, then) = entered(rig.resume(1, then, 0).expect("the batch goes on"));
    assert_eq!(what, "ReceiveComplete");
    assert_eq!(rig.m.state.nt.threads.list.len(), threads);
    rig.resume(1, then, 0).expect("the batch ends");

    let worker = rig
        .m
        .state
        .nt
        .threads
        .list
        .last()
        .expect("a worker was made");
    let Next::Host(then, _) = worker.context.as_ref().expect("it is ready").next.clone() else {
        panic!("the worker has nothing to do");
    };
    let (what, routine, args, _) = entered(rig.resume(0, then, 0).expect("it completes"));
    assert_eq!(
        (what, routine),
        ("CloseAdapterComplete", handler::CLOSE_COMPLETE)
    );
    assert_eq!(args, [CONTEXT, u64::from(status::SUCCESS)]);
}

#[test]
fn a_protocol_leaves_after_its_bindings() {
    let mut rig = Rig::new(isa::Profile::I386, "");
    let protocol = rig.protocol(4);
    let (_, binding) = rig.try_open(protocol, r"\Device\One", 0);
    let out = rig.out[0];
    let early = rig.try_on(0, "NdisDeregisterProtocol", &[out, protocol]);
    assert!(complaint(early).contains("protocol TEST still has open bindings"));
    assert_eq!(rig.status("NdisCloseAdapter", &[binding]), status::SUCCESS);
    assert_eq!(
        rig.status("NdisDeregisterProtocol", &[protocol]),
        status::SUCCESS
    );
    let again = rig.try_on(0, "NdisDeregisterProtocol", &[out, protocol]);
    assert!(complaint(again).contains("not the handle of a protocol"));
}
