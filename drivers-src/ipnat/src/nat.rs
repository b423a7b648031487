//! The translator as a whole: its interfaces and the settings they share.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::address::Address;
use crate::interface::Interface;
use crate::os::{AtDispatch, SpinLock};
use crate::session::Timeouts;

/// Interfaces and timeouts. There is one, [`NAT`]; tests make their own.
pub struct Nat {
    /// The first interface of a list. An interface in the list has one reference for that.
    first: SpinLock<*mut Interface>,
    tcp_timeout: AtomicU32,
    udp_timeout: AtomicU32,
}

// The list is reached through its lock only.
unsafe impl Sync for Nat {}

/// The translator of this driver.
pub static NAT: Nat = Nat::new();

/// Why an interface can't be created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreateError {
    /// There is one with this index.
    Exists,
    /// There is no nonpaged pool left.
    NoMemory,
}

impl Default for Nat {
    fn default() -> Nat {
        Nat::new()
    }
}

impl Nat {
    /// A translator without interfaces.
    pub const fn new() -> Nat {
        Nat {
            first: SpinLock::new(null_mut()),
            tcp_timeout: AtomicU32::new(Timeouts::DEFAULT.tcp),
            udp_timeout: AtomicU32::new(Timeouts::DEFAULT.udp),
        }
    }

    /// The interface with this index, referenced.
    pub fn find(&self, index: u32, at: &AtDispatch) -> Option<InterfaceRef> {
        let first = self.first.lock(at);
        let mut interface = *first;
        while !interface.is_null() {
            unsafe {
                if (*interface).index == index {
                    (*interface).reference();
                    return Some(InterfaceRef(interface));
                }
                interface = (*interface).next;
            }
        }
        None
    }

    /// Adds an interface, which translates nothing until it is configured. Callers are one at a
    /// time.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub fn create(&self, index: u32, address: Address) -> Result<(), CreateError> {
        let at = AtDispatch::raise();
        if self.find(index, &at).is_some() {
            return Err(CreateError::Exists);
        }
        let interface = Interface::create(index, address);
        if interface.is_null() {
            return Err(CreateError::NoMemory);
        }
        let mut first = self.first.lock(&at);
        unsafe { (*interface).next = *first };
        *first = interface;
        Ok(())
    }

    /// Takes an interface out of the list; false if there is none with this index. Packets that
    /// are under way keep it until they are through.
    pub fn delete(&self, index: u32) -> bool {
        let at = AtDispatch::raise();
        let interface = self.unlink(|interface| interface.index == index, &at);
        if interface.is_null() {
            return false;
        }
        unsafe { Interface::dereference(interface) };
        true
    }

    /// Takes all interfaces out of the list.
    pub fn delete_all(&self) {
        let at = AtDispatch::raise();
        loop {
            let interface = self.unlink(|_| true, &at);
            if interface.is_null() {
                return;
            }
            unsafe { Interface::dereference(interface) };
        }
    }

    fn unlink(&self, wanted: impl Fn(&Interface) -> bool, at: &AtDispatch) -> *mut Interface {
        let mut first = self.first.lock(at);
        let mut link: *mut *mut Interface = &raw mut *first;
        unsafe {
            while !(*link).is_null() {
                let interface = *link;
                if wanted(&*interface) {
                    *link = (*interface).next;
                    return interface;
                }
                link = &raw mut (*interface).next;
            }
        }
        null_mut()
    }

    /// Ends the sessions of all interfaces that were idle for too long.
    pub fn expire(&self, at: &AtDispatch) {
        let timeouts = self.timeouts();
        let first = self.first.lock(at);
        let mut interface = *first;
        while !interface.is_null() {
            unsafe {
                (*interface).expire(&timeouts, at);
                interface = (*interface).next;
            }
        }
    }

    /// The session timeouts.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts {
            tcp: self.tcp_timeout.load(Ordering::Relaxed),
            udp: self.udp_timeout.load(Ordering::Relaxed),
        }
    }

    /// Sets the session timeouts.
    pub fn set_timeouts(&self, timeouts: Timeouts) {
        self.tcp_timeout.store(timeouts.tcp, Ordering::Relaxed);
        self.udp_timeout.store(timeouts.udp, Ordering::Relaxed);
    }
}

/// A reference to an interface.
pub struct InterfaceRef(*mut Interface);

impl core::ops::Deref for InterfaceRef {
    type Target = Interface;

    fn deref(&self) -> &Interface {
        unsafe { &*self.0 }
    }
}

impl Drop for InterfaceRef {
    fn drop(&mut self) {
        unsafe { Interface::dereference(self.0) };
    }
}
