//! Packed unwind data of Arm64: functions with the canonical prologue and epilogue (Microsoft,
//! "ARM64 exception handling", "Packed unwind data").

use super::unwind::{Epilogue, Function};
use super::unwind_codes::Operation;
use crate::registers::Reg;

const FP: Reg = Reg(29);
const LR: Reg = Reg(30);

/// The most that one `sub sp` of a canonical prologue allocates.
const STEP: u64 = 4080;

/// How the frame record and the return address are kept: the CR field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    /// In the link register.
    Unsaved,
    /// With the integer registers.
    Saved,
    /// In a frame record that x29 points at.
    Chained,
    /// The same, signed with `pacibsp` first.
    ChainedSigned,
}

/// Expands the data of the function at `begin` to what its instructions do.
pub(super) fn expand(begin: u64, data: u32) -> Option<Function> {
    let field = |high: u32, low: u32| u64::from(data >> low & (u32::MAX >> (31 - (high - low))));
    let fragment = field(1, 0) == 2;
    let length = field(12, 2);
    let (float, integer, homes) = (field(15, 13), field(19, 16), field(20, 20) == 1);
    let kept = match field(22, 21) {
        0 => Return::Unsaved,
        1 => Return::Saved,
        2 => Return::ChainedSigned,
        _ => Return::Chained,
    };
    if integer > 10 {
        return None;
    }
    let mut frame = Frame {
        integer,
        float: if float == 0 { 0 } else { float + 1 },
        homes,
        kept,
        saved_size: 0,
        prologue: Vec::new(),
    };
    let homed = if homes { 64 } else { 0 };
    frame.saved_size = (frame.float_end() + homed).next_multiple_of(16);
    let locals = (field(31, 23) * 16).checked_sub(frame.saved_size)?;
    if frame.kept == Return::ChainedSigned {
        frame.push(Operation::Nothing);
    }
    frame.save_integers();
    frame.save_floats();
    frame.home_arguments();
    let homed = frame.prologue.len();
    frame.allocate(locals);
    let epilogues = match fragment {
        true => Vec::new(),
        false => vec![epilogue(&frame, homed, length)?],
    };
    let mut prologue = frame.prologue;
    prologue.reverse();
    if fragment {
        // The prologue is elsewhere, and has run.
        prologue.insert(0, Operation::EndOfFragment);
    }
    Some(Function {
        begin,
        length,
        prologue,
        epilogues,
    })
}

/// A frame under construction: the prologue in the order in which it runs.
struct Frame {
    /// How many of x19 and up are saved.
    integer: u64,
    /// How many of d8 and up are saved.
    float: u64,
    /// x0 to x7 are stored for a variadic function.
    homes: bool,
    kept: Return,
    /// Bytes for all of those, allocated by the first save.
    saved_size: u64,
    prologue: Vec<Operation>,
}

impl Frame {
    fn push(&mut self, operation: Operation) {
        self.prologue.push(operation);
    }

    /// Saves `first` and maybe `second` at `offset`; the save at 0 allocates the area.
    fn save(&mut self, first: Reg, second: Option<Reg>, offset: u64) {
        let size = if offset == 0 { self.saved_size } else { 0 };
        self.push(Operation::Save {
            first,
            second,
            offset,
            size,
        });
    }

    fn integer_end(&self) -> u64 {
        8 * (self.integer + u64::from(self.kept == Return::Saved))
    }

    fn float_end(&self) -> u64 {
        self.integer_end() + 8 * self.float
    }

    fn save_integers(&mut self) {
        let x = |n: u64| Reg(19 + n as u8);
        for n in (0..self.integer & !1).step_by(2) {
            self.save(x(n), Some(x(n + 1)), 8 * n);
        }
        let last = self.integer & !1;
        match (self.integer % 2 == 1, self.kept == Return::Saved) {
            // A pair with lr cannot allocate: there is no unwind code for it.
            (true, true) if last == 0 => {
                self.push(Operation::Allocate(self.saved_size));
                self.push(Operation::save(x(0), LR, 0));
            }
            (true, true) => self.save(x(last), Some(LR), 8 * last),
            (true, false) => self.save(x(last), None, 8 * last),
            (false, true) => self.save(LR, None, 8 * last),
            (false, false) => {}
        }
    }

    fn save_floats(&mut self) {
        let d = |n: u64| Reg::vector(8 + n as u8);
        let start = self.integer_end();
        for n in (0..self.float).step_by(2) {
            let second = (n + 1 < self.float).then_some(d(n + 1));
            self.save(d(n), second, start + 8 * n);
        }
    }

    /// Four stores; the first allocates the area if nothing has before.
    fn home_arguments(&mut self) {
        if !self.homes {
            return;
        }
        self.push(match self.float_end() {
            0 => Operation::Allocate(self.saved_size),
            _ => Operation::Nothing,
        });
        for _ in 0..3 {
            self.push(Operation::Nothing);
        }
    }

    /// The rest of the frame, with the frame record at its bottom.
    fn allocate(&mut self, locals: u64) {
        let chained = matches!(self.kept, Return::Chained | Return::ChainedSigned);
        if chained && locals <= 512 {
            self.push(Operation::Save {
                first: FP,
                second: Some(LR),
                offset: 0,
                size: locals,
            });
        } else {
            if locals > STEP {
                self.push(Operation::Allocate(STEP));
            }
            let rest = if locals > STEP { locals - STEP } else { locals };
            if rest > 0 {
                self.push(Operation::Allocate(rest));
            }
            if chained {
                self.push(Operation::save(FP, LR, 0));
            }
        }
        if chained {
            self.push(Operation::SetFrame { offset: 0 });
        }
    }
}

/// The epilogue at the end of the function: the prologue backwards, without the stores of
/// arguments and the setting of x29. `homed` is where these end.
fn epilogue(frame: &Frame, homed: usize, length: u64) -> Option<Epilogue> {
    let stores = if frame.homes { homed - 4..homed } else { 0..0 };
    let operations: Vec<Operation> = frame
        .prologue
        .iter()
        .enumerate()
        .filter(|(n, operation)| {
            let is_store = stores.contains(n) && **operation == Operation::Nothing;
            !is_store && !matches!(operation, Operation::SetFrame { .. })
        })
        .map(|(_, operation)| *operation)
        .rev()
        .collect();
    Epilogue::at_end(length, operations)
}
