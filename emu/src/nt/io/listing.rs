//! The devices that loaded drivers have created, for whoever wants to open them all.

use super::device::DO_EXCLUSIVE;
use crate::machine::Machine;
use crate::nt::{Call, Trouble, layout};

/// A device of a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Index of its driver in the plan.
    pub driver: usize,
    /// Its name, in lower case; a device without one can only be reached through its stack.
    pub name: Option<String>,
    /// The symbolic links that lead to it, in lower case, sorted.
    pub links: Vec<String>,
    /// Only one file at a time may be open on it.
    pub exclusive: bool,
    /// Its `DeviceType`, which is the upper half of the control codes that are made for it.
    pub device_type: u32,
}

/// Every device, those of a driver in the order in which it created them.
///
/// # Errors
/// A driver broke the list of its devices; the message says which driver.
pub fn devices(m: &mut Machine) -> Result<Vec<Listed>, String> {
    let drivers = m.state.nt.io.drivers.clone();
    let mut out = Vec::new();
    for (index, driver) in drivers.iter().enumerate() {
        let call = &mut Call {
            m: &mut *m,
            core: 0,
            args: [0; 12],
        };
        let found = of_driver(call, index, driver.object);
        out.extend(found.map_err(|_| format!("{} broke the list of its devices", driver.name))?);
    }
    Ok(out)
}

fn of_driver(call: &mut Call<'_>, driver: usize, object: u64) -> Result<Vec<Listed>, Trouble> {
    let l = layout::of(call.arch());
    let mut out = Vec::new();
    for device in super::driver::devices_of(call, object)? {
        let exclusive = call.u32(device + l.device.flags)? & DO_EXCLUSIVE != 0;
        let device_type = call.u32(device + l.device.device_type)?;
        let names = &call.m.state.nt.io.names;
        let name = names.name_of(device).map(str::to_owned);
        let leads_here = |target: &str| match names.find(target) {
            Ok((super::name::Entry::Device(found), rest)) => found == device && rest.is_empty(),
            _ => false,
        };
        let links = names.links().filter(|(_, target)| leads_here(target));
        out.push(Listed {
            driver,
            name,
            links: links.map(|(link, _)| link.to_owned()).collect(),
            exclusive,
            device_type,
        });
    }
    // A new device comes first in the list.
    out.reverse();
    Ok(out)
}
