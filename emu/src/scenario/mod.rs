//! Scenarios: machine, drivers, workload, faults and expected end, written as TOML.
//!
//! [`parse()`] reads the text, [`Scenario::expand`] makes every choice and gives a [`Plan`]: plain
//! data with nothing left to decide. At run time the machine carries the plan out and asks a
//! [`Peer`] for the packets. `scenarios/README.md` documents every key.

mod bytes;
mod check;
mod condition;
mod context;
mod conversation;
mod error;
mod expand;
mod expect;
mod frame;
mod oracles;
mod packet;
mod parse;
mod pcap;
mod peer;
pub mod plan;
mod rules;
mod schema;
mod settings;
mod summary;
mod template;

pub(crate) use error::one_of;
pub use error::{ScenarioError, Source};
pub use expand::fault_from;
pub use expect::{Expectation, How, StopKind};
pub use packet::{
    ArpTemplate, Checksum, EchoTemplate, Fragment, IpTemplate, Link, PacketTemplate, TcpFlags,
    TcpTemplate, Transport, UdpTemplate,
};
pub use parse::parse;
pub use peer::{Observed, Peer};
pub use plan::{
    Adapter, Await, DriverRef, ExtendedAttribute, FaultRule, Flow, Host, Limits, Matcher, Memory,
    Plan, Protocol, RegValue, Stream, StreamStep, ThreadPlan, ThreadStep,
};
pub use settings::{CPUS_MAX, Selection, Setting, SettingKind, Value};
pub use summary::summary;

use crate::personality::Personality;

/// A scenario whose text is well formed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: that of its file, without folder and `.toml`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it shows, in one line.
    pub summary: String,
    /// What it shows, in a few paragraphs.
    pub story: String,
    /// The profiles it can run on, the default first.
    pub profiles: Vec<isa::Profile>,
    /// The personalities it can run under, the default first.
    pub personalities: Vec<Personality>,
    /// Number of cores unless the user says otherwise.
    pub cpus: u8,
    /// What the user may change, in file order.
    pub settings: Vec<Setting>,
    /// The rest of the file, in which choices are still open.
    file: schema::File,
    /// The text, for messages.
    source: error::Source,
}
