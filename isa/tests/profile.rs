//! Profiles, architectures, register names and the IRQL tables.

use isa::{
    Arch, IrqlTable, Profile, Reg, RegisterAccess, Registers, by_name, frame_pointer,
    link_register, name, return_register, stack_pointer,
};

#[test]
fn names_round_trip() {
    for profile in Profile::ALL {
        assert_eq!(Profile::from_name(profile.name()), Some(profile));
        assert!(profile.describe().len() <= 70, "one line beside the name");
    }
    assert_eq!(Profile::from_name("AMD64"), None);
    assert_eq!(Profile::from_name(""), None);
    for arch in Arch::ALL {
        assert_eq!(Arch::from_machine(arch.machine()), Some(arch));
    }
    // Alpha and Itanium images exist, but their instruction sets are not emulated.
    assert_eq!(Arch::from_machine(0x184), None);
    assert_eq!(Arch::from_machine(0x200), None);
}

#[test]
fn profiles_run_on_an_architecture() {
    let rows: Vec<String> = Profile::ALL
        .into_iter()
        .map(|p| {
            let (arch, page, pointer) = (p.arch().name(), p.page_size(), p.pointer_size());
            format!("{} {arch} {page} {pointer}", p.name())
        })
        .collect();
    assert_eq!(
        rows,
        [
            "i386 x86 4096 4",
            "amd64 x64 4096 8",
            "arm64 arm64 4096 8",
            "alpha arm64 8192 8",
            "ia64 arm64 8192 8",
        ]
    );
}

/// The levels by number, as `wdm.h` and the texts named in the table's documentation have them.
#[test]
fn irql_names() {
    let names = |profile: Profile| {
        let table = profile.irql();
        let mut text = String::new();
        for level in 0..=table.high {
            let name = table.name(level);
            if level == 0 || table.name(level - 1) != name {
                text += &format!("{level} {name}\n");
            }
        }
        text
    };
    let low = "0 PASSIVE_LEVEL\n1 APC_LEVEL\n2 DISPATCH_LEVEL\n";
    assert_eq!(
        names(Profile::I386),
        format!(
            "{low}3 device\n27 PROFILE_LEVEL\n28 CLOCK_LEVEL\n29 IPI_LEVEL\n30 POWER_LEVEL\n31 HIGH_LEVEL\n"
        )
    );
    assert_eq!(
        names(Profile::Amd64),
        format!("{low}3 device\n12 SYNCH_LEVEL\n13 CLOCK_LEVEL\n14 IPI_LEVEL\n15 HIGH_LEVEL\n")
    );
    assert_eq!(
        names(Profile::Arm64),
        format!("{low}3 device\n13 CLOCK_LEVEL\n14 IPI_LEVEL\n15 HIGH_LEVEL\n")
    );
    assert_eq!(
        names(Profile::Alpha),
        format!("{low}3 device\n5 CLOCK_LEVEL\n6 IPI_LEVEL\n7 HIGH_LEVEL\n")
    );
    assert_eq!(
        names(Profile::Ia64),
        format!(
            "{low}3 CMC_LEVEL\n4 device\n12 PC_LEVEL\n13 CLOCK_LEVEL\n14 IPI_LEVEL\n15 HIGH_LEVEL\n"
        )
    );
    assert_eq!(Profile::Alpha.irql().name(8), "invalid");
    assert_eq!(Profile::I386.irql().name(255), "invalid");
}

#[test]
fn irql_levels_are_ordered() {
    for profile in Profile::ALL {
        let t: &IrqlTable = profile.irql();
        assert!(t.passive < t.apc && t.apc < t.dispatch && t.dispatch < t.device_min);
        assert!(t.device_min <= t.device_max && t.device_max < t.clock);
        assert!(t.clock < t.ipi && t.ipi <= t.power && t.power <= t.high);
        assert!(t.dispatch <= t.synch_uniprocessor && t.synch_uniprocessor <= t.synch);
        assert!(t.synch <= t.ipi);
        for (level, expected) in [(t.dispatch, false), (t.device_min, true), (t.clock, false)] {
            assert_eq!(t.is_device(level), expected);
        }
    }
    // What no public text settles is said to be so.
    assert!(Profile::Alpha.irql().unverified.contains(&"synch"));
    assert!(Profile::I386.irql().unverified.is_empty());
}

#[test]
fn register_names_round_trip() {
    for (arch, general) in [(Arch::X86, 8), (Arch::X64, 16), (Arch::Arm64, 32)] {
        let named: Vec<Reg> = (0..=255)
            .map(Reg)
            .filter(|r| name(arch, *r) != "?")
            .collect();
        for reg in &named {
            assert_eq!(by_name(arch, name(arch, *reg)), Some(*reg));
        }
        assert_eq!(named.iter().filter(|r| r.is_general()).count(), general);
    }
    assert_eq!(by_name(Arch::Arm64, "lr"), Some(Reg(30)));
    assert_eq!(by_name(Arch::X64, "eax"), None);
}

#[test]
fn register_roles() {
    let roles = |arch: Arch| {
        let roles = [
            stack_pointer(arch),
            frame_pointer(arch),
            return_register(arch),
        ];
        (
            roles.map(|r| name(arch, r)),
            link_register(arch).map(|r| name(arch, r)),
        )
    };
    assert_eq!(roles(Arch::X86), (["esp", "ebp", "eax"], None));
    assert_eq!(roles(Arch::X64), (["rsp", "rbp", "rax"], None));
    assert_eq!(roles(Arch::Arm64), (["sp", "x29", "x0"], Some("x30")));
}

#[test]
fn registers_by_number() {
    let mut regs = Registers::default();
    for n in (0..=34).chain(64..96) {
        regs.set(Reg(n), 0x100 + u64::from(n));
    }
    for n in (0..=34).chain(64..96) {
        assert_eq!(regs.get(Reg(n)), 0x100 + u64::from(n));
    }
    assert_eq!(
        (regs.pc, regs.flags, regs.segment_base),
        (0x120, 0x121, 0x122)
    );
    let before = regs.clone();
    for n in (35..64).chain(96..=255) {
        regs.set(Reg(n), 1);
        assert_eq!(regs.get(Reg(n)), 0);
    }
    assert!(regs == before);
    // Half of a vector register leaves the other half.
    regs.vec[3] = u128::MAX;
    regs.set(Reg::vector(3), 5);
    assert_eq!(regs.vec[3], u128::MAX << 64 | 5);
}
