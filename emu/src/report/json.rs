//! The report as one JSON object. The names and the order of its fields are an interface: fields
//! are added at the end and never renamed.

use serde::Serialize;

use super::codes;
use super::eventlog::Record;
use super::model::{BugcheckLine, CoreState, LockLine, Place, Report, StopLine, WhyStep};
use super::screen::Screen;
use super::table::{Height, Row};
use crate::oracle::Told;

/// The report as indented JSON, ending with a line feed.
///
/// # Errors
/// None is expected: every part of a report has a JSON form. What serde reports is passed on.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&object(report))?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct ReportObject<'a> {
    scenario: &'a str,
    profile: &'static str,
    personality: &'static str,
    cpus: u8,
    seed: u64,
    granularity: &'a str,
    stop: StopObject<'a>,
    expected: bool,
    instructions: u64,
    choices: u64,
    schedule: &'a str,
    /// 16 hexadecimal digits: a JSON number does not hold 64 bits.
    trace_hash: String,
    strategy: &'a str,
    replay: &'a str,
    screen: Option<ScreenObject<'a>>,
    event_log: Vec<RecordObject<'a>>,
    cores: &'a [CoreState],
    events: Vec<EventObject<'a>>,
    locks: &'a [LockLine],
    why: &'a [WhyStep],
    findings: &'a [Told],
}

#[derive(Serialize)]
struct StopObject<'a> {
    kind: &'static str,
    #[serde(flatten)]
    data: StopData<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum StopData<'a> {
    Completed {},
    Bugcheck {
        code: String,
        name: Option<&'static str>,
        params: [String; 4],
        module: Option<&'a str>,
        function: Option<&'a str>,
        source: Option<String>,
        irql: u8,
        cpu: u8,
        pc: String,
        meaning: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<&'static str>,
    },
    Deadlock {
        waits: Vec<WaitObject<'a>>,
    },
    Unimplemented {
        name: &'a str,
        caller: &'a Place,
        detail: &'a str,
    },
    Request {
        thread: &'a str,
        step: usize,
        status: String,
        expected: String,
    },
    Limit {
        limit: &'a str,
        value: u64,
        place: &'a Place,
    },
}

#[derive(Serialize)]
struct WaitObject<'a> {
    core: Option<u8>,
    thread: Option<&'a str>,
    object: &'a str,
    holder: Option<u8>,
    since: Option<String>,
    kind: &'static str,
    stream: Option<&'a str>,
    step: Option<usize>,
    holder_thread: Option<&'a str>,
}

#[derive(Serialize)]
struct ScreenObject<'a> {
    columns: usize,
    rows: usize,
    lines: &'a [String],
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct RecordObject<'a> {
    source: &'a str,
    id: Option<u32>,
    kind: &'a str,
    category: u16,
    description: &'a str,
    /// The bytes in hexadecimal, two digits each, without separators.
    data: String,
}

#[derive(Serialize)]
struct EventObject<'a> {
    at: String,
    core: u8,
    irql: u8,
    text: &'a str,
    place: &'a str,
    heights: &'a [Height],
}

fn object(report: &Report) -> ReportObject<'_> {
    let run = &report.run;
    ReportObject {
        scenario: &run.scenario,
        profile: run.profile.name(),
        personality: run.personality.name(),
        cpus: run.cpus,
        seed: run.seed,
        granularity: &run.granularity,
        stop: StopObject {
            kind: report.stop.kind(),
            data: stop(report),
        },
        expected: report.expected,
        instructions: run.instructions,
        choices: run.choices,
        schedule: &run.schedule,
        trace_hash: format!("{:016x}", run.trace_hash),
        strategy: &run.strategy,
        replay: &run.replay_line,
        screen: report.screen.as_ref().map(screen),
        event_log: report.event_log.iter().map(record).collect(),
        cores: &report.cores,
        events: report.events.iter().map(event).collect(),
        locks: &report.locks,
        why: &report.why,
        findings: &report.findings,
    }
}

fn stop(report: &Report) -> StopData<'_> {
    match &report.stop {
        StopLine::Completed => StopData::Completed {},
        StopLine::Bugcheck(line) => bugcheck(report, line),
        StopLine::Deadlock { waits } => StopData::Deadlock {
            waits: waits
                .iter()
                .map(|wait| WaitObject {
                    core: wait.core,
                    thread: wait.thread.as_deref(),
                    object: &wait.object,
                    holder: wait.holder,
                    since: wait.since.map(|since| since.to_string()),
                    kind: wait.awaited.kind(),
                    stream: wait.stream.as_ref().map(|(name, _)| name.as_str()),
                    step: wait.stream.as_ref().map(|(_, step)| *step),
                    holder_thread: wait.holder_thread.as_deref(),
                })
                .collect(),
        },
        StopLine::Unimplemented {
            name,
            caller,
            detail,
        } => StopData::Unimplemented {
            name,
            caller,
            detail,
        },
        StopLine::Request {
            thread,
            step,
            status,
            expected,
        } => StopData::Request {
            thread,
            step: *step,
            status: format!("0x{status:08X}"),
            expected: format!("0x{expected:08X}"),
        },
        StopLine::Limit {
            limit,
            value,
            place,
        } => StopData::Limit {
            limit,
            value: *value,
            place,
        },
    }
}

fn bugcheck<'a>(report: &Report, line: &'a BugcheckLine) -> StopData<'a> {
    let digits = report.run.profile.pointer_size() as usize * 2;
    StopData::Bugcheck {
        code: format!("0x{:08X}", line.code),
        name: codes::name(line.code),
        params: line.params.map(|p| format!("0x{p:0digits$X}")),
        module: line.place.module.as_deref(),
        function: line.place.function.as_deref(),
        source: line.place.file_line(),
        irql: line.irql,
        cpu: line.cpu,
        pc: format!("0x{:0digits$X}", line.place.pc),
        meaning: codes::find(line.code).map(|row| row.meaning),
        rule: line.rule,
    }
}

fn screen(screen: &Screen) -> ScreenObject<'_> {
    ScreenObject {
        columns: screen.columns,
        rows: screen.rows,
        lines: &screen.lines,
        note: screen.note.as_deref(),
    }
}

fn record(record: &Record) -> RecordObject<'_> {
    RecordObject {
        source: record.source,
        id: record.id,
        kind: record.kind,
        category: record.category,
        description: &record.description,
        data: record
            .data
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }
}

fn event(row: &Row) -> EventObject<'_> {
    EventObject {
        at: row.at.to_string(),
        core: row.core,
        irql: row.irql,
        text: &row.text,
        place: &row.place,
        heights: &row.heights,
    }
}
