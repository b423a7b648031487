//! Control requests that drivers build.

use super::*;

/// An event that is not signalled.
fn event(rig: &mut Rig) -> u64 {
    let event = rig.put(&[0; 0x18]);
    rig.call("KeInitializeEvent", &[event, 0, 0]);
    event
}

fn is_set(rig: &Rig, event: u64) -> bool {
    rig.u32(event + 4) != 0
}

#[test]
fn buffered_data_goes_there_and_back() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let device = rig.device("");
        let l = layout::of(rig.m.arch());
        let before = rig.blocks();
        let event = event(rig);
        let (input, output) = (rig.put(&[1, 2, 3]), rig.put(&[0xEE; 8]));
        let block = rig.out + 64;
        let args = [0x22_2000, device, input, 3, output, 8, 0, event, block];
        let irp = rig.call("IoBuildDeviceIoControlRequest", &args);
        let sent = rig.enters("IofCallDriver", &[device, irp]);
        let stack = rig.stack(irp);
        assert_eq!(rig.u8(stack), 0xE);
        assert_eq!(rig.u32(stack + l.stack.ioctl_code), 0x22_2000);
        assert_eq!(rig.u32(stack + l.stack.ioctl_input_length), 3);
        assert_eq!(rig.u32(stack + l.stack.ioctl_output_length), 8);
        let system = rig.ptr(irp + l.irp.associated_irp);
        assert_eq!(rig.bytes(system, 3), [1, 2, 3]);
        rig.m.memory.write(system, &[9, 8, 7, 6, 5, 4, 3, 2]);
        assert_eq!(rig.answer(sent, 0, 4), Ok(Outcome::Return(0)));
        let copied = [9, 8, 7, 6, 0xEE, 0xEE, 0xEE, 0xEE];
        assert_eq!(rig.bytes(output, 8), copied, "as much as Information says");
        assert_eq!(rig.u32(block), 0);
        assert_eq!(rig.ptr(block + l.io_status_block.information), 4);
        assert!(is_set(rig, event));
        assert_eq!(rig.blocks(), before, "IRP and buffer are freed");
    }
}

#[test]
fn a_failure_sets_the_event_only_if_it_was_pending() {
    for pending in [false, true] {
        let rig = &mut Rig::new(Profile::Amd64);
        let device = rig.device("");
        let event = event(rig);
        let block = rig.put(&[0xEE; 16]);
        let args = [0x22_2000, device, 0, 0, 0, 0, 0, event, block];
        let irp = rig.call("IoBuildDeviceIoControlRequest", &args);
        rig.enters("IofCallDriver", &[device, irp]);
        if pending {
            rig.mark_pending(irp);
        }
        rig.complete(irp, status::UNSUCCESSFUL, 0);
        assert_eq!(is_set(rig, event), pending);
        let told = rig.u32(block) == status::UNSUCCESSFUL;
        assert_eq!(told, pending);
    }
}

#[test]
fn direct_output_is_locked_until_the_end() {
    let rig = &mut Rig::new(Profile::Amd64);
    let device = rig.device("");
    let l = layout::of(rig.m.arch());
    let before = rig.blocks();
    let event = event(rig);
    let output = rig.put(&[0; 64]);
    let page = output & !0xFFF;
    // METHOD_OUT_DIRECT, internal.
    let args = [0x22_2002, device, 0, 0, output, 64, 1, event, rig.out + 64];
    let irp = rig.call("IoBuildDeviceIoControlRequest", &args);
    rig.enters("IofCallDriver", &[device, irp]);
    assert_eq!(
        rig.u8(rig.stack(irp)),
        0xF,
        "IRP_MJ_INTERNAL_DEVICE_CONTROL"
    );
    assert!(rig.m.state.nt.io.locked.holds(page));
    let mdl = rig.ptr(irp + l.irp.mdl_address);
    assert_eq!(rig.ptr(mdl + l.mdl.start_va), page);
    assert_eq!(rig.u32(mdl + l.mdl.byte_offset), (output - page) as u32);
    assert_eq!(rig.u32(mdl + l.mdl.byte_count), 64);
    assert_eq!(rig.call("MmMapLockedPages", &[mdl, 0]), output);
    rig.complete(irp, 0, 64);
    assert!(!rig.m.state.nt.io.locked.holds(page));
    assert_eq!(rig.blocks(), before);
}

#[test]
fn neither_method_hands_the_addresses_over() {
    let rig = &mut Rig::new(Profile::I386);
    let device = rig.device("");
    let l = layout::of(rig.m.arch());
    let args = [0x22_2003, device, 0x1234, 5, 0x5678, 6, 0, 0, 0];
    let irp = rig.call("IoBuildDeviceIoControlRequest", &args);
    rig.enters("IofCallDriver", &[device, irp]);
    let stack = rig.stack(irp);
    assert_eq!(rig.ptr(stack + l.stack.ioctl_type3_input), 0x1234);
    assert_eq!(rig.ptr(irp + l.irp.user_buffer), 0x5678);
    assert_eq!(rig.ptr(irp + l.irp.associated_irp), 0);
}

#[test]
fn an_input_that_is_not_there_faults_in_the_caller() {
    let rig = &mut Rig::new(Profile::I386);
    let device = rig.device("");
    let args = [0x22_2000, device, 0x10, 4, 0, 0, 0, 0, 0];
    let done = rig.try_call("IoBuildDeviceIoControlRequest", &args);
    assert_eq!(done, fault(0x10, Access::Read));
}

#[test]
fn reads_and_writes_travel_as_the_device_wants() {
    for (device_flags, buffered, direct) in
        [(4, true, false), (0x10, false, true), (0, false, false)]
    {
        let rig = &mut Rig::new(Profile::Amd64);
        let device = rig.device("");
        let l = layout::of(rig.m.arch());
        rig.m
            .memory
            .write(device + l.device.flags, &u32::to_le_bytes(device_flags));
        let before = rig.blocks();
        let event = event(rig);
        let buffer = rig.put(b"data");
        let offset = rig.put(&0x1_0000_0005_u64.to_le_bytes());
        let args = [4, device, buffer, 4, offset, event, rig.out + 64];
        let irp = rig.call("IoBuildSynchronousFsdRequest", &args);
        rig.enters("IofCallDriver", &[device, irp]);
        let stack = rig.stack(irp);
        assert_eq!(rig.u8(stack), 4, "IRP_MJ_WRITE");
        assert_eq!(rig.u32(stack + l.stack.rw_length), 4);
        assert_eq!(
            rig.bytes(stack + l.stack.rw_byte_offset, 8),
            [5, 0, 0, 0, 1, 0, 0, 0]
        );
        let system = rig.ptr(irp + l.irp.associated_irp);
        assert_eq!(system != 0, buffered);
        if buffered {
            assert_eq!(rig.bytes(system, 4), b"data");
        }
        assert_eq!(rig.ptr(irp + l.irp.mdl_address) != 0, direct);
        assert_eq!(rig.ptr(irp + l.irp.user_buffer), buffer);
        rig.complete(irp, 0, 4);
        assert!(is_set(rig, event));
        assert_eq!(rig.blocks(), before);
    }
}

#[test]
fn a_request_on_a_handle_waits_for_its_end() {
    let rig = &mut Rig::new(Profile::Amd64);
    rig.device("\\Device\\Test");
    let handle = rig.open("\\Device\\Test");
    let file = rig.file(handle);
    let before = rig.blocks();
    let block = rig.put(&[0xEE; 16]);
    let output = rig.put(&[0; 4]);
    let args = [handle, 0, 0, 0, block, 0x22_2000, 0, 0, output, 4];
    let sent = rig.enters("ZwDeviceIoControlFile", &args);
    let irp = sent.args[1];
    let l = layout::of(rig.m.arch());
    assert_eq!(rig.ptr(rig.stack(irp) + l.stack.file_object), file);
    assert_eq!(rig.m.state.nt.io.objects.body(file).unwrap().references, 2);
    let system = rig.ptr(irp + l.irp.associated_irp);
    rig.m.memory.write(system, b"done");
    rig.mark_pending(irp);
    rig.complete(irp, 0, 4);
    let end = rig.resume(sent.then, u64::from(status::PENDING));
    assert_eq!(end, Ok(Outcome::Return(0)));
    assert_eq!(rig.bytes(output, 4), b"done");
    assert_eq!(rig.u32(block), 0);
    assert_eq!(rig.m.state.nt.io.objects.body(file).unwrap().references, 1);
    assert_eq!(rig.blocks(), before);
}
