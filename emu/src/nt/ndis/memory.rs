//! Memory that NDIS allocates, for itself and for protocols. All of it is nonpaged.

use super::{misuse, status};
use crate::faults;
use crate::machine::context::Outcome;
use crate::nt::{Call, Done, Trouble, pool};
use crate::trace::EventKind;
use crate::trace::event::PoolOp;

/// The tag of memory that a protocol allocates without one.
const TAG: [u8; 4] = *b"NDam";

/// Allocates nonpaged pool on behalf of a driver's call, which a fault rule may make fail; 0 if
/// there is none.
pub(super) fn allocate(call: &mut Call<'_>, size: u64, tag: [u8; 4]) -> u64 {
    if faults::allocation(call.m, call.core, size, tag, false) {
        let op = PoolOp::Failed;
        call.event(EventKind::Pool {
            op,
            block: 0,
            size,
            tag,
            paged: false,
        });
        return 0;
    }
    let block = pool::allocate(call.m, call.core, size, tag, false);
    faults::allocated(call.m, call.core, size, tag, false, block);
    block
}

/// `NdisAllocateMemory`
pub(super) fn allocate_call(call: &mut Call<'_>) -> Done {
    let [address_at, length, flags, ..] = call.args;
    if flags != 0 {
        let what = "contiguous or noncached memory, which only miniports need";
        return Err(misuse(call, "NdisAllocateMemory", what));
    }
    give(call, address_at, length, TAG)
}

/// `NdisAllocateMemoryWithTag`
pub(super) fn allocate_with_tag(call: &mut Call<'_>) -> Done {
    let [address_at, length, tag, ..] = call.args;
    give(call, address_at, length, (tag as u32).to_le_bytes())
}

fn give(call: &mut Call<'_>, address_at: u64, length: u64, tag: [u8; 4]) -> Done {
    let block = allocate(call, length, tag);
    pool::own(call, block);
    call.set_ptr(address_at, block)?;
    let status = if block == 0 {
        status::FAILURE
    } else {
        status::SUCCESS
    };
    Ok(Outcome::Return(u64::from(status)))
}

/// `NdisFreeMemory`
pub(super) fn free_call(call: &mut Call<'_>) -> Done {
    let [address, _length, flags, ..] = call.args;
    if flags != 0 {
        let what = "contiguous or noncached memory, which only miniports need";
        return Err(misuse(call, "NdisFreeMemory", what));
    }
    free(call, address)?;
    Ok(Outcome::Return(0))
}

/// Gives a block back to the pool.
pub(super) fn free(call: &mut Call<'_>, block: u64) -> Result<(), Trouble> {
    pool::free(call.m, call.core, block)
}
