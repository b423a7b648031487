//! Control codes that drivers' code compares with.
//!
//! A control code has the type of the device that it is made for in its upper half (`CTL_CODE`,
//! wdm.h), so that a constant of that form which code tests for is most likely one. Compilers
//! compare with each code, or subtract the first one and then compare with differences, or jump
//! through a table behind a bound. What is found by mistake does no harm: a driver refuses codes
//! that it does not know.

use std::collections::BTreeSet;

use emu::loader::Image;
use isa::{Arch, Decoder};

/// Most codes that are sent unasked.
const CODES_MAX: usize = 64;
/// Largest difference between the codes of one jump table.
const TABLE_MAX: i64 = 0x400;
/// Instructions within which a difference is tested after it was made.
const NEAR: usize = 8;

/// An instruction: name and operands.
type Line = (String, String);

/// The codes, in ascending order, for devices of these types.
pub(super) fn codes(images: &[Image], types: &BTreeSet<u32>) -> Vec<u32> {
    let mut found = BTreeSet::new();
    for image in images {
        let decoder = Decoder::new(image.arch);
        for section in image.sections.iter().filter(|section| section.execute) {
            let from = section.rva as usize;
            let code = image.data.get(from..from + section.size as usize);
            let lines = disassembled(&decoder, image.arch, code.unwrap_or_default());
            scan(&lines, types, &mut found);
        }
    }
    found.into_iter().take(CODES_MAX).collect()
}

/// All of a section: what is no code is stepped over.
fn disassembled(decoder: &Decoder, arch: Arch, code: &[u8]) -> Vec<Line> {
    let step = if arch == Arch::Arm64 { 4 } else { 1 };
    let mut lines = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let some = decoder.disassemble(&code[at..], at as u64, code.len());
        at = some.last().map_or(at, |(last, length, ..)| {
            *last as usize + usize::from(*length)
        });
        lines.extend(
            some.into_iter()
                .map(|(_, _, name, operands)| (name, operands)),
        );
        at += step;
    }
    lines
}

fn scan(lines: &[Line], types: &BTreeSet<u32>, found: &mut BTreeSet<u32>) {
    let is_code = |value: i64| {
        let code = u32::try_from(value).ok()?;
        // Type 0 would make every small number a code.
        (code >> 16 != 0 && types.contains(&(code >> 16))).then_some(code)
    };
    for at in 0..lines.len() {
        let Some(value) = constant(lines, at) else {
            continue;
        };
        match lines[at].0.as_str() {
            "cmp" if tested(&lines[at + 1..]) => found.extend(is_code(value)),
            // A sum with the complement is a difference.
            "sub" | "subs" | "add" | "adds" | "lea" => {
                let low = i64::from(value as u32);
                let negative = i64::from((value as u32).wrapping_neg());
                let base = is_code(low).or(is_code(negative));
                if let Some(base) = base {
                    differences(&lines[at + 1..], base, found);
                }
            }
            _ => {}
        }
    }
}

/// What is compared after `base` was subtracted.
fn differences(after: &[Line], base: u32, found: &mut BTreeSet<u32>) {
    let (mut so_far, mut unit) = (0, 1);
    found.insert(base);
    for at in 0..after.len().min(NEAR) {
        let value = constant(after, at).filter(|value| (0..=TABLE_MAX).contains(value));
        let add = |found: &mut BTreeSet<u32>, difference: i64| {
            found.insert(base.wrapping_add(difference as u32));
        };
        match (after[at].0.as_str(), value) {
            ("ror" | "rol" | "shr" | "lsr", _) => unit = 4,
            ("sub" | "subs", Some(value)) => {
                so_far += value;
                add(found, so_far);
            }
            ("cmp", Some(value)) if tested(&after[at + 1..]) => add(found, so_far + value * unit),
            // A bound: every code up to it, whose functions are four apart.
            ("cmp", Some(value)) => {
                let last = (so_far + value * unit).min(TABLE_MAX);
                (so_far..=last)
                    .step_by(4)
                    .for_each(|difference| add(found, difference));
                return;
            }
            _ => {}
        }
    }
}

/// Whether equality is looked at before the next comparison.
fn tested(after: &[Line]) -> bool {
    let names = after.iter().take(3).map(|(name, _)| name.as_str());
    let mut names = names.take_while(|name| *name != "cmp");
    names.any(|name| matches!(name, "je" | "jne" | "b.eq" | "b.ne" | "sete" | "setne"))
}

/// The constant that an instruction takes part in: its own, or one that Arm64 code has just put
/// together in the register that it names last.
fn constant(lines: &[Line], at: usize) -> Option<i64> {
    let operands = lines[at].1.as_str();
    if lines[at].0 == "lea" {
        // `[rax - 0x222000]`
        let (_, displacement) = operands.trim_end_matches(']').rsplit_once(" - ")?;
        return number(displacement);
    }
    let (before, last) = operands.rsplit_once(", ")?;
    if let Some(shift) = last.strip_prefix("lsl #") {
        let value = number(before.rsplit_once(", ")?.1)?;
        return value.checked_shl(shift.parse().ok()?);
    }
    if let Some(value) = number(last) {
        return Some(value);
    }
    let before = lines[at.saturating_sub(4)..at].iter();
    let mut writes = before.filter(|(_, operands)| {
        operands
            .strip_prefix(last)
            .is_some_and(|rest| rest.starts_with(", "))
    });
    let low = writes
        .next()
        .filter(|(name, _)| name == "mov" || name == "movz")?;
    let low = number(low.1.rsplit_once(", ")?.1)?;
    match writes.next() {
        None => Some(low),
        Some((name, operands)) if name == "movk" => {
            let high = operands.strip_suffix(", lsl #16")?.rsplit_once(", ")?.1;
            Some(number(high)? << 16 | low)
        }
        Some(_) => None,
    }
}

/// `0x10`, `-0x10`, `#0x10` or `16`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start_matches('#');
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[u32]) {
        let lines = text.split("; ").map(|line| {
            let (name, operands) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), operands.to_owned())
        });
        let mut found = BTreeSet::new();
        scan(
            &lines.collect::<Vec<_>>(),
            &BTreeSet::from([0x22]),
            &mut found,
        );
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn codes_are_found_in_what_compilers_make_of_a_switch() {
        check(
            "cmp dword ptr [rax + 0x18], 0x222000; jne 0x10",
            &[0x222000],
        );
        check("cmp eax, 0x222004; jg 0x10; je 0x20", &[0x222004]);
        check(
            "sub eax, 0x222000; je 0x9; sub eax, 4; je 0x9; cmp eax, 8; jne 0x9",
            &[0x222000, 0x222004, 0x22200C],
        );
        check(
            "add ebx, 0xffdde000; cmp ebx, 8; ja 0x9",
            &[0x222000, 0x222004, 0x222008],
        );
        check(
            "lea ecx, [rax - 0x222000]; ror ecx, 2; cmp ecx, 1; ja 0x9",
            &[0x222000, 0x222004],
        );
        check("cmp w9, #0x222, lsl #12; b.ne 0x10", &[0x222000]);
        check(
            "mov w10, #0x2004; movk w10, #0x22, lsl #16; cmp w1, w10; b.eq 0x10",
            &[0x222004],
        );
    }

    #[test]
    fn other_constants_are_none() {
        check("cmp eax, 0x322000; je 0x10", &[]);
        check("cmp eax, 0x222003; jg 0x10", &[]);
        check("mov eax, 0x222000; call 0x10", &[]);
        check("cmp eax, ebx; je 0x10", &[]);
        check("sub eax, 4; je 0x10", &[]);
        check("cmp", &[]);
    }
}
