//! Devices, their names and stacks.

use super::*;

#[test]
fn a_new_device() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let l = layout::of(rig.m.arch());
        let name = rig.string("\\Device\\Test");
        let out = rig.out;
        let args = [rig.driver, 40, name, 0x12, 0x100, 0, out];
        assert_eq!(rig.status("IoCreateDevice", &args), 0);
        let device = rig.ptr(out);
        assert_eq!(rig.u8(device + l.device.kind), 3);
        assert_eq!(rig.ptr(device + l.device.driver_object), rig.driver);
        assert_eq!(rig.ptr(rig.driver + l.driver.device_object), device);
        assert_eq!(rig.u32(device + l.device.flags), 0x80 | 0x40);
        assert_eq!(rig.u32(device + l.device.device_type), 0x12);
        assert_eq!(rig.u32(device + l.device.characteristics), 0x100);
        assert_eq!(rig.u8(device + l.device.stack_size), 1);
        let extension = rig.ptr(device + l.device.device_extension);
        assert_eq!(rig.bytes(extension, 40), [0; 40]);
        assert!(extension >= device + l.device.size);
    }
}

#[test]
fn a_name_is_taken() {
    let rig = &mut Rig::new(Profile::Amd64);
    rig.device("\\Device\\Test");
    let before = rig.blocks();
    let name = rig.string("\\DEVICE\\test");
    let args = [rig.driver, 0, name, 0x22, 0, 0, rig.out];
    assert_eq!(
        rig.status("IoCreateDevice", &args),
        status::OBJECT_NAME_COLLISION
    );
    assert_eq!(rig.blocks(), before);
}

#[test]
fn a_device_opens_when_its_driver_is_ready() {
    let rig = &mut Rig::new(Profile::Amd64);
    let name = rig.string("\\Device\\Test");
    let out = rig.out;
    rig.status("IoCreateDevice", &[rig.driver, 0, name, 0x22, 0, 1, out]);
    let attributes = rig.named(0, "\\Device\\Test");
    let open = [out, 0, attributes, out + 16, 3, 0x20];
    assert_eq!(rig.status("ZwOpenFile", &open), status::NO_SUCH_DEVICE);
    let call = &mut Call {
        m: &mut rig.m,
        core: 0,
        args: [0; 12],
    };
    entry_returned(call, 0).unwrap();
    rig.open("\\Device\\Test");
    // It was created exclusive.
    assert_eq!(rig.status("ZwOpenFile", &open), status::ACCESS_DENIED);
}

#[test]
fn a_link_is_another_name() {
    let rig = &mut Rig::new(Profile::I386);
    rig.device("\\Device\\Test");
    let (link, name) = (
        rig.string("\\DosDevices\\Test"),
        rig.string("\\Device\\Test"),
    );
    assert_eq!(rig.status("IoCreateSymbolicLink", &[link, name]), 0);
    rig.open("\\??\\TEST");
    assert_eq!(
        rig.status("IoDeleteSymbolicLink", &[name]),
        status::OBJECT_TYPE_MISMATCH
    );
    assert_eq!(rig.status("IoDeleteSymbolicLink", &[link]), 0);
    assert_eq!(
        rig.status("IoDeleteSymbolicLink", &[link]),
        status::OBJECT_NAME_NOT_FOUND
    );
    rig.open("\\Device\\Test");
}

#[test]
fn deleting_takes_the_name_and_the_place_in_the_list() {
    let rig = &mut Rig::new(Profile::Amd64);
    let before = rig.blocks();
    let [a, b, c] = [
        rig.device("\\Device\\A"),
        rig.device("\\Device\\B"),
        rig.device("\\Device\\C"),
    ];
    let l = layout::of(rig.m.arch());
    rig.call("IoDeleteDevice", &[b]);
    assert_eq!(rig.ptr(rig.driver + l.driver.device_object), c);
    assert_eq!(rig.ptr(c + l.device.next_device), a);
    rig.device("\\Device\\B");
    let last = rig.ptr(rig.driver + l.driver.device_object);
    for device in [last, c, a] {
        rig.call("IoDeleteDevice", &[device]);
    }
    assert_eq!(rig.ptr(rig.driver + l.driver.device_object), 0);
    assert_eq!(rig.blocks(), before);
}

#[test]
fn a_deleted_device_goes_with_its_last_file() {
    let rig = &mut Rig::new(Profile::Amd64);
    let before = rig.blocks();
    let device = rig.device("\\Device\\Test");
    let handle = rig.open("\\Device\\Test");
    rig.call("IoDeleteDevice", &[device]);
    let cleanup = rig.enters("ZwClose", &[handle]);
    assert_eq!(cleanup.args[0], device, "it still gets its requests");
    let close = entered(rig.answer(cleanup, 0, 0));
    rig.answer(close, 0, 0).unwrap();
    assert_eq!(rig.blocks(), before);
}

#[test]
fn requests_go_to_the_top_of_the_stack() {
    let rig = &mut Rig::new(Profile::I386);
    let bottom = rig.device("\\Device\\Test");
    let (middle, top) = (rig.device(""), rig.device(""));
    assert_eq!(
        rig.call("IoAttachDeviceToDeviceStack", &[middle, bottom]),
        bottom
    );
    assert_eq!(
        rig.call("IoAttachDeviceToDeviceStack", &[top, bottom]),
        middle
    );
    let at = layout::of(rig.m.arch()).device.stack_size;
    assert_eq!(rig.u8(top + at), 3);
    assert_eq!(rig.call("IoGetAttachedDevice", &[bottom]), top);
    let attributes = rig.named(0, "\\Device\\Test");
    let out = rig.out;
    let create = rig.enters("ZwOpenFile", &[out, 0, attributes, out + 16, 3, 0x20]);
    assert_eq!(create.args[0], top);
    rig.call("IoDetachDevice", &[middle]);
    assert_eq!(rig.call("IoGetAttachedDevice", &[bottom]), middle);
}

#[test]
fn a_list_that_does_not_end_is_noticed() {
    let rig = &mut Rig::new(Profile::Amd64);
    let device = rig.device("");
    let at = layout::of(rig.m.arch()).device.attached_device;
    rig.set_ptr(device + at, device);
    let text = unimplemented(rig.try_call("IoGetAttachedDevice", &[device]));
    assert!(text.contains("does not end"), "{text}");
}

#[test]
fn what_a_driver_object_says() {
    let rig = &Rig::new(Profile::Amd64);
    let l = layout::of(rig.m.arch());
    let d = rig.driver;
    assert_eq!((rig.u8(d), rig.u32(d + l.driver.driver_size)), (4, 0x1000));
    assert_eq!(rig.ptr(d + l.driver.driver_start), 0x1000);
    let extension = rig.ptr(d + l.driver.driver_extension);
    assert_eq!(rig.ptr(extension + l.driver_extension.driver_object), d);
    let (object, path) = super::super::driver::driver_entry_args(&rig.m, 0);
    assert_eq!(object, d);
    let length = u64::from(rig.u32(path) & 0xFFFF);
    let text = rig.bytes(rig.ptr(path + l.unicode_string.buffer), length);
    let units: Vec<u16> = text
        .chunks(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    let text = String::from_utf16(&units).unwrap();
    assert_eq!(
        text,
        "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Test"
    );
}
