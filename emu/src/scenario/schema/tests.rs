//! The documentation of the keys and the keys themselves are the same.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::*;

/// The keys of a table: serde names them when it meets one that is none.
fn keys<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = toml::from_str::<T>("no-such-key = 1") else {
        panic!("any key is taken")
    };
    let message = error.message();
    assert!(message.starts_with("unknown field"), "{message}");
    message
        .split('`')
        .skip(3)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The keys that a section of the documentation has a row for.
fn documented(readme: &str, heading: &str) -> BTreeSet<String> {
    let section = readme
        .split("\n## ")
        .find(|section| section.starts_with(&format!("{heading}\n")));
    let rows = section
        .unwrap_or_else(|| panic!("no section {heading}"))
        .lines();
    rows.filter_map(|row| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn every_key_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let sections = [
        ("The file", keys::<File>()),
        ("`[machine]`", keys::<MachineTable>()),
        ("`[limits]`", keys::<LimitsTable>()),
        (
            "`[oracles]`",
            crate::oracle::ORACLES
                .iter()
                .map(|o| o.name.to_owned())
                .chain(["all".to_owned()])
                .collect(),
        ),
        ("`[setting.NAME]`", keys::<SettingTable>()),
        ("`[[driver]]`", keys::<DriverTable>()),
        ("`[[registry]]`", keys::<RegistryTable>()),
        ("Registry data", keys::<values::RegistryData>()),
        ("`[[adapter]]`", keys::<AdapterTable>()),
        ("`[[host]]`", keys::<HostTable>()),
        ("`[[stream]]`", keys::<StreamTable>()),
        ("Flows", keys::<FlowTable>()),
        ("Steps of a stream", keys::<StreamStepTable>()),
        ("Fragments", keys::<FragmentTable>()),
        ("What can be awaited", keys::<AwaitTable>()),
        ("`[[thread]]`", keys::<ThreadTable>()),
        ("Steps of a thread", keys::<ThreadStepTable>()),
        ("Control codes", keys::<ControlCodeTable>()),
        ("Extended attributes", keys::<items::EaTable>()),
        ("Items of bytes", keys::<ItemTable>()),
        ("`[[expect]]`", keys::<ExpectTable>()),
    ];
    for (heading, keys) in sections {
        assert_eq!(documented(&readme, heading), keys, "section {heading}");
    }
}
