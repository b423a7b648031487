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

/// What is decided under the lock and carried out without it.
enum Decision {
    Leave,
    Drop,
    /// The end on the router's side becomes this one.
    Rewrite(Endpoint),
}

/// Translates a packet of a private host that leaves through `interface`. `now` is the clock tick.
#[inline(never)]
pub fn outbound(
    interface: &Interface,
    packet: &mut Packet<'_>,
    now: u32,
    at: &AtDispatch,
) -> Verdict {
    let host = packet.flow(Direction::Outbound).local.address;
    let decision = {
        let (mut state, preserved) = preserve::lock_with_preserved(interface, host, at);
        decide_outbound(&mut state, packet, preserved, now)
    };
    carry_out(decision, Direction::Outbound, packet)
}

/// Translates a packet that arrived from the public network at `interface`.
#[inline(never)]
pub fn inbound(
    interface: &Interface,
    packet: &mut Packet<'_>,
    now: u32,
    at: &AtDispatch,
) -> Verdict {
    let decision = decide_inbound(&mut interface.lock(at), interface.address, packet, now);
    carry_out(decision, Direction::Inbound, packet)
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

fn decide_outbound(
    state: &mut State,
    packet: &Packet<'_>,
    preserved: Option<Address>,
    now: u32,
) -> Decision {
    if !state.configuration.translates() {
        return Decision::Leave;
    }
    let flow = packet.flow(Direction::Outbound);
    let session = match packet.reported(Direction::Outbound) {
        Some(reported) => state.mappings.find_outbound(&reported),
        None => outbound_session(state, &flow, preserved, now),
    };
    match session {
        Some(id) => {
            account(state, id, Direction::Outbound, packet, now);
            Decision::Rewrite(state.mappings.session(id).public)
        }
        // The public network must not see a private address: there is no way out.
        None => {
            state.statistics.rejects[0] += 1;
            Decision::Drop
        }
    }
}

fn decide_inbound(state: &mut State, own: Address, packet: &Packet<'_>, now: u32) -> Decision {
    if !state.configuration.translates() {
        return Decision::Leave;
    }
    let flow = packet.flow(Direction::Inbound);
    let session = match packet.reported(Direction::Inbound) {
        Some(reported) => state.mappings.find_inbound(&reported),
        None => inbound_session(state, &flow, now),
    };
    if let Some(id) = session {
        account(state, id, Direction::Inbound, packet, now);
        return Decision::Rewrite(state.mappings.session(id).private);
    }
    // What is for the router itself goes on to it, unless only sessions may come in. The other
    // addresses of the pool are nobody's.
    let public = flow.local.address;
    let pooled = state.configuration.pool.number_of(public).is_some();
    if state.configuration.is_firewall() || pooled && public != own {
        state.statistics.rejects[1] += 1;
        return Decision::Drop;
    }
    Decision::Leave
}

/// Notes that a packet belongs to a session. An error about a session's packet does not keep the
/// session alive.
fn account(state: &mut State, id: Id, direction: Direction, packet: &Packet<'_>, now: u32) {
    if !packet.is_error() {
        let flags = packet.tcp_flags();
        state.mappings.touch(id, direction, flags, now);
    }
    let way = match direction {
        Direction::Outbound => 0,
        Direction::Inbound => 1,
    };
    state.statistics.packets[way] += 1;
    state.statistics.bytes[way] += u64::from(packet.total_length());
}

fn carry_out(decision: Decision, direction: Direction, packet: &mut Packet<'_>) -> Verdict {
    match decision {
        Decision::Leave => Verdict::Untouched,
        Decision::Drop => Verdict::Drop,
        Decision::Rewrite(to) => {
            packet.set_local(direction, to);
            Verdict::Translated
        }
    }
}

/// The session of an outbound packet, made if there is none. A session that leaves from another
/// address than the host's is of another time, and ends.
fn outbound_session(
    state: &mut State,
    flow: &Flow,
    preserved: Option<Address>,
    now: u32,
) -> Option<Id> {
    let mapped = state
        .configuration
        .port_mapping_of(flow.protocol, flow.local);
    let home = home_address(state, flow.local.address, preserved, now);
    let agrees = |public: Endpoint| {
        mapped == Some(public) || home.is_none_or(|address| public.address == address)
    };
    if let Some(id) = state.mappings.find_outbound(flow) {
        if agrees(state.mappings.session(id).public) {
            return Some(id);
        }
        state.close(id);
    }
    let existing = state.mappings.public_of(flow.protocol, flow.local);
    let public = mapped
        .or(existing.filter(|&public| agrees(public)))
        .or_else(|| choose_public(state, flow.protocol, flow.local, home))?;
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

/// The address that a host's packets must leave from: its preserved one, which may be made now, or
/// the one that the configuration reserves. `None` if any will do.
fn home_address(
    state: &State,
    host: Address,
    preserved: Option<Address>,
    now: u32,
) -> Option<Address> {
    if !state.configuration.preserves() || state.preservation.is_null() {
        return state.configuration.reserved_for(host);
    }
    let fits = |address| state.configuration.shares_addresses() || is_open(state, address, host);
    preserved.or_else(|| unsafe { preserve::bind(state.preservation, host, now, fits) })
}

/// Whether a host can have a pool address to itself.
fn is_open(state: &State, address: Address, host: Address) -> bool {
    let number = state.configuration.pool.number_of(address);
    number.is_some_and(|number| state.leases.open_to(number, host))
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

/// Chooses a public endpoint for a private one that has none: on the host's own address if it has
/// one, else on the first that has room and is not reserved.
fn choose_public(
    state: &State,
    protocol: Protocol,
    private: Endpoint,
    home: Option<Address>,
) -> Option<Endpoint> {
    if let Some(address) = home {
        return with_port(state, protocol, private, address);
    }
    let configuration = &state.configuration;
    let shares = configuration.shares_addresses();
    (0..configuration.pool.len())
        .filter_map(|number| configuration.pool.nth(number))
        .filter(|&address| configuration.holder_of(address).is_none())
        .filter(|&address| shares || is_open(state, address, private.address))
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
