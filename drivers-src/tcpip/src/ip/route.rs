//! Routes: the connected subnets, and a default gateway.

use core::ptr::null_mut;

use crate::link::adapter::{self, Interface};

/// The interface that a destination is reached by and the neighbour that gets the datagram; `None`
/// if there is no route. The connected subnet with the longest mask wins; else the first gateway.
pub fn lookup(destination: u32) -> Option<(*mut Interface, u32)> {
    let mut best: *mut Interface = null_mut();
    let mut gateway = None;
    for interface in adapter::all() {
        unsafe {
            let mask = (*interface).mask;
            if (destination ^ (*interface).address) & mask == 0
                && (best.is_null() || mask > (*best).mask)
            {
                best = interface;
            }
            if gateway.is_none() && (*interface).gateway != 0 {
                gateway = Some((interface, (*interface).gateway));
            }
        }
    }
    if best.is_null() {
        gateway
    } else {
        Some((best, destination))
    }
}
