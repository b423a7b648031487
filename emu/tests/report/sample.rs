//! A stopped machine that does not exist, with an invented driver.

use emu::personality::Personality;
use emu::position::Position;
use emu::report::{
    BugcheckLine, CoreState, LockLine, ModuleFacts, Names, Place, Recovery, Report, RunFacts,
    StopFacts, StopLine, WaitLine, WhyStep, eventlog, screen, table,
};
use emu::scenario::Await;
use emu::stop::{Access, Awaited, Bugcheck, ObjectKind};
use emu::trace::event::{Event, EventKind, LockOp, PoolOp};
use isa::Profile;

/// Where things lie on a machine with pointers of that size.
fn address(profile: Profile, low: u64) -> u64 {
    match profile.pointer_size() {
        8 => 0xFFFF_F800_0000_0000 | low,
        _ => low,
    }
}

/// A driver that read a null pointer's field at DISPATCH_LEVEL.
pub fn facts(profile: Profile, personality: Personality) -> StopFacts {
    let at = |low| address(profile, low);
    let module = |name: &str, base, size, timestamp, version| ModuleFacts {
        name: name.to_string(),
        base: at(base),
        size,
        timestamp,
        version,
    };
    let nt4 = personality == Personality::Nt4;
    let pc = at(0xF27A_FE8E);
    StopFacts {
        profile,
        personality,
        cpus: 2,
        bugcheck: Bugcheck {
            code: if nt4 { 0x0A } else { 0xD1 },
            params: [0x10, 2, 0, pc],
            core: 0,
            irql: 2,
            pc,
            access: Some((0x10, Access::Read)),
            blamed: if nt4 { None } else { Some(2) },
        },
        modules: vec![
            module("ntoskrnl.exe", 0x8010_0000, 0xF_0000, 0x3DDE_49FC, None),
            module("hal.dll", 0x8040_0000, 0x1_0000, 0x3B7D_C6DD, None),
            module(
                "sample.sys",
                0xF27A_F000,
                0x9000,
                0x45AD_2A54,
                Some([5, 2, 3790, 1830]),
            ),
        ],
        stack_pointer: at(0xF7B9_0C40),
        stack: vec![
            at(0xF27A_FE8E),
            0x10,
            at(0x8A00_1000),
            at(0x8010_4C10),
            0,
            at(0xF27B_1234),
            2,
        ],
        cpu: if profile == Profile::I386 {
            "GenuineIntel 6.5.2"
        } else {
            ""
        }
        .to_string(),
        uptime: 12_345_678,
        recovery: Recovery::installed(personality),
    }
}

/// Names of the invented driver; everything else stays digits.
pub struct SampleNames;

impl Names for SampleNames {
    fn place(&self, va: u64) -> String {
        format!("sample.sys!queue::drain {}", self.short(va))
    }

    fn short(&self, va: u64) -> String {
        format!("queue.rs:{}", va & 0xFF)
    }

    fn object(&self, va: u64) -> String {
        match va {
            0x1000..0x1040 => format!("{va:08x} (Smpl block +{:#x})", va - 0x1000),
            _ => format!("{va:08x}"),
        }
    }
}

/// An event at a position; no instruction causes a stop or a choice.
pub fn event(choice: u64, step: u64, core: u8, irql: u8, kind: EventKind) -> Event {
    let pc = match kind {
        EventKind::Choice { .. } | EventKind::Bugcheck { .. } => 0,
        _ => 0x2061,
    };
    Event {
        at: Position { choice, step },
        core,
        irql,
        pc,
        kind,
    }
}

/// A block that core 0 uses while core 1, or the last core, frees it.
pub fn events(cpus: u8) -> Vec<Event> {
    let other = cpus - 1;
    let pool = |op| EventKind::Pool {
        op,
        block: 0x1000,
        size: 0x40,
        tag: *b"Smpl",
        paged: false,
    };
    let lock = |op| EventKind::Lock { op, lock: 0x1010 };
    let choice = |label: &str| EventKind::Choice {
        options: 2,
        taken: 1,
        label: label.to_string(),
    };
    vec![
        event(1771, 4, other, 0, pool(PoolOp::Allocated)),
        event(1780, 0, 0, 0, EventKind::Irql { from: 0, to: 2 }),
        event(1780, 1, 0, 2, lock(LockOp::Acquired)),
        event(
            1781,
            0,
            0,
            2,
            EventKind::Enter {
                what: "DPC",
                routine: 0x2030,
            },
        ),
        event(
            1793,
            0,
            other,
            0,
            choice(&format!("core {other} takes over")),
        ),
        event(1793, 31, other, 0, pool(PoolOp::Freed)),
        event(
            1858,
            2,
            0,
            2,
            EventKind::Fault {
                address: 0x1010,
                access: Access::Read,
            },
        ),
        event(1858, 2, 0, 2, EventKind::Bugcheck { code: 0xD1 }),
    ]
}

fn place(pc: u64, function: &str, line: u32) -> Place {
    Place {
        pc,
        module: Some("sample.sys".to_string()),
        function: Some(function.to_string()),
        source: Some(("queue.rs".to_string(), line)),
    }
}

/// The report of that stop.
pub fn report(profile: Profile, personality: Personality) -> Report {
    let facts = facts(profile, personality);
    let pc = facts.bugcheck.pc;
    let drain = place(pc, "queue::drain", 97);
    let free = place(pc + 0x200, "queue::reset::free_all", 41);
    let ioctl = place(pc + 0x300, "control::ioctl", 12);
    let all = |_: &Event| true;
    let position = |choice, step| Position { choice, step };
    let step = |number, at, core, verb: &str, what: &str, place: &Place| WhyStep {
        number,
        at,
        core,
        verb: verb.to_string(),
        what: what.to_string(),
        place: place.clone(),
        note: None,
        stack: Vec::new(),
    };
    let mut why = vec![
        step(
            1,
            position(1771, 4),
            1,
            "alloc",
            "Smpl 0x40",
            &place(pc + 0x10, "queue::grow", 20),
        ),
        step(2, position(1793, 31), 1, "free", "Smpl 0x40", &free),
        step(3, position(1858, 2), 0, "read", "Smpl +0x10", &drain),
    ];
    why[1].note = Some("while core 0 still uses it".to_string());
    why[1].stack = vec![free.clone(), ioctl.clone()];
    Report {
        run: RunFacts {
            scenario: "sample".to_string(),
            profile,
            personality,
            cpus: 2,
            seed: 24301,
            granularity: "access".to_string(),
            strategy: "random".to_string(),
            instructions: 184_213,
            choices: 1858,
            trace_hash: 0x0123_4567_89AB_CDEF,
            schedule: "1:0x12,3".to_string(),
            replay_line: "irqlab run sample --profile amd64 --seed 24301".to_string(),
        },
        stop: StopLine::Bugcheck(Box::new(BugcheckLine {
            code: facts.bugcheck.code,
            params: facts.bugcheck.params,
            cpu: 0,
            irql: 2,
            place: drain.clone(),
            rule: None,
        })),
        expected: true,
        screen: Some(screen::render(&facts)),
        event_log: eventlog::records(&facts),
        cores: vec![
            CoreState {
                core: 0,
                irql: 2,
                context: "DPC of sample.sys".to_string(),
                stack: vec![
                    drain,
                    place(pc + 0x80, "queue::dpc", 140),
                    Place {
                        pc: 0x8010_4C10,
                        ..Place::default()
                    },
                ],
            },
            CoreState {
                core: 1,
                irql: 0,
                context: "thread 3 control".to_string(),
                stack: vec![free, ioctl],
            },
        ],
        events: table::rows(&events(2), &all, 100, profile, 2, &SampleNames),
        locks: vec![LockLine {
            lock: "00001010 (Smpl block +0x10)".to_string(),
            holder: Some(0),
            since: Some(position(1780, 1)),
            place: place(pc + 0x40, "queue::dpc", 131),
            waiters: vec![1],
        }],
        why,
        findings: Vec::new(),
    }
}

/// A wait for an object of the sample block.
fn wait_line(
    core: u8,
    thread: Option<&str>,
    awaited: Awaited,
    (choice, step): (u64, u64),
) -> WaitLine {
    let object = match awaited {
        Awaited::SpinLock(at) | Awaited::Object(_, at) => format!(
            "{} {at:08x} (Smpl block +{:#x})",
            awaited.kind(),
            at & 0xFFF
        ),
        _ => String::new(),
    };
    WaitLine {
        core: Some(core),
        thread: thread.map(String::from),
        stream: None,
        awaited,
        object,
        holder: None,
        holder_thread: None,
        since: Some(Position { choice, step }),
    }
}

/// The ways to end that are not a bugcheck, by name.
pub fn other_stops() -> Vec<(&'static str, StopLine)> {
    let at = place(0x2061, "queue::drain", 97);
    vec![
        ("completed", StopLine::Completed),
        (
            "deadlock",
            StopLine::Deadlock {
                waits: vec![
                    WaitLine {
                        holder: Some(1),
                        ..wait_line(0, None, Awaited::SpinLock(0x1010), (7, 3))
                    },
                    WaitLine {
                        holder: Some(0),
                        ..wait_line(1, None, Awaited::SpinLock(0x1018), (7, 5))
                    },
                    WaitLine {
                        holder_thread: Some("thread 4 worker".to_string()),
                        ..wait_line(
                            1,
                            Some("thread 3 control"),
                            Awaited::Object(ObjectKind::Mutex, 0x1030),
                            (9, 0),
                        )
                    },
                    WaitLine {
                        core: None,
                        stream: Some(("answers".to_string(), 2)),
                        object: "asks has received 3 packets".to_string(),
                        since: None,
                        ..wait_line(
                            0,
                            None,
                            Awaited::Condition(Await::Packets { flow: 0, count: 3 }),
                            (0, 0),
                        )
                    },
                    wait_line(
                        0,
                        Some("thread 4 worker"),
                        Awaited::Object(ObjectKind::Event, 0x1040),
                        (3, 1),
                    ),
                ],
            },
        ),
        (
            "unimplemented",
            StopLine::Unimplemented {
                name: "ntoskrnl.exe!IoConnectInterrupt".to_string(),
                caller: at.clone(),
                detail: "shared vectors".to_string(),
            },
        ),
        (
            "limit",
            StopLine::Limit {
                limit: "instructions".to_string(),
                value: 50_000_000,
                place: at,
            },
        ),
    ]
}
