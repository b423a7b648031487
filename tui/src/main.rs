//! irqlab
fn main() {}
