//! Buffer descriptors. An `NDIS_BUFFER` is an MDL, and a buffer pool is only a promise: since NT
//! 4.0 `NdisAllocateBuffer` allocates an MDL of its own, and the number of descriptors is a hint.

use super::{layout, memory, misuse, status};
use crate::machine::context::Outcome;
use crate::nt::io::mdl::frame_number;
use crate::nt::{self, Call, Done, Trouble};

const TAG: [u8; 4] = *b"Mdl ";
const POOL_TAG: [u8; 4] = *b"NDbp";
const POOL_SIZE: u64 = 0x20;

/// `MDL_MAPPED_TO_SYSTEM_VA`, `MDL_PAGES_LOCKED`, `MDL_SOURCE_IS_NONPAGED_POOL`, `MDL_PARTIAL`.
const MAPPED: u16 = 0x01;
const LOCKED: u16 = 0x02;
const NONPAGED: u16 = 0x04;
const PARTIAL: u16 = 0x10;

/// No packet has more buffers than this; a longer chain is a circle.
const CHAIN_MAX: usize = 1024;

/// Bytes that a buffer describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Span {
    /// Address of the MDL.
    pub mdl: u64,
    /// Address of the bytes.
    pub address: u64,
    /// How many.
    pub length: u64,
}

/// `NdisAllocateBufferPool`
pub(super) fn allocate_pool(call: &mut Call<'_>) -> Done {
    let [status_at, pool_at, _count, ..] = call.args;
    let pool = memory::allocate(call, POOL_SIZE, POOL_TAG);
    let status = if pool == 0 {
        status::RESOURCES
    } else {
        status::SUCCESS
    };
    call.set_ptr(pool_at, pool)?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// `NdisFreeBufferPool`
pub(super) fn free_pool(call: &mut Call<'_>) -> Done {
    memory::free(call, call.args[0])?;
    Ok(Outcome::Return(0))
}

/// `NdisAllocateBuffer`
pub(super) fn allocate_call(call: &mut Call<'_>) -> Done {
    let [status_at, buffer_at, _pool, address, length, ..] = call.args;
    give(call, status_at, buffer_at, address, length)
}

/// `NdisCopyBuffer`: a descriptor for a part of what another one describes.
pub(super) fn copy(call: &mut Call<'_>) -> Done {
    let [status_at, buffer_at, _pool, of, offset, length, ..] = call.args;
    let whole = span(call, of, "NdisCopyBuffer")?;
    if offset.saturating_add(length) > whole.length {
        return Err(misuse(
            call,
            "NdisCopyBuffer",
            "more than the buffer describes",
        ));
    }
    give(call, status_at, buffer_at, whole.address + offset, length)
}

fn give(call: &mut Call<'_>, status_at: u64, buffer_at: u64, address: u64, length: u64) -> Done {
    let mdl = memory::allocate(call, size(call, address, length), TAG);
    if mdl == 0 {
        call.set_ptr(buffer_at, 0)?;
        call.set_u32(status_at, status::RESOURCES)?;
        return Ok(Outcome::Return(0));
    }
    fill(call, mdl, address, length)?;
    call.set_ptr(buffer_at, mdl)?;
    call.set_u32(status_at, status::SUCCESS)?;
    Ok(Outcome::Return(0))
}

/// Tag and size of the block that a descriptor of these bytes takes.
pub(super) fn block_for(call: &Call<'_>, address: u64, length: u64) -> (u64, [u8; 4]) {
    (size(call, address, length), TAG)
}

fn size(call: &Call<'_>, address: u64, length: u64) -> u64 {
    let page = call.m.setup.profile.page_size();
    let pages = (address % page + length).div_ceil(page);
    nt::layout::of(call.arch()).mdl.size + pages * call.arch().pointer_size()
}

/// Describes bytes in nonpaged memory (`MmBuildMdlForNonPagedPool`).
pub(super) fn fill(
    call: &mut Call<'_>,
    mdl: u64,
    address: u64,
    length: u64,
) -> Result<(), Trouble> {
    let at = nt::layout::of(call.arch()).mdl;
    let page = call.m.setup.profile.page_size();
    let size = size(call, address, length);
    call.write_bytes(mdl, &vec![0; size as usize])?;
    call.set_u16(mdl + at.words, size as u16)?;
    call.set_u16(mdl + at.flags, NONPAGED)?;
    call.set_ptr(mdl + at.mapped_system_va, address)?;
    call.set_ptr(mdl + at.start_va, address & !(page - 1))?;
    call.set_u32(mdl + at.byte_count, length as u32)?;
    call.set_u32(mdl + at.byte_offset, (address % page) as u32)?;
    let pointer = call.arch().pointer_size();
    for i in 0..(size - at.size) / pointer {
        let frame = frame_number(call, (address & !(page - 1)) + i * page);
        call.set_ptr(mdl + at.size + i * pointer, frame)?;
    }
    Ok(())
}

/// `NdisFreeBuffer`
pub(super) fn free_call(call: &mut Call<'_>) -> Done {
    memory::free(call, call.args[0])?;
    Ok(Outcome::Return(0))
}

/// What a buffer describes (`MmGetSystemAddressForMdl`).
pub(super) fn span(call: &mut Call<'_>, mdl: u64, function: &str) -> Result<Span, Trouble> {
    let at = nt::layout::of(call.arch()).mdl;
    let flags = call.u16(mdl + at.flags)?;
    let length = u64::from(call.u32(mdl + at.byte_count)?);
    let address = if flags & (MAPPED | NONPAGED) != 0 {
        call.ptr(mdl + at.mapped_system_va)?
    } else if flags & (LOCKED | PARTIAL) != 0 {
        let start = call.ptr(mdl + at.start_va)?;
        let address = start + u64::from(call.u32(mdl + at.byte_offset)?);
        call.set_ptr(mdl + at.mapped_system_va, address)?;
        call.set_u16(mdl + at.flags, flags | MAPPED)?;
        address
    } else {
        return Err(misuse(
            call,
            function,
            "a buffer whose pages are not locked",
        ));
    };
    Ok(Span {
        mdl,
        address,
        length,
    })
}

/// The buffers of a packet, in order.
pub(super) fn chain(
    call: &mut Call<'_>,
    packet: u64,
    function: &str,
) -> Result<Vec<Span>, Trouble> {
    let head = call.ptr(packet + layout::of(call.arch()).packet.head)?;
    let next_at = nt::layout::of(call.arch()).mdl.next;
    let mut spans = Vec::new();
    let mut mdl = head;
    while mdl != 0 {
        if spans.len() == CHAIN_MAX {
            return Err(misuse(
                call,
                function,
                "a chain of buffers that does not end",
            ));
        }
        spans.push(span(call, mdl, function)?);
        mdl = call.ptr(mdl + next_at)?;
    }
    Ok(spans)
}

/// The part of a chain that begins `offset` bytes in it and is at most `length` long.
pub(super) fn part(spans: &[Span], mut offset: u64, mut length: u64) -> Vec<Span> {
    let mut parts = Vec::new();
    for span in spans {
        if offset >= span.length {
            offset -= span.length;
            continue;
        }
        let now = (span.length - offset).min(length);
        if now == 0 {
            break;
        }
        parts.push(Span {
            mdl: span.mdl,
            address: span.address + offset,
            length: now,
        });
        length -= now;
        offset = 0;
    }
    parts
}

/// The bytes of a chain.
pub(super) fn read(call: &mut Call<'_>, spans: &[Span]) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    for span in spans {
        bytes.extend(call.read_vec(span.address, span.length)?);
    }
    Ok(bytes)
}

/// Fills a chain from its start; gives how many bytes there was room for.
pub(super) fn write(call: &mut Call<'_>, spans: &[Span], mut bytes: &[u8]) -> Result<u64, Trouble> {
    let total = bytes.len();
    for span in spans {
        let (now, rest) = bytes.split_at(bytes.len().min(span.length as usize));
        if now.is_empty() {
            break;
        }
        call.write_bytes(span.address, now)?;
        bytes = rest;
    }
    Ok((total - bytes.len()) as u64)
}

/// `NdisQueryBuffer` and, with a priority behind, `NdisQueryBufferSafe`.
pub(super) fn query(call: &mut Call<'_>) -> Done {
    let [mdl, address_at, length_at, ..] = call.args;
    let span = span(call, mdl, "NdisQueryBuffer")?;
    if address_at != 0 {
        call.set_ptr(address_at, span.address)?;
    }
    call.set_u32(length_at, span.length as u32)?;
    Ok(Outcome::Return(0))
}

/// `NdisQueryBufferOffset`
pub(super) fn query_offset(call: &mut Call<'_>) -> Done {
    let [mdl, offset_at, length_at, ..] = call.args;
    let at = nt::layout::of(call.arch()).mdl;
    let (offset, length) = (
        call.u32(mdl + at.byte_offset)?,
        call.u32(mdl + at.byte_count)?,
    );
    call.set_u32(offset_at, offset)?;
    call.set_u32(length_at, length)?;
    Ok(Outcome::Return(0))
}

/// `NdisBufferLength`
pub(super) fn length(call: &mut Call<'_>) -> Done {
    let at = nt::layout::of(call.arch()).mdl;
    let length = call.u32(call.args[0] + at.byte_count)?;
    Ok(Outcome::Return(u64::from(length)))
}

/// `NdisBufferVirtualAddress`
pub(super) fn virtual_address(call: &mut Call<'_>) -> Done {
    let span = span(call, call.args[0], "NdisBufferVirtualAddress")?;
    Ok(Outcome::Return(span.address))
}

/// `NdisAdjustBufferLength`
pub(super) fn adjust_length(call: &mut Call<'_>) -> Done {
    let [mdl, length, ..] = call.args;
    let at = nt::layout::of(call.arch()).mdl;
    call.set_u32(mdl + at.byte_count, length as u32)?;
    Ok(Outcome::Return(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_chain() {
        let span = |address, length| Span {
            mdl: 0,
            address,
            length,
        };
        let whole = [span(0x100, 10), span(0x200, 0), span(0x300, 5)];
        type Row = (u64, u64, &'static [(u64, u64)]);
        let table: [Row; 7] = [
            (0, 15, &[(0x100, 10), (0x300, 5)]),
            (0, 99, &[(0x100, 10), (0x300, 5)]),
            (4, 3, &[(0x104, 3)]),
            (9, 2, &[(0x109, 1), (0x300, 1)]),
            (10, 5, &[(0x300, 5)]),
            (15, 1, &[]),
            (3, 0, &[]),
        ];
        for (offset, length, parts) in table {
            let parts: Vec<Span> = parts.iter().map(|&(at, n)| span(at, n)).collect();
            assert_eq!(
                part(&whole, offset, length),
                parts,
                "{length} from {offset}"
            );
        }
    }
}
