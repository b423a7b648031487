//! What a search came to, for people.

use emu::report::Place;

use super::summary::Summary;
use crate::table::thousands;

pub(super) fn text(s: &Summary) -> String {
    let plural = if s.cpus == 1 { "" } else { "s" };
    let mut text = format!(
        "{} on {} ({}), {} processor{plural}, {} strategy, {} granularity\n\
         {} schedules, {} choices, {} instructions\n",
        s.scenario,
        s.profile,
        s.personality,
        s.cpus,
        s.strategy,
        s.granularity,
        thousands(s.schedules),
        thousands(s.choices),
        thousands(s.instructions),
    );
    if s.by.len() > 1 {
        let each = s.by.iter().map(|(name, n)| format!("{name} {n}"));
        text += &format!("of them {}\n", each.collect::<Vec<_>>().join(", "));
    }
    text.push('\n');
    for end in &s.ends {
        let expected = if end.expected {
            "as expected"
        } else {
            "NOT EXPECTED"
        };
        text += &format!(
            "{:>6} of {}  {}  ({expected})\n",
            end.count, s.schedules, end.what
        );
        if let Some(place) = end.place.as_ref().and_then(Place::file_line) {
            text += &format!("        at {place}\n");
        }
        if s.by.len() > 1 && end.kind != "completed" {
            let each = end.by.iter().map(|(name, n)| format!("{name} {n}"));
            let each = each.collect::<Vec<_>>().join(", ");
            text += &format!(
                "        found by {each}; first by {} in schedule {}\n",
                end.first_strategy, end.first_schedule
            );
        }
        if let Some(s) = &end.shrunk {
            let least = if s.fewest { ", which is the least" } else { "" };
            text += &format!(
                "        shrunk to {} and {}{least}:\n",
                counted(s.preemptions, "preemption"),
                counted(s.other_moves, "other move")
            );
            s.words
                .iter()
                .for_each(|words| text += &format!("          {words}\n"));
        }
        text += &format!("        replay: {}\n", end.replay);
    }
    text.push('\n');
    for finding in &s.findings {
        text += &emu::oracle::render(finding);
        text.push('\n');
    }
    text += &statement(s);
    match s.problems.as_slice() {
        [] => text += "as the scenario expects\n",
        problems => {
            text += "NOT what the scenario expects:\n";
            problems
                .iter()
                .for_each(|problem| text += &format!("  {problem}\n"));
        }
    }
    text
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// What an exhaustive search has shown: neither more nor less than was done.
fn statement(s: &Summary) -> String {
    if !["dfs", "dpor"].contains(&s.strategy.as_str()) {
        return String::new();
    }
    let stops: u64 = s
        .ends
        .iter()
        .filter(|end| end.kind != "completed")
        .map(|end| end.count)
        .sum();
    let explored = s.explored.join(", ");
    let held = match s.held.as_slice() {
        [] => "none".to_owned(),
        held => held.join(", "),
    };
    let prompt = match s.prompt.as_slice() {
        [] => String::new(),
        prompt => format!("; as soon as they can: {}", prompt.join(", ")),
    };
    let what = match (s.coverage.exhausted, s.strategy.as_str()) {
        (false, _) => format!(
            "the search is not exhausted: {} schedules were run, and the rest is unknown",
            thousands(s.schedules)
        ),
        (true, "dpor") => format!(
            "all classes of equivalent schedules: {} were run, {stops} of them stop",
            thousands(s.schedules)
        ),
        (true, _) => format!(
            "all schedules {}: {} were run, {stops} of them stop",
            s.bound,
            thousands(s.schedules)
        ),
    };
    format!(
        "{what}\n  at {} granularity; explored: {explored}; held still: {held}{prompt}\n\n",
        s.granularity
    )
}
