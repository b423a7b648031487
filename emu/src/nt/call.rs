//! What a kernel function sees: the machine, the core it was called on, and its arguments.

use isa::{Arch, Mem};

use crate::machine::Machine;
use crate::machine::context::{Core, Outcome};
use crate::stop::{Access, Stop};
use crate::trace::EventKind;

/// Why a kernel function could not do its work.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The kernel touched memory it could not: as on the real system, it faults.
    Fault {
        /// Address.
        va: u64,
        /// How.
        access: Access,
    },
    /// The run ends here.
    Stop(Box<Stop>),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Trouble {
        Trouble::Stop(Box::new(stop))
    }
}

impl From<Box<Stop>> for Trouble {
    fn from(stop: Box<Stop>) -> Trouble {
        Trouble::Stop(stop)
    }
}

/// What a kernel function gives back.
pub type Done = Result<Outcome, Trouble>;

/// A kernel function at work.
pub struct Call<'a> {
    /// The machine.
    pub m: &'a mut Machine,
    /// Index of the core.
    pub core: usize,
    /// Arguments, narrowed to their width; empty in a continuation.
    pub args: [u64; 12],
}

impl Call<'_> {
    /// The architecture.
    pub fn arch(&self) -> Arch {
        self.m.arch()
    }

    /// The core.
    pub fn this_core(&mut self) -> &mut Core {
        &mut self.m.state.cores[self.core]
    }

    /// The core's IRQL.
    pub fn irql(&self) -> u8 {
        self.m.state.cores[self.core].irql
    }

    /// Records an event on this core.
    pub fn event(&mut self, kind: EventKind) {
        self.m.event(self.core, kind);
    }

    /// Reads memory as kernel code at this IRQL would. Of no bytes any address will do.
    pub fn read_bytes(&mut self, va: u64, buffer: &mut [u8]) -> Result<(), Trouble> {
        if buffer.is_empty() {
            return Ok(());
        }
        self.m
            .touch(self.core, va, buffer.len() as u64, Access::Read)?;
        if self.m.memory.read(va, buffer) {
            Ok(())
        } else {
            Err(fault(va, Access::Read))
        }
    }

    /// Reads `length` bytes, at most 16 MiB.
    pub fn read_vec(&mut self, va: u64, length: u64) -> Result<Vec<u8>, Trouble> {
        if length > 16 << 20 {
            return Err(fault(va, Access::Read));
        }
        let mut bytes = vec![0; length as usize];
        self.read_bytes(va, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes memory as kernel code at this IRQL would. Of no bytes any address will do.
    pub fn write_bytes(&mut self, va: u64, data: &[u8]) -> Result<(), Trouble> {
        if data.is_empty() {
            return Ok(());
        }
        self.m
            .touch(self.core, va, data.len() as u64, Access::Write)?;
        if self.m.memory.write(va, data) {
            Ok(())
        } else {
            Err(fault(va, Access::Write))
        }
    }

    /// Reads that many bytes, of which there are few.
    #[inline]
    fn array<const N: usize>(&mut self, va: u64) -> Result<[u8; N], Trouble> {
        self.m.touch(self.core, va, N as u64, Access::Read)?;
        let bytes = self.m.memory.array(va);
        bytes.ok_or_else(|| fault(va, Access::Read))
    }

    #[inline]
    fn set_array<const N: usize>(&mut self, va: u64, bytes: [u8; N]) -> Result<(), Trouble> {
        self.m.touch(self.core, va, N as u64, Access::Write)?;
        match self.m.memory.set_array(va, bytes) {
            true => Ok(()),
            false => Err(fault(va, Access::Write)),
        }
    }

    /// Reads a byte.
    pub fn u8(&mut self, va: u64) -> Result<u8, Trouble> {
        self.array(va).map(u8::from_le_bytes)
    }

    /// Reads a 16-bit value.
    pub fn u16(&mut self, va: u64) -> Result<u16, Trouble> {
        self.array(va).map(u16::from_le_bytes)
    }

    /// Reads a 32-bit value.
    pub fn u32(&mut self, va: u64) -> Result<u32, Trouble> {
        self.array(va).map(u32::from_le_bytes)
    }

    /// Reads a 64-bit value.
    pub fn u64(&mut self, va: u64) -> Result<u64, Trouble> {
        self.array(va).map(u64::from_le_bytes)
    }

    /// Reads a pointer.
    pub fn ptr(&mut self, va: u64) -> Result<u64, Trouble> {
        match self.arch().pointer_size() {
            4 => self.u32(va).map(u64::from),
            _ => self.u64(va),
        }
    }

    /// Writes a byte.
    pub fn set_u8(&mut self, va: u64, v: u8) -> Result<(), Trouble> {
        self.set_array(va, v.to_le_bytes())
    }

    /// Writes a 16-bit value.
    pub fn set_u16(&mut self, va: u64, v: u16) -> Result<(), Trouble> {
        self.set_array(va, v.to_le_bytes())
    }

    /// Writes a 32-bit value.
    pub fn set_u32(&mut self, va: u64, v: u32) -> Result<(), Trouble> {
        self.set_array(va, v.to_le_bytes())
    }

    /// Writes a 64-bit value.
    pub fn set_u64(&mut self, va: u64, v: u64) -> Result<(), Trouble> {
        self.set_array(va, v.to_le_bytes())
    }

    /// Writes a pointer.
    pub fn set_ptr(&mut self, va: u64, v: u64) -> Result<(), Trouble> {
        match self.arch().pointer_size() {
            4 => self.set_u32(va, v as u32),
            _ => self.set_u64(va, v),
        }
    }

    /// Reads a pointer without any effect; 0 where nothing is mapped. For describing things.
    pub fn peek_ptr(&self, va: u64) -> u64 {
        self.m.memory.read_ptr(self.arch(), va).unwrap_or(0)
    }

    /// Reads a `UNICODE_STRING` (at most 64 KiB; unpaired surrogates become U+FFFD).
    pub fn unicode_string(&mut self, va: u64) -> Result<String, Trouble> {
        let length = self.u16(va)?;
        let buffer = self.ptr(va + self.arch().pointer_size())?;
        let bytes = self.read_vec(buffer, u64::from(length))?;
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|c| u16::from_le_bytes([c[0], c[1]]))
            .collect();
        Ok(String::from_utf16_lossy(&units))
    }

    /// Ends the run because this use of a modelled function is not modelled.
    pub fn unimplemented(&mut self, name: &str, detail: impl Into<String>) -> Trouble {
        let caller = self.m.caller_address(self.core);
        Stop::Unimplemented {
            name: name.into(),
            caller,
            detail: detail.into(),
        }
        .into()
    }

    /// `KeBugCheckEx` called by the kernel itself on this core.
    pub fn bugcheck(&mut self, code: u32, params: [u64; 4]) -> Trouble {
        self.m.bugcheck(self.core, code, params).into()
    }
}

/// A failed access.
pub fn fault(va: u64, access: Access) -> Trouble {
    Trouble::Fault { va, access }
}
