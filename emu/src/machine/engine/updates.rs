//! The two accesses of a read-modify-write without LOCK, made one by one.

use super::*;

impl Engine {
    /// The load of the read-modify-write at the PC of `core`, made now and recorded as made after
    /// `choices` choices. `None` if it is none, or if its load or store has no translation: then it
    /// is one step, which faults.
    pub fn load(&mut self, core: usize, choices: u64) -> Option<Loaded> {
        let live = self.registers(core);
        let pc = live.get(Reg::PC);
        let insn = self.insn(pc)?;
        let operand = split_operand(&insn, self.arch)?;
        let address = operand.address(&live);
        let mut loaded = Loaded {
            address,
            value: [0; 16],
            width: operand.width.min(16) as u8,
        };
        // SAFETY: the memory outlives the engine, and no core runs now.
        let memory = unsafe { &*self.shared.memory };
        if !is_accessible(memory, &loaded) {
            return None;
        }
        let width = usize::from(loaded.width);
        memory.read(address, &mut loaded.value[..width]);
        let retired = self.shared.retired + 1;
        if let Some(log) = &mut self.shared.accesses {
            let low = loaded.value.first_chunk().expect("it has 16 bytes");
            log.push(AccessRecord {
                retired,
                early: Some(choices),
                pc,
                address,
                value: u64::from_le_bytes(*low),
                width: loaded.width,
                core: core as u8,
                write: false,
            });
        }
        Some(loaded)
    }

    /// Gives the read-modify-write at a core's PC back what it has loaded, so that it stores what
    /// comes of that: what others have stored since is lost, as it is on hardware. It must be
    /// executed next. False if it has to load again, since memory has gone away meanwhile.
    pub fn give_back(&mut self, loaded: &Loaded) -> bool {
        // SAFETY: the memory outlives the engine, and no core runs now.
        let memory = unsafe { &mut *self.shared.memory };
        self.shared.loaded =
            is_accessible(memory, loaded) && memory.write(loaded.address, loaded.bytes());
        self.shared.loaded
    }
}

/// Whether an operand can be loaded and stored.
fn is_accessible(memory: &Memory, operand: &Loaded) -> bool {
    let last = operand.address.wrapping_add(u64::from(operand.width) - 1);
    [operand.address, last].into_iter().all(|at| {
        memory.miss(at, Access::Read).is_none() && memory.miss(at, Access::Write).is_none()
    })
}
