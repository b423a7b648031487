//! The NT kernel as data and functions. Each file is one family of objects: its state, and the
//! kernel functions drivers call, each a row of the family's [`Api`] table.

pub mod api;
pub mod call;
pub mod dispatcher;
pub mod dpc;
pub mod effect;
pub mod interlocked;
pub mod io;
pub mod irql;
pub mod kernel;
pub mod layout;
pub mod misc;
pub mod ndis;
pub mod pool;
pub mod registry;
pub mod rtl;
pub mod spin_lock;
pub mod status;
pub mod thread;
pub mod timer;

pub use api::{Api, Arg, Contract, Module, Style};
pub use call::{Call, Done, Trouble};
pub use kernel::Kernel;

use crate::machine::context::Outcome;

/// Every family's table. A new family is a file and a line here.
pub const TABLES: &[&[Api]] = &[
    dispatcher::API,
    dpc::API,
    interlocked::API,
    io::build::API,
    io::cancel::API,
    io::complete::API,
    io::device::API,
    io::event::API,
    io::file::API,
    io::irp::API,
    io::mdl::API,
    io::object::API,
    io::open::API,
    io::transfer::API,
    irql::API,
    misc::pages::API,
    misc::stop::API,
    misc::system::API,
    misc::time::API,
    ndis::API,
    pool::API,
    registry::query::API,
    registry::zw::API,
    rtl::arithmetic::API,
    rtl::debug::API,
    rtl::memory::API,
    rtl::string::API,
    spin_lock::API,
    thread::API,
    timer::API,
];

/// The function of that name, wherever it lives. A driver may import a name from another module
/// than ours (`KeGetCurrentIrql` is in the HAL or in the kernel), so the module is not compared.
pub fn find(name: &str) -> Option<&'static Api> {
    TABLES
        .iter()
        .flat_map(|t| t.iter())
        .find(|a| a.name == name)
}

/// What the kernel does when driver code it entered comes back, or when a wait ends.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Then {
    /// The value is the kernel call's result.
    Return,
    /// The value does not matter; the call returns this.
    ReturnValue(u64),
    /// Ends the context.
    End,
    /// The next DPC of the core's queue.
    NextDpc,
    /// Operations under a spin lock.
    Interlocked(interlocked::Then),
    /// Waits.
    Dispatcher(dispatcher::Then),
    /// Threads and work items.
    Thread(thread::Then),
    /// IRPs.
    Io(io::Then),
    /// Network adapters and protocols.
    Ndis(ndis::Then),
}

/// Continues kernel work.
pub fn resume(call: &mut Call<'_>, then: Then, value: u64) -> Done {
    match then {
        Then::Return => Ok(Outcome::Return(value)),
        Then::ReturnValue(value) => Ok(Outcome::Return(value)),
        Then::End => Ok(Outcome::End),
        Then::NextDpc => dpc::next(call),
        Then::Interlocked(t) => interlocked::resume(call, t),
        Then::Dispatcher(t) => dispatcher::resume(call, t, value),
        Then::Thread(t) => thread::resume(call, t, value),
        Then::Io(t) => io::resume(call, t, value),
        Then::Ndis(t) => ndis::resume(call, t, value),
    }
}
