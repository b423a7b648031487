//! The address of a memory operand, from the registers before the instruction.

use isa::{Arch, Decoder, Reg, RegisterAccess, Registers};

/// Every register holds its number times 0x1000_0000, the segment base 0x7000.
fn registers() -> Registers {
    let mut regs = Registers::default();
    for n in 0..32 {
        regs.set(Reg(n), u64::from(n) * 0x1000_0000);
    }
    regs.segment_base = 0x7000;
    regs
}

#[track_caller]
fn check(arch: Arch, bytes: &[u8], expected: &[u64]) {
    let insn = Decoder::new(arch).decode(bytes, 0x10000).unwrap();
    let regs = registers();
    let found: Vec<u64> = insn.operands().map(|m| m.address(&regs)).collect();
    assert_eq!(found, expected);
}

#[test]
fn x86() {
    // mov eax, [ecx+edx*8+40h]
    check(
        Arch::X86,
        &[0x8B, 0x44, 0xD1, 0x40],
        &[0x1_1000_0040 & 0xFFFF_FFFF],
    );
    // mov ecx, [0FFDF0000h]
    check(Arch::X86, &[0x8B, 0x0D, 0, 0, 0xDF, 0xFF], &[0xFFDF_0000]);
    // mov eax, fs:[124h]
    check(Arch::X86, &[0x64, 0xA1, 0x24, 1, 0, 0], &[0x7124]);
    // push dword ptr [esp+8]; pop dword ptr [esp+8]
    check(
        Arch::X86,
        &[0xFF, 0x74, 0x24, 8],
        &[0x4000_0008, 0x3FFF_FFFC],
    );
    check(
        Arch::X86,
        &[0x8F, 0x44, 0x24, 8],
        &[0x4000_000C, 0x4000_0000],
    );
    // movsb
    check(Arch::X86, &[0xA4], &[0x7000_0000, 0x6000_0000]);
}

#[test]
fn x64() {
    // mov rax, [rip+1000h]
    check(Arch::X64, &[0x48, 0x8B, 5, 0, 0x10, 0, 0], &[0x11007]);
    // mov rax, gs:[188h]
    check(
        Arch::X64,
        &[0x65, 0x48, 0x8B, 4, 0x25, 0x88, 1, 0, 0],
        &[0x7188],
    );
    // mov rax, [rbp-8]
    check(Arch::X64, &[0x48, 0x8B, 0x45, 0xF8], &[0x4FFF_FFF8]);
    // mov eax, [ecx-20h] wraps at 32 bits; here it need not
    check(Arch::X64, &[0x67, 0x8B, 0x41, 0xE0], &[0x0FFF_FFE0]);
    // mov eax, [eax-20h]: rax is 0
    check(Arch::X64, &[0x67, 0x8B, 0x40, 0xE0], &[0xFFFF_FFE0]);
}

#[test]
fn arm64() {
    // ldr x0, [x1, w2, sxtw #3], with a negative index in the low half
    let insn = Decoder::new(Arch::Arm64)
        .decode(&[0x20, 0xD8, 0x62, 0xF8], 0x10000)
        .unwrap();
    let mut regs = registers();
    regs.gpr[2] = 0x1234_5678_FFFF_FFFE;
    assert_eq!(insn.mem[0].unwrap().address(&regs), 0x1000_0000 - 16);
    // ldr w0, [x1, w2, uxtw #2]
    let insn = Decoder::new(Arch::Arm64)
        .decode(&[0x20, 0x58, 0x62, 0xB8], 0x10000)
        .unwrap();
    assert_eq!(
        insn.mem[0].unwrap().address(&regs),
        0x1000_0000 + (0xFFFF_FFFE << 2)
    );
    // ldr x0, [x1, #8]! and ldr x0, [x1], #8
    check(Arch::Arm64, &[0x20, 0x8C, 0x40, 0xF8], &[0x1000_0008]);
    check(Arch::Arm64, &[0x20, 0x84, 0x40, 0xF8], &[0x1000_0000]);
    // ldr x0, #16
    check(Arch::Arm64, &[0x80, 0, 0, 0x58], &[0x10010]);
}

/// Bytes from anywhere are decoded or refused; the answer never claims more than it was given.
#[test]
fn any_bytes() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for arch in Arch::ALL {
        let decoder = Decoder::new(arch);
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bytes = [state.to_le_bytes(), state.rotate_left(29).to_le_bytes()].concat();
            let take = state as usize % 17;
            if let Some(insn) = decoder.decode(&bytes[..take], state) {
                assert!(usize::from(insn.len) <= take);
                let registers = registers();
                insn.operands().for_each(|m| {
                    assert!(m.width > 0 && (m.read || m.write));
                    m.address(&registers);
                });
            }
        }
        assert_eq!(decoder.decode(&[], 0), None);
        assert_eq!(decoder.disassemble(&[], 0, 4), []);
        assert_eq!(decoder.disassemble(&[0x90; 4], 0, 0), []);
    }
}
