//! What the kernel model writes into memory while a run is recorded, and on whose behalf: nothing of
//! it is an instruction, so that no hook of the engine sees it.

use super::Machine;
use super::context::Caller;
use crate::position::Position;

/// A store that the kernel made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelStore {
    /// When.
    pub at: Position,
    /// On which core it worked.
    pub core: u8,
    /// First address.
    pub address: u64,
    /// Bytes, at least 1.
    pub length: u64,
    /// The function that a driver had called; empty if the kernel worked for itself.
    pub by: &'static str,
}

impl Machine {
    /// From now on stores of the kernel are recorded.
    pub(super) fn keep_journal(&mut self) {
        self.memory.journal = Some(Vec::new());
    }

    /// Records what the kernel has written on a core since this was asked last.
    pub(super) fn note_stores(&mut self, core: usize, caller: Option<Caller>) {
        let Some(journal) = self.memory.journal.as_mut().filter(|j| !j.is_empty()) else {
            return;
        };
        let stores = std::mem::take(journal);
        let at = self.position();
        let by = caller.map_or("", |caller| {
            self.setup.imports[caller.import as usize].api.name
        });
        let stores = stores.into_iter().filter(|(_, length)| *length > 0);
        self.kernel_stores
            .extend(stores.map(|(address, length)| KernelStore {
                at,
                core: core as u8,
                address,
                length: length as u64,
                by,
            }));
    }
}
