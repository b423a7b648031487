//! Unwinding, checked at every instruction.
//!
//! Small functions with their unwind data are run by an interpreter of a dozen instructions, which
//! knows from the calls themselves where every frame returns to. Before each instruction the
//! unwinder must find the same frames, and give the caller the registers it had.

mod common;

use common::interpreter::Machine;
use isa::{Arch, Frame, Reg, RegisterAccess, caller, stack_pointer, unwind};

/// Where the outermost function returns to; no image is there.
const OUTSIDE: u64 = 0x0666_0000;

#[test]
fn x86() {
    check(Arch::X86, &["framed", "callee", "frameless"]);
}

#[test]
fn x64() {
    check(
        Arch::X64,
        &["basic", "leaf", "frame", "saves", "tail", "parent"],
    );
}

#[test]
fn arm64() {
    check(
        Arch::Arm64,
        &["record", "leaf", "large", "singles", "lrpair"],
    );
}

#[test]
fn arm64_packed() {
    let machine = Machine::load(Arch::Arm64);
    let packed: Vec<&str> = machine
        .functions()
        .filter(|name| name.starts_with("packed"))
        .collect();
    assert!(packed.len() >= 19);
    check(Arch::Arm64, &packed);
}

fn check(arch: Arch, functions: &[&str]) {
    for name in functions {
        for branches in [false, true] {
            let mut machine = Machine::load(arch);
            machine.enter(name, OUTSIDE);
            let mut steps = 0;
            while machine.regs.pc != OUTSIDE {
                check_here(arch, &machine, name);
                machine.step(branches);
                steps += 1;
            }
            assert!(steps > 0);
        }
    }
}

/// The frames and the caller's registers at the machine's current instruction.
fn check_here(arch: Arch, machine: &Machine, name: &str) {
    let here = format!("{} {name} at {:#x}", arch.name(), machine.regs.pc);
    let mut expected: Vec<Frame> = vec![Frame {
        pc: machine.regs.pc,
        sp: machine.regs.get(stack_pointer(arch)),
    }];
    expected.extend(machine.calls.iter().rev().map(|call| call.caller));
    expected.retain(|frame| frame.pc != OUTSIDE);
    let frames = unwind(arch, &machine.regs, machine, machine, 64);
    assert_eq!(frames, expected, "{here}");

    let call = machine.calls.last().unwrap();
    let found = caller(arch, &machine.regs, machine, machine, true).expect(&here);
    assert_eq!(found.pc, call.caller.pc, "{here}");
    for reg in machine.preserved() {
        assert_eq!(
            found.get(reg),
            call.regs.get(reg),
            "{here}: register {reg:?}"
        );
    }
    if arch == Arch::X64 {
        assert_eq!(found.vec[6..16], call.regs.vec[6..16], "{here}");
    }
}

#[test]
fn depth_is_limited() {
    let mut machine = Machine::load(Arch::X64);
    machine.enter("frame", OUTSIDE);
    while machine.calls.len() < 3 {
        machine.step(false);
    }
    for limit in 0..=3 {
        assert_eq!(
            unwind(Arch::X64, &machine.regs, &machine, &machine, limit).len(),
            limit
        );
    }
    assert_eq!(
        unwind(Arch::X64, &machine.regs, &machine, &machine, 4).len(),
        3
    );
}

/// An import has been called: the pc is where no image is, and the caller is found all the same.
#[test]
fn first_frame_outside_all_images() {
    for (arch, name) in [
        (Arch::X86, "framed"),
        (Arch::X64, "frame"),
        (Arch::Arm64, "record"),
    ] {
        let mut machine = Machine::load(arch);
        machine.enter(name, OUTSIDE);
        while machine.calls.len() < 2 {
            machine.step(false);
        }
        let inside = unwind(arch, &machine.regs, &machine, &machine, 64);
        machine.regs.pc = OUTSIDE + 0x100;
        let outside = unwind(arch, &machine.regs, &machine, &machine, 64);
        assert_eq!(outside.len(), 2);
        assert_eq!(outside[0].pc, OUTSIDE + 0x100);
        assert_eq!(outside[1..], inside[1..]);
    }
}

/// A stack that has been written over ends the walk; nothing is invented and nothing panics.
#[test]
fn damaged_stack() {
    for (arch, name) in [
        (Arch::X86, "framed"),
        (Arch::X64, "frame"),
        (Arch::Arm64, "large"),
    ] {
        let mut machine = Machine::load(arch);
        machine.enter(name, OUTSIDE);
        while machine.calls.len() < 2 {
            machine.step(false);
        }
        for fill in [0x00, 0x41, 0xFF] {
            let mut damaged = machine.clone();
            damaged.fill_stack(fill);
            assert!(unwind(arch, &damaged.regs, &damaged, &damaged, 64).len() <= 2);
        }
        let mut unmapped = machine.clone();
        unmapped.regs.set(stack_pointer(arch), 0x10);
        unmapped.regs.set(isa::frame_pointer(arch), 0x10);
        assert!(unwind(arch, &unmapped.regs, &unmapped, &unmapped, 64).len() <= 2);
    }
}

/// Any damage to the unwind data gives an answer or none, never a panic.
#[test]
fn damaged_unwind_data() {
    for (arch, name) in [(Arch::X64, "frame"), (Arch::Arm64, "large")] {
        let mut machine = Machine::load(arch);
        machine.enter(name, OUTSIDE);
        for _ in 0..12 {
            machine.step(false);
        }
        for position in 0..machine.unwind_data_len() {
            for bit in 0..8 {
                let mut damaged = machine.clone();
                damaged.flip_unwind_data(position, bit);
                for innermost in [false, true] {
                    let _ = caller(arch, &damaged.regs, &damaged, &damaged, innermost);
                }
            }
        }
    }
}

/// The processor has interrupted something and pushed an error code and the frame of its pc.
#[test]
fn x64_machine_frame() {
    let mut machine = Machine::load(Arch::X64);
    let interrupted = machine.address("leaf") + 3;
    machine.enter("interrupt", OUTSIDE);
    // From the top: ss, rsp, rflags, cs, rip, error code. The return address that `enter` left
    // is in the place of ss.
    let top = machine.regs.gpr[4];
    let frame = [0, interrupted, 0x10, 0x202, top, 0x18];
    machine.regs.gpr[4] = top - 8 * frame.len() as u64;
    for (n, word) in frame.into_iter().enumerate() {
        machine.write_word(machine.regs.gpr[4] + 8 * n as u64, word);
    }
    let rax = machine.regs.gpr[0];
    for _ in 0..4 {
        let found = caller(Arch::X64, &machine.regs, &machine, &machine, true).unwrap();
        assert_eq!((found.pc, found.gpr[4]), (interrupted, top));
        assert_eq!(found.get(Reg(0)), rax);
        machine.step(false);
    }
}
