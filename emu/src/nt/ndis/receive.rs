//! Receiving: the miniport's DPC indicates what came on its core; protocols give packets back.
//!
//! A packet is in three blocks of nonpaged pool, the bytes, the buffer descriptor and the packet
//! descriptor, which are freed when the miniport has it back: whoever uses it afterwards uses freed
//! memory, and the pool's history says who gave it back.

use super::adapter::{self, Frame, HEADER, passes};
use super::protocol::release;
use super::{Then, buffer, layout, memory, misuse, packet, status, then};
use crate::machine::context::Outcome;
use crate::nt::{self, Call, Done, Trouble, pool};
use crate::trace::event::PacketOp;
use crate::trace::{EventKind, FrameContents};

const DATA_TAG: [u8; 4] = *b"NDrx";
const PACKET_TAG: [u8; 4] = *b"NDpk";
/// Room for the protocol in a received packet, in pointers (`PROTOCOL_RESERVED_SIZE_IN_PACKET`).
const RESERVED: u64 = 4;
/// So many packets may be with protocols. Further ones are indicated with
/// `NDIS_STATUS_RESOURCES`: to be copied, for the miniport takes them back at once.
const LENT_MAX: u32 = 64;

/// A received packet in the hands of protocols.
#[derive(Clone, Debug, Hash)]
pub(super) struct Loan {
    /// Its number of arrival in the run.
    pub number: u32,
    /// Address of the bytes.
    pub data: u64,
    /// How many.
    pub length: u64,
    contents: FrameContents,
    /// Not all bindings have had it yet.
    pub indicating: bool,
    /// Number of the adapter.
    adapter: u32,
    /// Address of the buffer descriptor.
    mdl: u64,
    /// Returns that protocols have promised, less those that have come. A packet may be returned
    /// before its receive handler has come back and made the promise.
    owed: i64,
    /// Whether protocols may keep it.
    keepable: bool,
}

/// The miniport's DPC (MiniportHandleInterrupt): indicates the frames of this core's queue.
pub(crate) fn deferred(call: &mut Call<'_>, adapter: u32) -> Done {
    proceed(call, adapter)
}

fn queue<'a>(call: &'a mut Call<'_>, adapter: u32) -> &'a mut adapter::Queue {
    &mut call.m.state.nt.net.adapters[adapter as usize].queues[call.core]
}

/// The next indication of this core's batch, or its end.
fn proceed(call: &mut Call<'_>, adapter: u32) -> Done {
    loop {
        if let Some(packet) = queue(call, adapter).current {
            while let Some(binding) = queue(call, adapter).recipients.pop_front() {
                if let Some(outcome) = indicate(call, adapter, packet, binding)? {
                    return Ok(outcome);
                }
            }
            queue(call, adapter).current = None;
            settle(call, packet)?;
        }
        match queue(call, adapter).ring.pop_front() {
            Some(frame) => take(call, adapter, &frame)?,
            None => return end_batch(call, adapter),
        }
    }
}

/// Makes a packet of a frame that somebody wants; for lack of memory it is lost.
fn take(call: &mut Call<'_>, adapter: u32, frame: &Frame) -> Result<(), Trouble> {
    let own = call.m.setup.plan.adapters[adapter as usize].mac;
    let net = &call.m.state.nt.net;
    let wants = |handle: &u64| {
        let binding = net.bindings.get(handle);
        binding.is_some_and(|b| passes(b.filter, &b.groups, &own, &frame.bytes))
    };
    let bindings = net.adapters[adapter as usize].bindings.iter();
    let recipients = bindings.copied().filter(wants).collect::<Vec<_>>();
    if recipients.is_empty() || frame.bytes.len() < HEADER {
        return Ok(());
    }
    let packet = lend(call, adapter, frame)?;
    let counters = &mut call.m.state.nt.net.adapters[adapter as usize].counters;
    match packet {
        Some(_) => counters.received += 1,
        None => counters.no_buffer += 1,
    }
    let queue = queue(call, adapter);
    queue.current = packet;
    queue.recipients = recipients.into();
    Ok(())
}

/// Puts a frame into a packet with one buffer; `None` if there is no memory.
fn lend(call: &mut Call<'_>, adapter: u32, frame: &Frame) -> Result<Option<u64>, Trouble> {
    let length = frame.bytes.len() as u64;
    let reserved = RESERVED * call.arch().pointer_size();
    let core = call.core;
    let data = pool::allocate(call.m, core, length, DATA_TAG, false);
    let (mdl_size, mdl_tag) = buffer::block_for(call, data, length);
    let mdl = pool::allocate(call.m, core, mdl_size, mdl_tag, false);
    let packet_size = packet::size(call, reserved);
    let packet = pool::allocate(call.m, core, packet_size, PACKET_TAG, false);
    let blocks = [data, mdl, packet];
    if blocks.contains(&0) {
        for block in blocks.into_iter().filter(|&b| b != 0) {
            memory::free(call, block)?;
        }
        return Ok(None);
    }
    call.write_bytes(data, &frame.bytes)?;
    buffer::fill(call, mdl, data, length)?;
    packet::fill(call, packet, reserved, 0)?;
    let at = layout::of(call.arch());
    call.set_u32(packet + at.packet.physical_count, 1)?;
    call.set_u32(packet + at.packet.total_length, length as u32)?;
    call.set_ptr(packet + at.packet.head, mdl)?;
    call.set_ptr(packet + at.packet.tail, mdl)?;
    call.set_u32(packet + at.packet.count, 1)?;
    call.set_u8(packet + at.packet.valid_counts, 1)?;
    let oob = packet::oob(call, packet)?;
    let lent = call.m.state.nt.net.adapters[adapter as usize].lent;
    let keepable = !crate::faults::lent(call.m, core) && lent < LENT_MAX;
    let status = if keepable {
        status::SUCCESS
    } else {
        status::RESOURCES
    };
    call.set_u64(oob + at.oob.time_received, call.m.now())?;
    call.set_u32(oob + at.oob.header_size, HEADER as u32)?;
    call.set_u32(oob + at.oob.status, status)?;
    let net = &mut call.m.state.nt.net;
    net.adapters[adapter as usize].lent += 1;
    let contents = FrameContents::of(&frame.bytes, call.m.recorder.keeps());
    let (number, indicating, owed) = (frame.number, true, 0);
    let loan = Loan {
        number,
        data,
        length,
        contents,
        indicating,
        adapter,
        mdl,
        owed,
        keepable,
    };
    net.loans.insert(packet, loan);
    Ok(Some(packet))
}

/// Hands the current packet to a binding, if that is still open.
fn indicate(
    call: &mut Call<'_>,
    adapter: u32,
    packet: u64,
    binding: u64,
) -> Result<Option<Outcome>, Trouble> {
    let net = &mut call.m.state.nt.net;
    let Some(to) = net.bindings.get_mut(&binding).filter(|b| !b.closing) else {
        return Ok(None);
    };
    let Some(loan) = net.loans.get(&packet) else {
        return Ok(None);
    };
    let (number, data, length, contents) =
        (loan.number, loan.data, loan.length, loan.contents.clone());
    let (handlers, context) = (to.handlers, to.context);
    let lookahead = u64::from(to.lookahead);
    let served = &mut net.adapters[adapter as usize].queues[call.core].served;
    if !served.contains(&binding) {
        served.push_back(binding);
        to.uses += 1;
    }
    let op = PacketOp::Indicated;
    call.event(EventKind::Packet {
        op,
        adapter,
        number,
        length: length as u32,
        contents,
    });
    let header = HEADER as u64;
    let payload = length - header;
    Ok(Some(match handlers.receive_packet {
        0 => Outcome::Enter {
            what: "Receive",
            routine: handlers.receive,
            args: vec![
                context,
                packet,
                data,
                header,
                data + header,
                payload.min(lookahead),
                payload,
            ],
            then: then(Then::Indicated {
                adapter,
                packet,
                lent: false,
            }),
        },
        routine => Outcome::Enter {
            what: "ReceivePacket",
            routine,
            args: vec![context, packet],
            then: then(Then::Indicated {
                adapter,
                packet,
                lent: true,
            }),
        },
    }))
}

/// A receive handler has returned: `value` is how often the packet will be returned if the handler
/// got the packet itself, otherwise a status that changes nothing.
pub(super) fn indicated(
    call: &mut Call<'_>,
    adapter: u32,
    packet: u64,
    lent: bool,
    value: u32,
) -> Done {
    let promised = if lent { value as i32 } else { 0 };
    if let Some(loan) = call.m.state.nt.net.loans.get_mut(&packet) {
        loan.owed += i64::from(promised);
        if promised < 0 {
            let what = "ReceivePacket promises a negative number of returns";
            return Err(misuse(call, "NdisReturnPackets", what));
        }
        if promised > 0 && !loan.keepable {
            let what = "ReceivePacket keeps a packet indicated with NDIS_STATUS_RESOURCES";
            return Err(misuse(call, "NdisReturnPackets", what));
        }
    }
    proceed(call, adapter)
}

/// All bindings have had a packet: unless somebody keeps it, the miniport has it back.
fn settle(call: &mut Call<'_>, packet: u64) -> Result<(), Trouble> {
    match call.m.state.nt.net.loans.get_mut(&packet) {
        Some(loan) => loan.indicating = false,
        None => return Ok(()),
    }
    reclaim(call, packet)
}

/// Takes a packet back that everybody is done with.
fn reclaim(call: &mut Call<'_>, packet: u64) -> Result<(), Trouble> {
    let net = &mut call.m.state.nt.net;
    let Some(loan) = net
        .loans
        .get(&packet)
        .filter(|l| !l.indicating && l.owed <= 0)
    else {
        return Ok(());
    };
    if loan.owed < 0 {
        let what = format!("packet {packet:#x} was returned more often than it was kept");
        return Err(misuse(call, "NdisReturnPackets", what));
    }
    let Loan {
        adapter,
        number,
        length,
        data,
        mdl,
        ..
    } = *loan;
    let (op, length, contents) = (PacketOp::Returned, length as u32, loan.contents.clone());
    net.loans.remove(&packet);
    net.adapters[adapter as usize].lent -= 1;
    call.event(EventKind::Packet {
        op,
        adapter,
        number,
        length,
        contents,
    });
    for block in [data, mdl, packet] {
        memory::free(call, block)?;
    }
    Ok(())
}

/// The queue is empty: tells each binding that got something that the batch is over, then lets
/// interrupts come again.
fn end_batch(call: &mut Call<'_>, adapter: u32) -> Done {
    while let Some(binding) = queue(call, adapter).served.pop_front() {
        let Some(served) = call.m.state.nt.net.bindings.get(&binding) else {
            continue;
        };
        return Ok(Outcome::Enter {
            what: "ReceiveComplete",
            routine: served.handlers.receive_complete,
            args: vec![served.context],
            then: then(Then::BatchEnded { adapter, binding }),
        });
    }
    adapter::unmask(call.m, call.core, adapter);
    Ok(Outcome::Continue(nt::Then::NextDpc, 0))
}

/// The receive-complete handler of a binding has returned.
pub(super) fn batch_ended(call: &mut Call<'_>, adapter: u32, binding: u64) -> Done {
    release(call.m, call.core, binding);
    end_batch(call, adapter)
}

/// `NdisReturnPackets`
pub(super) fn return_packets(call: &mut Call<'_>) -> Done {
    let [array, count, ..] = call.args;
    for index in 0..count {
        let packet = call.ptr(array + index * call.arch().pointer_size())?;
        let Some(loan) = call.m.state.nt.net.loans.get_mut(&packet) else {
            let what = format!("{packet:#x} is not a received packet that a protocol holds");
            return Err(misuse(call, "NdisReturnPackets", what));
        };
        loan.owed -= 1;
        reclaim(call, packet)?;
    }
    Ok(Outcome::Return(0))
}

/// `NdisGetReceivedPacket`: the packet behind a lookahead indication.
pub(super) fn received_packet(call: &mut Call<'_>) -> Done {
    let packet = call.args[1];
    let indicating = call
        .m
        .state
        .nt
        .net
        .loans
        .get(&packet)
        .is_some_and(|l| l.indicating);
    Ok(Outcome::Return(if indicating { packet } else { 0 }))
}
