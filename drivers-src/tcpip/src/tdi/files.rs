//! Opening and closing: which object is behind a file. IRQL PASSIVE, and pageable.

use core::ptr::null_mut;

use nt::ex;
use nt::io;
use nt::irql::at_dispatch;
use nt::ps::{ObReferenceObjectByHandle, ObfDereferenceObject};
use nt::status::*;
use nt::tdi::*;
use nt::types::*;

use super::address::{self, Address, Refusal};
use super::ea::{self, Opening};
use crate::tcp::connection::{self, Connection};
use crate::tcp::{receiver, requests, sender};
use nt::rundown;

/// The object behind a file, by what the create request made it.
pub enum Object {
    /// The control channel has none.
    Control,
    /// An address.
    Address(*mut Address),
    /// A connection.
    Connection(*mut Connection),
}

/// The object behind a file.
pub unsafe fn object(file: *mut FILE_OBJECT) -> Object {
    if file.is_null() {
        return Object::Control;
    }
    unsafe {
        match (*file).FsContext2 as usize {
            TDI_TRANSPORT_ADDRESS_FILE => Object::Address((*file).FsContext.cast()),
            TDI_CONNECTION_FILE => Object::Connection((*file).FsContext.cast()),
            _ => Object::Control,
        }
    }
}

/// `IRP_MJ_CREATE`: makes what the extended attribute asks for.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn create(irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let stack = io::current_stack(irp);
        let file = (*stack).FileObject;
        let create: *const io::CREATE_PARAMETERS = io::parameters(stack);
        let length = (*create).EaLength as usize;
        let (context, kind) = match ea::parse(io::system_buffer(irp).cast(), length) {
            Opening::Control => (null_mut(), TDI_CONTROL_CHANNEL_FILE),
            Opening::Address(at, port) => match at_dispatch(|| address::open(at, port)) {
                Ok(address) => (address.cast(), TDI_TRANSPORT_ADDRESS_FILE),
                Err(Refusal::InUse) => return STATUS_ADDRESS_ALREADY_EXISTS,
                Err(Refusal::NoMemory) => return STATUS_INSUFFICIENT_RESOURCES,
            },
            Opening::Connection(context) => {
                let connection = new_connection(context);
                if connection.is_null() {
                    return STATUS_INSUFFICIENT_RESOURCES;
                }
                (connection.cast(), TDI_CONNECTION_FILE)
            }
            Opening::Unknown => return STATUS_INVALID_PARAMETER,
        };
        (*file).FsContext = context;
        (*file).FsContext2 = kind as *mut c_void;
        STATUS_SUCCESS
    }
}

/// `IRP_MJ_CLEANUP`: the last handle is gone.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn cleanup(file: *mut FILE_OBJECT) {
    unsafe {
        match object(file) {
            Object::Address(address) => at_dispatch(|| address::cleanup(address)),
            Object::Connection(connection) => at_dispatch(|| requests::cleanup(connection)),
            Object::Control => {}
        }
    }
}

/// `IRP_MJ_CLOSE`: the last reference is gone.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn close(file: *mut FILE_OBJECT) {
    unsafe {
        match object(file) {
            Object::Address(address) => address::close(address),
            Object::Connection(connection) => {
                rundown::finish(&raw mut (*connection).users);
                leave_address(connection);
                ex::free(connection);
            }
            Object::Control => {}
        }
    }
}

/// ASSOCIATE_ADDRESS: the connection's peers come to this address from now on.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn associate(connection: *mut Connection, handle: HANDLE) -> NTSTATUS {
    unsafe {
        if !(*connection).address.is_null() {
            return STATUS_CONNECTION_ACTIVE;
        }
        let mut referenced = null_mut();
        let status = ObReferenceObjectByHandle(
            handle,
            0,
            null_mut(),
            KernelMode,
            &mut referenced,
            null_mut(),
        );
        if !NT_SUCCESS(status) {
            return status;
        }
        let file: *mut FILE_OBJECT = referenced.cast();
        let Object::Address(address) = object(file) else {
            ObfDereferenceObject(referenced);
            return STATUS_INVALID_PARAMETER;
        };
        (*connection).address = address;
        (*connection).address_file = file;
        at_dispatch(|| address::associate(address, connection));
        STATUS_SUCCESS
    }
}

/// DISASSOCIATE_ADDRESS, for a connection that is not in use.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn disassociate(connection: *mut Connection) -> NTSTATUS {
    unsafe {
        if !at_dispatch(|| requests::is_closed(connection)) {
            return STATUS_CONNECTION_ACTIVE;
        }
        leave_address(connection);
        STATUS_SUCCESS
    }
}

#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe fn leave_address(connection: *mut Connection) {
    unsafe {
        let address = core::mem::replace(&mut (*connection).address, null_mut());
        if !address.is_null() {
            at_dispatch(|| address::disassociate(address, connection));
            ObfDereferenceObject((*connection).address_file.cast());
        }
    }
}

#[unsafe(link_section = "PAGE")]
#[inline(never)]
unsafe fn new_connection(context: *mut c_void) -> *mut Connection {
    unsafe {
        let connection: *mut Connection = ex::allocate_zeroed(connection::TAG);
        if !connection.is_null() {
            // All zeroes is the closed state.
            rundown::initialize(&raw mut (*connection).users);
            (*connection).context = context;
            (*connection).receiver = receiver::new(0);
            (*connection).sender = sender::new(0, 0, sender::MSS_DEFAULT);
        }
        connection
    }
}
