//! Who acts: what strategies give priorities to, and what a schedule, told in words, is about.

/// One thing that has a will of its own between choices. A core is not one: what runs on it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Actor {
    /// A thread, by number.
    Thread(u32),
    /// The DPC queue of a core.
    Dpc(u8),
    /// The device interrupts of a core, arriving or being serviced.
    Interrupt(u8),
    /// The dispatcher of a core, taking the core from its thread.
    Dispatcher(u8),
    /// The clock.
    Clock,
    /// The sender of a stream of packets, by index.
    Sender(u16),
    /// A rule that injects faults, by index.
    Fault(u16),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::Thread(id) => write!(f, "thread {id}"),
            Actor::Dpc(core) => write!(f, "the DPCs of core {core}"),
            Actor::Interrupt(core) => write!(f, "the interrupts of core {core}"),
            Actor::Dispatcher(core) => write!(f, "the dispatcher of core {core}"),
            Actor::Clock => f.write_str("the clock"),
            Actor::Sender(stream) => write!(f, "the sender of stream {stream}"),
            Actor::Fault(rule) => write!(f, "fault rule {rule}"),
        }
    }
}
