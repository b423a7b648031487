//! The interfaces: one per adapter named in the registry.

use core::ptr::{null, null_mut};

use nt::global::Global;
use nt::ke::{KeInitializeEvent, NotificationEvent, wait};
use nt::ndis::*;
use nt::status::{STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
use nt::types::*;

use crate::config::{self, AdapterSettings};
use crate::wire::Mac;

/// At most this many adapters are bound.
pub const INTERFACES_MAX: usize = 8;

/// An adapter that IP is bound to.
#[repr(C)]
pub struct Interface {
    /// NDIS's handle of the binding, null until it is open.
    pub binding: NDIS_HANDLE,
    /// The number by which hooks know it; 1 is the loopback that this driver does not have.
    pub index: u32,
    /// Its link address.
    pub mac: Mac,
    /// Its address and what its subnet has in common, in host byte order.
    pub address: u32,
    /// The subnet mask, in host byte order.
    pub mask: u32,
    /// The default gateway behind it, in host byte order; 0 for none.
    pub gateway: u32,
    /// Ends the wait for a pending NDIS operation.
    done: KEVENT,
    /// How the pending operation ended.
    status: NDIS_STATUS,
}

/// The bound interfaces, in the order of the registry.
#[repr(C)]
struct Interfaces {
    count: usize,
    all: [Interface; INTERFACES_MAX],
}

static INTERFACES: Global<Interfaces> = Global::new(unsafe { core::mem::zeroed() });

/// The interfaces that are open. They come and go only in `DriverEntry` and in the unload routine.
pub fn all() -> impl Iterator<Item = *mut Interface> {
    let interfaces = INTERFACES.get();
    (0..unsafe { (*interfaces).count }).map(move |number| unsafe { place(interfaces, number) })
}

/// The interface with a number below [`INTERFACES_MAX`].
unsafe fn place(interfaces: *mut Interfaces, number: usize) -> *mut Interface {
    unsafe { (&raw mut (*interfaces).all).cast::<Interface>().add(number) }
}

/// Binds every adapter of the linkage key that can be bound; one that cannot is left out, as a
/// missing network card must not keep the others from working.
#[unsafe(link_section = "INIT")]
#[inline(never)]
pub unsafe fn open_all(protocol: NDIS_HANDLE) -> NTSTATUS {
    unsafe {
        let interfaces = INTERFACES.get();
        config::for_each_adapter(|device, settings| {
            if (*interfaces).count < INTERFACES_MAX {
                let interface = place(interfaces, (*interfaces).count);
                (*interface).index = (*interfaces).count as u32 + 2;
                if open(protocol, interface, device, &settings) == STATUS_SUCCESS {
                    (*interfaces).count += 1;
                    start(interface);
                }
            }
        });
        if (*interfaces).count == 0 {
            STATUS_UNSUCCESSFUL
        } else {
            STATUS_SUCCESS
        }
    }
}

/// Ends all bindings. IRQL PASSIVE.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn close_all() {
    unsafe {
        for interface in all() {
            KeInitializeEvent(&raw mut (*interface).done, NotificationEvent, 0);
            let mut status = NDIS_STATUS_SUCCESS;
            NdisCloseAdapter(&mut status, (*interface).binding);
            settled(interface, status);
        }
        (*INTERFACES.get()).count = 0;
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn open(
    protocol: NDIS_HANDLE,
    interface: *mut Interface,
    device: &UNICODE_STRING,
    settings: &AdapterSettings,
) -> NDIS_STATUS {
    unsafe {
        (*interface).address = settings.address;
        (*interface).mask = settings.mask;
        (*interface).gateway = settings.gateway;
        KeInitializeEvent(&raw mut (*interface).done, NotificationEvent, 0);
        let (mut status, mut error, mut medium) = (NDIS_STATUS_SUCCESS, NDIS_STATUS_SUCCESS, 0);
        NdisOpenAdapter(
            &mut status,
            &mut error,
            &raw mut (*interface).binding,
            &mut medium,
            &NdisMedium802_3,
            1,
            protocol,
            interface.cast(),
            device,
            0,
            null(),
        );
        status = settled(interface, status);
        if status != NDIS_STATUS_SUCCESS {
            return status;
        }
        let mac = (&raw mut (*interface).mac).cast();
        status = request(
            interface,
            NdisRequestQueryInformation,
            OID_802_3_CURRENT_ADDRESS,
            mac,
            6,
        );
        if status != NDIS_STATUS_SUCCESS {
            NdisCloseAdapter(&mut status, (*interface).binding);
            settled(interface, status);
            return NDIS_STATUS_FAILURE;
        }
        NDIS_STATUS_SUCCESS
    }
}

/// Asks the adapter for frames: from here on indications come.
#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn start(interface: *mut Interface) {
    let mut filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
    unsafe {
        request(
            interface,
            NdisRequestSetInformation,
            OID_GEN_CURRENT_PACKET_FILTER,
            (&raw mut filter).cast(),
            4,
        );
    }
}

#[unsafe(link_section = "INIT")]
#[inline(never)]
unsafe fn request(
    interface: *mut Interface,
    kind: i32,
    oid: u32,
    buffer: *mut c_void,
    length: u32,
) -> NDIS_STATUS {
    unsafe {
        let mut request = NDIS_REQUEST {
            MacReserved: [null_mut(); 4],
            RequestType: kind,
            Data: NDIS_REQUEST_DATA {
                Oid: oid,
                InformationBuffer: buffer,
                InformationBufferLength: length,
                BytesDone: 0,
                BytesNeeded: 0,
            },
            NdisReserved: [null_mut(); 16],
        };
        KeInitializeEvent(&raw mut (*interface).done, NotificationEvent, 0);
        let mut status = NDIS_STATUS_SUCCESS;
        NdisRequest(&mut status, (*interface).binding, &mut request);
        settled(interface, status)
    }
}

/// The final status of an NDIS operation that gave `status` at once.
unsafe fn settled(interface: *mut Interface, status: NDIS_STATUS) -> NDIS_STATUS {
    if status != NDIS_STATUS_PENDING {
        return status;
    }
    unsafe {
        wait(&raw mut (*interface).done);
        (*interface).status
    }
}

/// A pending operation on an interface ended.
pub unsafe fn operation_complete(interface: *mut Interface, status: NDIS_STATUS) {
    unsafe {
        (*interface).status = status;
        nt::ke::KeSetEvent(&raw mut (*interface).done, 0, 0);
    }
}
