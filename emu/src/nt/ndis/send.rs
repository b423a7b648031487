//! Sending. The virtual adapter copies a frame onto its wire at once: `NdisSend` never pends, and
//! the packets of `NdisSendPackets` are completed one after the other before it returns.

use super::adapter::HEADER;
use super::protocol::{open_binding, release};
use super::{Then, buffer, layout, misuse, packet, status, then, wire};
use crate::machine::context::Outcome;
use crate::nt::{Call, Done, Trouble};

/// `NdisSend`
pub(super) fn send(call: &mut Call<'_>) -> Done {
    let [status_at, binding, packet, ..] = call.args;
    let adapter = open_binding(call, binding, "NdisSend")?.adapter;
    let status = transmit(call, adapter, packet, "NdisSend")?;
    call.set_u32(status_at, status)?;
    Ok(Outcome::Return(0))
}

/// `NdisSendPackets`
pub(super) fn send_packets(call: &mut Call<'_>) -> Done {
    let [binding, array, count, ..] = call.args;
    open_binding(call, binding, "NdisSendPackets")?.uses += 1;
    next(call, binding, array, 0, count)
}

/// Sends the packet of that index and completes it.
pub(super) fn next(call: &mut Call<'_>, binding: u64, array: u64, index: u64, count: u64) -> Done {
    let sender = call.m.state.nt.net.bindings.get(&binding);
    let sender = sender.map(|b| (b.adapter, b.context, b.handlers.send_complete));
    let Some((adapter, context, routine)) = sender.filter(|_| index < count) else {
        release(call.m, call.core, binding);
        return Ok(Outcome::Return(0));
    };
    let packet = call.ptr(array + index * call.arch().pointer_size())?;
    let status = transmit(call, adapter, packet, "NdisSendPackets")?;
    let oob = packet::oob(call, packet)?;
    call.set_u32(oob + layout::of(call.arch()).oob.status, status)?;
    let args = vec![context, packet, u64::from(status)];
    let then = then(Then::SendNext {
        binding,
        array,
        index: index + 1,
        count,
    });
    Ok(Outcome::Enter {
        what: "SendComplete",
        routine,
        args,
        then,
    })
}

/// Puts a packet's bytes onto the wire; gives the NDIS status.
fn transmit(
    call: &mut Call<'_>,
    adapter: u32,
    packet: u64,
    function: &str,
) -> Result<u32, Trouble> {
    let adapter = adapter as usize;
    let spans = buffer::chain(call, packet, function)?;
    let length: u64 = spans.iter().map(|s| s.length).sum();
    let longest = usize::from(call.m.setup.plan.adapters[adapter].mtu) + HEADER;
    if length < HEADER as u64 || length > longest as u64 {
        call.m.state.nt.net.adapters[adapter].counters.send_errors += 1;
        return Ok(status::INVALID_PACKET);
    }
    let frame = buffer::read(call, &spans)?;
    wire::transmit(call.m, call.core, adapter, &frame);
    Ok(status::SUCCESS)
}

/// `NdisTransferData`: the rest of a frame of which a receive handler has seen the beginning.
pub(super) fn transfer_data(call: &mut Call<'_>) -> Done {
    const NAME: &str = "NdisTransferData";
    let [
        status_at,
        binding,
        indicated,
        offset,
        count,
        packet,
        transferred_at,
        ..,
    ] = call.args;
    open_binding(call, binding, NAME)?;
    let loans = &call.m.state.nt.net.loans;
    let Some(loan) = loans.get(&indicated).filter(|l| l.indicating).cloned() else {
        return Err(misuse(
            call,
            NAME,
            "no frame is being indicated under this context",
        ));
    };
    let payload = loan.length.saturating_sub(HEADER as u64);
    let length = count.min(payload.saturating_sub(offset));
    let bytes = call.read_vec(loan.data + HEADER as u64 + offset, length)?;
    let room = buffer::chain(call, packet, NAME)?;
    let written = buffer::write(call, &room, &bytes)?;
    call.set_u32(transferred_at, written as u32)?;
    call.set_u32(status_at, status::SUCCESS)?;
    Ok(Outcome::Return(0))
}
