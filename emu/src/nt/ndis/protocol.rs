//! Protocol drivers, and their bindings to adapters.

use super::adapter::filter;
use super::{Then, layout, memory, misuse, status, then};
use crate::machine::Machine;
use crate::machine::context::{Next, Outcome};
use crate::nt::{self, Call, Done, Trouble, thread};
use crate::personality::Personality;

const PROTOCOL_TAG: [u8; 4] = *b"NDpb";
const OPEN_TAG: [u8; 4] = *b"NDob";
/// Sizes of NDIS's protocol and open blocks, of which a driver knows the address only.
const PROTOCOL_SIZE: u64 = 0xC0;
const OPEN_SIZE: u64 = 0xC0;
/// `NdisMedium802_3`
const ETHERNET: u32 = 0;
/// Priority of the worker thread in which a closing completes.
const WORKER: u8 = 12;

/// A registered protocol driver.
#[derive(Clone, Debug, Hash)]
pub(super) struct Protocol {
    /// The name it registered by.
    name: String,
    handlers: Handlers,
}

/// Addresses of a protocol's handlers; 0 is none.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) struct Handlers {
    pub close_complete: u64,
    pub send_complete: u64,
    pub receive: u64,
    pub receive_complete: u64,
    pub receive_packet: u64,
}

/// A protocol's use of an adapter.
#[derive(Clone, Debug, Hash)]
pub(super) struct Binding {
    /// Number of the adapter.
    pub adapter: u32,
    /// Handle of the protocol.
    pub protocol: u64,
    /// What the protocol knows it by.
    pub context: u64,
    /// Its protocol's handlers.
    pub handlers: Handlers,
    /// Its packet filter.
    pub filter: u32,
    /// Multicast addresses that it listens to.
    pub groups: Vec<[u8; 6]>,
    /// Bytes behind the link header that the receive handler wants to see at least.
    pub lookahead: u32,
    /// Activities of NDIS that will call its handlers once more.
    pub uses: u32,
    /// It is being closed.
    pub closing: bool,
}

/// `NdisRegisterProtocol`
pub(super) fn register(call: &mut Call<'_>) -> Done {
    let [status_at, protocol_at, characteristics, length, ..] = call.args;
    let (status, handle) = match read_characteristics(call, characteristics, length)? {
        Err(status) => (status, 0),
        Ok(protocol) => match memory::allocate(call, PROTOCOL_SIZE, PROTOCOL_TAG) {
            0 => (status::RESOURCES, 0),
            handle => {
                call.m.state.nt.net.protocols.insert(handle, protocol);
                (status::SUCCESS, handle)
            }
        },
    };
    call.set_ptr(protocol_at, handle)?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// Reads `NDIS_PROTOCOL_CHARACTERISTICS`; the inner error is an NDIS status.
fn read_characteristics(
    call: &mut Call<'_>,
    from: u64,
    length: u64,
) -> Result<Result<Protocol, u32>, Trouble> {
    let at = layout::of(call.arch()).characteristics;
    let version = call.u8(from)?;
    let newest = if call.m.setup.personality == Personality::Nt4 {
        4
    } else {
        5
    };
    if !(3..=newest).contains(&version) {
        return Ok(Err(status::BAD_VERSION));
    }
    let needed = if version == 3 { at.size_30 } else { at.size_40 };
    if length < needed {
        return Ok(Err(status::BAD_CHARACTERISTICS));
    }
    if version > 3 && call.ptr(from + at.bind_adapter)? != 0 {
        let what = "a BindAdapterHandler: adapters are to be opened with NdisOpenAdapter";
        return Err(misuse(call, "NdisRegisterProtocol", what));
    }
    let receive_packet = if version == 3 {
        0
    } else {
        call.ptr(from + at.receive_packet)?
    };
    let handlers = Handlers {
        close_complete: call.ptr(from + at.close_complete)?,
        send_complete: call.ptr(from + at.send_complete)?,
        receive: call.ptr(from + at.receive)?,
        receive_complete: call.ptr(from + at.receive_complete)?,
        receive_packet,
    };
    let required = [
        handlers.close_complete,
        handlers.send_complete,
        handlers.receive,
        handlers.receive_complete,
    ];
    if required.contains(&0) {
        return Ok(Err(status::BAD_CHARACTERISTICS));
    }
    let name = call.unicode_string(from + at.name)?;
    Ok(Ok(Protocol { name, handlers }))
}

/// `NdisDeregisterProtocol`
pub(super) fn deregister(call: &mut Call<'_>) -> Done {
    const NAME: &str = "NdisDeregisterProtocol";
    let [status_at, protocol, ..] = call.args;
    let net = &mut call.m.state.nt.net;
    if net.bindings.values().any(|b| b.protocol == protocol) {
        let name = net.protocols.get(&protocol).map_or("?", |p| &p.name);
        let what = format!("protocol {name} still has open bindings");
        return Err(misuse(call, NAME, what));
    }
    if net.protocols.remove(&protocol).is_none() {
        return Err(misuse(call, NAME, "not the handle of a protocol"));
    }
    memory::free(call, protocol)?;
    call.set_u32(status_at, status::SUCCESS)?;
    Ok(Outcome::Return(0))
}

/// `NdisOpenAdapter`
pub(super) fn open(call: &mut Call<'_>) -> Done {
    let [
        status_at,
        error_at,
        binding_at,
        selected_at,
        media,
        count,
        protocol,
        context,
        name,
        ..,
    ] = call.args;
    let Some(registered) = call.m.state.nt.net.protocols.get(&protocol) else {
        return Err(misuse(
            call,
            "NdisOpenAdapter",
            "not the handle of a protocol",
        ));
    };
    let handlers = registered.handlers;
    let name = call.unicode_string(name)?;
    let adapter = adapter_named(call.m, &name);
    let medium = ethernet_among(call, media, count)?;
    let (status, binding) = match (adapter, medium) {
        (None, _) => (status::ADAPTER_NOT_FOUND, 0),
        (_, None) => (status::UNSUPPORTED_MEDIA, 0),
        (Some(adapter), Some(index)) => match memory::allocate(call, OPEN_SIZE, OPEN_TAG) {
            0 => (status::RESOURCES, 0),
            handle => {
                let lookahead = u32::from(call.m.setup.plan.adapters[adapter].mtu);
                let net = &mut call.m.state.nt.net;
                net.adapters[adapter].bindings.push(handle);
                let adapter = adapter as u32;
                let (filter, groups) = (0, Vec::new());
                let (uses, closing) = (0, false);
                let binding = Binding {
                    adapter,
                    protocol,
                    context,
                    handlers,
                    filter,
                    groups,
                    lookahead,
                    uses,
                    closing,
                };
                net.bindings.insert(handle, binding);
                call.set_u32(selected_at, index)?;
                (status::SUCCESS, handle)
            }
        },
    };
    if binding != 0 {
        call.set_ptr(binding_at, binding)?;
    }
    call.set_u32(error_at, status)?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// The adapter of a device name, by its number.
fn adapter_named(m: &Machine, name: &str) -> Option<usize> {
    const DEVICE: &str = r"\Device\";
    let short = name.get(DEVICE.len()..)?;
    let is_device = name[..DEVICE.len()].eq_ignore_ascii_case(DEVICE);
    let mut adapters = m.setup.plan.adapters.iter();
    adapters.position(|a| is_device && a.name.eq_ignore_ascii_case(short))
}

/// The index of Ethernet in an array of `NDIS_MEDIUM`.
fn ethernet_among(call: &mut Call<'_>, media: u64, count: u64) -> Result<Option<u32>, Trouble> {
    for index in 0..count {
        if call.u32(media + 4 * index)? == ETHERNET {
            return Ok(Some(index as u32));
        }
    }
    Ok(None)
}

/// `NdisCloseAdapter`. While handlers of the binding may be called it stays pending.
pub(super) fn close(call: &mut Call<'_>) -> Done {
    let [status_at, binding, ..] = call.args;
    let adapter = open_binding(call, binding, "NdisCloseAdapter")?.adapter as usize;
    let net = &mut call.m.state.nt.net;
    net.adapters[adapter].bindings.retain(|&b| b != binding);
    if let Some(closed) = net.bindings.get_mut(&binding) {
        closed.closing = true;
        if closed.uses > 0 {
            listen(call.m, adapter);
            call.set_u32(status_at, status::PENDING)?;
            return Ok(Outcome::Return(0));
        }
    }
    listen(call.m, adapter);
    remove(call, binding)?;
    call.set_u32(status_at, status::SUCCESS)?;
    Ok(Outcome::Return(0))
}

fn remove(call: &mut Call<'_>, binding: u64) -> Result<(), Trouble> {
    call.m.state.nt.net.bindings.remove(&binding);
    memory::free(call, binding)
}

/// The binding of a handle that a driver gave.
pub(super) fn open_binding<'a>(
    call: &'a mut Call<'_>,
    handle: u64,
    function: &str,
) -> Result<&'a mut Binding, Trouble> {
    let known = call
        .m
        .state
        .nt
        .net
        .bindings
        .get(&handle)
        .is_some_and(|b| !b.closing);
    if !known {
        let what = format!("{handle:#x} is not the handle of an open binding");
        return Err(misuse(call, function, what));
    }
    Ok(call
        .m
        .state
        .nt
        .net
        .bindings
        .get_mut(&handle)
        .expect("it has just been found"))
}

/// The adapter lets through what its bindings ask for.
pub(super) fn listen(m: &mut Machine, adapter: usize) {
    let net = &mut m.state.nt.net;
    let of = |b: &u64| net.bindings.get(b).map_or(0, |b| b.filter);
    let asked = net.adapters[adapter]
        .bindings
        .iter()
        .map(of)
        .fold(0, |all, one| all | one);
    net.adapters[adapter].filter = asked & filter::ALL;
}

/// NDIS has called a handler of a binding for the last time in this activity. What was the last
/// one of a binding that is being closed completes the closing, in a worker thread.
pub(super) fn release(m: &mut Machine, core: usize, binding: u64) {
    let Some(released) = m.state.nt.net.bindings.get_mut(&binding) else {
        return;
    };
    released.uses -= 1;
    if released.closing && released.uses == 0 {
        let next = Next::Host(then(Then::CloseComplete { binding }), 0);
        thread::create(m, core, "NDIS worker", WORKER, next);
    }
}

/// Tells the protocol that its binding is closed.
pub(super) fn close_complete(call: &mut Call<'_>, binding: u64) -> Done {
    let Some(closed) = call.m.state.nt.net.bindings.get(&binding) else {
        return Ok(Outcome::End);
    };
    let (routine, context) = (closed.handlers.close_complete, closed.context);
    remove(call, binding)?;
    let args = vec![context, u64::from(status::SUCCESS)];
    Ok(Outcome::Enter {
        what: "CloseAdapterComplete",
        routine,
        args,
        then: nt::Then::End,
    })
}
