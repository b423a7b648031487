//! The threads of the concurrency shapes as they were compiled: each access of their text is one
//! load or one store, because their schedules are counted. Needs `cargo xtask drivers`.

use crate::support::case;
use emu::loader::Image;
use isa::{Arch, Atomic, Decoder};

/// Loads and stores of a routine; indivisible accesses are counted as neither.
type Accesses = (usize, usize);

/// The routines of a driver with the defect and the accesses to 32-bit fields in their text.
type Shape = (&'static str, &'static [(&'static str, Accesses)]);

/// Without the port: what it shares is mostly pointers.
const SHAPES: &[Shape] = &[
    (
        "account",
        &[
            ("account::check", (3, 0)),
            ("account::deposit", (1, 2)),
            ("account::withdraw", (1, 2)),
        ],
    ),
    // Flag, event, and the end; the count is indivisible.
    ("bluetooth", &[("bluetooth::stop<false>", (1, 3))]),
    (
        "deadlock",
        &[("deadlock::up", (1, 1)), ("deadlock::down", (1, 1))],
    ),
    (
        "reorder",
        &[("reorder::setter", (0, 2)), ("reorder::checker", (4, 0))],
    ),
    // Each loads its parameter first.
    (
        "stack",
        &[("stack::pusher", (2, 2)), ("stack::popper", (4, 1))],
    ),
    (
        "twostage",
        &[("twostage::writer", (1, 2)), ("twostage::reader", (3, 0))],
    ),
    (
        "wronglock",
        &[("wronglock::first", (3, 1)), ("wronglock::other", (1, 1))],
    ),
];

/// The accesses to 32-bit fields of others in a routine: those that are addressed neither from the
/// stack nor absolutely, as the import table is.
fn accesses(image: &Image, arch: Arch, routine: &str) -> Accesses {
    let symbols = image.symbols.as_ref().expect("the driver has symbols");
    let names: Vec<&str> = symbols.functions().map(|(_, _, name)| name).collect();
    let found = symbols.functions().find(|(_, _, name)| *name == routine);
    let (rva, length, _) = found.unwrap_or_else(|| panic!("no {routine} in {names:?}"));
    let decoder = Decoder::new(arch);
    let code = &image.data[..(rva + length) as usize];
    let (mut at, mut loads, mut stores) = (rva as usize, 0, 0);
    while at < code.len() {
        let insn = decoder.decode(&code[at..], at as u64);
        let insn = insn.unwrap_or_else(|| panic!("{routine}: no instruction at {at:#x}"));
        assert!(
            !insn.is_split_update(),
            "{routine}: two accesses at {at:#x}"
        );
        let fields = insn.operands().filter(|m| {
            m.width == 4 && m.base.is_some() && !m.implicit_stack && !m.is_stack_relative(arch)
        });
        for field in fields.filter(|_| insn.atomic == Atomic::No) {
            loads += usize::from(field.read);
            stores += usize::from(field.write);
        }
        at += usize::from(insn.len);
    }
    (loads, stores)
}

#[test]
fn the_threads_of_a_shape_do_what_their_text_says() {
    for (name, routines) in SHAPES {
        for profile in ["amd64", "i386", "arm64"] {
            let case = case(name, profile, &[]);
            let image = &case.drivers[0].image;
            for (routine, expected) in *routines {
                let found = accesses(image, case.plan.profile.arch(), routine);
                assert_eq!(found, *expected, "{routine} on {profile}: (loads, stores)");
            }
        }
    }
}
