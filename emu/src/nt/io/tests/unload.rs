//! Unloading drivers, and the devices that are listed before.

use super::*;
use crate::nt::io::driver::{is_unloading, unload, unload_unused};
use crate::nt::io::listing::devices;

/// Begins to unload the rig's driver, which is the first.
fn begin(rig: &mut Rig) -> Done {
    let call = &mut Call {
        m: &mut rig.m,
        core: 0,
        args: [0; 12],
    };
    unload(call, 0, nt::Then::Return)
}

fn set_unload(rig: &mut Rig) {
    let at = layout::of(rig.m.arch()).driver.driver_unload;
    rig.set_ptr(rig.driver + at, routine::DISPATCH);
}

#[test]
fn a_driver_without_an_unload_routine_stays() {
    let rig = &mut Rig::new(Profile::Amd64);
    match begin(rig) {
        Ok(Outcome::Continue(nt::Then::Return, status)) => {
            assert_eq!(status, u64::from(status::INVALID_DEVICE_REQUEST));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_unload_routine_is_called_with_the_driver_object() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        set_unload(rig);
        match begin(rig) {
            Ok(Outcome::Enter { routine, args, .. }) => {
                assert_eq!((routine, args), (routine::DISPATCH, vec![rig.driver]));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_driver_with_an_open_device_is_unloaded_later() {
    // A pointer is as wide as the count there.
    let rig = &mut Rig::new(Profile::I386);
    set_unload(rig);
    let device = rig.device("\\Device\\Test");
    let count = layout::of(rig.m.arch()).device.reference_count;
    rig.set_ptr(device + count, 1);
    match begin(rig) {
        Ok(Outcome::Continue(nt::Then::Return, 0)) => {}
        other => panic!("{other:?}"),
    }
    // It is to go, but its routine has not been called.
    let io = &rig.m.state.nt.io;
    assert!(is_unloading(io, rig.driver));
    assert!(!io.drivers[0].unloaded);
    rig.set_ptr(device + count, 0);
    unload_unused(&mut rig.m, 0);
    assert!(rig.m.state.nt.io.drivers[0].unloaded);
}

#[test]
fn a_driver_is_unloaded_once() {
    let rig = &mut Rig::new(Profile::Amd64);
    set_unload(rig);
    assert!(matches!(begin(rig), Ok(Outcome::Enter { .. })));
    let refused = u64::from(status::INVALID_DEVICE_REQUEST);
    match begin(rig) {
        Ok(Outcome::Continue(nt::Then::Return, status)) => assert_eq!(status, refused),
        other => panic!("{other:?}"),
    }
}

#[test]
fn devices_are_listed_in_the_order_in_which_they_were_created() {
    let rig = &mut Rig::new(Profile::I386);
    rig.device("\\Device\\One");
    rig.device("\\Device\\Two");
    let (link, name) = (
        rig.string("\\DosDevices\\First"),
        rig.string("\\Device\\One"),
    );
    assert_eq!(rig.status("IoCreateSymbolicLink", &[link, name]), 0);
    let all = devices(&mut rig.m).expect("the list is whole");
    let names: Vec<_> = all.iter().map(|device| device.name.as_deref()).collect();
    assert_eq!(names, [Some("\\device\\one"), Some("\\device\\two")]);
    assert_eq!(all[0].links, ["\\??\\first"]);
    assert!(all[1].links.is_empty());
}
