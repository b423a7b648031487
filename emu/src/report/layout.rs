//! Laying text out in a given width. A character is taken to be one cell wide; a control character
//! is shown as `?`, because text may come from a guest and must not steer a terminal.

/// The text in lines of at most `width` cells (at least 1), broken at spaces; a word that is
/// longer is cut. An empty text is one empty line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used == width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(visible(c));
            used += 1;
        }
    }
    lines.push(line);
    lines
}

/// The character, or `?` for one that would steer a terminal.
pub(super) fn visible(c: char) -> char {
    if c.is_control() { '?' } else { c }
}

/// Several paragraphs in lines of at most `width` cells, each after `indent` spaces.
pub(super) fn paragraphs(text: &str, width: usize, indent: usize) -> Vec<String> {
    text.lines()
        .flat_map(|paragraph| wrap(paragraph, width.saturating_sub(indent)))
        .map(|line| format!("{:indent$}{line}", "").trim_end().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_spaces_and_cuts_long_words() {
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(wrap("ab abcdefgh", 4), ["ab", "abcd", "efgh"]);
        assert_eq!(wrap("─▂▄▆█", 3), ["─▂▄", "▆█"]);
        assert_eq!(wrap("a b", 0), ["a", "b"]);
        assert_eq!(wrap("a\x1b[2J", 8), ["a?[2J"]);
    }

    #[test]
    fn no_line_is_longer_than_the_width() {
        let text = "the quick brown fox jumps over the extraordinarily lazy dog";
        for width in 1..70 {
            for line in wrap(text, width) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn paragraphs_are_indented() {
        assert_eq!(paragraphs("a b\nc", 3, 2), ["  a", "  b", "  c"]);
    }
}
