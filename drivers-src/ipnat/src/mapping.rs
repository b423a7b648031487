//! The mapping table of an interface: its sessions, found from either side.
//!
//! A session is one row of MS-RRASM's `IP_NAT_SESSION_MAPPING`: private, public and remote
//! endpoint. Sessions of one private endpoint share its public endpoint (endpoint-independent
//! mapping, RFC 4787 REQ-1 and RFC 5382 REQ-1), and no public endpoint belongs to two private ones
//! (no overloading, REQ-3 and REQ-7).
//!
//! The table is one block of slots linked by number, so it needs no allocation on the data path
//! and no pointer of it can dangle. **All-zero bytes are the empty table**: a link is a slot
//! number plus one, and slots beyond `touched` were never used.

use crate::address::{Address, Endpoint};
use crate::flow::{Direction, Flow, Protocol};
use crate::session::TcpState;

/// Most sessions of an interface.
pub const SESSIONS_MAX: usize = 512;
const BUCKETS: usize = 64;

/// One session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Session {
    /// The private host's end.
    pub private: Endpoint,
    /// What the public network takes for it.
    pub public: Endpoint,
    /// The other end.
    pub remote: Endpoint,
    /// When a packet last used it, in clock ticks.
    pub last_use: u32,
    /// Its protocol.
    pub protocol: Protocol,
    /// Who opened it.
    pub direction: Direction,
    /// State of a TCP connection.
    pub tcp: TcpState,
}

/// A session's place in the table; valid until it is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id(u16);

/// A slot number plus one; 0 ends a chain.
type Link = u16;

#[derive(Clone, Copy)]
#[repr(C)]
struct Slot {
    session: Session,
    next_private: Link,
    next_public: Link,
    used: bool,
}

/// Why a session could not be entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InsertError {
    /// All [`SESSIONS_MAX`] slots are in use.
    Full,
    /// The public endpoint belongs to another private endpoint.
    Overloaded,
}

/// The table.
#[repr(C)]
pub struct MappingTable {
    by_private: [Link; BUCKETS],
    by_public: [Link; BUCKETS],
    free: Link,
    touched: u16,
    count: u16,
    slots: [Slot; SESSIONS_MAX],
}

impl MappingTable {
    /// Number of sessions.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A session.
    pub fn session(&self, id: Id) -> &Session {
        &self.slots[usize::from(id.0)].session
    }

    /// The session of an outbound flow, whose local end is private.
    pub fn find_outbound(&self, flow: &Flow) -> Option<Id> {
        self.chain_private(flow.protocol, flow.local)
            .find(|(_, s)| s.remote == flow.remote)
            .map(|(id, _)| id)
    }

    /// The session of an inbound flow, whose local end is public.
    pub fn find_inbound(&self, flow: &Flow) -> Option<Id> {
        self.chain_public(flow.protocol, flow.local)
            .find(|(_, s)| s.remote == flow.remote)
            .map(|(id, _)| id)
    }

    /// The public endpoint that a private one has already.
    pub fn public_of(&self, protocol: Protocol, private: Endpoint) -> Option<Endpoint> {
        let (_, session) = self.chain_private(protocol, private).next()?;
        Some(session.public)
    }

    /// The private endpoint that owns a public one.
    pub fn owner_of(&self, protocol: Protocol, public: Endpoint) -> Option<Endpoint> {
        let (_, session) = self.chain_public(protocol, public).next()?;
        Some(session.private)
    }

    /// Enters a session.
    pub fn insert(&mut self, session: Session) -> Result<Id, InsertError> {
        match self.owner_of(session.protocol, session.public) {
            Some(owner) if owner != session.private => return Err(InsertError::Overloaded),
            _ => {}
        }
        let number = self.take_slot().ok_or(InsertError::Full)?;
        let private = bucket(session.protocol, session.private);
        let public = bucket(session.protocol, session.public);
        self.slots[usize::from(number)] = Slot {
            session,
            next_private: self.by_private[private],
            next_public: self.by_public[public],
            used: true,
        };
        self.by_private[private] = number + 1;
        self.by_public[public] = number + 1;
        self.count += 1;
        Ok(Id(number))
    }

    /// Notes that a packet used a session.
    pub fn touch(&mut self, id: Id, direction: Direction, tcp_flags: u8, now: u32) {
        let session = &mut self.slots[usize::from(id.0)].session;
        session.last_use = now;
        session.tcp.observe(direction, tcp_flags);
    }

    /// Removes a session and gives it back.
    pub fn remove(&mut self, id: Id) -> Session {
        let number = usize::from(id.0);
        let slot = self.slots[number];
        let private = bucket(slot.session.protocol, slot.session.private);
        let public = bucket(slot.session.protocol, slot.session.public);
        let link = id.0 + 1;

        if self.by_private[private] == link {
            self.by_private[private] = slot.next_private;
        } else {
            let mut at = self.by_private[private];
            while at != 0 {
                let before = &mut self.slots[usize::from(at - 1)];
                if before.next_private == link {
                    before.next_private = slot.next_private;
                    break;
                }
                at = before.next_private;
            }
        }
        if self.by_public[public] == link {
            self.by_public[public] = slot.next_public;
        } else {
            let mut at = self.by_public[public];
            while at != 0 {
                let before = &mut self.slots[usize::from(at - 1)];
                if before.next_public == link {
                    before.next_public = slot.next_public;
                    break;
                }
                at = before.next_public;
            }
        }

        self.slots[number].used = false;
        self.slots[number].next_private = self.free;
        self.free = link;
        self.count -= 1;
        slot.session
    }

    /// The first session in a slot at or after `from`, with the number to go on from.
    pub fn next(&self, from: u32) -> Option<(Id, u32)> {
        (from..u32::from(self.touched))
            .find(|&number| self.slots[number as usize].used)
            .map(|number| (Id(number as u16), number + 1))
    }

    /// Removes the sessions for which `keep` says no, and hands each to `removed`.
    pub fn retain(&mut self, keep: impl Fn(&Session) -> bool, mut removed: impl FnMut(&Session)) {
        let mut from = 0;
        while let Some((id, after)) = self.next(from) {
            if !keep(self.session(id)) {
                removed(&self.remove(id));
            }
            from = after;
        }
    }

    fn take_slot(&mut self) -> Option<u16> {
        if self.free != 0 {
            let number = self.free - 1;
            self.free = self.slots[usize::from(number)].next_private;
            return Some(number);
        }
        if usize::from(self.touched) == SESSIONS_MAX {
            return None;
        }
        self.touched += 1;
        Some(self.touched - 1)
    }

    fn chain_private(
        &self,
        protocol: Protocol,
        private: Endpoint,
    ) -> impl Iterator<Item = (Id, &Session)> {
        let first = self.by_private[bucket(protocol, private)];
        self.chain(first, |slot| slot.next_private)
            .filter(move |(_, s)| s.protocol == protocol && s.private == private)
    }

    fn chain_public(
        &self,
        protocol: Protocol,
        public: Endpoint,
    ) -> impl Iterator<Item = (Id, &Session)> {
        let first = self.by_public[bucket(protocol, public)];
        self.chain(first, |slot| slot.next_public)
            .filter(move |(_, s)| s.protocol == protocol && s.public == public)
    }

    fn chain(
        &self,
        first: Link,
        next: impl Fn(&Slot) -> Link,
    ) -> impl Iterator<Item = (Id, &Session)> {
        let mut at = first;
        core::iter::from_fn(move || {
            let number = at.checked_sub(1)?;
            let slot = &self.slots[usize::from(number)];
            at = next(slot);
            Some((Id(number), &slot.session))
        })
    }
}

/// Multiplicative hash (Knuth, The Art of Computer Programming 3, 6.4).
fn bucket(protocol: Protocol, endpoint: Endpoint) -> usize {
    let Address(address) = endpoint.address;
    let key = address ^ u32::from(endpoint.port) << 8 ^ u32::from(protocol.0);
    (key.wrapping_mul(0x9E37_79B1) >> 26) as usize % BUCKETS
}
