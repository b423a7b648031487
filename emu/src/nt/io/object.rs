//! Handles and reference counts.
//!
//! Every object body that a handle or a counted pointer leads to has an entry in [`Objects`]. A
//! file object's last handle sends `IRP_MJ_CLEANUP`, its last reference `IRP_MJ_CLOSE` (Windows
//! driver documentation, "Life Cycle of an Object", "IRP_MJ_CLEANUP", "IRP_MJ_CLOSE").

use std::collections::BTreeMap;

use super::close;
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, dispatcher, layout, pool, status};

const WDK: &str = "Windows driver documentation: ObReferenceObjectByHandle, ObDereferenceObject, \
                   ZwClose; wdm.h";
const REFERENCE_BY_POINTER: u32 = 0x18;

/// What a handle leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HandleTarget {
    /// A file object, by address.
    File(u64),
    /// A thread object, by address.
    Thread(u64),
    /// An event object, by address.
    Event(u64),
    /// A registry key, by its full path.
    Key(String),
}

impl HandleTarget {
    /// The object body, for what has one in guest memory.
    fn body(&self) -> Option<(u64, Kind)> {
        match *self {
            HandleTarget::File(at) => Some((at, Kind::File)),
            HandleTarget::Thread(at) => Some((at, Kind::Thread)),
            HandleTarget::Event(at) => Some((at, Kind::Event)),
            HandleTarget::Key(_) => None,
        }
    }
}

/// What an object body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `FILE_OBJECT`
    File,
    /// `KTHREAD`
    Thread,
    /// `KEVENT`
    Event,
    /// `DEVICE_OBJECT`
    Device,
    /// `DRIVER_OBJECT`
    Driver,
}

/// Who still uses an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// What it is.
    pub kind: Kind,
    /// References, those of handles among them; 0: the object is gone.
    pub references: u32,
    /// Handles.
    pub handles: u32,
}

/// Handles and bodies.
#[derive(Clone, Debug, Default, Hash)]
pub struct Objects {
    handles: BTreeMap<u64, HandleTarget>,
    last_handle: u64,
    bodies: BTreeMap<u64, Body>,
}

impl Objects {
    /// What a handle leads to.
    pub fn target(&self, handle: u64) -> Option<&HandleTarget> {
        self.handles.get(&handle)
    }

    /// Open handles, in the order of their values.
    pub fn handles(&self) -> impl Iterator<Item = (u64, &HandleTarget)> {
        self.handles
            .iter()
            .map(|(&handle, target)| (handle, target))
    }

    /// The body at an address, unless it is gone.
    pub fn body(&self, at: u64) -> Option<Body> {
        self.bodies.get(&at).copied().filter(|b| b.references > 0)
    }

    /// Notes a new body with one reference, its creator's.
    pub(super) fn add(&mut self, at: u64, kind: Kind) {
        self.bodies.insert(
            at,
            Body {
                kind,
                references: 1,
                handles: 0,
            },
        );
    }

    /// Adds a reference; false if there is no such object.
    pub(super) fn reference(&mut self, at: u64) -> bool {
        match self.bodies.get_mut(&at) {
            Some(body) if body.references > 0 => {
                body.references += 1;
                true
            }
            _ => false,
        }
    }

    /// Drops a reference; gives what is left of the body, or `None` if there was no reference.
    pub(super) fn release(&mut self, at: u64) -> Option<Body> {
        let body = self.bodies.get_mut(&at).filter(|b| b.references > 0)?;
        body.references -= 1;
        Some(*body)
    }

    fn take(&mut self, handle: u64) -> Option<HandleTarget> {
        let target = self.handles.remove(&handle)?;
        if let Some((at, _)) = target.body()
            && let Some(body) = self.bodies.get_mut(&at)
        {
            body.handles = body.handles.saturating_sub(1);
        }
        Some(target)
    }
}

/// Makes a handle. It holds a reference to the object.
pub fn new_handle(m: &mut Machine, target: HandleTarget) -> u64 {
    let objects = &mut m.state.nt.io.objects;
    if let Some((at, kind)) = target.body() {
        let new = Body {
            kind,
            references: 0,
            handles: 0,
        };
        let body = objects.bodies.entry(at).or_insert(new);
        body.references += 1;
        body.handles += 1;
    }
    // Handles are multiples of four: the two low bits are the application's.
    objects.last_handle += 4;
    objects.handles.insert(objects.last_handle, target);
    objects.last_handle
}

/// The root handle and the name of an `OBJECT_ATTRIBUTES`.
pub(crate) fn attributes(call: &mut Call<'_>, at: u64) -> Result<(u64, String), Trouble> {
    let l = layout::of(call.arch());
    let root = call.ptr(at + l.object_attributes.root_directory)?;
    let name = call.ptr(at + l.object_attributes.object_name)?;
    let name = if name == 0 {
        String::new()
    } else {
        call.unicode_string(name)?
    };
    Ok((root, name))
}

/// Gives back a reference; the last one deletes the object, then `then` follows with the value 0.
pub(crate) fn dereference(call: &mut Call<'_>, at: u64, then: nt::Then) -> Done {
    let Some(body) = call.m.state.nt.io.objects.release(at) else {
        return match call.m.state.nt.io.objects.bodies.get(&at) {
            Some(_) => Err(call.bugcheck(REFERENCE_BY_POINTER, [0, at, 0, 0])),
            None => {
                Err(call.unimplemented("ObfDereferenceObject", format!("{at:#x} is no object")))
            }
        };
    };
    if body.references > 0 {
        return Ok(Outcome::Continue(then, 0));
    }
    match body.kind {
        Kind::File => close::delete(call, at, then),
        Kind::Event => {
            call.m.state.nt.io.names.remove_object(at);
            pool::free(call.m, call.core, at)?;
            Ok(Outcome::Continue(then, 0))
        }
        Kind::Device => {
            pool::free(call.m, call.core, at)?;
            Ok(Outcome::Continue(then, 0))
        }
        // The thread list keeps the memory of threads; drivers stay loaded.
        Kind::Thread | Kind::Driver => Ok(Outcome::Continue(then, 0)),
    }
}

const fn row(
    name: &'static str,
    style: Style,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Contract::{Apc, Dispatch, Passive};
use Style::{Fast, Std};

/// Object functions.
pub const API: &[Api] = &[
    row("ZwClose", Std, &[ptr("Handle")], Passive, close),
    row("NtClose", Std, &[ptr("Handle")], Passive, close),
    row(
        "ObReferenceObjectByHandle",
        Std,
        &[
            ptr("Handle"),
            long("DesiredAccess"),
            ptr("ObjectType"),
            byte("AccessMode"),
            ptr("Object"),
            ptr("HandleInformation"),
        ],
        Passive,
        reference_by_handle,
    ),
    row(
        "ObReferenceObjectByPointer",
        Std,
        &[
            ptr("Object"),
            long("DesiredAccess"),
            ptr("ObjectType"),
            byte("AccessMode"),
        ],
        Dispatch,
        reference_by_pointer,
    ),
    row(
        "ObfReferenceObject",
        Fast,
        &[ptr("Object")],
        Dispatch,
        reference,
    ),
    row(
        "ObfDereferenceObject",
        Fast,
        &[ptr("Object")],
        Dispatch,
        dereference_call,
    ),
    row(
        "ObDereferenceObject",
        Std,
        &[ptr("Object")],
        Dispatch,
        dereference_call,
    ),
    row(
        "ZwWaitForSingleObject",
        Std,
        &[ptr("Handle"), byte("Alertable"), ptr("Timeout")],
        Apc,
        wait,
    ),
];

fn close(call: &mut Call<'_>) -> Done {
    let handle = call.args[0];
    close_handle(call, handle, nt::Then::Return)
}

/// Closes a handle; `then` gets the status.
pub(crate) fn close_handle(call: &mut Call<'_>, handle: u64, then: nt::Then) -> Done {
    let Some(target) = call.m.state.nt.io.objects.take(handle) else {
        return Ok(Outcome::Continue(then, u64::from(status::INVALID_HANDLE)));
    };
    match target {
        HandleTarget::File(file) => close::handle_closed(call, file, then),
        HandleTarget::Thread(at) | HandleTarget::Event(at) => dereference(call, at, then),
        HandleTarget::Key(_) => Ok(Outcome::Continue(then, 0)),
    }
}

fn reference_by_handle(call: &mut Call<'_>) -> Done {
    let [handle, _, _, _, object_at, information, ..] = call.args;
    if information != 0 {
        let detail = "HandleInformation is asked for";
        return Err(call.unimplemented("ObReferenceObjectByHandle", detail));
    }
    let target = call.m.state.nt.io.objects.target(handle).cloned();
    let (status, object) = match target.as_ref().map(HandleTarget::body) {
        None => (status::INVALID_HANDLE, 0),
        Some(Some((at, _))) => {
            call.m.state.nt.io.objects.reference(at);
            (status::SUCCESS, at)
        }
        Some(None) => {
            let detail = "the handle of a registry key";
            return Err(call.unimplemented("ObReferenceObjectByHandle", detail));
        }
    };
    call.set_ptr(object_at, object)?;
    Ok(Outcome::Return(u64::from(status)))
}

fn reference_by_pointer(call: &mut Call<'_>) -> Done {
    add_reference(call, "ObReferenceObjectByPointer")?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn reference(call: &mut Call<'_>) -> Done {
    add_reference(call, "ObfReferenceObject").map(Outcome::Return)
}

/// Adds a reference to the object in the first argument; gives the new count.
fn add_reference(call: &mut Call<'_>, function: &str) -> Result<u64, Trouble> {
    let object = call.args[0];
    let objects = &mut call.m.state.nt.io.objects;
    if objects.reference(object) {
        return Ok(objects.body(object).map_or(0, |b| u64::from(b.references)));
    }
    Err(call.unimplemented(function, format!("{object:#x} is no object")))
}

fn dereference_call(call: &mut Call<'_>) -> Done {
    let object = call.args[0];
    let left = call
        .m
        .state
        .nt
        .io
        .objects
        .body(object)
        .map_or(0, |b| b.references);
    let left = u64::from(left.saturating_sub(1));
    dereference(call, object, nt::Then::ReturnValue(left))
}

fn wait(call: &mut Call<'_>) -> Done {
    let [handle, _, timeout, ..] = call.args;
    let due = if timeout == 0 {
        None
    } else {
        Some(call.u64(timeout)? as i64)
    };
    let object = match call.m.state.nt.io.objects.target(handle) {
        Some(&HandleTarget::Thread(at) | &HandleTarget::Event(at)) => at,
        Some(&HandleTarget::File(at)) => at + layout::of(call.arch()).file.event,
        Some(HandleTarget::Key(_)) => {
            return Ok(Outcome::Return(u64::from(status::OBJECT_TYPE_MISMATCH)));
        }
        None => return Ok(Outcome::Return(u64::from(status::INVALID_HANDLE))),
    };
    dispatcher::wait_for(call, vec![object], false, due, nt::Then::Return)
}
