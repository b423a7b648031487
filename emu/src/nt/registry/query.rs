//! `RtlQueryRegistryValues` and its relatives: a table of values to read, each stored where the
//! driver wants it or handed to its routine.
//!
//! Windows driver documentation, "RtlQueryRegistryValues function (wdm.h)".

use super::{Value, kind};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::io::{self, HandleTarget};
use crate::nt::{self, Api, Arg, Call, Done, Trouble, layout, pool, status};

const WDK: &str = "Windows driver documentation: RtlQueryRegistryValues, RtlWriteRegistryValue; \
                   wdm.h";

/// `RTL_REGISTRY_` (`wdm.h`): what a path is relative to.
const PATHS: [&str; 5] = [
    "",
    "\\Registry\\Machine\\System\\CurrentControlSet\\Services",
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control",
    "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion",
    "\\Registry\\Machine\\Hardware\\DeviceMap",
];
const RTL_REGISTRY_HANDLE: u64 = 0x4000_0000;
const RTL_REGISTRY_OPTIONAL: u64 = 0x8000_0000;

/// `RTL_QUERY_REGISTRY_` flags of a table's entry (`wdm.h`).
mod flags {
    pub const SUBKEY: u32 = 0x01;
    pub const TOPKEY: u32 = 0x02;
    pub const REQUIRED: u32 = 0x04;
    pub const NOVALUE: u32 = 0x08;
    pub const NOEXPAND: u32 = 0x10;
    pub const DIRECT: u32 = 0x20;
    pub const DELETE: u32 = 0x40;
}

const fn row(name: &'static str, args: &'static [Arg], handler: fn(&mut Call<'_>) -> Done) -> Api {
    let (module, style, irql) = (Module::Ntoskrnl, Style::Std, Contract::Passive);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

/// Registry functions of the run-time library.
pub const API: &[Api] = &[
    row(
        "RtlQueryRegistryValues",
        &[
            long("RelativeTo"),
            ptr("Path"),
            ptr("QueryTable"),
            ptr("Context"),
            ptr("Environment"),
        ],
        query,
    ),
    row(
        "RtlWriteRegistryValue",
        &[
            long("RelativeTo"),
            ptr("Path"),
            ptr("ValueName"),
            long("ValueType"),
            ptr("ValueData"),
            long("ValueLength"),
        ],
        write,
    ),
    row(
        "RtlDeleteRegistryValue",
        &[long("RelativeTo"), ptr("Path"), ptr("ValueName")],
        delete,
    ),
    row(
        "RtlCheckRegistryKey",
        &[long("RelativeTo"), ptr("Path")],
        check,
    ),
    row(
        "RtlCreateRegistryKey",
        &[long("RelativeTo"), ptr("Path")],
        create,
    ),
];

/// A query in progress.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Query {
    /// Address of the current entry of the table.
    entry: u64,
    /// The driver's context.
    context: u64,
    /// The key that the query began in, and the one it is in.
    top: String,
    key: String,
    /// Whether what the current entry asks for has been looked up.
    gathered: bool,
    /// What is still to be handed to the current entry's routine, first comes first.
    waiting: std::collections::VecDeque<(String, Value)>,
    /// The pool block with name and data of the call in progress; 0 is none.
    block: u64,
}

/// An entry of the table.
#[derive(Clone, Copy, Hash)]
struct Entry {
    routine: u64,
    flags: u32,
    name: u64,
    context: u64,
    default_type: u32,
    default_data: u64,
    default_length: u64,
}

impl Entry {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn read(call: &mut Call<'_>, at: u64) -> Result<Entry, Trouble> {
        let l = layout::of(call.arch()).query_table;
        Ok(Entry {
            routine: call.ptr(at + l.query_routine)?,
            flags: call.u32(at + l.flags)?,
            name: call.ptr(at + l.name)?,
            context: call.ptr(at + l.entry_context)?,
            default_type: call.u32(at + l.default_type)?,
            default_data: call.ptr(at + l.default_data)?,
            default_length: u64::from(call.u32(at + l.default_length)?),
        })
    }
}

/// A terminated UTF-16 string, without its terminator.
fn wide(call: &mut Call<'_>, at: u64) -> Result<String, Trouble> {
    let mut units = Vec::new();
    loop {
        match call.u16(at + 2 * units.len() as u64)? {
            0 => return Ok(String::from_utf16_lossy(&units)),
            unit => units.push(unit),
        }
    }
}

/// The key that the first two arguments name.
fn key(call: &mut Call<'_>, function: &str) -> Result<String, Trouble> {
    let [relative, path_at, ..] = call.args;
    if relative & RTL_REGISTRY_HANDLE != 0 {
        if let Some(HandleTarget::Key(path)) = call.m.state.nt.io.objects.target(path_at) {
            return Ok(path.clone());
        }
        return Err(call.unimplemented(function, "a handle that is not a key's"));
    }
    let place = (relative & !RTL_REGISTRY_OPTIONAL) as usize;
    let Some(root) = PATHS.get(place) else {
        return Err(call.unimplemented(function, format!("RelativeTo {place}")));
    };
    let path = if path_at == 0 {
        String::new()
    } else {
        wide(call, path_at)?
    };
    Ok(match (place, path.as_str()) {
        (0, _) => path,
        (_, "") => (*root).to_owned(),
        _ => format!("{root}\\{path}"),
    })
}

fn done(status: u32) -> Done {
    Ok(Outcome::Return(u64::from(status)))
}

fn write(call: &mut Call<'_>) -> Done {
    let key = key(call, "RtlWriteRegistryValue")?;
    let [_, _, name_at, kind, data_at, length, ..] = call.args;
    let name = wide(call, name_at)?;
    let data = call.read_vec(data_at, length)?;
    let set = call.m.state.nt.registry.set(
        &key,
        &name,
        Value {
            kind: kind as u32,
            data,
        },
    );
    done(if set {
        status::SUCCESS
    } else {
        status::OBJECT_NAME_NOT_FOUND
    })
}

fn delete(call: &mut Call<'_>) -> Done {
    let key = key(call, "RtlDeleteRegistryValue")?;
    let name_at = call.args[2];
    let name = wide(call, name_at)?;
    let deleted = call.m.state.nt.registry.delete_value(&key, &name);
    done(if deleted {
        status::SUCCESS
    } else {
        status::OBJECT_NAME_NOT_FOUND
    })
}

fn check(call: &mut Call<'_>) -> Done {
    let key = key(call, "RtlCheckRegistryKey")?;
    let there = call.m.state.nt.registry.exists(&key);
    done(if there {
        status::SUCCESS
    } else {
        status::OBJECT_NAME_NOT_FOUND
    })
}

fn create(call: &mut Call<'_>) -> Done {
    let key = key(call, "RtlCreateRegistryKey")?;
    call.m.state.nt.registry.create(&key);
    done(status::SUCCESS)
}

fn query(call: &mut Call<'_>) -> Done {
    let key = key(call, "RtlQueryRegistryValues")?;
    let [_, _, table, context, ..] = call.args;
    if !call.m.state.nt.registry.exists(&key) {
        return done(status::OBJECT_NAME_NOT_FOUND);
    }
    let query = Query {
        entry: table,
        context,
        top: key.clone(),
        key,
        gathered: false,
        waiting: Default::default(),
        block: 0,
    };
    entries(call, query)
}

/// Works through the table until a routine must be called or it is at its end.
fn entries(call: &mut Call<'_>, mut query: Query) -> Done {
    loop {
        let entry = Entry::read(call, query.entry)?;
        if let Some((name, value)) = query.waiting.pop_front() {
            if entry.has(flags::DIRECT) {
                store(call, entry, &value)?;
                continue;
            }
            return hand_over(call, query, entry, &name, &value);
        }
        if query.gathered {
            query.gathered = false;
            query.entry += layout::of(call.arch()).query_table.size;
            continue;
        }
        if entry.routine == 0 && !entry.has(flags::SUBKEY | flags::DIRECT) {
            return done(status::SUCCESS);
        }
        if let Err(failure) = gather(call, &mut query, entry)? {
            return done(failure);
        }
        query.gathered = true;
    }
}

/// Looks up what an entry asks for; the inner error is the status that ends the query.
fn gather(
    call: &mut Call<'_>,
    query: &mut Query,
    entry: Entry,
) -> Result<Result<(), u32>, Trouble> {
    let name = if entry.name == 0 {
        None
    } else {
        Some(wide(call, entry.name)?)
    };
    if entry.has(flags::SUBKEY | flags::TOPKEY) {
        query.key = query.top.clone();
    }
    if entry.has(flags::SUBKEY) {
        let Some(name) = name else {
            return Ok(Err(status::INVALID_PARAMETER));
        };
        query.key = format!("{}\\{name}", query.top);
        if !call.m.state.nt.registry.exists(&query.key) {
            let required = entry.has(flags::REQUIRED);
            return Ok(if required {
                Err(status::OBJECT_NAME_NOT_FOUND)
            } else {
                Ok(())
            });
        }
        if entry.routine != 0 {
            all_values(call, query, entry);
        }
        return Ok(Ok(()));
    }
    let Some(name) = name else {
        if entry.has(flags::NOVALUE) {
            let none = Value {
                kind: kind::NONE,
                data: Vec::new(),
            };
            query.waiting.push_back((String::new(), none));
        } else if entry.has(flags::DIRECT) {
            return Ok(Err(status::INVALID_PARAMETER));
        } else {
            all_values(call, query, entry);
        }
        return Ok(Ok(()));
    };
    let registry = &mut call.m.state.nt.registry;
    match registry.value(&query.key, &name).cloned() {
        Some(value) => {
            if entry.has(flags::DELETE) {
                registry.delete_value(&query.key, &name);
            }
            add(query, entry, name, value);
        }
        None if entry.has(flags::REQUIRED) => return Ok(Err(status::OBJECT_NAME_NOT_FOUND)),
        None if entry.default_type != kind::NONE => {
            let data = default_data(call, entry)?;
            add(
                query,
                entry,
                name,
                Value {
                    kind: entry.default_type,
                    data,
                },
            );
        }
        None => {}
    }
    Ok(Ok(()))
}

fn all_values(call: &Call<'_>, query: &mut Query, entry: Entry) {
    let registry = &call.m.state.nt.registry;
    let all: Vec<(String, Value)> = registry
        .values(&query.key)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    for (name, value) in all {
        add(query, entry, name, value);
    }
}

/// A list of strings goes to the routine string by string, unless the entry says otherwise.
fn add(query: &mut Query, entry: Entry, name: String, value: Value) {
    if value.kind == kind::MULTI_SZ && !entry.has(flags::NOEXPAND | flags::DIRECT) {
        for data in strings(&value.data) {
            query.waiting.push_back((
                name.clone(),
                Value {
                    kind: kind::SZ,
                    data,
                },
            ));
        }
    } else {
        query.waiting.push_back((name, value));
    }
}

/// The strings of a `REG_MULTI_SZ`, each with its terminator.
fn strings(data: &[u8]) -> Vec<Vec<u8>> {
    let mut out = vec![Vec::new()];
    for unit in data.chunks_exact(2) {
        let last = out.last_mut().expect("never empty");
        last.extend(unit);
        if unit == [0, 0] {
            out.push(Vec::new());
        }
    }
    out.retain(|s| s.len() > 2);
    out
}

/// The default of an entry. A string without a length ends at its terminator.
fn default_data(call: &mut Call<'_>, entry: Entry) -> Result<Vec<u8>, Trouble> {
    if entry.default_length != 0 || entry.default_type != kind::SZ {
        return call.read_vec(entry.default_data, entry.default_length);
    }
    let text = wide(call, entry.default_data)?;
    Ok([super::utf16(&text), vec![0, 0]].concat())
}

/// Stores a value where an entry's context says.
fn store(call: &mut Call<'_>, entry: Entry, value: &Value) -> Result<(), Trouble> {
    match value.kind {
        kind::SZ | kind::EXPAND_SZ | kind::MULTI_SZ => store_string(call, entry.context, value),
        _ if value.data.len() <= 4 => call.write_bytes(entry.context, &value.data),
        _ => {
            let detail = "a value of more than 4 bytes that is no string, stored directly";
            Err(call.unimplemented("RtlQueryRegistryValues", detail))
        }
    }
}

/// Into the `UNICODE_STRING` at `at`, whose buffer is allocated if it has none.
fn store_string(call: &mut Call<'_>, at: u64, value: &Value) -> Result<(), Trouble> {
    if value.kind == kind::EXPAND_SZ && value.data.chunks_exact(2).any(|u| u == [b'%', 0]) {
        let detail = "a string with variables of the environment";
        return Err(call.unimplemented("RtlQueryRegistryValues", detail));
    }
    let l = layout::of(call.arch()).unicode_string;
    let size = value.data.len() as u64;
    let mut buffer = call.ptr(at + l.buffer)?;
    let mut room = u64::from(call.u16(at + l.maximum_length)?);
    if buffer == 0 {
        buffer = pool::allocate(call.m, call.core, size, *b"CmRg", true);
        if buffer == 0 {
            return Ok(());
        }
        room = size;
        call.set_ptr(at + l.buffer, buffer)?;
        call.set_u16(at + l.maximum_length, size as u16)?;
    }
    let copied = size.min(room);
    call.write_bytes(buffer, &value.data[..copied as usize])?;
    call.set_u16(at + l.length, copied.saturating_sub(2) as u16)
}

/// Calls an entry's routine with a value.
fn hand_over(
    call: &mut Call<'_>,
    mut query: Query,
    entry: Entry,
    name: &str,
    value: &Value,
) -> Done {
    let name = [super::utf16(name), vec![0, 0]].concat();
    let data_at = name.len().next_multiple_of(8);
    let size = (data_at + value.data.len()) as u64;
    let block = pool::allocate(call.m, call.core, size, *b"CmRg", true);
    if block == 0 {
        return done(status::INSUFFICIENT_RESOURCES);
    }
    call.write_bytes(block, &name)?;
    call.write_bytes(block + data_at as u64, &value.data)?;
    let data = if value.kind == kind::NONE {
        0
    } else {
        block + data_at as u64
    };
    let length = value.data.len() as u64;
    let args = vec![
        block,
        u64::from(value.kind),
        data,
        length,
        query.context,
        entry.context,
    ];
    query.block = block;
    let then = nt::Then::Io(io::Then::Query(Box::new(query)));
    Ok(Outcome::Enter {
        what: "query routine",
        routine: entry.routine,
        args,
        then,
    })
}

/// An entry's routine has returned a status.
pub(crate) fn routine_returned(call: &mut Call<'_>, query: Query, returned: u32) -> Done {
    pool::free(call.m, call.core, query.block)?;
    // That a value did not fit is the routine's own business.
    if !status::is_success(returned) && returned != status::BUFFER_TOO_SMALL {
        return done(returned);
    }
    entries(call, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_strings_is_taken_apart() {
        let data = [b'a', 0, b'b', 0, 0, 0, b'c', 0, 0, 0, 0, 0];
        let expected: Vec<Vec<u8>> = vec![vec![b'a', 0, b'b', 0, 0, 0], vec![b'c', 0, 0, 0]];
        assert_eq!(strings(&data), expected);
        assert!(strings(&[0, 0]).is_empty());
    }
}
