//! What the machine costs: the speed of driver code at each granularity beside the emulator alone,
//! the time to the first stop, restores and schedules per second, and searches. All of it from one
//! run.
//!
//! Needs the built drivers; `cargo xtask bench` sees to that. What each number means is in
//! `docs/BENCHMARKS.md`.

mod first_stop;
mod port;
mod rules;
mod schedules;
mod search;
mod speed;
mod stats;
#[path = "../../tests/bundled/support.rs"]
mod support;
mod travel;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        // What the benchmark starts to time a process from its first moment.
        ["first-stop", scenario, profile] => first_stop::child(scenario, profile),
        [] => {
            speed::print();
            rules::print();
            first_stop::print();
            schedules::print();
            println!();
            search::print();
            println!();
            travel::print();
        }
        ["speed"] => speed::print(),
        ["rules"] => rules::print(),
        ["first-stop"] => first_stop::print(),
        ["schedules"] => schedules::print(),
        ["search"] => search::print(),
        ["travel"] => travel::print(),
        _ => {
            eprintln!(
                "bench: error: the parts are speed, rules, first-stop, schedules, search and travel"
            );
            std::process::exit(2);
        }
    }
}
