//! Functions that belong to no family of objects: the end of the system, time, pages, and facts
//! about the machine.

pub mod pages;
pub mod stop;
pub mod system;
pub mod time;
pub mod variable;
