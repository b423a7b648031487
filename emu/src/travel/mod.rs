//! Walking a run in both directions.
//!
//! A [`Record`] is a run as it was: which core executed what, what it accessed, what was asked and
//! what happened. Where a step leads is looked up in it, forwards and backwards alike. A
//! [`Traveller`] is a machine that can be put at any moment of the run: a snapshot before it is
//! restored, and the schedule replayed from there.

mod navigate;
mod record;
mod traveller;

pub use navigate::{Datum, Direction, Focus, Goal, Motion};
pub use record::Record;
pub use traveller::Traveller;
