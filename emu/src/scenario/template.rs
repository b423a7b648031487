//! Strings with expressions in braces: `"nt4-{driver}"`, `"10.0.0.{2 + n}"`. Two braces stand for
//! one.

use std::ops::Range;

use super::condition::{Expression, ExpressionError, Scope};

/// A string whose expressions are well formed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    /// An expression and where it stands in the string.
    Expression(Expression, usize),
}

impl Template {
    /// Reads a string.
    pub fn parse(text: &str) -> Result<Template, ExpressionError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push(c);
                at += 2;
            } else if c == '{' {
                let Some(length) = closing_brace(&rest[1..]) else {
                    return Err(problem(at..text.len(), "a '{' that is not closed"));
                };
                let start = at + 1;
                let expression = Expression::parse(&text[start..start + length]);
                parts.push(Part::Literal(std::mem::take(&mut literal)));
                parts.push(Part::Expression(
                    expression.map_err(|e| moved(e, start))?,
                    start,
                ));
                at = start + length + 1;
            } else if c == '}' {
                return Err(problem(at..at + 1, "a '}' that was not opened"));
            } else {
                literal.push(c);
                at += c.len_utf8();
            }
        }
        parts.push(Part::Literal(literal));
        Ok(Template { parts })
    }

    /// Checks the names and types of every expression.
    pub fn check(&self, scope: &Scope) -> Result<(), ExpressionError> {
        for part in &self.parts {
            if let Part::Expression(expression, at) = part {
                expression.check(scope).map_err(|e| moved(e, *at))?;
            }
        }
        Ok(())
    }

    /// The string with every expression replaced by its value.
    pub fn evaluate(&self, scope: &Scope) -> Result<String, ExpressionError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Expression(expression, at) => {
                    let value = expression.evaluate(scope).map_err(|e| moved(e, *at))?;
                    text.push_str(&value.to_string());
                }
            }
        }
        Ok(text)
    }
}

/// Where the brace closes; braces in quoted strings do not count.
fn closing_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '}' => return Some(at),
            None => {}
        }
    }
    None
}

fn problem(part: Range<usize>, problem: &str) -> ExpressionError {
    let mend = "write {{ or }} for a brace that is meant as text".to_owned();
    ExpressionError {
        part,
        problem: problem.to_owned(),
        mend,
    }
}

fn moved(error: ExpressionError, by: usize) -> ExpressionError {
    ExpressionError {
        part: error.part.start + by..error.part.end + by,
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::settings::Value;

    fn check(text: &str) -> Result<String, String> {
        let scope = Scope::from([("n".to_owned(), Value::Int(3).into())]);
        Template::parse(text)
            .and_then(|template| template.evaluate(&scope))
            .map_err(|e| format!("{:?} {}", e.part, e.problem))
    }

    #[test]
    fn braces() {
        assert_eq!(check("10.0.0.{2 + n}").unwrap(), "10.0.0.5");
        assert_eq!(check("{n}{n}é{{x}}").unwrap(), "33é{x}");
        assert_eq!(check("{n == 3 ? '}' : '{'}").unwrap(), "}");
        assert_eq!(check("ab{m}").unwrap_err(), "3..4 there is no 'm'");
        assert_eq!(check("ab{n").unwrap_err(), "2..4 a '{' that is not closed");
        assert_eq!(check("é}").unwrap_err(), "2..3 a '}' that was not opened");
        assert_eq!(check("{}").unwrap_err(), "1..1 a value is missing here");
    }
}
