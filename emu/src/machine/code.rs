//! What the hooks must know about each instruction of the loaded drivers, decoded on first use.

use std::cell::RefCell;
use std::collections::BTreeMap;

use isa::{Atomic, Decoder, Insn, MemOperand, Special};

use super::engine::Granularity;
use super::memory::Memory;

/// Facts about the instruction that begins at an address, packed in two bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts(u16);

impl Facts {
    const LENGTH: u16 = 0x0F;
    /// It accesses memory that another context may reach.
    const SHARED: u16 = 0x10;
    /// The engine must execute it instead of the emulator.
    const SPECIAL: u16 = 0x20;
    /// Somebody wants to know before it executes.
    const BREAK: u16 = 0x40;
    const KNOWN: u16 = 0x80;
    /// It is how processors synchronise: an interlocked update, or the first half of one.
    const INTERLOCKED: u16 = 0x100;
    /// It is known to race.
    const RACY: u16 = 0x200;
    /// It reads and writes memory that another context may reach, and not indivisibly.
    const SPLIT: u16 = 0x400;

    /// Whether the outside world may decide before it.
    pub(super) fn is_point(self, granularity: Granularity) -> bool {
        let mask = match granularity {
            Granularity::Sync => Self::INTERLOCKED | Self::RACY,
            Granularity::Access => Self::SHARED,
            Granularity::Insn => return true,
        };
        self.0 & mask != 0
    }

    /// Scheduling points before and in it. `split`: other cores can come between the load and the
    /// store of an instruction that is two accesses.
    #[inline]
    pub(super) fn points(self, granularity: Granularity, split: bool) -> u64 {
        match self.is_point(granularity) {
            false => 0,
            true => 1 + u64::from(split && self.0 & Self::SPLIT != 0),
        }
    }

    /// Whether execution must stop before it, whatever the schedule says.
    pub(super) fn stops(self) -> bool {
        self.0 & (Self::SPECIAL | Self::BREAK) != 0
    }

    pub(super) fn special(self) -> bool {
        self.0 & Self::SPECIAL != 0
    }

    fn known(self) -> bool {
        self.0 & Self::KNOWN != 0
    }

    fn length(self) -> u64 {
        // A length of 16 cannot occur; 0 stands for an undecodable byte.
        u64::from(self.0 & Self::LENGTH).max(1)
    }
}

/// What the hooks must know about a straight run of instructions. They are part of a block, which has
/// 512 at most, and are looked up all the time: few bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    /// Bytes.
    length: u16,
    /// How many instructions there are.
    count: u16,
    /// Before how many of them there is a scheduling point.
    points: u16,
    /// In how many of those there is another one, if other cores can come between two accesses.
    updates: u16,
    /// The last of those, as the number of instructions before it.
    last_point: u16,
}

impl Span {
    /// Bytes.
    #[inline]
    pub(super) fn length(&self) -> u64 {
        u64::from(self.length)
    }

    /// Instructions.
    #[inline]
    pub(super) fn count(&self) -> u64 {
        u64::from(self.count)
    }

    /// Scheduling points; `split`: see [`Facts::points`].
    #[inline]
    pub(super) fn points(&self, split: bool) -> u64 {
        match split {
            true => u64::from(self.points) + u64::from(self.updates),
            false => u64::from(self.points),
        }
    }

    /// Instructions before the last scheduling point.
    #[inline]
    pub(super) fn last_point(&self) -> u64 {
        u64::from(self.last_point)
    }
}

/// As many bytes as the longest instruction has.
type Bytes = [u8; 15];

/// The facts of all instructions between two addresses.
pub(super) struct CodeTable {
    base: u64,
    /// Blocks that were asked for, behind one that is none, and by first address which one.
    blocks: Vec<Span>,
    block_at: Vec<u32>,
    /// Instructions to stop before that the engine has been told of.
    announced: Vec<u64>,
    facts: Vec<Facts>,
    /// Instructions decoded before, by address. Code may change or go away, so each comes with the
    /// bytes that it was decoded from.
    decoded: RefCell<BTreeMap<u64, (Bytes, Insn)>>,
    decoder: Decoder,
    arch: isa::Arch,
    granularity: Granularity,
}

impl CodeTable {
    pub(super) fn new(arch: isa::Arch, base: u64, end: u64, granularity: Granularity) -> CodeTable {
        CodeTable {
            base,
            blocks: vec![Span::default()],
            block_at: vec![0; (end - base) as usize],
            announced: Vec::new(),
            facts: vec![Facts::default(); (end - base) as usize],
            decoded: RefCell::default(),
            decoder: Decoder::new(arch),
            arch,
            granularity,
        }
    }

    /// Makes the instruction at `address` a scheduling point at `sync` granularity.
    pub(super) fn mark_racy(&mut self, address: u64) {
        if let Some(f) = self.facts.get_mut(address.wrapping_sub(self.base) as usize) {
            f.0 |= Facts::RACY;
        }
    }

    /// The same for who only looks; what has not been decoded yet is decoded for nothing.
    pub(super) fn would_be_point(&self, memory: &Memory, address: u64) -> bool {
        match self.facts.get(address.wrapping_sub(self.base) as usize) {
            None => false,
            Some(f) if f.known() => f.is_point(self.granularity),
            Some(f) => self.judge(memory, address, *f).is_point(self.granularity),
        }
    }

    /// Scheduling points before and in the instruction at `address`; see [`Facts::points`].
    pub(super) fn points(&mut self, memory: &Memory, address: u64, split: bool) -> u64 {
        let granularity = self.granularity;
        match self.contains(address) {
            true => self.at(memory, address).points(granularity, split),
            false => 0,
        }
    }

    pub(super) fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.base) < self.facts.len() as u64
    }

    pub(super) fn granularity(&self) -> Granularity {
        self.granularity
    }

    pub(super) fn arch(&self) -> isa::Arch {
        self.arch
    }

    /// Notes that the engine stops before the instruction at `address` from now on.
    pub(super) fn announce(&mut self, address: u64) {
        self.announced.push(address);
    }

    /// The facts of the instruction at `address`; nothing special outside the table.
    #[inline]
    pub(super) fn at(&mut self, memory: &Memory, address: u64) -> Facts {
        let offset = address.wrapping_sub(self.base) as usize;
        match self.facts.get(offset) {
            Some(f) if f.known() => *f,
            Some(_) => self.decode(memory, address, offset),
            None => Facts::default(),
        }
    }

    #[cold]
    fn decode(&mut self, memory: &Memory, address: u64, offset: usize) -> Facts {
        self.facts[offset] = self.judge(memory, address, self.facts[offset]);
        self.facts[offset]
    }

    /// The facts of an instruction, with what is known `already`.
    fn judge(&self, memory: &Memory, address: u64, already: Facts) -> Facts {
        let mut bits = Facts::KNOWN | already.0;
        if let Some(insn) = self.insn(memory, address) {
            bits |= u16::from(insn.len) & Facts::LENGTH;
            if shares_memory(&insn, self.arch) {
                bits |= Facts::SHARED;
            }
            if split_operand(&insn, self.arch).is_some() {
                bits |= Facts::SPLIT;
            }
            if insn.special != Special::None {
                bits |= Facts::SPECIAL;
            }
            if matches!(insn.atomic, Atomic::Locked | Atomic::LoadExclusive) {
                bits |= Facts::INTERLOCKED;
            }
        }
        Facts(bits)
    }

    /// The instruction at `address`, decoded from memory.
    pub(super) fn insn(&self, memory: &Memory, address: u64) -> Option<Insn> {
        let mut bytes = Bytes::default();
        // Near the end of a page the tail may be unmapped; read what there is.
        let mut n = bytes.len();
        while n > 0 && !memory.remains(address, &mut bytes[..n]) {
            n -= 1;
        }
        if n < bytes.len() {
            return self.decoder.decode(&bytes[..n], address);
        }
        if let Some((from, insn)) = self.decoded.borrow().get(&address)
            && *from == bytes
        {
            return Some(*insn);
        }
        let insn = self.decoder.decode(&bytes, address)?;
        if self.contains(address) {
            self.decoded.borrow_mut().insert(address, (bytes, insn));
        }
        Some(insn)
    }

    /// The block of `size` bytes at `from`, if it has been asked for before.
    #[inline]
    pub(super) fn known_block(&self, from: u64, size: u32) -> Option<Span> {
        let number = *self.block_at.get(from.wrapping_sub(self.base) as usize)?;
        let known = self.blocks[number as usize];
        (u32::from(known.length) == size && number > 0).then_some(known)
    }

    /// The block of `size` bytes at `from` in the table, or the first instruction of it that the
    /// engine must be able to stop before and has not been told of. Blocks come again and again, so
    /// what was found is kept.
    pub(super) fn block(&mut self, memory: &Memory, from: u64, size: u32) -> Result<Span, u64> {
        if let Some(known) = self.known_block(from, size) {
            return Ok(known);
        }
        let to = from + u64::from(size);
        let mut at = from;
        while at < to {
            let f = self.at(memory, at);
            let stops = f.special()
                || self.granularity == Granularity::Sync && f.is_point(Granularity::Sync);
            if stops && !self.announced.contains(&at) {
                return Err(at);
            }
            at += f.length();
        }
        let span = self.span(memory, from, to);
        self.block_at[(from - self.base) as usize] = self.blocks.len() as u32;
        self.blocks.push(span);
        Ok(span)
    }

    /// The instructions in `from..to`, part of a block.
    pub(super) fn span(&mut self, memory: &Memory, from: u64, to: u64) -> Span {
        let mut span = Span {
            length: (to - from) as u16,
            ..Span::default()
        };
        let mut at = from;
        while at < to {
            let f = self.at(memory, at);
            if f.is_point(self.granularity) {
                span.points += 1;
                span.updates += f.points(self.granularity, true) as u16 - 1;
                span.last_point = span.count;
            }
            at += f.length();
            span.count += 1;
        }
        span
    }

    /// Asks for a stop before the instruction at `address`, or takes that back.
    pub(super) fn set_break(&mut self, address: u64, on: bool) {
        if let Some(f) = self.facts.get_mut(address.wrapping_sub(self.base) as usize) {
            f.0 = if on {
                f.0 | Facts::BREAK
            } else {
                f.0 & !Facts::BREAK
            };
        }
    }
}

/// Whether another context can see the instruction's access: any memory operand that is not
/// addressed from the stack, and every fence.
fn shares_memory(insn: &Insn, arch: isa::Arch) -> bool {
    matches!(insn.atomic, Atomic::Fence(_)) || insn.operands().any(|m| is_shared(m, arch))
}

fn is_shared(m: &MemOperand, arch: isa::Arch) -> bool {
    !m.implicit_stack && !m.segment && !m.is_stack_relative(arch)
}

/// The operand that the instruction loads and stores in two accesses, if another context can see
/// them.
pub(super) fn split_operand(insn: &Insn, arch: isa::Arch) -> Option<&MemOperand> {
    let mut updated = insn.operands().filter(|m| m.read && m.write);
    updated.find(|m| insn.is_split_update() && is_shared(m, arch))
}
