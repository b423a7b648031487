//! Calling conventions: where each slot is, what a return pops, and that `enter` and `argument`
//! agree.

use isa::{
    Arch, Convention, Mem, MemMut, Reg, RegisterAccess, Registers, by_name, return_address,
    return_register, stack_pointer,
};

/// A stack of 4 KiB.
struct Stack(Vec<u8>);

const TOP: u64 = 0x8000_1000;
const BOTTOM: u64 = TOP - 0x1000;

impl Stack {
    fn new() -> Stack {
        Stack(vec![0; 0x1000])
    }

    fn range(&self, va: u64, len: usize) -> Option<std::ops::Range<usize>> {
        let start = va.checked_sub(BOTTOM)? as usize;
        let end = start.checked_add(len)?;
        (end <= self.0.len()).then_some(start..end)
    }
}

impl Mem for Stack {
    fn read(&self, va: u64, buf: &mut [u8]) -> bool {
        let Some(range) = self.range(va, buf.len()) else {
            return false;
        };
        buf.copy_from_slice(&self.0[range]);
        true
    }
}

impl MemMut for Stack {
    fn write(&mut self, va: u64, data: &[u8]) -> bool {
        let Some(range) = self.range(va, data.len()) else {
            return false;
        };
        self.0[range].copy_from_slice(data);
        true
    }
}

/// Registers by name and stack words by their distance from the stack pointer, as the callee finds
/// them.
struct Expected {
    convention: Convention,
    args: usize,
    registers: &'static [&'static str],
    /// Stack offset of the first slot that is not in a register.
    first_on_stack: u64,
    /// What returning adds to the stack pointer.
    popped: u64,
}

/// Sources: Microsoft, "Argument Passing and Naming Conventions", "x64 calling convention",
/// "Overview of ARM64 ABI conventions".
const CASES: [Expected; 9] = [
    Expected {
        convention: Convention::Cdecl,
        args: 3,
        registers: &[],
        first_on_stack: 4,
        popped: 4,
    },
    Expected {
        convention: Convention::Stdcall,
        args: 3,
        registers: &[],
        first_on_stack: 4,
        popped: 16,
    },
    Expected {
        convention: Convention::Stdcall,
        args: 0,
        registers: &[],
        first_on_stack: 4,
        popped: 4,
    },
    Expected {
        convention: Convention::Fastcall,
        args: 1,
        registers: &["ecx"],
        first_on_stack: 4,
        popped: 4,
    },
    Expected {
        convention: Convention::Fastcall,
        args: 4,
        registers: &["ecx", "edx"],
        first_on_stack: 4,
        popped: 12,
    },
    Expected {
        convention: Convention::X64,
        args: 2,
        registers: &["rcx", "rdx"],
        first_on_stack: 40,
        popped: 8,
    },
    Expected {
        convention: Convention::X64,
        args: 7,
        registers: &["rcx", "rdx", "r8", "r9"],
        first_on_stack: 40,
        popped: 8,
    },
    Expected {
        convention: Convention::Aapcs64,
        args: 3,
        registers: &["x0", "x1", "x2"],
        first_on_stack: 0,
        popped: 0,
    },
    Expected {
        convention: Convention::Aapcs64,
        args: 11,
        registers: &["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
        first_on_stack: 0,
        popped: 0,
    },
];

fn argument(arch: Arch, slot: usize) -> u64 {
    arch.truncate(0x1122_3344_5566_0000 + slot as u64)
}

#[test]
fn slots_are_where_the_convention_says() {
    for case in &CASES {
        let arch = case.convention.arch();
        let what = format!("{:?} with {}", case.convention, case.args);
        let args: Vec<u64> = (0..case.args).map(|slot| argument(arch, slot)).collect();
        let (mut regs, mut stack) = (Registers::default(), Stack::new());
        regs.set(stack_pointer(arch), TOP - 0x100);
        let (target, back) = (arch.truncate(0xFFFF_F800_0001_2340), 0x8765_4320);
        assert!(
            case.convention
                .enter(arch, &mut regs, &mut stack, target, &args, back)
        );
        assert_eq!(regs.pc, target, "{what}");
        assert_eq!(return_address(arch, &regs, &stack), Some(back), "{what}");
        for (slot, value) in args.iter().enumerate() {
            let found = match case.registers.get(slot) {
                Some(name) => regs.get(by_name(arch, name).unwrap()),
                None => {
                    let index = (slot - case.registers.len()) as u64;
                    let offset = case.first_on_stack + index * arch.pointer_size();
                    let at = regs.get(stack_pointer(arch)) + offset;
                    stack.read_ptr(arch, at).unwrap()
                }
            };
            assert_eq!(found, *value, "{what}: slot {slot}");
            let read = case.convention.argument(&regs, &stack, slot);
            assert_eq!(read, Some(*value), "{what}: slot {slot}");
        }
        let entered = regs.get(stack_pointer(arch));
        let result = 0xAABB_CCDD_1122_3344;
        assert!(
            case.convention
                .return_from(&mut regs, &stack, case.args, result)
        );
        assert_eq!(regs.pc, back, "{what}");
        assert_eq!(
            regs.get(stack_pointer(arch)),
            entered + case.popped,
            "{what}"
        );
        assert_eq!(
            regs.get(return_register(arch)),
            arch.truncate(result),
            "{what}"
        );
        if arch == Arch::X86 {
            assert_eq!(regs.gpr[2], 0xAABB_CCDD, "{what}: edx");
        }
    }
}

#[test]
fn the_stack_is_aligned_as_the_abi_wants() {
    for start in (TOP - 0x140..TOP - 0x100).step_by(4) {
        for count in 0..12 {
            let args = vec![1; count];
            for convention in Convention::ALL {
                let arch = convention.arch();
                let (mut regs, mut stack) = (Registers::default(), Stack::new());
                regs.set(stack_pointer(arch), start);
                assert!(convention.enter(arch, &mut regs, &mut stack, 0, &args, 0));
                let sp = regs.get(stack_pointer(arch));
                assert!(sp <= start);
                match convention {
                    // The return address takes eight bytes; home space is above it.
                    Convention::X64 => {
                        assert_eq!(sp % 16, 8);
                        assert!(sp + 8 + 32 <= start);
                    }
                    Convention::Aapcs64 => assert_eq!(sp % 16, 0),
                    _ => assert_eq!(sp % 4, 0),
                }
            }
        }
    }
}

/// A 64-bit argument of an x86 function: two slots, the low half first.
#[test]
fn wide_arguments_take_two_slots() {
    let (mut regs, mut stack) = (Registers::default(), Stack::new());
    regs.set(Reg(4), TOP - 0x100);
    let wide = 0xFFFF_FFFF_FFF0_BDC0_u64; // a relative due time of 100 ms
    let slots = [0x8123_4560, wide & 0xFFFF_FFFF, wide >> 32, 0x8123_4600];
    let convention = Convention::Stdcall;
    assert!(convention.enter(Arch::X86, &mut regs, &mut stack, 0, &slots, 0));
    let at = regs.gpr[4] + 8;
    assert_eq!(stack.read_u64(at), Some(wide));
    let high = convention.argument(&regs, &stack, 2).unwrap();
    let low = convention.argument(&regs, &stack, 1).unwrap();
    assert_eq!(high << 32 | low, wide);
}

#[test]
fn an_unmapped_stack_is_an_answer() {
    for convention in Convention::ALL {
        let arch = convention.arch();
        let on_stack = arch != Arch::Arm64;
        let mut stack = Stack::new();
        let mut regs = Registers::default();
        regs.set(stack_pointer(arch), 0x10);
        let before = regs.clone();
        assert_eq!(convention.argument(&regs, &stack, 20), None);
        assert_eq!(return_address(arch, &regs, &stack).is_none(), on_stack);
        assert_eq!(convention.return_from(&mut regs, &stack, 2, 0), !on_stack);
        if on_stack {
            assert!(regs == before);
        }
        let mut regs = before.clone();
        assert!(!convention.enter(arch, &mut regs, &mut stack, 0, &[0; 12], 0));
        assert!(regs == before);
    }
}

#[test]
fn a_convention_belongs_to_one_architecture() {
    for convention in Convention::ALL {
        for arch in Arch::ALL {
            let (mut regs, mut stack) = (Registers::default(), Stack::new());
            regs.set(stack_pointer(arch), TOP - 0x100);
            let entered = convention.enter(arch, &mut regs, &mut stack, 0, &[], 0);
            assert_eq!(entered, arch == convention.arch());
        }
    }
}
