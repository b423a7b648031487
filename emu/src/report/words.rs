//! One line of words for any event.

use super::codes;
use crate::stop::Access;
use crate::trace::event::{
    Event, EventKind, IrpOp, LockOp, PacketOp, PoolOp, ThreadOp, TimerOp, WaitOp,
};

/// Turns guest addresses into words. The machine implements it; tests invent one.
pub trait Names {
    /// A code address in full: image, function, file and line, for example
    /// `sample.sys!queue::drain queue.rs:97`; the digits if nothing is known.
    fn place(&self, va: u64) -> String;
    /// The same as short as it identifies, for example `queue.rs:97`.
    fn short(&self, va: u64) -> String;
    /// A data address, for example `8a001010 (Smpl block +0x10)`; the digits if nothing is known.
    fn object(&self, va: u64) -> String;
}

/// What happened, in one line without the position, the core and the place in the code.
///
/// Text that comes from a guest (`DbgPrint`, tags) is made printable, so that no driver can write
/// escape sequences to a terminal.
pub fn words(event: &Event, names: &dyn Names) -> String {
    match &event.kind {
        EventKind::Choice {
            options,
            taken,
            label,
        } => format!(
            "choice {} of {options}: {}",
            u64::from(*taken) + 1,
            printable(label)
        ),
        EventKind::Irql { from, to } => format!("IRQL {from} -> {to}"),
        EventKind::Lock { op, lock } => format!("{} lock {}", lock_verb(*op), names.object(*lock)),
        EventKind::Pool {
            op,
            block,
            size,
            tag,
            paged,
        } => pool(*op, *block, *size, *tag, *paged, names),
        EventKind::Call { name, args } => {
            let args: Vec<String> = args.iter().map(|arg| format!("{arg:#x}")).collect();
            format!("{name}({})", args.join(", "))
        }
        EventKind::Enter { what, routine } => format!("enters {what} {}", names.short(*routine)),
        EventKind::Leave { what, value: 0 } => format!("leaves {what}"),
        EventKind::Leave { what, value } => format!("leaves {what} = {value:#x}"),
        EventKind::Interrupt {
            delivered,
            level,
            source,
        } => {
            let state = if *delivered { "delivered" } else { "pending" };
            format!("interrupt {source} of level {level} {state}")
        }
        EventKind::Dpc {
            queued: true,
            dpc,
            target,
        } => format!("queues DPC {} for core {target}", names.object(*dpc)),
        EventKind::Dpc {
            queued: false, dpc, ..
        } => format!("removes DPC {}", names.object(*dpc)),
        EventKind::Timer { op, timer } => match op {
            TimerOp::Set => format!("sets timer {}", names.object(*timer)),
            TimerOp::Cancelled => format!("cancels timer {}", names.object(*timer)),
            TimerOp::Expired => format!("timer {} expires", names.object(*timer)),
        },
        EventKind::Packet {
            op,
            adapter,
            number,
            length,
            contents,
        } => {
            let verb = match op {
                PacketOp::Arrived => "arrives at",
                PacketOp::Indicated => "is indicated from",
                PacketOp::Returned => "is returned to",
                PacketOp::Sent => "is sent by",
            };
            let summary = printable(contents.words());
            format!("packet {number} {verb} adapter {adapter}: {summary} ({length} bytes)")
        }
        EventKind::Irp {
            op,
            irp,
            major,
            minor,
            device,
            status,
        } => {
            let (irp, device) = (names.object(*irp), names.object(*device));
            let function = irp_function(*major, *minor);
            match op {
                IrpOp::Dispatched => format!("IRP {irp} {function} to {device}"),
                IrpOp::Completed => format!("IRP {irp} {function} completes with 0x{status:08X}"),
                IrpOp::Cancelled => format!("IRP {irp} {function} is cancelled"),
            }
        }
        EventKind::Wait { op, object, thread } => {
            let verb = match op {
                WaitOp::Blocked => "waits for",
                WaitOp::Satisfied => "gets",
                WaitOp::TimedOut => "times out on",
            };
            format!("thread {thread} {verb} {}", names.object(*object))
        }
        EventKind::Signal { object, state: 0 } => format!("resets {}", names.object(*object)),
        EventKind::Signal { object, state } => {
            format!("signals {} (state {state})", names.object(*object))
        }
        EventKind::Thread { op, thread } => {
            let verb = match op {
                ThreadOp::Created => "is created",
                ThreadOp::Running => "runs",
                ThreadOp::Parked => "leaves the core",
                ThreadOp::Ended => "ends",
            };
            format!("thread {thread} {verb}")
        }
        EventKind::Page {
            resident: true,
            page,
        } => format!("page {page:08x} comes into memory"),
        EventKind::Page {
            resident: false,
            page,
        } => format!("page {page:08x} leaves memory"),
        EventKind::Fault { address, access } => {
            format!(
                "{} of {} fails",
                access_noun(*access),
                names.object(*address)
            )
        }
        EventKind::Injected { fault, detail } => format!("fault {fault}: {}", printable(detail)),
        EventKind::Broken { rule, what, .. } => format!("breaks {rule}: {}", printable(what)),
        EventKind::Debug { text } => format!("DbgPrint: {}", printable(text.trim_end())),
        EventKind::Bugcheck { code } => match codes::name(*code) {
            Some(name) => format!("STOP 0x{code:08X} {name}"),
            None => format!("STOP 0x{code:08X}"),
        },
    }
}

/// `read`, `write` or `execute`.
pub fn access_noun(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Execute => "execute",
    }
}

/// A pool tag as the four characters that the programmer wrote.
pub fn tag(tag: [u8; 4]) -> String {
    tag.iter()
        .map(|&byte| match byte {
            0x20..=0x7E => char::from(byte),
            _ => '.',
        })
        .collect()
}

/// The text with every control character written as an escape.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn lock_verb(op: LockOp) -> &'static str {
    match op {
        LockOp::Acquired => "takes",
        LockOp::Released => "releases",
        LockOp::Contended => "spins on",
    }
}

fn pool(
    op: PoolOp,
    block: u64,
    size: u64,
    bytes: [u8; 4],
    paged: bool,
    names: &dyn Names,
) -> String {
    let (tag, paged) = (tag(bytes), if paged { " paged" } else { "" });
    match op {
        PoolOp::Allocated => format!("alloc {tag} {size:#x}{paged} {}", names.object(block)),
        PoolOp::Freed => format!("free  {tag} {size:#x}{paged} {}", names.object(block)),
        PoolOp::Failed => format!("alloc {tag} {size:#x}{paged} fails"),
    }
}

/// `IRP_MJ_*` by number (WDK `wdm.h`), with the minor code where it is not 0.
pub fn irp_function(major: u8, minor: u8) -> String {
    const MAJOR: [&str; 28] = [
        "CREATE",
        "CREATE_NAMED_PIPE",
        "CLOSE",
        "READ",
        "WRITE",
        "QUERY_INFORMATION",
        "SET_INFORMATION",
        "QUERY_EA",
        "SET_EA",
        "FLUSH_BUFFERS",
        "QUERY_VOLUME_INFORMATION",
        "SET_VOLUME_INFORMATION",
        "DIRECTORY_CONTROL",
        "FILE_SYSTEM_CONTROL",
        "DEVICE_CONTROL",
        "INTERNAL_DEVICE_CONTROL",
        "SHUTDOWN",
        "LOCK_CONTROL",
        "CLEANUP",
        "CREATE_MAILSLOT",
        "QUERY_SECURITY",
        "SET_SECURITY",
        "POWER",
        "SYSTEM_CONTROL",
        "DEVICE_CHANGE",
        "QUERY_QUOTA",
        "SET_QUOTA",
        "PNP",
    ];
    let name = match MAJOR.get(usize::from(major)) {
        Some(name) => (*name).to_string(),
        None => format!("{major:#04x}"),
    };
    match minor {
        0 => name,
        _ => format!("{name}.{minor:#x}"),
    }
}
