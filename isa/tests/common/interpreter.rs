//! A machine that runs the straight-line functions of `tests/unwind/*.txt`.
//!
//! It understands the instructions of prologues and epilogues and ignores the others. What it
//! knows better than any unwinder is kept at each call: the caller's registers.

use std::collections::BTreeMap;

use isa::{
    Arch, Decoder, Def, Flow, Frame, ImageUnwind, Images, Insn, Mem, Reg, RegisterAccess,
    Registers, by_name, link_register, stack_pointer,
};

/// The stack, as addresses.
const STACK: std::ops::Range<u64> = 0x0080_0000..0x00A0_0000;

/// An unfinished call.
#[derive(Clone)]
pub struct Call {
    /// The frame of the caller as an unwinder should report it.
    pub caller: Frame,
    /// The registers when the callee was entered.
    pub regs: Registers,
}

#[derive(Clone)]
pub struct Machine {
    arch: Arch,
    pub regs: Registers,
    /// Unfinished calls, the oldest first.
    pub calls: Vec<Call>,
    base: u64,
    image: Vec<u8>,
    pdata: Vec<u8>,
    /// Image offset where the unwind data begin.
    data: usize,
    stack: Vec<u8>,
    /// Functions by name, as offsets.
    functions: BTreeMap<String, u64>,
}

impl Machine {
    /// Loads the functions of an architecture.
    pub fn load(arch: Arch) -> Machine {
        let path = format!(
            "{}/tests/unwind/{}.txt",
            env!("CARGO_MANIFEST_DIR"),
            arch.name()
        );
        let text = std::fs::read_to_string(path).unwrap();
        let mut machine = Machine {
            arch,
            regs: Registers::default(),
            calls: Vec::new(),
            base: if arch == Arch::X86 {
                0xF000_0000
            } else {
                0xFFFF_F800_1000_0000
            },
            image: vec![0xCC; 0x3000],
            pdata: Vec::new(),
            data: 0,
            stack: vec![0xEE; (STACK.end - STACK.start) as usize],
            functions: BTreeMap::new(),
        };
        // Where the next bytes go: into the image, or into the function table.
        let mut at = Some(0);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let offset = |text: &str| usize::from_str_radix(text, 16).unwrap();
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                [] => {}
                ["function", name, start] => {
                    at = Some(offset(start));
                    machine
                        .functions
                        .insert(name.to_owned(), offset(start) as u64);
                }
                ["data", start] => {
                    at = Some(offset(start));
                    machine.data = offset(start);
                }
                ["pdata"] => at = None,
                _ => {
                    let hex = line.split('|').next().unwrap().split_whitespace();
                    let bytes = hex.map(|byte| u8::from_str_radix(byte, 16).unwrap());
                    match &mut at {
                        Some(at) => bytes.for_each(|byte| {
                            machine.image[*at] = byte;
                            *at += 1;
                        }),
                        None => machine.pdata.extend(bytes),
                    }
                }
            }
        }
        machine
    }

    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// The address of a function.
    pub fn address(&self, name: &str) -> u64 {
        self.base + self.functions[name]
    }

    /// Calls a function with a different value in every register.
    pub fn enter(&mut self, name: &str, return_to: u64) {
        for n in 0..32 {
            self.regs.gpr[n] = 0x0B00_0000 + n as u64;
            self.regs.vec[n] = 0xAAAA_0000 + n as u128;
            if self.arch == Arch::X64 {
                self.regs.vec[n] |= (n as u128) << 100;
            }
        }
        let sp = STACK.end - 0x1000;
        self.regs.set(stack_pointer(self.arch), sp);
        if self.arch == Arch::X86 {
            // Arguments: a number, and the function for the indirect call.
            self.write_word(sp, 5);
            self.write_word(sp + 4, self.base + self.functions["frameless"]);
        }
        self.call(self.address(name), return_to);
    }

    fn call(&mut self, target: u64, return_to: u64) {
        let sp = stack_pointer(self.arch);
        let caller = Frame {
            pc: return_to,
            sp: self.regs.get(sp),
        };
        match link_register(self.arch) {
            Some(link) => self.regs.set(link, return_to),
            None => self.push(return_to),
        }
        self.regs.pc = target;
        let mut regs = self.regs.clone();
        regs.set(sp, caller.sp);
        self.calls.push(Call { caller, regs });
    }

    fn push(&mut self, value: u64) {
        let sp = stack_pointer(self.arch);
        let at = self.regs.get(sp) - self.arch.pointer_size();
        self.write_word(at, value);
        self.regs.set(sp, at);
    }

    /// The registers that a function must keep, the stack pointer among them.
    pub fn preserved(&self) -> Vec<Reg> {
        let numbers: Vec<u8> = match self.arch {
            // Without unwind data only the frame pointer can be told.
            Arch::X86 => vec![4, 5],
            Arch::X64 => vec![3, 4, 5, 6, 7, 12, 13, 14, 15],
            Arch::Arm64 => (19..=29).chain([31]).chain(72..=79).collect(),
        };
        numbers.into_iter().map(Reg).collect()
    }

    /// Runs one instruction; conditional branches are taken if `branches`.
    pub fn step(&mut self, branches: bool) {
        let pc = self.regs.pc;
        let mut bytes = [0; 16];
        assert!(self.read(pc, &mut bytes));
        let decoder = Decoder::new(self.arch);
        let insn = decoder.decode(&bytes, pc).unwrap();
        let (_, _, mnemonic, operands) = decoder.disassemble(&bytes, pc, 1).remove(0);
        self.regs.pc = insn.next();
        match insn.flow {
            Flow::Jump {
                target: Some(target),
            } => self.regs.pc = target,
            Flow::Branch { target } if branches => self.regs.pc = target,
            Flow::Call { target } => {
                let target = target.unwrap_or_else(|| {
                    let from = insn.mem[0].unwrap().address(&self.regs);
                    self.read_ptr(self.arch, from).unwrap()
                });
                self.call(target, insn.next());
            }
            Flow::Return => {
                let call = self.calls.pop().unwrap();
                self.regs.pc = match link_register(self.arch) {
                    Some(link) => self.regs.get(link),
                    None => {
                        let sp = self.regs.get(stack_pointer(self.arch));
                        let target = self.read_ptr(self.arch, sp).unwrap();
                        self.define(insn.def);
                        target
                    }
                };
                assert_eq!(self.regs.pc, call.caller.pc);
            }
            _ => self.data(&insn, &mnemonic, &operands),
        }
    }

    /// An instruction that only moves data.
    fn data(&mut self, insn: &Insn, mnemonic: &str, operands: &str) {
        let stored: Vec<(u64, u64, Vec<Reg>)> = insn
            .operands()
            .filter(|operand| operand.write)
            .map(|operand| (operand.address(&self.regs), u64::from(operand.width)))
            .map(|(at, width)| (at, width, self.stored_registers(operands)))
            .collect();
        let loaded = insn.operands().find(|operand| operand.read).copied();
        let loaded = loaded.map(|m| (m.address(&self.regs), u64::from(m.width)));
        for (at, width, registers) in stored {
            let each = width / registers.len().max(1) as u64;
            for (n, reg) in registers.into_iter().enumerate() {
                let value = match each {
                    16 => self.regs.vec[usize::from(reg.0 - Reg::VECTOR.0)],
                    _ => u128::from(self.regs.get(reg)),
                };
                self.write_bytes(at + n as u64 * each, &value.to_le_bytes()[..each as usize]);
            }
        }
        let sp = stack_pointer(self.arch);
        match mnemonic {
            "leave" => {
                let (at, width) = loaded.unwrap();
                self.regs.set(sp, at + width);
                let saved = self.read_ptr(self.arch, at).unwrap();
                self.regs.set(Reg(5), saved);
                return;
            }
            "sub" if insn.def == Def::Other => {
                let names: Vec<Reg> = self.registers(operands);
                let [dst, .., src] = names[..] else {
                    panic!("{operands}")
                };
                self.regs
                    .set(dst, self.regs.get(names[0]) - self.regs.get(src));
                return;
            }
            "xorps" | "movi" => {
                let cleared = insn.writes.iter().next().unwrap();
                self.regs.vec[usize::from(cleared.0 - Reg::VECTOR.0)] = 0;
                return;
            }
            _ => {}
        }
        match loaded {
            Some((at, width)) => {
                let registers = self.loaded_registers(operands);
                let each = width / registers.len().max(1) as u64;
                for (n, reg) in registers.into_iter().enumerate() {
                    let mut value = [0; 16];
                    assert!(self.read(at + n as u64 * each, &mut value[..each as usize]));
                    let value = u128::from_le_bytes(value);
                    match each {
                        16 => self.regs.vec[usize::from(reg.0 - Reg::VECTOR.0)] = value,
                        _ => self.regs.set(reg, value as u64),
                    }
                }
                if mnemonic == "pop" {
                    self.regs.set(sp, at + width);
                }
                if let Some((_, offset)) = operands.split_once("], #") {
                    let offset = u64::from_str_radix(&offset[2..], 16).unwrap();
                    self.regs.set(sp, at + offset);
                }
            }
            None => self.define(insn.def),
        }
    }

    fn define(&mut self, def: Def) {
        let (dst, value) = match def {
            Def::Copy { dst, src } => (dst, self.regs.get(src)),
            Def::Const { dst, value } => (dst, value),
            Def::AddConst { dst, src, value } => {
                (dst, self.regs.get(src).wrapping_add_signed(value))
            }
            _ => return,
        };
        self.regs.set(dst, self.arch.truncate(value));
    }

    /// The registers named in the text, outside brackets, in order.
    fn registers(&self, operands: &str) -> Vec<Reg> {
        let mut outside = operands.to_owned();
        if let (Some(open), Some(close)) = (operands.find('['), operands.find(']')) {
            outside.replace_range(open..=close, "");
        }
        outside
            .split([',', ' '])
            .filter_map(|word| by_name(self.arch, word).or_else(|| scalar(self.arch, word)))
            .collect()
    }

    fn stored_registers(&self, operands: &str) -> Vec<Reg> {
        match self.arch {
            Arch::Arm64 => self.registers(operands),
            _ => self.registers(operands).into_iter().rev().take(1).collect(),
        }
    }

    fn loaded_registers(&self, operands: &str) -> Vec<Reg> {
        match self.arch {
            Arch::Arm64 => self.registers(operands),
            _ => self.registers(operands).into_iter().take(1).collect(),
        }
    }

    pub fn write_word(&mut self, at: u64, value: u64) {
        let size = self.arch.pointer_size() as usize;
        self.write_bytes(at, &value.to_le_bytes()[..size]);
    }

    fn write_bytes(&mut self, at: u64, data: &[u8]) {
        let at = (at - STACK.start) as usize;
        self.stack[at..at + data.len()].copy_from_slice(data);
    }

    pub fn fill_stack(&mut self, byte: u8) {
        self.stack.fill(byte);
    }

    pub fn unwind_data_len(&self) -> usize {
        self.pdata.len() + 0x100
    }

    /// Flips a bit of the function table, or of the records after it.
    pub fn flip_unwind_data(&mut self, position: usize, bit: u32) {
        let data = self.data;
        let byte = match position.checked_sub(self.pdata.len()) {
            None => &mut self.pdata[position],
            Some(position) => &mut self.image[data + position],
        };
        *byte ^= 1 << bit;
    }
}

/// d0 and its like: the low half of a vector register.
fn scalar(arch: Arch, word: &str) -> Option<Reg> {
    let number = word.strip_prefix('d')?.parse::<u8>().ok()?;
    (arch == Arch::Arm64).then(|| Reg::vector(number))
}

impl Mem for Machine {
    fn read(&self, va: u64, buf: &mut [u8]) -> bool {
        let slices = [(STACK.start, &self.stack), (self.base, &self.image)];
        slices.into_iter().any(|(start, bytes)| {
            let Some(at) = va.checked_sub(start).map(|at| at as usize) else {
                return false;
            };
            match bytes.get(at..at.saturating_add(buf.len())) {
                Some(found) => {
                    buf.copy_from_slice(found);
                    true
                }
                None => false,
            }
        })
    }
}

impl Images for Machine {
    fn image(&self, pc: u64) -> Option<ImageUnwind<'_>> {
        let size = self.image.len() as u64;
        (self.base..self.base + size)
            .contains(&pc)
            .then_some(ImageUnwind {
                base: self.base,
                pdata: &self.pdata,
                memory: self,
            })
    }

    fn insn(&self, pc: u64) -> Option<Insn> {
        let decoder = Decoder::new(self.arch);
        // The image may end inside the longest instruction.
        (1..=15).rev().find_map(|length| {
            let mut bytes = [0; 15];
            let bytes = &mut bytes[..length];
            self.read(pc, bytes).then(|| decoder.decode(bytes, pc))?
        })
    }
}
