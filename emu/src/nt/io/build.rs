//! Filling in requests: how the buffers of a control request, a read or a write travel in an IRP,
//! and the functions by which drivers build such IRPs.
//!
//! Windows driver documentation: "Buffer Descriptions for I/O Control Codes", "Methods for
//! Accessing Data Buffers", "IoBuildDeviceIoControlRequest", "IoBuildSynchronousFsdRequest".

use super::device::{DO_BUFFERED_IO, DO_DIRECT_IO};
use super::history::Origin;
use super::irp::{self, flags};
use super::mdl;
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{Api, Arg, Call, Done, Trouble, layout, pool, thread};

const WDK: &str = "Windows driver documentation: IoBuildDeviceIoControlRequest, \
                   IoBuildSynchronousFsdRequest, IoMakeAssociatedIrp; wdm.h";

pub(super) const IRP_MJ_READ: u8 = 0x03;
pub(super) const IRP_MJ_WRITE: u8 = 0x04;
pub(super) const IRP_MJ_FLUSH_BUFFERS: u8 = 0x09;
pub(super) const IRP_MJ_DEVICE_CONTROL: u8 = 0x0E;
const IRP_MJ_INTERNAL_DEVICE_CONTROL: u8 = 0x0F;
const IRP_MJ_SHUTDOWN: u8 = 0x10;

/// The low bits of a control code: how its buffers travel.
const METHOD_BUFFERED: u32 = 0;
const METHOD_IN_DIRECT: u32 = 1;
const METHOD_NEITHER: u32 = 3;

/// A piece of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Buffer {
    pub at: u64,
    pub length: u64,
}

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

/// Functions that build IRPs.
pub const API: &[Api] = &[
    row(
        "IoBuildDeviceIoControlRequest",
        &[
            long("IoControlCode"),
            ptr("DeviceObject"),
            ptr("InputBuffer"),
            long("InputBufferLength"),
            ptr("OutputBuffer"),
            long("OutputBufferLength"),
            byte("InternalDeviceIoControl"),
            ptr("Event"),
            ptr("IoStatusBlock"),
        ],
        Passive,
        device_control,
    ),
    row(
        "IoBuildSynchronousFsdRequest",
        &[
            long("MajorFunction"),
            ptr("DeviceObject"),
            ptr("Buffer"),
            long("Length"),
            ptr("StartingOffset"),
            ptr("Event"),
            ptr("IoStatusBlock"),
        ],
        Passive,
        synchronous,
    ),
    row(
        "IoBuildAsynchronousFsdRequest",
        &[
            long("MajorFunction"),
            ptr("DeviceObject"),
            ptr("Buffer"),
            long("Length"),
            ptr("StartingOffset"),
            ptr("IoStatusBlock"),
        ],
        Dispatch,
        asynchronous,
    ),
    row(
        "IoMakeAssociatedIrp",
        &[ptr("Irp"), byte("StackSize")],
        Dispatch,
        make_associated,
    ),
];

/// The first stack location that a fresh IRP's receiver gets.
fn next_stack(call: &mut Call<'_>, irp: u64) -> Result<u64, Trouble> {
    let l = layout::of(call.arch());
    Ok(call.ptr(irp + l.irp.current_stack_location)? - l.stack.size)
}

fn add_flags(call: &mut Call<'_>, irp: u64, more: u32) -> Result<(), Trouble> {
    let at = irp + layout::of(call.arch()).irp.flags;
    let now = call.u32(at)? | more;
    call.set_u32(at, now)
}

/// Gives an IRP a system buffer of `length` bytes that begins with the bytes at `from`; false if
/// there is no pool.
fn system_buffer(
    call: &mut Call<'_>,
    irp: u64,
    length: u64,
    from: Buffer,
) -> Result<bool, Trouble> {
    let buffer = pool::allocate(call.m, call.core, length, *b"Io  ", false);
    if buffer == 0 {
        return Ok(false);
    }
    let bytes = call.read_vec(from.at, from.length)?;
    call.write_bytes(buffer, &bytes)?;
    call.set_ptr(irp + layout::of(call.arch()).irp.associated_irp, buffer)?;
    add_flags(call, irp, flags::BUFFERED_IO | flags::DEALLOCATE_BUFFER)?;
    Ok(true)
}

/// Puts a control request into an IRP; false if there is no pool.
pub(super) fn fill_control(
    call: &mut Call<'_>,
    irp: u64,
    major: u8,
    code: u32,
    input: Buffer,
    output: Buffer,
) -> Result<bool, Trouble> {
    let l = layout::of(call.arch());
    let stack = next_stack(call, irp)?;
    call.set_u8(stack + l.stack.major_function, major)?;
    call.set_u32(stack + l.stack.ioctl_output_length, output.length as u32)?;
    call.set_u32(stack + l.stack.ioctl_input_length, input.length as u32)?;
    call.set_u32(stack + l.stack.ioctl_code, code)?;
    match code & 3 {
        METHOD_BUFFERED => {
            let length = input.length.max(output.length);
            if length > 0 && !system_buffer(call, irp, length, input)? {
                return Ok(false);
            }
            call.set_ptr(irp + l.irp.user_buffer, output.at)?;
            if output.at != 0 {
                add_flags(call, irp, flags::INPUT_OPERATION)?;
            }
            Ok(true)
        }
        METHOD_NEITHER => {
            call.set_ptr(irp + l.irp.user_buffer, output.at)?;
            call.set_ptr(stack + l.stack.ioctl_type3_input, input.at)?;
            Ok(true)
        }
        direct => {
            if input.length > 0 && !system_buffer(call, irp, input.length, input)? {
                return Ok(false);
            }
            // METHOD_IN_DIRECT only reads the second buffer.
            let write = direct != METHOD_IN_DIRECT;
            Ok(output.length == 0 || mdl::describe(call, irp, output.at, output.length, write)?)
        }
    }
}

/// Puts a read or a write into an IRP, the way the device wants its buffers; false if there is no
/// pool.
pub(super) fn fill_transfer(
    call: &mut Call<'_>,
    irp: u64,
    device: u64,
    major: u8,
    buffer: Buffer,
    offset: u64,
) -> Result<bool, Trouble> {
    let l = layout::of(call.arch());
    let stack = next_stack(call, irp)?;
    let read = major == IRP_MJ_READ;
    call.set_u8(stack + l.stack.major_function, major)?;
    call.set_u32(stack + l.stack.rw_length, buffer.length as u32)?;
    call.set_u64(stack + l.stack.rw_byte_offset, offset)?;
    add_flags(
        call,
        irp,
        if read {
            flags::READ_OPERATION
        } else {
            flags::WRITE_OPERATION
        },
    )?;
    let how = call.u32(device + l.device.flags)?;
    call.set_ptr(irp + l.irp.user_buffer, buffer.at)?;
    if how & DO_BUFFERED_IO != 0 && buffer.length > 0 {
        if read {
            add_flags(call, irp, flags::INPUT_OPERATION)?;
        }
        let from = if read { Buffer::default() } else { buffer };
        system_buffer(call, irp, buffer.length, from)
    } else if how & DO_DIRECT_IO != 0 && buffer.length > 0 {
        mdl::describe(call, irp, buffer.at, buffer.length, read)
    } else {
        Ok(true)
    }
}

/// An IRP for a device, of the current thread.
fn begin(call: &mut Call<'_>, device: u64, origin: Origin) -> Result<u64, Trouble> {
    let l = layout::of(call.arch());
    let stacks = call.u8(device + l.device.stack_size)?;
    let irp = irp::allocate(call, stacks, origin)?;
    if irp != 0 {
        let thread = thread::current_object(call.m, call.core);
        call.set_ptr(irp + l.irp.thread, thread)?;
    }
    Ok(irp)
}

/// The IRP if it could be filled in, else nothing of it is left.
fn or_free(call: &mut Call<'_>, irp: u64, filled: bool) -> Done {
    if filled {
        return Ok(Outcome::Return(irp));
    }
    let buffer = call.ptr(irp + layout::of(call.arch()).irp.associated_irp)?;
    if buffer != 0 {
        pool::free(call.m, call.core, buffer)?;
    }
    irp::free(call, irp)?;
    Ok(Outcome::Return(0))
}

fn device_control(call: &mut Call<'_>) -> Done {
    let [
        code,
        device,
        input,
        input_length,
        output,
        output_length,
        internal,
        event,
        block,
        ..,
    ] = call.args;
    let irp = begin(call, device, Origin::Threaded)?;
    if irp == 0 {
        return Ok(Outcome::Return(0));
    }
    let l = layout::of(call.arch());
    call.set_ptr(irp + l.irp.user_event, event)?;
    call.set_ptr(irp + l.irp.user_iosb, block)?;
    let major = if internal == 0 {
        IRP_MJ_DEVICE_CONTROL
    } else {
        IRP_MJ_INTERNAL_DEVICE_CONTROL
    };
    let input = Buffer {
        at: input,
        length: input_length,
    };
    let output = Buffer {
        at: output,
        length: output_length,
    };
    let filled = fill_control(call, irp, major, code as u32, input, output)?;
    or_free(call, irp, filled)
}

fn synchronous(call: &mut Call<'_>) -> Done {
    let [major, device, buffer, length, offset_at, event, block, ..] = call.args;
    let irp = begin(call, device, Origin::Threaded)?;
    if irp == 0 {
        return Ok(Outcome::Return(0));
    }
    let at = layout::of(call.arch()).irp.user_event;
    call.set_ptr(irp + at, event)?;
    let buffer = Buffer { at: buffer, length };
    request(call, irp, device, major as u8, buffer, offset_at, block)
}

fn asynchronous(call: &mut Call<'_>) -> Done {
    let [major, device, buffer, length, offset_at, block, ..] = call.args;
    // Such an IRP is the driver's own: its completion routine frees it.
    let irp = begin(call, device, Origin::Driver)?;
    if irp == 0 {
        return Ok(Outcome::Return(0));
    }
    let buffer = Buffer { at: buffer, length };
    request(call, irp, device, major as u8, buffer, offset_at, block)
}

fn request(
    call: &mut Call<'_>,
    irp: u64,
    device: u64,
    major: u8,
    buffer: Buffer,
    offset_at: u64,
    block: u64,
) -> Done {
    let l = layout::of(call.arch());
    call.set_ptr(irp + l.irp.user_iosb, block)?;
    let filled = match major {
        IRP_MJ_READ | IRP_MJ_WRITE => {
            let offset = if offset_at == 0 {
                0
            } else {
                call.u64(offset_at)?
            };
            fill_transfer(call, irp, device, major, buffer, offset)?
        }
        IRP_MJ_FLUSH_BUFFERS | IRP_MJ_SHUTDOWN => {
            let stack = next_stack(call, irp)?;
            call.set_u8(stack + l.stack.major_function, major)?;
            true
        }
        other => {
            let detail = format!("major function {other:#04x}");
            return Err(call.unimplemented("IoBuildSynchronousFsdRequest", detail));
        }
    };
    or_free(call, irp, filled)
}

fn make_associated(call: &mut Call<'_>) -> Done {
    let [master, stacks, ..] = call.args;
    let l = layout::of(call.arch());
    let irp = irp::allocate(call, stacks as u8, Origin::Driver)?;
    if irp != 0 {
        add_flags(call, irp, flags::ASSOCIATED_IRP)?;
        let thread = call.ptr(master + l.irp.thread)?;
        call.set_ptr(irp + l.irp.thread, thread)?;
        call.set_ptr(irp + l.irp.associated_irp, master)?;
    }
    Ok(Outcome::Return(irp))
}
