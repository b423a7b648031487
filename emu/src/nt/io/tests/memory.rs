//! MDLs, pages, and copying.

use super::*;

#[test]
fn an_mdl_describes_a_buffer_of_the_pool() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let l = layout::of(rig.m.arch());
        let page = profile.page_size();
        let buffer = pool::allocate(&mut rig.m, 0, 3 * page, *b"Test", false);
        let at = buffer + page - 4;
        let mdl = rig.call("IoAllocateMdl", &[at, page + 8, 0, 0, 0]);
        rig.call("MmBuildMdlForNonPagedPool", &[mdl]);
        assert_eq!(rig.ptr(mdl + l.mdl.mapped_system_va), at);
        let size = l.mdl.size + 3 * l.pointer;
        assert_eq!(rig.u32(mdl + l.mdl.words) & 0xFFFF, size as u32);
        assert_eq!(rig.call("MmSizeOfMdl", &[at, page + 8]), size);
        let frames: Vec<u64> = (0..3)
            .map(|i| rig.ptr(mdl + l.mdl.size + i * l.pointer))
            .collect();
        assert_eq!((frames[1] - frames[0], frames[2] - frames[1]), (1, 1));
        let physical = rig.call("MmGetPhysicalAddress", &[at]);
        assert_eq!(physical, frames[0] * page + page - 4);
    }
}

#[test]
fn part_of_an_mdl() {
    let rig = &mut Rig::new(Profile::Amd64);
    let l = layout::of(rig.m.arch());
    let buffer = pool::allocate(&mut rig.m, 0, 0x3000, *b"Test", false);
    let whole = rig.call("IoAllocateMdl", &[buffer + 0x10, 0x2000, 0, 0, 0]);
    rig.call("MmBuildMdlForNonPagedPool", &[whole]);
    let part = rig.call("IoAllocateMdl", &[buffer + 0x1010, 0x20, 0, 0, 0]);
    rig.call("IoBuildPartialMdl", &[whole, part, buffer + 0x1010, 0x20]);
    assert_eq!(rig.ptr(part + l.mdl.mapped_system_va), buffer + 0x1010);
    assert_eq!(
        rig.ptr(part + l.mdl.size),
        rig.ptr(whole + l.mdl.size + l.pointer)
    );
}

#[test]
fn locked_pages_are_counted() {
    let rig = &mut Rig::new(Profile::Amd64);
    let buffer = rig.put(&[0; 16]);
    let mdl = rig.call("IoAllocateMdl", &[buffer, 16, 0, 0, 0]);
    rig.call("MmProbeAndLockPages", &[mdl, 0, 1]);
    assert!(rig.m.state.nt.io.locked.holds(buffer & !0xFFF));
    rig.call("MmUnlockPages", &[mdl]);
    let again = rig.try_call("MmUnlockPages", &[mdl]);
    assert_eq!(bugcheck(again), (0x4E, 7), "PFN_LIST_CORRUPT");
}

#[test]
fn pages_that_are_not_there_are_not_locked() {
    let rig = &mut Rig::new(Profile::I386);
    let mdl = rig.call("IoAllocateMdl", &[0x2000_0000, 16, 0, 0, 0]);
    let done = rig.try_call("MmProbeAndLockPages", &[mdl, 0, 0]);
    assert_eq!(done, fault(0x2000_0000, Access::Read));
}

#[test]
fn copies_may_overlap() {
    let rig = &mut Rig::new(Profile::Amd64);
    let buffer = pool::allocate(&mut rig.m, 0, 0x3000, *b"Test", false);
    let pattern: Vec<u8> = (0..0x2000_u32).map(|i| (i * 7 + i / 251) as u8).collect();
    rig.m.memory.write(buffer, &pattern);
    rig.call("RtlMoveMemory", &[buffer + 0x123, buffer, 0x2000]);
    assert_eq!(rig.bytes(buffer + 0x123, 0x2000), pattern);
    rig.call("memmove", &[buffer, buffer + 0x123, 0x2000]);
    assert_eq!(rig.bytes(buffer, 0x2000), pattern);
    assert_eq!(
        rig.call("RtlCompareMemory", &[buffer, buffer + 0x2000, 0]),
        0
    );
    rig.call("RtlFillMemory", &[buffer, 5, 0x1AB]);
    assert_eq!(
        rig.bytes(buffer, 6),
        [&[0xAB; 5][..], &pattern[5..6]].concat()
    );
}

#[test]
fn a_copy_that_faults_has_done_what_it_could() {
    let rig = &mut Rig::new(Profile::Amd64);
    let buffer = pool::allocate(&mut rig.m, 0, 0x1000, *b"Test", false);
    let end = buffer + 0x1000;
    rig.call("memset", &[buffer, 1, 0x1000]);
    let done = rig.try_call("memset", &[end - 4, 2, 8]);
    assert_eq!(done, fault(end, Access::Write));
    let null = rig.try_call("memcpy", &[buffer, 8, 4]);
    assert_eq!(null, fault(8, Access::Read));
    assert_eq!(rig.call("memcpy", &[0, 0, 0]), 0, "no bytes touch nothing");
}

#[test]
fn comparing() {
    let rig = &mut Rig::new(Profile::I386);
    let (one, two) = (rig.put(b"abcd"), rig.put(b"abXd"));
    assert_eq!(rig.call("RtlCompareMemory", &[one, two, 4]), 2);
    assert_eq!(
        rig.call("memcmp", &[one, two, 4]) as i32,
        i32::from(b'c') - i32::from(b'X')
    );
    assert_eq!(rig.call("memcmp", &[one, two, 2]), 0);
}

#[test]
fn addresses() {
    let rig = &mut Rig::new(Profile::Amd64);
    let at = rig.scratch;
    assert_eq!(rig.call("MmIsAddressValid", &[at]), 1);
    assert_eq!(rig.call("MmIsAddressValid", &[0x10]), 0);
    assert_eq!(rig.call("MmIsNonPagedSystemAddressValid", &[at]), 1);
    assert_eq!(rig.call("ProbeForRead", &[0x13_0000, 8, 4]), 0);
    unimplemented(rig.try_call("ProbeForRead", &[at, 8, 4]));
    unimplemented(rig.try_call("ProbeForRead", &[0x13_0002, 8, 4]));
}
