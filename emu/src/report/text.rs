//! The report as text.

use super::codes;
use super::eventlog::{Record, hex_rows};
use super::layout::{paragraphs, wrap};
use super::model::{BugcheckLine, CoreState, LockLine, Place, Report, StopLine, WhyStep};
use super::screen::Screen;
use super::{table, waits};
use crate::oracle;

/// Narrowest width that a report is laid out for, in cells.
const NARROWEST: usize = 64;

/// The whole report in lines of at most `width` cells (not less than 64), ending with a line feed.
/// Only the line that replays the run is never broken, so that it can be copied; and a stop screen
/// keeps the width of its display.
pub fn render(report: &Report, width: usize) -> String {
    let mut page = Page {
        width: width.max(NARROWEST),
        lines: Vec::new(),
    };
    headline(report, &mut page);
    if let Some(screen) = &report.screen {
        stop_screen(screen, &mut page);
    }
    if !report.event_log.is_empty() {
        page.heading("event log of the next boot");
        for record in &report.event_log {
            event_record(record, &mut page);
        }
    }
    stop(report, &mut page);
    if !report.cores.is_empty() {
        page.heading("cores");
        for core in &report.cores {
            core_state(core, report, &mut page);
        }
    }
    if !report.events.is_empty() {
        page.heading("last events");
        page.lines
            .extend(table::lines(&report.events, report.run.cpus, page.width));
    }
    if !report.why.is_empty() {
        page.heading("why");
        why(&report.why, &mut page);
    }
    if !report.findings.is_empty() {
        page.heading("what rules and oracles found");
        for (i, finding) in report.findings.iter().enumerate() {
            if i > 0 {
                page.lines.push(String::new());
            }
            for line in oracle::render(finding).lines() {
                let text = line.trim_start();
                page.text(line.len() - text.len(), text);
            }
        }
    }
    if !report.locks.is_empty() {
        page.heading("locks");
        for lock in &report.locks {
            lock_line(lock, &mut page);
        }
    }
    page.heading("again");
    page.lines.push(report.run.replay_line.clone());
    page.lines.push(String::new());
    page.lines.join("\n")
}

/// Lines that are being laid out.
struct Page {
    width: usize,
    lines: Vec<String>,
}

impl Page {
    /// An empty line and a rule with a title.
    fn heading(&mut self, title: &str) {
        let rule = self.width.saturating_sub(title.chars().count() + 4);
        self.lines.push(String::new());
        self.lines.push(format!("── {title} {}", "─".repeat(rule)));
    }

    /// Text behind `indent` spaces, broken into lines.
    fn text(&mut self, indent: usize, text: &str) {
        self.lines.extend(paragraphs(text, self.width, indent));
    }

    /// `label` in a field of `field` cells, then text whose further lines stand below its first.
    fn entry(&mut self, label: &str, field: usize, text: &str) {
        let field = field.max(label.chars().count() + 1);
        let room = self.width.saturating_sub(field);
        for (index, line) in wrap(text, room).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let line = format!("{label:<field$}{line}");
            self.lines.push(line.trim_end().to_string());
        }
    }
}

/// One sentence on how the run ended.
pub fn verdict(report: &Report) -> String {
    match &report.stop {
        StopLine::Completed => "completed: the workload is done and nothing is pending".to_string(),
        StopLine::Bugcheck(line) => {
            let name = codes::name(line.code).map_or(String::new(), |name| format!(" {name}"));
            format!("STOP 0x{:08X}{name} in {}", line.code, line.place)
        }
        StopLine::Deadlock { waits } => match waits.as_slice() {
            [wait] => format!("deadlock: {}", waits::sentence(wait)),
            _ => format!("deadlock: {} waits without an end", waits.len()),
        },
        StopLine::Unimplemented { name, caller, .. } => {
            format!("unimplemented: {name}, called by {caller}")
        }
        StopLine::Request {
            thread,
            step,
            status,
            expected,
        } => format!(
            "request failed: step {} of thread {thread} ended with 0x{status:08X} instead of \
             0x{expected:08X}",
            step + 1
        ),
        StopLine::Limit { limit, value, .. } => format!("limit reached: {value} {limit}"),
    }
}

fn headline(report: &Report, page: &mut Page) {
    let run = &report.run;
    let plural = if run.cpus == 1 { "" } else { "s" };
    page.text(
        0,
        &format!(
            "{} on {} ({}), {} processor{plural}, {} strategy, seed {}, {} granularity",
            run.scenario,
            run.profile.name(),
            run.personality,
            run.cpus,
            run.strategy,
            run.seed,
            run.granularity
        ),
    );
    page.text(0, &verdict(report));
    let expected = match report.expected {
        true => "as the scenario expects",
        false => "NOT what the scenario expects",
    };
    page.text(
        0,
        &format!(
            "{expected}; {} instructions, {} choices, trace {:016x}",
            run.instructions, run.choices, run.trace_hash
        ),
    );
}

fn stop_screen(screen: &Screen, page: &mut Page) {
    page.heading("stop screen");
    page.lines.extend(screen.lines.iter().cloned());
    if let Some(note) = &screen.note {
        page.heading("note on the screen");
        page.text(0, note);
    }
}

fn event_record(record: &Record, page: &mut Page) {
    let id = record.id.map_or(String::new(), |id| format!(" {id}"));
    let category = match record.category {
        0 => String::new(),
        number => format!(", category ({number})"),
    };
    page.text(
        0,
        &format!("{}{id}, {}{category}", record.source, record.kind),
    );
    page.text(2, &record.description);
    for row in hex_rows(&record.data) {
        page.lines.push(format!("  {row}"));
    }
}

fn stop(report: &Report, page: &mut Page) {
    match &report.stop {
        StopLine::Completed => {}
        StopLine::Bugcheck(line) => bugcheck(line, report, page),
        StopLine::Deadlock { waits } => {
            page.heading("who waits for whom");
            for line in waits::lines(waits) {
                page.text(0, &line);
            }
        }
        StopLine::Unimplemented {
            name,
            caller,
            detail,
        } => {
            page.heading("not modelled");
            page.entry("function", 10, name);
            page.entry("caller", 10, &caller.to_string());
            if !detail.is_empty() {
                page.entry("missing", 10, detail);
            }
        }
        StopLine::Request { .. } => {
            page.heading("request");
            page.text(0, &verdict(report));
        }
        StopLine::Limit {
            limit,
            value,
            place,
        } => {
            page.heading("limit");
            page.entry(limit, 14, &value.to_string());
            page.entry("at", 14, &place.to_string());
        }
    }
}

fn bugcheck(line: &BugcheckLine, report: &Report, page: &mut Page) {
    let profile = report.run.profile;
    let digits = profile.pointer_size() as usize * 2;
    page.heading("stop");
    if let Some(row) = codes::find(line.code) {
        page.entry(&format!("{:08X}", line.code), 12, row.name);
        page.entry("", 12, row.meaning);
    } else {
        page.entry(
            &format!("{:08X}", line.code),
            12,
            "a code that is not in the table",
        );
    }
    for (index, value) in line.params.iter().enumerate() {
        let words = codes::explain(line.code, &line.params, index, profile);
        page.entry(
            &format!("parameter {}", index + 1),
            12,
            format!("{value:0digits$X}  {words}").trim_end(),
        );
    }
    page.entry(
        "stopped by",
        12,
        &format!(
            "core {} at IRQL {} ({})",
            line.cpu,
            line.irql,
            profile.irql().name(line.irql)
        ),
    );
    page.entry("at", 12, &line.place.to_string());
}

fn core_state(core: &CoreState, report: &Report, page: &mut Page) {
    let level = report.run.profile.irql().name(core.irql);
    page.text(
        0,
        &format!(
            "core {}  IRQL {} ({level})  {}",
            core.core, core.irql, core.context
        ),
    );
    stack(&core.stack, 2, page);
}

/// One line for each frame: the address, the function and the source line.
fn stack(frames: &[Place], indent: usize, page: &mut Page) {
    for frame in frames {
        let label = format!("{:indent$}{:08x}", "", frame.pc);
        let known = frame.module.is_some() || frame.function.is_some();
        let text = if known {
            frame.to_string()
        } else {
            String::new()
        };
        page.entry(&label, label.len() + 1, &text);
    }
}

/// Widest column, in cells, of what a step touched.
const WIDEST_WHAT: usize = 24;

/// The steps in columns; the last, where it ended, has a mark.
fn why(steps: &[WhyStep], page: &mut Page) {
    let column = |text: &dyn Fn(&WhyStep) -> String| {
        let lengths = steps.iter().map(|step| text(step).chars().count());
        lengths.max().unwrap_or(0)
    };
    let number_width = column(&|step| step.number.to_string()) + 2;
    let at_width = column(&|step| step.at.to_string());
    let core_width = column(&|step| step.core.to_string());
    let verb_width = column(&|step| step.verb.clone());
    let what_width = column(&|step| step.what.clone()).min(WIDEST_WHAT);
    let last = steps.len().saturating_sub(1);
    for (index, step) in steps.iter().enumerate() {
        let mark = if index == last { '▶' } else { ' ' };
        let (number, at) = (format!("({})", step.number), step.at.to_string());
        let label = format!(
            "{mark}{number:>number_width$} {at:>at_width$} c{:<core_width$} {:<verb_width$}",
            step.core, step.verb
        );
        let field = label.chars().count() + 1;
        let text = format!("{:<what_width$}  {}", step.what, step.place);
        page.entry(&label, field, &text);
        if let Some(note) = &step.note {
            page.entry("", field, &format!("<- {note}"));
        }
        for frame in step.stack.iter().filter(|frame| **frame != step.place) {
            page.entry("", field, &format!("from {frame}"));
        }
    }
}

fn lock_line(lock: &LockLine, page: &mut Page) {
    let mut text = match lock.holder {
        Some(holder) => format!("held by core {holder}"),
        None => "free".to_string(),
    };
    if let Some(since) = lock.since {
        text += &format!(" since {since}, taken at {}", lock.place);
    }
    if !lock.waiters.is_empty() {
        let waiters: Vec<String> = lock.waiters.iter().map(u8::to_string).collect();
        text += &format!("; core {} spins on it", waiters.join(", "));
    }
    page.text(0, &lock.lock);
    page.text(2, &text);
}
