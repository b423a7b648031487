//! The steps of a scripted program.

use super::*;
use crate::nt::io::request::begin;
use crate::nt::thread;
use crate::scenario::plan::ThreadStep;

/// The program's steps, with its thread on core 0.
fn program(rig: &mut Rig) -> Vec<ThreadStep> {
    rig.device("\\Device\\Test");
    assert!(thread::dispatch(&mut rig.m, 0), "the program is ready");
    rig.m.setup.plan.threads[0].steps.clone()
}

fn step(rig: &mut Rig, step: &ThreadStep) -> Done {
    let call = &mut Call {
        m: &mut rig.m,
        core: 0,
        args: [0; 12],
    };
    let done = begin(call, step, nt::Then::Return);
    rig.settle(done)
}

#[test]
fn a_program_opens_asks_and_closes() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let steps = program(rig);
        let l = layout::of(rig.m.arch());
        let before = rig.blocks();
        let create = entered(step(rig, &steps[0]));
        assert_eq!(rig.u8(create.args[1] + l.irp.requestor_mode), 1, "UserMode");
        assert_eq!(rig.answer(create, 0, 0), Ok(Outcome::Return(0)));

        let control = entered(step(rig, &steps[1]));
        let irp = control.args[1];
        let system = rig.ptr(irp + l.irp.associated_irp);
        assert_eq!(rig.bytes(system, 8), [1, 0, 0, 0, 2, 0, 0, 0]);
        let output = rig.ptr(irp + l.irp.user_buffer);
        assert!(output < rig.m.setup.map.kernel, "in user memory");
        rig.m.memory.write(system, &[0x5A; 32]);
        assert_eq!(rig.answer(control, 0, 20), Ok(Outcome::Return(0)));
        assert_eq!(
            rig.bytes(output, 21)[19..],
            [0x5A, 0],
            "20 bytes are copied"
        );

        let cleanup = entered(step(rig, &steps[2]));
        let close = entered(rig.answer(cleanup, 0, 0));
        assert_eq!(rig.answer(close, 0, 0), Ok(Outcome::Return(0)));
        assert_eq!(rig.blocks(), before, "on {profile:?}");
    }
}

#[test]
fn the_status_of_a_failure_is_the_drivers() {
    let rig = &mut Rig::new(Profile::Amd64);
    let steps = program(rig);
    let create = entered(step(rig, &steps[0]));
    rig.answer(create, 0, 0).unwrap();
    let control = entered(step(rig, &steps[1]));
    let refused = status::INVALID_PARAMETER;
    assert_eq!(
        rig.answer(control, refused, 0),
        Ok(Outcome::Return(u64::from(refused)))
    );
}

#[test]
fn a_request_that_is_pending_is_waited_for() {
    let rig = &mut Rig::new(Profile::Amd64);
    let steps = program(rig);
    let create = entered(step(rig, &steps[0]));
    rig.answer(create, 0, 0).unwrap();
    let control = entered(step(rig, &steps[1]));
    let waits = rig.resume(control.then, u64::from(status::PENDING));
    assert!(matches!(waits, Ok(Outcome::Wait { .. })), "{waits:?}");
}

#[test]
fn a_failure_that_says_pending_without_the_mark_is_never_reported() {
    // The documented mistake: STATUS_PENDING returned, IoMarkIrpPending not called.
    let rig = &mut Rig::new(Profile::Amd64);
    let steps = program(rig);
    let create = entered(step(rig, &steps[0]));
    rig.answer(create, 0, 0).unwrap();
    let control = entered(step(rig, &steps[1]));
    rig.complete(control.args[1], status::UNSUCCESSFUL, 0);
    let waits = rig.resume(control.then, u64::from(status::PENDING));
    assert!(matches!(waits, Ok(Outcome::Wait { .. })), "{waits:?}");
}

#[test]
fn requests_without_a_handle() {
    let rig = &mut Rig::new(Profile::Amd64);
    let steps = program(rig);
    let invalid = Ok(Outcome::Return(u64::from(status::INVALID_HANDLE)));
    assert_eq!(step(rig, &steps[1]), invalid);
    assert_eq!(step(rig, &steps[2]), invalid);
}

#[test]
fn drivers_see_where_a_request_comes_from() {
    let rig = &mut Rig::new(Profile::Amd64);
    assert_eq!(rig.call("ExGetPreviousMode", &[]), 0);
    program(rig);
    assert_eq!(rig.call("ExGetPreviousMode", &[]), 1);
}
