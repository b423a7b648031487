//! `ZwOpenKey` and its relatives.

use super::{Registry, Value, utf16};
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::io::object::attributes;
use crate::nt::io::{HandleTarget, new_handle};
use crate::nt::{Api, Arg, Call, Done, Trouble, status};

const WDK: &str = "Windows driver documentation: Registry Key Object Routines; wdm.h";
/// `Disposition` of `ZwCreateKey`.
const REG_CREATED_NEW_KEY: u32 = 1;
const REG_OPENED_EXISTING_KEY: u32 = 2;

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

/// Registry functions.
pub const API: &[Api] = &[
    row(
        "ZwOpenKey",
        &[
            ptr("KeyHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
        ],
        open,
    ),
    row(
        "ZwCreateKey",
        &[
            ptr("KeyHandle"),
            long("DesiredAccess"),
            ptr("ObjectAttributes"),
            long("TitleIndex"),
            ptr("Class"),
            long("CreateOptions"),
            ptr("Disposition"),
        ],
        create,
    ),
    row("ZwDeleteKey", &[ptr("KeyHandle")], delete),
    row("ZwFlushKey", &[ptr("KeyHandle")], flush),
    row(
        "ZwQueryKey",
        &[
            ptr("KeyHandle"),
            long("KeyInformationClass"),
            ptr("KeyInformation"),
            long("Length"),
            ptr("ResultLength"),
        ],
        query_key,
    ),
    row(
        "ZwEnumerateKey",
        &[
            ptr("KeyHandle"),
            long("Index"),
            long("KeyInformationClass"),
            ptr("KeyInformation"),
            long("Length"),
            ptr("ResultLength"),
        ],
        enumerate_key,
    ),
    row(
        "ZwQueryValueKey",
        &[
            ptr("KeyHandle"),
            ptr("ValueName"),
            long("KeyValueInformationClass"),
            ptr("KeyValueInformation"),
            long("Length"),
            ptr("ResultLength"),
        ],
        query_value,
    ),
    row(
        "ZwEnumerateValueKey",
        &[
            ptr("KeyHandle"),
            long("Index"),
            long("KeyValueInformationClass"),
            ptr("KeyValueInformation"),
            long("Length"),
            ptr("ResultLength"),
        ],
        enumerate_value,
    ),
    row(
        "ZwSetValueKey",
        &[
            ptr("KeyHandle"),
            ptr("ValueName"),
            long("TitleIndex"),
            long("Type"),
            ptr("Data"),
            long("DataSize"),
        ],
        set_value,
    ),
    row(
        "ZwDeleteValueKey",
        &[ptr("KeyHandle"), ptr("ValueName")],
        delete_value,
    ),
];

fn done(status: u32) -> Done {
    Ok(Outcome::Return(u64::from(status)))
}

fn registry<'a>(call: &'a mut Call<'_>) -> &'a mut Registry {
    &mut call.m.state.nt.registry
}

/// The path of an open key; the inner error is the status.
fn path_of(call: &Call<'_>, handle: u64) -> Result<String, u32> {
    match call.m.state.nt.io.objects.target(handle) {
        Some(HandleTarget::Key(path)) => Ok(path.clone()),
        Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
        None => Err(status::INVALID_HANDLE),
    }
}

/// The full path that an `OBJECT_ATTRIBUTES` means; the inner error is the status.
fn full_path(call: &mut Call<'_>, at: u64) -> Result<Result<String, u32>, Trouble> {
    let (root, name) = attributes(call, at)?;
    if root == 0 {
        let absolute = name.starts_with('\\');
        return Ok(if absolute {
            Ok(name)
        } else {
            Err(status::OBJECT_PATH_SYNTAX_BAD)
        });
    }
    Ok(path_of(call, root).map(|path| {
        if name.is_empty() {
            path
        } else {
            path + "\\" + &name
        }
    }))
}

fn open(call: &mut Call<'_>) -> Done {
    let [handle_at, _, attributes_at, ..] = call.args;
    let path = match full_path(call, attributes_at)? {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    if !registry(call).exists(&path) {
        return done(status::OBJECT_NAME_NOT_FOUND);
    }
    let handle = new_handle(call.m, HandleTarget::Key(path));
    call.set_ptr(handle_at, handle)?;
    done(status::SUCCESS)
}

fn create(call: &mut Call<'_>) -> Done {
    let [handle_at, _, attributes_at, _, _, _, disposition_at, ..] = call.args;
    let path = match full_path(call, attributes_at)? {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let parent = path.rsplit_once('\\').map_or("", |(parent, _)| parent);
    // Only the last part of a path is created.
    if !registry(call).exists(parent) {
        return done(status::OBJECT_NAME_NOT_FOUND);
    }
    let new = registry(call).create(&path);
    let handle = new_handle(call.m, HandleTarget::Key(path));
    call.set_ptr(handle_at, handle)?;
    if disposition_at != 0 {
        let how = if new {
            REG_CREATED_NEW_KEY
        } else {
            REG_OPENED_EXISTING_KEY
        };
        call.set_u32(disposition_at, how)?;
    }
    done(status::SUCCESS)
}

fn delete(call: &mut Call<'_>) -> Done {
    let path = match path_of(call, call.args[0]) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let deleted = registry(call).delete(&path);
    done(if deleted {
        status::SUCCESS
    } else {
        status::CANNOT_DELETE
    })
}

fn flush(call: &mut Call<'_>) -> Done {
    // There is nothing behind the registry that could lag.
    done(path_of(call, call.args[0]).err().unwrap_or(status::SUCCESS))
}

fn query_key(call: &mut Call<'_>) -> Done {
    let [handle, class, at, length, result_at, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let information = key_information(registry(call), &path, class);
    give(
        call,
        information,
        "ZwQueryKey",
        class,
        at,
        length,
        result_at,
    )
}

fn enumerate_key(call: &mut Call<'_>) -> Done {
    let [handle, index, class, at, length, result_at, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let Some(child) = registry(call)
        .children(&path)
        .nth(index as usize)
        .map(str::to_owned)
    else {
        return done(status::NO_MORE_ENTRIES);
    };
    let information = key_information(registry(call), &format!("{path}\\{child}"), class);
    give(
        call,
        information,
        "ZwEnumerateKey",
        class,
        at,
        length,
        result_at,
    )
}

fn query_value(call: &mut Call<'_>) -> Done {
    let [handle, name_at, class, at, length, result_at, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let name = call.unicode_string(name_at)?;
    if !registry(call).exists(&path) {
        return done(status::KEY_DELETED);
    }
    let Some(value) = registry(call).value(&path, &name).cloned() else {
        return done(status::OBJECT_NAME_NOT_FOUND);
    };
    let information = value_information(class, &name, &value);
    give(
        call,
        information,
        "ZwQueryValueKey",
        class,
        at,
        length,
        result_at,
    )
}

fn enumerate_value(call: &mut Call<'_>) -> Done {
    let [handle, index, class, at, length, result_at, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let found = registry(call).values(&path).nth(index as usize);
    let Some((name, value)) = found.map(|(name, value)| (name.to_owned(), value.clone())) else {
        return done(status::NO_MORE_ENTRIES);
    };
    let information = value_information(class, &name, &value);
    give(
        call,
        information,
        "ZwEnumerateValueKey",
        class,
        at,
        length,
        result_at,
    )
}

fn set_value(call: &mut Call<'_>) -> Done {
    let [handle, name_at, _, kind, data_at, size, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let name = call.unicode_string(name_at)?;
    let data = call.read_vec(data_at, size)?;
    let set = registry(call).set(
        &path,
        &name,
        Value {
            kind: kind as u32,
            data,
        },
    );
    done(if set {
        status::SUCCESS
    } else {
        status::KEY_DELETED
    })
}

fn delete_value(call: &mut Call<'_>) -> Done {
    let [handle, name_at, ..] = call.args;
    let path = match path_of(call, handle) {
        Ok(path) => path,
        Err(failure) => return done(failure),
    };
    let name = call.unicode_string(name_at)?;
    let deleted = registry(call).delete_value(&path, &name);
    done(if deleted {
        status::SUCCESS
    } else {
        status::OBJECT_NAME_NOT_FOUND
    })
}

/// What a query gives: bytes, and how many of them a buffer must hold at least.
type Information = Option<(Vec<u8>, u64)>;

/// 32-bit fields, one after the other.
fn fields(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|field| field.to_le_bytes()).collect()
}

/// `KEY_BASIC_INFORMATION` and `KEY_FULL_INFORMATION`; `None` for other classes. The time of the
/// last write is not kept and given as 0.
fn key_information(registry: &Registry, path: &str, class: u64) -> Information {
    let name = utf16(registry.name(path).unwrap_or(""));
    let longest = |sizes: &mut dyn Iterator<Item = usize>| sizes.max().unwrap_or(0) as u32;
    match class {
        0 => {
            let head = fields(&[0, 0, 0, name.len() as u32]);
            Some(([head, name].concat(), 16))
        }
        2 => {
            let mut children = registry.children(path).map(|c| utf16(c).len());
            let mut names = registry.values(path).map(|(n, _)| utf16(n).len());
            let mut data = registry.values(path).map(|(_, v)| v.data.len());
            let counts = (
                registry.children(path).count(),
                registry.values(path).count(),
            );
            let list = [
                0,
                0,
                0,
                u32::MAX,
                0,
                counts.0 as u32,
                longest(&mut children),
                0,
                counts.1 as u32,
                longest(&mut names),
                longest(&mut data),
            ];
            Some((fields(&list), 44))
        }
        _ => None,
    }
}

/// `KEY_VALUE_BASIC_INFORMATION`, `..._FULL_...`, `..._PARTIAL_...`; `None` for other classes.
fn value_information(class: u64, name: &str, value: &Value) -> Information {
    let name = utf16(name);
    let (kind, length) = (value.kind, value.data.len() as u32);
    match class {
        0 => Some(([fields(&[0, kind, name.len() as u32]), name].concat(), 12)),
        1 => {
            let offset = (20 + name.len()).next_multiple_of(4);
            let mut out = fields(&[0, kind, offset as u32, length, name.len() as u32]);
            out.extend(&name);
            out.resize(offset, 0);
            out.extend(&value.data);
            Some((out, 20))
        }
        2 => Some((
            [fields(&[0, kind, length]), value.data.clone()].concat(),
            12,
        )),
        _ => None,
    }
}

/// Copies what fits of a query's result.
fn give(
    call: &mut Call<'_>,
    information: Information,
    function: &str,
    class: u64,
    at: u64,
    length: u64,
    result_at: u64,
) -> Done {
    let Some((bytes, least)) = information else {
        return Err(call.unimplemented(function, format!("information class {class}")));
    };
    let all = bytes.len() as u64;
    call.set_u32(result_at, all as u32)?;
    if length < least {
        return done(status::BUFFER_TOO_SMALL);
    }
    call.write_bytes(at, &bytes[..all.min(length) as usize])?;
    done(if length < all {
        status::BUFFER_OVERFLOW
    } else {
        status::SUCCESS
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::registry::kind;

    fn dword() -> Value {
        Value {
            kind: kind::DWORD,
            data: vec![7, 0, 0, 0],
        }
    }

    #[test]
    fn partial_information() {
        let (bytes, least) = value_information(2, "Mtu", &dword()).unwrap();
        assert_eq!(bytes, [0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(least, 12);
    }

    #[test]
    fn full_information_puts_the_data_behind_the_name() {
        let (bytes, _) = value_information(1, "Mtu", &dword()).unwrap();
        let offset = usize::from(bytes[8]);
        assert_eq!(offset, 28, "20 bytes of head and 6 of name, rounded up");
        assert_eq!(&bytes[offset..], [7, 0, 0, 0]);
        assert_eq!(&bytes[20..26], [b'M', 0, b't', 0, b'u', 0]);
    }

    #[test]
    fn full_information_of_a_key_counts() {
        let mut r = Registry::default();
        r.create("\\Registry\\A\\Bcd");
        r.set("\\Registry\\A", "Name", dword());
        let (bytes, least) = key_information(&r, "\\registry\\a", 2).unwrap();
        assert_eq!((bytes.len() as u64, least), (44, 44));
        let field = |n: usize| u32::from_le_bytes(bytes[n * 4..][..4].try_into().unwrap());
        assert_eq!(
            (field(5), field(6), field(8), field(9), field(10)),
            (1, 6, 1, 8, 4)
        );
    }

    #[test]
    fn unknown_classes_are_not_made_up() {
        assert_eq!(value_information(9, "Mtu", &dword()), None);
        assert_eq!(key_information(&Registry::default(), "\\", 7), None);
    }
}
