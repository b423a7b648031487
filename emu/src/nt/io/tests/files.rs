//! Opening, referencing and closing.

use super::*;

#[test]
fn a_create_request_carries_what_was_asked_for() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let device = rig.device("\\Device\\Test");
        let l = layout::of(rig.m.arch());
        let attributes = rig.named(0, "\\device\\TEST\\Some\\Name");
        let ea = [&[0, 0, 0, 0, 0, 4, 3, 0][..], b"Name\0", &[7, 8, 9]].concat();
        let (ea_at, ea_length) = (rig.put(&ea), ea.len() as u64);
        let out = rig.out;
        let args = [
            out,
            0xC010_0000,
            attributes,
            out + 16,
            0,
            0x80,
            3,
            3,
            0x60,
            ea_at,
            ea_length,
        ];
        let before = rig.blocks();
        let create = rig.enters("ZwCreateFile", &args);
        let irp = create.args[1];
        assert_eq!(
            (create.routine, create.args[0]),
            (routine::DISPATCH, device)
        );
        let stack = rig.stack(irp);
        assert_eq!(rig.u8(stack), 0, "IRP_MJ_CREATE");
        assert_eq!(rig.u32(stack + l.stack.create_options), 3 << 24 | 0x60);
        assert_eq!(rig.u32(stack + l.stack.create_ea_length), ea.len() as u32);
        let system = rig.ptr(irp + l.irp.associated_irp);
        assert_eq!(rig.bytes(system, ea_length), ea);
        let file = rig.ptr(stack + l.stack.file_object);
        assert_eq!(rig.ptr(file + l.file.device_object), device);
        let name = file + l.file.file_name;
        let text = rig.bytes(rig.ptr(name + l.unicode_string.buffer), 20);
        assert_eq!(
            text,
            "\\Some\\Name"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        );
        assert_eq!(rig.u8(irp + l.irp.requestor_mode), 0);
        assert_eq!(rig.answer(create, 0, 1), Ok(Outcome::Return(0)));
        assert_eq!(rig.u32(out + 16 + l.io_status_block.information), 1);
        // What stays is the file object and its name.
        assert_eq!(rig.blocks(), before + 2);
        let handle = rig.ptr(out);
        assert_eq!(rig.file(handle), file);
    }
}

#[test]
fn a_refused_create_leaves_nothing() {
    let rig = &mut Rig::new(Profile::Amd64);
    let device = rig.device("\\Device\\Test");
    let attributes = rig.named(0, "\\Device\\Test\\x");
    let out = rig.out;
    let before = rig.blocks();
    let create = rig.enters("ZwOpenFile", &[out, 0, attributes, out + 16, 3, 0x20]);
    let refused = status::ACCESS_DENIED;
    assert_eq!(
        rig.answer(create, refused, 0),
        Ok(Outcome::Return(u64::from(refused)))
    );
    assert_eq!(rig.u32(out + 16), refused);
    assert_eq!(rig.blocks(), before);
    let count = layout::of(rig.m.arch()).device.reference_count;
    assert_eq!(rig.u32(device + count), 0);
    assert_eq!(rig.m.state.nt.io.objects.handles().count(), 0);
}

#[test]
fn names_that_lead_nowhere() {
    let rig = &mut Rig::new(Profile::I386);
    rig.device("\\Device\\Test");
    let out = rig.out;
    let mut open = |name: &str| {
        let attributes = rig.named(0, name);
        rig.status("ZwOpenFile", &[out, 0, attributes, out + 16, 3, 0x20])
    };
    assert_eq!(open("\\Device\\Other"), status::OBJECT_NAME_NOT_FOUND);
    assert_eq!(open("\\Nowhere\\Other"), status::OBJECT_PATH_NOT_FOUND);
    assert_eq!(open("Device\\Test"), status::OBJECT_PATH_SYNTAX_BAD);
}

#[test]
fn a_broken_attribute_list_does_not_reach_the_driver() {
    let rig = &mut Rig::new(Profile::I386);
    rig.device("\\Device\\Test");
    let attributes = rig.named(0, "\\Device\\Test");
    let ea = rig.put(&[0, 0, 0, 0, 0, 200, 0, 0, 1, 2, 3, 4]);
    let out = rig.out;
    let args = [out, 0, attributes, out + 16, 0, 0, 3, 1, 0x20, ea, 12];
    assert_eq!(
        rig.status("ZwCreateFile", &args),
        status::EA_LIST_INCONSISTENT
    );
}

#[test]
fn closing_says_cleanup_and_then_close() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let device = rig.device("\\Device\\Test");
        let before = rig.blocks();
        let handle = rig.open("\\Device\\Test");
        let file = rig.file(handle);
        let l = layout::of(rig.m.arch());
        assert_eq!(rig.u32(device + l.device.reference_count), 1);
        let cleanup = rig.enters("ZwClose", &[handle]);
        let stack = rig.stack(cleanup.args[1]);
        assert_eq!(
            (rig.u8(stack), rig.ptr(stack + l.stack.file_object)),
            (0x12, file)
        );
        let close = entered(rig.answer(cleanup, 0, 0));
        let stack = rig.stack(close.args[1]);
        assert_eq!(
            (rig.u8(stack), rig.ptr(stack + l.stack.file_object)),
            (0x02, file)
        );
        // The driver cannot keep it open.
        assert_eq!(
            rig.answer(close, status::UNSUCCESSFUL, 0),
            Ok(Outcome::Return(0))
        );
        assert_eq!(rig.u32(device + l.device.reference_count), 0);
        assert_eq!(rig.blocks(), before);
        assert_eq!(rig.status("ZwClose", &[handle]), status::INVALID_HANDLE);
    }
}

#[test]
fn a_reference_keeps_a_file_that_has_no_handle() {
    let rig = &mut Rig::new(Profile::Amd64);
    rig.device("\\Device\\Test");
    let handle = rig.open("\\Device\\Test");
    let file = rig.file(handle);
    let out = rig.out;
    assert_eq!(
        rig.status("ObReferenceObjectByHandle", &[handle, 0, 0, 0, out, 0]),
        0
    );
    assert_eq!(rig.ptr(out), file);
    let cleanup = rig.enters("ZwClose", &[handle]);
    assert_eq!(
        rig.answer(cleanup, 0, 0),
        Ok(Outcome::Return(0)),
        "no close yet"
    );
    let close = rig.enters("ObfDereferenceObject", &[file]);
    assert_eq!(rig.u8(rig.stack(close.args[1])), 0x02);
    assert_eq!(rig.answer(close, 0, 0), Ok(Outcome::Return(0)));
    let again = rig.try_call("ObfDereferenceObject", &[file]);
    assert_eq!(bugcheck(again).0, 0x18, "REFERENCE_BY_POINTER");
}

#[test]
fn a_cleanup_may_take_its_time() {
    let rig = &mut Rig::new(Profile::Amd64);
    rig.device("\\Device\\Test");
    let handle = rig.open("\\Device\\Test");
    let cleanup = rig.enters("ZwClose", &[handle]);
    // Completed before the dispatch routine has returned: the wait is over before it begins.
    rig.mark_pending(cleanup.args[1]);
    rig.complete(cleanup.args[1], 0, 0);
    let close = entered(rig.resume(cleanup.then, u64::from(status::PENDING)));
    assert_eq!(rig.u8(rig.stack(close.args[1])), 0x02);
}

#[test]
fn the_device_behind_a_name() {
    let rig = &mut Rig::new(Profile::I386);
    let device = rig.device("\\Device\\Test");
    let name = rig.string("\\Device\\Test");
    let out = rig.out;
    let create = rig.enters("IoGetDeviceObjectPointer", &[name, 2, out, out + 8]);
    let cleanup = entered(rig.answer(create, 0, 0));
    assert_eq!(
        rig.u8(rig.stack(cleanup.args[1])),
        0x12,
        "the handle goes at once"
    );
    assert_eq!(rig.answer(cleanup, 0, 0), Ok(Outcome::Return(0)));
    let (file, found) = (rig.ptr(out), rig.ptr(out + 8));
    assert_eq!(found, device);
    assert_eq!(rig.call("IoGetRelatedDeviceObject", &[file]), device);
    let close = rig.enters("ObfDereferenceObject", &[file]);
    assert_eq!(
        rig.u8(rig.stack(close.args[1])),
        0x02,
        "the file with its last reference"
    );
}

#[test]
fn the_last_reference_must_not_go_at_dispatch_level() {
    let rig = &mut Rig::new(Profile::Amd64);
    rig.device("\\Device\\Test");
    let handle = rig.open("\\Device\\Test");
    let file = rig.file(handle);
    let out = rig.out;
    rig.status("ObReferenceObjectByHandle", &[handle, 0, 0, 0, out, 0]);
    let cleanup = rig.enters("ZwClose", &[handle]);
    rig.answer(cleanup, 0, 0).unwrap();
    rig.m.set_irql(0, 2);
    let text = unimplemented(rig.try_call("ObfDereferenceObject", &[file]));
    assert!(text.contains("DISPATCH_LEVEL"), "{text}");
}

#[test]
fn event_objects() {
    let rig = &mut Rig::new(Profile::Amd64);
    let out = rig.out;
    let before = rig.blocks();
    assert_eq!(rig.status("ZwCreateEvent", &[out, 0, 0, 1, 0]), 0);
    let handle = rig.ptr(out);
    assert_eq!(rig.status("ZwSetEvent", &[handle, out + 8]), 0);
    assert_eq!(rig.u32(out + 8), 0);
    assert_eq!(rig.status("ZwWaitForSingleObject", &[handle, 0, 0]), 0);
    // A synchronization event is taken by the wait.
    rig.status("ZwSetEvent", &[handle, out + 8]);
    assert_eq!(rig.u32(out + 8), 0);
    assert_eq!(rig.status("ZwClose", &[handle]), 0);
    assert_eq!(rig.blocks(), before);
}
