//! Address objects: an IP address and port that clients listen on, and their event handlers.

use core::ptr::null_mut;

use nt::ex;
use nt::global::Global;
use nt::list::*;
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::tdi::event;
use nt::types::*;

use crate::tcp::connection::Connection;
use nt::rundown::{self, Rundown};

const TAG: u32 = tag(b"TcpA");
/// Ports that are given out when a client leaves the choice to the transport.
const DYNAMIC_PORTS: core::ops::RangeInclusive<u16> = 1025..=5000;

/// An event handler and its context; null for none.
#[derive(Clone, Copy)]
pub struct Handler {
    /// The client's routine.
    pub routine: *mut c_void,
    /// Handed to it.
    pub context: *mut c_void,
}

const NO_HANDLER: Handler = Handler {
    routine: null_mut(),
    context: null_mut(),
};

/// An open address.
#[repr(C)]
pub struct Address {
    link: LIST_ENTRY,
    /// Who uses the object, the file being the first.
    pub users: Rundown,
    address: u32,
    port: u16,
    listed: bool,
    /// Guards what follows. Nothing else is taken while it is held.
    lock: KSPIN_LOCK,
    handlers: [Handler; event::COUNT],
    connections: LIST_ENTRY,
}

struct Addresses {
    /// Guards the list. Nothing else is taken while it is held.
    lock: KSPIN_LOCK,
    list: LIST_ENTRY,
}

static ADDRESSES: Global<Addresses> = Global::new(unsafe { core::mem::zeroed() });

/// Makes an empty list.
pub unsafe fn initialize() {
    unsafe { InitializeListHead(&raw mut (*ADDRESSES.get()).list) }
}

/// Why an address could not be opened.
pub enum Refusal {
    /// Somebody has it, or no port is left.
    InUse,
    /// There is no memory.
    NoMemory,
}

/// Opens an address; `address` 0 is any of this machine, `port` 0 one that is free. IRQL DISPATCH.
///
/// # Errors
/// A [`Refusal`].
pub unsafe fn open(address: u32, port: u16) -> Result<*mut Address, Refusal> {
    unsafe {
        let object: *mut Address = ex::allocate_zeroed(TAG);
        if object.is_null() {
            return Err(Refusal::NoMemory);
        }
        rundown::initialize(&raw mut (*object).users);
        InitializeListHead(&raw mut (*object).connections);
        (*object).handlers = [NO_HANDLER; event::COUNT];
        (*object).address = address;

        let addresses = ADDRESSES.get();
        lock(&raw mut (*addresses).lock);
        let free = |port| search(address, port).is_null();
        let chosen = match port {
            0 => DYNAMIC_PORTS.into_iter().find(|&port| free(port)),
            port => Some(port).filter(|&port| free(port)),
        };
        if let Some(port) = chosen {
            (*object).port = port;
            (*object).listed = true;
            InsertTailList(&raw mut (*addresses).list, &raw mut (*object).link);
        }
        unlock(&raw mut (*addresses).lock);
        if chosen.is_none() {
            ex::free(object);
            return Err(Refusal::InUse);
        }
        Ok(object)
    }
}

/// The last handle of an address is gone: no connection comes in for it any more. IRQL DISPATCH.
pub unsafe fn cleanup(address: *mut Address) {
    unsafe {
        let addresses = ADDRESSES.get();
        lock(&raw mut (*addresses).lock);
        if core::mem::replace(&mut (*address).listed, false) {
            RemoveEntryList(&raw mut (*address).link);
        }
        unlock(&raw mut (*addresses).lock);
    }
}

/// The last reference to an address's file is gone. IRQL PASSIVE.
pub unsafe fn close(address: *mut Address) {
    unsafe {
        rundown::finish(&raw mut (*address).users);
        ex::free(address);
    }
}

/// The address that takes connections for this place, its use counted; null if there is none.
pub unsafe fn find(address: u32, port: u16) -> *mut Address {
    unsafe {
        let addresses = ADDRESSES.get();
        lock(&raw mut (*addresses).lock);
        let found = search(address, port);
        if !found.is_null() {
            rundown::acquire(&raw mut (*found).users);
        }
        unlock(&raw mut (*addresses).lock);
        found
    }
}

/// Sets or, with a null routine, removes an event handler; `false` for an unknown event.
pub unsafe fn set_handler(address: *mut Address, kind: i32, handler: Handler) -> bool {
    unsafe {
        let Some(place) = place(address, kind) else {
            return false;
        };
        lock(&raw mut (*address).lock);
        *place = handler;
        unlock(&raw mut (*address).lock);
        true
    }
}

/// An event handler, if there is one.
pub unsafe fn handler(address: *mut Address, kind: i32) -> Option<Handler> {
    unsafe {
        let place = place(address, kind)?;
        lock(&raw mut (*address).lock);
        let handler = *place;
        unlock(&raw mut (*address).lock);
        (!handler.routine.is_null()).then_some(handler)
    }
}

/// Puts a connection to those of an address.
pub unsafe fn associate(address: *mut Address, connection: *mut Connection) {
    unsafe {
        lock(&raw mut (*address).lock);
        InsertTailList(
            &raw mut (*address).connections,
            &raw mut (*connection).address_link,
        );
        unlock(&raw mut (*address).lock);
    }
}

/// Takes a connection from those of an address.
pub unsafe fn disassociate(address: *mut Address, connection: *mut Connection) {
    unsafe {
        lock(&raw mut (*address).lock);
        RemoveEntryList(&raw mut (*connection).address_link);
        unlock(&raw mut (*address).lock);
    }
}

/// The connection behind `after` among those of an address, or the first if that is null, its use
/// counted and that of `after` ended; null at the end. A connection that leaves the address
/// meanwhile may end the walk early.
pub unsafe fn next_connection(address: *mut Address, after: *mut Connection) -> *mut Connection {
    unsafe {
        let head = &raw mut (*address).connections;
        lock(&raw mut (*address).lock);
        let link = if after.is_null() {
            (*head).Flink
        } else {
            (*after).address_link.Flink
        };
        let mut next: *mut Connection = null_mut();
        if link != head && !link.is_null() {
            next = link
                .byte_sub(core::mem::offset_of!(Connection, address_link))
                .cast();
            rundown::acquire(&raw mut (*next).users);
        }
        unlock(&raw mut (*address).lock);
        if !after.is_null() {
            rundown::release(&raw mut (*after).users);
        }
        next
    }
}

unsafe fn place(address: *mut Address, kind: i32) -> Option<*mut Handler> {
    let kind = usize::try_from(kind)
        .ok()
        .filter(|&kind| kind < event::COUNT)?;
    Some(unsafe { (&raw mut (*address).handlers).cast::<Handler>().add(kind) })
}

/// The listed address for a place. The list's lock is held.
unsafe fn search(address: u32, port: u16) -> *mut Address {
    unsafe {
        let head = &raw mut (*ADDRESSES.get()).list;
        let mut link = (*head).Flink;
        while link != head {
            let found: *mut Address = link.cast();
            let any = (*found).address == 0 || address == 0;
            if (*found).port == port && (any || (*found).address == address) {
                return found;
            }
            link = (*link).Flink;
        }
    }
    null_mut()
}

unsafe fn lock(lock: *mut KSPIN_LOCK) {
    unsafe { KeAcquireSpinLockAtDpcLevel(lock) }
}

unsafe fn unlock(lock: *mut KSPIN_LOCK) {
    unsafe { KeReleaseSpinLockFromDpcLevel(lock) }
}
