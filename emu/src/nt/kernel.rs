//! The kernel's state: one value per family of objects.

use super::{dispatcher, dpc, io, ndis, pool, registry, spin_lock, thread, timer};

/// Everything the kernel knows besides what is in guest memory. A plain value.
#[derive(Clone, Hash)]
pub struct Kernel {
    /// Spin locks in use.
    pub locks: spin_lock::Locks,
    /// Who waits for which dispatcher object.
    pub waits: dispatcher::Waits,
    /// DPC queues.
    pub dpcs: dpc::Dpcs,
    /// Timers that are set.
    pub timers: timer::Timers,
    /// Threads and work items.
    pub threads: thread::Threads,
    /// Pool blocks.
    pub pools: pool::Pools,
    /// Devices, files and IRPs.
    pub io: io::Io,
    /// The registry.
    pub registry: registry::Registry,
    /// Adapters, protocols and the wires.
    pub net: ndis::Net,
}
