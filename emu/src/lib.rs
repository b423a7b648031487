//! The machine that runs Windows-style kernel drivers: memory, cores, loader, NT kernel model,
//! choices, faults, stops and reports. It has no terminal, no clock and no global state, and it
//! never prints: a run is a pure function of (scenario, driver bytes, schedule).

pub mod campaign;
pub mod choice;
pub mod explain;
pub mod faults;
pub mod loader;
pub mod machine;
pub mod nt;
pub mod oracle;
pub mod personality;
pub mod position;
pub mod report;
pub mod rules;
pub mod scenario;
pub mod scene;
pub mod search;
pub mod stop;
pub mod trace;
pub mod travel;
