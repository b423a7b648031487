//! What the emulator calls while driver code runs. Nothing is ever stopped but before an
//! instruction.

use super::*;

/// # Safety
/// `context` comes from [`add_hook`].
unsafe fn shared<'a>(context: *mut HookContext) -> (&'a mut Shared, &'a Memory) {
    unsafe {
        let shared = &mut *(*context).shared;
        let memory = &*shared.memory;
        (shared, memory)
    }
}

fn stop(uc: *mut uc_engine, shared: &mut Shared, exit: Exit) {
    shared.exit = Some(exit);
    // SAFETY: called from a hook of this running instance.
    let _ = unsafe { uc_emu_stop(uc) };
}

/// The same in a code hook, before the instruction at `address`. Being told where it stops spares the
/// emulator finding out from its tables, which takes as long as the rest of stopping does. Flags and
/// address of the instruction are in place when a code hook is called.
fn stop_before(uc: *mut uc_engine, shared: &mut Shared, exit: Exit, address: u64) {
    let arch = shared.code.arch();
    LiveRegisters { uc, arch }.set(Reg::PC, address);
    stop(uc, shared, exit);
}

/// Leaves the block that is about to begin to the instance that sees every instruction.
fn cross(uc: *mut uc_engine, shared: &mut Shared) {
    shared.crossing = true;
    // SAFETY: called from a hook of this running instance.
    let _ = unsafe { uc_emu_stop(uc) };
}

/// Every instruction, at access and insn granularity.
pub(super) unsafe extern "C" fn code_hook(
    uc: *mut uc_engine,
    address: u64,
    _size: u32,
    context: *mut HookContext,
) {
    let (s, memory) = unsafe { shared(context) };
    if s.exit.is_some() {
        return;
    }
    s.passed_between = None;
    if !s.code.contains(address) {
        return match s.traps.contains(&address) {
            true => stop_before(uc, s, Exit::Trap(address), address),
            // A jump into the wild: the fetch was allowed, so it is somebody's executable page.
            false => step(s, unsafe { (*context).core }, address),
        };
    }
    if s.retired >= s.pause {
        return stop_before(uc, s, Exit::Paused, address);
    }
    let facts = s.code.at(memory, address);
    let mut asked = 0;
    if s.pass_at == address {
        s.pass_at = 0;
        asked = s.asked;
    } else {
        if facts.stops() {
            return stop_before(uc, s, Exit::Stopped, address);
        }
        if s.retired >= s.deadline {
            return stop_before(uc, s, Exit::Deadline, address);
        }
    }
    let points = match s.choosing {
        true => facts.points(s.code.granularity(), s.split),
        false => 0,
    };
    for point in asked..points {
        if s.quiet == 0 {
            let exit = match point {
                0 => Exit::Point,
                _ => Exit::Between,
            };
            return stop_before(uc, s, exit, address);
        }
        s.passed_between = (point > 0).then_some(s.last_point);
        s.pass(1, s.retired);
        if let Some(marks) = &mut s.marks {
            marks.push(s.retired);
        }
    }
    step(s, unsafe { (*context).core }, address);
}

/// An instruction is about to be executed.
fn step(s: &mut Shared, core: u8, address: u64) {
    s.retired += 1;
    if let Some(path) = &mut s.path {
        path.push((core, address));
    }
}

/// A basic block begins, in an instance that sees blocks.
pub(super) unsafe extern "C" fn block_hook(
    uc: *mut uc_engine,
    address: u64,
    size: u32,
    context: *mut HookContext,
) {
    let (s, memory) = unsafe { shared(context) };
    if s.exit.is_some() || s.crossing {
        return;
    }
    // Nearly always it has been seen before, and nothing is to happen in it.
    if s.asked_at != address
        && let Some(span) = s.code.known_block(address, size)
    {
        let points = s.points(&span);
        let retired = s.retired + span.count();
        if points <= s.quiet && retired <= s.deadline.min(s.pause) {
            return s.count_block(address, &span, 0, points);
        }
    }
    block(uc, s, memory, address, size);
}

/// The same for any block.
#[cold]
fn block(uc: *mut uc_engine, s: &mut Shared, memory: &Memory, address: u64, size: u32) {
    // The block before this one has been executed to its end.
    s.block = Counted::default();
    if !s.code.contains(address) {
        if !s.sync && !s.traps.contains(&address) {
            // A jump into the wild: what is there is counted one by one.
            cross(uc, s);
        }
        return;
    }
    if s.sync && s.retired >= s.deadline {
        return stop(uc, s, Exit::Deadline);
    }
    let span = match s.code.block(memory, address, size) {
        Ok(span) => span,
        Err(special) => {
            s.code.announce(special);
            s.new_special = Some(special);
            // SAFETY: called from a hook of this running instance.
            let _ = unsafe { uc_emu_stop(uc) };
            return;
        }
    };
    let retired = s.retired + span.count();
    if retired > s.pause {
        return cross(uc, s);
    }
    let mut points = s.points(&span);
    let mut asked = 0;
    if s.asked_at == address {
        asked = s.asked;
        points -= s.points_at(memory, address).min(asked);
    }
    let mut ahead = None;
    if points > s.quiet {
        if !s.sync {
            return cross(uc, s);
        }
        ahead = Some(s.quiet);
        points = 0;
    } else if retired > s.deadline {
        return cross(uc, s);
    }
    s.count_block(address, &span, asked, points);
    s.ahead = ahead;
}

/// An address at which execution must stop, in an instance that sees blocks.
pub(super) unsafe extern "C" fn stop_hook(
    uc: *mut uc_engine,
    address: u64,
    _size: u32,
    context: *mut HookContext,
) {
    let (s, memory) = unsafe { shared(context) };
    if s.exit.is_some() {
        return;
    }
    if s.traps.contains(&address) {
        stop_before(uc, s, Exit::Trap(address), address);
        return;
    }
    let mut asked = 0;
    if s.pass_at == address {
        s.pass_at = 0;
        asked = s.asked;
    } else if s.code.at(memory, address).stops() {
        return stop_before(uc, s, Exit::Stopped, address);
    }
    let Some(left) = s.ahead else { return };
    let points = s.points_at(memory, address).saturating_sub(asked);
    s.ahead = Some(left.saturating_sub(points));
    if left < points {
        let between = asked + left > 0;
        let exit = if between { Exit::Between } else { Exit::Point };
        stop_before(uc, s, exit, address);
    }
}

/// A core's TLB has no entry that allows an access.
pub(super) unsafe extern "C" fn fill_hook(
    _uc: *mut uc_engine,
    address: u64,
    kind: MemType,
    result: *mut TlbEntry,
    context: *mut HookContext,
) -> bool {
    let memory = unsafe { &mut *(*(*context).shared).memory };
    let access = match kind {
        MemType::WRITE => Access::Write,
        MemType::FETCH => Access::Execute,
        _ => Access::Read,
    };
    // SAFETY: the context lives as long as the instance.
    let context = unsafe { &mut *context };
    context.filled.add(address);
    let page = address & !(FRAME_SIZE as u64 - 1);
    let (s, core) = (unsafe { &mut *context.shared }, context.core);
    if memory.is_pageable(address) {
        context.pageable = true;
        let there = memory.miss(address, access).is_none();
        if s.guarded && there && !s.allowed.contains(&(core, page)) {
            s.refused = Some((address, access));
            return false;
        }
    }
    match memory.translate(address, access) {
        Ok(frame) => {
            let rights = memory.rights(address);
            let mut perms = Prot::READ;
            if rights.execute {
                perms |= Prot::EXEC;
            }
            if rights.write && memory.may_write_quietly(frame) {
                perms |= Prot::WRITE;
            }
            // SAFETY: the emulator passes a valid entry to fill.
            let paddr = u64::from(frame) * FRAME_SIZE as u64 + address % FRAME_SIZE as u64;
            unsafe { *result = TlbEntry { paddr, perms } };
            true
        }
        Err(_) => {
            s.refused = Some((address, access));
            false
        }
    }
}

/// A load or store, when accesses are recorded.
pub(super) unsafe extern "C" fn memory_hook(
    uc: *mut uc_engine,
    kind: MemType,
    address: u64,
    size: i32,
    value: i64,
    context: *mut HookContext,
) {
    let (s, memory) = unsafe { shared(context) };
    let write = kind == MemType::WRITE;
    if !write && std::mem::take(&mut s.loaded) {
        return;
    }
    // With a virtual TLB the emulator reports the physical address.
    let address = memory.virtual_address(address);
    let width = size.clamp(0, 8) as usize;
    let value = if write {
        value as u64
    } else {
        let mut bytes = [0; 8];
        memory.read(address, &mut bytes[..width]);
        u64::from_le_bytes(bytes)
    };
    let core = unsafe { (*context).core };
    let arch = s.code.arch();
    let pc = LiveRegisters { uc, arch }.get(Reg::PC);
    let retired = s.retired;
    if let Some(log) = &mut s.accesses {
        log.push(AccessRecord {
            retired,
            early: None,
            pc,
            address,
            value,
            width: width as u8,
            core,
            write,
        });
    }
}
