//! Reading the values of a scenario file under the choices made: expressions, templates, words,
//! addresses and bounds, each with its own message.

use std::net::Ipv4Addr;
use std::ops::{Range, RangeInclusive};

use super::condition::{Expression, ExpressionError, Scope, Type};
use super::error::{ScenarioError, Source, one_of};
use super::schema::{Field, Scalar, Spanned};
use super::settings::Value;
use super::template::Template;

/// The file's text and the names that hold at some place of it.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub source: &'a Source,
    pub scope: &'a Scope,
}

impl Context<'_> {
    /// A condition; one that is not written holds.
    pub fn holds(&self, when: &Option<Field>) -> Result<bool, ScenarioError> {
        when.as_ref().map_or(Ok(true), |field| self.boolean(field))
    }

    /// True or false: a boolean or an expression.
    pub fn boolean(&self, field: &Field) -> Result<bool, ScenarioError> {
        match self.expression(field)? {
            Value::Bool(value) => Ok(value),
            other => Err(self.wrong_type(field, other.kind(), Type::Bool)),
        }
    }

    /// A boolean that is `default` if it is not written.
    pub fn boolean_or(&self, field: &Option<Field>, default: bool) -> Result<bool, ScenarioError> {
        field
            .as_ref()
            .map_or(Ok(default), |field| self.boolean(field))
    }

    /// An integer within bounds: a number or an expression.
    pub fn number(&self, field: &Field, bounds: RangeInclusive<i64>) -> Result<i64, ScenarioError> {
        match self.expression(field)? {
            Value::Int(value) if bounds.contains(&value) => Ok(value),
            Value::Int(value) => {
                let (min, max) = (bounds.start(), bounds.end());
                let mend = format!("it is a number from {min} to {max}");
                Err(self.error(field, format!("{value} is out of bounds"), mend))
            }
            other => Err(self.wrong_type(field, other.kind(), Type::Int)),
        }
    }

    /// An integer that is `default` if it is not written.
    pub fn number_or(
        &self,
        field: &Option<Field>,
        bounds: RangeInclusive<i64>,
        default: i64,
    ) -> Result<i64, ScenarioError> {
        field
            .as_ref()
            .map_or(Ok(default), |field| self.number(field, bounds))
    }

    /// Bits: an integer of at most `size` bits, or a negative one in two's complement.
    pub fn bits(&self, field: &Field, size: u32) -> Result<u64, ScenarioError> {
        let max = if size >= 64 {
            i64::MAX
        } else {
            (1 << size) - 1
        };
        let min = -1 << (size.min(64) - 1);
        Ok(self.number(field, min..=max)? as u64)
    }

    /// A string with its braces replaced.
    pub fn text(&self, field: &Field) -> Result<String, ScenarioError> {
        match field.get_ref() {
            Scalar::Text(text) => Template::parse(text)
                .and_then(|template| template.evaluate(self.scope))
                .map_err(|e| self.expression_error(field.span(), text, e)),
            other => Err(self.wrong_type(field, other.value().kind(), Type::Text)),
        }
    }

    /// A boolean, an integer, or a string with its braces replaced.
    pub fn any(&self, field: &Field) -> Result<Value, ScenarioError> {
        match field.get_ref() {
            Scalar::Text(_) => self.text(field).map(Value::Text),
            other => Ok(other.value()),
        }
    }

    /// One of a few words, and what it stands for.
    pub fn word<T: Copy>(&self, field: &Field, words: &[(&str, T)]) -> Result<T, ScenarioError> {
        let text = self.text(field)?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(*meaning),
            None => {
                let mend = one_of("it is one of", &text, words.iter().map(|(word, _)| *word));
                Err(self.error(field, format!("'{text}' is not known here"), mend))
            }
        }
    }

    /// An IPv4 address.
    pub fn ipv4(&self, field: &Field) -> Result<Ipv4Addr, ScenarioError> {
        let text = self.text(field)?;
        let bad = |_| {
            let problem = format!("'{text}' is no IPv4 address");
            self.error(
                field,
                problem,
                "write four numbers from 0 to 255, such as 10.0.0.1",
            )
        };
        text.parse().map_err(bad)
    }

    /// A station address.
    pub fn mac(&self, field: &Field) -> Result<[u8; 6], ScenarioError> {
        let text = self.text(field)?;
        let bytes: Option<Vec<u8>> = text
            .split(['-', ':'])
            .map(|part| {
                u8::from_str_radix(part, 16)
                    .ok()
                    .filter(|_| part.len() == 2)
            })
            .collect();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                let problem = format!("'{text}' is no station address");
                self.error(
                    field,
                    problem,
                    "write six hexadecimal bytes, such as 02-00-00-00-00-01",
                )
            })
    }

    /// Index of the item that a name stands for.
    pub fn find<'n>(
        &self,
        field: &Field,
        what: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<usize, ScenarioError> {
        let text = self.text(field)?;
        names.clone().position(|name| name == text).ok_or_else(|| {
            let mend = one_of(&format!("there is {what}"), &text, names);
            self.error(field, format!("there is no {what} '{text}'"), mend)
        })
    }

    /// An error about a value.
    pub fn error<T>(
        &self,
        place: &Spanned<T>,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) -> ScenarioError {
        self.source.error(place.span(), problem, mend)
    }

    /// Checks that a value has this type, and the names and types of its expressions, whatever
    /// their values.
    pub fn check(&self, field: &Field, wanted: Type) -> Result<(), ScenarioError> {
        let found = match (field.get_ref(), wanted) {
            (Scalar::Text(text), Type::Text) => {
                return Template::parse(text)
                    .and_then(|template| template.check(self.scope))
                    .map_err(|e| self.expression_error(field.span(), text, e));
            }
            (Scalar::Text(text), _) => Expression::parse(text)
                .and_then(|expression| expression.check(self.scope))
                .map_err(|e| self.expression_error(field.span(), text, e))?,
            (other, _) => other.value().kind(),
        };
        match found == wanted {
            true => Ok(()),
            false => Err(self.wrong_type(field, found, wanted)),
        }
    }

    /// The value of a boolean, an integer or an expression.
    pub fn expression(&self, field: &Field) -> Result<Value, ScenarioError> {
        match field.get_ref() {
            Scalar::Text(text) => Expression::parse(text)
                .and_then(|expression| expression.evaluate(self.scope))
                .map_err(|e| self.expression_error(field.span(), text, e)),
            other => Ok(other.value()),
        }
    }

    fn wrong_type(&self, field: &Field, found: Type, wanted: Type) -> ScenarioError {
        self.error(field, format!("this is {found}"), format!("write {wanted}"))
    }

    fn expression_error(
        &self,
        span: Range<usize>,
        text: &str,
        e: ExpressionError,
    ) -> ScenarioError {
        self.source
            .error_within(span, text, e.part, e.problem, e.mend)
    }
}

impl Scalar {
    /// The value as it is written; a string is not looked into.
    pub fn value(&self) -> Value {
        match self {
            Scalar::Bool(value) => Value::Bool(*value),
            Scalar::Int(value) => Value::Int(*value),
            Scalar::Text(value) => Value::Text(value.clone()),
        }
    }
}
