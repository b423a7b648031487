//! The results as a page in Markdown, and as lines for people.

use super::job::{Done, Verdict};
use crate::table::thousands;

/// The page.
pub(super) fn text(title: &str, done: &[Done]) -> String {
    let mut text = format!("# {}\n\n{}\n\n", escaped(title), totals(done));
    text += "| job | | schedules | result |\n|---|---|---:|---|\n";
    for job in done {
        text += &format!(
            "| {} | {} | {} | {} |\n",
            escaped(&job.suite),
            escaped(&job.name),
            thousands(job.schedules),
            words(job.verdict)
        );
    }
    for job in done.iter().filter(|job| job.verdict != Verdict::Passed) {
        text += &format!("\n## {} / {}\n\n", escaped(&job.suite), escaped(&job.name));
        for problem in &job.problems {
            text += &format!("- {}\n", escaped(&problem.replace('\n', " ")));
        }
        for defect in job.defects.iter().filter(|defect| !defect.expected) {
            let place = defect.places.iter().find_map(|spot| {
                let file = spot.file.as_ref()?;
                Some(format!(" at `{file}:{}`", spot.line))
            });
            text += &format!(
                "\n**{}**: {}{}\n",
                escaped(&defect.rule),
                escaped(&defect.what),
                place.unwrap_or_default()
            );
            if let Some(replay) = &defect.replay {
                text += &format!("\n```sh\n{replay}\n```\n");
            }
        }
    }
    text
}

/// The lines that the command prints.
pub(super) fn lines(done: &[Done]) -> String {
    let mut text = String::new();
    for job in done {
        let verdict = words(job.verdict);
        let schedules = thousands(job.schedules);
        text += &match job.name == job.suite {
            true => format!("{verdict:<6}  {}  ({schedules} schedules)\n", job.suite),
            false => format!(
                "{verdict:<6}  {} / {}  ({schedules} schedules)\n",
                job.suite, job.name
            ),
        };
        if job.verdict == Verdict::Passed {
            continue;
        }
        for problem in &job.problems {
            text += &format!("        {}\n", problem.replace('\n', "\n        "));
        }
        for defect in job.defects.iter().filter(|defect| !defect.expected) {
            let place = defect.places.iter().find_map(|spot| {
                let file = spot.file.as_ref()?;
                Some(format!(" at {file}:{}", spot.line))
            });
            text += &format!(
                "        {}: {}{}\n",
                defect.rule,
                defect.what,
                place.unwrap_or_default()
            );
            if let Some(replay) = &defect.replay {
                text += &format!("          replay: {replay}\n");
            }
        }
    }
    text + &totals(done) + "\n"
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "ok",
        Verdict::Failed => "FAILED",
        Verdict::Error => "ERROR",
    }
}

fn totals(done: &[Done]) -> String {
    let count = |verdict| done.iter().filter(|job| job.verdict == verdict).count();
    let schedules = done.iter().map(|job| job.schedules).sum();
    format!(
        "{} jobs, {} schedules: {} as expected, {} not, {} not run",
        done.len(),
        thousands(schedules),
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Error)
    )
}

/// Text in which no character means anything to Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "\\`*_{}[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
