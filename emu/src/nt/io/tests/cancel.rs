//! The cancel spin lock and cancel routines.

use super::*;

fn pending(rig: &mut Rig) -> (u64, u64) {
    let device = rig.device("");
    let irp = rig.call("IoAllocateIrp", &[1, 0]);
    rig.enters("IofCallDriver", &[device, irp]);
    (device, irp)
}

#[test]
fn an_irp_without_a_routine_is_only_marked() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let (_, irp) = pending(rig);
        assert_eq!(rig.call("IoCancelIrp", &[irp]), 0);
        assert_eq!(rig.u8(irp + layout::of(rig.m.arch()).irp.cancel), 1);
        assert_eq!(rig.m.state.cores[0].irql, 0);
    }
}

#[test]
fn a_routine_runs_with_the_lock_held_and_gives_it_back() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let (device, irp) = pending(rig);
        let l = layout::of(rig.m.arch());
        rig.set_ptr(irp + l.irp.cancel_routine, routine::CANCEL);
        let entered = rig.enters("IoCancelIrp", &[irp]);
        assert_eq!(
            (entered.routine, entered.args),
            (routine::CANCEL, vec![device, irp])
        );
        assert_eq!(rig.m.state.cores[0].irql, 2);
        assert_eq!(rig.m.state.nt.locks.0.len(), 1);
        assert_eq!(rig.ptr(irp + l.irp.cancel_routine), 0, "it runs once");
        let irql = rig.u8(irp + l.irp.cancel_irql);
        rig.call("IoReleaseCancelSpinLock", &[u64::from(irql)]);
        assert_eq!(
            (rig.m.state.cores[0].irql, rig.m.state.nt.locks.0.len()),
            (0, 0)
        );
        assert_eq!(rig.resume(entered.then, 0), Ok(Outcome::Return(1)));
    }
}

#[test]
fn the_lock_is_a_lock() {
    let rig = &mut Rig::new(Profile::Amd64);
    let (out, (_, irp)) = (rig.out, pending(rig));
    rig.call("IoAcquireCancelSpinLock", &[out]);
    assert_eq!((rig.u8(out), rig.m.state.cores[0].irql), (0, 2));
    let done = rig.try_call("IoCancelIrp", &[irp]);
    assert!(matches!(done, Ok(Outcome::Spin { .. })), "{done:?}");
}

#[test]
fn a_completed_irp_must_not_have_a_routine() {
    let rig = &mut Rig::new(Profile::Amd64);
    let (_, irp) = pending(rig);
    let l = layout::of(rig.m.arch());
    // Completed: beyond the last stack location.
    rig.m.memory.write(irp + l.irp.current_location, &[3]);
    rig.set_ptr(irp + l.irp.cancel_routine, routine::CANCEL);
    assert_eq!(bugcheck(rig.try_call("IoCancelIrp", &[irp])), (0x48, irp));
}
