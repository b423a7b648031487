//! What x86 and x64 share: one instruction set in two modes, and a return address on the stack.

pub(crate) mod decode;
mod def;
mod effects;
mod flow;
mod memory;
mod names;
mod special;
