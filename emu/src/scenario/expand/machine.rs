//! Drivers, registry, adapters, hosts, limits and memory.

use super::Expander;
use crate::scenario::error::ScenarioError;
use crate::scenario::plan::{Adapter, DriverRef, Host, Limits, Memory, RegValue};
use crate::scenario::schema::{DriverTable, RegistryItem, Scalar, Spanned};

/// Keys that do not begin with a backslash are below this one.
const SERVICES: &str = r"\Registry\Machine\System\CurrentControlSet\Services";

impl Expander<'_> {
    pub fn drivers(&self) -> Result<Vec<DriverRef>, ScenarioError> {
        let context = self.context();
        let mut drivers: Vec<DriverRef> = Vec::new();
        for table in &self.scenario.file.driver {
            if !context.holds(&table.when)? {
                continue;
            }
            let driver = self.driver(table)?;
            if drivers.iter().any(|other| other.service == driver.service) {
                let problem = format!("the service '{}' is loaded twice", driver.service);
                return Err(context.error(&table.name, problem, "leave one away, or use when"));
            }
            drivers.push(driver);
        }
        Ok(drivers)
    }

    fn driver(&self, table: &DriverTable) -> Result<DriverRef, ScenarioError> {
        let context = self.context();
        let name = context.text(&table.name)?;
        if name.is_empty() || name.contains(['/', '\\', '.']) {
            let mend = "write the name of a bundled driver without .sys; a path goes into file";
            return Err(context.error(&table.name, format!("'{name}' is no driver name"), mend));
        }
        let text = |field| Option::map(field, |field| context.text(field)).transpose();
        let (build, file) = (text(table.build.as_ref())?, text(table.file.as_ref())?);
        if build.is_some() == file.is_some() {
            let mend = "write build for a bundled driver, or file for a .sys file of your own";
            let problem = format!("the driver '{name}' needs either build or file");
            return Err(context.error(&table.name, problem, mend));
        }
        Ok(DriverRef {
            service: text(table.service.as_ref())?.unwrap_or_else(|| name.clone()),
            name,
            build: build.unwrap_or_default(),
            file,
        })
    }

    pub fn registry(&self) -> Result<Vec<(String, String, RegValue)>, ScenarioError> {
        let context = self.context();
        let mut values = Vec::new();
        for table in &self.scenario.file.registry {
            if !context.holds(&table.when)? {
                continue;
            }
            let key = context.text(&table.key)?;
            let key = match key.starts_with('\\') {
                true => key,
                false => format!(r"{SERVICES}\{key}"),
            };
            let mut items: Vec<_> = table.values.iter().collect();
            items.sort_by_key(|(name, _)| name.span().start);
            for (name, item) in items {
                values.push((
                    key.clone(),
                    name.get_ref().clone(),
                    self.reg_value(name, item)?,
                ));
            }
        }
        Ok(values)
    }

    fn reg_value(
        &self,
        name: &Spanned<String>,
        item: &RegistryItem,
    ) -> Result<RegValue, ScenarioError> {
        let context = self.context();
        match item {
            RegistryItem::Strings(fields) => {
                let strings: Result<_, _> =
                    fields.iter().map(|field| context.text(field)).collect();
                strings.map(RegValue::MultiSz)
            }
            RegistryItem::Scalar(field) => match field.get_ref() {
                Scalar::Text(_) => context.text(field).map(RegValue::Sz),
                Scalar::Bool(value) => Ok(RegValue::Dword((*value).into())),
                Scalar::Int(_) => Ok(RegValue::Dword(context.bits(field, 32)? as u32)),
            },
            RegistryItem::Typed(data) => match (&data.dword, &data.binary) {
                (Some(field), None) => Ok(RegValue::Dword(context.bits(field, 32)? as u32)),
                (None, Some(bytes)) => context.bytes(bytes, self.profile).map(RegValue::Binary),
                _ => {
                    let mend = "write { dword = ... } or { binary = ... }";
                    Err(context.error(name, "a registry value has one type", mend))
                }
            },
        }
    }

    pub fn adapters(&mut self) -> Result<(), ScenarioError> {
        let scenario = self.scenario;
        for (index, table) in scenario.file.adapter.iter().enumerate() {
            let context = self.context();
            let name = table.name.get_ref().clone();
            if self.adapters.iter().any(|other| other.name == name) {
                let problem = format!("the adapter '{name}' is there twice");
                return Err(context.error(&table.name, problem, "give it another name"));
            }
            let mac = match &table.mac {
                Some(field) => context.mac(field)?,
                None => [2, 0, 0, 0, 0, index as u8],
            };
            let link = table
                .link
                .as_ref()
                .map(|field| context.text(field))
                .transpose()?;
            let mtu = context.number_or(&table.mtu, 68..=1500, 1500)? as u16;
            let link = link.unwrap_or_else(|| name.clone());
            self.adapters.push(Adapter {
                name,
                mac,
                mtu,
                link,
            });
        }
        Ok(())
    }

    pub fn hosts(&mut self) -> Result<(), ScenarioError> {
        let scenario = self.scenario;
        let mut scope = self.scope.clone();
        for table in &scenario.file.host {
            self.repeated(
                &table.repeat,
                &table.counter,
                &mut scope,
                &mut |this, scope| {
                    let context = this.under(scope);
                    let name = context.text(&table.name)?;
                    if this.hosts.iter().any(|other| other.name == name) {
                        let problem = format!("the host '{name}' is there twice");
                        let mend =
                            "give it another name; in a repeat use the counter: \"host {n}\"";
                        return Err(context.error(&table.name, problem, mend));
                    }
                    let index = this.hosts.len() as u16;
                    let mac = match &table.mac {
                        Some(field) => context.mac(field)?,
                        None => [2, 0, 0, 1, (index >> 8) as u8, index as u8],
                    };
                    let adapters = this.adapters.iter().map(|adapter| adapter.name.as_str());
                    let host = Host {
                        name,
                        ip: context.ipv4(&table.ip)?,
                        mac,
                        adapter: context.find(&table.adapter, "adapter", adapters)?,
                        arp: context.boolean_or(&table.arp, true)?,
                    };
                    this.hosts.push(host);
                    Ok(())
                },
            )?;
        }
        Ok(())
    }

    pub fn limits(&self) -> Result<Limits, ScenarioError> {
        let (context, table) = (self.context(), &self.scenario.file.limits);
        let default = Limits::default();
        let limit = |field, default: u64| {
            context
                .number_or(field, 1..=i64::MAX, default as i64)
                .map(|limit| limit as u64)
        };
        Ok(Limits {
            instructions: limit(&table.instructions, default.instructions)?,
            driver_entry: limit(&table.driver_entry, default.driver_entry)?,
            choices: limit(&table.choices, default.choices)?,
            dpc: limit(&table.dpc, default.dpc)?,
            spin_lock: limit(&table.spin_lock, default.spin_lock)?,
        })
    }

    pub fn memory(&self) -> Result<Memory, ScenarioError> {
        let (context, table) = (self.context(), &self.scenario.file.machine);
        let default = Memory::default();
        let size = |field, default: u64| {
            let kib = context.number_or(field, 64..=262_144, default as i64 >> 10)?;
            Ok((kib as u64) << 10)
        };
        Ok(Memory {
            nonpaged_pool: size(&table.nonpaged_pool_kib, default.nonpaged_pool)?,
            paged_pool: size(&table.paged_pool_kib, default.paged_pool)?,
            special_pool: context.boolean_or(&table.special_pool, default.special_pool)?,
        })
    }
}
