//! Walking the stack of an emulated core: from a pc back through its callers.

use crate::decode::Insn;
use crate::isa;
use crate::memory::Mem;
use crate::profile::Arch;
use crate::registers::{Reg, RegisterAccess, Registers};
use crate::{return_address, stack_pointer};

/// One function activation on a stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where the function is: for the first frame the next instruction, for every other one the
    /// return address, which stands after the call. Look a caller's source line up at `pc - 1`.
    pub pc: u64,
    /// The stack pointer of this frame: for a caller, its value once the callee has popped the
    /// return address (and not yet any arguments that the callee pops).
    pub sp: u64,
}

/// The loaded images, found by address.
pub trait Images {
    /// The image that contains `pc`, or `None` when no image does.
    fn image(&self, pc: u64) -> Option<ImageUnwind<'_>>;

    /// The instruction at `pc`, decoded from the memory of the image there; `None` where it cannot
    /// be read or is none. Functions without unwind data are walked again and again, so whoever
    /// keeps what has been decoded makes that several times as fast.
    fn insn(&self, pc: u64) -> Option<Insn>;
}

/// What unwinding needs to know about one loaded image.
#[derive(Clone, Copy)]
pub struct ImageUnwind<'a> {
    /// Its load address.
    pub base: u64,
    /// The exception directory (the `.pdata` section): raw function table entries. Empty on x86.
    pub pdata: &'a [u8],
    /// Reads code and unwind data of the image by virtual address. It may be the guest memory
    /// itself, or a copy of the image that stays readable when pages of it are not resident.
    pub memory: &'a dyn Mem,
}

/// The stack of a core, innermost frame first, at most `limit` frames.
///
/// The first frame is the pc of `regs`, wherever that is. If it is outside all images (an import
/// that has just been called), its caller is found as for a function just entered. The walk ends at
/// the first return address outside all images (which is not reported), where memory cannot be
/// read, and where unwind data are missing or contradict themselves: a stack that is cut short is
/// preferred to one that is invented. The stack pointer must grow from frame to frame, so the walk
/// always ends.
pub fn unwind(
    arch: Arch,
    regs: &Registers,
    mem: &dyn Mem,
    images: &dyn Images,
    limit: usize,
) -> Vec<Frame> {
    let sp = stack_pointer(arch);
    let mut regs = regs.clone();
    let mut frames = Vec::new();
    while frames.len() < limit {
        let innermost = frames.is_empty();
        let here = Frame {
            pc: regs.get(Reg::PC),
            sp: regs.get(sp),
        };
        frames.push(here);
        match caller(arch, &regs, mem, images, innermost) {
            // Only a function that has not touched the stack yet may leave it where it was.
            Some(next)
                if images.image(next.pc).is_some()
                    && (next.get(sp) > here.sp || innermost && next.get(sp) == here.sp) =>
            {
                regs = next;
            }
            _ => break,
        }
    }
    frames
}

/// The registers of the caller of the function that `regs` is in, as they will be when it returns:
/// pc, stack pointer and what the function has saved are right, other registers are as they are
/// now. `innermost` says that the function may be at any instruction; otherwise `regs.pc` is a
/// return address. `None` if it cannot be told; see [`unwind`].
pub fn caller(
    arch: Arch,
    regs: &Registers,
    mem: &dyn Mem,
    images: &dyn Images,
    innermost: bool,
) -> Option<Registers> {
    let step = Step {
        mem,
        images,
        interrupted: innermost,
    };
    if innermost && images.image(regs.pc).is_none() {
        return leaf(arch, regs, mem);
    }
    (isa(arch).caller)(&step, regs)
}

/// What an architecture's unwinder may look at to leave one frame.
pub(crate) struct Step<'a> {
    pub mem: &'a dyn Mem,
    pub images: &'a dyn Images,
    /// The frame may be at any instruction, its prologue and epilogues too. Otherwise it is at a
    /// return address.
    pub interrupted: bool,
}

/// Leaves a function that has not moved the stack pointer nor saved anything.
pub(crate) fn leaf(arch: Arch, regs: &Registers, mem: &dyn Mem) -> Option<Registers> {
    let mut caller = regs.clone();
    caller.pc = return_address(arch, regs, mem)?;
    if isa(arch).registers.link_register.is_none() {
        let sp = stack_pointer(arch);
        caller.set(sp, regs.get(sp).wrapping_add(arch.pointer_size()));
    }
    Some(caller)
}
