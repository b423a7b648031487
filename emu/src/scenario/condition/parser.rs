//! From words to a tree, by precedence.

use std::ops::Range;

use super::lexer::{Token, tokens};
use super::{Expression, ExpressionError, Kind, Node, Operator, Value};

/// How deep parentheses and prefixes may nest.
const DEPTH_MAX: usize = 50;

/// The binary operators, loosest first.
const LEVELS: [&[Operator]; 5] = [
    &[Operator::Or],
    &[Operator::And],
    &[
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ],
    &[Operator::Add, Operator::Subtract],
    &[Operator::Multiply, Operator::Divide, Operator::Remainder],
];

/// The level of [`LEVELS`] whose operators do not chain: `a < b < c` is a mistake.
const COMPARISONS: usize = 2;

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            end: text.len(),
        };
        let root = parser.choose()?;
        match parser.tokens.get(parser.next) {
            None => Ok(Expression { root }),
            Some((_, part)) => {
                let problem = format!("'{}' is not expected here", &text[part.clone()]);
                Err(ExpressionError::new(
                    part.clone(),
                    problem,
                    "join conditions with && or ||",
                ))
            }
        }
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
    depth: usize,
    /// Length of the text.
    end: usize,
}

impl Parser {
    /// `c ? a : b`, or anything tighter.
    fn choose(&mut self) -> Result<Node, ExpressionError> {
        self.nested(|parser| {
            let condition = parser.binary(0)?;
            if !parser.take(&Token::Question) {
                return Ok(condition);
            }
            let yes = parser.choose()?;
            parser.expect(Token::Colon, "':' is missing after '?'", "write c ? a : b")?;
            let no = parser.choose()?;
            let part = condition.part.start..no.part.end;
            Ok(Node {
                kind: Kind::Choose(condition.into(), yes.into(), no.into()),
                part,
            })
        })
    }

    /// A chain of the operators of this level, or anything tighter.
    fn binary(&mut self, level: usize) -> Result<Node, ExpressionError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.prefix();
        };
        let mut left = self.binary(level + 1)?;
        let mut links = 0;
        while let Some((Token::Operator(operator), part)) = self.tokens.get(self.next) {
            let (operator, part) = (*operator, part.clone());
            if !operators.contains(&operator) {
                break;
            }
            links += 1;
            if level == COMPARISONS && links > 1 {
                let mend = "write a < b && b < c";
                return Err(ExpressionError::new(part, "comparisons do not chain", mend));
            }
            if links > DEPTH_MAX {
                return Err(ExpressionError::new(part, "the expression is too long", ""));
            }
            self.next += 1;
            let right = self.binary(level + 1)?;
            let part = left.part.start..right.part.end;
            left = Node {
                kind: Kind::Binary(operator, left.into(), right.into()),
                part,
            };
        }
        Ok(left)
    }

    /// `!x`, `-x`, or a single value.
    fn prefix(&mut self) -> Result<Node, ExpressionError> {
        let start = self.place().start;
        let wrap: fn(Box<Node>) -> Kind = if self.take(&Token::Not) {
            Kind::Not
        } else if self.take(&Token::Operator(Operator::Subtract)) {
            Kind::Negate
        } else {
            return self.value();
        };
        let inner = self.nested(Self::prefix)?;
        let part = start..inner.part.end;
        Ok(Node {
            kind: wrap(inner.into()),
            part,
        })
    }

    fn value(&mut self) -> Result<Node, ExpressionError> {
        let part = self.place();
        let token = self.tokens.get(self.next).map(|(token, _)| token.clone());
        self.next += 1;
        let kind = match token {
            Some(Token::Int(value)) => Kind::Value(Value::Int(value)),
            Some(Token::Text(text)) => Kind::Value(Value::Text(text)),
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Kind::Value(Value::Bool(true)),
                "false" => Kind::Value(Value::Bool(false)),
                _ => Kind::Name(name),
            },
            Some(Token::Open) => {
                let inner = self.choose()?;
                self.expect(Token::Close, "')' is missing", "close the parenthesis")?;
                return Ok(inner);
            }
            _ => {
                let mend = "write a name, a number, a string, true or false";
                return Err(ExpressionError::new(part, "a value is missing here", mend));
            }
        };
        Ok(Node { kind, part })
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self
            .tokens
            .get(self.next)
            .is_some_and(|(next, _)| next == token);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: Token, problem: &str, mend: &str) -> Result<(), ExpressionError> {
        match self.take(&token) {
            true => Ok(()),
            false => Err(ExpressionError::new(self.place(), problem, mend)),
        }
    }

    /// Where the next token stands.
    fn place(&self) -> Range<usize> {
        self.tokens
            .get(self.next)
            .map_or(self.end..self.end, |(_, part)| part.clone())
    }

    /// One level deeper, unless it is too deep.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        if self.depth == DEPTH_MAX {
            return Err(ExpressionError::new(
                self.place(),
                "the expression is nested too deep",
                "",
            ));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}
