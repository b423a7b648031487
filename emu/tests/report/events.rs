//! Events in words and the table of the last events.

use emu::report::{Height, table, words};
use emu::stop::Access;
use emu::trace::FrameContents;
use emu::trace::event::{
    Event, EventKind, IrpOp, LockOp, PacketOp, PoolOp, ThreadOp, TimerOp, WaitOp,
};
use isa::Profile;

use crate::expect::expect;
use crate::sample::{self, SampleNames};

/// One event of every kind in words.
#[test]
fn report_words() {
    let kinds = [
        EventKind::Choice {
            options: 3,
            taken: 0,
            label: "core 1 takes over".to_string(),
        },
        EventKind::Irql { from: 0, to: 2 },
        EventKind::Lock {
            op: LockOp::Acquired,
            lock: 0x1000,
        },
        EventKind::Lock {
            op: LockOp::Released,
            lock: 0x1000,
        },
        EventKind::Lock {
            op: LockOp::Contended,
            lock: 0x1000,
        },
        EventKind::Pool {
            op: PoolOp::Allocated,
            block: 0x1000,
            size: 64,
            tag: *b"Smpl",
            paged: false,
        },
        EventKind::Pool {
            op: PoolOp::Freed,
            block: 0x1000,
            size: 64,
            tag: *b"Smpl",
            paged: true,
        },
        EventKind::Pool {
            op: PoolOp::Failed,
            block: 0,
            size: 64,
            tag: [0x1B, b'[', 0, 0xFF],
            paged: false,
        },
        EventKind::Call {
            name: "KeSetEvent",
            args: [0x1000, 0, 0][..].into(),
        },
        EventKind::Enter {
            what: "DPC",
            routine: 0x2000,
        },
        EventKind::Leave {
            what: "DPC",
            value: 0,
        },
        EventKind::Leave {
            what: "dispatch",
            value: 0x103,
        },
        EventKind::Interrupt {
            delivered: false,
            level: 5,
            source: 0,
        },
        EventKind::Interrupt {
            delivered: true,
            level: 5,
            source: 0,
        },
        EventKind::Dpc {
            queued: true,
            dpc: 0x1000,
            target: 1,
        },
        EventKind::Dpc {
            queued: false,
            dpc: 0x1000,
            target: 1,
        },
        EventKind::Timer {
            op: TimerOp::Set,
            timer: 0x1000,
        },
        EventKind::Timer {
            op: TimerOp::Cancelled,
            timer: 0x1000,
        },
        EventKind::Timer {
            op: TimerOp::Expired,
            timer: 0x1000,
        },
        EventKind::Packet {
            op: PacketOp::Arrived,
            adapter: 0,
            number: 3,
            length: 60,
            contents: FrameContents::of(b"10.0.0.2:1025 > 10.0.0.1:21 PA", true),
        },
        EventKind::Packet {
            op: PacketOp::Indicated,
            adapter: 0,
            number: 3,
            length: 60,
            contents: FrameContents::of(b"ARP", true),
        },
        EventKind::Packet {
            op: PacketOp::Returned,
            adapter: 0,
            number: 3,
            length: 60,
            contents: FrameContents::of(b"ARP", true),
        },
        EventKind::Packet {
            op: PacketOp::Sent,
            adapter: 0,
            number: 3,
            length: 60,
            contents: FrameContents::of(b"ARP", true),
        },
        EventKind::Irp {
            op: IrpOp::Dispatched,
            irp: 0x1000,
            major: 14,
            minor: 0,
            device: 0x3000,
            status: 0,
        },
        EventKind::Irp {
            op: IrpOp::Completed,
            irp: 0x1000,
            major: 15,
            minor: 8,
            device: 0,
            status: 0xC000_0001,
        },
        EventKind::Irp {
            op: IrpOp::Cancelled,
            irp: 0x1000,
            major: 99,
            minor: 0,
            device: 0,
            status: 0,
        },
        EventKind::Wait {
            op: WaitOp::Blocked,
            object: 0x1000,
            thread: 3,
        },
        EventKind::Wait {
            op: WaitOp::Satisfied,
            object: 0x1000,
            thread: 3,
        },
        EventKind::Wait {
            op: WaitOp::TimedOut,
            object: 0x1000,
            thread: 3,
        },
        EventKind::Signal {
            object: 0x1000,
            state: 1,
        },
        EventKind::Signal {
            object: 0x1000,
            state: 0,
        },
        EventKind::Thread {
            op: ThreadOp::Created,
            thread: 3,
        },
        EventKind::Thread {
            op: ThreadOp::Running,
            thread: 3,
        },
        EventKind::Thread {
            op: ThreadOp::Parked,
            thread: 3,
        },
        EventKind::Thread {
            op: ThreadOp::Ended,
            thread: 3,
        },
        EventKind::Page {
            resident: false,
            page: 0x5000,
        },
        EventKind::Page {
            resident: true,
            page: 0x5000,
        },
        EventKind::Fault {
            address: 0x1000,
            access: Access::Write,
        },
        EventKind::Injected {
            fault: "pool.fail",
            detail: "allocation 3 fails".to_string(),
        },
        EventKind::Debug {
            text: "hello\x1b[2J\r\n".to_string(),
        },
        EventKind::Bugcheck { code: 0xD1 },
        EventKind::Bugcheck { code: 0xDEAD },
    ];
    let mut all = String::new();
    for kind in kinds {
        let event = sample::event(0, 1, 0, 2, kind);
        let line = words(&event, &SampleNames);
        assert!(!line.chars().any(char::is_control), "{line:?}");
        all += &format!("{line}\n");
    }
    expect("words", &all);
}

fn table_lines(cpus: u8, width: usize) -> Vec<String> {
    let events = sample::events(cpus);
    let all = |_: &Event| true;
    let rows = table::rows(&events, &all, 100, Profile::Amd64, cpus, &SampleNames);
    table::lines(&rows, cpus, width)
}

#[test]
fn report_tables() {
    for (name, cpus, width) in [
        ("table-2-80", 2, 80),
        ("table-2-120", 2, 120),
        ("table-1-80", 1, 80),
        ("table-4-80", 4, 80),
        ("table-32-80", 32, 80),
    ] {
        expect(name, &(table_lines(cpus, width).join("\n") + "\n"));
    }
}

#[test]
fn report_tables_keep_their_width() {
    for cpus in [1, 2, 3, 4, 8, 16, 31] {
        for width in [64, 80, 100, 120, 160, 200] {
            for line in table_lines(cpus, width) {
                assert!(line.chars().count() <= width, "{cpus} {width} {line}");
            }
        }
    }
}

/// The window holds the last events that are shown; heights know what happened before it.
#[test]
fn report_the_window_remembers_the_levels_before_it() {
    let events = sample::events(2);
    let shown = |event: &Event| matches!(event.kind, EventKind::Pool { .. });
    let rows = table::rows(&events, &shown, 1, Profile::Amd64, 2, &SampleNames);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].text.starts_with("free "), "{}", rows[0].text);
    assert_eq!(rows[0].heights, [Height::Dispatch, Height::Passive]);
}
