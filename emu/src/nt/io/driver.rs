//! Driver objects: made by the loader before `DriverEntry`, settled after it, unloaded.

use std::ops::Range;

use super::device::DO_DEVICE_INITIALIZING;
use super::irp;
use super::object::Kind;
use crate::machine::Machine;
use crate::machine::context::{Next, Outcome};
use crate::machine::memory::Miss;
use crate::nt::{self, Call, Done, Module, Trouble, layout, pool, status, thread};
use crate::stop::Access;

const IO_TYPE_DRIVER: u16 = 4;
/// `DRIVER_OBJECT.Flags`: not a Plug and Play driver.
const DRVO_LEGACY_DRIVER: u32 = 0x2;
/// Major function codes, 0 to `IRP_MJ_MAXIMUM_FUNCTION`.
const MAJOR_FUNCTIONS: u64 = 28;
/// Where the keys of drivers are.
const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

/// A loaded driver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Driver {
    /// Its file name.
    pub name: String,
    /// Address of its driver object.
    pub object: u64,
    /// Address of the `UNICODE_STRING` with the path of its service key.
    pub registry_path: u64,
    /// It has been unloaded, or is being.
    pub unloaded: bool,
}

/// Makes the driver object of a driver that has been loaded at `image`, with entry point `entry`
/// and the service key `service`. Gives its address; 0 if the pool is exhausted.
pub fn create_driver(
    m: &mut Machine,
    name: &str,
    service: &str,
    image: Range<u64>,
    entry: u64,
) -> u64 {
    let call = &mut Call {
        m,
        core: 0,
        args: [0; 12],
    };
    match build(call, service, image, entry) {
        Ok(Some((object, registry_path))) => {
            let driver = Driver {
                name: name.to_owned(),
                object,
                registry_path,
                unloaded: false,
            };
            call.m.state.nt.io.drivers.push(driver);
            object
        }
        // Nonpaged pool just allocated cannot fault, so this is the lack of it.
        Ok(None) | Err(_) => 0,
    }
}

fn build(
    call: &mut Call<'_>,
    service: &str,
    image: Range<u64>,
    entry: u64,
) -> Result<Option<(u64, u64)>, Trouble> {
    let l = layout::of(call.arch());
    let extension_at = l.driver.size;
    let path_at = extension_at + l.driver_extension.size;
    let size = path_at + l.unicode_string.size;
    let object = pool::allocate(call.m, call.core, size, *b"Driv", false);
    if object == 0 {
        return Ok(None);
    }
    call.write_bytes(object, &vec![0; size as usize])?;
    let (extension, path) = (object + extension_at, object + path_at);
    let mut strings = true;
    let full = format!("{SERVICES}{service}");
    strings &= write_string(
        call,
        object + l.driver.driver_name,
        &format!("\\Driver\\{service}"),
        *b"Driv",
    )?;
    strings &= write_string(
        call,
        extension + l.driver_extension.service_key_name,
        service,
        *b"Driv",
    )?;
    strings &= write_string(call, path, &full, *b"Driv")?;
    if !strings {
        return Ok(None);
    }
    call.set_u16(object + l.driver.kind, IO_TYPE_DRIVER)?;
    call.set_u16(object + l.driver.object_size, l.driver.size as u16)?;
    call.set_u32(object + l.driver.flags, DRVO_LEGACY_DRIVER)?;
    call.set_ptr(object + l.driver.driver_start, image.start)?;
    call.set_u32(
        object + l.driver.driver_size,
        (image.end - image.start) as u32,
    )?;
    call.set_ptr(object + l.driver.driver_extension, extension)?;
    call.set_ptr(extension + l.driver_extension.driver_object, object)?;
    call.set_ptr(object + l.driver.driver_init, entry)?;
    let refuse = irp::invalid_request_routine(call.m);
    for major in 0..MAJOR_FUNCTIONS {
        call.set_ptr(object + l.driver.major_function + major * l.pointer, refuse)?;
    }
    call.m.state.nt.io.objects.add(object, Kind::Driver);
    Ok(Some((object, path)))
}

/// Fills in a `UNICODE_STRING` whose text is in paged pool; an empty one has no buffer. False if
/// the pool is exhausted.
pub(super) fn write_string(
    call: &mut Call<'_>,
    at: u64,
    text: &str,
    tag: [u8; 4],
) -> Result<bool, Trouble> {
    let l = layout::of(call.arch()).unicode_string;
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut buffer = 0;
    if !units.is_empty() {
        buffer = pool::allocate(call.m, call.core, units.len() as u64 + 2, tag, true);
        if buffer == 0 {
            return Ok(false);
        }
        call.write_bytes(buffer, &units)?;
        call.set_u16(buffer + units.len() as u64, 0)?;
    }
    let room = if units.is_empty() { 0 } else { units.len() + 2 };
    call.set_u16(at + l.length, units.len() as u16)?;
    call.set_u16(at + l.maximum_length, room as u16)?;
    call.set_ptr(at + l.buffer, buffer)?;
    Ok(true)
}

/// The arguments of `DriverEntry` of the driver that was created as number `index`.
pub fn driver_entry_args(m: &Machine, index: usize) -> (u64, u64) {
    let driver = m.state.nt.io.drivers.get(index);
    driver.map_or((0, 0), |d| (d.object, d.registry_path))
}

/// `DriverEntry` of driver number `index` has succeeded: the devices that it made can be opened.
///
/// # Errors
/// If the driver broke the list of its devices.
pub(crate) fn entry_returned(call: &mut Call<'_>, index: usize) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let (object, _) = driver_entry_args(call.m, index);
    for device in devices_of(call, object)? {
        let flags = call.u32(device + l.device.flags)?;
        call.set_u32(device + l.device.flags, flags & !DO_DEVICE_INITIALIZING)?;
    }
    Ok(())
}

/// The number of a driver with this file name that is loaded, can be unloaded, and is not to be yet.
pub(crate) fn unloadable(m: &mut Machine, name: &str) -> Option<usize> {
    let io = &m.state.nt.io;
    let found = io.drivers.iter().position(|d| d.name == name)?;
    let driver = &io.drivers[found];
    let object = driver.object;
    if driver.unloaded || io.unloading.contains(&found) {
        return None;
    }
    let call = &mut host_call(m);
    (unload_routine(call, object).unwrap_or(0) != 0).then_some(found)
}

/// The kernel looks at its own objects, on nobody's behalf.
fn host_call(m: &mut Machine) -> Call<'_> {
    Call {
        m,
        core: 0,
        args: [0; 12],
    }
}

/// Whether the driver with this object is to be unloaded.
pub(in crate::nt) fn is_unloading(io: &super::Io, object: u64) -> bool {
    io.unloading
        .iter()
        .any(|&index| io.drivers[index].object == object)
}

/// A driver is to be unloaded: now, or when the last file on its devices is closed (Windows driver
/// documentation: ZwUnloadDriver; ReactOS io/iomgr/driver.c, behaviour).
pub(crate) fn unload_when_unused(m: &mut Machine, core: usize, index: usize) {
    m.state.nt.io.unloading.insert(index);
    unload_unused(m, core);
}

/// Unloads those drivers that are to be and can be.
pub(in crate::nt) fn unload_unused(m: &mut Machine, core: usize) {
    for index in m.state.nt.io.unloading.clone() {
        if !in_use(m, index) && !m.state.nt.io.drivers[index].unloaded {
            // From now on it is nobody else's: no file can be opened any more.
            m.state.nt.io.drivers[index].unloaded = true;
            let next = Next::Host(nt::Then::Io(super::Then::Unload(index)), 0);
            thread::create(m, core, "unload", irp::PRIORITY, next);
            thread::fill_idle_cores(m);
        }
    }
}

/// Whether a file is open on a device of a driver.
fn in_use(m: &mut Machine, index: usize) -> bool {
    let object = m.state.nt.io.drivers[index].object;
    let call = &mut host_call(m);
    let Ok(devices) = devices_of(call, object) else {
        return false;
    };
    let at = layout::of(call.arch()).device.reference_count;
    let count = |device: u64| call.u32(device + at).unwrap_or(0);
    devices.into_iter().map(count).any(|count| count > 0)
}

/// Unloads driver number `index`: now, or, if a file is still open on one of its devices, when the
/// last of them is closed. `then` gets 0 in both cases, or STATUS_INVALID_DEVICE_REQUEST if the
/// driver has no unload routine, was never loaded, or is not loaded any more (Windows driver
/// documentation, "ZwUnloadDriver", "DRIVER_UNLOAD"; ReactOS io/iomgr/driver.c, behaviour).
///
/// # Errors
/// If the driver object cannot be read.
pub fn unload(call: &mut Call<'_>, index: usize, then: nt::Then) -> Done {
    let io = &call.m.state.nt.io;
    let known = io.drivers.get(index).filter(|d| !d.unloaded);
    let object = known.map_or(0, |d| d.object);
    if object == 0 || unload_routine(call, object)? == 0 {
        let refused = u64::from(status::INVALID_DEVICE_REQUEST);
        return Ok(Outcome::Continue(then, refused));
    }
    if in_use(call.m, index) {
        call.m.state.nt.io.unloading.insert(index);
        return Ok(Outcome::Continue(then, u64::from(status::SUCCESS)));
    }
    call.m.state.nt.io.drivers[index].unloaded = true;
    enter_unload(call, index, then)
}

fn unload_routine(call: &mut Call<'_>, object: u64) -> Result<u64, Trouble> {
    let at = layout::of(call.arch()).driver.driver_unload;
    call.ptr(object + at)
}

/// Calls the unload routine of driver number `index`, which nobody uses any more.
pub(super) fn enter_unload(call: &mut Call<'_>, index: usize, then: nt::Then) -> Done {
    let (object, _) = driver_entry_args(call.m, index);
    match unload_routine(call, object)? {
        0 => Ok(Outcome::Continue(
            then,
            u64::from(status::INVALID_DEVICE_REQUEST),
        )),
        routine => Ok(Outcome::Enter {
            what: "DriverUnload",
            routine,
            args: vec![object],
            then: nt::Then::Io(super::Then::Unloaded(index, Box::new(then))),
        }),
    }
}

/// The unload routine of driver number `index` has returned, which has no result: whatever is left
/// in the register does not count. The image goes with the last device.
pub(super) fn unloaded(call: &mut Call<'_>, index: usize, then: nt::Then) -> Done {
    let (object, _) = driver_entry_args(call.m, index);
    if devices_of(call, object)?.is_empty() {
        let setup = call.m.setup.clone();
        let module = &setup.modules[Module::ALL.len() + index];
        let memory = &mut call.m.memory;
        memory.change_pages(module.base, module.size, |page| page.valid = false);
    }
    Ok(Outcome::Continue(then, u64::from(status::SUCCESS)))
}

/// The devices of a driver object, the last created first; none of no object.
pub(super) fn devices_of(call: &mut Call<'_>, object: u64) -> Result<Vec<u64>, Trouble> {
    let l = layout::of(call.arch());
    match object {
        0 => Ok(Vec::new()),
        _ => super::linked(call, object + l.driver.device_object, l.device.next_device),
    }
}

/// Whether an address is in the image of a driver that was unloaded and is not in memory any more.
pub(crate) fn is_unloaded(m: &Machine, va: u64) -> bool {
    let drivers = m.state.nt.io.drivers.iter().enumerate();
    let mut unloaded = drivers.filter(|(_, driver)| driver.unloaded);
    let is_in = unloaded.any(|(index, _)| {
        let module = &m.setup.modules[Module::ALL.len() + index];
        va.wrapping_sub(module.base) < module.size
    });
    is_in && m.memory.miss(va, Access::Read) == Some(Miss::Invalid)
}
