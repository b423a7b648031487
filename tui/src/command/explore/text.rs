//! What a search came to, for people.

use emu::report::Place;
use emu::search::Placements;

use super::summary::Summary;
use crate::table::thousands;

pub(crate) fn text(s: &Summary) -> String {
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
            let moves = shrunk_to(s.faults, s.preemptions, s.other_moves, s.fewest);
            text += &format!("        shrunk to {moves}:\n");
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

/// What a schedule was shrunk to, in words.
pub(crate) fn shrunk_to(faults: usize, preempt: usize, others: usize, fewest: bool) -> String {
    let least = if fewest { ", which is the least" } else { "" };
    let preemptions = counted(preempt, "preemption");
    if faults == 0 {
        return format!("{preemptions} and {}{least}", counted(others, "other move"));
    }
    // With faults it is those that count: what there is none of is not told.
    let faults = counted(faults, "fault");
    let others = (others > 0).then(|| counted(others, "other move"));
    let preemptions = (preempt > 0).then_some(preemptions);
    let moves = match (preemptions, others) {
        (None, None) => faults,
        (Some(one), None) | (None, Some(one)) => format!("{faults} and {one}"),
        (Some(preemptions), Some(others)) => format!("{faults}, {preemptions} and {others}"),
    };
    moves + least
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// What an exhaustive search has shown: neither more nor less than was done.
fn statement(s: &Summary) -> String {
    if let Some(placements) = &s.coverage.placements {
        return placed(s, placements);
    }
    if !["dfs", "dpor"].contains(&s.strategy.as_str()) {
        return String::new();
    }
    let stops: u64 = s
        .ends
        .iter()
        .filter(|end| end.kind != "completed")
        .map(|end| end.count)
        .sum();
    let what = match (s.coverage.exhausted, s.strategy.as_str()) {
        (false, _) => format!(
            "the search is not exhausted: {} schedules were run, and the rest is unknown",
            thousands(s.schedules)
        ),
        (true, "dpor") => format!(
            "all classes of equivalent schedules: {} were run, {stops} of them stop",
            thousands(s.schedules)
        ),
        (true, _) if s.reduced => format!(
            "all schedules {}, but for the order of independent steps: {} were run, {stops} of them \
             stop",
            s.bound,
            thousands(s.schedules)
        ),
        (true, _) => format!(
            "all schedules {}: {} were run, {stops} of them stop",
            s.bound,
            thousands(s.schedules)
        ),
    };
    format!("{what}\n{}", openness(s))
}

/// At which points something was chosen, and what was.
fn openness(s: &Summary) -> String {
    let held = match s.held.as_slice() {
        [] => "none".to_owned(),
        held => held.join(", "),
    };
    let prompt = match s.prompt.as_slice() {
        [] => String::new(),
        prompt => format!("; as soon as they can: {}", prompt.join(", ")),
    };
    format!(
        "  at {} granularity; explored: {}; held still: {held}{prompt}\n\n",
        s.granularity,
        s.explored.join(", ")
    )
}

/// What placing faults has shown.
fn placed(s: &Summary, placements: &Placements) -> String {
    let alike = match s.every_opportunity {
        true => "every one of them was tried".to_owned(),
        false => format!(
            "of those with the same kind, place and call stack one was tried: {} are different",
            thousands(placements.places)
        ),
    };
    let mut text = format!(
        "{} opportunities in the default schedule; {alike}\n",
        thousands(placements.opportunities)
    );
    for (i, &known) in placements.known.iter().enumerate() {
        let run = placements.run.get(i).copied().unwrap_or(0);
        let what = match i {
            0 => "single placements".to_owned(),
            1 => "pairs".to_owned(),
            i => format!("placements of {}", i + 1),
        };
        text += &match run == known && (i == 0 || s.coverage.exhausted) {
            true => format!("  all {} {what} were run\n", thousands(known)),
            false => format!(
                "  {} of {} {what} were run\n",
                thousands(run),
                thousands(known)
            ),
        };
    }
    if s.each_stack {
        let stopped = s.ends.iter().filter(|end| !end.expected);
        let stopped: u64 = stopped.map(|end| end.count).sum();
        text += &format!(
            "  {} call stacks failed once each: {} of {} runs survived\n",
            thousands(placements.places),
            thousands(s.schedules - stopped),
            thousands(s.schedules)
        );
    }
    if let Some(starts) = &s.starts {
        text += &format!(
            "  {} call stacks failed once each while the drivers start: {} refused to start, {} went \
             on, {} did not survive\n",
            thousands(starts.stacks),
            thousands(starts.refused),
            thousands(starts.started),
            starts.problems.len()
        );
    }
    let systematic = placements.run.iter().sum::<u64>() + 1;
    let drawn = s.schedules.saturating_sub(systematic);
    text + &format!(
        "  {} schedules with placements were drawn\n{}",
        thousands(drawn),
        openness(s)
    )
}
