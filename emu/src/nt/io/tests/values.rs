//! Registry, strings, lists and time.

use super::*;

const PARAMETERS: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Test\\Parameters";

#[test]
fn a_value_of_a_key() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let attributes = rig.named(0, PARAMETERS);
        let out = rig.out;
        assert_eq!(rig.status("ZwOpenKey", &[out, 0x2_0019, attributes]), 0);
        let key = rig.ptr(out);
        let name = rig.string("number");
        let query = |rig: &mut Rig, length| {
            rig.status("ZwQueryValueKey", &[key, name, 2, out + 16, length, out])
        };
        assert_eq!(query(rig, 64), 0);
        assert_eq!(rig.u32(out), 16);
        assert_eq!(
            [rig.u32(out + 20), rig.u32(out + 24), rig.u32(out + 28)],
            [4, 4, 7]
        );
        assert_eq!(query(rig, 15), status::BUFFER_OVERFLOW);
        assert_eq!(query(rig, 11), status::BUFFER_TOO_SMALL);
        let other = rig.string("nothing");
        let missing = rig.status("ZwQueryValueKey", &[key, other, 2, out + 16, 64, out]);
        assert_eq!(missing, status::OBJECT_NAME_NOT_FOUND);
        assert_eq!(rig.status("ZwClose", &[key]), 0);
    }
}

#[test]
fn keys_below_an_open_key() {
    let rig = &mut Rig::new(Profile::Amd64);
    let parent = PARAMETERS.strip_suffix("\\Parameters").unwrap();
    let attributes = rig.named(0, parent);
    let out = rig.out;
    rig.status("ZwOpenKey", &[out, 0, attributes]);
    let key = rig.ptr(out);
    let below = rig.named(key, "Parameters");
    assert_eq!(rig.status("ZwOpenKey", &[out, 0, below]), 0);
    let new = rig.named(key, "New");
    assert_eq!(
        rig.status("ZwCreateKey", &[out, 0, new, 0, 0, 0, out + 8]),
        0
    );
    assert_eq!(rig.u32(out + 8), 1, "REG_CREATED_NEW_KEY");
    assert_eq!(
        rig.status("ZwEnumerateKey", &[key, 1, 0, out + 16, 64, out + 8]),
        0
    );
    assert_eq!(rig.u32(out + 16 + 12), 6);
    assert_eq!(rig.bytes(out + 32, 6), [b'N', 0, b'e', 0, b'w', 0]);
    let end = rig.status("ZwEnumerateKey", &[key, 2, 0, out + 16, 64, out + 8]);
    assert_eq!(end, status::NO_MORE_ENTRIES);
}

/// An `RTL_QUERY_REGISTRY_TABLE` of entries: routine, flags, name, context; ended by an empty one.
fn table(rig: &mut Rig, entries: &[(u64, u32, &str, u64)]) -> u64 {
    let l = layout::of(rig.m.arch()).query_table;
    let at = rig.put(&vec![0; (l.size as usize) * (entries.len() + 1)]);
    for (i, &(routine, flags, name, context)) in entries.iter().enumerate() {
        let entry = at + i as u64 * l.size;
        let name = rig.wide(name);
        rig.set_ptr(entry + l.query_routine, routine);
        rig.m.memory.write(entry + l.flags, &flags.to_le_bytes());
        rig.set_ptr(entry + l.name, name);
        rig.set_ptr(entry + l.entry_context, context);
    }
    at
}

#[test]
fn values_by_a_table() {
    let rig = &mut Rig::new(Profile::Amd64);
    let out = rig.out;
    let entries = [(0, 0x24, "Number", out), (routine::QUERY, 0, "List", 0xBB)];
    let table = table(rig, &entries);
    let path = rig.wide("Test\\Parameters");
    // RTL_REGISTRY_SERVICES
    let first = rig.enters("RtlQueryRegistryValues", &[1, path, table, 0xAA, 0]);
    assert_eq!(rig.u32(out), 7, "stored directly");
    assert_eq!(
        (first.routine, first.args[1], first.args[3]),
        (routine::QUERY, 1, 8)
    );
    assert_eq!(first.args[4..], [0xAA, 0xBB]);
    assert_eq!(
        rig.bytes(first.args[2], 8),
        [b'o', 0, b'n', 0, b'e', 0, 0, 0]
    );
    let second = entered(rig.resume(first.then, 0));
    assert_eq!(rig.bytes(second.args[2], 6), [b't', 0, b'w', 0, b'o', 0]);
    assert_eq!(rig.resume(second.then, 0), Ok(Outcome::Return(0)));
}

#[test]
fn a_required_value_is_missing_or_a_routine_refuses() {
    let rig = &mut Rig::new(Profile::I386);
    let path = rig.wide("Test\\Parameters");
    let required = table(rig, &[(0, 0x24, "Nothing", 0)]);
    let missing = rig.status("RtlQueryRegistryValues", &[1, path, required, 0, 0]);
    assert_eq!(missing, status::OBJECT_NAME_NOT_FOUND);
    let asked = table(
        rig,
        &[
            (routine::QUERY, 0, "List", 0),
            (routine::QUERY, 0, "Number", 0),
        ],
    );
    let before = rig.blocks();
    let first = rig.enters("RtlQueryRegistryValues", &[1, path, asked, 0, 0]);
    let refused = u64::from(status::UNSUCCESSFUL);
    assert_eq!(
        rig.resume(first.then, refused),
        Ok(Outcome::Return(refused))
    );
    assert_eq!(rig.blocks(), before);
}

#[test]
fn counted_strings() {
    let rig = &mut Rig::new(Profile::Amd64);
    let (one, two) = (rig.string("Device"), rig.string("DEVICES"));
    assert_eq!(rig.call("RtlEqualUnicodeString", &[one, two, 1]), 0);
    assert_eq!(rig.call("RtlPrefixUnicodeString", &[one, two, 1]), 1);
    assert_eq!(rig.call("RtlPrefixUnicodeString", &[one, two, 0]), 0);
    assert!((rig.call("RtlCompareUnicodeString", &[one, two, 1]) as i32) < 0);

    let buffer = rig.put(&[0; 20]);
    let sum = rig.put(&[0; 16]);
    rig.m.memory.write(sum, &[0, 0, 20, 0]);
    rig.set_ptr(sum + 8, buffer);
    rig.call("RtlCopyUnicodeString", &[sum, one]);
    let more = rig.wide("42");
    assert_eq!(rig.status("RtlAppendUnicodeToString", &[sum, more]), 0);
    assert_eq!(
        rig.status("RtlAppendUnicodeStringToString", &[sum, two]),
        status::BUFFER_TOO_SMALL
    );
    assert_eq!(rig.u32(sum), 20 << 16 | 16);

    let empty = rig.put(&[0; 16]);
    assert_eq!(
        rig.call("RtlEqualUnicodeString", &[empty, empty, 0]),
        1,
        "no buffer, no fault"
    );
}

#[test]
fn strings_are_converted() {
    let rig = &mut Rig::new(Profile::I386);
    let before = rig.blocks();
    let text = rig.put(b"El90x1\0");
    let (narrow, wide) = (rig.put(&[0; 16]), rig.put(&[0; 16]));
    rig.call("RtlInitAnsiString", &[narrow, text]);
    assert_eq!(
        rig.status("RtlAnsiStringToUnicodeString", &[wide, narrow, 1]),
        0
    );
    assert_eq!(rig.u32(wide), 14 << 16 | 12);
    assert_eq!(rig.blocks(), before + 1);
    rig.call("RtlFreeUnicodeString", &[wide]);
    assert_eq!(rig.blocks(), before);

    let (number, out) = (rig.string("0x2A"), rig.out);
    assert_eq!(
        rig.status("RtlUnicodeStringToInteger", &[number, 0, out]),
        0
    );
    assert_eq!(rig.u32(out), 42);
}

#[test]
fn lists_under_a_lock() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let p = rig.pointer();
        let (head, lock) = (rig.put(&[0; 16]), rig.put(&[0; 8]));
        rig.set_ptr(head, head);
        rig.set_ptr(head + p, head);
        let entries = [0, 1].map(|_| rig.put(&[0; 16]));
        assert_eq!(
            rig.call("ExInterlockedInsertTailList", &[head, entries[0], lock]),
            0
        );
        let before = rig.call("ExInterlockedInsertTailList", &[head, entries[1], lock]);
        assert_eq!(before, entries[0]);
        for expected in [entries[0], entries[1], 0] {
            assert_eq!(
                rig.call("ExInterlockedRemoveHeadList", &[head, lock]),
                expected
            );
        }
        assert_eq!(
            (rig.ptr(head), rig.ptr(head + p), rig.ptr(lock)),
            (head, head, 0)
        );
        // Somebody else holds the lock: spin with interrupts masked, then give everything back.
        rig.set_ptr(lock, 1);
        let done = rig.try_call("ExInterlockedInsertHeadList", &[head, entries[0], lock]);
        let Ok(Outcome::Spin { then, .. }) = done else {
            panic!("{done:?}")
        };
        assert_eq!(rig.m.state.cores[0].irql, rig.m.irqls().high);
        assert_eq!(rig.resume(then, 0), Ok(Outcome::Return(0)));
        assert_eq!(
            (rig.m.state.cores[0].irql, rig.ptr(lock), rig.ptr(head)),
            (0, 0, entries[0])
        );
    }
}

#[test]
fn sequenced_lists() {
    for profile in PROFILES {
        let rig = &mut Rig::new(profile);
        let page = pool::allocate(&mut rig.m, 0, 0x1000, *b"Test", false);
        let [head, a, b] = [page, page + 0x100, page + 0x200];
        rig.call("InitializeSListHead", &[head]);
        assert_eq!(rig.call("InterlockedPushEntrySList", &[head, a]), 0);
        assert_eq!(rig.call("InterlockedPushEntrySList", &[head, b]), a);
        assert_eq!(rig.call("ExQueryDepthSList", &[head]), 2);
        for expected in [b, a, 0] {
            assert_eq!(rig.call("InterlockedPopEntrySList", &[head]), expected);
        }
        assert_eq!(rig.call("ExQueryDepthSList", &[head]), 0);
    }
}

#[test]
fn atomic_arithmetic() {
    let rig = &mut Rig::new(Profile::I386);
    let at = rig.put(&u32::MAX.to_le_bytes());
    assert_eq!(rig.call("InterlockedIncrement", &[at]), 0);
    assert_eq!(rig.call("InterlockedExchangeAdd", &[at, 5]), 0);
    assert_eq!(rig.call("InterlockedCompareExchange", &[at, 9, 4]), 5);
    assert_eq!(rig.call("InterlockedCompareExchange", &[at, 9, 5]), 5);
    assert_eq!(rig.call("InterlockedExchange", &[at, 1]), 9);
    assert_eq!(rig.call("InterlockedDecrement", &[at]), 0);
    assert_eq!(rig.call("_alldiv", &[(-7i64) as u64, 2]), (-3i64) as u64);
    assert_eq!(rig.call("_aullrem", &[1 << 40, 1000]), (1 << 40) % 1000);
    assert_eq!(bugcheck(rig.try_call("_aulldiv", &[1, 0])), (0x7F, 0));
}

#[test]
fn time_passes_with_what_is_done() {
    let rig = &mut Rig::new(Profile::Amd64);
    let out = rig.out;
    let read = |rig: &mut Rig| {
        rig.call("KeQuerySystemTime", &[out]);
        u64::from_le_bytes(rig.bytes(out, 8).try_into().unwrap())
    };
    let before = read(rig);
    rig.call("KeStallExecutionProcessor", &[1_000_000]);
    assert_eq!(read(rig) - before, 10_000_000, "a second");
    rig.call("KeQueryTickCount", &[out]);
    let ticks = u64::from(rig.u32(out));
    let increment = rig.call("KeQueryTimeIncrement", &[]);
    assert!(
        (63..66).contains(&ticks) && increment == 156_250,
        "{ticks} of {increment}"
    );
    let counter = rig.call("KeQueryPerformanceCounter", &[out]);
    assert_eq!(rig.u32(out), 3_579_545);
    assert!(counter >= 3_579_545);
}

#[test]
fn the_version() {
    let rig = &mut Rig::new(Profile::Amd64);
    let at = rig.put(&[0; 0x11C]);
    rig.m.memory.write(at, &0x11C_u32.to_le_bytes());
    assert_eq!(rig.status("RtlGetVersion", &[at]), 0);
    assert_eq!(
        [rig.u32(at + 4), rig.u32(at + 8), rig.u32(at + 12)],
        [5, 2, 3790]
    );
    assert_eq!(rig.u32(at + 0x114), 1, "service pack 1.0");
    let shared = rig.m.setup.map.shared;
    let processors = nt::misc::variable::offset("KeNumberProcessors").unwrap();
    assert_eq!(rig.u8(shared + processors), 2);
}

#[test]
fn the_end() {
    let rig = &mut Rig::new(Profile::I386);
    assert_eq!(
        bugcheck(rig.try_call("KeBugCheckEx", &[0xE2, 5, 6, 7, 8])),
        (0xE2, 5)
    );
    assert_eq!(bugcheck(rig.try_call("KeBugCheck", &[0xE2])), (0xE2, 0));
}
