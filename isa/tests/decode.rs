//! Decoding against tables: `bytes | disassembly | facts`, one instruction a line, a file per
//! architecture.
//!
//! Every instruction is decoded at 0x10000. `UPDATE_EXPECT=1` rewrites the tables' second and third
//! column from what the decoder says; such a change wants reading line by line.

use isa::{
    Arch, Atomic, Decoder, Def, Extend, FenceKind, Flow, Insn, MemOperand, Reg, RegSet, Special,
    name,
};

const ADDRESS: u64 = 0x10000;

#[test]
fn x86() {
    check_table(Arch::X86);
}

#[test]
fn x64() {
    check_table(Arch::X64);
}

#[test]
fn arm64() {
    check_table(Arch::Arm64);
}

fn check_table(arch: Arch) {
    let path = format!(
        "{}/tests/tables/{}.txt",
        env!("CARGO_MANIFEST_DIR"),
        arch.name()
    );
    let table = std::fs::read_to_string(&path).unwrap();
    let decoder = Decoder::new(arch);
    let decoded: String = table
        .lines()
        .map(|line| row(&decoder, line) + "\n")
        .collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, decoded).unwrap();
        return;
    }
    let mut rows = 0;
    for (number, (expected, found)) in table.lines().zip(decoded.lines()).enumerate() {
        assert_eq!(expected, found, "{path}:{}", number + 1);
        rows += usize::from(expected.contains('|'));
    }
    assert!(rows >= 60, "{path} has lost its rows: {rows}");
}

/// The line as the decoder would have written it; comments and blank lines stay.
fn row(decoder: &Decoder, line: &str) -> String {
    if line.starts_with('#') || line.trim().is_empty() {
        return line.to_owned();
    }
    let bytes: Vec<u8> = line
        .split('|')
        .next()
        .unwrap()
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = match &decoder.disassemble(&bytes, ADDRESS, 1)[..] {
        [(_, _, mnemonic, operands)] => format!("{mnemonic} {operands}").trim_end().to_owned(),
        _ => "?".to_owned(),
    };
    let facts = match decoder.decode(&bytes, ADDRESS) {
        Some(insn) => {
            assert_eq!(usize::from(insn.len), bytes.len(), "{line}");
            facts(decoder.arch(), &insn)
        }
        None => "not decoded".to_owned(),
    };
    format!("{:<24} | {text:<36} | {facts}", hex.join(" "))
}

/// Everything that the decoder states, as one line.
fn facts(arch: Arch, insn: &Insn) -> String {
    let mut facts = Vec::new();
    facts.extend(flow(insn.flow));
    facts.extend(insn.operands().map(|m| operand(arch, m)));
    if insn.repeat {
        facts.push("repeated".into());
    }
    facts.extend(atomic(insn.atomic).map(str::to_owned));
    if insn.ordering.acquire && insn.atomic != Atomic::AcquireLoad {
        facts.push("acquire".into());
    }
    if insn.ordering.release && insn.atomic != Atomic::ReleaseStore {
        facts.push("release".into());
    }
    if insn.is_split_update() {
        facts.push("split".into());
    }
    facts.extend(special(arch, insn.special));
    facts.extend(def(arch, insn.def));
    facts.extend(registers(arch, "uses", insn.reads));
    facts.extend(registers(arch, "sets", insn.writes));
    facts.join("; ")
}

fn flow(flow: Flow) -> Option<String> {
    let to = |target: Option<u64>| target.map_or(String::new(), |target| format!(" {target:#x}"));
    Some(match flow {
        Flow::Next => return None,
        Flow::Jump { target } => format!("jump{}", to(target)),
        Flow::Branch { target } => format!("branch{}", to(Some(target))),
        Flow::Call { target } => format!("call{}", to(target)),
        Flow::Return => "return".into(),
        Flow::Trap => "trap".into(),
    })
}

fn operand(arch: Arch, m: &MemOperand) -> String {
    let access = match (m.read, m.write) {
        (true, true) => "update",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "NOTHING",
    };
    let stack = match (m.implicit_stack, m.is_stack_relative(arch)) {
        (true, _) => " implicit",
        (false, true) => " stack",
        (false, false) => "",
    };
    let mut terms = Vec::new();
    if m.segment {
        terms.push(name(arch, Reg::SEGMENT_BASE).to_owned());
    }
    terms.extend(m.base.map(|base| name(arch, base).to_owned()));
    terms.extend(m.index.map(|index| {
        let extend = match m.extend {
            Extend::None => "",
            Extend::Uxtw => ".uxtw",
            Extend::Sxtw => ".sxtw",
        };
        match m.scale {
            1 => format!("{}{extend}", name(arch, index)),
            scale => format!("{}{extend}*{scale}", name(arch, index)),
        }
    }));
    if m.disp != 0 || terms.is_empty() {
        terms.push(signed(m.disp));
    }
    let narrow = if m.narrow && arch != Arch::X86 {
        " narrow"
    } else {
        ""
    };
    format!("{access} {}{stack}{narrow} [{}]", m.width, terms.join("+"))
}

fn signed(value: i64) -> String {
    if value < 0 {
        format!("-{:#x}", value.unsigned_abs())
    } else {
        format!("{value:#x}")
    }
}

fn atomic(atomic: Atomic) -> Option<&'static str> {
    Some(match atomic {
        Atomic::No => return None,
        Atomic::Locked => "locked",
        Atomic::LoadExclusive => "load-exclusive",
        Atomic::StoreExclusive => "store-exclusive",
        Atomic::ClearExclusive => "clear-exclusive",
        Atomic::Fence(FenceKind::Full) => "fence",
        Atomic::Fence(FenceKind::Load) => "load-fence",
        Atomic::Fence(FenceKind::Store) => "store-fence",
        Atomic::Fence(FenceKind::Instruction) => "instruction-fence",
        Atomic::AcquireLoad => "acquire-load",
        Atomic::ReleaseStore => "release-store",
    })
}

fn special(arch: Arch, special: Special) -> Option<String> {
    Some(match special {
        Special::None => return None,
        Special::ReadCr8(to) => format!("{} <- cr8", name(arch, to)),
        Special::WriteCr8(from) => format!("cr8 <- {}", name(arch, from)),
        Special::Int(vector) => format!("int {vector:#x}"),
        Special::Break(code) => format!("break {code:#x}"),
        other => format!("{other:?}").to_lowercase(),
    })
}

fn def(arch: Arch, def: Def) -> Option<String> {
    let name = |reg| name(arch, reg);
    Some(match def {
        Def::None => return None,
        Def::Copy { dst, src } => format!("{} = {}", name(dst), name(src)),
        Def::Const { dst, value } => format!("{} = {value:#x}", name(dst)),
        Def::Load { dst, mem } => format!("{} = load {mem}", name(dst)),
        Def::LoadPair { first, second, mem } => {
            format!("{}, {} = load {mem}", name(first), name(second))
        }
        Def::AddConst { dst, src, value } => {
            format!("{} = {} + {}", name(dst), name(src), signed(value))
        }
        Def::Other => "computed".into(),
    })
}

fn registers(arch: Arch, verb: &str, set: RegSet) -> Option<String> {
    let names: Vec<&str> = set.iter().map(|r| name(arch, r)).collect();
    (!set.is_empty()).then(|| format!("{verb} {}", names.join(" ")))
}
