//! Address resolution (RFC 826): a small cache, and one frame kept while a question is open.
//!
//! Entries do not age; a reply or a request of the host in question overwrites them.

use core::ptr::null_mut;

use nt::global::Global;
use nt::spin::{KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLockFromDpcLevel};
use nt::types::KSPIN_LOCK;

use crate::ipr::{self, Chain};
use crate::link::adapter::Interface;
use crate::link::frame::{self, Frame};
use crate::link::packet;
use crate::wire::*;

const ENTRIES: usize = 32;
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const ETHERNET: u16 = 1;

/// What is known of one neighbour.
#[derive(Clone, Copy)]
struct Entry {
    /// Null for a free entry.
    interface: *mut Interface,
    address: u32,
    mac: Mac,
    resolved: bool,
    /// The latest frame for a neighbour that has not answered (RFC 1122, 2.3.2.2).
    waiting: *mut Frame,
}

const FREE: Entry = Entry {
    interface: null_mut(),
    address: 0,
    mac: [0; 6],
    resolved: false,
    waiting: null_mut(),
};

struct Cache {
    lock: KSPIN_LOCK,
    entries: [Entry; ENTRIES],
    /// The entry to be given up next when all are taken.
    oldest: usize,
}

static CACHE: Global<Cache> = Global::new(Cache {
    lock: 0,
    entries: [FREE; ENTRIES],
    oldest: 0,
});

/// Sends an IP datagram to the neighbour that its frame names, at once or when that neighbour's
/// address is known. IRQL DISPATCH.
pub unsafe fn send(frame: *mut Frame) {
    unsafe {
        let cache = CACHE.get();
        let (interface, next_hop) = ((*frame).interface, (*frame).next_hop);
        KeAcquireSpinLockAtDpcLevel(&raw mut (*cache).lock);
        let found = find(cache, interface, next_hop);
        if !found.is_null() && (*found).resolved {
            let mac = (*found).mac;
            KeReleaseSpinLockFromDpcLevel(&raw mut (*cache).lock);
            return frame::transmit(frame, mac, ETHERTYPE_IP);
        }
        let entry = if found.is_null() {
            oldest(cache)
        } else {
            found
        };
        let lost = (*entry).waiting;
        *entry = Entry {
            interface,
            address: next_hop,
            waiting: frame,
            ..FREE
        };
        KeReleaseSpinLockFromDpcLevel(&raw mut (*cache).lock);
        frame::free(lost);
        message(interface, REQUEST, next_hop, [0; 6], BROADCAST);
    }
}

/// An ARP message came in. The chain is this function's.
pub unsafe fn receive(interface: *mut Interface, chain: Chain) {
    unsafe {
        let arrived = ipr::peek::<Arp>(chain, 0);
        packet::free(chain);
        let Some(arp) = arrived else { return };
        if arp.hardware.get() != ETHERNET
            || arp.protocol.get() != ETHERTYPE_IP
            || arp.lengths != [6, 4]
        {
            return;
        }
        let for_us = arp.target.get() == (*interface).address;
        let sender = arp.sender.get();
        let waiting = learn(interface, sender, arp.sender_mac, for_us);
        if !waiting.is_null() {
            frame::transmit(waiting, arp.sender_mac, ETHERTYPE_IP);
        }
        if for_us && arp.operation.get() == REQUEST {
            message(interface, REPLY, sender, arp.sender_mac, arp.sender_mac);
        }
    }
}

/// Frees the frames that still wait; nothing comes in any more. IRQL PASSIVE.
#[unsafe(link_section = "PAGE")]
#[inline(never)]
pub unsafe fn clear() {
    unsafe {
        let cache = CACHE.get();
        for i in 0..ENTRIES {
            let entry = place(cache, i);
            frame::free((*entry).waiting);
            *entry = FREE;
        }
    }
}

/// Notes where a neighbour is; a new one only if it talked to us. Gives the frame that waited.
unsafe fn learn(interface: *mut Interface, address: u32, mac: Mac, for_us: bool) -> *mut Frame {
    unsafe {
        let cache = CACHE.get();
        KeAcquireSpinLockAtDpcLevel(&raw mut (*cache).lock);
        let (mut waiting, mut lost) = (null_mut(), null_mut());
        let mut entry = find(cache, interface, address);
        if !entry.is_null() {
            waiting = (*entry).waiting;
        } else if for_us && address != 0 {
            entry = oldest(cache);
            lost = (*entry).waiting;
        }
        if !entry.is_null() {
            *entry = Entry {
                interface,
                address,
                mac,
                resolved: true,
                waiting: null_mut(),
            };
        }
        KeReleaseSpinLockFromDpcLevel(&raw mut (*cache).lock);
        frame::free(lost);
        waiting
    }
}

unsafe fn find(cache: *mut Cache, interface: *mut Interface, address: u32) -> *mut Entry {
    unsafe {
        for i in 0..ENTRIES {
            let entry = place(cache, i);
            if (*entry).interface == interface && (*entry).address == address {
                return entry;
            }
        }
    }
    null_mut()
}

/// The entry with a number below [`ENTRIES`].
unsafe fn place(cache: *mut Cache, number: usize) -> *mut Entry {
    unsafe { (&raw mut (*cache).entries).cast::<Entry>().add(number) }
}

/// The entry to be given to another neighbour.
unsafe fn oldest(cache: *mut Cache) -> *mut Entry {
    unsafe {
        let entry = place(cache, (*cache).oldest);
        (*cache).oldest = ((*cache).oldest + 1) % ENTRIES;
        entry
    }
}

unsafe fn message(
    interface: *mut Interface,
    operation: u16,
    target: u32,
    target_mac: Mac,
    to: Mac,
) {
    unsafe {
        let frame = frame::allocate(size_of::<Arp>() as u32);
        if frame.is_null() {
            return;
        }
        frame::payload(frame).cast::<Arp>().write(Arp {
            hardware: ETHERNET.into(),
            protocol: ETHERTYPE_IP.into(),
            lengths: [6, 4],
            operation: operation.into(),
            sender_mac: (*interface).mac,
            sender: (*interface).address.into(),
            target_mac,
            target: target.into(),
        });
        (*frame).interface = interface;
        frame::transmit(frame, to, ETHERTYPE_ARP);
    }
}
