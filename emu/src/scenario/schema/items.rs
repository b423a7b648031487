//! The tables that a scenario has any number of.

use serde::Deserialize;

use super::{Data, Field, Ioctl, RegistryItem, Spanned};

/// `[[driver]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriverTable {
    pub name: Field,
    pub build: Option<Field>,
    pub service: Option<Field>,
    pub file: Option<Field>,
    pub when: Option<Field>,
}

/// `[[registry]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryTable {
    pub key: Field,
    pub values: std::collections::BTreeMap<Spanned<String>, RegistryItem>,
    pub when: Option<Field>,
}

/// `[[adapter]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterTable {
    pub name: Spanned<String>,
    pub mac: Option<Field>,
    pub mtu: Option<Field>,
    pub link: Option<Field>,
}

/// `[[host]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostTable {
    pub name: Field,
    pub adapter: Field,
    pub ip: Field,
    pub mac: Option<Field>,
    pub arp: Option<Field>,
    pub repeat: Option<Field>,
    pub counter: Option<Spanned<String>>,
}

/// `[[stream]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamTable {
    pub name: Field,
    pub host: Option<Field>,
    pub tcp: Option<Spanned<FlowTable>>,
    pub udp: Option<Spanned<FlowTable>>,
    pub icmp: Option<Spanned<FlowTable>>,
    pub flow: Option<Field>,
    pub adapter: Option<Field>,
    pub pcap: Option<Field>,
    pub to_mac: Option<Field>,
    pub count: Option<Field>,
    pub when: Option<Field>,
    pub repeat: Option<Field>,
    pub counter: Option<Spanned<String>>,
    #[serde(default)]
    pub step: Vec<Spanned<StreamStepTable>>,
}

/// `tcp`, `udp` and `icmp` of a stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowTable {
    pub port: Option<Field>,
    pub id: Option<Field>,
    pub to: Option<Field>,
    pub to_port: Option<Field>,
    pub accept: Option<Field>,
    pub isn: Option<Field>,
    pub acknowledge: Option<Field>,
}

/// `[[stream.step]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamStepTable {
    pub send: Option<Field>,
    #[serde(rename = "await")]
    pub wait: Option<Spanned<AwaitTable>>,
    pub signal: Option<Field>,
    pub repeat: Option<Field>,
    pub counter: Option<Spanned<String>>,
    #[serde(default)]
    pub step: Vec<Spanned<StreamStepTable>>,
    pub when: Option<Field>,
    pub data: Option<Spanned<Data>>,
    pub offset: Option<Field>,
    pub ack: Option<Field>,
    pub window: Option<Field>,
    pub urgent: Option<Field>,
    pub mss: Option<Field>,
    pub sequence: Option<Field>,
    pub checksum: Option<Field>,
    pub ip_checksum: Option<Field>,
    pub ttl: Option<Field>,
    pub id: Option<Field>,
    pub dont_fragment: Option<Field>,
    pub fragment: Option<Spanned<FragmentTable>>,
    pub ip: Option<Field>,
    pub to_mac: Option<Field>,
}

/// `fragment` of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FragmentTable {
    pub offset: Field,
    pub length: Field,
    pub more: Field,
}

/// `await` of a step.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitTable {
    pub flags: Option<Field>,
    pub count: Option<Field>,
    pub acked: Option<Field>,
    pub received: Option<Field>,
    pub packets: Option<Field>,
    pub arp: Option<Field>,
    pub signal: Option<Field>,
    pub flow: Option<Field>,
    pub adapter: Option<Field>,
    pub protocol: Option<Field>,
    pub to: Option<Field>,
    pub port: Option<Field>,
}

/// `[[thread]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadTable {
    pub name: Field,
    pub priority: Option<Field>,
    pub when: Option<Field>,
    pub repeat: Option<Field>,
    pub counter: Option<Spanned<String>>,
    #[serde(default)]
    pub step: Vec<Spanned<ThreadStepTable>>,
}

/// `[[thread.step]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThreadStepTable {
    pub open: Option<Field>,
    pub ea: Option<Spanned<EaTable>>,
    pub ioctl: Option<Spanned<Ioctl>>,
    pub input: Option<Spanned<Data>>,
    pub output: Option<Field>,
    pub read: Option<Field>,
    pub write: Option<Spanned<Data>>,
    pub offset: Option<Field>,
    pub close: Option<Field>,
    pub handle: Option<Field>,
    pub status: Option<Field>,
    pub sleep_ms: Option<Field>,
    #[serde(rename = "await")]
    pub wait: Option<Spanned<AwaitTable>>,
    pub signal: Option<Field>,
    pub unload: Option<Field>,
    pub repeat: Option<Field>,
    pub counter: Option<Spanned<String>>,
    #[serde(default)]
    pub step: Vec<Spanned<ThreadStepTable>>,
    pub when: Option<Field>,
}

/// `ea` of an `open` step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EaTable {
    pub name: Field,
    pub value: Spanned<Data>,
}

/// `[[expect]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectTable {
    pub when: Option<Field>,
    pub stop: Field,
    pub bugcheck: Option<Field>,
    pub irql: Option<Field>,
    pub parameter1: Option<Field>,
    pub parameter2: Option<Field>,
    pub parameter3: Option<Field>,
    pub parameter4: Option<Field>,
    pub module: Option<Field>,
    pub how: Option<Field>,
    pub preemptions: Option<Field>,
}
