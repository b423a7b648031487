//! Copying, filling and comparing memory. A fault in one of these is the kernel's: its code runs
//! in `ntoskrnl.exe`, whoever called it.

use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{Api, Arg, Call, Done, Trouble};

const WDK: &str = "Windows driver documentation: RtlCopyMemory, RtlCompareMemory; wdm.h, string.h";

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

use Style::{C, Fast, Std};

const COPY: &[Arg] = &[ptr("Destination"), ptr("Source"), ptr("Length")];
const SET: &[Arg] = &[ptr("Destination"), long("Fill"), ptr("Length")];

/// Memory functions.
pub const API: &[Api] = &[
    row("memcpy", C, COPY, copy),
    row("memmove", C, COPY, copy),
    row("memset", C, SET, set),
    row(
        "memcmp",
        C,
        &[ptr("Source1"), ptr("Source2"), ptr("Length")],
        compare_c,
    ),
    row("RtlCopyMemory", Std, COPY, copy),
    row("RtlMoveMemory", Std, COPY, copy),
    row(
        "RtlFillMemory",
        Std,
        &[ptr("Destination"), ptr("Length"), long("Fill")],
        fill,
    ),
    row(
        "RtlZeroMemory",
        Std,
        &[ptr("Destination"), ptr("Length")],
        zero,
    ),
    row(
        "RtlCompareMemory",
        Std,
        &[ptr("Source1"), ptr("Source2"), ptr("Length")],
        compare,
    ),
    row(
        "RtlPrefetchMemoryNonTemporal",
        Fast,
        &[ptr("Source"), ptr("Length")],
        prefetch,
    ),
];

/// Bytes moved at a time.
const PIECE: u64 = 4096;

/// The pieces of `length` bytes, as offset and size, in the order in which they are copied so
/// that source and destination may overlap.
fn pieces(to: u64, from: u64, length: u64) -> impl Iterator<Item = (u64, u64)> {
    let count = length.div_ceil(PIECE);
    let backwards = to > from;
    (0..count).map(move |i| {
        let at = if backwards { count - 1 - i } else { i } * PIECE;
        (at, PIECE.min(length - at))
    })
}

fn copy(call: &mut Call<'_>) -> Done {
    let [to, from, length, ..] = call.args;
    for (at, size) in pieces(to, from, length) {
        let bytes = call.read_vec(from.wrapping_add(at), size)?;
        call.write_bytes(to.wrapping_add(at), &bytes)?;
    }
    Ok(Outcome::Return(to))
}

fn write_all(call: &mut Call<'_>, to: u64, byte: u8, length: u64) -> Result<(), Trouble> {
    for (at, size) in pieces(0, to, length) {
        call.write_bytes(to.wrapping_add(at), &vec![byte; size as usize])?;
    }
    Ok(())
}

fn set(call: &mut Call<'_>) -> Done {
    let [to, byte, length, ..] = call.args;
    write_all(call, to, byte as u8, length)?;
    Ok(Outcome::Return(to))
}

fn fill(call: &mut Call<'_>) -> Done {
    let [to, length, byte, ..] = call.args;
    write_all(call, to, byte as u8, length)?;
    Ok(Outcome::Return(0))
}

fn zero(call: &mut Call<'_>) -> Done {
    let [to, length, ..] = call.args;
    write_all(call, to, 0, length)?;
    Ok(Outcome::Return(0))
}

/// The number of leading bytes that are equal, and the two bytes behind them.
fn equal(call: &mut Call<'_>) -> Result<(u64, u8, u8), Trouble> {
    let [one, two, length, ..] = call.args;
    for (at, size) in pieces(0, 0, length) {
        let a = call.read_vec(one.wrapping_add(at), size)?;
        let b = call.read_vec(two.wrapping_add(at), size)?;
        if let Some(i) = a.iter().zip(&b).position(|(a, b)| a != b) {
            return Ok((at + i as u64, a[i], b[i]));
        }
    }
    Ok((length, 0, 0))
}

fn compare(call: &mut Call<'_>) -> Done {
    equal(call).map(|(count, _, _)| Outcome::Return(count))
}

fn compare_c(call: &mut Call<'_>) -> Done {
    let (_, a, b) = equal(call)?;
    Ok(Outcome::Return((i32::from(a) - i32::from(b)) as u32 as u64))
}

fn prefetch(_call: &mut Call<'_>) -> Done {
    // A hint: nothing that a driver could see.
    Ok(Outcome::Return(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_copies_begin_at_the_far_end() {
        let forward: Vec<_> = pieces(0x1000, 0x2000, 5000).collect();
        assert_eq!(forward, [(0, 4096), (4096, 904)]);
        let backward: Vec<_> = pieces(0x2000, 0x1000, 5000).collect();
        assert_eq!(backward, [(4096, 904), (0, 4096)]);
        assert_eq!(pieces(0, 0, 0).count(), 0);
    }
}
