//! The expressions of scenario files: `urgent && cpus > 1 && driver == "buggy"`.
//!
//! Operators, loosest first: `c ? a : b`, `||`, `&&`, the comparisons `== != < <= > >=`, `+ -`,
//! `* / %`, and the prefixes `!` and `-`. Values are booleans, integers (decimal or `0x`) and
//! strings in single or double quotes. Names are settings, `cpus`, `profile`, `personality`,
//! the file's `let` names, and the counters of `repeat`. There is no conversion: an expression
//! has one type, known before any choice is made, so that a mistake shows in every run.

mod evaluate;
mod lexer;
mod parser;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::settings::Value;

/// An expression whose form is right.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    root: Node,
}

/// Why a text is no expression, or has no value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExpressionError {
    /// The bytes of the text that are meant.
    pub part: Range<usize>,
    pub problem: String,
    pub mend: String,
}

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Bool,
    Int,
    Text,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variable {
    pub value: Value,
    /// The only values that a string may have; empty: any.
    pub choices: Vec<String>,
}

/// The names that an expression may use.
pub(super) type Scope = BTreeMap<String, Variable>;

#[derive(Clone, Debug, PartialEq)]
struct Node {
    kind: Kind,
    /// The bytes of the text it was read from.
    part: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Value(Value),
    Name(String),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// Condition, value if true, value if false.
    Choose(Box<Node>, Box<Node>, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl From<Value> for Variable {
    fn from(value: Value) -> Self {
        Variable {
            value,
            choices: Vec::new(),
        }
    }
}

impl Value {
    pub(super) fn kind(&self) -> Type {
        match self {
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Text(_) => Type::Text,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "true or false",
            Type::Int => "a number",
            Type::Text => "a string",
        })
    }
}

impl ExpressionError {
    fn new(part: Range<usize>, problem: impl Into<String>, mend: impl Into<String>) -> Self {
        ExpressionError {
            part,
            problem: problem.into(),
            mend: mend.into(),
        }
    }
}

#[cfg(test)]
mod tests;
