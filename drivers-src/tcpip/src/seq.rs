//! Arithmetic on TCP sequence numbers, which wrap (RFC 793, section 3.3).

/// `a` comes before `b`.
pub const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// `a` comes before `b` or is it.
pub const fn not_after(a: u32, b: u32) -> bool {
    !before(b, a)
}

/// Whether a segment of `length` sequence numbers from `seq` on lies at least partly in the
/// window of `window` numbers from `next` on. An empty segment is judged by its place.
pub const fn acceptable(seq: u32, length: u32, next: u32, window: u32) -> bool {
    let first = seq.wrapping_sub(next);
    if length == 0 {
        return first == 0 || first < window;
    }
    let last = first.wrapping_add(length - 1);
    first < window || last < window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps() {
        assert!(before(u32::MAX, 0));
        assert!(!before(0, u32::MAX));
        assert!(not_after(7, 7));
        assert!(!before(7, 7));
    }

    #[test]
    fn window_of_rfc_793() {
        // (seq, length, next, window) and the verdict of the table on page 69.
        let rows = [
            (100, 0, 100, 0, true),
            (101, 0, 100, 0, false),
            (99, 0, 100, 10, false),
            (109, 0, 100, 10, true),
            (110, 0, 100, 10, false),
            (100, 1, 100, 0, false),
            (95, 6, 100, 10, true),
            (95, 5, 100, 10, false),
            (109, 5, 100, 10, true),
            (110, 5, 100, 10, false),
            (u32::MAX - 1, 4, 1, 10, true),
        ];
        for (seq, length, next, window, want) in rows {
            assert_eq!(
                acceptable(seq, length, next, window),
                want,
                "{seq} {length} {next} {window}"
            );
        }
    }
}
