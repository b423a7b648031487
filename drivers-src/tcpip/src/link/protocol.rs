//! tcpip as a protocol driver of NDIS 4.0: registration and handlers.

use core::ptr::null_mut;

use nt::global::Global;
use nt::ndis::*;
use nt::rtl::unicode;
use nt::types::*;
use nt::wide;

use super::adapter::{self, operation_complete};
use super::{frame, receive};

/// What NDIS gave us.
struct Handles {
    protocol: NDIS_HANDLE,
    packets: NDIS_HANDLE,
    buffers: NDIS_HANDLE,
}

static HANDLES: Global<Handles> = Global::new(Handles {
    protocol: null_mut(),
    packets: null_mut(),
    buffers: null_mut(),
});

/// What NDIS gets to know of this driver.
static CHARACTERISTICS: Global<NDIS40_PROTOCOL_CHARACTERISTICS> =
    Global::new(NDIS40_PROTOCOL_CHARACTERISTICS {
        MajorNdisVersion: 4,
        MinorNdisVersion: 0,
        Reserved: 0,
        OpenAdapterCompleteHandler: open_adapter_complete,
        CloseAdapterCompleteHandler: close_adapter_complete,
        SendCompleteHandler: frame::send_complete,
        TransferDataCompleteHandler: receive::transfer_data_complete,
        ResetCompleteHandler: reset_complete,
        RequestCompleteHandler: request_complete,
        ReceiveHandler: receive::receive,
        ReceiveCompleteHandler: receive_complete,
        StatusHandler: status,
        StatusCompleteHandler: status_complete,
        Name: unicode(wide!("TCPIP")),
        ReceivePacketHandler: Some(receive::receive_packet),
        BindAdapterHandler: None,
        UnbindAdapterHandler: None,
        TranslateHandler: None,
        UnloadHandler: None,
    });

/// Frames that can be on their way out at once.
const FRAMES_MAX: u32 = 128;

/// The pool of packet descriptors.
pub fn packets() -> NDIS_HANDLE {
    unsafe { (*HANDLES.get()).packets }
}

/// The pool of buffer descriptors.
pub fn buffers() -> NDIS_HANDLE {
    unsafe { (*HANDLES.get()).buffers }
}

/// Makes the descriptor pools, registers with NDIS and binds the adapters.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn register() -> NTSTATUS {
    unsafe {
        let handles = HANDLES.get();
        let mut status = NDIS_STATUS_SUCCESS;
        let reserved = size_of::<*mut frame::Frame>() as u32;
        NdisAllocatePacketPool(
            &mut status,
            &raw mut (*handles).packets,
            FRAMES_MAX,
            reserved,
        );
        if status == NDIS_STATUS_SUCCESS {
            NdisAllocateBufferPool(&mut status, &raw mut (*handles).buffers, FRAMES_MAX);
        }
        if status == NDIS_STATUS_SUCCESS {
            NdisRegisterProtocol(
                &mut status,
                &raw mut (*handles).protocol,
                CHARACTERISTICS.get(),
                size_of::<NDIS40_PROTOCOL_CHARACTERISTICS>() as u32,
            );
        }
        if status == NDIS_STATUS_SUCCESS {
            status = adapter::open_all((*handles).protocol);
        }
        if status != NDIS_STATUS_SUCCESS {
            deregister();
        }
        status
    }
}

/// Takes back what [`register`] did, as far as it came. IRQL PASSIVE.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn deregister() {
    unsafe {
        let handles = HANDLES.get();
        adapter::close_all();
        if !(*handles).protocol.is_null() {
            let mut status = NDIS_STATUS_SUCCESS;
            NdisDeregisterProtocol(&mut status, (*handles).protocol);
        }
        if !(*handles).buffers.is_null() {
            NdisFreeBufferPool((*handles).buffers);
        }
        if !(*handles).packets.is_null() {
            NdisFreePacketPool((*handles).packets);
        }
    }
}

unsafe extern "system" fn open_adapter_complete(
    binding: NDIS_HANDLE,
    status: NDIS_STATUS,
    _error: NDIS_STATUS,
) {
    unsafe { operation_complete(binding.cast(), status) }
}

unsafe extern "system" fn close_adapter_complete(binding: NDIS_HANDLE, status: NDIS_STATUS) {
    unsafe { operation_complete(binding.cast(), status) }
}

unsafe extern "system" fn request_complete(
    binding: NDIS_HANDLE,
    _request: *mut NDIS_REQUEST,
    status: NDIS_STATUS,
) {
    unsafe { operation_complete(binding.cast(), status) }
}

// This driver never resets an adapter.
unsafe extern "system" fn reset_complete(_binding: NDIS_HANDLE, _status: NDIS_STATUS) {}

// Every frame is handled when it is indicated; there is no batch to end.
unsafe extern "system" fn receive_complete(_binding: NDIS_HANDLE) {}

// A lost link shows as silence, which the timers of TCP notice.
unsafe extern "system" fn status(
    _binding: NDIS_HANDLE,
    _status: NDIS_STATUS,
    _buffer: *mut c_void,
    _length: u32,
) {
}

unsafe extern "system" fn status_complete(_binding: NDIS_HANDLE) {}
