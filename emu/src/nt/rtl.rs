//! The run-time library: memory, counted strings, 64-bit arithmetic and the debugger's output.

pub mod arithmetic;
pub mod debug;
pub mod format;
pub mod memory;
pub mod string;
