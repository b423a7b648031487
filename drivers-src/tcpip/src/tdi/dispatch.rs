//! The dispatch routines.

use nt::io;
use nt::irql::at_dispatch;
use nt::status::*;
use nt::tdi::*;
use nt::types::*;

use super::address::{self, Address, Handler};
use super::files::{self, Object};
use crate::tcp::connection::Connection;
use crate::tcp::requests;

/// `IRP_MJ_CREATE`
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe extern "system" fn create(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        let status = files::create(irp);
        io::complete(irp, status, 0)
    }
}

/// `IRP_MJ_CLEANUP`
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe extern "system" fn cleanup(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        files::cleanup((*io::current_stack(irp)).FileObject);
        io::complete(irp, STATUS_SUCCESS, 0)
    }
}

/// `IRP_MJ_CLOSE`
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe extern "system" fn close(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        files::close((*io::current_stack(irp)).FileObject);
        io::complete(irp, STATUS_SUCCESS, 0)
    }
}

/// `IRP_MJ_INTERNAL_DEVICE_CONTROL`: TDI. The data requests come at IRQL <= DISPATCH, the others
/// at PASSIVE.
pub unsafe extern "system" fn internal_control(
    _device: *const DEVICE_OBJECT,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe {
        let stack = io::current_stack(irp);
        match files::object((*stack).FileObject) {
            Object::Connection(connection) => connection_request(connection, stack, irp),
            Object::Address(address) => address_request(address, stack, irp),
            Object::Control => io::complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0),
        }
    }
}

/// `IRP_MJ_DEVICE_CONTROL`: the firewall hook, where it is built in.
pub unsafe extern "system" fn control(_device: *const DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    unsafe {
        #[cfg(feature = "firewall-hook")]
        if let Some(info) = hook_info(irp) {
            let status = crate::ip::hook::set(&*info);
            return io::complete(irp, status, 0);
        }
        io::complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0)
    }
}

/// The input of a hook request by a kernel-mode caller; `None` for anything else.
#[cfg(feature = "firewall-hook")]
unsafe fn hook_info(irp: *mut IRP) -> Option<*const nt::ip::IP_SET_FIREWALL_HOOK_INFO> {
    use nt::ip::{IOCTL_IP_SET_FIREWALL_HOOK, IP_SET_FIREWALL_HOOK_INFO};
    unsafe {
        let control: *const io::IOCTL_PARAMETERS = io::parameters(io::current_stack(irp));
        let fits = (*control).InputBufferLength as usize >= size_of::<IP_SET_FIREWALL_HOOK_INFO>();
        let ours = (*control).IoControlCode == IOCTL_IP_SET_FIREWALL_HOOK
            && (*irp).RequestorMode == KernelMode
            && fits;
        ours.then(|| io::system_buffer(irp).cast_const().cast())
    }
}

unsafe fn connection_request(
    connection: *mut Connection,
    stack: *mut IO_STACK_LOCATION,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe {
        match (*stack).MinorFunction {
            minor::SEND => at_dispatch(|| requests::send(connection, irp)),
            minor::RECEIVE => at_dispatch(|| requests::receive(connection, irp)),
            minor::LISTEN => at_dispatch(|| requests::listen(connection, irp)),
            minor::DISCONNECT => at_dispatch(|| requests::disconnect(connection, irp)),
            minor::ASSOCIATE_ADDRESS => {
                let wanted: *const TDI_REQUEST_KERNEL_ASSOCIATE = io::parameters(stack);
                let status = files::associate(connection, (*wanted).AddressHandle);
                io::complete(irp, status, 0)
            }
            minor::DISASSOCIATE_ADDRESS => {
                let status = files::disassociate(connection);
                io::complete(irp, status, 0)
            }
            _ => io::complete(irp, STATUS_NOT_IMPLEMENTED, 0),
        }
    }
}

unsafe fn address_request(
    address: *mut Address,
    stack: *mut IO_STACK_LOCATION,
    irp: *mut IRP,
) -> NTSTATUS {
    unsafe {
        if (*stack).MinorFunction != minor::SET_EVENT_HANDLER {
            return io::complete(irp, STATUS_NOT_IMPLEMENTED, 0);
        }
        let wanted: *const TDI_REQUEST_KERNEL_SET_EVENT = io::parameters(stack);
        let handler = Handler {
            routine: (*wanted).EventHandler,
            context: (*wanted).EventContext,
        };
        let known = at_dispatch(|| address::set_handler(address, (*wanted).EventType, handler));
        let status = if known {
            STATUS_SUCCESS
        } else {
            STATUS_INVALID_PARAMETER
        };
        io::complete(irp, status, 0)
    }
}
