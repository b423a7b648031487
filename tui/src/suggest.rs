//! What a misspelt word may have been.

/// A mend for a word that is none of `known`: the nearest one, if it is near, or else all of them.
pub fn mend(word: &str, known: &[&str]) -> String {
    match near(word, known) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("there are: {}", known.join(", ")),
    }
}

/// The known word that differs least, if no more than a third of the word differs.
pub fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known
        .iter()
        .map(|known| (distance(word, known), *known))
        .min();
    let limit = word.chars().count().div_ceil(3);
    nearest
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, known)| known)
}

/// Insertions, deletions and substitutions that turn `a` into `b` (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_gets_the_list() {
        let known = ["kb931322", "q252664"];
        assert_eq!(mend("kb931232", &known), "did you mean 'kb931322'?");
        assert_eq!(mend("Q252664", &known), "did you mean 'q252664'?");
        assert_eq!(mend("deadlock", &known), "there are: kb931322, q252664");
    }

    #[test]
    fn distances() {
        let cases = [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("same", "same", 0),
        ];
        for (a, b, expected) in cases {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
