//! The reference model of the shapes, which knows nothing of machines.
#![allow(dead_code)] // The model's own tests use the rest.

#[path = "../../../emu/tests/shapes/count.rs"]
pub mod count;
#[path = "../../../emu/tests/shapes/dpor.rs"]
pub mod dpor;
#[path = "../../../emu/tests/shapes/drive.rs"]
pub mod drive;
#[path = "../../../emu/tests/shapes/list.rs"]
pub mod list;
#[path = "../../../emu/tests/shapes/model.rs"]
pub mod model;
#[path = "../../../emu/tests/shapes/trace.rs"]
pub mod trace;
