//! A run as it could have been: two cores, a table that one of them frees under the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use emu::loader::Image;
use emu::oracle::{Told, ToldPlace};
use emu::personality::Personality;
use emu::position::Position;
use emu::report::{
    BugcheckLine, CoreState, Height, LockLine, ModuleFacts, Place, Recovery, Report, RunFacts,
    StopFacts, StopLine, WaitLine, WhyStep, eventlog, screen,
};
use emu::scenario::Await;
use emu::scene::lanes::{Lanes, Spot};
use emu::scene::mark::Mark;
use emu::search::{Coverage, Finding, Group, Signature, Tally};
use emu::stop::{Access, Awaited, Bugcheck};
use isa::{Arch, Profile};

use crate::workbench::app::App;
use crate::workbench::home::{Recorded, Row, bundled};
use crate::workbench::search::{Found, News, Short, Snapshot};
use crate::workbench::trace::{Moment, Trace};

const BASE: u64 = 0xFFFF_FADF_9802_0000;
const FILE: &str = "drivers-src/sample/src/queue/drain.rs";

/// A run on x64 under Server 2003 that ends with a read of freed memory.
pub fn stopped() -> Trace {
    let report = Report {
        run: RunFacts {
            scenario: "sample".into(),
            profile: Profile::Amd64,
            personality: Personality::Ws2003Sp1,
            cpus: 2,
            seed: 17,
            granularity: "access".into(),
            strategy: "random".into(),
            instructions: 40_123,
            choices: 30,
            trace_hash: 0x0123_4567_89AB_CDEF,
            schedule: "4B2C".into(),
            replay_line: "irqlab run sample --profile amd64 --seed 17".into(),
        },
        stop: StopLine::Bugcheck(Box::new(BugcheckLine {
            code: 0xD1,
            params: [0xFFFF_FADF_E000_1010, 2, 0, BASE + 0x1007],
            cpu: 0,
            irql: 2,
            place: place(0x1007, "sample::queue::drain", 12),
            rule: None,
        })),
        expected: true,
        screen: Some(screen::render(&facts(
            Profile::Amd64,
            Personality::Ws2003Sp1,
        ))),
        event_log: eventlog::records(&facts(Profile::Amd64, Personality::Ws2003Sp1)),
        cores: vec![
            CoreState {
                core: 0,
                irql: 2,
                context: "DPC".into(),
                stack: vec![
                    place(0x1007, "sample::queue::drain", 12),
                    place(0x1100, "sample::receive", 40),
                ],
            },
            CoreState {
                core: 1,
                irql: 0,
                context: "thread 3 netsh".into(),
                stack: vec![place(0x1200, "sample::reset", 97)],
            },
        ],
        events: Vec::new(),
        locks: vec![LockLine {
            lock: "fffffadf98024010 (sample.sys+0x4010)".into(),
            holder: Some(1),
            since: Some(Position {
                choice: 20,
                step: 3,
            }),
            place: place(0x1200, "sample::reset", 95),
            waiters: vec![],
        }],
        why: why(),
        findings: Vec::new(),
    };
    let happened = moments();
    Trace {
        record: None,
        case: None,
        schedule: "irqlab-schedule 1 scenario=sample\n".into(),
        traveller: Default::default(),
        remarks: Vec::new(),
        saving: Vec::new(),
        reason: None,
        lines: BTreeMap::from([("queue/drain.rs:12".into(), vec![pc(12)])]),
        report,
        lanes: Arc::new(Lanes::new(
            2,
            happened.iter().map(|(_, spot)| *spot).collect(),
        )),
        moments: happened.into_iter().map(|(moment, _)| moment).collect(),
        images: vec![Arc::new(image())],
        sources: BTreeMap::from([(FILE.into(), source())]),
    }
}

/// A run that ends with a stream that waits.
pub fn deadlocked() -> Trace {
    let mut trace = completed();
    trace.report.stop = StopLine::Deadlock {
        waits: vec![WaitLine {
            core: None,
            thread: None,
            stream: Some(("answers".into(), 2)),
            awaited: Awaited::Condition(Await::Signal(0)),
            object: "go is signalled".into(),
            holder: None,
            holder_thread: None,
            since: None,
        }],
    };
    trace
}

/// A run that completes, and whose machine made no choice.
pub fn completed() -> Trace {
    let mut trace = stopped();
    trace.report.stop = StopLine::Completed;
    trace.report.screen = None;
    trace.report.event_log.clear();
    trace.report.why.clear();
    trace.moments.clear();
    trace.lanes = Arc::new(Lanes::new(2, Vec::new()));
    trace
}

/// What the renderers of stop screens need.
pub fn facts(profile: Profile, personality: Personality) -> StopFacts {
    let module = |name: &str, base: u64, size: u64| ModuleFacts {
        name: name.into(),
        base,
        size,
        ..ModuleFacts::default()
    };
    StopFacts {
        profile,
        personality,
        cpus: 2,
        bugcheck: Bugcheck {
            code: 0xD1,
            params: [0xFFFF_FADF_E000_1010, 2, 0, BASE + 0x1007],
            core: 0,
            irql: 2,
            pc: BASE + 0x1007,
            access: Some((0xFFFF_FADF_E000_1010, Access::Read)),
            blamed: Some(1),
        },
        modules: vec![
            module("ntoskrnl.exe", 0xFFFF_F800_0100_0000, 0x40_0000),
            module("sample.sys", BASE, 0x5000),
        ],
        stack_pointer: 0xFFFF_FADF_8F00_6ED8,
        stack: vec![BASE + 0x1100, 0, 1, BASE + 0x1200],
        cpu: "GenuineIntel 6.6.3".into(),
        uptime: 0,
        recovery: Recovery::installed(personality),
    }
}

fn place(rva: u64, function: &str, line: u32) -> Place {
    Place {
        pc: BASE + rva,
        module: Some("sample.sys".into()),
        function: Some(function.into()),
        source: Some((FILE.into(), line)),
    }
}

/// The instruction of a line, relative to the base.
fn pc(line: u32) -> u64 {
    match line {
        12 => 0x1007,
        11 => 0x1004,
        _ => 0x1000,
    }
}

fn why() -> Vec<WhyStep> {
    let step = |number, choice, core, verb: &str, what: &str, line, note: &str| WhyStep {
        number,
        at: Position { choice, step: 3 },
        core,
        verb: verb.into(),
        what: what.into(),
        place: place(0x1000, "sample::queue::drain", line),
        note: (!note.is_empty()).then(|| note.into()),
        stack: Vec::new(),
    };
    vec![
        step(
            1,
            2,
            1,
            "alloc",
            "Smpl 0x40",
            5,
            "the memory that is touched",
        ),
        step(
            2,
            20,
            0,
            "choice",
            "core 1 takes over",
            11,
            "core 0 stops here; 2 options",
        ),
        step(
            3,
            21,
            1,
            "free",
            "Smpl",
            97,
            "core 0 still uses it and holds no lock",
        ),
        step(
            4,
            30,
            0,
            "read",
            "Smpl +0x10",
            12,
            "IRQL 2: the machine stops",
        ),
    ]
}

/// A little of everything, on both cores.
fn moments() -> Vec<(Moment, Spot)> {
    let mut moments = Vec::new();
    for choice in 1..=30u64 {
        let core = u8::from(choice % 7 >= 4 || choice == 21);
        let mut add = |step, height, mark, text: &str, line| {
            let moment = Moment {
                at: Position { choice, step },
                core,
                text: text.into(),
                place: Some(Arc::new(place(pc(line), "sample::queue::drain", line))),
            };
            let deviates = choice % 3 == 0;
            let spot = Spot {
                core,
                height,
                mark,
                deviates,
            };
            moments.push((moment, spot));
        };
        match choice {
            30 => {
                add(
                    3,
                    Height::Dispatch,
                    Some(Mark::Fault),
                    "read of Smpl +0x10 fails",
                    12,
                );
                add(3, Height::High, Some(Mark::Bugcheck), "STOP 0x000000D1", 12);
            }
            21 => {
                add(
                    0,
                    Height::Passive,
                    Some(Mark::Choice),
                    "choice 2 of 2: core 1 takes over",
                    11,
                );
                add(3, Height::Dispatch, Some(Mark::Free), "free  Smpl 0x40", 97);
            }
            2 => add(3, Height::Passive, Some(Mark::Alloc), "alloc Smpl 0x40", 5),
            n if n % 5 == 0 => {
                add(
                    0,
                    Height::Device,
                    Some(Mark::Interrupt),
                    "interrupt 0 of level 5",
                    40,
                );
                add(
                    7,
                    Height::Dispatch,
                    Some(Mark::Packet),
                    "packet is indicated",
                    41,
                );
            }
            _ => {
                add(
                    0,
                    Height::Passive,
                    Some(Mark::Choice),
                    "choice 1 of 2: core 0 goes on",
                    9,
                );
                add(
                    4,
                    Height::Dispatch,
                    Some(Mark::Lock),
                    "takes lock 98024010",
                    10,
                );
                add(7, Height::Dispatch, None, "ExFreePool(0x0)", 12);
                add(
                    9,
                    Height::Passive,
                    Some(Mark::Unlock),
                    "releases lock 98024010",
                    13,
                );
            }
        }
    }
    moments
}

fn source() -> Vec<String> {
    (1..=120)
        .map(|line| format!("    let step_{line} = table.next({line}); // as it is"))
        .collect()
}

/// Some x64 instructions at the RVA of the sample's function.
fn image() -> Image {
    let mut data = vec![0; 0x5000];
    // mov rax,[rcx+10h]; mov rdx,[rax]; inc dword ptr [rdx+10h]; ret
    let code = [
        0x48, 0x8B, 0x41, 0x10, 0x48, 0x8B, 0x10, 0xFF, 0x42, 0x10, 0xC3,
    ];
    data[0x1000..0x1000 + code.len()].copy_from_slice(&code);
    Image {
        name: "sample.sys".into(),
        arch: Arch::X64,
        preferred_base: BASE,
        base: BASE,
        size: 0x5000,
        entry_rva: 0x1000,
        timestamp: 0,
        checksum: 0,
        sections: Vec::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        version: None,
        data,
        pdata: None,
        hash: 0,
        pdb_name: None,
        pdb_id: None,
        relocations: Vec::new(),
        fixed: false,
        symbols: None,
    }
}

/// Rows of the first screen: a scenario in a file, a recorded run, and one that is none.
pub fn rows() -> Vec<Row> {
    let mut rows = bundled().unwrap();
    rows.truncate(2);
    let line = "irqlab-schedule 1 scenario=port text=0000000000001234 profile=amd64 \
                personality=ws2003-sp1 cpus=2 granularity=access strategy=random seed=7 \
                trace=0000000000000abc moves=4B3C";
    let recorded = |name: &str, text: &str| {
        Row::Recorded(Box::new(Recorded {
            name: name.into(),
            file: text.parse(),
        }))
    };
    rows.push(recorded("found.schedule", line));
    rows.push(recorded("torn.schedule", "something else"));
    rows
}

/// A search that has come so far: see [`search_news`].
pub fn searching(steps: usize) -> App {
    let mut app = super::workbench();
    super::press(&mut app, "e");
    let id = app.search.as_ref().expect("e searches").id;
    for step in 1..=steps {
        for news in search_news(step) {
            app.search_news(id, news);
        }
    }
    app
}

/// What a worker tells of a search: 1, it has begun; 2, it has found two ways to stop, one of them
/// not expected; 3, it has shrunk one of them; 4, that was all.
pub fn search_news(step: usize) -> Vec<News> {
    let group = |what: &str, code, count, strategy: &str, schedule| Group {
        signature: Signature {
            kind: if code == 0 { "completed" } else { "bugcheck" }.into(),
            code: (code != 0).then_some(code),
            access: None,
            what: what.into(),
            module: None,
        },
        count,
        by: BTreeMap::from([(strategy.to_owned(), count)]),
        unexpected: if code == 0xBE { count } else { 0 },
        problem: (code == 0xBE).then(|| "expected bugcheck 0x000000D1".into()),
        first: Finding {
            schedule,
            strategy: strategy.into(),
            seed: Some(3),
            moves: "4B3C".into(),
            length: 2,
            choices: 40,
            trace_hash: 1,
        },
        short: Vec::new(),
    };
    let progress = |schedules, seconds, share, groups: Vec<Group>| {
        News::Progress(Snapshot {
            tally: Tally {
                schedules,
                choices: schedules * 40,
                completed: groups[0].count,
                by: BTreeMap::from([
                    ("dfs".into(), schedules / 2),
                    ("pct3".into(), schedules / 2),
                ]),
                groups,
                ..Tally::default()
            },
            coverage: Coverage {
                share,
                ..Coverage::default()
            },
            seconds,
        })
    };
    let completed = |n| group("completed", 0, n, "dfs", 1);
    match step {
        1 => vec![progress(64, 0.25, None, vec![completed(64)])],
        2 => {
            let stops = [
                group("STOP 0x000000D1 in sample.sys!drain", 0xD1, 30, "pct3", 70),
                group("STOP 0x000000BE in sample.sys!reset", 0xBE, 2, "dfs", 101),
            ];
            let groups = [completed(600)].into_iter().chain(stops).collect();
            vec![progress(632, 2.5, Some(0.4), groups)]
        }
        3 => {
            let mut news = search_news(2);
            let short = Short {
                moves: "9B".parse().unwrap(),
                faults: 0,
                preemptions: 1,
                others: 0,
                fewest: true,
            };
            news.extend([News::Shrinking(2, 2), News::Shrunk(1, short)]);
            news
        }
        4 => vec![News::Looking, News::Found(Box::new(found())), News::Ended],
        _ => panic!("a search has no step {step}"),
    }
}

/// What an oracle has found in a run of the search.
fn found() -> Found {
    let place = |number, at: &str, role: &str, line| ToldPlace {
        number,
        role: role.into(),
        at: at.into(),
        core: number as u8 - 1,
        actor: format!("thread {number} worker"),
        irql: 0,
        level: "PASSIVE_LEVEL",
        place: Place {
            source: Some(("drivers-src/sample/src/queue/drain.rs".into(), line)),
            ..Place::default()
        },
        stack: Vec::new(),
        locks: Vec::new(),
    };
    Found {
        told: Told {
            oracle: "race",
            what: "store and load of pool block Smpl that nothing orders".into(),
            object: Some("pool block Smpl fffffadf98001000, 0x40 bytes".into()),
            places: vec![
                place(1, "12:03", "writes 4 bytes", 12),
                place(2, "14:00", "reads 4 bytes", 40),
            ],
            count: 1,
            order_matters: None,
            help: "hold a lock around both",
            rule: "",
            signature: "race|1".into(),
            other_order: None,
        },
        run: "the run in which nobody interferes".into(),
        moves: Default::default(),
        strategy: "default".into(),
        seed: 0,
    }
}
