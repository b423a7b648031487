//! Translation of a packet that crosses the boundary: finds its session or makes one.

use crate::address::{Address, Endpoint};
use crate::flow::{Direction, Flow, Protocol};
use crate::interface::{Interface, State};
use crate::mapping::{Id, Session};
use crate::os::AtDispatch;
use crate::packet::Packet;
use crate::session::TcpState;
use crate::{ports, preserve};

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes on as it came: it isn't the translator's business.
    Untouched,
    /// It goes on with rewritten headers.
    Translated,
    /// It ends here.
    Drop,
}

/// Translates a packet of a private host that leaves through `interface`. `now` is the clock tick.
#[inline(never)]
pub fn outbound(
    interface: &Interface,
    packet: &mut Packet<'_>,
    now: u32,
    at: &AtDispatch,
) -> Verdict {
    let flow = packet.flow(Direction::Outbound);
    let (mut state, preserved) = preserve::lock_with_preserved(interface, flow.local.address, at);
    let state = &mut *state;
    if !state.configuration.translates() {
        return Verdict::Untouched;
    }
    let session = match packet.reported(Direction::Outbound) {
        Some(reported) => state.mappings.find_outbound(&reported),
        None => outbound_session(state, &flow, preserved, now),
    };
    // The public network must not see a private address: without a session there is no way out.
    let Some(id) = session else {
        return conclude(state, Direction::Outbound, packet, Verdict::Drop);
    };
    let public = state.mappings.session(id).public;
    if !packet.is_error() {
        let flags = packet.tcp_flags();
        state.mappings.touch(id, Direction::Outbound, flags, now);
    }
    packet.set_local(Direction::Outbound, public);
    conclude(state, Direction::Outbound, packet, Verdict::Translated)
}

/// Translates a packet that arrived from the public network at `interface`.
#[inline(never)]
pub fn inbound(
    interface: &Interface,
    packet: &mut Packet<'_>,
    now: u32,
    at: &AtDispatch,
) -> Verdict {
    let flow = packet.flow(Direction::Inbound);
    let state = &mut *interface.lock(at);
    if !state.configuration.translates() {
        return Verdict::Untouched;
    }
    let session = match packet.reported(Direction::Inbound) {
        Some(reported) => state.mappings.find_inbound(&reported),
        None => inbound_session(state, &flow, now),
    };
    let Some(id) = session else {
        let public = flow.local.address;
        let own = public == interface.address || !in_pool(state, public);
        let verdict = match own && !state.configuration.is_firewall() {
            true => Verdict::Untouched,
            false => Verdict::Drop,
        };
        return conclude(state, Direction::Inbound, packet, verdict);
    };
    let private = state.mappings.session(id).private;
    if !packet.is_error() {
        let flags = packet.tcp_flags();
        state.mappings.touch(id, Direction::Inbound, flags, now);
    }
    packet.set_local(Direction::Inbound, private);
    conclude(state, Direction::Inbound, packet, Verdict::Translated)
}

/// Decides about a packet that can't be translated: it must not carry a private address out.
pub fn unsuitable(interface: &Interface, direction: Direction, at: &AtDispatch) -> Verdict {
    let state = &mut *interface.lock(at);
    if !state.configuration.translates() || direction == Direction::Inbound {
        return Verdict::Untouched;
    }
    state.statistics.rejects[0] += 1;
    Verdict::Drop
}

/// Counts a packet.
fn conclude(
    state: &mut State,
    direction: Direction,
    packet: &Packet<'_>,
    verdict: Verdict,
) -> Verdict {
    let way = match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    };
    match verdict {
        Verdict::Translated => {
            state.statistics.packets[way] += 1;
            state.statistics.bytes[way] += u64::from(packet.total_length());
        }
        Verdict::Drop => state.statistics.rejects[way] += 1,
        Verdict::Untouched => {}
    }
    verdict
}

/// The session of an outbound packet, made if there is none. `preserved` is the address that the
/// host's packets must leave from; a session on another address is of another time and ends.
fn outbound_session(
    state: &mut State,
    flow: &Flow,
    preserved: Option<Address>,
    now: u32,
) -> Option<Id> {
    let static_public = port_mapping_public(state, flow.protocol, flow.local);
    let agrees = |public: Endpoint| {
        static_public == Some(public) || preserved.is_none_or(|address| public.address == address)
    };
    if let Some(id) = state.mappings.find_outbound(flow) {
        if agrees(state.mappings.session(id).public) {
            return Some(id);
        }
        state.close(id);
    }
    let existing = state.mappings.public_of(flow.protocol, flow.local);
    let public = static_public
        .or(existing.filter(|&public| agrees(public)))
        .or_else(|| choose_public(state, flow.protocol, flow.local, preserved, now))?;
    open(
        state,
        Direction::Outbound,
        flow.protocol,
        flow.local,
        public,
        flow.remote,
        now,
    )
}

/// The session of an inbound packet, made if the configuration lets the packet in: by a static
/// mapping, or because a session has opened the public endpoint to everyone
/// (endpoint-independent filtering, RFC 4787 REQ-8), which firewall mode forbids.
fn inbound_session(state: &mut State, flow: &Flow, now: u32) -> Option<Id> {
    if let Some(id) = state.mappings.find_inbound(flow) {
        return Some(id);
    }
    let public = flow.local;
    let configuration = &state.configuration;
    let by_port = configuration
        .port_mappings()
        .iter()
        .find(|m| m.protocol == flow.protocol && m.public == public)
        .map(|m| m.private);
    let by_owner = state
        .mappings
        .owner_of(flow.protocol, public)
        .filter(|_| !configuration.is_firewall());
    let by_address = configuration
        .address_mappings()
        .iter()
        .find(|m| m.inbound && m.public == public.address)
        .map(|m| Endpoint::new(m.private, public.port));
    let private = by_port.or(by_owner).or(by_address)?;
    open(
        state,
        Direction::Inbound,
        flow.protocol,
        private,
        public,
        flow.remote,
        now,
    )
}

/// Enters a session; `None` if the table is full or the public endpoint is another host's.
fn open(
    state: &mut State,
    direction: Direction,
    protocol: Protocol,
    private: Endpoint,
    public: Endpoint,
    remote: Endpoint,
    now: u32,
) -> Option<Id> {
    let session = Session {
        private,
        public,
        remote,
        last_use: now,
        protocol,
        direction,
        tcp: TcpState::default(),
    };
    let id = state.mappings.insert(session).ok()?;
    if let Some(number) = state.configuration.pool.number_of(public.address) {
        state.leases.take(number, private.address);
    }
    Some(id)
}

/// The public endpoint that a static port mapping gives to a private one.
fn port_mapping_public(state: &State, protocol: Protocol, private: Endpoint) -> Option<Endpoint> {
    let mut mappings = state.configuration.port_mappings().iter();
    let mapping = mappings.find(|m| m.protocol == protocol && m.private == private)?;
    Some(mapping.public)
}

/// Chooses a public endpoint for a private one that has none: on the host's preserved or reserved
/// address if it has one, else on a newly preserved one, else on the first that has room.
fn choose_public(
    state: &State,
    protocol: Protocol,
    private: Endpoint,
    preserved: Option<Address>,
    now: u32,
) -> Option<Endpoint> {
    let host = private.address;
    let configuration = &state.configuration;
    let mut reservations = configuration.address_mappings().iter();
    let reserved = reservations.find(|m| m.private == host).map(|m| m.public);
    let open_to = |address: Address| {
        let number = configuration.pool.number_of(address);
        number.is_some_and(|number| state.leases.open_to(number, host))
    };
    let bound = preserved.or(reserved).or_else(|| {
        let preserves = configuration.preserves() && !state.preservation.is_null();
        let fits = |address| configuration.shares_addresses() || open_to(address);
        preserves
            .then(|| unsafe { preserve::bind(state.preservation, host, now, fits) })
            .flatten()
    });
    if let Some(address) = bound {
        return with_port(state, protocol, private, address);
    }

    let is_reserved = |address| {
        configuration
            .address_mappings()
            .iter()
            .any(|m| m.public == address)
    };
    (0..configuration.pool.len())
        .filter_map(|number| configuration.pool.nth(number))
        .filter(|&address| !is_reserved(address))
        .filter(|&address| configuration.shares_addresses() || open_to(address))
        .find_map(|address| with_port(state, protocol, private, address))
}

/// A public endpoint on `address`. Without port translation the private port is the only choice.
fn with_port(
    state: &State,
    protocol: Protocol,
    private: Endpoint,
    address: Address,
) -> Option<Endpoint> {
    let taken = |port| {
        let public = Endpoint::new(address, port);
        let mappings = state.configuration.port_mappings();
        state.mappings.owner_of(protocol, public).is_some()
            || mappings
                .iter()
                .any(|m| m.protocol == protocol && m.public == public)
    };
    let port = if state.configuration.shares_addresses() {
        ports::choose(protocol, private.port, taken)
    } else {
        (!taken(private.port)).then_some(private.port)
    }?;
    Some(Endpoint::new(address, port))
}

fn in_pool(state: &State, address: Address) -> bool {
    state.configuration.pool.number_of(address).is_some()
}
