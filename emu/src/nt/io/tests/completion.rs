//! IRPs down and up their stacks.

use super::*;

/// `SL_INVOKE_ON_CANCEL`, `..._SUCCESS`, `..._ERROR`.
const ON_CANCEL: u8 = 0x20;
const ON_SUCCESS: u8 = 0x40;
const ON_ERROR: u8 = 0x80;

/// Fills in the next stack location of an IRP as a driver does: an IOCTL, and a completion routine
/// with these control bits.
fn prepare(rig: &mut Rig, irp: u64, control: u8, context: u64) {
    let l = layout::of(rig.m.arch());
    let next = rig.stack(irp) - l.stack.size;
    rig.m.memory.write(next, &[0xE, 0, 0, control]);
    rig.set_ptr(next + l.stack.completion_routine, routine::COMPLETION);
    rig.set_ptr(next + l.stack.context, context);
}

/// An IRP with two stack locations on its way through two devices: upper, lower, IRP.
fn sent_down(rig: &mut Rig, upper_control: u8, lower_control: u8) -> (u64, u64, u64) {
    let (upper, lower) = (rig.device(""), rig.device(""));
    let irp = rig.call("IoAllocateIrp", &[2, 0]);
    prepare(rig, irp, upper_control, 0xAA);
    let first = rig.enters("IofCallDriver", &[upper, irp]);
    assert_eq!((first.what, first.args), ("dispatch", vec![upper, irp]));
    prepare(rig, irp, lower_control, 0xBB);
    let second = rig.enters("IofCallDriver", &[lower, irp]);
    assert_eq!(
        (second.routine, second.args),
        (routine::DISPATCH, vec![lower, irp])
    );
    (upper, lower, irp)
}

fn set_status(rig: &mut Rig, irp: u64, status: u32) {
    let at = layout::of(rig.m.arch()).irp.io_status;
    rig.m.memory.write(irp + at, &status.to_le_bytes());
}

#[test]
fn routines_run_from_the_driver_that_completes_to_the_one_that_sent() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let (upper, _, irp) = sent_down(rig, ON_SUCCESS, ON_SUCCESS);
        let first = rig.enters("IofCompleteRequest", &[irp, 0]);
        assert_eq!(first.routine, routine::COMPLETION);
        // The routine of the upper driver, with its own device and context.
        assert_eq!(first.args, [upper, irp, 0xBB]);
        let second = entered(rig.resume(first.then, 0));
        // The sender's has no device: it is no driver's.
        assert_eq!(second.args, [0, irp, 0xAA]);
        let end = rig.resume(second.then, u64::from(status::MORE_PROCESSING_REQUIRED));
        assert_eq!(end, Ok(Outcome::Return(0)), "on {profile:?}");
    }
}

#[test]
fn a_driver_takes_its_irp_back_and_completes_it_again() {
    let rig = &mut Rig::new(Profile::Amd64);
    let (_, _, irp) = sent_down(rig, ON_SUCCESS, ON_SUCCESS);
    let first = rig.enters("IofCompleteRequest", &[irp, 0]);
    let kept = rig.resume(first.then, u64::from(status::MORE_PROCESSING_REQUIRED));
    assert_eq!(kept, Ok(Outcome::Return(0)));
    // The upper driver's location is the current one again.
    let again = rig.enters("IofCompleteRequest", &[irp, 0]);
    assert_eq!(again.args, [0, irp, 0xAA]);
}

#[test]
fn a_routine_is_called_for_the_endings_it_asked_for() {
    let failure = status::UNSUCCESSFUL;
    let cases = [
        (ON_SUCCESS, status::SUCCESS, false, true),
        (ON_SUCCESS, status::PENDING, false, true),
        (ON_SUCCESS, failure, false, false),
        (ON_ERROR, failure, false, true),
        (ON_ERROR, status::BUFFER_OVERFLOW, false, true),
        (ON_ERROR, status::SUCCESS, false, false),
        (ON_CANCEL, failure, true, true),
        (ON_CANCEL, status::SUCCESS, true, true),
        (ON_CANCEL, failure, false, false),
        (0, status::SUCCESS, false, false),
    ];
    for (control, status, cancelled, called) in cases {
        let rig = &mut Rig::new(Profile::Amd64);
        let always = ON_SUCCESS | ON_ERROR | ON_CANCEL;
        let (upper, _, irp) = sent_down(rig, always, control);
        set_status(rig, irp, status);
        let at = layout::of(rig.m.arch()).irp.cancel;
        rig.m.memory.write(irp + at, &[u8::from(cancelled)]);
        let first = rig.enters("IofCompleteRequest", &[irp, 0]);
        let expected = if called { upper } else { 0 };
        assert_eq!(
            first.args[0], expected,
            "{control:#x} {status:#x} {cancelled}"
        );
    }
}

#[test]
fn the_pending_mark_goes_up_where_nobody_looks() {
    let rig = &mut Rig::new(Profile::I386);
    let (_, _, irp) = sent_down(rig, ON_SUCCESS, 0);
    let l = layout::of(rig.m.arch());
    rig.mark_pending(irp);
    let top = rig.enters("IofCompleteRequest", &[irp, 0]);
    assert_eq!(top.args[0], 0);
    assert_eq!(rig.u8(irp + l.irp.pending_returned), 1);
}

#[test]
fn the_mark_ends_at_a_routine_that_does_not_pass_it_on() {
    let rig = &mut Rig::new(Profile::I386);
    let (_, _, irp) = sent_down(rig, ON_SUCCESS, ON_SUCCESS);
    let l = layout::of(rig.m.arch());
    rig.mark_pending(irp);
    let first = rig.enters("IofCompleteRequest", &[irp, 0]);
    assert_eq!(rig.u8(irp + l.irp.pending_returned), 1);
    let top = entered(rig.resume(first.then, 0));
    assert_eq!((top.args[0], rig.u8(irp + l.irp.pending_returned)), (0, 0));
}

#[test]
fn a_location_that_is_left_is_empty() {
    let rig = &mut Rig::new(Profile::Amd64);
    let (_, _, irp) = sent_down(rig, ON_SUCCESS, ON_SUCCESS);
    let l = layout::of(rig.m.arch());
    let left = rig.stack(irp);
    rig.set_ptr(left + l.stack.argument2, 0x55);
    rig.set_ptr(left + l.stack.file_object, 0x66);
    rig.enters("IofCompleteRequest", &[irp, 0]);
    assert_eq!(
        rig.bytes(left, 4),
        [0xE, 0, 0, 0],
        "only the major function stays"
    );
    assert_eq!(rig.ptr(left + l.stack.argument2), 0);
    assert_eq!(rig.ptr(left + l.stack.file_object), 0);
}

#[test]
fn no_stack_location_is_left() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let (_, lower, irp) = sent_down(rig, ON_SUCCESS, ON_SUCCESS);
        let done = rig.try_call("IofCallDriver", &[lower, irp]);
        assert_eq!(bugcheck(done), (0x35, irp));
    }
}

#[test]
fn an_irp_is_completed_once() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let (_, _, irp) = sent_down(rig, 0, 0);
        // A driver's own IRP has nobody to go to at the end.
        let done = rig.try_call("IofCompleteRequest", &[irp, 0]);
        let text = unimplemented(done);
        assert!(text.contains("STATUS_MORE_PROCESSING_REQUIRED"), "{text}");
        let again = rig.try_call("IofCompleteRequest", &[irp, 0]);
        assert_eq!(bugcheck(again), (0x44, irp));
    }
}

#[test]
fn a_freed_irp_is_no_irp() {
    let rig = &mut Rig::new(Profile::Amd64);
    let irp = rig.call("IoAllocateIrp", &[1, 0]);
    rig.call("IoFreeIrp", &[irp]);
    let done = rig.try_call("IofCompleteRequest", &[irp, 0]);
    assert_eq!(bugcheck(done), (0x44, irp));
    let done = rig.try_call("IoFreeIrp", &[irp]);
    assert_eq!(bugcheck(done).0, 0xC2, "a block freed twice");
}

#[test]
fn functions_that_a_driver_does_not_set_refuse() {
    let rig = &mut Rig::new(Profile::Amd64);
    let device = rig.device("");
    let irp = rig.call("IoAllocateIrp", &[1, 0]);
    prepare(rig, irp, ON_ERROR, 0xAA);
    let next = rig.stack(irp) - layout::of(rig.m.arch()).stack.size;
    // IRP_MJ_POWER
    rig.m.memory.write(next, &[0x16]);
    let routine = rig.enters("IofCallDriver", &[device, irp]);
    assert_eq!((routine.what, routine.args[1]), ("completion routine", irp));
    let refused = u64::from(status::INVALID_DEVICE_REQUEST);
    let end = rig.resume(routine.then, u64::from(status::MORE_PROCESSING_REQUIRED));
    assert_eq!(end, Ok(Outcome::Return(refused)));
}

#[test]
fn the_last_associated_irp_completes_its_master() {
    let rig = &mut Rig::new(Profile::I386);
    let device = rig.device("");
    let l = layout::of(rig.m.arch());
    let master = rig.call("IoAllocateIrp", &[1, 0]);
    prepare(rig, master, ON_SUCCESS, 0xAA);
    rig.enters("IofCallDriver", &[device, master]);
    let parts = [0, 1].map(|_| rig.call("IoMakeAssociatedIrp", &[master, 1]));
    rig.m
        .memory
        .write(master + l.irp.associated_irp, &2u32.to_le_bytes());
    for part in parts {
        prepare(rig, part, 0, 0);
        rig.enters("IofCallDriver", &[device, part]);
    }
    rig.call("IofCompleteRequest", &[parts[1], 0]);
    let routine = rig.enters("IofCompleteRequest", &[parts[0], 0]);
    assert_eq!(routine.args, [0, master, 0xAA]);
}

#[test]
fn an_irp_remembers_what_happened_to_it() {
    use crate::nt::io::history::What;
    let rig = &mut Rig::new(Profile::Amd64);
    let (upper, lower, irp) = sent_down(rig, ON_SUCCESS, 0);
    let routine = rig.enters("IofCompleteRequest", &[irp, 0]);
    rig.resume(routine.then, u64::from(status::MORE_PROCESSING_REQUIRED))
        .unwrap();
    rig.call("IoFreeIrp", &[irp]);
    let record = rig
        .m
        .state
        .nt
        .io
        .irps
        .history(irp)
        .last()
        .expect("it is remembered");
    let what: Vec<What> = record.history.iter().map(|step| step.what).collect();
    let dispatched = |device| What::Dispatched { device, major: 0xE };
    assert_eq!(
        what,
        [
            What::Allocated,
            dispatched(upper),
            dispatched(lower),
            What::Completed(0),
            What::Freed
        ]
    );
}

#[test]
fn an_irp_in_a_drivers_own_memory() {
    let rig = &mut Rig::new(Profile::Amd64);
    let l = layout::of(rig.m.arch());
    let irp = rig.put(&[0xFF; 0x200]);
    let size = l.irp.size + 2 * l.stack.size;
    rig.call("IoInitializeIrp", &[irp, size, 2]);
    assert_eq!(rig.bytes(irp, 4), [6, 0, size as u8, (size >> 8) as u8]);
    assert_eq!(
        (
            rig.u8(irp + l.irp.stack_count),
            rig.u8(irp + l.irp.current_location)
        ),
        (2, 3)
    );
    assert_eq!(rig.stack(irp), irp + size);
    assert_eq!(rig.u8(irp + size), 0xFF, "not a byte more");
    rig.call("IoReuseIrp", &[irp, u64::from(status::CANCELLED)]);
    assert_eq!(rig.u32(irp + l.irp.io_status), status::CANCELLED);
    assert_eq!(rig.stack(irp), irp + size);
}
