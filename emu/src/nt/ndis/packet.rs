//! Packet descriptors: pools of a fixed number, as in NT 4.0, and what is done with descriptors.

use std::collections::BTreeSet;

use super::buffer::{self, chain};
use super::{layout, memory, misuse, status};
use crate::faults;
use crate::machine::context::Outcome;
use crate::nt::{self, Call, Done, Trouble};

const POOL_TAG: [u8; 4] = *b"NDpp";
/// Bytes of a pool before its first descriptor.
const POOL_HEADER: u64 = 0x40;
/// `fPACKET_ALLOCATED_BY_NDIS`
const ALLOCATED_BY_NDIS: u8 = 0x80;
/// Pointers in the `NDIS_PACKET_EXTENSION` behind the out-of-band data (NDIS 5.1).
const PACKET_INFO: u64 = 12;

/// A pool of packet descriptors. Its handle is its address.
#[derive(Clone, Debug, Hash)]
pub(super) struct Pool {
    /// Bytes for the protocol in each descriptor.
    reserved: u64,
    /// Free descriptors, the one to be used next last.
    free: Vec<u64>,
    /// Descriptors in use.
    used: BTreeSet<u64>,
}

/// Offset of the out-of-band data in a descriptor with so much room for the protocol.
fn oob_offset(call: &Call<'_>, reserved: u64) -> u64 {
    (layout::of(call.arch()).packet.size + reserved).next_multiple_of(8)
}

/// Bytes of a descriptor with so much room for the protocol.
pub(super) fn size(call: &Call<'_>, reserved: u64) -> u64 {
    let oob = layout::of(call.arch()).oob.size;
    let size = oob_offset(call, reserved) + oob + PACKET_INFO * call.arch().pointer_size();
    size.next_multiple_of(16)
}

/// Makes a descriptor without buffers.
pub(super) fn fill(
    call: &mut Call<'_>,
    packet: u64,
    reserved: u64,
    pool: u64,
) -> Result<(), Trouble> {
    let at = layout::of(call.arch()).packet;
    let (size, oob) = (size(call, reserved), oob_offset(call, reserved));
    call.write_bytes(packet, &vec![0; size as usize])?;
    call.set_ptr(packet + at.pool, pool)?;
    call.set_u8(packet + at.ndis_flags, ALLOCATED_BY_NDIS)?;
    call.set_u16(packet + at.oob_offset, oob as u16)
}

/// Where the out-of-band data of a packet is (`NDIS_OOB_DATA_FROM_PACKET`).
pub(super) fn oob(call: &mut Call<'_>, packet: u64) -> Result<u64, Trouble> {
    let at = layout::of(call.arch()).packet;
    Ok(packet + u64::from(call.u16(packet + at.oob_offset)?))
}

/// `NdisAllocatePacketPool`
pub(super) fn allocate_pool(call: &mut Call<'_>) -> Done {
    let [status_at, pool_at, count, reserved, ..] = call.args;
    make_pool(call, status_at, pool_at, count, reserved)
}

/// `NdisAllocatePacketPoolEx`: a pool that may grow by a second number.
pub(super) fn allocate_pool_ex(call: &mut Call<'_>) -> Done {
    let [status_at, pool_at, count, overflow, reserved, ..] = call.args;
    make_pool(call, status_at, pool_at, count + overflow, reserved)
}

fn make_pool(call: &mut Call<'_>, status_at: u64, pool_at: u64, count: u64, reserved: u64) -> Done {
    let each = size(call, reserved);
    // The offset of the out-of-band data has 16 bits.
    let pool = match u16::try_from(oob_offset(call, reserved)) {
        Ok(_) => memory::allocate(call, POOL_HEADER + count * each, POOL_TAG),
        Err(_) => 0,
    };
    let status = if pool == 0 {
        status::RESOURCES
    } else {
        status::SUCCESS
    };
    if pool != 0 {
        let free = (0..count)
            .rev()
            .map(|i| pool + POOL_HEADER + i * each)
            .collect();
        let made = Pool {
            reserved,
            free,
            used: BTreeSet::new(),
        };
        call.m.state.nt.net.packet_pools.insert(pool, made);
    }
    call.set_ptr(pool_at, pool)?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// `NdisFreePacketPool`. Descriptors that are still in use lose their memory.
pub(super) fn free_pool(call: &mut Call<'_>) -> Done {
    let pool = call.args[0];
    if call.m.state.nt.net.packet_pools.remove(&pool).is_none() {
        return Err(misuse(
            call,
            "NdisFreePacketPool",
            "not the handle of a packet pool",
        ));
    }
    memory::free(call, pool)?;
    Ok(Outcome::Return(0))
}

/// `NdisPacketPoolUsage`
pub(super) fn pool_usage(call: &mut Call<'_>) -> Done {
    match call.m.state.nt.net.packet_pools.get(&call.args[0]) {
        Some(pool) => Ok(Outcome::Return(pool.used.len() as u64)),
        None => Err(misuse(
            call,
            "NdisPacketPoolUsage",
            "not the handle of a packet pool",
        )),
    }
}

/// `NdisAllocatePacket`
pub(super) fn allocate_call(call: &mut Call<'_>) -> Done {
    let [status_at, packet_at, handle, ..] = call.args;
    let pools = &call.m.state.nt.net.packet_pools;
    let Some(reserved) = pools.get(&handle).map(|pool| pool.reserved) else {
        return Err(misuse(
            call,
            "NdisAllocatePacket",
            "not the handle of a packet pool",
        ));
    };
    // That all descriptors of the pool are in use is as likely as that there is no memory.
    let each = size(call, reserved);
    let fails = faults::allocation(call.m, call.core, each, POOL_TAG, false);
    let pool = call.m.state.nt.net.packet_pools.get_mut(&handle);
    let pool = pool.expect("it is there");
    let taken = if fails { None } else { pool.free.pop() };
    if let Some(packet) = taken {
        pool.used.insert(packet);
        fill(call, packet, reserved, handle)?;
    }
    let status = if taken.is_some() {
        status::SUCCESS
    } else {
        status::RESOURCES
    };
    call.set_ptr(packet_at, taken.unwrap_or(0))?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// `NdisFreePacket`
pub(super) fn free_call(call: &mut Call<'_>) -> Done {
    let packet = call.args[0];
    let mut pools = call.m.state.nt.net.packet_pools.values_mut();
    match pools.find_map(|p| p.used.remove(&packet).then_some(p)) {
        Some(pool) => {
            pool.free.push(packet);
            Ok(Outcome::Return(0))
        }
        None => {
            let what = format!("{packet:#x} is not a packet in use of any pool");
            Err(misuse(call, "NdisFreePacket", what))
        }
    }
}

/// `NdisUnchainBufferAtFront`
pub(super) fn unchain_front(call: &mut Call<'_>) -> Done {
    let [packet, buffer_at, ..] = call.args;
    let at = layout::of(call.arch()).packet;
    let next_at = nt::layout::of(call.arch()).mdl.next;
    let head = call.ptr(packet + at.head)?;
    if head != 0 {
        let next = call.ptr(head + next_at)?;
        call.set_ptr(packet + at.head, next)?;
        call.set_ptr(head + next_at, 0)?;
        call.set_u8(packet + at.valid_counts, 0)?;
    }
    call.set_ptr(buffer_at, head)?;
    Ok(Outcome::Return(0))
}

/// `NdisUnchainBufferAtBack`
pub(super) fn unchain_back(call: &mut Call<'_>) -> Done {
    let [packet, buffer_at, ..] = call.args;
    let at = layout::of(call.arch()).packet;
    let next_at = nt::layout::of(call.arch()).mdl.next;
    let spans = chain(call, packet, "NdisUnchainBufferAtBack")?;
    let mut from_back = spans.iter().rev().map(|s| s.mdl);
    let (last, before) = (from_back.next().unwrap_or(0), from_back.next());
    match before {
        Some(before) => {
            call.set_ptr(before + next_at, 0)?;
            call.set_ptr(packet + at.tail, before)?;
        }
        None => call.set_ptr(packet + at.head, 0)?,
    }
    call.set_u8(packet + at.valid_counts, 0)?;
    call.set_ptr(buffer_at, last)?;
    Ok(Outcome::Return(0))
}

/// `NdisGetFirstBufferFromPacket`, also with a priority behind.
pub(super) fn first_buffer(call: &mut Call<'_>) -> Done {
    let [packet, buffer_at, address_at, length_at, total_at, ..] = call.args;
    let spans = chain(call, packet, "NdisGetFirstBufferFromPacket")?;
    let (mdl, address, length) = spans
        .first()
        .map_or((0, 0, 0), |s| (s.mdl, s.address, s.length));
    let total: u64 = spans.iter().map(|s| s.length).sum();
    call.set_ptr(buffer_at, mdl)?;
    call.set_ptr(address_at, address)?;
    call.set_u32(length_at, length as u32)?;
    call.set_u32(total_at, total as u32)?;
    Ok(Outcome::Return(0))
}

/// `NdisCopyFromPacketToPacket`, also with a priority behind.
pub(super) fn copy(call: &mut Call<'_>) -> Done {
    const NAME: &str = "NdisCopyFromPacketToPacket";
    let [to, to_offset, length, from, from_offset, copied_at, ..] = call.args;
    let source = buffer::part(&chain(call, from, NAME)?, from_offset, length);
    let bytes = buffer::read(call, &source)?;
    let target = buffer::part(&chain(call, to, NAME)?, to_offset, length);
    let copied = buffer::write(call, &target, &bytes)?;
    call.set_u32(copied_at, copied as u32)?;
    Ok(Outcome::Return(0))
}
