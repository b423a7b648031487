//! The event-log records that follow a stop, and the signature of the crash report.

/// One record of the System log, or the crash signature that is shown at the next log-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The log, for example `System`.
    pub log: &'static str,
    /// The source, for example `Save Dump`.
    pub source: &'static str,
    /// The event's number; `None` for what is shown but not logged.
    pub id: Option<u32>,
    /// `Information` or `Error`.
    pub kind: &'static str,
    /// Category number; 0 is none.
    pub category: u16,
    /// The text.
    pub description: String,
    /// The binary data.
    pub data: Vec<u8>,
}
