//! The reference model of the shapes, which knows nothing of machines.
#![allow(dead_code)] // The model's own tests use the rest.

#[path = "../shapes/count.rs"]
pub mod count;
#[path = "../shapes/dpor.rs"]
pub mod dpor;
#[path = "../shapes/drive.rs"]
pub mod drive;
#[path = "../shapes/list.rs"]
pub mod list;
#[path = "../shapes/model.rs"]
pub mod model;
#[path = "../shapes/trace.rs"]
pub mod trace;
