//! The driver as a protocol of NDIS: frames go to the case that was begun last.

use core::ptr::{null, null_mut};

use nt::global::Global;
use nt::ndis::*;
use nt::rtl::unicode;
use nt::status::STATUS_UNSUCCESSFUL;
use nt::types::*;
use nt::wide;

use crate::Case;

/// Bytes of an Ethernet header.
const HEADER: usize = 14;
/// The first frame type for local experiments (IEEE 802): case, number, length of the data, data.
const EXPERIMENT: [u8; 2] = [0x88, 0xB5];

/// A received frame.
pub struct Frame<'a> {
    /// Its packet.
    pub packet: *mut NDIS_PACKET,
    /// All its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The payload of a frame for experiments.
    pub fn payload(&self) -> Option<&'a [u8]> {
        let payload = self.bytes.get(HEADER..)?;
        (self.bytes[12..HEADER] == EXPERIMENT).then_some(payload)
    }

    /// Sequence number and data of a TCP segment with data over IPv4.
    pub fn segment(&self) -> Option<(u32, &'a [u8])> {
        let ip = self.bytes.get(HEADER..)?;
        if self.bytes[12..HEADER] != [8, 0] || *ip.get(9)? != 6 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = ip.get(usize::from(ip[0] & 0xF) * 4..length)?;
        let sequence = tcp.get(4..8)?;
        let data = tcp.get(usize::from(*tcp.get(12)? >> 4) * 4..)?;
        let sequence = [sequence[0], sequence[1], sequence[2], sequence[3]];
        (!data.is_empty()).then_some((u32::from_be_bytes(sequence), data))
    }
}

struct Handles {
    protocol: NDIS_HANDLE,
    binding: NDIS_HANDLE,
    case: *const Case,
}

static HANDLES: Global<Handles> = Global::new(Handles {
    protocol: null_mut(),
    binding: null_mut(),
    case: null(),
});

static CHARACTERISTICS: Global<NDIS40_PROTOCOL_CHARACTERISTICS> =
    Global::new(NDIS40_PROTOCOL_CHARACTERISTICS {
        MajorNdisVersion: 4,
        MinorNdisVersion: 0,
        Reserved: 0,
        OpenAdapterCompleteHandler: open_complete,
        CloseAdapterCompleteHandler: closed,
        SendCompleteHandler: sent,
        TransferDataCompleteHandler: transferred,
        ResetCompleteHandler: closed,
        RequestCompleteHandler: request_complete,
        ReceiveHandler: receive,
        ReceiveCompleteHandler: receive_complete,
        StatusHandler: status,
        StatusCompleteHandler: receive_complete_status,
        Name: unicode(wide!("FAULTS")),
        ReceivePacketHandler: Some(receive_packet),
        BindAdapterHandler: None,
        UnbindAdapterHandler: None,
        TranslateHandler: None,
        UnloadHandler: None,
    });

/// Frames go to this case from now on.
pub unsafe fn listen(case: &'static Case) {
    unsafe { (*HANDLES.get()).case = case };
}

/// Registers with NDIS and binds the adapter.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn register() -> NTSTATUS {
    unsafe {
        let handles = HANDLES.get();
        let (mut status, mut error, mut medium) = (NDIS_STATUS_SUCCESS, NDIS_STATUS_SUCCESS, 0);
        NdisRegisterProtocol(
            &mut status,
            &raw mut (*handles).protocol,
            CHARACTERISTICS.get(),
            size_of::<NDIS40_PROTOCOL_CHARACTERISTICS>() as u32,
        );
        if status != NDIS_STATUS_SUCCESS {
            return status;
        }
        let adapter = unicode(wide!("\\Device\\Faults0"));
        NdisOpenAdapter(
            &mut status,
            &mut error,
            &raw mut (*handles).binding,
            &mut medium,
            &NdisMedium802_3,
            1,
            (*handles).protocol,
            null_mut(),
            &adapter,
            0,
            null(),
        );
        if status != NDIS_STATUS_SUCCESS {
            return STATUS_UNSUCCESSFUL;
        }
        let mut filter = NDIS_PACKET_TYPE_DIRECTED;
        let mut request = NDIS_REQUEST {
            MacReserved: [null_mut(); 4],
            RequestType: NdisRequestSetInformation,
            Data: NDIS_REQUEST_DATA {
                Oid: OID_GEN_CURRENT_PACKET_FILTER,
                InformationBuffer: (&raw mut filter).cast(),
                InformationBufferLength: 4,
                BytesDone: 0,
                BytesNeeded: 0,
            },
            NdisReserved: [null_mut(); 16],
        };
        NdisRequest(&mut status, (*handles).binding, &mut request);
        status
    }
}

/// Takes that back. IRQL PASSIVE.
pub unsafe fn deregister() {
    unsafe {
        let handles = HANDLES.get();
        let mut status = NDIS_STATUS_SUCCESS;
        NdisCloseAdapter(&mut status, (*handles).binding);
        NdisDeregisterProtocol(&mut status, (*handles).protocol);
    }
}

unsafe extern "system" fn receive_packet(_: NDIS_HANDLE, packet: *mut NDIS_PACKET) -> i32 {
    unsafe {
        let case = (*HANDLES.get()).case;
        if case.is_null() {
            return 0;
        }
        let (mut address, mut length) = (null_mut(), 0);
        NdisQueryBuffer((*packet).Private.Head, &mut address, &mut length);
        let bytes = core::slice::from_raw_parts(address.cast::<u8>(), length as usize);
        ((*case).receive)(&Frame { packet, bytes })
    }
}

unsafe extern "system" fn receive_complete(_: NDIS_HANDLE) {
    unsafe { crate::net_burst::batch_ended() };
}

// The adapter gives whole packets, opens and closes at once, and this driver sends nothing.
unsafe extern "system" fn receive(
    _: NDIS_HANDLE,
    _: NDIS_HANDLE,
    _: *const u8,
    _: u32,
    _: *const u8,
    _: u32,
    _: u32,
) -> NDIS_STATUS {
    NDIS_STATUS_NOT_ACCEPTED
}
unsafe extern "system" fn open_complete(_: NDIS_HANDLE, _: NDIS_STATUS, _: NDIS_STATUS) {}
unsafe extern "system" fn closed(_: NDIS_HANDLE, _: NDIS_STATUS) {}
unsafe extern "system" fn sent(_: NDIS_HANDLE, _: *mut NDIS_PACKET, _: NDIS_STATUS) {}
unsafe extern "system" fn transferred(_: NDIS_HANDLE, _: *mut NDIS_PACKET, _: NDIS_STATUS, _: u32) {
}
unsafe extern "system" fn request_complete(_: NDIS_HANDLE, _: *mut NDIS_REQUEST, _: NDIS_STATUS) {}
unsafe extern "system" fn status(_: NDIS_HANDLE, _: NDIS_STATUS, _: *mut c_void, _: u32) {}
unsafe extern "system" fn receive_complete_status(_: NDIS_HANDLE) {}
