//! Opening a device: `IRP_MJ_CREATE`.
//!
//! Windows driver documentation: "ZwCreateFile", "IRP_MJ_CREATE", "IoGetDeviceObjectPointer".

use super::history::{Ended, Origin};
use super::irp::{self, flags};
use super::name::Entry;
use super::object::{self, HandleTarget, new_handle};
use super::send::{self, Purpose, Sent};
use super::{device, ea, file};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, status};

const WDK: &str = "Windows driver documentation: ZwCreateFile, ZwOpenFile, \
                   IoGetDeviceObjectPointer; wdm.h";
const IRP_MJ_CREATE: u8 = 0x00;
/// `CreateDisposition`: the device must be there.
pub(super) const FILE_OPEN: u32 = 1;
/// `CreateOptions`: requests on the handle end before the call returns.
pub(super) const FILE_SYNCHRONOUS_IO_NONALERT: u32 = 0x20;
const FILE_NON_DIRECTORY_FILE: u32 = 0x40;
/// `FILE_OBJECT.Flags` (`ntifs.h`).
const FO_HANDLE_CREATED: u32 = 0x4_0000;

/// A file to be opened.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub(crate) struct Open {
    /// Full name.
    pub path: String,
    /// `DesiredAccess`
    pub access: u32,
    /// `CreateOptions`
    pub options: u32,
    /// `CreateDisposition`
    pub disposition: u32,
    /// `FileAttributes`
    pub attributes: u16,
    /// `ShareAccess`
    pub share: u16,
    /// 0: the kernel asks, 1: a program.
    pub mode: u8,
    /// The extended attributes: a `FILE_FULL_EA_INFORMATION` list.
    pub attribute_list: Vec<u8>,
}

/// A file being opened.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Opening {
    file: u64,
    /// Extended attributes and security context in pool; 0 is none.
    buffers: [u64; 2],
    to: Destination,
    then: Box<nt::Then>,
}

/// Where the handle of an opened file goes.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Destination {
    /// Into memory, with the final status; 0 is nowhere.
    Memory {
        /// Address of the handle.
        handle_at: u64,
        /// Address of an `IO_STATUS_BLOCK`.
        status_at: u64,
    },
    /// Into a slot of the current requester's script.
    Slot(usize),
    /// Nowhere: the file object, referenced, and its device are what is wanted.
    Pointers {
        /// Address of the file object's pointer.
        file_at: u64,
        /// Address of the device object's pointer.
        device_at: u64,
    },
}

/// Functions that open files.
pub const API: &[Api] = &[
    row(
        "ZwCreateFile",
        &[
            ptr("FileHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
            ptr("IoStatusBlock"),
            ptr("AllocationSize"),
            long("FileAttributes"),
            long("ShareAccess"),
            long("CreateDisposition"),
            long("CreateOptions"),
            ptr("EaBuffer"),
            long("EaLength"),
        ],
        create_file,
    ),
    row(
        "ZwOpenFile",
        &[
            ptr("FileHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
            ptr("IoStatusBlock"),
            long("ShareAccess"),
            long("OpenOptions"),
        ],
        open_file,
    ),
    row(
        "IoGetDeviceObjectPointer",
        &[
            ptr("ObjectName"),
            long("DesiredAccess"),
            ptr("FileObject"),
            ptr("DeviceObject"),
        ],
        get_device_pointer,
    ),
];

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

fn create_file(call: &mut Call<'_>) -> Done {
    let [
        handle_at,
        access,
        attributes,
        status_at,
        _,
        kind,
        share,
        disposition,
        options,
        ea,
        ea_length,
        ..,
    ] = call.args;
    let attribute_list = if ea == 0 {
        Vec::new()
    } else {
        call.read_vec(ea, ea_length)?
    };
    let path = path(call, attributes, "ZwCreateFile")?;
    let open_it = Open {
        path,
        access: access as u32,
        options: options as u32,
        disposition: disposition as u32,
        attributes: kind as u16,
        share: share as u16,
        mode: 0,
        attribute_list,
    };
    open(
        call,
        open_it,
        Destination::Memory {
            handle_at,
            status_at,
        },
        nt::Then::Return,
    )
}

fn open_file(call: &mut Call<'_>) -> Done {
    let [handle_at, access, attributes, status_at, share, options, ..] = call.args;
    let path = path(call, attributes, "ZwOpenFile")?;
    let open_it = Open {
        path,
        access: access as u32,
        options: options as u32,
        disposition: FILE_OPEN,
        share: share as u16,
        ..Open::default()
    };
    open(
        call,
        open_it,
        Destination::Memory {
            handle_at,
            status_at,
        },
        nt::Then::Return,
    )
}

fn get_device_pointer(call: &mut Call<'_>) -> Done {
    let [name_at, access, file_at, device_at, ..] = call.args;
    let path = call.unicode_string(name_at)?;
    let open_it = Open {
        path,
        access: access as u32,
        options: FILE_NON_DIRECTORY_FILE,
        disposition: FILE_OPEN,
        share: 3,
        ..Open::default()
    };
    open(
        call,
        open_it,
        Destination::Pointers { file_at, device_at },
        nt::Then::Return,
    )
}

fn path(call: &mut Call<'_>, attributes: u64, function: &str) -> Result<String, Trouble> {
    let (root, name) = object::attributes(call, attributes)?;
    if root != 0 {
        return Err(call.unimplemented(function, "a name relative to RootDirectory"));
    }
    Ok(name)
}

/// Opens a file; `then` gets the status.
pub(crate) fn open(call: &mut Call<'_>, open: Open, to: Destination, then: nt::Then) -> Done {
    match begin(call, &open)? {
        Ok((file, device, irp, buffers)) => {
            let event = file + layout::of(call.arch()).file.event;
            let opening = Opening {
                file,
                buffers,
                to,
                then: Box::new(then),
            };
            let purpose = Purpose::Open(opening);
            send::send(
                call,
                device,
                Sent {
                    irp,
                    event,
                    wait: true,
                    purpose,
                },
            )
        }
        Err(failure) => Ok(Outcome::Continue(then, u64::from(failure))),
    }
}

/// A file object, the device to send to, the IRP, and the pool blocks that go with it.
type Begun = (u64, u64, u64, [u64; 2]);

/// Everything up to sending the IRP; the inner error is the status of a file that cannot be opened.
fn begin(call: &mut Call<'_>, open: &Open) -> Result<Result<Begun, u32>, Trouble> {
    let (base, rest) = match call.m.state.nt.io.names.find(&open.path) {
        Ok((Entry::Device(device), rest)) => (device, rest),
        Ok(_) => return Ok(Err(status::OBJECT_TYPE_MISMATCH)),
        Err(failure) => return Ok(Err(failure)),
    };
    if let Err(failure) = device::may_open(call, base)? {
        return Ok(Err(failure));
    }
    if !open.attribute_list.is_empty() && !ea::is_valid(&open.attribute_list) {
        return Ok(Err(status::EA_LIST_INCONSISTENT));
    }
    let top = device::top(call, base)?;
    let Some(file) = file::new_file(call, base, &rest, open)? else {
        return Ok(Err(status::INSUFFICIENT_RESOURCES));
    };
    let stacks = call.u8(top + layout::of(call.arch()).device.stack_size)?;
    let irp = irp::allocate(call, stacks, Origin::Awaited)?;
    let list = block(call, &open.attribute_list, *b"Io  ")?;
    let security = security_context(call, open)?;
    if irp == 0 || list.is_none() || security.is_none() {
        for at in [irp, list.unwrap_or(0), security.unwrap_or(0)]
            .into_iter()
            .filter(|&p| p != 0)
        {
            pool::free(call.m, call.core, at)?;
        }
        file::discard(call, file)?;
        return Ok(Err(status::INSUFFICIENT_RESOURCES));
    }
    let buffers = [list.unwrap_or(0), security.unwrap_or(0)];
    fill_create(call, irp, file, buffers, open)?;
    device::opened(call, base)?;
    Ok(Ok((file, top, irp, buffers)))
}

/// A pool block with a copy of `bytes`: 0 for no bytes, `None` if there is no pool.
fn block(call: &mut Call<'_>, bytes: &[u8], tag: [u8; 4]) -> Result<Option<u64>, Trouble> {
    if bytes.is_empty() {
        return Ok(Some(0));
    }
    let at = pool::allocate(call.m, call.core, bytes.len() as u64, tag, false);
    if at == 0 {
        return Ok(None);
    }
    call.write_bytes(at, bytes)?;
    Ok(Some(at))
}

/// An `IO_SECURITY_CONTEXT` without quality of service and access state: desired access and
/// options follow the two pointers.
fn security_context(call: &mut Call<'_>, open: &Open) -> Result<Option<u64>, Trouble> {
    let mut bytes = vec![0; 2 * call.arch().pointer_size() as usize];
    bytes.extend(open.access.to_le_bytes());
    bytes.extend(open.options.to_le_bytes());
    block(call, &bytes, *b"IoSc")
}

fn fill_create(
    call: &mut Call<'_>,
    irp: u64,
    file: u64,
    buffers: [u64; 2],
    open: &Open,
) -> Result<(), Trouble> {
    let l = layout::of(call.arch());
    let flags = flags::CREATE_OPERATION | flags::SYNCHRONOUS_API | flags::DEFER_IO_COMPLETION;
    let stack = file::fill(call, irp, file, IRP_MJ_CREATE, flags, open.mode)?;
    call.set_ptr(irp + l.irp.associated_irp, buffers[0])?;
    call.set_ptr(stack + l.stack.argument1, buffers[1])?;
    call.set_u32(
        stack + l.stack.create_options,
        open.disposition << 24 | open.options,
    )?;
    call.set_u16(stack + l.stack.create_file_attributes, open.attributes)?;
    call.set_u16(stack + l.stack.create_share_access, open.share)?;
    call.set_u32(
        stack + l.stack.create_ea_length,
        open.attribute_list.len() as u32,
    )
}

/// The driver has answered `IRP_MJ_CREATE`.
pub(super) fn opened(call: &mut Call<'_>, opening: Opening, ended: Ended) -> Done {
    let Opening {
        file,
        buffers,
        to,
        then,
    } = opening;
    for at in buffers.into_iter().filter(|&p| p != 0) {
        pool::free(call.m, call.core, at)?;
    }
    if let Destination::Memory { status_at, .. } = to
        && status_at != 0
    {
        let at = layout::of(call.arch()).io_status_block;
        call.set_u32(status_at + at.status, ended.status)?;
        call.set_ptr(status_at + at.information, ended.information)?;
    }
    if status::is_error(ended.status) {
        // A file that was never open is not closed: it just goes.
        let device = file::discard(call, file)?;
        device::closed(call, device)?;
        return Ok(Outcome::Continue(*then, u64::from(ended.status)));
    }
    let at = file + layout::of(call.arch()).file.flags;
    let now = call.u32(at)? | FO_HANDLE_CREATED;
    call.set_u32(at, now)?;
    let handle = new_handle(call.m, HandleTarget::File(file));
    if let Destination::Pointers { file_at, device_at } = to {
        // The reference from the creation of the object becomes the caller's.
        let device = file::related_device(call, file)?;
        call.set_ptr(file_at, file)?;
        call.set_ptr(device_at, device)?;
        return object::close_handle(call, handle, *then);
    }
    call.m.state.nt.io.objects.release(file);
    match to {
        Destination::Memory { handle_at, .. } => call.set_ptr(handle_at, handle)?,
        Destination::Slot(slot) => set_slot(call, slot, handle),
        Destination::Pointers { .. } => {}
    }
    Ok(Outcome::Continue(*then, u64::from(ended.status)))
}

fn set_slot(call: &mut Call<'_>, slot: usize, handle: u64) {
    let Some(id) = call.m.state.cores[call.core].thread() else {
        return;
    };
    let thread = &mut call.m.state.nt.threads.list[id as usize];
    if let Some(place) = thread.script.as_mut().and_then(|s| s.handles.get_mut(slot)) {
        *place = handle;
    }
}
