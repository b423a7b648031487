//! Replies: their texts, and sending them.

use core::ptr::null_mut;

use nt::ex;
use nt::io::*;
use nt::mm::MmBuildMdlForNonPagedPool;
use nt::rundown;
use nt::status::STATUS_MORE_PROCESSING_REQUIRED;
use nt::tdi::{self, TDI_REQUEST_KERNEL_SEND, minor};
use nt::types::*;

use crate::driver;
use crate::session::Session;

const TAG: u32 = tag(b"FtpR");

/// The replies of this server (RFC 959, section 4.2).
#[derive(Clone, Copy)]
pub enum Text {
    /// To a new client.
    Ready,
    /// To USER.
    NeedPassword,
    /// To PASS.
    LoggedIn,
    /// To SYST.
    System,
    /// To a command that has nothing to say.
    Okay,
    /// To LIST and RETR.
    Opening,
    /// A line of a transfer.
    Line,
    /// At the end of a transfer.
    Complete,
    /// To a transfer that an ABOR ended.
    Aborted,
    /// To ABOR behind a Telnet interrupt.
    AbortDone,
    /// To ABOR.
    AbortDoneUnannounced,
    /// To QUIT.
    Goodbye,
    /// To a second transfer.
    Busy,
    /// To a transfer before PASS.
    NotLoggedIn,
    /// To PASS before USER.
    BadSequence,
    /// To wrong arguments.
    BadArgument,
    /// To a command that this server does not do.
    NotImplemented,
    /// To anything else.
    Unknown,
}

impl Text {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Text::Ready => b"220 FTP service ready.\r\n",
            Text::NeedPassword => b"331 Password required.\r\n",
            Text::LoggedIn => b"230 User logged in.\r\n",
            Text::System => b"215 Windows_NT version 4.0\r\n",
            Text::Okay => b"200 Command okay.\r\n",
            Text::Opening => b"150 Opening data channel.\r\n",
            Text::Line => b" -rw-rw-rw-   1 owner    group            4096 Feb  1 13:04 file\r\n",
            Text::Complete => b"226 Transfer complete.\r\n",
            Text::Aborted => b"426 Transfer aborted.\r\n",
            Text::AbortDone => b"226 ABOR command successful.\r\n",
            Text::AbortDoneUnannounced => b"225 ABOR command successful.\r\n",
            Text::Goodbye => b"221 Goodbye.\r\n",
            Text::Busy => b"450 A transfer is in progress.\r\n",
            Text::NotLoggedIn => b"530 Please login with USER and PASS.\r\n",
            Text::BadSequence => b"503 Login with USER first.\r\n",
            Text::BadArgument => b"501 Syntax error in arguments.\r\n",
            Text::NotImplemented => b"502 Command not implemented.\r\n",
            Text::Unknown => b"500 Command not understood.\r\n",
        }
    }
}

/// Sends a reply. One for which there is no memory is lost. IRQL <= DISPATCH, no lock held.
pub unsafe fn send(session: *mut Session, text: Text) {
    unsafe {
        let bytes = text.bytes();
        let length = bytes.len() as u32;
        let file = &(*session).connection;
        let copy = ex::allocate_bytes(bytes.len(), TAG);
        let irp = IoAllocateIrp((*file.device).StackSize, 0);
        let mut mdl = null_mut();
        if !copy.is_null() {
            mdl = IoAllocateMdl(copy.cast(), length, 0, 0, null_mut());
        }
        if irp.is_null() || mdl.is_null() {
            return free(irp, mdl, copy);
        }
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        MmBuildMdlForNonPagedPool(mdl);
        (*irp).MdlAddress = mdl;
        tdi::build::<TDI_REQUEST_KERNEL_SEND>(irp, file.object, file.device, minor::SEND).write(
            TDI_REQUEST_KERNEL_SEND {
                SendLength: length,
                SendFlags: 0,
            },
        );
        set_completion_routine(irp, sent, copy.cast());
        rundown::acquire(driver::requests());
        IofCallDriver(file.device, irp);
    }
}

unsafe extern "system" fn sent(
    _device: *mut DEVICE_OBJECT,
    irp: *mut IRP,
    copy: *mut c_void,
) -> NTSTATUS {
    unsafe {
        free(irp, (*irp).MdlAddress, copy.cast());
        rundown::release(driver::requests());
    }
    STATUS_MORE_PROCESSING_REQUIRED
}

unsafe fn free(irp: *mut IRP, mdl: *mut MDL, copy: *mut u8) {
    unsafe {
        if !mdl.is_null() {
            IoFreeMdl(mdl);
        }
        if !copy.is_null() {
            ex::free(copy);
        }
        if !irp.is_null() {
            IoFreeIrp(irp);
        }
    }
}
