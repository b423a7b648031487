//! Memory at the datum of the focus, with who wrote it last.

use super::{Listing, Pane, Row, View};
use crate::report::words::Names;
use crate::travel::Datum;

/// The pane.
pub const PANE: Pane = Pane {
    name: "memory",
    help: "memory at the selected datum, or at the stack pointer, with who wrote it last",
    list,
};

/// Bytes in a row, and rows.
const BYTES: u64 = 16;
const ROWS: u64 = 24;

fn list(view: &View<'_>) -> Listing {
    let machine = view.machine;
    let arch = machine.arch();
    let registers = machine.registers(usize::from(view.focus.core));
    let sp = isa::RegisterAccess::get(&registers, isa::stack_pointer(arch));
    let datum = view.focus.datum;
    let address = datum.map_or(sp, |datum| datum.address);
    let first = (address & !(BYTES - 1)).saturating_sub(BYTES * 2);
    let retired = view.record.retired(view.focus.at);
    let log = view.record.accesses();
    let past = log.partition_point(|access| access.retired <= retired);
    // The last store to each row, found in one pass backwards.
    let mut writers: Vec<Option<usize>> = vec![None; ROWS as usize];
    let end = arch.truncate(first.wrapping_add(BYTES * ROWS));
    let mut missing = ROWS;
    for (i, access) in log[..past].iter().enumerate().rev() {
        if missing == 0 {
            break;
        }
        if !access.write || access.address >= end || access.address < first {
            continue;
        }
        let row = ((access.address - first) / BYTES) as usize;
        if writers[row].is_none() {
            writers[row] = Some(i);
            missing -= 1;
        }
    }
    // The same for stores that the kernel made.
    let stores = view.record.kernel_stores();
    let stores = &stores[..stores.partition_point(|store| store.at <= view.focus.at)];
    let kernel = |row: u64| {
        let datum = Datum {
            address: row,
            length: BYTES,
        };
        let mut latest = stores.iter().rev();
        latest.find(|store| datum.is_touched(store.address, store.length))
    };
    let row = |n: u64| {
        let at = arch.truncate(first.wrapping_add(n * BYTES));
        let (mut hex, mut ascii) = (String::new(), String::new());
        for i in 0..BYTES {
            let mut byte = [0];
            let there = machine.memory.read(at.wrapping_add(i), &mut byte);
            let marked = datum.is_some_and(|d| at.wrapping_add(i) == d.address);
            hex += if marked { ">" } else { " " };
            hex += &if there {
                format!("{:02x}", byte[0])
            } else {
                "??".into()
            };
            ascii.push(match byte[0] {
                b' '..=b'~' if there => byte[0] as char,
                _ => '.',
            });
        }
        let writer = writers[n as usize].map(|i| &log[i]);
        let kernel = kernel(at).filter(|store| {
            writer.is_none_or(|access| view.record.retired(store.at) >= access.retired)
        });
        let (said, by) = match (kernel, writer) {
            (Some(store), _) => {
                let by = if store.by.is_empty() {
                    "itself"
                } else {
                    store.by
                };
                let said = format!("c{} {}", store.core, store.at);
                (
                    [said, format!("kernel: {by}")],
                    Some((store.at, store.core)),
                )
            }
            (None, Some(access)) => {
                let moment = view.record.moment(access.retired - 1);
                let said = format!("c{} {moment}", access.core);
                ([said, view.short(access.pc)], Some((moment, access.core)))
            }
            (None, None) => ([String::new(), String::new()], None),
        };
        let [said, place] = said;
        let row = Row::new([view.digits(at), hex, said, place, ascii]);
        let row = row.datum(at, BYTES);
        match by {
            Some((at, core)) => row.at(at).core(core),
            None => row,
        }
    };
    Listing {
        title: match datum {
            Some(datum) => format!(
                "{}, {} bytes",
                view.names().object(datum.address),
                datum.length
            ),
            None => format!("the stack of c{}", view.focus.core),
        },
        columns: &["address", "bytes", "last written", "by", "text"],
        rows: (0..ROWS).map(row).collect(),
        current: Some(((address & !(BYTES - 1)) - first).div_euclid(BYTES) as usize),
        ..Listing::default()
    }
}
