//! The story of a run as Markdown: what a teacher pastes into a page.

use super::{Place, Report, StopLine, WhyStep, codes, waits};
use crate::oracle;

/// The story: what was run, how it ended, the steps that led there, what the oracles say, and how
/// to run it again.
pub fn render(report: &Report) -> String {
    let run = &report.run;
    let mut page = format!("# {}: {}\n\n", run.scenario, super::text::verdict(report));
    page += &format!(
        "{} with {} processors under {}, {} granularity, seed {} of the strategy {}: {} instructions, \
         {} choices. {}.\n",
        run.profile.name(),
        run.cpus,
        run.personality,
        run.granularity,
        run.seed,
        run.strategy,
        run.instructions,
        run.choices,
        match report.expected {
            true => "The scenario expects that",
            false => "The scenario does not expect that",
        }
    );
    match &report.stop {
        StopLine::Bugcheck(line) => {
            let name = codes::name(line.code).unwrap_or("a code of its own");
            page += &format!(
                "\nThe machine stopped with 0x{:08X}, {name}, on core {} at IRQL {}, in {}.\n",
                line.code,
                line.cpu,
                line.irql,
                place(&line.place)
            );
        }
        StopLine::Deadlock { waits } => {
            page += "\n";
            for line in waits::lines(waits) {
                page += &format!("- {}\n", escaped(line.trim()));
            }
        }
        _ => {}
    }
    if !report.why.is_empty() {
        page += "\n## Why\n\n";
        for step in &report.why {
            page += &why(step);
        }
    }
    if !report.findings.is_empty() {
        page += "\n## What rules and oracles found\n";
        for finding in &report.findings {
            page += &format!("\n```text\n{}\n```\n", oracle::render(finding).trim_end());
        }
    }
    page += &format!("\n## Again\n\n```sh\n{}\n```\n", run.replay_line);
    page
}

fn why(step: &WhyStep) -> String {
    let note = match &step.note {
        Some(note) => format!(": {}", escaped(note)),
        None => String::new(),
    };
    format!(
        "{}. at {}, core {}: **{}** {} in {}{note}\n",
        step.number,
        step.at,
        step.core,
        escaped(&step.verb),
        escaped(&step.what),
        place(&step.place)
    )
}

fn place(place: &Place) -> String {
    format!("`{place}`")
}

/// Text in which no sign has a meaning in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
