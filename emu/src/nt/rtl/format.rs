//! The formatted output of the C run-time library, with the kernel's additions (`%wZ`, `%I64x`).
//!
//! Microsoft C run-time library, "Format specification syntax: printf and wprintf functions";
//! `%wZ` and `%Z`: Windows driver documentation, "Reading and Filtering Debugging Messages".

/// Where the arguments of a formatted text come from.
pub trait Arguments {
    /// Why an argument could not be had.
    type Error;
    /// The next argument of at most pointer size.
    fn word(&mut self) -> Result<u64, Self::Error>;
    /// The next 64-bit argument.
    fn quad(&mut self) -> Result<u64, Self::Error>;
    /// The terminated text at an address, at most `limit` characters; `wide` for UTF-16.
    fn text(&mut self, at: u64, wide: bool, limit: usize) -> Result<String, Self::Error>;
    /// The counted text whose descriptor is at an address.
    fn counted(&mut self, at: u64, wide: bool) -> Result<String, Self::Error>;
    /// Bytes in a pointer.
    fn pointer_size(&self) -> usize;
    /// The specification is one that is not known.
    fn unknown(&mut self, specification: &str) -> Self::Error;
}

/// How a value is laid out.
#[derive(Clone, Copy, Default, Hash)]
struct Layout {
    left: bool,
    zeros: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The size of an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Size {
    Short,
    Normal,
    Long,
    Quad,
    Pointer,
    Wide,
}

/// Formats a text.
///
/// # Errors
/// What the arguments give: memory that cannot be read, an unknown specification.
pub fn format<A: Arguments>(pattern: &str, arguments: &mut A) -> Result<String, A::Error> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let mut reader = Reader {
            rest: &rest[at + 1..],
        };
        let layout = reader.layout(arguments)?;
        let size = reader.size();
        let Some(kind) = reader.next() else {
            return Err(arguments.unknown(&rest[at..]));
        };
        let specification = &rest[at..rest.len() - reader.rest.len()];
        out.push_str(&conversion(kind, size, layout, specification, arguments)?);
        rest = reader.rest;
    }
    out.push_str(rest);
    Ok(out)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest.strip_prefix(prefix);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn number<A: Arguments>(&mut self, arguments: &mut A) -> Result<Option<i64>, A::Error> {
        if self.eat("*") {
            return Ok(Some(i64::from(arguments.word()? as i32)));
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest[..digits].parse().ok();
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn layout<A: Arguments>(&mut self, arguments: &mut A) -> Result<Layout, A::Error> {
        let mut layout = Layout::default();
        loop {
            match self.rest.bytes().next() {
                Some(b'-') => layout.left = true,
                Some(b'0') => layout.zeros = true,
                Some(b'+') => layout.plus = true,
                Some(b' ') => layout.blank = true,
                Some(b'#') => layout.alternate = true,
                _ => break,
            }
            self.rest = &self.rest[1..];
        }
        // The kernel's debugger output has a buffer of 512 bytes; nothing wider can show.
        let bounded = |n: i64| n.unsigned_abs().min(512) as usize;
        if let Some(width) = self.number(arguments)? {
            layout.left |= width < 0;
            layout.width = bounded(width);
        }
        if self.eat(".") {
            let precision = self.number(arguments)?.unwrap_or(0);
            layout.precision = (precision >= 0).then(|| bounded(precision));
        }
        Ok(layout)
    }

    fn size(&mut self) -> Size {
        let sizes = [
            ("I64", Size::Quad),
            ("I32", Size::Normal),
            ("I", Size::Pointer),
            ("ll", Size::Quad),
            ("l", Size::Long),
            ("hh", Size::Short),
            ("h", Size::Short),
            ("w", Size::Wide),
            ("z", Size::Pointer),
        ];
        sizes
            .into_iter()
            .find(|(text, _)| self.eat(text))
            .map_or(Size::Normal, |(_, size)| size)
    }
}

fn conversion<A: Arguments>(
    kind: char,
    size: Size,
    layout: Layout,
    specification: &str,
    arguments: &mut A,
) -> Result<String, A::Error> {
    let wide = matches!(size, Size::Long | Size::Wide);
    Ok(match kind {
        '%' => "%".into(),
        'd' | 'i' => {
            let number = signed(integer(size, arguments)?, size, arguments.pointer_size());
            let sign = match number {
                n if n < 0 => "-",
                _ if layout.plus => "+",
                _ if layout.blank => " ",
                _ => "",
            };
            digits(sign, number.unsigned_abs().to_string(), layout)
        }
        'u' => digits("", integer(size, arguments)?.to_string(), layout),
        'o' => digits("", format!("{:o}", integer(size, arguments)?), layout),
        'x' | 'X' => {
            let number = integer(size, arguments)?;
            let text = format!("{number:x}");
            let prefix = if layout.alternate && number != 0 {
                "0x"
            } else {
                ""
            };
            let text = digits(prefix, text, layout);
            if kind == 'X' {
                text.to_uppercase()
            } else {
                text
            }
        }
        'p' => {
            let width = 2 * arguments.pointer_size();
            let number = arguments.word()?;
            pad(format!("{number:0width$X}"), layout)
        }
        'c' | 'C' => {
            let unit = arguments.word()?;
            let wide = wide != (kind == 'C');
            let code = if wide {
                (unit & 0xFFFF) as u32
            } else {
                (unit & 0xFF) as u32
            };
            pad(char::from_u32(code).unwrap_or('\u{FFFD}').into(), layout)
        }
        's' | 'S' => {
            let at = arguments.word()?;
            // In the narrow functions %S is a wide string, as are %ls and %ws.
            let wide = wide != (kind == 'S');
            let limit = layout.precision.unwrap_or(usize::MAX);
            let text = if at == 0 {
                "(null)".into()
            } else {
                arguments.text(at, wide, limit)?
            };
            pad(text.chars().take(limit).collect(), layout)
        }
        'Z' => {
            let at = arguments.word()?;
            let text = if at == 0 {
                "(null)".into()
            } else {
                arguments.counted(at, wide)?
            };
            let limit = layout.precision.unwrap_or(usize::MAX);
            pad(text.chars().take(limit).collect(), layout)
        }
        _ => return Err(arguments.unknown(specification)),
    })
}

/// The next integer argument, zero-extended from its size.
fn integer<A: Arguments>(size: Size, arguments: &mut A) -> Result<u64, A::Error> {
    Ok(match size {
        Size::Quad => arguments.quad()?,
        Size::Pointer => arguments.word()?,
        Size::Short => arguments.word()? & 0xFFFF,
        Size::Normal | Size::Long | Size::Wide => arguments.word()? & 0xFFFF_FFFF,
    })
}

fn signed(value: u64, size: Size, pointer: usize) -> i64 {
    match size {
        Size::Short => i64::from(value as u16 as i16),
        Size::Quad => value as i64,
        Size::Pointer if pointer == 8 => value as i64,
        _ => i64::from(value as u32 as i32),
    }
}

/// Digits with their sign or prefix, at least as many as the precision says.
fn digits(prefix: &str, digits: String, layout: Layout) -> String {
    let least = match layout.precision {
        Some(precision) => precision,
        None if layout.zeros && !layout.left => layout.width.saturating_sub(prefix.len()),
        None => 1,
    };
    pad(format!("{prefix}{digits:0>least$}"), layout)
}

fn pad(text: String, layout: Layout) -> String {
    let width = layout.width;
    if layout.left {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments by value; texts by number.
    struct List(Vec<u64>, usize);

    impl Arguments for List {
        type Error = String;
        fn word(&mut self) -> Result<u64, String> {
            if self.0.is_empty() {
                Err("no argument".into())
            } else {
                Ok(self.0.remove(0))
            }
        }
        fn quad(&mut self) -> Result<u64, String> {
            self.word()
        }
        fn text(&mut self, at: u64, wide: bool, limit: usize) -> Result<String, String> {
            let text = format!("{}{at}", if wide { "wide" } else { "narrow" });
            Ok(text.chars().take(limit).collect())
        }
        fn counted(&mut self, at: u64, wide: bool) -> Result<String, String> {
            Ok(format!(
                "counted-{}{at}",
                if wide { "wide" } else { "narrow" }
            ))
        }
        fn pointer_size(&self) -> usize {
            self.1
        }
        fn unknown(&mut self, specification: &str) -> String {
            format!("unknown {specification}")
        }
    }

    #[track_caller]
    fn check(pattern: &str, arguments: &[u64], expected: &str) {
        assert_eq!(
            format(pattern, &mut List(arguments.to_vec(), 4)).as_deref(),
            Ok(expected)
        );
    }

    #[test]
    fn numbers() {
        check(
            "%d %u %x %X",
            &[0xFFFF_FFFF, 0xFFFF_FFFF, 0xAB, 0xAB],
            "-1 4294967295 ab AB",
        );
        check(
            "[%5d] [%-5d] [%05d]",
            &[42, 42, 42],
            "[   42] [42   ] [00042]",
        );
        check("%08x %#x %#X", &[0xBEEF, 0x1F, 0x1F], "0000beef 0x1f 0X1F");
        check("%ld %lu %hd", &[7, 8, 0xFFFF], "7 8 -1");
        check("%I64x %I64d", &[0x1_2345_6789, u64::MAX], "123456789 -1");
        check("%+d % d %.3d %*d", &[5, 5, 5, 4, 5], "+5  5 005    5");
        check("%-06d|", &[(-12i64) as u64], "-12   |");
        check("%06d|", &[(-12i64) as u64], "-00012|");
    }

    #[test]
    fn pointers_are_as_wide_as_the_machine() {
        check("%p", &[0xF27B_4E8E], "F27B4E8E");
        let on_64 = format("%p %Ix", &mut List(vec![0xFADF_0000, 0x1_0000_0000], 8));
        assert_eq!(on_64.as_deref(), Ok("00000000FADF0000 100000000"));
    }

    #[test]
    fn texts() {
        check("%s %S %ws %ls", &[1, 2, 3, 4], "narrow1 wide2 wide3 wide4");
        check(
            "%wZ %Z %s",
            &[1, 2, 0],
            "counted-wide1 counted-narrow2 (null)",
        );
        check("%c%%%c", &[b'a'.into(), b'b'.into()], "a%b");
        check("[%8.3s] [%-4c]", &[1, b'z'.into()], "[     nar] [z   ]");
    }

    #[test]
    fn nothing_is_made_up() {
        let mut none = List(vec![], 4);
        assert_eq!(format("%q", &mut none), Err("unknown %q".into()));
        assert_eq!(format("100%", &mut none), Err("unknown %".into()));
        assert_eq!(format("%d", &mut none), Err("no argument".into()));
    }
}
