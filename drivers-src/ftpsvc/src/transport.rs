//! Files of the transport: opening addresses and connections, requests on them. IRQL PASSIVE.

use core::ptr::{null, null_mut};

use nt::io::IoGetRelatedDeviceObject;
use nt::ps::{ObReferenceObjectByHandle, ObfDereferenceObject};
use nt::rtl::unicode;
use nt::status::NT_SUCCESS;
use nt::tdi::*;
use nt::types::*;
use nt::wide;
use nt::zw::*;

/// An open file of the transport.
#[repr(C)]
pub struct File {
    /// Its handle, of the system process.
    pub handle: HANDLE,
    /// Its object, referenced.
    pub object: *mut FILE_OBJECT,
    /// The device that its requests go to.
    pub device: *mut DEVICE_OBJECT,
}

/// Room for an attribute: header, name, terminator, value.
const ATTRIBUTE_MAX: usize = EA_NAME_OFFSET + 64;

/// Opens an address of this machine that takes connections from everywhere.
///
/// # Errors
/// The status of the open.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn open_address(port: u16) -> Result<File, NTSTATUS> {
    let address = TA_IP_ADDRESS::new(0, port.to_be());
    unsafe { open(TdiTransportAddress, &address) }
}

/// Opens a connection; `context` comes back in the event handlers.
///
/// # Errors
/// The status of the open.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn open_connection(context: *mut c_void) -> Result<File, NTSTATUS> {
    unsafe { open(TdiConnectionContext, &context) }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn open<T: Copy>(name: &[u8], value: &T) -> Result<File, NTSTATUS> {
    let (attribute, length) = attribute(name, value);
    let path = unicode(wide!("\\Device\\Tcp"));
    unsafe {
        let mut file = File {
            handle: null_mut(),
            object: null_mut(),
            device: null_mut(),
        };
        let mut result: IO_STATUS_BLOCK = core::mem::zeroed();
        let status = ZwCreateFile(
            &mut file.handle,
            READ_WRITE,
            &named(&path),
            &mut result,
            null(),
            FILE_ATTRIBUTE_NORMAL,
            FILE_SHARE_READ_WRITE,
            FILE_OPEN_IF,
            0,
            (&raw const attribute).cast_mut().cast(),
            length,
        );
        if !NT_SUCCESS(status) {
            return Err(status);
        }
        let mut object = null_mut();
        let status = ObReferenceObjectByHandle(
            file.handle,
            0,
            null_mut(),
            KernelMode,
            &mut object,
            null_mut(),
        );
        if !NT_SUCCESS(status) {
            ZwClose(file.handle);
            return Err(status);
        }
        file.object = object.cast();
        file.device = IoGetRelatedDeviceObject(file.object);
        Ok(file)
    }
}

/// Bytes aligned for a `FILE_FULL_EA_INFORMATION`.
#[repr(C, align(8))]
struct Attribute([u8; ATTRIBUTE_MAX]);

/// The extended attribute of that name and value, and its length.
#[unsafe(link_section = "INIT")]
#[inline(never)]
fn attribute<T: Copy>(name: &[u8], value: &T) -> (Attribute, u32) {
    let header = FILE_FULL_EA_INFORMATION {
        NextEntryOffset: 0,
        Flags: 0,
        EaNameLength: name.len() as u8,
        EaValueLength: size_of::<T>() as u16,
    };
    let mut attribute = Attribute([0; ATTRIBUTE_MAX]);
    let mut length = 0;
    for part in [bytes_of(&header), name, &[0], bytes_of(value)] {
        for (to, &byte) in attribute.0.iter_mut().skip(length).zip(part) {
            *to = byte;
        }
        length += part.len();
    }
    (attribute, length as u32)
}

fn bytes_of<T>(value: &T) -> &[u8] {
    unsafe { core::slice::from_raw_parts((&raw const *value).cast(), size_of::<T>()) }
}

/// Closes the handle of a file: what is under way on it is cancelled, and nothing new begins.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn close(file: &File) {
    unsafe { ZwClose(file.handle) };
}

/// Lets go of a closed file, on which nothing is under way any more.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn dereference(file: &File) {
    unsafe { ObfDereferenceObject(file.object.cast()) };
}

/// Makes the peers of a connection come to an address.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn associate(connection: &File, address: &File) -> NTSTATUS {
    let parameters = TDI_REQUEST_KERNEL_ASSOCIATE {
        AddressHandle: address.handle,
    };
    unsafe {
        request(
            connection.object,
            connection.device,
            minor::ASSOCIATE_ADDRESS,
            parameters,
        )
    }
}

/// Sets, or with null takes away, an event handler of an address.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn set_handler(address: &File, event: i32, handler: *mut c_void) -> NTSTATUS {
    let parameters = TDI_REQUEST_KERNEL_SET_EVENT {
        EventType: event,
        EventHandler: handler,
        EventContext: null_mut(),
    };
    unsafe {
        request(
            address.object,
            address.device,
            minor::SET_EVENT_HANDLER,
            parameters,
        )
    }
}
