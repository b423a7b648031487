//! irqlab
mod bundle;

fn main() {}
