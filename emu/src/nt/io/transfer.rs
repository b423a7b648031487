//! Control requests, reads and writes on an open file, for programs (`NtDeviceIoControlFile` and
//! its relatives) and for drivers (`Zw...`).

use super::build::{
    self, Buffer, IRP_MJ_DEVICE_CONTROL, IRP_MJ_FLUSH_BUFFERS, IRP_MJ_READ, IRP_MJ_WRITE,
};
use super::file::{self, FO_SYNCHRONOUS_IO};
use super::history::{Ended, Origin};
use super::irp::{self, flags};
use super::mdl;
use super::object::HandleTarget;
use super::send::{self, Purpose, Sent};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, status};

const WDK: &str = "Windows driver documentation: ZwDeviceIoControlFile, ZwReadFile, ZwWriteFile; \
                   wdm.h, ntifs.h";
/// What is asked of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// `IRP_MJ_DEVICE_CONTROL` with input and output buffer.
    Control {
        code: u32,
        input: Buffer,
        output: Buffer,
    },
    /// `IRP_MJ_READ` from this offset.
    Read { buffer: Buffer, offset: u64 },
    /// `IRP_MJ_WRITE` to this offset.
    Write { buffer: Buffer, offset: u64 },
    /// `IRP_MJ_FLUSH_BUFFERS`
    Flush,
}

/// A request to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    /// The handle of the file.
    pub handle: u64,
    /// What is asked.
    pub what: What,
    /// Address of the requester's `IO_STATUS_BLOCK`; 0 is none.
    pub status_at: u64,
    /// 0: the kernel asks, 1: a program.
    pub mode: u8,
}

/// A request that has been sent.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Transfer {
    then: Box<nt::Then>,
}

const CONTROL: &[Arg] = &[
    ptr("FileHandle"),
    ptr("Event"),
    ptr("ApcRoutine"),
    ptr("ApcContext"),
    ptr("IoStatusBlock"),
    long("IoControlCode"),
    ptr("InputBuffer"),
    long("InputBufferLength"),
    ptr("OutputBuffer"),
    long("OutputBufferLength"),
];

const TRANSFER: &[Arg] = &[
    ptr("FileHandle"),
    ptr("Event"),
    ptr("ApcRoutine"),
    ptr("ApcContext"),
    ptr("IoStatusBlock"),
    ptr("Buffer"),
    long("Length"),
    ptr("ByteOffset"),
    ptr("Key"),
];

const fn row(name: &'static str, args: &'static [Arg], handler: fn(&mut Call<'_>) -> Done) -> Api {
    let (module, style, irql) = (Module::Ntoskrnl, Style::Std, Contract::Passive);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

/// Request functions.
pub const API: &[Api] = &[
    row("ZwDeviceIoControlFile", CONTROL, control),
    row("ZwReadFile", TRANSFER, read),
    row("ZwWriteFile", TRANSFER, write),
];

/// Events and APCs of a request are arguments that only asynchronous requesters use.
fn check(call: &mut Call<'_>, name: &str) -> Result<(), Trouble> {
    let [_, event, apc, ..] = call.args;
    if event != 0 || apc != 0 {
        return Err(call.unimplemented(name, "an event or an APC for the end of the request"));
    }
    Ok(())
}

fn control(call: &mut Call<'_>) -> Done {
    check(call, "ZwDeviceIoControlFile")?;
    let [
        handle,
        _,
        _,
        _,
        status_at,
        code,
        input,
        input_length,
        output,
        output_length,
        ..,
    ] = call.args;
    let what = What::Control {
        code: code as u32,
        input: Buffer {
            at: input,
            length: input_length,
        },
        output: Buffer {
            at: output,
            length: output_length,
        },
    };
    start(
        call,
        Request {
            handle,
            what,
            status_at,
            mode: 0,
        },
        nt::Then::Return,
    )
}

fn read(call: &mut Call<'_>) -> Done {
    check(call, "ZwReadFile")?;
    let (handle, status_at, buffer, offset) = transfer_args(call)?;
    let what = What::Read { buffer, offset };
    start(
        call,
        Request {
            handle,
            what,
            status_at,
            mode: 0,
        },
        nt::Then::Return,
    )
}

fn write(call: &mut Call<'_>) -> Done {
    check(call, "ZwWriteFile")?;
    let (handle, status_at, buffer, offset) = transfer_args(call)?;
    let what = What::Write { buffer, offset };
    start(
        call,
        Request {
            handle,
            what,
            status_at,
            mode: 0,
        },
        nt::Then::Return,
    )
}

fn transfer_args(call: &mut Call<'_>) -> Result<(u64, u64, Buffer, u64), Trouble> {
    let [handle, _, _, _, status_at, at, length, offset_at, ..] = call.args;
    let offset = if offset_at == 0 {
        0
    } else {
        call.u64(offset_at)?
    };
    Ok((handle, status_at, Buffer { at, length }, offset))
}

/// Makes a request; `then` gets its status, STATUS_PENDING only if the file was opened for
/// asynchronous requests.
pub(super) fn start(call: &mut Call<'_>, request: Request, then: nt::Then) -> Done {
    match begin(call, request)? {
        Ok((device, irp, event, wait)) => {
            let purpose = Purpose::Transfer(Transfer {
                then: Box::new(then),
            });
            send::send(
                call,
                device,
                Sent {
                    irp,
                    event,
                    wait,
                    purpose,
                },
            )
        }
        Err(failure) => Ok(Outcome::Continue(then, u64::from(failure))),
    }
}

/// Device, IRP, event, whether to wait.
type Begun = (u64, u64, u64, bool);

/// Everything up to sending the IRP; the inner error is the status of a request that cannot be
/// made.
fn begin(call: &mut Call<'_>, request: Request) -> Result<Result<Begun, u32>, Trouble> {
    let l = layout::of(call.arch());
    let file = match call.m.state.nt.io.objects.target(request.handle) {
        Some(&HandleTarget::File(file)) => file,
        Some(_) => return Ok(Err(status::OBJECT_TYPE_MISMATCH)),
        None => return Ok(Err(status::INVALID_HANDLE)),
    };
    let wait = call.u32(file + l.file.flags)? & FO_SYNCHRONOUS_IO != 0;
    let device = file::related_device(call, file)?;
    let stacks = call.u8(device + l.device.stack_size)?;
    let origin = if wait {
        Origin::Awaited
    } else {
        Origin::Threaded
    };
    let irp = irp::allocate(call, stacks, origin)?;
    if irp == 0 {
        return Ok(Err(status::INSUFFICIENT_RESOURCES));
    }
    let (major, flags) = match request.what {
        What::Control { .. } => (IRP_MJ_DEVICE_CONTROL, 0),
        What::Read { .. } => (IRP_MJ_READ, flags::DEFER_IO_COMPLETION),
        What::Write { .. } => (IRP_MJ_WRITE, flags::DEFER_IO_COMPLETION),
        What::Flush => (IRP_MJ_FLUSH_BUFFERS, 0),
    };
    // Only a request that is waited for has a thread to finish it in.
    let flags = if wait { flags } else { 0 };
    file::fill(call, irp, file, major, flags, request.mode)?;
    call.set_ptr(irp + l.irp.user_event, 0)?;
    call.set_ptr(irp + l.irp.user_iosb, request.status_at)?;
    let filled = match request.what {
        What::Control {
            code,
            input,
            output,
        } => build::fill_control(call, irp, major, code, input, output)?,
        What::Read { buffer, offset } | What::Write { buffer, offset } => {
            build::fill_transfer(call, irp, device, major, buffer, offset)?
        }
        // It has neither a buffer nor parameters.
        What::Flush => true,
    };
    if !filled {
        let buffer = call.ptr(irp + l.irp.associated_irp)?;
        if buffer != 0 {
            pool::free(call.m, call.core, buffer)?;
        }
        mdl::free_chain(call, irp)?;
        irp::free(call, irp)?;
        return Ok(Err(status::INSUFFICIENT_RESOURCES));
    }
    call.m.state.nt.io.objects.reference(file);
    Ok(Ok((device, irp, file + l.file.event, wait)))
}

/// The request has been answered.
pub(super) fn ended(_call: &mut Call<'_>, transfer: Transfer, ended: Ended) -> Done {
    Ok(Outcome::Continue(*transfer.then, u64::from(ended.status)))
}
