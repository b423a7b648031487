//! File objects: what an open device is, and the IRPs on it.

use super::object::Kind;
use super::open::Open;
use super::{device, driver};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, ptr};
use crate::nt::{Api, Call, Done, Trouble, dispatcher, layout, pool, thread};

const IO_TYPE_FILE: u16 = 5;
/// `GENERIC_READ`, `FILE_READ_DATA`
const READ_ACCESS: u32 = 0x8000_0001;
/// `GENERIC_WRITE`, `FILE_WRITE_DATA`
const WRITE_ACCESS: u32 = 0x4000_0002;

/// `FILE_OBJECT.Flags` (`ntifs.h`): requests end before the call returns.
pub(super) const FO_SYNCHRONOUS_IO: u32 = 0x2;
/// `CreateOptions`: `FILE_SYNCHRONOUS_IO_ALERT` and `FILE_SYNCHRONOUS_IO_NONALERT`.
const FILE_SYNCHRONOUS_IO: u32 = 0x30;

/// File functions.
pub const API: &[Api] = &[Api {
    name: "IoGetRelatedDeviceObject",
    module: Module::Ntoskrnl,
    style: Style::Std,
    args: &[ptr("FileObject")],
    irql: Contract::Dispatch,
    source: "Windows driver documentation: IoGetRelatedDeviceObject; ntifs.h",
    handler: related_device_call,
}];

/// A new file object for a device; `None` if there is no pool.
pub(super) fn new_file(
    call: &mut Call<'_>,
    device: u64,
    name: &str,
    open: &Open,
) -> Result<Option<u64>, Trouble> {
    let l = layout::of(call.arch());
    let file = pool::allocate(call.m, call.core, l.file.size, *b"File", false);
    if file == 0 {
        return Ok(None);
    }
    call.write_bytes(file, &vec![0; l.file.size as usize])?;
    if !driver::write_string(call, file + l.file.file_name, name, *b"IoNm")? {
        pool::free(call.m, call.core, file)?;
        return Ok(None);
    }
    call.set_u16(file + l.file.kind, IO_TYPE_FILE)?;
    call.set_u16(file + l.file.object_size, l.file.size as u16)?;
    call.set_ptr(file + l.file.device_object, device)?;
    call.set_u8(
        file + l.file.read_access,
        u8::from(open.access & READ_ACCESS != 0),
    )?;
    call.set_u8(
        file + l.file.write_access,
        u8::from(open.access & WRITE_ACCESS != 0),
    )?;
    for (bit, at) in [
        (1, l.file.shared_read),
        (2, l.file.shared_write),
        (4, l.file.shared_delete),
    ] {
        call.set_u8(file + at, u8::from(open.share & bit != 0))?;
    }
    let synchronous = open.options & FILE_SYNCHRONOUS_IO != 0;
    call.set_u32(
        file + l.file.flags,
        if synchronous { FO_SYNCHRONOUS_IO } else { 0 },
    )?;
    let words = (l.kevent.size / 4) as u8;
    // The lock is a synchronization event, the event a notification event.
    dispatcher::initialize(call, file + l.file.lock, 1, words, 0)?;
    dispatcher::initialize(call, file + l.file.event, 0, words, 0)?;
    call.m.state.nt.io.objects.add(file, Kind::File);
    Ok(Some(file))
}

/// What every IRP on a file has in common; gives its first stack location.
pub(super) fn fill(
    call: &mut Call<'_>,
    irp: u64,
    file: u64,
    major: u8,
    flags: u32,
    mode: u8,
) -> Result<u64, Trouble> {
    let l = layout::of(call.arch());
    let thread = thread::current_object(call.m, call.core);
    call.set_u32(irp + l.irp.flags, flags)?;
    call.set_u8(irp + l.irp.requestor_mode, mode)?;
    call.set_ptr(irp + l.irp.thread, thread)?;
    call.set_ptr(irp + l.irp.original_file_object, file)?;
    call.set_ptr(irp + l.irp.user_event, file + l.file.event)?;
    let stack = call.ptr(irp + l.irp.current_stack_location)? - l.stack.size;
    call.set_u8(stack + l.stack.major_function, major)?;
    call.set_ptr(stack + l.stack.file_object, file)?;
    call.set_u32(file + l.file.event + l.kevent.signal_state, 0)?;
    Ok(stack)
}

/// Frees a file object; gives the device it was for.
pub(super) fn discard(call: &mut Call<'_>, file: u64) -> Result<u64, Trouble> {
    let l = layout::of(call.arch());
    let device = call.ptr(file + l.file.device_object)?;
    let name = call.ptr(file + l.file.file_name + l.unicode_string.buffer)?;
    if name != 0 {
        pool::free(call.m, call.core, name)?;
    }
    call.m.state.nt.io.objects.release(file);
    pool::free(call.m, call.core, file)?;
    Ok(device)
}

/// The device that requests on a file go to: the top of its device's stack.
pub(super) fn related_device(call: &mut Call<'_>, file: u64) -> Result<u64, Trouble> {
    let base = call.ptr(file + layout::of(call.arch()).file.device_object)?;
    device::top(call, base)
}

fn related_device_call(call: &mut Call<'_>) -> Done {
    let file = call.args[0];
    related_device(call, file).map(Outcome::Return)
}
