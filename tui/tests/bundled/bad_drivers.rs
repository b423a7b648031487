//! Files that are no drivers, and drivers that cannot be used: each is refused in its own words,
//! and none makes irqlab panic or hang. The files are built drivers, damaged here.

use emu::campaign::{Case, CaseError, DriverFiles};
use emu::loader::{self, Image};
use emu::machine::{BootError, Granularity, Watch};
use emu::scenario::Plan;
use emu::stop::{Limit, Stop};
use isa::Arch;

use crate::support::{built, plan};

/// The profiles of the router, one for each architecture.
const PROFILES: [&str; 3] = ["i386", "amd64", "ia64"];

/// The router whose ipnat.sys went through `damage`.
fn damaged(profile: &str, damage: impl Fn(&mut Vec<u8>)) -> Result<Case, CaseError> {
    with_plan(router(profile), damage)
}

fn router(profile: &str) -> Plan {
    plan("kb931322", profile, &[], &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn with_plan(plan: Plan, damage: impl Fn(&mut Vec<u8>)) -> Result<Case, CaseError> {
    let arch = plan.profile.arch();
    Case::load(plan, |driver| {
        let mut files = built(arch, driver)?;
        if driver.name == "ipnat" {
            damage(&mut files.sys);
        }
        Ok(files)
    })
}

fn u32_at(file: &[u8], at: usize) -> usize {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize
}

/// Says that the linker wrote no checksum (Microsoft, "PE Format", optional header).
fn clear_checksum(file: &mut [u8]) {
    let at = u32_at(file, 0x3C) + 24 + 64;
    file[at..at + 4].fill(0);
}

/// Where the bytes at an RVA stand in the file.
fn file_offset(file: &[u8], rva: u32) -> usize {
    let header = u32_at(file, 0x3C);
    let word = |at: usize| usize::from(u16::from_le_bytes(file[at..at + 2].try_into().unwrap()));
    let (sections, table) = (word(header + 6), header + 24 + word(header + 20));
    let rva = rva as usize;
    (0..sections)
        .map(|i| table + 40 * i)
        .find_map(|s| {
            let (size, start) = (u32_at(file, s + 8), u32_at(file, s + 12));
            (start <= rva && rva < start + size).then(|| u32_at(file, s + 20) + rva - start)
        })
        .expect("the RVA is in a section")
}

fn image(file: &[u8]) -> Image {
    loader::parse("ipnat.sys", file).unwrap_or_else(|e| panic!("{e}"))
}

/// The first instructions of `DriverEntry`, by architecture.
fn entry_code(x86: &[u8], x64: &[u8], arm64: &[u8]) -> impl Fn(&mut Vec<u8>) + use<> {
    let (x86, x64, arm64) = (x86.to_vec(), x64.to_vec(), arm64.to_vec());
    move |file| {
        let image = image(file);
        let code = match image.arch {
            Arch::X86 => &x86,
            Arch::X64 => &x64,
            Arch::Arm64 => &arm64,
        };
        let at = file_offset(file, image.entry_rva);
        file[at..at + code.len()].copy_from_slice(code);
        clear_checksum(file);
    }
}

/// What becomes of the boot.
#[track_caller]
fn boot(case: Result<Case, CaseError>) -> BootError {
    let case = case.unwrap_or_else(|e| panic!("{e}"));
    match case.boot(Granularity::Access, Watch::Points) {
        Err(error) => error,
        Ok(_) => panic!("it booted"),
    }
}

/// The stop that ended the boot.
#[track_caller]
fn stopped(error: &BootError) -> &Stop {
    match error {
        BootError::Stopped { driver, stop } if driver == "ipnat.sys" => stop,
        other => panic!("{other:?}"),
    }
}

/// The bugcheck's code and first two parameters, and how far behind the entry point it was.
#[track_caller]
fn crash(profile: &str, error: &BootError) -> (u32, u64, u64) {
    let Stop::Bugcheck(b) = stopped(error) else {
        panic!("{profile}: {error:?}")
    };
    assert_eq!(
        error.to_string(),
        format!(
            "DriverEntry of ipnat.sys stopped the machine with {:#010X}",
            b.code
        )
    );
    (b.code, b.params[0], b.params[1])
}

#[test]
fn undamaged_drivers_boot() {
    for profile in PROFILES {
        let case = damaged(profile, |file| clear_checksum(file)).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            case.boot(Granularity::Access, Watch::Points).is_ok(),
            "{profile}"
        );
    }
}

/// Cut off anywhere, a driver is refused, and the message begins with its name.
#[test]
fn a_truncated_file() {
    for profile in PROFILES {
        for share in [0, 1, 10, 50, 90, 99] {
            let cut = |file: &mut Vec<u8>| file.truncate(file.len() * share / 100);
            let error = damaged(profile, cut).err().expect("refused").to_string();
            let words = match share {
                0 => "ipnat: not a PE image: ",
                _ => "ipnat: the file is cut off: ",
            };
            assert!(error.starts_with(words), "{profile} {share}%: {error}");
        }
    }
}

#[test]
fn a_changed_byte() {
    let change = |file: &mut Vec<u8>| {
        let middle = file.len() / 2;
        file[middle] ^= 1;
    };
    let error = damaged("amd64", change).err().expect("refused").to_string();
    assert!(
        error.starts_with("ipnat: the header's checksum is 0x"),
        "{error}"
    );
}

#[test]
fn a_driver_for_another_machine() {
    for (profile, arch, other) in [
        ("i386", Arch::X64, "x64"),
        ("amd64", Arch::Arm64, "arm64"),
        ("ia64", Arch::X86, "x86"),
    ] {
        let plan = router(profile);
        let own = plan.profile.arch();
        let case = Case::load(plan, |driver| {
            built(if driver.name == "ipnat" { arch } else { own }, driver)
        });
        let own = own.name();
        assert_eq!(
            boot(case).to_string(),
            format!(
                "ipnat.sys is a driver for {other}, but profile {profile} runs drivers for {own}; \
                 choose a profile for {other} or the driver's build for {own}"
            )
        );
    }
}

/// All imports that are not modelled are named, each with the functions that call it.
#[test]
fn imports_that_are_not_modelled() {
    for profile in PROFILES {
        let rename = |file: &mut Vec<u8>| {
            for (name, other) in [
                ("ExFreePool\0", "ExFreePoll\0"),
                ("KeSetTimer\0", "KeSitTimer\0"),
            ] {
                let found = file.windows(name.len()).position(|w| w == name.as_bytes());
                let at = found.unwrap_or_else(|| panic!("{name} is imported"));
                file[at..at + name.len()].copy_from_slice(other.as_bytes());
            }
            clear_checksum(file);
        };
        let error = boot(damaged(profile, rename));
        let BootError::Imports { driver, missing } = &error else {
            panic!("{profile}: {error:?}")
        };
        assert_eq!(driver, "ipnat.sys");
        let names: Vec<_> = missing
            .iter()
            .map(|m| (m.module.as_str(), m.name.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("ntoskrnl.exe", "ExFreePoll"),
                ("ntoskrnl.exe", "KeSitTimer")
            ]
        );
        for (import, file) in missing.iter().zip(["reset.rs", "sweep.rs"]) {
            let known = import.callers.iter().any(|c| c.contains(file));
            assert!(known, "{profile} {}: {:?}", import.name, import.callers);
        }

        let text = error.to_string();
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("ipnat.sys imports 2 functions that the kernel model does not have:")
        );
        for m in missing {
            let line = format!(
                "  {}!{}  used by {}",
                m.module,
                m.name,
                m.callers.join(", ")
            );
            assert_eq!(lines.next(), Some(line.as_str()));
        }
    }
}

#[test]
fn a_driver_entry_that_never_returns() {
    // jmp $, b .
    let forever = entry_code(&[0xEB, 0xFE], &[0xEB, 0xFE], &[0, 0, 0, 0x14]);
    for profile in PROFILES {
        for granularity in Granularity::ALL {
            let mut plan = router(profile);
            plan.limits.driver_entry = 1_000_000;
            let case = with_plan(plan, &forever).unwrap_or_else(|e| panic!("{e}"));
            let error = case
                .boot(granularity, Watch::Points)
                .err()
                .expect("it never returns");
            assert_eq!(
                error.to_string(),
                "DriverEntry of ipnat.sys did not return within 1000000 instructions; raise \
                 limits.driver_entry if it needs more"
            );
            let Stop::Limit { limit, value, pc } = stopped(&error) else {
                panic!("{error:?}")
            };
            assert_eq!((*limit, *value), (Limit::DriverEntry, 1_000_000));
            assert_ne!(*pc, 0);
        }
    }
}

#[test]
fn a_driver_entry_that_fails() {
    // mov eax, 0xC0000001 (STATUS_UNSUCCESSFUL); return, taking two arguments along on x86.
    let mov_eax = [0xB8, 0x01, 0x00, 0x00, 0xC0];
    let fail = entry_code(
        &[&mov_eax[..], &[0xC2, 0x08, 0x00]].concat(),
        &[&mov_eax[..], &[0xC3]].concat(),
        // mov w0, #1; movk w0, #0xC000, lsl 16; ret
        &[
            0x20, 0, 0x80, 0x52, 0x00, 0x00, 0xB8, 0x72, 0xC0, 0x03, 0x5F, 0xD6,
        ],
    );
    for profile in PROFILES {
        assert_eq!(
            boot(damaged(profile, &fail)).to_string(),
            "DriverEntry of ipnat.sys failed with 0xc0000001 (STATUS_UNSUCCESSFUL)"
        );
    }
}

/// ud2, udf: STATUS_ILLEGAL_INSTRUCTION in a system thread.
#[test]
fn a_driver_entry_that_is_no_code() {
    let undefined = entry_code(&[0x0F, 0x0B], &[0x0F, 0x0B], &[0, 0, 0, 0]);
    for profile in PROFILES {
        let error = boot(damaged(profile, &undefined));
        let (code, status, pc) = crash(profile, &error);
        assert_eq!((code, status), (0x7E, 0xC000_001D), "{profile}");
        let Stop::Bugcheck(b) = stopped(&error) else {
            unreachable!("it is a crash")
        };
        assert_eq!(b.pc, pc);
    }
}

/// STATUS_INTEGER_DIVIDE_BY_ZERO. (AArch64 divides by zero without a trap.)
#[test]
fn a_driver_entry_that_divides_by_zero() {
    // xor ecx, ecx; div ecx
    let divide = [0x31, 0xC9, 0xF7, 0xF1];
    let divide = entry_code(&divide, &divide, &[]);
    for profile in ["i386", "amd64"] {
        let (code, status, _) = crash(profile, &boot(damaged(profile, &divide)));
        assert_eq!((code, status), (0x7E, 0xC000_0094), "{profile}");
    }
}

/// STATUS_ACCESS_VIOLATION: a null pointer below DISPATCH_LEVEL.
#[test]
fn a_driver_entry_that_reads_null() {
    // xor eax, eax; mov eax, [eax] (or [rax])
    let read = [0x31, 0xC0, 0x8B, 0x00];
    // mov x0, #0; ldr w0, [x0]
    let read = entry_code(&read, &read, &[0, 0, 0x80, 0xD2, 0, 0, 0x40, 0xB9]);
    for profile in PROFILES {
        let error = boot(damaged(profile, &read));
        let (code, status, _) = crash(profile, &error);
        assert_eq!((code, status), (0x7E, 0xC000_0005), "{profile}");
        let Stop::Bugcheck(b) = stopped(&error) else {
            unreachable!("it is a crash")
        };
        assert_eq!(b.access, Some((0, emu::stop::Access::Read)), "{profile}");
    }
}

/// A jump to where nothing is.
#[test]
fn a_driver_entry_that_runs_away() {
    // xor eax, eax; jmp eax (or rax)
    let away = [0x31, 0xC0, 0xFF, 0xE0];
    // mov x0, #0; br x0
    let away = entry_code(&away, &away, &[0, 0, 0x80, 0xD2, 0, 0, 0x1F, 0xD6]);
    for profile in PROFILES {
        let (code, status, pc) = crash(profile, &boot(damaged(profile, &away)));
        assert_eq!((code, status, pc), (0x7E, 0xC000_0005, 0), "{profile}");
    }
}

#[test]
fn a_file_that_cannot_be_had_and_symbols_of_another_build() {
    let plan = router("amd64");
    let none = Case::load(plan.clone(), |_| Err("no such file".into()));
    assert_eq!(none.err().expect("refused").to_string(), "no such file");

    let crossed = Case::load(plan, |driver| {
        let mut other = driver.clone();
        if driver.name == "ipnat" {
            other.build = driver.build.replace("buggy", "fixed");
        }
        let (sys, pdb) = (built(Arch::X64, driver)?.sys, built(Arch::X64, &other)?.pdb);
        Ok(DriverFiles {
            label: driver.name.clone(),
            sys,
            pdb,
        })
    });
    let error = crossed.err().expect("refused").to_string();
    assert!(
        error.starts_with("ipnat: the PDB is of another build: "),
        "{error}"
    );
}
