//! What may stand in a scenario file, as serde sees it: shapes and keys, no meaning. Every key is
//! explained in `scenarios/README.md`; a test holds the two together.

mod items;
mod values;

use std::collections::BTreeMap;

use serde::Deserialize;
pub use toml::Spanned;

pub use items::{
    AdapterTable, AwaitTable, DriverTable, ExpectTable, FlowTable, FragmentTable, HostTable,
    RegistryTable, StreamStepTable, StreamTable, ThreadStepTable, ThreadTable,
};
pub use values::{
    ControlCodeTable, Data, FaultItems, FaultTable, Field, Ioctl, ItemTable, RegistryItem, Scalar,
};

/// A whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub title: Spanned<String>,
    pub summary: Spanned<String>,
    #[serde(default)]
    pub story: String,
    pub machine: MachineTable,
    #[serde(default)]
    pub limits: LimitsTable,
    #[serde(default)]
    pub oracles: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub rules: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub setting: BTreeMap<Spanned<String>, SettingTable>,
    #[serde(default, rename = "let")]
    pub names: BTreeMap<Spanned<String>, Field>,
    #[serde(default)]
    pub driver: Vec<DriverTable>,
    #[serde(default)]
    pub registry: Vec<RegistryTable>,
    #[serde(default)]
    pub adapter: Vec<AdapterTable>,
    #[serde(default)]
    pub host: Vec<HostTable>,
    #[serde(default)]
    pub stream: Vec<StreamTable>,
    #[serde(default)]
    pub thread: Vec<ThreadTable>,
    #[serde(default)]
    pub fault: Vec<FaultTable>,
    #[serde(default)]
    pub expect: Vec<ExpectTable>,
}

/// `[machine]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineTable {
    pub profiles: Spanned<Vec<Spanned<String>>>,
    pub personalities: Spanned<Vec<Spanned<String>>>,
    pub cpus: Option<Spanned<i64>>,
    pub nonpaged_pool_kib: Option<Field>,
    pub paged_pool_kib: Option<Field>,
    pub special_pool: Option<Field>,
}

/// `[limits]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsTable {
    pub instructions: Option<Field>,
    pub driver_entry: Option<Field>,
    pub choices: Option<Field>,
    pub dpc: Option<Field>,
    pub spin_lock: Option<Field>,
}

/// `[setting.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingTable {
    pub help: String,
    pub default: Field,
    pub values: Option<Vec<String>>,
    pub min: Option<i64>,
    pub max: Option<i64>,
}

#[cfg(test)]
mod tests;
