//! A reference model of small concurrent programs whose schedules are known by number, and the
//! strategies tested on it.

mod count;
mod counts;
mod dpor;
mod drive;
mod list;
mod means;
mod model;
mod trace;
