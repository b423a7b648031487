//! `NdisRequest`: what a protocol asks of an adapter, and sets. The miniport answers at once.

use super::oid::{self, Facts};
use super::protocol::{listen, open_binding};
use super::{layout, status};
use crate::machine::context::Outcome;
use crate::nt::{Call, Done, Trouble};

const QUERY: u32 = 0;
const SET: u32 = 1;

/// `NdisRequest`
pub(super) fn request(call: &mut Call<'_>) -> Done {
    let [status_at, binding, request, ..] = call.args;
    open_binding(call, binding, "NdisRequest")?;
    let at = layout::of(call.arch()).request;
    let kind = call.u32(request + at.kind)?;
    let oid = call.u32(request + at.oid)?;
    let buffer = call.ptr(request + at.buffer)?;
    let length = call.u32(request + at.length)?;
    let answer = match kind {
        QUERY => query(call, binding, oid, buffer, length)?,
        SET => set(call, binding, oid, buffer, length)?,
        _ => Answer::refused(status::NOT_SUPPORTED),
    };
    call.set_u32(request + at.done, answer.done)?;
    call.set_u32(request + at.needed, answer.needed)?;
    call.set_u32(status_at, answer.status)?;
    Ok(Outcome::Return(0))
}

/// How a request ended.
struct Answer {
    status: u32,
    /// Bytes written or read.
    done: u32,
    /// Bytes that the buffer should have had.
    needed: u32,
}

impl Answer {
    fn refused(status: u32) -> Answer {
        Answer {
            status,
            done: 0,
            needed: 0,
        }
    }
}

fn query(
    call: &mut Call<'_>,
    binding: u64,
    oid: u32,
    buffer: u64,
    length: u32,
) -> Result<Answer, Trouble> {
    let setup = call.m.setup.clone();
    let net = &call.m.state.nt.net;
    let Some(asking) = net.bindings.get(&binding) else {
        return Ok(Answer::refused(status::FAILURE));
    };
    let number = asking.adapter as usize;
    let facts = Facts {
        adapter: &setup.plan.adapters[number],
        binding: asking,
        counters: net.adapters[number].counters,
    };
    let Some(value) = oid::query(oid, &facts) else {
        return Ok(Answer::refused(status::NOT_SUPPORTED));
    };
    let needed = value.len() as u32;
    if length < needed {
        return Ok(Answer {
            status: status::INVALID_LENGTH,
            done: 0,
            needed,
        });
    }
    call.write_bytes(buffer, &value)?;
    Ok(Answer {
        status: status::SUCCESS,
        done: needed,
        needed: 0,
    })
}

fn set(
    call: &mut Call<'_>,
    binding: u64,
    oid: u32,
    buffer: u64,
    length: u32,
) -> Result<Answer, Trouble> {
    let bytes = call.read_vec(buffer, u64::from(length))?;
    let setup = call.m.setup.clone();
    let Some(asking) = call.m.state.nt.net.bindings.get_mut(&binding) else {
        return Ok(Answer::refused(status::FAILURE));
    };
    let adapter = asking.adapter as usize;
    let answer = match oid::set(oid, &bytes, &setup.plan.adapters[adapter], asking) {
        Ok(()) => Answer {
            status: status::SUCCESS,
            done: length,
            needed: 0,
        },
        Err(oid::Refusal { status, needed }) => Answer {
            status,
            done: 0,
            needed,
        },
    };
    listen(call.m, adapter);
    Ok(answer)
}
