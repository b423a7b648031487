//! An interface of the translator: its configuration, its sessions, and the lock over both.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::address::Address;
use crate::config::Configuration;
use crate::mapping::{Id, MappingTable, Session};
use crate::os::{self, AtDispatch, Locked, SpinLock};
use crate::pool::Leases;
use crate::preserve::{self, PreservationTable};
use crate::session::Timeouts;

/// The counters of `IP_NAT_INTERFACE_STATISTICS` (MS-RRASM 2.2.1.2.185); forward is outbound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Statistics {
    /// Bytes of translated packets, outbound and inbound.
    pub bytes: [u64; 2],
    /// Translated packets.
    pub packets: [u64; 2],
    /// Packets dropped.
    pub rejects: [u64; 2],
}

/// What the interface lock protects. All-zero bytes are an interface that translates nothing.
#[repr(C)]
pub struct State {
    /// As the last `IOCTL_NAT_SET_INTERFACE_INFO` left it.
    pub configuration: Configuration,
    /// Changes whenever a preserved address may have been taken from its host.
    pub generation: u32,
    /// The preserved addresses, or null before the first configuration with preservation.
    pub preservation: *mut PreservationTable,
    /// Counters.
    pub statistics: Statistics,
    /// Sessions on each address of the pool.
    pub leases: Leases,
    /// The sessions.
    pub mappings: MappingTable,
}

impl State {
    /// Removes a session and what it held.
    pub fn close(&mut self, id: Id) {
        let session = self.mappings.remove(id);
        if let Some(number) = self.configuration.pool.number_of(session.public.address) {
            self.leases.give_back(number);
        }
    }

    /// Removes the sessions for which `keep` says no.
    pub fn close_unless(&mut self, keep: impl Fn(&Session) -> bool) {
        let State {
            configuration,
            leases,
            mappings,
            ..
        } = self;
        mappings.retain(keep, |session| {
            if let Some(number) = configuration.pool.number_of(session.public.address) {
                leases.give_back(number);
            }
        });
    }
}

/// An interface. Made by [`Interface::create`], freed when its last reference is gone.
#[repr(C)]
pub struct Interface {
    /// Next in the list of interfaces, which has its own lock.
    pub next: *mut Interface,
    references: AtomicU32,
    /// The stack's interface index.
    pub index: u32,
    /// The interface's own public address.
    pub address: Address,
    state: SpinLock<State>,
}

impl Interface {
    /// Allocates an interface with one reference; null if there is no memory.
    pub fn create(index: u32, address: Address) -> *mut Interface {
        let interface = os::allocate(size_of::<Interface>(), b"NatI").cast::<Interface>();
        if !interface.is_null() {
            // Every part of an interface is made so that all-zero bytes are its first state.
            unsafe {
                interface.write_bytes(0, 1);
                (*interface).references = AtomicU32::new(1);
                (*interface).index = index;
                (*interface).address = address;
            }
        }
        interface
    }

    /// Takes the interface lock.
    #[inline(always)]
    pub fn lock<'a>(&'a self, at: &'a AtDispatch) -> Locked<'a, State> {
        self.state.lock(at)
    }

    /// Counts another reference.
    pub fn reference(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// Drops a reference; the last one frees the interface and its table.
    ///
    /// # Safety
    /// The caller has a reference and uses it no more.
    pub unsafe fn dereference(interface: *mut Interface) {
        unsafe {
            if (*interface).references.fetch_sub(1, Ordering::AcqRel) == 1 {
                // Who walks the table has a reference to the interface: there is no walker left.
                let table = (*interface).state.get_mut().preservation;
                if !table.is_null() {
                    preserve::leave(table);
                }
                os::free(interface.cast());
            }
        }
    }

    /// Sets a new configuration. Sessions that it still allows stay, and so do preserved addresses
    /// that are still in the pool. Callers are one at a time.
    ///
    /// # Errors
    /// There is no memory for a preservation table: the interface goes on without preservation.
    pub fn configure(&self, mut configuration: Configuration) -> Result<(), NoMemory> {
        configuration.complete(self.address);
        self.replace_configuration(&configuration);
        self.ensure_table()
    }

    fn replace_configuration(&self, configuration: &Configuration) {
        let at = AtDispatch::raise();
        let state = &mut *self.lock(&at);
        let allowed = |session: &Session| configuration.allows(session);
        state.mappings.retain(allowed, |_| ());
        state.leases.clear();
        let mut from = 0;
        while let Some((id, next)) = state.mappings.next(from) {
            let session = state.mappings.session(id);
            if let Some(number) = configuration.pool.number_of(session.public.address) {
                state.leases.take(number, session.private.address);
            }
            from = next;
        }
        state.configuration = *configuration;
        state.generation = state.generation.wrapping_add(1);
        if !state.preservation.is_null() {
            // Also when preservation is off now: it may come back, and finds its hosts again.
            unsafe { preserve::rebase(state.preservation, configuration, os::ticks()) };
        }
    }

    /// Makes the preservation table if the configuration asks for one and there is none. Callers
    /// are one at a time.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn ensure_table(&self) -> Result<(), NoMemory> {
        let configuration = {
            let at = AtDispatch::raise();
            let state = self.lock(&at);
            if !state.configuration.preserves() || !state.preservation.is_null() {
                return Ok(());
            }
            state.configuration
        };
        let table = preserve::create(&configuration, os::ticks());
        if table.is_null() {
            return Err(NoMemory);
        }
        let at = AtDispatch::raise();
        let mut state = self.lock(&at);
        state.generation = state.generation.wrapping_add(1);
        state.preservation = table;
        Ok(())
    }

    /// Ends sessions that were idle for too long.
    pub fn expire(&self, timeouts: &Timeouts, at: &AtDispatch) {
        let now = os::ticks();
        let per_second = os::ticks_per_second();
        self.lock(at).close_unless(|session| {
            let idle = now.wrapping_sub(session.last_use) / per_second;
            idle < timeouts.lifetime(session.protocol, session.tcp)
        });
    }
}

/// There is no nonpaged pool left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;
