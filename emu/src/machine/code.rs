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

/// What the hooks must know about a straight run of instructions.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    /// How many there are.
    pub(super) count: u64,
    /// Before how many of them there is a scheduling point.
    pub(super) points: u64,
    /// In how many of those there is another one, if other cores can come between two accesses.
    pub(super) updates: u64,
    /// The last of those, as the number of instructions before it.
    pub(super) last_point: u64,
    /// The first one that the engine must be able to stop before and has not been announced.
    pub(super) special: Option<u64>,
}

/// A block in which nothing is to be stopped at, in few bytes: they are looked up all the time.
#[derive(Clone, Copy)]
struct Block {
    /// Bytes.
    length: u16,
    // As in a span.
    count: u16,
    points: u16,
    updates: u16,
    last_point: u16,
}

impl Block {
    /// `None` if there is something to stop at, or far too much.
    fn pack(length: u64, span: &Span) -> Option<Block> {
        Some(Block {
            length: u16::try_from(length).ok()?,
            count: u16::try_from(span.count).ok()?,
            points: u16::try_from(span.points).ok()?,
            updates: u16::try_from(span.updates).ok()?,
            last_point: u16::try_from(span.last_point).ok()?,
        })
        .filter(|_| span.special.is_none())
    }

    fn span(self) -> Span {
        Span {
            count: u64::from(self.count),
            points: u64::from(self.points),
            updates: u64::from(self.updates),
            last_point: u64::from(self.last_point),
            special: None,
        }
    }
}

/// As many bytes as the longest instruction has.
type Bytes = [u8; 15];

/// The facts of all instructions between two addresses.
pub(super) struct CodeTable {
    base: u64,
    /// Blocks that were asked for, and by first address which one: 0 for none,
    /// else the index plus 1.
    blocks: Vec<Block>,
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
            blocks: Vec::new(),
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

    /// The block `from..to`, which begins in the table. Blocks come again and again, so what was
    /// found is kept.
    #[inline]
    pub(super) fn block(&mut self, memory: &Memory, from: u64, to: u64) -> Span {
        let offset = (from - self.base) as usize;
        let known = (self.block_at[offset] as usize).checked_sub(1);
        if let Some(block) = known.and_then(|i| self.blocks.get(i))
            && u64::from(block.length) == to - from
        {
            return block.span();
        }
        let span = self.span(memory, from, to);
        if let Some(block) = Block::pack(to - from, &span) {
            self.blocks.push(block);
            self.block_at[offset] = self.blocks.len() as u32;
        }
        span
    }

    /// The instructions in `from..to`.
    pub(super) fn span(&mut self, memory: &Memory, from: u64, to: u64) -> Span {
        let mut span = Span::default();
        let mut at = from;
        while at < to {
            let f = self.at(memory, at);
            let stops = f.special()
                || self.granularity == Granularity::Sync && f.is_point(Granularity::Sync);
            if stops && span.special.is_none() && !self.announced.contains(&at) {
                span.special = Some(at);
            }
            if f.is_point(self.granularity) {
                span.points += 1;
                span.updates += f.points(self.granularity, true) - 1;
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
