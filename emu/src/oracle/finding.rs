//! What an oracle reports: places in the run with what was done there, as plain data.

use std::collections::BTreeSet;

use crate::choice::Actor;
use crate::position::Position;

/// Something wrong that a recorded run shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The oracle that found it, or the rule that is broken, by name.
    pub oracle: &'static str,
    /// What is wrong, in one line without addresses of code.
    pub what: String,
    /// Where, in the order in which it is told.
    pub places: Vec<Spot>,
    /// The memory or the kernel object that it is about.
    pub object: Option<Object>,
    /// What to do about it, in one line.
    pub help: &'static str,
    /// The public source of the rule that is broken.
    pub rule: &'static str,
    /// How often the run shows the same: at least 1.
    pub count: u64,
    /// Whether the outcome differs when the two places come in the other order. An oracle sees one
    /// run, so it leaves this open; who can run both orders fills it in.
    pub order_matters: Option<bool>,
    /// What came of the other order, if it was tried.
    pub other_order: Option<OtherOrder>,
}

/// A run in which the places of a finding came in the other order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OtherOrder {
    /// How it ended, in words.
    pub ends: String,
    /// It ended in the same way.
    pub same_end: bool,
    /// It left the same in the memory that the finding is about.
    pub same_memory: bool,
}

/// One place of a finding: a moment on a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// What happened there, as a clause: "writes 4 bytes", "takes the lock".
    pub role: String,
    /// When.
    pub position: Position,
    /// On which core.
    pub core: u8,
    /// Who did it.
    pub actor: Actor,
    /// The core's IRQL.
    pub irql: u8,
    /// The instruction; for a kernel call an address inside the call instruction. 0 if no guest
    /// instruction did it.
    pub pc: u64,
    /// Return addresses, innermost first, without `pc` itself.
    pub stack: Vec<u64>,
    /// The access, if the place is one.
    pub access: Option<Access>,
    /// Locks held, by address, in the order in which they were taken.
    pub locks: Vec<u64>,
}

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// First address.
    pub address: u64,
    /// Bytes.
    pub length: u64,
    /// Whether it is a store.
    pub write: bool,
    /// Whether it is indivisible by the processor's or the programming language's rules.
    pub atomic: bool,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its address.
    pub address: u64,
    /// Bytes; 0 if that is not known.
    pub length: u64,
    /// What it is, for example `pool block Abcd`.
    pub what: String,
}

impl Finding {
    /// A finding without places.
    pub fn new(oracle: &'static str, what: impl Into<String>) -> Finding {
        Finding {
            oracle,
            what: what.into(),
            places: Vec::new(),
            object: None,
            help: "",
            rule: "",
            count: 1,
            order_matters: None,
            other_order: None,
        }
    }

    /// What is the same for the same mistake in other runs of the same drivers: the oracle, what is
    /// wrong, and where in the code, whatever the order.
    pub fn signature(&self) -> String {
        let pcs: BTreeSet<u64> = self.places.iter().map(|p| p.pc).collect();
        let pcs: Vec<String> = pcs.iter().map(|pc| format!("{pc:x}")).collect();
        format!("{}|{}|{}", self.oracle, self.what, pcs.join(","))
    }
}

/// Keeps one finding for each signature, the first, and counts the others.
pub(crate) fn grouped(findings: Vec<Finding>) -> Vec<Finding> {
    let mut known: std::collections::BTreeMap<String, usize> = Default::default();
    let mut out: Vec<Finding> = Vec::new();
    for finding in findings {
        match known.get(&finding.signature()) {
            Some(&i) => out[i].count += finding.count,
            None => {
                known.insert(finding.signature(), out.len());
                out.push(finding);
            }
        }
    }
    out
}
