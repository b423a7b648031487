//! Events with a handle or a name: event objects of the object manager, rather than a `KEVENT` in
//! the driver's own memory.

use super::name::Entry;
use super::object::{HandleTarget, Kind, attributes, new_handle};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{Api, Arg, Call, Done, Trouble, dispatcher, layout, pool, status};

const WDK: &str = "Windows driver documentation: Event Objects; wdm.h, ntifs.h";
const NOTIFICATION_EVENT: u8 = 0;
const SYNCHRONIZATION_EVENT: u8 = 1;

const fn row(name: &'static str, args: &'static [Arg], handler: fn(&mut Call<'_>) -> Done) -> Api {
    let (module, style, irql) = (Module::Ntoskrnl, Style::Std, Contract::Passive);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

/// Event object functions.
pub const API: &[Api] = &[
    row(
        "ZwCreateEvent",
        &[
            ptr("EventHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
            long("EventType"),
            byte("InitialState"),
        ],
        create,
    ),
    row(
        "ZwSetEvent",
        &[ptr("EventHandle"), ptr("PreviousState")],
        set,
    ),
    row("ZwClearEvent", &[ptr("EventHandle")], clear),
    row(
        "IoCreateNotificationEvent",
        &[ptr("EventName"), ptr("EventHandle")],
        create_notification,
    ),
    row(
        "IoCreateSynchronizationEvent",
        &[ptr("EventName"), ptr("EventHandle")],
        create_synchronization,
    ),
];

/// A new event object; its creator holds the only reference.
fn allocate(call: &mut Call<'_>, kind: u8, state: bool) -> Result<Option<u64>, Trouble> {
    let size = layout::of(call.arch()).kevent.size;
    let event = pool::allocate(call.m, call.core, size, *b"Even", false);
    if event == 0 {
        return Ok(None);
    }
    dispatcher::initialize(call, event, kind, (size / 4) as u8, i32::from(state))?;
    call.m.state.nt.io.objects.add(event, Kind::Event);
    Ok(Some(event))
}

fn create(call: &mut Call<'_>) -> Done {
    let [handle_at, _, attributes_at, kind, state, ..] = call.args;
    if attributes_at != 0 && !attributes(call, attributes_at)?.1.is_empty() {
        return Err(call.unimplemented("ZwCreateEvent", "an event with a name"));
    }
    let Some(event) = allocate(call, kind as u8, state != 0)? else {
        return Ok(Outcome::Return(u64::from(status::INSUFFICIENT_RESOURCES)));
    };
    let handle = new_handle(call.m, HandleTarget::Event(event));
    // The handle's reference is the only one that stays.
    call.m.state.nt.io.objects.release(event);
    call.set_ptr(handle_at, handle)?;
    Ok(Outcome::Return(0))
}

fn event_of(call: &mut Call<'_>, handle: u64) -> Result<u64, u32> {
    match call.m.state.nt.io.objects.target(handle) {
        Some(HandleTarget::Event(event)) => Ok(*event),
        Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
        None => Err(status::INVALID_HANDLE),
    }
}

fn set(call: &mut Call<'_>) -> Done {
    let [handle, previous_at, ..] = call.args;
    let event = match event_of(call, handle) {
        Ok(event) => event,
        Err(status) => return Ok(Outcome::Return(u64::from(status))),
    };
    if previous_at != 0 {
        let previous = call.u32(event + layout::of(call.arch()).kevent.signal_state)?;
        call.set_u32(previous_at, previous)?;
    }
    dispatcher::set_state(call.m, call.core, event, 1);
    Ok(Outcome::Return(0))
}

fn clear(call: &mut Call<'_>) -> Done {
    let handle = call.args[0];
    let event = match event_of(call, handle) {
        Ok(event) => event,
        Err(status) => return Ok(Outcome::Return(u64::from(status))),
    };
    call.set_u32(event + layout::of(call.arch()).kevent.signal_state, 0)?;
    Ok(Outcome::Return(0))
}

fn create_notification(call: &mut Call<'_>) -> Done {
    open_or_create(call, NOTIFICATION_EVENT)
}

fn create_synchronization(call: &mut Call<'_>) -> Done {
    open_or_create(call, SYNCHRONIZATION_EVENT)
}

/// Opens a named event, or creates it signalled. Returns the address of the `KEVENT`, 0 on
/// failure; the handle keeps it alive.
fn open_or_create(call: &mut Call<'_>, kind: u8) -> Done {
    let [name_at, handle_at, ..] = call.args;
    let name = call.unicode_string(name_at)?;
    let (event, new) = match call.m.state.nt.io.names.find(&name) {
        Ok((Entry::Event(event), _)) => (event, false),
        Ok(_) => return Ok(Outcome::Return(0)),
        Err(_) => {
            let Some(event) = allocate(call, kind, true)? else {
                return Ok(Outcome::Return(0));
            };
            if call
                .m
                .state
                .nt
                .io
                .names
                .insert(&name, Entry::Event(event))
                .is_err()
            {
                let then = crate::nt::Then::ReturnValue(0);
                return super::object::dereference(call, event, then);
            }
            (event, true)
        }
    };
    let handle = new_handle(call.m, HandleTarget::Event(event));
    if new {
        call.m.state.nt.io.objects.release(event);
    }
    call.set_ptr(handle_at, handle)?;
    Ok(Outcome::Return(event))
}
