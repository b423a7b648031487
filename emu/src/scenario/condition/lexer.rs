//! The words of an expression.

use std::ops::Range;

use super::{ExpressionError, Operator};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Text(String),
    Name(String),
    Operator(Operator),
    Not,
    Question,
    Colon,
    Open,
    Close,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [(&str, Token); 18] = [
    ("||", Token::Operator(Operator::Or)),
    ("&&", Token::Operator(Operator::And)),
    ("==", Token::Operator(Operator::Equal)),
    ("!=", Token::Operator(Operator::NotEqual)),
    ("<=", Token::Operator(Operator::LessOrEqual)),
    (">=", Token::Operator(Operator::GreaterOrEqual)),
    ("<", Token::Operator(Operator::Less)),
    (">", Token::Operator(Operator::Greater)),
    ("+", Token::Operator(Operator::Add)),
    ("-", Token::Operator(Operator::Subtract)),
    ("*", Token::Operator(Operator::Multiply)),
    ("/", Token::Operator(Operator::Divide)),
    ("%", Token::Operator(Operator::Remainder)),
    ("!", Token::Not),
    ("?", Token::Question),
    (":", Token::Colon),
    ("(", Token::Open),
    (")", Token::Close),
];

/// The tokens of a text, each with the bytes it was read from.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = token(&text[at..], first).map_err(|(length, problem, mend)| {
            ExpressionError::new(at..at + length, problem, mend)
        })?;
        tokens.push((token, at..at + length));
        at += length;
    }
    Ok(tokens)
}

/// The token that `rest` begins with and its length, or the length of what is wrong, the problem
/// and the mend.
fn token(rest: &str, first: char) -> Result<(Token, usize), (usize, String, String)> {
    if let Some((symbol, token)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Ok((token.clone(), symbol.len()));
    }
    let length = |in_word: fn(char) -> bool| rest.find(|c| !in_word(c)).unwrap_or(rest.len());
    if first.is_ascii_digit() {
        let length = length(|c| c.is_ascii_alphanumeric() || c == '_');
        let digits = rest[..length].replace('_', "");
        let value = match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        let bad = |_| {
            (
                length,
                format!("'{}' is no number", &rest[..length]),
                String::new(),
            )
        };
        return value.map(|value| (Token::Int(value), length)).map_err(bad);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = length(|c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((Token::Name(rest[..length].to_owned()), length));
    }
    if first == '"' || first == '\'' {
        return match rest[1..].find(first) {
            Some(inside) => Ok((Token::Text(rest[1..1 + inside].to_owned()), inside + 2)),
            None => Err((
                rest.len(),
                "a string that does not end".to_owned(),
                format!("add {first}"),
            )),
        };
    }
    let mend = match first {
        '=' => "compare with ==",
        '&' => "write && for 'and'",
        '|' => "write || for 'or'",
        _ => "",
    };
    Err((
        first.len_utf8(),
        format!("'{first}' means nothing here"),
        mend.to_owned(),
    ))
}
