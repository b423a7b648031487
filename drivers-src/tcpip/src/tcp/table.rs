//! The connection table: from the ends of a connection to its object.

use core::ptr::null_mut;

use nt::global::Global;
use nt::list::*;
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::types::*;

use super::connection::Connection;
use super::tuple::Tuple;
use crate::seq::before;
use nt::rundown;

const BUCKETS: usize = 16;
/// Handshakes whose SYN is being worked on at the same time.
const OPENING_MAX: usize = 16;

/// What the table keeps in a connection. It is the connection's first field.
#[repr(C)]
pub struct TableEntry {
    link: LIST_ENTRY,
    tuple: Tuple,
    linked: bool,
    /// The last walk that met this connection.
    walk: u32,
}

struct Table {
    /// The innermost lock: nothing else is taken while it is held.
    lock: KSPIN_LOCK,
    buckets: [LIST_ENTRY; BUCKETS],
    /// Ends for which a SYN is being worked on by some processor.
    opening: [Tuple; OPENING_MAX],
}

static TABLE: Global<Table> = Global::new(unsafe { core::mem::zeroed() });

/// No connection has port 0 on either side: such a tuple marks a free place.
const NO_TUPLE: Tuple = Tuple {
    local: 0,
    remote: 0,
    local_port: 0,
    remote_port: 0,
};

/// Makes an empty table.
pub unsafe fn initialize() {
    unsafe {
        for i in 0..BUCKETS {
            InitializeListHead(&raw mut (*TABLE.get()).buckets[i]);
        }
    }
}

/// The connection between two ends, its use counted; null if there is none. IRQL DISPATCH.
pub unsafe fn find(tuple: &Tuple) -> *mut Connection {
    unsafe {
        lock();
        let connection = search(tuple);
        if !connection.is_null() {
            rundown::acquire(&raw mut (*connection).users);
        }
        unlock();
        connection
    }
}

/// Claims two ends for a connection to be opened; `false` if they have one, or if another
/// processor is about to open it, or if too many are being opened. IRQL DISPATCH.
pub unsafe fn claim(tuple: &Tuple) -> bool {
    unsafe {
        let table = TABLE.get();
        lock();
        let mut place = None;
        let mut taken = !search(tuple).is_null();
        for i in 0..OPENING_MAX {
            let opening = (*table).opening[i];
            taken |= opening == *tuple;
            if opening == NO_TUPLE {
                place = Some(i);
            }
        }
        let claimed = match place {
            Some(i) if !taken => {
                (*table).opening[i] = *tuple;
                true
            }
            _ => false,
        };
        unlock();
        claimed
    }
}

/// Ends a claim; the connection is in the table now, or will not be.
pub unsafe fn unclaim(tuple: &Tuple) {
    unsafe {
        let table = TABLE.get();
        lock();
        for i in 0..OPENING_MAX {
            if (*table).opening[i] == *tuple {
                (*table).opening[i] = NO_TUPLE;
            }
        }
        unlock();
    }
}

/// Puts a connection into the table. IRQL DISPATCH.
pub unsafe fn insert(connection: *mut Connection, tuple: &Tuple) {
    unsafe {
        lock();
        let entry = &raw mut (*connection).entry;
        (*entry).tuple = *tuple;
        (*entry).linked = true;
        rundown::acquire(&raw mut (*connection).users);
        InsertTailList(bucket(tuple), &raw mut (*entry).link);
        unlock();
    }
}

/// Takes a connection out of the table if it is there. IRQL DISPATCH; the caller uses it.
pub unsafe fn remove(connection: *mut Connection) {
    unsafe {
        lock();
        let entry = &raw mut (*connection).entry;
        let linked = core::mem::replace(&mut (*entry).linked, false);
        if linked {
            RemoveEntryList(&raw mut (*entry).link);
        }
        unlock();
        if linked {
            rundown::release(&raw mut (*connection).users);
        }
    }
}

/// A connection that no walk with this or a later number has met yet, its use counted; null at the end.
pub unsafe fn next_of_walk(walk: u32) -> *mut Connection {
    unsafe {
        lock();
        let mut found: *mut Connection = null_mut();
        for i in 0..BUCKETS {
            let head = &raw mut (*TABLE.get()).buckets[i];
            let mut link = (*head).Flink;
            while link != head && found.is_null() {
                let entry: *mut TableEntry = link.cast();
                if before((*entry).walk, walk) {
                    (*entry).walk = walk;
                    found = entry.cast();
                    rundown::acquire(&raw mut (*found).users);
                }
                link = (*link).Flink;
            }
        }
        unlock();
        found
    }
}

unsafe fn search(tuple: &Tuple) -> *mut Connection {
    unsafe {
        let head = bucket(tuple);
        let mut link = (*head).Flink;
        while link != head {
            let entry: *mut TableEntry = link.cast();
            if (*entry).tuple == *tuple {
                return entry.cast();
            }
            link = (*link).Flink;
        }
    }
    null_mut()
}

fn bucket(tuple: &Tuple) -> *mut LIST_ENTRY {
    let hash = tuple.remote ^ u32::from(tuple.remote_port) ^ u32::from(tuple.local_port);
    let hash = (hash ^ hash >> 16 ^ hash >> 8) as usize % BUCKETS;
    unsafe { &raw mut (*TABLE.get()).buckets[hash] }
}

unsafe fn lock() {
    unsafe { KeAcquireSpinLockAtDpcLevel(&raw mut (*TABLE.get()).lock) }
}

unsafe fn unlock() {
    unsafe { KeReleaseSpinLockFromDpcLevel(&raw mut (*TABLE.get()).lock) }
}
