//! The transport driver interface, from `tdi.h` and `tdikrnl.h`.
//!
//! Everything here is data: a client talks to a transport in IRPs only.

use crate::io;
use crate::types::*;

/// Minor functions of `IRP_MJ_INTERNAL_DEVICE_CONTROL`.
pub mod minor {
    /// `TDI_ASSOCIATE_ADDRESS`
    pub const ASSOCIATE_ADDRESS: u8 = 0x01;
    /// `TDI_DISASSOCIATE_ADDRESS`
    pub const DISASSOCIATE_ADDRESS: u8 = 0x02;
    /// `TDI_CONNECT`
    pub const CONNECT: u8 = 0x03;
    /// `TDI_LISTEN`
    pub const LISTEN: u8 = 0x04;
    /// `TDI_ACCEPT`
    pub const ACCEPT: u8 = 0x05;
    /// `TDI_DISCONNECT`
    pub const DISCONNECT: u8 = 0x06;
    /// `TDI_SEND`
    pub const SEND: u8 = 0x07;
    /// `TDI_RECEIVE`
    pub const RECEIVE: u8 = 0x08;
    /// `TDI_SET_EVENT_HANDLER`
    pub const SET_EVENT_HANDLER: u8 = 0x0B;
}

/// Event types of [`TDI_REQUEST_KERNEL_SET_EVENT`].
pub mod event {
    /// `TDI_EVENT_CONNECT`
    pub const CONNECT: i32 = 0;
    /// `TDI_EVENT_DISCONNECT`
    pub const DISCONNECT: i32 = 1;
    /// `TDI_EVENT_ERROR`
    pub const ERROR: i32 = 2;
    /// `TDI_EVENT_RECEIVE`
    pub const RECEIVE: i32 = 3;
    /// `TDI_EVENT_RECEIVE_EXPEDITED`
    pub const RECEIVE_EXPEDITED: i32 = 5;
    /// The number of event types.
    pub const COUNT: usize = 11;
}

/// `TDI_TRANSPORT_ADDRESS_FILE`, in `FILE_OBJECT.FsContext2`.
pub const TDI_TRANSPORT_ADDRESS_FILE: usize = 1;
/// `TDI_CONNECTION_FILE`
pub const TDI_CONNECTION_FILE: usize = 2;
/// `TDI_CONTROL_CHANNEL_FILE`
pub const TDI_CONTROL_CHANNEL_FILE: usize = 3;

/// The extended attribute that opens an address: its value is a [`TA_IP_ADDRESS`].
pub const TdiTransportAddress: &[u8; 16] = b"TransportAddress";
/// The extended attribute that opens a connection: its value is the client's context pointer.
pub const TdiConnectionContext: &[u8; 17] = b"ConnectionContext";

/// `TDI_SEND_EXPEDITED`
pub const TDI_SEND_EXPEDITED: u32 = 0x0020;
/// `TDI_RECEIVE_NORMAL`
pub const TDI_RECEIVE_NORMAL: u32 = 0x0020;
/// `TDI_RECEIVE_EXPEDITED`
pub const TDI_RECEIVE_EXPEDITED: u32 = 0x0040;
/// `TDI_RECEIVE_COPY_LOOKAHEAD`
pub const TDI_RECEIVE_COPY_LOOKAHEAD: u32 = 0x0200;
/// `TDI_RECEIVE_ENTIRE_MESSAGE`
pub const TDI_RECEIVE_ENTIRE_MESSAGE: u32 = 0x0400;
/// `TDI_RECEIVE_AT_DISPATCH_LEVEL`
pub const TDI_RECEIVE_AT_DISPATCH_LEVEL: u32 = 0x0800;
/// `TDI_DISCONNECT_ABORT`
pub const TDI_DISCONNECT_ABORT: u32 = 0x0002;
/// `TDI_DISCONNECT_RELEASE`
pub const TDI_DISCONNECT_RELEASE: u32 = 0x0004;

/// `TDI_ADDRESS_TYPE_IP`
pub const TDI_ADDRESS_TYPE_IP: u16 = 2;
/// The length of an IP address in a transport address: port, address, padding.
pub const TDI_ADDRESS_LENGTH_IP: u16 = 14;

/// A transport address with one IP address. Packed as the DDK has it.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct TA_IP_ADDRESS {
    /// 1.
    pub TAAddressCount: i32,
    /// [`TDI_ADDRESS_LENGTH_IP`].
    pub AddressLength: u16,
    /// [`TDI_ADDRESS_TYPE_IP`].
    pub AddressType: u16,
    /// Port, in network byte order.
    pub sin_port: u16,
    /// Address, in network byte order.
    pub in_addr: u32,
    /// Zero.
    pub sin_zero: [u8; 8],
}

const _: () = assert!(size_of::<TA_IP_ADDRESS>() == 22);

impl TA_IP_ADDRESS {
    /// An address from its parts, both in network byte order.
    pub const fn new(address: u32, port: u16) -> Self {
        TA_IP_ADDRESS {
            TAAddressCount: 1,
            AddressLength: TDI_ADDRESS_LENGTH_IP,
            AddressType: TDI_ADDRESS_TYPE_IP,
            sin_port: port,
            in_addr: address,
            sin_zero: [0; 8],
        }
    }
}

/// The fixed part of an extended attribute; name, terminator and value follow.
#[repr(C)]
pub struct FILE_FULL_EA_INFORMATION {
    /// Offset of the next attribute, 0 at the end.
    pub NextEntryOffset: u32,
    /// 0.
    pub Flags: u8,
    /// Length of the name without its terminator.
    pub EaNameLength: u8,
    /// Length of the value.
    pub EaValueLength: u16,
}

/// The offset of `EaName` in an extended attribute.
pub const EA_NAME_OFFSET: usize = size_of::<FILE_FULL_EA_INFORMATION>();

/// Addresses and options that go with a connection request.
#[repr(C)]
pub struct TDI_CONNECTION_INFORMATION {
    /// Length of the user data.
    pub UserDataLength: i32,
    /// User data.
    pub UserData: *mut c_void,
    /// Length of the options.
    pub OptionsLength: i32,
    /// Options.
    pub Options: *mut c_void,
    /// Length of the remote address.
    pub RemoteAddressLength: i32,
    /// The remote address, a transport address.
    pub RemoteAddress: *mut c_void,
}

/// Parameters of LISTEN, CONNECT and DISCONNECT.
#[repr(C)]
pub struct TDI_REQUEST_KERNEL {
    /// `TDI_DISCONNECT_` flags for DISCONNECT.
    pub RequestFlags: usize,
    /// What the client asks.
    pub RequestConnectionInformation: *mut TDI_CONNECTION_INFORMATION,
    /// What the transport answers.
    pub ReturnConnectionInformation: *mut TDI_CONNECTION_INFORMATION,
    /// A timeout, or null.
    pub RequestSpecific: *mut c_void,
}

/// Parameters of ASSOCIATE_ADDRESS.
#[repr(C)]
pub struct TDI_REQUEST_KERNEL_ASSOCIATE {
    /// An open address.
    pub AddressHandle: HANDLE,
}

/// Parameters of SET_EVENT_HANDLER.
#[repr(C)]
pub struct TDI_REQUEST_KERNEL_SET_EVENT {
    /// One of [`event`].
    pub EventType: i32,
    /// The handler, or null for none.
    pub EventHandler: *mut c_void,
    /// Handed to the handler.
    pub EventContext: *mut c_void,
}

/// Parameters of SEND; the data is the IRP's MDL chain.
#[repr(C)]
pub struct TDI_REQUEST_KERNEL_SEND {
    /// Bytes to send.
    pub SendLength: u32,
    /// `TDI_SEND_` flags.
    pub SendFlags: u32,
}

/// Parameters of RECEIVE; the room is the IRP's MDL chain.
#[repr(C)]
pub struct TDI_REQUEST_KERNEL_RECEIVE {
    /// Bytes wanted at most.
    pub ReceiveLength: u32,
    /// `TDI_RECEIVE_` flags.
    pub ReceiveFlags: u32,
}

/// `ClientEventConnect`: a peer wants a connection. The client names one of its connections by
/// its context and answers with an ACCEPT request and `STATUS_MORE_PROCESSING_REQUIRED`, or
/// refuses with `STATUS_CONNECTION_REFUSED`. IRQL DISPATCH.
pub type IND_CONNECT = unsafe extern "system" fn(
    TdiEventContext: *mut c_void,
    RemoteAddressLength: i32,
    RemoteAddress: *mut c_void,
    UserDataLength: i32,
    UserData: *mut c_void,
    OptionsLength: i32,
    Options: *mut c_void,
    ConnectionContext: *mut *mut c_void,
    AcceptIrp: *mut *mut IRP,
) -> NTSTATUS;

/// `ClientEventDisconnect`: the peer ends (RELEASE) or breaks (ABORT) the connection.
/// IRQL DISPATCH.
pub type IND_DISCONNECT = unsafe extern "system" fn(
    TdiEventContext: *mut c_void,
    ConnectionContext: *mut c_void,
    DisconnectDataLength: i32,
    DisconnectData: *mut c_void,
    DisconnectInformationLength: i32,
    DisconnectInformation: *mut c_void,
    DisconnectFlags: u32,
) -> NTSTATUS;

/// `ClientEventReceive` and `ClientEventReceiveExpedited`: data is there. `Tsdu` points at
/// `BytesIndicated` of the `BytesAvailable` bytes. IRQL DISPATCH.
///
/// The client takes some (`STATUS_SUCCESS`, `BytesTaken`), or none (`STATUS_DATA_NOT_ACCEPTED`),
/// or takes and hands over a RECEIVE request for the rest (`STATUS_MORE_PROCESSING_REQUIRED`).
pub type IND_RECEIVE = unsafe extern "system" fn(
    TdiEventContext: *mut c_void,
    ConnectionContext: *mut c_void,
    ReceiveFlags: u32,
    BytesIndicated: u32,
    BytesAvailable: u32,
    BytesTaken: *mut u32,
    Tsdu: *mut c_void,
    IoRequestPacket: *mut *mut IRP,
) -> NTSTATUS;

/// The common part of the `TdiBuild...` macros: the next stack location of `irp` becomes an
/// internal request for `file`; gives where its parameters go.
pub unsafe fn build<T>(
    irp: *mut IRP,
    file: *mut FILE_OBJECT,
    device: *mut DEVICE_OBJECT,
    minor: u8,
) -> *mut T {
    unsafe {
        let stack = io::next_stack(irp);
        (*stack).MajorFunction = io::IRP_MJ_INTERNAL_DEVICE_CONTROL;
        (*stack).MinorFunction = minor;
        (*stack).FileObject = file;
        (*stack).DeviceObject = device;
        io::parameters(stack)
    }
}

/// Sends an internal request that has no data and waits for its end. IRQL PASSIVE.
pub unsafe fn request<T>(
    file: *mut FILE_OBJECT,
    device: *mut DEVICE_OBJECT,
    minor: u8,
    parameters: T,
) -> NTSTATUS {
    use crate::ke::{KeInitializeEvent, NotificationEvent, wait};
    use crate::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_PENDING};

    // The code is not looked at: the minor function says what is asked.
    const TDI_REQUEST: u32 = 3;
    unsafe {
        let mut event: KEVENT = core::mem::zeroed();
        let mut result: IO_STATUS_BLOCK = core::mem::zeroed();
        KeInitializeEvent(&mut event, NotificationEvent, 0);
        let irp = io::IoBuildDeviceIoControlRequest(
            TDI_REQUEST,
            device,
            core::ptr::null_mut(),
            0,
            core::ptr::null_mut(),
            0,
            1,
            &mut event,
            &mut result,
        );
        if irp.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        build::<T>(irp, file, device, minor).write(parameters);
        let status = io::IofCallDriver(device, irp);
        if status != STATUS_PENDING {
            return status;
        }
        wait(&mut event);
        result.Anonymous.Status
    }
}
