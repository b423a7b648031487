//! A schedule as text: the answers of a run, option 0 left out.
//!
//! Each deviation is written as how many choices lie between it and the one before, and the option
//! taken. Small gaps are the rule, so gaps are base-36 digits and the option is the separator: a
//! capital letter, `B` for option 1, `C` for option 2 and so on. `4B` is: four choices as they come,
//! then option 1. Runs of the same deviation are folded: `B*7`.

use std::fmt;
use std::str::FromStr;

/// The choices of a run that were not answered with option 0: number and option, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Moves(pub Vec<(u64, u32)>);

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut at = 0;
        let mut words: Vec<(String, u32)> = Vec::new();
        for &(number, option) in &self.0 {
            let word = format!("{}{}", gap(number - at - 1), letter(option));
            at = number;
            match words.last_mut() {
                Some((last, times)) if *last == word => *times += 1,
                _ => words.push((word, 1)),
            }
        }
        for (word, times) in words {
            match times {
                1 => f.write_str(&word)?,
                2 => write!(f, "{word}{word}")?,
                _ => write!(f, "{word}*{times}.")?,
            }
        }
        if self.0.is_empty() {
            f.write_str("-")
        } else {
            Ok(())
        }
    }
}

fn gap(mut n: u64) -> String {
    let mut out = Vec::new();
    while n > 0 {
        out.push(DIGITS[(n % 36) as usize]);
        n /= 36;
    }
    out.reverse();
    String::from_utf8(out).expect("digits are ASCII")
}

/// `B` is option 1; options beyond 25 repeat `Z` as a carry.
fn letter(option: u32) -> String {
    let mut rest = option;
    let mut out = String::new();
    while rest >= 25 {
        out.push('Z');
        rest -= 25;
    }
    out.push((b'A' + rest as u8) as char);
    out
}

impl FromStr for Moves {
    type Err = String;

    fn from_str(text: &str) -> Result<Moves, String> {
        let text = text.trim();
        let mut moves = Vec::new();
        if text == "-" {
            return Ok(Moves(moves));
        }
        let mut number = 0u64;
        let mut chars = text.char_indices().peekable();
        while chars.peek().is_some() {
            let wrong = |at: usize, what: &str| {
                Err(format!("the schedule has {what} at character {}", at + 1))
            };
            let mut gap = 0u64;
            let mut option = 0u32;
            loop {
                match chars.next() {
                    Some((at, c @ ('0'..='9' | 'a'..='z'))) => {
                        let digit = u64::from(c.to_digit(36).unwrap_or(0));
                        match gap.checked_mul(36).and_then(|g| g.checked_add(digit)) {
                            Some(g) => gap = g,
                            None => return wrong(at, "a gap that is too large"),
                        }
                    }
                    Some((at, 'Z')) => match option.checked_add(25) {
                        Some(o) => option = o,
                        None => return wrong(at, "an option that is too large"),
                    },
                    Some((_, c @ 'A'..='Y')) => {
                        option += u32::from(c as u8 - b'A');
                        break;
                    }
                    Some((at, c)) => return wrong(at, &format!("'{c}'")),
                    None => return wrong(text.len(), "a gap without an option"),
                }
            }
            let mut times = 1u64;
            if chars.peek().is_some_and(|(_, c)| *c == '*') {
                chars.next();
                times = 0;
                loop {
                    match chars.next() {
                        Some((_, c @ '0'..='9')) if times < 1 << 32 => {
                            times = times * 10 + u64::from(c as u8 - b'0');
                        }
                        Some((_, '.')) => break,
                        Some((at, c)) => return wrong(at, &format!("'{c}' in a repeat count")),
                        None => return wrong(text.len(), "an unfinished repeat count"),
                    }
                }
            }
            if option == 0 || times == 0 || moves.len() as u64 + times > 100_000_000 {
                return Err("the schedule names option 0 or repeats a move too often".into());
            }
            for _ in 0..times {
                number = match number.checked_add(gap).and_then(|n| n.checked_add(1)) {
                    Some(n) => n,
                    None => return Err("the schedule's gaps are too large".into()),
                };
                moves.push((number, option));
            }
        }
        Ok(Moves(moves))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(moves: &[(u64, u32)], text: &str) {
        let m = Moves(moves.to_vec());
        assert_eq!(m.to_string(), text);
        assert_eq!(text.parse::<Moves>().unwrap(), m);
    }

    #[test]
    fn text_and_back() {
        round_trip(&[], "-");
        round_trip(&[(1, 1)], "B");
        round_trip(&[(5, 1), (6, 2)], "4BC");
        round_trip(&[(1, 1), (2, 1), (3, 1)], "B*3.");
        round_trip(&[(37 * 36, 26)], "10zZB");
        round_trip(&[(2, 3), (4, 3), (6, 3), (8, 3), (9, 25)], "1D*4.ZA");
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "4",
            "A",
            "é",
            "B*",
            "B*3",
            "B*0.",
            "zzzzzzzzzzzzzzzzB",
            "B*99999999999.",
        ] {
            assert!(text.parse::<Moves>().is_err(), "{text}");
        }
    }
}
