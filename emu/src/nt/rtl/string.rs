//! Counted and terminated strings.

use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, byte, long, ptr};
use crate::nt::{Api, Arg, Call, Done, Trouble, layout, pool, status};

const WDK: &str = "Windows driver documentation: Run-Time Library (RTL) Routines; wdm.h";
const CRT: &str = "C run-time library: string.h, wchar.h";
/// Longest counted string: its length is an even 16-bit number and leaves room for a terminator.
const LENGTH_MAX: u64 = 0xFFFC;

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style: Style::Std,
        args,
        irql,
        source: WDK,
        handler,
    }
}

const fn c(name: &'static str, args: &'static [Arg], handler: fn(&mut Call<'_>) -> Done) -> Api {
    let (module, irql) = (Module::Ntoskrnl, Contract::Any);
    Api {
        name,
        module,
        style: Style::C,
        args,
        irql,
        source: CRT,
        handler,
    }
}

use Contract::{Dispatch, Passive};

const INITIALIZE: &[Arg] = &[ptr("DestinationString"), ptr("SourceString")];
const COMPARE: &[Arg] = &[ptr("String1"), ptr("String2"), byte("CaseInSensitive")];
const CONVERT: &[Arg] = &[
    ptr("DestinationString"),
    ptr("SourceString"),
    byte("AllocateDestinationString"),
];

/// String functions.
pub const API: &[Api] = &[
    row(
        "RtlInitUnicodeString",
        INITIALIZE,
        Dispatch,
        initialize_wide,
    ),
    row("RtlInitAnsiString", INITIALIZE, Dispatch, initialize_narrow),
    row("RtlInitString", INITIALIZE, Dispatch, initialize_narrow),
    row("RtlCopyUnicodeString", INITIALIZE, Dispatch, copy),
    row("RtlEqualUnicodeString", COMPARE, Passive, equal),
    row("RtlCompareUnicodeString", COMPARE, Passive, compare),
    row("RtlPrefixUnicodeString", COMPARE, Passive, prefix),
    row(
        "RtlAppendUnicodeToString",
        &[ptr("Destination"), ptr("Source")],
        Passive,
        append_terminated,
    ),
    row(
        "RtlAppendUnicodeStringToString",
        &[ptr("Destination"), ptr("Source")],
        Passive,
        append_counted,
    ),
    row("RtlAnsiStringToUnicodeString", CONVERT, Passive, widen),
    row("RtlUnicodeStringToAnsiString", CONVERT, Passive, narrow),
    row("RtlUpcaseUnicodeString", CONVERT, Passive, upcase_string),
    row(
        "RtlUpcaseUnicodeChar",
        &[crate::nt::api::word("SourceCharacter")],
        Passive,
        upcase_call,
    ),
    row(
        "RtlFreeUnicodeString",
        &[ptr("UnicodeString")],
        Passive,
        free,
    ),
    row("RtlFreeAnsiString", &[ptr("AnsiString")], Passive, free),
    row(
        "RtlUnicodeStringToInteger",
        &[ptr("String"), long("Base"), ptr("Value")],
        Passive,
        to_integer,
    ),
    row(
        "RtlIntegerToUnicodeString",
        &[long("Value"), long("Base"), ptr("String")],
        Passive,
        from_integer,
    ),
    c("strlen", &[ptr("str")], length_narrow),
    c("wcslen", &[ptr("str")], length_wide),
    c("strcmp", &[ptr("string1"), ptr("string2")], compare_narrow),
    c("wcscmp", &[ptr("string1"), ptr("string2")], compare_wide),
];

/// A counted string's fields.
#[derive(Clone, Copy, Hash)]
struct Counted {
    length: u64,
    room: u64,
    buffer: u64,
}

fn read(call: &mut Call<'_>, at: u64) -> Result<Counted, Trouble> {
    let l = layout::of(call.arch()).unicode_string;
    Ok(Counted {
        length: u64::from(call.u16(at + l.length)?),
        room: u64::from(call.u16(at + l.maximum_length)?),
        buffer: call.ptr(at + l.buffer)?,
    })
}

fn write(call: &mut Call<'_>, at: u64, string: Counted) -> Result<(), Trouble> {
    let l = layout::of(call.arch()).unicode_string;
    call.set_u16(at + l.length, string.length as u16)?;
    call.set_u16(at + l.maximum_length, string.room as u16)?;
    call.set_ptr(at + l.buffer, string.buffer)
}

fn set_length(call: &mut Call<'_>, at: u64, length: u64) -> Result<(), Trouble> {
    call.set_u16(
        at + layout::of(call.arch()).unicode_string.length,
        length as u16,
    )
}

/// The bytes of a counted string.
fn contents(call: &mut Call<'_>, at: u64) -> Result<Vec<u8>, Trouble> {
    let string = read(call, at)?;
    call.read_vec(string.buffer, string.length)
}

/// The UTF-16 units of a counted string.
fn units(call: &mut Call<'_>, at: u64) -> Result<Vec<u16>, Trouble> {
    let bytes = contents(call, at)?;
    Ok(bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect())
}

/// The length in bytes of a terminated string of units of `width` bytes.
fn terminated_length(call: &mut Call<'_>, at: u64, width: u64) -> Result<u64, Trouble> {
    let mut length = 0;
    loop {
        let here = at.wrapping_add(length);
        let unit = if width == 2 {
            call.u16(here)?
        } else {
            u16::from(call.u8(here)?)
        };
        if unit == 0 {
            return Ok(length);
        }
        length += width;
    }
}

fn initialize(call: &mut Call<'_>, width: u64) -> Done {
    let [at, source, ..] = call.args;
    let mut string = Counted {
        length: 0,
        room: 0,
        buffer: source,
    };
    if source != 0 {
        string.length = terminated_length(call, source, width)?.min(LENGTH_MAX);
        string.room = string.length + width;
    }
    write(call, at, string)?;
    Ok(Outcome::Return(0))
}

fn initialize_wide(call: &mut Call<'_>) -> Done {
    initialize(call, 2)
}

fn initialize_narrow(call: &mut Call<'_>) -> Done {
    initialize(call, 1)
}

fn copy(call: &mut Call<'_>) -> Done {
    let [at, source, ..] = call.args;
    if source == 0 {
        set_length(call, at, 0)?;
        return Ok(Outcome::Return(0));
    }
    let to = read(call, at)?;
    let bytes = contents(call, source)?;
    let count = (bytes.len() as u64).min(to.room);
    call.write_bytes(to.buffer, &bytes[..count as usize])?;
    if count + 2 <= to.room {
        call.set_u16(to.buffer + count, 0)?;
    }
    set_length(call, at, count)?;
    Ok(Outcome::Return(0))
}

/// A unit in upper case, where that is one unit too.
fn upcase(unit: u16) -> u16 {
    let Some(c) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// Both operands of a comparison, in upper case if case does not count.
fn operands(call: &mut Call<'_>) -> Result<(Vec<u16>, Vec<u16>), Trouble> {
    let [one, two, ignore_case, ..] = call.args;
    let fold = |units: Vec<u16>| match ignore_case {
        0 => units,
        _ => units.into_iter().map(upcase).collect(),
    };
    Ok((fold(units(call, one)?), fold(units(call, two)?)))
}

fn equal(call: &mut Call<'_>) -> Done {
    let (one, two) = operands(call)?;
    Ok(Outcome::Return(u64::from(one == two)))
}

/// The difference of the first units that differ, or of the lengths.
fn difference(one: &[u16], two: &[u16]) -> i32 {
    let pair = one.iter().zip(two).find(|(a, b)| a != b);
    match pair {
        Some((a, b)) => i32::from(*a) - i32::from(*b),
        None => one.len() as i32 - two.len() as i32,
    }
}

fn compare(call: &mut Call<'_>) -> Done {
    let (one, two) = operands(call)?;
    Ok(Outcome::Return(difference(&one, &two) as u32 as u64))
}

fn prefix(call: &mut Call<'_>) -> Done {
    let (one, two) = operands(call)?;
    Ok(Outcome::Return(u64::from(two.starts_with(&one))))
}

fn append(call: &mut Call<'_>, at: u64, bytes: &[u8]) -> Done {
    let to = read(call, at)?;
    let length = to.length + bytes.len() as u64;
    if length > to.room {
        return Ok(Outcome::Return(u64::from(status::BUFFER_TOO_SMALL)));
    }
    call.write_bytes(to.buffer + to.length, bytes)?;
    if length + 2 <= to.room {
        call.set_u16(to.buffer + length, 0)?;
    }
    set_length(call, at, length)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn append_terminated(call: &mut Call<'_>) -> Done {
    let [at, source, ..] = call.args;
    let length = if source == 0 {
        0
    } else {
        terminated_length(call, source, 2)?
    };
    let bytes = call.read_vec(source, length)?;
    append(call, at, &bytes)
}

fn append_counted(call: &mut Call<'_>) -> Done {
    let [at, source, ..] = call.args;
    let bytes = contents(call, source)?;
    append(call, at, &bytes)
}

/// Stores a converted string, with its terminator if there is room; allocates the buffer if the
/// third argument says so.
fn store(call: &mut Call<'_>, bytes: &[u8], terminator: usize) -> Done {
    let [at, _, allocate, ..] = call.args;
    let length = bytes.len() as u64;
    let mut to = read(call, at)?;
    if allocate != 0 {
        to.room = length + terminator as u64;
        to.buffer = pool::allocate(call.m, call.core, to.room, *b"Strg", true);
        if to.buffer == 0 {
            return Ok(Outcome::Return(u64::from(status::NO_MEMORY)));
        }
    } else if length > to.room {
        return Ok(Outcome::Return(u64::from(status::BUFFER_OVERFLOW)));
    }
    to.length = length;
    call.write_bytes(to.buffer, bytes)?;
    if length + terminator as u64 <= to.room {
        call.write_bytes(to.buffer + length, &vec![0; terminator])?;
    }
    write(call, at, to)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn widen(call: &mut Call<'_>) -> Done {
    let source = call.args[1];
    let bytes = contents(call, source)?;
    // Code page 1252 agrees with Latin-1 where drivers' names are.
    let wide: Vec<u8> = bytes.into_iter().flat_map(|b| [b, 0]).collect();
    store(call, &wide, 2)
}

fn narrow(call: &mut Call<'_>) -> Done {
    let source = call.args[1];
    let units = units(call, source)?;
    let bytes: Vec<u8> = units
        .into_iter()
        .map(|u| u8::try_from(u).unwrap_or(b'?'))
        .collect();
    store(call, &bytes, 1)
}

fn upcase_string(call: &mut Call<'_>) -> Done {
    let source = call.args[1];
    let upper: Vec<u8> = units(call, source)?
        .into_iter()
        .flat_map(|u| upcase(u).to_le_bytes())
        .collect();
    // Unlike the conversions this one leaves no room for a terminator.
    store(call, &upper, 0)
}

fn upcase_call(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return(u64::from(upcase(call.args[0] as u16))))
}

fn free(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    let string = read(call, at)?;
    if string.buffer != 0 {
        pool::free(call.m, call.core, string.buffer)?;
        write(
            call,
            at,
            Counted {
                length: 0,
                room: 0,
                buffer: 0,
            },
        )?;
    }
    Ok(Outcome::Return(0))
}

/// A number as text: blanks, a sign, a prefix that says the base if `base` is 0, digits up to the
/// first character that is none. Too large numbers wrap. `None` for a base that does not exist.
fn parse(text: &str, base: u32) -> Option<u32> {
    let text = text.trim_start_matches(|c| c <= ' ');
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed = |prefix, base| text.strip_prefix(prefix).map(|rest| (rest, base));
    let (digits, base) = match base {
        0 => prefixed("0x", 16)
            .or_else(|| prefixed("0o", 8))
            .or_else(|| prefixed("0b", 2))
            .unwrap_or((text, 10)),
        2 | 8 | 10 | 16 => (text, base),
        _ => return None,
    };
    let digits = digits.chars().map_while(|c| c.to_digit(base));
    let value = digits.fold(0u32, |v, digit| v.wrapping_mul(base).wrapping_add(digit));
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

fn to_integer(call: &mut Call<'_>) -> Done {
    let [at, base, value_at, ..] = call.args;
    let text = call.unicode_string(at)?;
    let Some(value) = parse(&text, base as u32) else {
        return Ok(Outcome::Return(u64::from(status::INVALID_PARAMETER)));
    };
    call.set_u32(value_at, value)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn from_integer(call: &mut Call<'_>) -> Done {
    let [value, base, at, ..] = call.args;
    let value = value as u32;
    let text = match base {
        0 | 10 => value.to_string(),
        2 => format!("{value:b}"),
        8 => format!("{value:o}"),
        16 => format!("{value:X}"),
        _ => return Ok(Outcome::Return(u64::from(status::INVALID_PARAMETER))),
    };
    // `store` takes its destination from the first argument and must not allocate.
    call.args = [0; 12];
    call.args[0] = at;
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    store(call, &bytes, 2)
}

fn length_narrow(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    terminated_length(call, at, 1).map(Outcome::Return)
}

fn length_wide(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    terminated_length(call, at, 2).map(|bytes| Outcome::Return(bytes / 2))
}

/// The sign of the difference of two terminated strings.
fn compare_terminated(call: &mut Call<'_>, width: u64) -> Done {
    let [mut one, mut two, ..] = call.args;
    loop {
        let mut unit = |at| match width {
            2 => call.u16(at),
            _ => call.u8(at).map(u16::from),
        };
        let (a, b) = (unit(one)?, unit(two)?);
        if a != b || a == 0 {
            let sign = (i32::from(a) - i32::from(b)).signum();
            return Ok(Outcome::Return(sign as u32 as u64));
        }
        one = one.wrapping_add(width);
        two = two.wrapping_add(width);
    }
}

fn compare_narrow(call: &mut Call<'_>) -> Done {
    compare_terminated(call, 1)
}

fn compare_wide(call: &mut Call<'_>) -> Done {
    compare_terminated(call, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_text() {
        assert_eq!(parse("  42abc", 0), Some(42));
        assert_eq!(parse("0x1fG", 0), Some(0x1F));
        assert_eq!(parse("0b101", 0), Some(5));
        assert_eq!(parse("-1", 10), Some(u32::MAX));
        assert_eq!(parse("777", 8), Some(0o777));
        assert_eq!(parse("nothing", 10), Some(0));
        assert_eq!(parse("1", 7), None);
    }

    #[test]
    fn upper_case_is_unit_by_unit() {
        assert_eq!(upcase(u16::from(b'q')), u16::from(b'Q'));
        assert_eq!(upcase(0xE9), 0xC9);
        // The upper case of this one is two letters, so it stays.
        assert_eq!(upcase(0xDF), 0xDF);
        assert_eq!(upcase(0xD800), 0xD800);
    }

    #[test]
    fn order_of_strings() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        assert!(difference(&units("abc"), &units("abd")) < 0);
        assert!(difference(&units("abc"), &units("ab")) > 0);
        assert_eq!(difference(&units("abc"), &units("abc")), 0);
    }
}
