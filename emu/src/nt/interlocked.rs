//! Interlocked functions: atomic arithmetic, and lists under a spin lock.
//!
//! On x86 the plain ones are exported as functions; elsewhere compilers inline them. Those that
//! take a spin lock hold it for an instant with interrupts masked, so they may be called at any
//! IRQL, and spin if somebody else holds it (Windows driver documentation, "Using Spin Locks",
//! "Singly and Doubly Linked Lists").

use isa::Arch;

use super::api::{Contract, Module, Style, long, ptr, quad};
use super::{Api, Arg, Call, Done, Trouble, layout, spin_lock};
use crate::machine::context::Outcome;

const WDK: &str = "Windows driver documentation: InterlockedIncrement, ExInterlockedInsertTailList, \
                   ExInterlockedPushEntrySList; wdm.h";

const fn row(
    name: &'static str,
    style: Style,
    args: &'static [Arg],
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (module, irql) = (Module::Ntoskrnl, Contract::Any);
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

use Style::{Fast, Std};

const ADDEND: &[Arg] = &[ptr("Addend")];
const VALUE: &[Arg] = &[ptr("Target"), long("Value")];
const LIST: &[Arg] = &[ptr("ListHead"), ptr("ListEntry"), ptr("Lock")];
const HEAD: &[Arg] = &[ptr("ListHead"), ptr("Lock")];
const ULONG: &[Arg] = &[ptr("Addend"), long("Increment"), ptr("Lock")];

/// Interlocked functions.
pub const API: &[Api] = &[
    row("InterlockedIncrement", Fast, ADDEND, |call| {
        arithmetic(call, |v, _| v.wrapping_add(1))
    }),
    row("InterlockedDecrement", Fast, ADDEND, |call| {
        arithmetic(call, |v, _| v.wrapping_sub(1))
    }),
    row("InterlockedExchange", Fast, VALUE, exchange),
    row("InterlockedExchangeAdd", Fast, VALUE, exchange_add),
    row(
        "InterlockedCompareExchange",
        Fast,
        &[ptr("Destination"), long("Exchange"), long("Comperand")],
        compare_exchange,
    ),
    row("ExInterlockedInsertHeadList", Std, LIST, |call| {
        with_lock(call, Operation::InsertHead)
    }),
    row("ExInterlockedInsertTailList", Std, LIST, |call| {
        with_lock(call, Operation::InsertTail)
    }),
    row("ExInterlockedRemoveHeadList", Std, HEAD, |call| {
        with_lock(call, Operation::RemoveHead)
    }),
    row("ExInterlockedPushEntryList", Std, LIST, |call| {
        with_lock(call, Operation::Push)
    }),
    row("ExInterlockedPopEntryList", Std, HEAD, |call| {
        with_lock(call, Operation::Pop)
    }),
    row("ExInterlockedAddUlong", Std, ULONG, |call| {
        with_lock(call, Operation::AddUlong)
    }),
    row("ExfInterlockedInsertHeadList", Fast, LIST, |call| {
        with_lock(call, Operation::InsertHead)
    }),
    row("ExfInterlockedInsertTailList", Fast, LIST, |call| {
        with_lock(call, Operation::InsertTail)
    }),
    row("ExfInterlockedRemoveHeadList", Fast, HEAD, |call| {
        with_lock(call, Operation::RemoveHead)
    }),
    row("ExfInterlockedPushEntryList", Fast, LIST, |call| {
        with_lock(call, Operation::Push)
    }),
    row("ExfInterlockedPopEntryList", Fast, HEAD, |call| {
        with_lock(call, Operation::Pop)
    }),
    row("ExfInterlockedAddUlong", Fast, ULONG, |call| {
        with_lock(call, Operation::AddUlong)
    }),
    row(
        "ExInterlockedAddLargeInteger",
        Std,
        &[ptr("Addend"), quad("Increment"), ptr("Lock")],
        |call| with_lock(call, Operation::AddLarge),
    ),
    row(
        "ExInterlockedAddLargeStatistic",
        Fast,
        &[ptr("Addend"), long("Increment")],
        add_statistic,
    ),
    row(
        "ExInterlockedCompareExchange64",
        Fast,
        &[
            ptr("Destination"),
            ptr("Exchange"),
            ptr("Comperand"),
            ptr("Lock"),
        ],
        compare_exchange_64,
    ),
    row(
        "InitializeSListHead",
        Std,
        &[ptr("SListHead")],
        initialize_slist,
    ),
    row("ExQueryDepthSList", Std, &[ptr("SListHead")], depth_slist),
    row(
        "ExInterlockedFlushSList",
        Fast,
        &[ptr("ListHead")],
        flush_slist,
    ),
    row("ExInterlockedPushEntrySList", Fast, LIST, push_slist),
    row("ExInterlockedPopEntrySList", Fast, HEAD, pop_slist),
    row(
        "ExpInterlockedPushEntrySList",
        Std,
        &[ptr("ListHead"), ptr("ListEntry")],
        push_slist,
    ),
    row(
        "ExpInterlockedPopEntrySList",
        Std,
        &[ptr("ListHead")],
        pop_slist,
    ),
    row(
        "InterlockedPushEntrySList",
        Fast,
        &[ptr("ListHead"), ptr("ListEntry")],
        push_slist,
    ),
    row(
        "InterlockedPopEntrySList",
        Fast,
        &[ptr("ListHead")],
        pop_slist,
    ),
];

/// An operation that waits for its lock.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Then {
    operation: Operation,
    args: [u64; 2],
    lock: u64,
    /// The IRQL before.
    irql: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    InsertHead,
    InsertTail,
    RemoveHead,
    Push,
    Pop,
    AddUlong,
    AddLarge,
}

impl Operation {
    /// Which argument is the lock.
    fn lock_argument(self) -> usize {
        match self {
            Operation::RemoveHead | Operation::Pop => 1,
            _ => 2,
        }
    }
}

/// Replaces a 32-bit value by what `f` makes of it and the second argument; gives the new value.
fn arithmetic(call: &mut Call<'_>, f: fn(u32, u32) -> u32) -> Done {
    let [at, value, ..] = call.args;
    let new = f(call.u32(at)?, value as u32);
    call.set_u32(at, new)?;
    Ok(Outcome::Return(u64::from(new)))
}

fn exchange(call: &mut Call<'_>) -> Done {
    let [at, value, ..] = call.args;
    let old = call.u32(at)?;
    call.set_u32(at, value as u32)?;
    Ok(Outcome::Return(u64::from(old)))
}

fn exchange_add(call: &mut Call<'_>) -> Done {
    let [at, value, ..] = call.args;
    let old = call.u32(at)?;
    call.set_u32(at, old.wrapping_add(value as u32))?;
    Ok(Outcome::Return(u64::from(old)))
}

fn compare_exchange(call: &mut Call<'_>) -> Done {
    let [at, value, expected, ..] = call.args;
    let old = call.u32(at)?;
    if u64::from(old) == expected {
        call.set_u32(at, value as u32)?;
    }
    Ok(Outcome::Return(u64::from(old)))
}

fn compare_exchange_64(call: &mut Call<'_>) -> Done {
    let [at, value_at, expected_at, ..] = call.args;
    let (value, expected) = (call.u64(value_at)?, call.u64(expected_at)?);
    let old = call.u64(at)?;
    if old == expected {
        call.set_u64(at, value)?;
    }
    Ok(Outcome::Return(old))
}

fn add_statistic(call: &mut Call<'_>) -> Done {
    let [at, increment, ..] = call.args;
    let sum = call.u64(at)?.wrapping_add(increment);
    call.set_u64(at, sum)?;
    Ok(Outcome::Return(0))
}

/// Performs an operation while holding its lock.
fn with_lock(call: &mut Call<'_>, operation: Operation) -> Done {
    let lock = call.args[operation.lock_argument()];
    let irql = call.irql();
    let [first, second, ..] = call.args;
    if call.m.cpus() > 1 && call.ptr(lock)? != 0 {
        // It will spin, and does so with interrupts masked.
        let high = call.m.irqls().high;
        call.m.set_irql(call.core, high);
    }
    let then = Then {
        operation,
        args: [first, second],
        lock,
        irql,
    };
    spin_lock::acquire(call, lock, super::Then::Interlocked(then))
}

/// The lock of an operation has been taken.
pub(crate) fn resume(call: &mut Call<'_>, then: Then) -> Done {
    let value = perform(call, then.operation, then.args)?;
    spin_lock::drop_lock(call, then.lock)?;
    call.m.set_irql(call.core, then.irql);
    Ok(Outcome::Return(value))
}

fn perform(call: &mut Call<'_>, operation: Operation, args: [u64; 2]) -> Result<u64, Trouble> {
    let l = layout::of(call.arch()).list_entry;
    let [head, entry] = args;
    match operation {
        Operation::InsertHead => {
            let first = call.ptr(head + l.flink)?;
            link(call, head, entry, first)?;
            Ok(if first == head { 0 } else { first })
        }
        Operation::InsertTail => {
            let last = call.ptr(head + l.blink)?;
            link(call, last, entry, head)?;
            Ok(if last == head { 0 } else { last })
        }
        Operation::RemoveHead => {
            let first = call.ptr(head + l.flink)?;
            if first == head {
                return Ok(0);
            }
            let next = call.ptr(first + l.flink)?;
            call.set_ptr(head + l.flink, next)?;
            call.set_ptr(next + l.blink, head)?;
            Ok(first)
        }
        Operation::Push => {
            let first = call.ptr(head)?;
            call.set_ptr(entry, first)?;
            call.set_ptr(head, entry)?;
            Ok(first)
        }
        Operation::Pop => {
            let first = call.ptr(head)?;
            if first != 0 {
                let next = call.ptr(first)?;
                call.set_ptr(head, next)?;
            }
            Ok(first)
        }
        Operation::AddUlong => {
            let old = call.u32(head)?;
            call.set_u32(head, old.wrapping_add(entry as u32))?;
            Ok(u64::from(old))
        }
        Operation::AddLarge => {
            let old = call.u64(head)?;
            call.set_u64(head, old.wrapping_add(entry))?;
            Ok(old)
        }
    }
}

/// Puts `entry` between two neighbours of a list.
fn link(call: &mut Call<'_>, before: u64, entry: u64, after: u64) -> Result<(), Trouble> {
    let l = layout::of(call.arch()).list_entry;
    call.set_ptr(entry + l.flink, after)?;
    call.set_ptr(entry + l.blink, before)?;
    call.set_ptr(before + l.flink, entry)?;
    call.set_ptr(after + l.blink, entry)
}

/// Where an `SLIST_HEADER` has its first entry and its 16-bit depth: `wdm.h`'s `Next` and `Depth`
/// on x86; on the 64-bit machines the 16-byte header of `winnt.h`, whose first word begins with
/// the depth and whose second word is the entry (the low four bits are its own).
struct SListHeader {
    size: u64,
    next: u64,
    depth: u64,
    sequence: u64,
}

fn slist(call: &Call<'_>) -> SListHeader {
    match call.arch() {
        Arch::X86 => SListHeader {
            size: 8,
            next: 0,
            depth: 4,
            sequence: 6,
        },
        Arch::X64 | Arch::Arm64 => SListHeader {
            size: 16,
            next: 8,
            depth: 0,
            sequence: 2,
        },
    }
}

fn initialize_slist(call: &mut Call<'_>) -> Done {
    let head = call.args[0];
    let size = slist(call).size;
    call.write_bytes(head, &vec![0; size as usize])?;
    Ok(Outcome::Return(0))
}

/// The first entry of an SLIST.
fn first_of(call: &mut Call<'_>, head: u64) -> Result<u64, Trouble> {
    let at = slist(call).next;
    let next = call.ptr(head + at)?;
    Ok(if call.arch() == Arch::X86 {
        next
    } else {
        next & !0xF
    })
}

/// Makes `entry` the first of an SLIST and adds to its depth and sequence.
fn set_first(call: &mut Call<'_>, head: u64, entry: u64, more: u16) -> Result<(), Trouble> {
    let at = slist(call);
    call.set_ptr(head + at.next, entry)?;
    let depth = call.u16(head + at.depth)?.wrapping_add(more);
    call.set_u16(head + at.depth, depth)?;
    let sequence = call.u16(head + at.sequence)?.wrapping_add(1);
    call.set_u16(head + at.sequence, sequence)
}

fn push_slist(call: &mut Call<'_>) -> Done {
    let [head, entry, ..] = call.args;
    let first = first_of(call, head)?;
    call.set_ptr(entry, first)?;
    set_first(call, head, entry, 1)?;
    Ok(Outcome::Return(first))
}

fn pop_slist(call: &mut Call<'_>) -> Done {
    let head = call.args[0];
    let first = first_of(call, head)?;
    if first != 0 {
        let next = call.ptr(first)?;
        set_first(call, head, next, u16::MAX)?;
    }
    Ok(Outcome::Return(first))
}

fn flush_slist(call: &mut Call<'_>) -> Done {
    let head = call.args[0];
    let at = slist(call);
    let first = first_of(call, head)?;
    call.set_ptr(head + at.next, 0)?;
    call.set_u16(head + at.depth, 0)?;
    Ok(Outcome::Return(first))
}

fn depth_slist(call: &mut Call<'_>) -> Done {
    let head = call.args[0];
    let at = slist(call).depth;
    let depth = call.u16(head + at)?;
    Ok(Outcome::Return(u64::from(depth)))
}
