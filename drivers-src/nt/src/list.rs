//! Doubly linked lists with a head, which the DDK inlines.

use core::ptr::{addr_of_mut, null_mut};

use crate::types::LIST_ENTRY;

/// An entry, or a head, that is in no list yet.
pub const UNLINKED: LIST_ENTRY = LIST_ENTRY {
    Flink: null_mut(),
    Blink: null_mut(),
};

/// Makes `head` an empty list.
#[inline(always)]
pub unsafe fn InitializeListHead(head: *mut LIST_ENTRY) {
    unsafe {
        (*head).Flink = head;
        (*head).Blink = head;
    }
}

/// Whether the list has no entry.
#[inline(always)]
pub unsafe fn IsListEmpty(head: *const LIST_ENTRY) -> bool {
    unsafe { core::ptr::eq((*head).Flink, head) }
}

/// Appends `entry`.
#[inline(always)]
pub unsafe fn InsertTailList(head: *mut LIST_ENTRY, entry: *mut LIST_ENTRY) {
    unsafe {
        let last = (*head).Blink;
        (*entry).Flink = head;
        (*entry).Blink = last;
        (*last).Flink = entry;
        (*head).Blink = entry;
    }
}

/// Prepends `entry`.
#[inline(always)]
pub unsafe fn InsertHeadList(head: *mut LIST_ENTRY, entry: *mut LIST_ENTRY) {
    unsafe {
        let first = (*head).Flink;
        (*entry).Flink = first;
        (*entry).Blink = head;
        (*first).Blink = entry;
        (*head).Flink = entry;
    }
}

/// Takes `entry` out of its list.
#[inline(always)]
pub unsafe fn RemoveEntryList(entry: *mut LIST_ENTRY) {
    unsafe {
        let (next, previous) = ((*entry).Flink, (*entry).Blink);
        (*previous).Flink = next;
        (*next).Blink = previous;
    }
}

/// Takes the first entry; the list must not be empty.
#[inline(always)]
pub unsafe fn RemoveHeadList(head: *mut LIST_ENTRY) -> *mut LIST_ENTRY {
    unsafe {
        let entry = addr_of_mut!(*(*head).Flink);
        RemoveEntryList(entry);
        entry
    }
}
