//! The x86 and x64 decoders against an independent one (iced-x86), over the whole opcode space.
//!
//! Every opcode of the one-byte, 0F, 0F 38 and 0F 3A maps is tried with the usual prefixes, each
//! /digit, and memory and register forms. Where both decoders know the instruction they must agree
//! on its length, memory accesses, registers and flow.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{
    CpuidFeature, Decoder as IcedDecoder, DecoderOptions, FlowControl, Instruction,
    InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};
use isa::{Arch, Decoder, Flow, Insn, Reg, RegSet, Special, name};

const ADDRESS: u64 = 0x10000;

#[test]
fn x86() {
    compare(Arch::X86);
}

#[test]
fn x64() {
    compare(Arch::X64);
}

fn compare(arch: Arch) {
    let ours = Decoder::new(arch);
    let mut factory = InstructionInfoFactory::new();
    let mut disagreements: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut compared = BTreeSet::new();
    for bytes in encodings(arch) {
        let bits = 8 * arch.pointer_size() as u32;
        if is_ambiguous(&bytes) {
            continue;
        }
        let theirs = IcedDecoder::with_ip(bits, &bytes, ADDRESS, DecoderOptions::NONE).decode();
        if theirs.is_invalid() || is_out_of_scope(&theirs) {
            continue;
        }
        let Some(insn) = ours.decode(&bytes, ADDRESS) else {
            continue;
        };
        let text = &ours.disassemble(&bytes, ADDRESS, 1)[0];
        let expected = opinion(arch, &mut factory, &theirs);
        let found = facts(arch, &insn);
        compared.insert(theirs.code() as u32);
        for (expected, found) in expected.iter().zip(&found).filter(|(a, b)| a != b) {
            let hex: Vec<_> = bytes[..theirs.len()]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            let entry = disagreements
                .entry(format!("{:?}", theirs.mnemonic()))
                .or_insert_with(|| {
                    let example = format!(
                        "{} `{} {}`: expected {expected}, found {found}",
                        hex.join(" "),
                        text.2,
                        text.3
                    );
                    (0, example)
                });
            entry.0 += 1;
        }
    }
    for (mnemonic, (count, example)) in &disagreements {
        eprintln!("{mnemonic} ({count}): {example}");
    }
    assert!(
        disagreements.is_empty(),
        "{} mnemonics",
        disagreements.len()
    );
    eprintln!("{} encodings agree", compared.len());
    assert!(
        compared.len() > 1000,
        "only {} encodings were comparable",
        compared.len()
    );
}

/// One instruction per opcode, prefix, /digit and operand form, each with bytes to spare.
fn encodings(arch: Arch) -> Vec<Vec<u8>> {
    // [ebx], [ecx+5], [esi+ecx*4+...], [esp+eax], absolute or pc-relative, register edx.
    let forms: [&[u8]; 6] = [
        &[0x03],
        &[0x41],
        &[0x84, 0x8E],
        &[0x44, 0x24],
        &[0x05],
        &[0xC2],
    ];
    let mut all = Vec::new();
    for lead in leads(arch) {
        // The addressing form does not depend on the prefix: two forms are enough with one.
        let forms = match lead.first() {
            None | Some(0x0F) => &forms[..],
            Some(_) => &forms[4..],
        };
        for opcode in 0..=255u8 {
            for digit in 0..8u8 {
                for form in forms {
                    let mut bytes = lead.clone();
                    bytes.push(opcode);
                    bytes.push(form[0] | digit << 3);
                    bytes.extend(&form[1..]);
                    bytes.extend([5; 10]);
                    bytes.truncate(15);
                    all.push(bytes);
                }
            }
        }
    }
    all
}

/// What stands before the opcode: prefixes and opcode map.
fn leads(arch: Arch) -> Vec<Vec<u8>> {
    let mut prefixes: Vec<&[u8]> = vec![&[], &[0x66], &[0xF2], &[0xF3], &[0xF0], &[0x65], &[0x67]];
    if arch == Arch::X64 {
        prefixes.extend([
            &[0x48][..],
            &[0x66, 0x48],
            &[0xF3, 0x48],
            &[0x4D],
            &[0xF0, 0x48],
        ]);
    }
    let maps: [&[u8]; 4] = [&[], &[0x0F], &[0x0F, 0x38], &[0x0F, 0x3A]];
    let mut leads: Vec<Vec<u8>> = prefixes
        .iter()
        .flat_map(|prefix| maps.map(|map| [prefix, map].concat()))
        .collect();
    // VEX: both vector lengths, the four implied prefixes, W clear and set.
    for last in (0..8).flat_map(|low| [0x78 | low, 0xF8 | low]) {
        leads.push(vec![0xC5, last]);
        leads.push(vec![0xC4, 0xE2, last]);
        leads.push(vec![0xC4, 0xE3, last]);
    }
    leads
}

/// With a prefix that has no use makers of processors differ, and capstone from itself. A prefix
/// in the place of the opcode is such a case, too.
fn is_ambiguous(bytes: &[u8]) -> bool {
    match bytes {
        [0x66, 0x40..=0x4F, 0x6D | 0x6F | 0x90 | 0xC2, ..] | [0xF3, 0x48, 0x90, ..] => true,
        [0x66 | 0xF3, 0x48, next, ..] if is_prefix(*next) || matches!(next, 0x40..=0x4F) => true,
        // W has no meaning for these in 32-bit mode.
        [0xC4, 0xE3, 0xF9, 0x16 | 0x22, ..] => true,
        [0x66, 0x0F, 0x80..=0x8F | 0xC8..=0xCF, ..] => true,
        [0x67, 0xE9, ..] | [0x67, 0x0F, 0x80..=0x8F, ..] => true,
        [0x65..=0x67 | 0xF0..=0xF3, next, ..] => is_prefix(*next),
        [0x40..=0x4F, next, ..] => is_prefix(*next) || matches!(next, 0x40..=0x4F),
        [first, ..] => is_prefix(*first),
        [] => true,
    }
}

fn is_prefix(byte: u8) -> bool {
    matches!(
        byte,
        0x26 | 0x2E | 0x36 | 0x3E | 0x64..=0x67 | 0xF0 | 0xF2 | 0xF3
    )
}

/// Whether the instruction is outside what kernel compilers and hand-written kernel code use: then
/// the facts are not promised to be exact.
fn is_out_of_scope(insn: &Instruction) -> bool {
    use CpuidFeature::*;
    const PROMISED: [CpuidFeature; 46] = [
        INTEL8086,
        INTEL186,
        INTEL286,
        INTEL386,
        INTEL486,
        X64,
        CMOV,
        CX8,
        CMPXCHG16B,
        CPUID,
        MSR,
        TSC,
        SSE,
        SSE2,
        SSE3,
        SSSE3,
        SSE4_1,
        SSE4_2,
        POPCNT,
        LZCNT,
        BMI1,
        BMI2,
        MOVBE,
        ADX,
        FXSR,
        AVX,
        AVX2,
        FMA,
        F16C,
        AES,
        PCLMULQDQ,
        RDTSCP,
        RDRAND,
        RDSEED,
        PAUSE,
        MULTIBYTENOP,
        PREFETCHW,
        CLFSH,
        CLFLUSHOPT,
        CLWB,
        XSAVE,
        SMAP,
        FSGSBASE,
        INVPCID,
        SYSCALL,
        SEP,
    ];
    let operands = || (0..insn.op_count()).map(|n| (insn.op_kind(n), n));
    // Registers that are not held, and 16-bit addresses.
    operands().any(|(kind, n)| {
        let register = insn.op_register(n);
        kind == OpKind::Register && (register.is_mm() || register.is_st() || register.is_segment_register() || register.is_dr() || register.is_cr())
    }) || insn.memory_base().size() == 2
        || insn.memory_index().size() == 2
        || !insn.cpuid_features().iter().all(|feature| PROMISED.contains(feature))
        // Decimal arithmetic, far transfers and other relics.
        || matches!(
            insn.mnemonic(),
            Mnemonic::Aaa | Mnemonic::Aad | Mnemonic::Aam | Mnemonic::Aas | Mnemonic::Daa
                | Mnemonic::Das | Mnemonic::Arpl | Mnemonic::Bound | Mnemonic::Into
                | Mnemonic::Lds | Mnemonic::Les | Mnemonic::Lfs | Mnemonic::Lgs | Mnemonic::Lss
                | Mnemonic::Enter | Mnemonic::Iret | Mnemonic::Lar | Mnemonic::Lsl | Mnemonic::Salc
                | Mnemonic::Ud0 | Mnemonic::Ud1 | Mnemonic::Int1 | Mnemonic::Reservednop
                | Mnemonic::Syscall | Mnemonic::Sysenter | Mnemonic::Sysexit | Mnemonic::Sysexitq
                | Mnemonic::Sysret | Mnemonic::Sysretq | Mnemonic::Popa | Mnemonic::Popad | Mnemonic::Vzeroall | Mnemonic::Vzeroupper
        )
        || operands().any(|(kind, _)| kind == OpKind::NearBranch16)
}

fn opinion(arch: Arch, factory: &mut InstructionInfoFactory, insn: &Instruction) -> [String; 6] {
    let info = factory.info(insn);
    let repeated = insn.has_rep_prefix() || insn.has_repne_prefix();
    let memory = accesses(info.used_memory().iter().filter_map(|used| {
        let (read, write) = access(used.access());
        let size = used.memory_size().size() as u64;
        (read || write).then(|| Access {
            read,
            write,
            place: place(
                arch,
                register(used.base()),
                register(used.index()).map(|r| (r, used.scale())),
                matches!(used.segment(), Register::FS | Register::GS),
            ),
            disp: arch.truncate(used.displacement()),
            size: (!(repeated && insn.is_string_instruction())).then_some(size),
        })
    }));
    let (mut reads, mut writes) = (RegSet::EMPTY, RegSet::EMPTY);
    for used in info.used_registers() {
        let (read, write) = access(used.access());
        if let Some(reg) = register(used.register()) {
            if read {
                reads.insert(reg);
            }
            if write {
                writes.insert(reg);
            }
        }
    }
    // A conditional move whose condition fails leaves its destination: that counts as reading it.
    if insn.op0_kind() == OpKind::Register && format!("{:?}", insn.mnemonic()).starts_with("Cmov") {
        register(insn.op0_register())
            .into_iter()
            .for_each(|r| reads.insert(r));
    }
    if insn.rflags_read() != 0 {
        reads.insert(Reg::FLAGS);
    }
    if insn.rflags_modified() != 0 {
        writes.insert(Reg::FLAGS);
    }
    let flow = match insn.flow_control() {
        FlowControl::Next => "next".to_owned(),
        FlowControl::UnconditionalBranch => format!("jump {:x}", insn.near_branch_target()),
        FlowControl::IndirectBranch => "jump".to_owned(),
        FlowControl::ConditionalBranch => format!("branch {:x}", insn.near_branch_target()),
        FlowControl::Call => match insn.mnemonic() {
            Mnemonic::Syscall | Mnemonic::Sysenter => "trap".to_owned(),
            _ => format!("call {:x}", insn.near_branch_target()),
        },
        FlowControl::IndirectCall => "call".to_owned(),
        FlowControl::Return => "return".to_owned(),
        FlowControl::Interrupt | FlowControl::Exception => "trap".to_owned(),
        FlowControl::XbeginXabortXend => "transaction".to_owned(),
    };
    [
        format!("{} bytes", insn.len()),
        memory,
        format!("reads {}", set(arch, reads)),
        format!("writes {}", set(arch, writes)),
        flow,
        // User mode may run iret, but no more than the others can it be left to the processor alone.
        format!("privileged {}", insn.is_privileged() || is_iret(insn)),
    ]
}

fn facts(arch: Arch, insn: &Insn) -> [String; 6] {
    let memory = accesses(insn.operands().map(|m| Access {
        read: m.read,
        write: m.write,
        place: place(
            arch,
            m.base,
            m.index.map(|r| (r, m.scale.into())),
            m.segment,
        ),
        disp: arch.truncate(m.disp as u64),
        size: (!insn.repeat).then_some(m.width.into()),
    }));
    let flow = match insn.flow {
        Flow::Next => "next".to_owned(),
        Flow::Jump { target: Some(to) } => format!("jump {to:x}"),
        Flow::Jump { target: None } => "jump".to_owned(),
        Flow::Branch { target } => format!("branch {target:x}"),
        Flow::Call { target: Some(to) } => format!("call {to:x}"),
        Flow::Call { target: None } => "call".to_owned(),
        Flow::Return => "return".to_owned(),
        Flow::Trap => "trap".to_owned(),
    };
    let (mut reads, mut writes) = (insn.reads, insn.writes);
    reads.remove(Reg::SEGMENT_BASE);
    writes.remove(Reg::PC);
    [
        format!("{} bytes", insn.len),
        memory,
        format!("reads {}", set(arch, reads)),
        format!("writes {}", set(arch, writes)),
        flow,
        format!("privileged {}", is_privileged(insn.special)),
    ]
}

fn is_iret(insn: &Instruction) -> bool {
    matches!(insn.mnemonic(), Mnemonic::Iretd | Mnemonic::Iretq)
}

fn is_privileged(special: Special) -> bool {
    matches!(
        special,
        Special::ReadCr8(_)
            | Special::WriteCr8(_)
            | Special::Cli
            | Special::Sti
            | Special::Hlt
            | Special::Privileged
    )
}

/// One memory access; the size is not compared for a repeated instruction.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Access {
    read: bool,
    write: bool,
    place: String,
    disp: u64,
    size: Option<u64>,
}

fn place(arch: Arch, base: Option<Reg>, index: Option<(Reg, u32)>, segment: bool) -> String {
    let base = base.map_or("", |r| name(arch, r));
    let index = index.map_or(String::new(), |(r, scale)| {
        format!("+{}*{scale}", name(arch, r))
    });
    format!("{}{base}{index}", if segment { "segment " } else { "" })
}

/// The accesses as text, in a fixed order; the words of one pop that lie side by side joined.
fn accesses(all: impl Iterator<Item = Access>) -> String {
    let mut all: Vec<Access> = all.collect();
    all.sort();
    let mut joined: Vec<Access> = Vec::new();
    for next in all {
        if let Some(last) = joined.last_mut()
            && (last.read, last.write, &last.place) == (next.read, next.write, &next.place)
            && let (Some(size), Some(more)) = (last.size, next.size)
            && last.disp + size == next.disp
        {
            last.size = Some(size + more);
            continue;
        }
        joined.push(next);
    }
    let text: Vec<String> = joined
        .iter()
        .map(|a| {
            let verb = match (a.read, a.write) {
                (true, true) => "update",
                (true, false) => "read",
                (false, true) => "write",
                (false, false) => "nothing",
            };
            let size = a.size.map_or("?".to_owned(), |size| size.to_string());
            format!("{verb} {size} [{}+{:x}]", a.place, a.disp)
        })
        .collect();
    format!("memory {}", text.join(", "))
}

fn access(access: OpAccess) -> (bool, bool) {
    match access {
        OpAccess::None | OpAccess::NoMemAccess => (false, false),
        OpAccess::Read | OpAccess::CondRead => (true, false),
        OpAccess::Write | OpAccess::CondWrite => (false, true),
        OpAccess::ReadWrite | OpAccess::ReadCondWrite => (true, true),
    }
}

fn register(register: Register) -> Option<Reg> {
    let full = register.full_register();
    if register.is_gpr() {
        Some(Reg(full.number() as u8))
    } else if register.is_vector_register() {
        Some(Reg::vector(full.number() as u8))
    } else {
        None
    }
}

fn set(arch: Arch, set: RegSet) -> String {
    set.iter()
        .map(|r| name(arch, r))
        .collect::<Vec<_>>()
        .join(" ")
}
