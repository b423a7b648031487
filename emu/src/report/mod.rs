//! What is told about a run: the stop screen that the modelled Windows would show, its event-log
//! records, and the report with every core's stack, the last events and the reasons.
//!
//! Everything here is a pure function of plain data. [`StopFacts`] and [`Report`] are filled from
//! a machine elsewhere; addresses of events become words through [`Names`].

pub mod codes;
pub mod eventlog;
pub mod facts;
pub mod json;
mod layout;
pub mod markdown;
pub mod model;
pub mod screen;
pub mod table;
pub mod text;
pub mod waits;
pub mod words;

pub use eventlog::Record;
pub use facts::{Dump, ModuleFacts, Recovery, StopFacts};
pub use model::{
    BugcheckLine, CoreState, LockLine, Place, Report, RunFacts, StopLine, WaitLine, WhyStep,
};
pub use screen::{Colour, Screen};
pub use table::{Height, Row};
pub use words::{Names, tag, words};
