//! The firewall hooks: drivers that see every datagram that comes in or is forwarded.
//!
//! A hook is called without any lock held, on any processor. Taking it away waits for the calls
//! that run.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};

use nt::global::Global;
use nt::ip::*;
use nt::ke::{KeInitializeEvent, KeSetEvent, NotificationEvent, wait};
use nt::spin::{
    KeAcquireSpinLock, KeAcquireSpinLockAtDpcLevel, KeReleaseSpinLock,
    KeReleaseSpinLockFromDpcLevel,
};
use nt::status::*;
use nt::types::*;

use crate::ipr::Chain;
use crate::link::adapter::Interface;
use crate::link::packet;

const HOOKS_MAX: usize = 4;

/// One registered hook.
#[repr(C)]
struct Hook {
    /// None for a free place.
    call: Option<IPPacketFirewallPtr>,
    priority: u32,
    /// Calls that run.
    calls: u32,
    /// It is being taken away: no call starts any more.
    leaving: bool,
    /// The last call has ended.
    gone: KEVENT,
}

/// All hooks, each in a place that it keeps.
#[repr(C)]
struct Hooks {
    lock: KSPIN_LOCK,
    all: [Hook; HOOKS_MAX],
}

/// Hooks in place. Only a hint outside the lock: while there is none, nobody takes the lock.
static COUNT: AtomicU32 = AtomicU32::new(0);
static HOOKS: Global<Hooks> = Global::new(unsafe { core::mem::zeroed() });

/// A datagram came in: asks the hooks. Gives it back, or what a hook put in its place, unless it is
/// to be dropped. IRQL DISPATCH.
pub unsafe fn received(interface: *mut Interface, chain: Chain, destination: u8) -> Option<Chain> {
    unsafe {
        let context = context(IP_RECEIVE, interface);
        ask(
            chain,
            context,
            (*interface).index,
            INVALID_IF_INDEX,
            destination,
        )
    }
}

/// A datagram is to be forwarded: asks the hooks, as [`received`] does.
pub unsafe fn transmitted(from: *mut Interface, to: *mut Interface, chain: Chain) -> Option<Chain> {
    unsafe {
        let context = context(IP_TRANSMIT, to);
        ask(chain, context, (*from).index, (*to).index, DEST_REMOTE)
    }
}

/// Whether there is a hook, or was one a moment ago.
pub fn any() -> bool {
    COUNT.load(Ordering::Acquire) != 0
}

unsafe fn context(direction: IP_DIRECTION_E, interface: *mut Interface) -> FIREWALL_CONTEXT_T {
    FIREWALL_CONTEXT_T {
        Direction: direction,
        NTE: interface.cast(),
        LinkCtxt: interface.cast(),
        LContext1: unsafe { (*interface).binding },
        LContext2: 0,
    }
}

unsafe fn ask(
    mut chain: Chain,
    mut context: FIREWALL_CONTEXT_T,
    receive_index: u32,
    mut send_index: u32,
    mut destination: u8,
) -> Option<Chain> {
    unsafe {
        let mut last = None;
        while let Some((place, priority, call)) = enter_next(last) {
            last = Some((priority, place));
            let mut data: *mut c_void = chain.cast();
            let mut replacement: *mut IPRcvBuf = null_mut();
            let action = call(
                &mut data,
                receive_index,
                &mut send_index,
                &mut destination,
                (&raw mut context).cast(),
                size_of::<FIREWALL_CONTEXT_T>() as u32,
                &mut replacement,
            );
            leave(place);
            if !replacement.is_null() {
                packet::free(chain);
                chain = replacement;
            }
            if action != FORWARD {
                packet::free(chain);
                return None;
            }
        }
        Some(chain)
    }
}

/// The hook to be called after the one with that priority in that place, a call of it counted in:
/// the highest priority comes first, among equals the first place. None if there is no further one.
unsafe fn enter_next(last: Option<(u32, usize)>) -> Option<(usize, u32, IPPacketFirewallPtr)> {
    unsafe {
        let hooks = HOOKS.get();
        KeAcquireSpinLockAtDpcLevel(&raw mut (*hooks).lock);
        let mut next: Option<(usize, u32, IPPacketFirewallPtr)> = None;
        for place in 0..HOOKS_MAX {
            let hook = &raw mut (*hooks).all[place];
            let Some(call) = (*hook).call else { continue };
            let priority = (*hook).priority;
            let due = !(*hook).leaving
                && last.is_none_or(|(p, at)| priority < p || (priority == p && place > at))
                && next.is_none_or(|(_, p, _)| priority > p);
            if due {
                next = Some((place, priority, call));
            }
        }
        if let Some((place, ..)) = next {
            (*hooks).all[place].calls += 1;
        }
        KeReleaseSpinLockFromDpcLevel(&raw mut (*hooks).lock);
        next
    }
}

unsafe fn leave(place: usize) {
    unsafe {
        let hooks = HOOKS.get();
        let hook = &raw mut (*hooks).all[place];
        KeAcquireSpinLockAtDpcLevel(&raw mut (*hooks).lock);
        (*hook).calls -= 1;
        if (*hook).leaving && (*hook).calls == 0 {
            KeSetEvent(&raw mut (*hook).gone, 0, 0);
        }
        KeReleaseSpinLockFromDpcLevel(&raw mut (*hooks).lock);
    }
}

/// `IOCTL_IP_SET_FIREWALL_HOOK`. IRQL PASSIVE.
///
/// # Errors
/// `STATUS_INSUFFICIENT_RESOURCES` if there are too many hooks, `STATUS_INVALID_PARAMETER` for a
/// hook that is there already or, on taking away, is not there.
pub unsafe fn set(info: &IP_SET_FIREWALL_HOOK_INFO) -> NTSTATUS {
    match info.FirewallPtr {
        None => STATUS_INVALID_PARAMETER,
        Some(call) if info.Add != 0 => unsafe { add(call, info.Priority) },
        Some(call) => unsafe { remove(call) },
    }
}

unsafe fn add(call: IPPacketFirewallPtr, priority: u32) -> NTSTATUS {
    unsafe {
        let hooks = HOOKS.get();
        let old = KeAcquireSpinLock(&raw mut (*hooks).lock);
        let mut status = STATUS_INSUFFICIENT_RESOURCES;
        if find(call).is_null() {
            for place in 0..HOOKS_MAX {
                let hook = &raw mut (*hooks).all[place];
                if (*hook).call.is_none() {
                    KeInitializeEvent(&raw mut (*hook).gone, NotificationEvent, 0);
                    (*hook).call = Some(call);
                    (*hook).priority = priority;
                    COUNT.fetch_add(1, Ordering::Release);
                    status = STATUS_SUCCESS;
                    break;
                }
            }
        } else {
            status = STATUS_INVALID_PARAMETER;
        }
        KeReleaseSpinLock(&raw mut (*hooks).lock, old);
        status
    }
}

unsafe fn remove(call: IPPacketFirewallPtr) -> NTSTATUS {
    unsafe {
        let hooks = HOOKS.get();
        let old = KeAcquireSpinLock(&raw mut (*hooks).lock);
        let hook = find(call);
        let found = !hook.is_null() && !(*hook).leaving;
        if found {
            (*hook).leaving = true;
            if (*hook).calls == 0 {
                KeSetEvent(&raw mut (*hook).gone, 0, 0);
            }
        }
        KeReleaseSpinLock(&raw mut (*hooks).lock, old);
        if !found {
            return STATUS_INVALID_PARAMETER;
        }
        wait(&raw mut (*hook).gone);
        let old = KeAcquireSpinLock(&raw mut (*hooks).lock);
        (*hook).call = None;
        (*hook).leaving = false;
        COUNT.fetch_sub(1, Ordering::Release);
        KeReleaseSpinLock(&raw mut (*hooks).lock, old);
        STATUS_SUCCESS
    }
}

/// The place of a hook, null if it has none. The lock is held.
unsafe fn find(call: IPPacketFirewallPtr) -> *mut Hook {
    unsafe {
        let hooks = HOOKS.get();
        for place in 0..HOOKS_MAX {
            let hook = &raw mut (*hooks).all[place];
            if (*hook)
                .call
                .is_some_and(|other| other as usize == call as usize)
            {
                return hook;
            }
        }
    }
    null_mut()
}
