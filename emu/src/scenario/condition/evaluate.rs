//! The type and the value of an expression.

use std::cmp::Ordering;

use super::{Expression, ExpressionError, Kind, Node, Operator, Scope, Type, Value};
use crate::scenario::error::one_of;

impl Expression {
    /// The type of the expression, after a check of every name, type and choice in it, whether or
    /// not it matters for the value.
    pub fn check(&self, scope: &Scope) -> Result<Type, ExpressionError> {
        self.root.check(scope)
    }

    /// The value of the expression.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        self.root.check(scope)?;
        self.root.evaluate(scope)
    }
}

impl Node {
    fn check(&self, scope: &Scope) -> Result<Type, ExpressionError> {
        match &self.kind {
            Kind::Value(value) => Ok(value.kind()),
            Kind::Name(name) => match scope.get(name) {
                Some(variable) => Ok(variable.value.kind()),
                None => {
                    let names = scope.keys().map(String::as_str);
                    let problem = format!("there is no '{name}'");
                    Err(self.error(problem, one_of("names are", name, names)))
                }
            },
            Kind::Not(inner) => inner.must_be(Type::Bool, scope),
            Kind::Negate(inner) => inner.must_be(Type::Int, scope),
            Kind::Choose(condition, yes, no) => {
                condition.must_be(Type::Bool, scope)?;
                let wanted = yes.check(scope)?;
                no.must_be(wanted, scope)
            }
            Kind::Binary(operator, left, right) => match operator {
                Operator::Or | Operator::And => {
                    left.must_be(Type::Bool, scope)?;
                    right.must_be(Type::Bool, scope)
                }
                Operator::Equal | Operator::NotEqual => {
                    let wanted = left.check(scope)?;
                    right.must_be(wanted, scope)?;
                    left.check_choice(right, scope)?;
                    right.check_choice(left, scope)?;
                    Ok(Type::Bool)
                }
                _ => {
                    left.must_be(Type::Int, scope)?;
                    right.must_be(Type::Int, scope)?;
                    Ok(if operator.compares() {
                        Type::Bool
                    } else {
                        Type::Int
                    })
                }
            },
        }
    }

    fn must_be(&self, wanted: Type, scope: &Scope) -> Result<Type, ExpressionError> {
        let found = self.check(scope)?;
        if found == wanted {
            return Ok(found);
        }
        Err(self.error(format!("this is {found}, but it has to be {wanted}"), ""))
    }

    /// A comparison of a name with a string that the name can never be is a mistake.
    fn check_choice(&self, other: &Node, scope: &Scope) -> Result<(), ExpressionError> {
        let (Kind::Name(name), Kind::Value(Value::Text(text))) = (&self.kind, &other.kind) else {
            return Ok(());
        };
        let choices = scope
            .get(name)
            .map_or(&[][..], |variable| &variable.choices);
        if choices.is_empty() || choices.contains(text) {
            return Ok(());
        }
        let mend = one_of("it is one of", text, choices.iter().map(String::as_str));
        Err(other.error(format!("{name} is never '{text}'"), mend))
    }

    fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        match &self.kind {
            Kind::Value(value) => Ok(value.clone()),
            Kind::Name(name) => match scope.get(name) {
                Some(variable) => Ok(variable.value.clone()),
                None => Err(self.error(format!("there is no '{name}'"), "")),
            },
            Kind::Not(inner) => Ok(Value::Bool(!inner.truth(scope)?)),
            Kind::Negate(inner) => {
                let value = inner.number(scope)?.checked_neg();
                value.map(Value::Int).ok_or_else(|| self.too_large())
            }
            Kind::Choose(condition, yes, no) => match condition.truth(scope)? {
                true => yes.evaluate(scope),
                false => no.evaluate(scope),
            },
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, scope),
        }
    }

    fn binary(
        &self,
        operator: Operator,
        left: &Node,
        right: &Node,
        scope: &Scope,
    ) -> Result<Value, ExpressionError> {
        match operator {
            Operator::Or => Ok(Value::Bool(left.truth(scope)? || right.truth(scope)?)),
            Operator::And => Ok(Value::Bool(left.truth(scope)? && right.truth(scope)?)),
            _ if operator.compares() => {
                let order = left.evaluate(scope)?.cmp(&right.evaluate(scope)?);
                Ok(Value::Bool(operator.accepts(order)))
            }
            _ => {
                let (a, b) = (left.number(scope)?, right.number(scope)?);
                let value = match operator {
                    Operator::Add => a.checked_add(b),
                    Operator::Subtract => a.checked_sub(b),
                    Operator::Multiply => a.checked_mul(b),
                    _ if b == 0 => return Err(right.error("division by zero", "")),
                    Operator::Divide => a.checked_div(b),
                    _ => a.checked_rem(b),
                };
                value.map(Value::Int).ok_or_else(|| self.too_large())
            }
        }
    }

    fn truth(&self, scope: &Scope) -> Result<bool, ExpressionError> {
        match self.evaluate(scope)? {
            Value::Bool(value) => Ok(value),
            other => Err(self.error(format!("this is {}, not {}", other.kind(), Type::Bool), "")),
        }
    }

    fn number(&self, scope: &Scope) -> Result<i64, ExpressionError> {
        match self.evaluate(scope)? {
            Value::Int(value) => Ok(value),
            other => Err(self.error(format!("this is {}, not {}", other.kind(), Type::Int), "")),
        }
    }

    fn too_large(&self) -> ExpressionError {
        self.error("the result does not fit in 64 bits", "")
    }

    fn error(&self, problem: impl Into<String>, mend: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.part.clone(), problem, mend)
    }
}

impl Operator {
    fn compares(self) -> bool {
        use Operator::*;
        matches!(
            self,
            Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual
        )
    }

    /// Whether a comparison holds for operands in this order.
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}
