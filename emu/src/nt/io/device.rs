//! Device objects, their names and their stacks.

pub use super::driver::{create_driver, driver_entry_args};
use super::name::Entry;
use super::object::{self, Kind};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, status};

const WDK: &str = "Windows driver documentation: IoCreateDevice, Device Objects and Device \
                   Stacks; wdm.h";

const IO_TYPE_DEVICE: u16 = 3;
/// `KOBJECTS`: a device queue.
const DEVICE_QUEUE_OBJECT: u16 = 0x14;
/// Bytes of the part of a device object that only the I/O manager knows.
const OBJECT_EXTENSION: u64 = 0x40;

/// `DEVICE_OBJECT.Flags` (`wdm.h`).
pub(super) const DO_BUFFERED_IO: u32 = 0x4;
pub(super) const DO_EXCLUSIVE: u32 = 0x8;
pub(super) const DO_DIRECT_IO: u32 = 0x10;
const DO_DEVICE_HAS_NAME: u32 = 0x40;
pub(super) const DO_DEVICE_INITIALIZING: u32 = 0x80;

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style: Style::Std,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Contract::{Dispatch, Passive};

/// Device functions.
pub const API: &[Api] = &[
    row(
        "IoCreateDevice",
        &[
            ptr("DriverObject"),
            long("DeviceExtensionSize"),
            ptr("DeviceName"),
            long("DeviceType"),
            long("DeviceCharacteristics"),
            byte("Exclusive"),
            ptr("DeviceObject"),
        ],
        Passive,
        create,
    ),
    row("IoDeleteDevice", &[ptr("DeviceObject")], Passive, delete),
    row(
        "IoCreateSymbolicLink",
        &[ptr("SymbolicLinkName"), ptr("DeviceName")],
        Passive,
        create_link,
    ),
    row(
        "IoCreateUnprotectedSymbolicLink",
        &[ptr("SymbolicLinkName"), ptr("DeviceName")],
        Passive,
        create_link,
    ),
    row(
        "IoDeleteSymbolicLink",
        &[ptr("SymbolicLinkName")],
        Passive,
        delete_link,
    ),
    row(
        "IoAttachDeviceToDeviceStack",
        &[ptr("SourceDevice"), ptr("TargetDevice")],
        Dispatch,
        attach_to_stack,
    ),
    row("IoDetachDevice", &[ptr("TargetDevice")], Passive, detach),
    row(
        "IoGetAttachedDevice",
        &[ptr("DeviceObject")],
        Dispatch,
        attached,
    ),
    row(
        "IoGetAttachedDeviceReference",
        &[ptr("DeviceObject")],
        Dispatch,
        attached_referenced,
    ),
    row(
        "IoRegisterShutdownNotification",
        &[ptr("DeviceObject")],
        Passive,
        register_shutdown,
    ),
    row(
        "IoUnregisterShutdownNotification",
        &[ptr("DeviceObject")],
        Passive,
        unregister_shutdown,
    ),
];

fn create(call: &mut Call<'_>) -> Done {
    let [
        driver,
        extension,
        name_at,
        kind,
        characteristics,
        exclusive,
        device_at,
        ..,
    ] = call.args;
    let name = if name_at == 0 {
        None
    } else {
        Some(call.unicode_string(name_at)?)
    };
    let l = layout::of(call.arch());
    let extension_at = l.device.size.next_multiple_of(2 * l.pointer);
    let own_at = (extension_at + extension).next_multiple_of(2 * l.pointer);
    let size = own_at + OBJECT_EXTENSION;
    let strikes = crate::faults::allocation(call.m, call.core, size, *b"Devi", false);
    let device = if strikes {
        0
    } else {
        pool::allocate(call.m, call.core, size, *b"Devi", false)
    };
    if device == 0 {
        return Ok(Outcome::Return(u64::from(status::INSUFFICIENT_RESOURCES)));
    }
    if let Some(name) = &name
        && let Err(failure) = call.m.state.nt.io.names.insert(name, Entry::Device(device))
    {
        pool::free(call.m, call.core, device)?;
        return Ok(Outcome::Return(u64::from(failure)));
    }
    call.write_bytes(device, &vec![0; size as usize])?;
    call.set_u16(device + l.device.kind, IO_TYPE_DEVICE)?;
    call.set_u16(
        device + l.device.object_size,
        (l.device.size + extension) as u16,
    )?;
    call.set_ptr(device + l.device.driver_object, driver)?;
    let named = if name.is_some() {
        DO_DEVICE_HAS_NAME
    } else {
        0
    };
    let exclusive = if exclusive != 0 { DO_EXCLUSIVE } else { 0 };
    call.set_u32(
        device + l.device.flags,
        DO_DEVICE_INITIALIZING | named | exclusive,
    )?;
    call.set_u32(device + l.device.characteristics, characteristics as u32)?;
    let own = if extension == 0 {
        0
    } else {
        device + extension_at
    };
    call.set_ptr(device + l.device.device_extension, own)?;
    call.set_u32(device + l.device.device_type, kind as u32)?;
    call.set_u8(device + l.device.stack_size, 1)?;
    call.set_ptr(device + l.device.device_object_extension, device + own_at)?;
    initialize_queue(call, device + l.device.device_queue)?;
    let next = call.ptr(driver + l.driver.device_object)?;
    call.set_ptr(device + l.device.next_device, next)?;
    call.set_ptr(driver + l.driver.device_object, device)?;
    call.m.state.nt.io.objects.add(device, Kind::Device);
    call.set_ptr(device_at, device)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

/// `KDEVICE_QUEUE`: type, size, list head, lock, busy.
fn initialize_queue(call: &mut Call<'_>, queue: u64) -> Result<(), Trouble> {
    let p = call.arch().pointer_size();
    call.set_u16(queue, DEVICE_QUEUE_OBJECT)?;
    call.set_u16(queue + 2, (5 * p) as u16)?;
    let head = queue + p.max(4);
    call.set_ptr(head, head)?;
    call.set_ptr(head + p, head)
}

fn delete(call: &mut Call<'_>) -> Done {
    let device = call.args[0];
    let l = layout::of(call.arch());
    let driver = call.ptr(device + l.device.driver_object)?;
    unlink(call, driver, device)?;
    call.m.state.nt.io.names.remove_object(device);
    call.m.state.nt.io.shutdown.retain(|&d| d != device);
    if call.u32(device + l.device.reference_count)? > 0 {
        // Goes with the last file that is open on it.
        call.m.state.nt.io.deleted_devices.insert(device);
        return Ok(Outcome::Return(0));
    }
    object::dereference(call, device, nt::Then::ReturnValue(0))
}

/// Takes a device out of its driver's list.
fn unlink(call: &mut Call<'_>, driver: u64, device: u64) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let next = call.ptr(device + l.device.next_device)?;
    let head = driver + l.driver.device_object;
    let list = super::linked(call, head, l.device.next_device)?;
    match list.iter().position(|&d| d == device) {
        None => Ok(()),
        Some(0) => call.set_ptr(head, next),
        Some(i) => call.set_ptr(list[i - 1] + l.device.next_device, next),
    }
}

fn create_link(call: &mut Call<'_>) -> Done {
    let [link_at, name_at, ..] = call.args;
    let link = call.unicode_string(link_at)?;
    let name = call.unicode_string(name_at)?;
    let added = call.m.state.nt.io.names.insert(&link, Entry::Link(name));
    Ok(Outcome::Return(u64::from(
        added.err().unwrap_or(status::SUCCESS),
    )))
}

fn delete_link(call: &mut Call<'_>) -> Done {
    let link_at = call.args[0];
    let link = call.unicode_string(link_at)?;
    let status = match call.m.state.nt.io.names.remove(&link) {
        Ok(Entry::Link(_)) => status::SUCCESS,
        Ok(other) => {
            // Not a link: it stays.
            let _ = call.m.state.nt.io.names.insert(&link, other);
            status::OBJECT_TYPE_MISMATCH
        }
        Err(failure) => failure,
    };
    Ok(Outcome::Return(u64::from(status)))
}

/// Whether a file may be opened on a device now; the inner error is the status.
pub(super) fn may_open(call: &mut Call<'_>, device: u64) -> Result<Result<(), u32>, Trouble> {
    let l = layout::of(call.arch());
    let flags = call.u32(device + l.device.flags)?;
    let driver = call.ptr(device + l.device.driver_object)?;
    let io = &call.m.state.nt.io;
    // DOE_REMOVE_PENDING and DOE_UNLOAD_PENDING.
    let going = io.removed.contains_key(&device) || super::driver::is_unloading(io, driver);
    if flags & DO_DEVICE_INITIALIZING != 0 || going {
        return Ok(Err(status::NO_SUCH_DEVICE));
    }
    if flags & DO_EXCLUSIVE != 0 && call.u32(device + l.device.reference_count)? > 0 {
        return Ok(Err(status::ACCESS_DENIED));
    }
    Ok(Ok(()))
}

/// A file has been opened on a device.
pub(super) fn opened(call: &mut Call<'_>, device: u64) -> Result<(), Trouble> {
    let at = device + layout::of(call.arch()).device.reference_count;
    let count = call.u32(at)?;
    call.set_u32(at, count + 1)
}

/// A file on a device is gone.
pub(super) fn closed(call: &mut Call<'_>, device: u64) -> Result<(), Trouble> {
    let at = device + layout::of(call.arch()).device.reference_count;
    let count = call.u32(at)?.saturating_sub(1);
    call.set_u32(at, count)?;
    if count == 0 && call.m.state.nt.io.deleted_devices.remove(&device) {
        call.m.state.nt.io.objects.release(device);
        pool::free(call.m, call.core, device)?;
        return Ok(());
    }
    if count == 0 {
        super::remove::unused(call, device);
        super::driver::unload_unused(call.m, call.core);
    }
    Ok(())
}

/// The topmost device of the stack that `device` is in.
pub(super) fn top(call: &mut Call<'_>, device: u64) -> Result<u64, Trouble> {
    let at = layout::of(call.arch()).device.attached_device;
    let above = super::linked(call, device + at, at)?;
    Ok(above.last().copied().unwrap_or(device))
}

fn attach_to_stack(call: &mut Call<'_>) -> Done {
    let [source, target, ..] = call.args;
    let l = layout::of(call.arch());
    let top = top(call, target)?;
    let flags = call.u32(top + l.device.flags)?;
    if flags & DO_DEVICE_INITIALIZING != 0 {
        return Ok(Outcome::Return(0));
    }
    let stacks = call.u8(top + l.device.stack_size)?;
    call.set_u8(source + l.device.stack_size, stacks.wrapping_add(1))?;
    let alignment = call.u32(top + l.device.alignment_requirement)?;
    call.set_u32(source + l.device.alignment_requirement, alignment)?;
    let sector = call.u16(top + l.device.sector_size)?;
    call.set_u16(source + l.device.sector_size, sector)?;
    call.set_ptr(top + l.device.attached_device, source)?;
    Ok(Outcome::Return(top))
}

fn detach(call: &mut Call<'_>) -> Done {
    let target = call.args[0];
    let l = layout::of(call.arch());
    call.set_ptr(target + l.device.attached_device, 0)?;
    Ok(Outcome::Return(0))
}

fn attached(call: &mut Call<'_>) -> Done {
    let device = call.args[0];
    top(call, device).map(Outcome::Return)
}

fn attached_referenced(call: &mut Call<'_>) -> Done {
    let device = call.args[0];
    let top = top(call, device)?;
    call.m.state.nt.io.objects.reference(top);
    Ok(Outcome::Return(top))
}

fn register_shutdown(call: &mut Call<'_>) -> Done {
    let device = call.args[0];
    call.m.state.nt.io.shutdown.push(device);
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn unregister_shutdown(call: &mut Call<'_>) -> Done {
    let device = call.args[0];
    call.m.state.nt.io.shutdown.retain(|&d| d != device);
    Ok(Outcome::Return(0))
}
