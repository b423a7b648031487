//! Walking through what is conditional or repeated.

use super::Expander;
use crate::scenario::check::COUNTER;
use crate::scenario::condition::Scope;
use crate::scenario::error::ScenarioError;
use crate::scenario::schema::{Field, Spanned, StreamStepTable, ThreadStepTable};
use crate::scenario::settings::Value;

/// The most often that something may be repeated.
const REPEAT_MAX: i64 = 100_000;

/// What is done with a step that encloses none.
pub(super) type Act<'f, E, S> =
    &'f mut dyn FnMut(&mut E, &Spanned<S>, &mut Scope) -> Result<(), ScenarioError>;

/// A step that may enclose others.
pub(super) trait Step: Sized {
    fn when(&self) -> &Option<Field>;
    fn repeat(&self) -> &Option<Field>;
    fn counter(&self) -> &Option<Spanned<String>>;
    fn inner(&self) -> &[Spanned<Self>];
}

impl Step for StreamStepTable {
    fn when(&self) -> &Option<Field> {
        &self.when
    }

    fn repeat(&self) -> &Option<Field> {
        &self.repeat
    }

    fn counter(&self) -> &Option<Spanned<String>> {
        &self.counter
    }

    fn inner(&self) -> &[Spanned<Self>] {
        &self.step
    }
}

impl Step for ThreadStepTable {
    fn when(&self) -> &Option<Field> {
        &self.when
    }

    fn repeat(&self) -> &Option<Field> {
        &self.repeat
    }

    fn counter(&self) -> &Option<Spanned<String>> {
        &self.counter
    }

    fn inner(&self) -> &[Spanned<Self>] {
        &self.step
    }
}

impl Expander<'_> {
    /// Calls `act` for every step that happens, in order. A step that encloses others stands for
    /// them; `act` sees the steps that enclose none.
    pub fn each_step<S: Step>(
        &mut self,
        steps: &[Spanned<S>],
        scope: &mut Scope,
        act: Act<'_, Self, S>,
    ) -> Result<(), ScenarioError> {
        for place in steps {
            let step = place.get_ref();
            self.spend(place.span())?;
            if !self.under(scope).holds(step.when())? {
                continue;
            }
            self.repeated(step.repeat(), step.counter(), scope, &mut |this, scope| {
                if step.inner().is_empty() {
                    this.spend(place.span())?;
                    act(this, place, scope)
                } else {
                    this.each_step(step.inner(), scope, act)
                }
            })?;
        }
        Ok(())
    }

    /// Calls `act` as often as `repeat` says, with the counter set.
    pub fn repeated(
        &mut self,
        repeat: &Option<Field>,
        counter: &Option<Spanned<String>>,
        scope: &mut Scope,
        act: &mut dyn FnMut(&mut Self, &mut Scope) -> Result<(), ScenarioError>,
    ) -> Result<(), ScenarioError> {
        let Some(repeat) = repeat else {
            return act(self, scope);
        };
        let times = self.under(scope).number(repeat, 0..=REPEAT_MAX)?;
        let counter = counter
            .as_ref()
            .map_or(COUNTER, |name| name.get_ref())
            .to_owned();
        let outer = scope.get(&counter).cloned();
        for n in 0..times {
            self.spend(repeat.span())?;
            scope.insert(counter.clone(), Value::Int(n).into());
            act(self, scope)?;
        }
        match outer {
            Some(outer) => scope.insert(counter, outer),
            None => scope.remove(&counter),
        };
        Ok(())
    }
}
