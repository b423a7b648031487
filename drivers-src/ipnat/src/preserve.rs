//! IP preservation: the table of an interface that holds one public address for each private host.
//!
//! What the word means is an assumption (see the crate documentation): a sticky 1:1 binding, held
//! while the host is idle and while the interface is configured anew, so that all sessions of a
//! host leave from the same address (RFC 4787 REQ-2, paired pooling). Reserved addresses
//! (`IP_NAT_ADDRESS_MAPPING`) stand in the same table and outrank sticky ones.
//!
//! The table has a slot for every address of the pool and is one block of nonpaged pool. It is
//! **written only under the interface lock**. The data path asks it for every outbound packet, and
//! a walk over a large pool is long, so it is **read without the lock**: slots are never moved and
//! each field is one aligned word, so a walker meets at worst a binding that is just changing. The
//! interface's generation tells: it changes whenever bindings are taken away, and a walker that
//! finds it changed walks again.
//!
//! That leaves the life of the table itself. A walker counts as a user of it while it walks, and
//! the last user frees it. (The defect of article 931322 is that it does not count: with the
//! feature `buggy` the walk goes on in a table that a reset has already freed.)

use core::sync::atomic::{AtomicU32, Ordering};

use crate::address::Address;
use crate::config::Configuration;
use crate::interface::{Interface, State};
use crate::os::{self, AtDispatch, Locked};
use crate::pool::POOL_MAX;

/// Walks without the lock before one is made with it.
const WALKS_MAX: u32 = 3;

/// What a slot holds.
mod kind {
    /// No host: the address may be given to one.
    pub const FREE: u32 = 0;
    /// A host that was seen.
    pub const STICKY: u32 = 1;
    /// A host named by the configuration.
    pub const RESERVED: u32 = 2;
}

/// A public address and the host it is preserved for. Zero stands for none of either.
#[repr(C)]
struct Slot {
    private: AtomicU32,
    public: AtomicU32,
    kind: AtomicU32,
    /// Clock tick of the binding.
    since: AtomicU32,
}

impl Slot {
    fn set(&self, private: Address, public: Address, kind: u32, now: u32) {
        self.kind.store(kind, Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
        self.public.store(public.0, Ordering::Relaxed);
        // Last, so that who finds the host finds its address.
        self.private.store(private.0, Ordering::Release);
    }

    fn public(&self) -> Address {
        Address(self.public.load(Ordering::Relaxed))
    }

    fn is(&self, kind: u32) -> bool {
        self.kind.load(Ordering::Relaxed) == kind
    }
}

/// The table: its users, and the slots in use.
#[repr(C)]
pub struct PreservationTable {
    /// The interface's pointer to the table is one user, every walker another.
    users: AtomicU32,
    slots_in_use: AtomicU32,
    slots: [Slot; POOL_MAX],
}

// A reset replaces the table by a fresh one; a walker must notice on any page size.
const _: () = assert!(size_of::<PreservationTable>() > 16 * 1024);

/// Makes the table of a configuration: its reserved addresses bound, the others free. One user.
/// Null if there is no memory.
pub fn create(configuration: &Configuration, now: u32) -> *mut PreservationTable {
    let block = os::allocate(size_of::<PreservationTable>(), b"NatP");
    let table = block.cast::<PreservationTable>();
    if !table.is_null() {
        // Slots beyond `slots_in_use` are never read, so they stay as the pool gave them.
        unsafe {
            (*table).users = AtomicU32::new(1);
            (*table).slots_in_use = AtomicU32::new(0);
            for range in configuration.pool.ranges() {
                for address in range.first.0..=range.last.0 {
                    append(table, Address(address), now);
                }
            }
            bind_reserved(table, configuration, now);
        }
    }
    table
}

/// Adapts a table to a new configuration: bindings to addresses that are still in the pool stay,
/// unless the address is now reserved for another host.
///
/// # Safety
/// The table is valid and the caller holds the interface lock.
pub unsafe fn rebase(table: *mut PreservationTable, configuration: &Configuration, now: u32) {
    let pool = &configuration.pool;
    let mut present = [0u32; POOL_MAX / 32];
    for slot in unsafe { slots(table) } {
        match pool.number_of(slot.public()) {
            Some(number) => {
                present[number / 32] |= 1 << (number % 32);
                if slot.is(kind::RESERVED) {
                    slot.set(Address::UNSPECIFIED, slot.public(), kind::FREE, now);
                }
            }
            None => slot.set(Address::UNSPECIFIED, Address::UNSPECIFIED, kind::FREE, now),
        }
    }
    let mut from = 0;
    for number in 0..pool.len() {
        if present[number / 32] & 1 << (number % 32) != 0 {
            continue;
        }
        if let Some(address) = pool.nth(number) {
            from = unsafe { add(table, address, from, now) };
        }
    }
    unsafe { bind_reserved(table, configuration, now) };
}

/// Puts a pool address into the first vacant slot at or after `from`; gives the next one.
unsafe fn add(table: *mut PreservationTable, address: Address, from: usize, now: u32) -> usize {
    let used = unsafe { slots(table) };
    let vacant = |slot: &Slot| slot.public().is_unspecified();
    match used.iter().skip(from).position(vacant) {
        Some(distance) => {
            used[from + distance].set(Address::UNSPECIFIED, address, kind::FREE, now);
            from + distance + 1
        }
        None => {
            unsafe { append(table, address, now) };
            used.len() + 1
        }
    }
}

/// Puts a pool address into one slot more. There are as many slots as a pool may have addresses.
unsafe fn append(table: *mut PreservationTable, address: Address, now: u32) {
    unsafe {
        let used = (*table).slots_in_use.load(Ordering::Relaxed);
        if let Some(slot) = (*table).slots.get(used as usize) {
            slot.set(Address::UNSPECIFIED, address, kind::FREE, now);
            (*table).slots_in_use.store(used + 1, Ordering::Release);
        }
    }
}

/// Binds the reserved addresses. A host that has one needs no sticky one.
unsafe fn bind_reserved(table: *mut PreservationTable, configuration: &Configuration, now: u32) {
    for mapping in configuration.address_mappings() {
        for slot in unsafe { slots(table) } {
            let private = Address(slot.private.load(Ordering::Relaxed));
            if private == mapping.private && slot.is(kind::STICKY) {
                slot.set(Address::UNSPECIFIED, slot.public(), kind::FREE, now);
            }
            if slot.public() == mapping.public {
                slot.set(mapping.private, mapping.public, kind::RESERVED, now);
            }
        }
    }
}

/// The slots in use.
///
/// # Safety
/// The table is valid as long as the result lives.
unsafe fn slots<'a>(table: *const PreservationTable) -> &'a [Slot] {
    unsafe {
        let used = (*table).slots_in_use.load(Ordering::Acquire) as usize;
        &(&(*table).slots)[..used.min(POOL_MAX)]
    }
}

/// Locks the interface, and finds the address that is preserved for `host` if its configuration
/// asks for preservation. What is found holds as long as the lock is held.
pub fn lock_with_preserved<'a>(
    interface: &'a Interface,
    host: Address,
    at: &'a AtDispatch,
) -> (Locked<'a, State>, Option<Address>) {
    let mut state = interface.lock(at);
    for _ in 0..WALKS_MAX {
        if !state.configuration.preserves() || state.preservation.is_null() {
            return (state, None);
        }
        let generation = state.generation;
        let table = state.preservation;
        #[cfg(not(feature = "buggy"))]
        let walk = unsafe { Walk::begin(table) };
        drop(state);

        let found = unsafe { find_preserved_address(table, host) };
        #[cfg(not(feature = "buggy"))]
        drop(walk);

        state = interface.lock(at);
        if state.generation == generation {
            return (state, found);
        }
    }
    // The configuration changes faster than this processor walks: keep it still.
    let found = if state.configuration.preserves() && !state.preservation.is_null() {
        unsafe { find_preserved_address(state.preservation, host) }
    } else {
        None
    };
    (state, found)
}

/// The address preserved for a host. A reserved address outranks a sticky one, so the walk doesn't
/// end at the first slot of the host.
///
/// # Safety
/// The table stays allocated until the walk ends.
#[inline(never)]
pub unsafe fn find_preserved_address(
    table: *const PreservationTable,
    host: Address,
) -> Option<Address> {
    let mut sticky = None;
    let used = unsafe { (*table).slots_in_use.load(Ordering::Acquire) } as usize;
    for number in 0..used.min(POOL_MAX) {
        let slot = unsafe { &raw const (*table).slots[number] };
        if unsafe { (*slot).private.load(Ordering::Acquire) } == host.0 {
            let public = unsafe { (*slot).public() };
            if unsafe { (*slot).is(kind::RESERVED) } {
                return Some(public);
            }
            sticky = Some(public);
        }
    }
    sticky
}

/// Preserves a free address of the pool for a host that has none; gives the host's address, or
/// `None` if every address is taken. `fits` may refuse an address.
///
/// # Safety
/// The table is valid and the caller holds the interface lock.
pub unsafe fn bind(
    table: *mut PreservationTable,
    host: Address,
    now: u32,
    fits: impl Fn(Address) -> bool,
) -> Option<Address> {
    // Another processor may have bound the host since this one walked.
    if let Some(address) = unsafe { find_preserved_address(table, host) } {
        return Some(address);
    }
    let slot = unsafe { slots(table) }.iter().find(|slot| {
        slot.is(kind::FREE) && !slot.public().is_unspecified() && fits(slot.public())
    })?;
    slot.set(host, slot.public(), kind::STICKY, now);
    Some(slot.public())
}

/// Calls `each` with host, address and kind (1 sticky, 2 reserved) of every binding.
///
/// # Safety
/// The table is valid and the caller holds the interface lock.
pub unsafe fn for_each(
    table: *const PreservationTable,
    mut each: impl FnMut(Address, Address, u32),
) {
    for slot in unsafe { slots(table) } {
        let kind = slot.kind.load(Ordering::Relaxed);
        if kind != kind::FREE {
            let private = Address(slot.private.load(Ordering::Relaxed));
            each(private, slot.public(), kind);
        }
    }
}

/// A walk without the lock: keeps the table alive.
#[cfg(not(feature = "buggy"))]
struct Walk(*mut PreservationTable);

#[cfg(not(feature = "buggy"))]
impl Walk {
    /// Counts the walker.
    ///
    /// # Safety
    /// The caller holds the interface lock and found the table in the interface.
    unsafe fn begin(table: *mut PreservationTable) -> Walk {
        unsafe { (*table).users.fetch_add(1, Ordering::Relaxed) };
        Walk(table)
    }
}

#[cfg(not(feature = "buggy"))]
impl Drop for Walk {
    fn drop(&mut self) {
        unsafe { leave(self.0) };
    }
}

/// Ends one use of a table; the last user frees it.
///
/// # Safety
/// The caller is one of the users counted and touches the table no more.
pub unsafe fn leave(table: *mut PreservationTable) {
    unsafe {
        if (*table).users.fetch_sub(1, Ordering::AcqRel) == 1 {
            os::free(table.cast());
        }
    }
}
