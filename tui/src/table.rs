//! Text in columns.

/// Rows under headings, every column as wide as its widest cell; `right` lists the columns that
/// are set flush right. Lines end with a line feed.
pub fn render(headings: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|c| c.chars().count());
            cells.max().unwrap_or(0).max(heading.chars().count())
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            let width = widths[column];
            text += &match right.contains(&column) {
                true => format!("{cell:>width$}  "),
                false => format!("{cell:<width$}  "),
            };
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&mut headings.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A number with a comma at every third digit, as the articles' tables have it.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [
            vec!["long cell".into(), "1".into()],
            vec!["b".into(), "1,000".into()],
        ];
        let expected = "name        size\nlong cell      1\nb          1,000\n";
        assert_eq!(render(&["name", "size"], &rows, &[1]), expected);
    }

    #[test]
    fn commas() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (802_328, "802,328"),
        ];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }
}
