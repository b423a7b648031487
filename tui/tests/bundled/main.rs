//! The bundled scenarios and drivers on the machine, not through the program: what they say, how
//! their runs end and are explained, and that every run is repeatable. Needs `cargo xtask drivers`.

mod bad_drivers;
mod cases;
#[path = "../../../emu/tests/loader/checks.rs"]
mod checks;
mod determinism;
mod faults;
mod network;
mod oracles;
mod placement;
mod prompt;
mod reduced;
mod reference;
mod rules;
mod scenarios;
mod shape_counter;
mod shape_counts;
mod shape_means;
mod shape_oracles;
mod shape_shrinking;
mod shapes;
mod shapes_code;
mod still;
mod story;
mod strategies;
mod support;
mod symbols;
mod trail;
mod travel;
