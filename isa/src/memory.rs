//! How this crate reads and writes guest memory.

use crate::profile::Arch;

/// Memory that can be read by virtual address.
pub trait Mem {
    /// Fills `buf` from `va` on. `false` when any byte of it is not mapped; `buf` is then
    /// unspecified.
    fn read(&self, va: u64, buf: &mut [u8]) -> bool;

    /// The byte at `va`, or `None` when it is not mapped.
    fn read_u8(&self, va: u64) -> Option<u8> {
        let mut buf = [0; 1];
        self.read(va, &mut buf).then_some(buf[0])
    }

    /// The little-endian 16-bit value at `va`, or `None` when it is not mapped.
    fn read_u16(&self, va: u64) -> Option<u16> {
        let mut buf = [0; 2];
        self.read(va, &mut buf).then(|| u16::from_le_bytes(buf))
    }

    /// The little-endian 32-bit value at `va`, or `None` when it is not mapped.
    fn read_u32(&self, va: u64) -> Option<u32> {
        let mut buf = [0; 4];
        self.read(va, &mut buf).then(|| u32::from_le_bytes(buf))
    }

    /// The little-endian 64-bit value at `va`, or `None` when it is not mapped.
    fn read_u64(&self, va: u64) -> Option<u64> {
        let mut buf = [0; 8];
        self.read(va, &mut buf).then(|| u64::from_le_bytes(buf))
    }

    /// The 128-bit value at `va`, or `None` when it is not mapped.
    fn read_u128(&self, va: u64) -> Option<u128> {
        let mut buf = [0; 16];
        self.read(va, &mut buf).then(|| u128::from_le_bytes(buf))
    }

    /// The pointer-sized value at `va`, zero-extended, or `None` when it is not mapped.
    fn read_ptr(&self, arch: Arch, va: u64) -> Option<u64> {
        match arch.pointer_size() {
            4 => self.read_u32(va).map(u64::from),
            _ => self.read_u64(va),
        }
    }
}

/// Memory that can also be written.
pub trait MemMut: Mem {
    /// Stores `data` from `va` on. `false` when any byte of it is not mapped for writing; nothing
    /// is stored then.
    fn write(&mut self, va: u64, data: &[u8]) -> bool;

    /// Stores a pointer-sized value; the upper half of `value` is dropped on a 32-bit machine.
    fn write_ptr(&mut self, arch: Arch, va: u64, value: u64) -> bool {
        self.write(va, &value.to_le_bytes()[..arch.pointer_size() as usize])
    }
}
