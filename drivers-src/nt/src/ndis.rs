//! NDIS 4.0 from the side of a protocol, after the public `ndis.h`.
//!
//! An `NDIS_BUFFER` is an MDL. The layout of `NDIS_PACKET` is public because protocols reach into
//! it by macros, which are the inline functions here.

use crate::types::*;

/// An opaque handle of NDIS, the miniport or the protocol.
pub type NDIS_HANDLE = *mut c_void;
/// An NDIS status; the same numbers as `NTSTATUS` where both have one.
pub type NDIS_STATUS = i32;

/// `NDIS_STATUS_SUCCESS`
pub const NDIS_STATUS_SUCCESS: NDIS_STATUS = 0;
/// `NDIS_STATUS_PENDING`
pub const NDIS_STATUS_PENDING: NDIS_STATUS = 0x103;
/// `NDIS_STATUS_NOT_ACCEPTED`
pub const NDIS_STATUS_NOT_ACCEPTED: NDIS_STATUS = 0x0001_0003;
/// `NDIS_STATUS_RESOURCES`
pub const NDIS_STATUS_RESOURCES: NDIS_STATUS = 0xC000_009A_u32 as NDIS_STATUS;
/// `NDIS_STATUS_FAILURE`
pub const NDIS_STATUS_FAILURE: NDIS_STATUS = 0xC000_0001_u32 as NDIS_STATUS;

/// `NdisMedium802_3`
pub const NdisMedium802_3: i32 = 0;
/// `OID_GEN_CURRENT_PACKET_FILTER`
pub const OID_GEN_CURRENT_PACKET_FILTER: u32 = 0x0001_010E;
/// `OID_802_3_CURRENT_ADDRESS`
pub const OID_802_3_CURRENT_ADDRESS: u32 = 0x0101_0102;
/// `NDIS_PACKET_TYPE_DIRECTED`
pub const NDIS_PACKET_TYPE_DIRECTED: u32 = 0x1;
/// `NDIS_PACKET_TYPE_BROADCAST`
pub const NDIS_PACKET_TYPE_BROADCAST: u32 = 0x8;

/// `NdisRequestQueryInformation`
pub const NdisRequestQueryInformation: i32 = 0;
/// `NdisRequestSetInformation`
pub const NdisRequestSetInformation: i32 = 1;

/// The part of a packet descriptor that NDIS keeps.
#[repr(C)]
pub struct NDIS_PACKET_PRIVATE {
    /// Number of physical pieces.
    pub PhysicalCount: u32,
    /// Bytes in all buffers.
    pub TotalLength: u32,
    /// First buffer.
    pub Head: *mut MDL,
    /// Last buffer.
    pub Tail: *mut MDL,
    /// The pool it is from.
    pub Pool: *mut c_void,
    /// Number of buffers.
    pub Count: u32,
    /// Flags of the protocol.
    pub Flags: u32,
    /// Whether the counts above hold.
    pub ValidCounts: u8,
    /// Flags of NDIS.
    pub NdisPacketFlags: u8,
    /// Offset of [`NDIS_PACKET_OOB_DATA`] from the descriptor, in bytes.
    pub NdisPacketOobOffset: u16,
}

/// A packet descriptor; what the protocol reserved for itself follows.
#[repr(C)]
pub struct NDIS_PACKET {
    /// NDIS's part.
    pub Private: NDIS_PACKET_PRIVATE,
    /// The miniport's and the wrapper's.
    pub MacReserved: [*mut c_void; 4],
    /// Unused.
    pub Reserved: [usize; 2],
}

/// Out-of-band data of a packet.
#[repr(C)]
pub struct NDIS_PACKET_OOB_DATA {
    /// When to send, or when sent.
    pub TimeToSend: u64,
    /// When received.
    pub TimeReceived: u64,
    /// Bytes of link header in front of a received packet.
    pub HeaderSize: u32,
    /// Bytes of media information.
    pub SizeMediaSpecificInfo: u32,
    /// Media information.
    pub MediaSpecificInformation: *mut c_void,
    /// `NDIS_STATUS_RESOURCES` on a received packet: the miniport wants it back at once.
    pub Status: NDIS_STATUS,
}

/// The query and set members of the union in [`NDIS_REQUEST`], which are alike. A structure of its
/// own because the union is aligned as its pointers are.
#[repr(C)]
pub struct NDIS_REQUEST_DATA {
    /// What is asked.
    pub Oid: u32,
    /// Where the answer goes, or where the value is.
    pub InformationBuffer: *mut c_void,
    /// Its length.
    pub InformationBufferLength: u32,
    /// Bytes written (query) or read (set).
    pub BytesDone: u32,
    /// Bytes that would have been needed.
    pub BytesNeeded: u32,
}

/// A request to the miniport. The tail is room for NDIS.
#[repr(C)]
pub struct NDIS_REQUEST {
    /// For the miniport.
    pub MacReserved: [*mut c_void; 4],
    /// [`NdisRequestQueryInformation`] or [`NdisRequestSetInformation`].
    pub RequestType: i32,
    /// What is asked, and the answer.
    pub Data: NDIS_REQUEST_DATA,
    /// For NDIS.
    pub NdisReserved: [*mut c_void; 16],
}

/// The handlers of a protocol driver, `NDIS40_PROTOCOL_CHARACTERISTICS`. All are stdcall on x86.
#[repr(C)]
pub struct NDIS40_PROTOCOL_CHARACTERISTICS {
    /// 4.
    pub MajorNdisVersion: u8,
    /// 0.
    pub MinorNdisVersion: u8,
    /// 0.
    pub Reserved: u32,
    /// A pending [`NdisOpenAdapter`] ended.
    pub OpenAdapterCompleteHandler:
        unsafe extern "system" fn(binding: NDIS_HANDLE, status: NDIS_STATUS, error: NDIS_STATUS),
    /// A pending [`NdisCloseAdapter`] ended.
    pub CloseAdapterCompleteHandler:
        unsafe extern "system" fn(binding: NDIS_HANDLE, status: NDIS_STATUS),
    /// A pending [`NdisSend`] ended; the packet is the protocol's again. IRQL <= DISPATCH.
    pub SendCompleteHandler: unsafe extern "system" fn(
        binding: NDIS_HANDLE,
        packet: *mut NDIS_PACKET,
        status: NDIS_STATUS,
    ),
    /// A pending [`NdisTransferData`] ended.
    pub TransferDataCompleteHandler: unsafe extern "system" fn(
        binding: NDIS_HANDLE,
        packet: *mut NDIS_PACKET,
        status: NDIS_STATUS,
        transferred: u32,
    ),
    /// A reset of the adapter ended.
    pub ResetCompleteHandler: unsafe extern "system" fn(binding: NDIS_HANDLE, status: NDIS_STATUS),
    /// A pending [`NdisRequest`] ended.
    pub RequestCompleteHandler: unsafe extern "system" fn(
        binding: NDIS_HANDLE,
        request: *mut NDIS_REQUEST,
        status: NDIS_STATUS,
    ),
    /// A frame from a miniport that does not give packets: link header, the first bytes of the
    /// payload, and the length of the whole payload. IRQL DISPATCH.
    pub ReceiveHandler: unsafe extern "system" fn(
        binding: NDIS_HANDLE,
        mac_context: NDIS_HANDLE,
        header: *const u8,
        header_length: u32,
        lookahead: *const u8,
        lookahead_length: u32,
        packet_length: u32,
    ) -> NDIS_STATUS,
    /// A batch of indications ended.
    pub ReceiveCompleteHandler: unsafe extern "system" fn(binding: NDIS_HANDLE),
    /// The adapter's state changed.
    pub StatusHandler: unsafe extern "system" fn(
        binding: NDIS_HANDLE,
        status: NDIS_STATUS,
        buffer: *mut c_void,
        length: u32,
    ),
    /// A batch of status indications ended.
    pub StatusCompleteHandler: unsafe extern "system" fn(binding: NDIS_HANDLE),
    /// The protocol's name, its service key.
    pub Name: UNICODE_STRING,
    /// A frame as a packet. The result is the number of [`NdisReturnPackets`] calls that will
    /// give it back, 0 if the protocol is done with it. IRQL DISPATCH.
    pub ReceivePacketHandler:
        Option<unsafe extern "system" fn(binding: NDIS_HANDLE, packet: *mut NDIS_PACKET) -> i32>,
    /// An adapter appeared; none for a protocol that binds by itself.
    pub BindAdapterHandler: Option<unsafe extern "system" fn()>,
    /// An adapter goes.
    pub UnbindAdapterHandler: Option<unsafe extern "system" fn()>,
    /// Unused.
    pub TranslateHandler: Option<unsafe extern "system" fn()>,
    /// Unused.
    pub UnloadHandler: Option<unsafe extern "system" fn()>,
}

import! { "ndis.sys" "system"
    /// Registers a protocol driver. IRQL PASSIVE.
    fn NdisRegisterProtocol(
        Status: *mut NDIS_STATUS, Protocol: *mut NDIS_HANDLE,
        Characteristics: *mut NDIS40_PROTOCOL_CHARACTERISTICS, Length: u32,
    );
    /// Takes the registration back; all bindings are closed. IRQL PASSIVE.
    fn NdisDeregisterProtocol(Status: *mut NDIS_STATUS, Protocol: NDIS_HANDLE);
    /// Binds to an adapter by name. IRQL PASSIVE.
    fn NdisOpenAdapter(
        Status: *mut NDIS_STATUS, OpenError: *mut NDIS_STATUS, Binding: *mut NDIS_HANDLE,
        SelectedMedium: *mut u32, Media: *const i32, MediaCount: u32, Protocol: NDIS_HANDLE,
        ProtocolBindingContext: NDIS_HANDLE, AdapterName: *const UNICODE_STRING, Options: u32,
        AddressingInformation: *const c_void,
    );
    /// Ends a binding. IRQL PASSIVE.
    fn NdisCloseAdapter(Status: *mut NDIS_STATUS, Binding: NDIS_HANDLE);
    /// Asks the miniport.
    fn NdisRequest(Status: *mut NDIS_STATUS, Binding: NDIS_HANDLE, Request: *mut NDIS_REQUEST);

    /// Makes a pool of packet descriptors, each with room for the protocol.
    fn NdisAllocatePacketPool(
        Status: *mut NDIS_STATUS, Pool: *mut NDIS_HANDLE, Count: u32, ProtocolReserved: u32,
    );
    /// Frees an empty pool.
    fn NdisFreePacketPool(Pool: NDIS_HANDLE);
    /// Takes a packet descriptor. IRQL <= DISPATCH.
    fn NdisAllocatePacket(Status: *mut NDIS_STATUS, Packet: *mut *mut NDIS_PACKET, Pool: NDIS_HANDLE);
    /// Gives a packet descriptor back.
    fn NdisFreePacket(Packet: *mut NDIS_PACKET);
    /// Makes a pool of buffer descriptors.
    fn NdisAllocateBufferPool(Status: *mut NDIS_STATUS, Pool: *mut NDIS_HANDLE, Count: u32);
    /// Frees an empty pool.
    fn NdisFreeBufferPool(Pool: NDIS_HANDLE);
    /// Describes bytes in nonpaged memory. IRQL <= DISPATCH.
    fn NdisAllocateBuffer(
        Status: *mut NDIS_STATUS, Buffer: *mut *mut MDL, Pool: NDIS_HANDLE, Address: *mut c_void,
        Length: u32,
    );
    /// Gives a buffer descriptor back.
    fn NdisFreeBuffer(Buffer: *mut MDL);
    /// The address and length of a buffer.
    fn NdisQueryBuffer(Buffer: *mut MDL, Address: *mut *mut c_void, Length: *mut u32);

    /// Sends a packet; unless the status is pending the packet is the protocol's again.
    /// IRQL <= DISPATCH.
    fn NdisSend(Status: *mut NDIS_STATUS, Binding: NDIS_HANDLE, Packet: *mut NDIS_PACKET);
    /// Copies the rest of an indicated frame into a packet's buffers. IRQL DISPATCH.
    fn NdisTransferData(
        Status: *mut NDIS_STATUS, Binding: NDIS_HANDLE, MacContext: NDIS_HANDLE, Offset: u32,
        Count: u32, Packet: *mut NDIS_PACKET, Transferred: *mut u32,
    );
    /// Gives received packets back to their miniports. IRQL <= DISPATCH, any processor, also
    /// before the receive handler that kept them has returned.
    fn NdisReturnPackets(Packets: *mut *mut NDIS_PACKET, Count: u32);
}

/// `NDIS_OOB_DATA_FROM_PACKET`
#[inline(always)]
pub unsafe fn oob_data(packet: *mut NDIS_PACKET) -> *mut NDIS_PACKET_OOB_DATA {
    unsafe {
        let offset = usize::from((*packet).Private.NdisPacketOobOffset);
        packet.cast::<u8>().add(offset).cast()
    }
}

/// The protocol's room in a packet descriptor of its own.
#[inline(always)]
pub unsafe fn protocol_reserved<T>(packet: *mut NDIS_PACKET) -> *mut T {
    unsafe { packet.add(1).cast() }
}

/// `NdisChainBufferAtFront`, for a descriptor without buffers.
pub unsafe fn chain_only_buffer(packet: *mut NDIS_PACKET, buffer: *mut MDL) {
    unsafe {
        (*buffer).Next = core::ptr::null_mut();
        (*packet).Private.Head = buffer;
        (*packet).Private.Tail = buffer;
        (*packet).Private.ValidCounts = 0;
    }
}
