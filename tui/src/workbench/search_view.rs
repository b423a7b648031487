//! A search: how fast it is, how far it is, and what it has found.

use emu::search::Group;
use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::keys::named;
use super::search::{Found, Phase, SearchState, Short};
use super::theme::{Target, Theme};
use super::trace::short_place;
use super::view::{one_pane, pane, top_of, wrapped};
use crate::command::explore::shrunk_to;
use crate::table::thousands;

/// Draws it.
pub fn draw(search: &SearchState, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let progress = progress(search, usize::from(area.width.saturating_sub(2)));
    let above = progress.len() as u16 + 2;
    if one_pane(area) {
        groups(search, &summary(search), theme, frame, area);
        return;
    }
    let rows = [
        Constraint::Length(above),
        Constraint::Min(0),
        Constraint::Length(10),
    ];
    let [top, middle, bottom] = Layout::vertical(rows).spacing(-1).areas(area);
    let lines: Vec<Line<'_>> = progress.into_iter().map(Line::from).collect();
    let block = pane("Search", false, theme);
    frame.render_widget(Paragraph::new(lines).block(block), top);
    let title = match search.findings.len() {
        0 => "How runs ended",
        _ => "How runs ended, and what was found in them",
    };
    groups(search, title, theme, frame, middle);
    about(search, theme, frame, bottom);
}

/// One line that says how far it is.
pub fn summary(search: &SearchState) -> String {
    let tally = &search.at.tally;
    let stops = tally.groups.iter().filter(|g| !g.signature.is_completed());
    format!(
        "{} schedules, {:.0}/s, {} stop in {}",
        thousands(tally.schedules),
        search.rate(),
        thousands(tally.stops()),
        counted(stops.count(), "way")
    )
}

fn progress(search: &SearchState, width: usize) -> Vec<String> {
    let tally = &search.at.tally;
    let phase = match &search.phase {
        Phase::Booting => "the machine boots".to_owned(),
        Phase::Searching => "searching".to_owned(),
        Phase::Ending => "ending: what has begun is finished".to_owned(),
        Phase::Looking => "rules and oracles look at what was found".to_owned(),
        Phase::Shrinking(one, of) => format!("shrinking what was found, {one} of {of}"),
        Phase::Ended if search.at.coverage.exhausted => "ended: there are no more".to_owned(),
        Phase::Ended => "ended".to_owned(),
        Phase::Failed(problem) => return wrapped(problem, width),
    };
    let most = match search.most {
        u64::MAX => String::new(),
        most => format!(" of {}", thousands(most)),
    };
    let mut far = format!(
        "{} schedules{most}, {:.0} per second, {:.0} s",
        thousands(tally.schedules),
        search.rate(),
        search.at.seconds
    );
    if let Some(share) = search.at.coverage.share.filter(|share| *share > 0.0) {
        far += &format!(", about {:.1} % seen", 100.0 * share);
    }
    let left = match search.phase {
        Phase::Searching => search.seconds_left(),
        _ => None,
    };
    if let Some(left) = left {
        far += &format!(", {left:.0} s left");
    }
    let mut lines = vec![phase, far];
    if tally.by.len() > 1 {
        let by: Vec<String> = tally
            .by
            .iter()
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        lines.push(by.join(", "));
    }
    lines.push(search.line.clone());
    lines.iter().flat_map(|line| wrapped(line, width)).collect()
}

/// The ways in which runs ended: how often, how, and who found it.
fn groups(search: &SearchState, title: &str, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = pane(title, true, theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let all = &search.at.tally.groups;
    if all.is_empty() {
        let text = match search.goes_on() {
            true => "nothing yet",
            false => "no run was made",
        };
        frame.render_widget(Paragraph::new(text), inner);
        return;
    }
    let groups = all.iter().enumerate().map(|(i, group)| {
        let alarm = group.unexpected > 0;
        (row_of(group, search.shrunk.get(&i)), alarm)
    });
    let findings = search.findings.iter().map(|found| {
        let told = &found.told;
        (format!("  found  {}: {}", told.oracle, told.what), false)
    });
    let lines: Vec<(String, bool)> = groups.chain(findings).collect();
    let rows = usize::from(inner.height);
    let top = top_of(search.selected, lines.len(), rows);
    for (row, (i, (text, alarm))) in lines.iter().enumerate().skip(top).take(rows).enumerate() {
        let here = i == search.selected;
        let mark = if here { '▶' } else { ' ' };
        let text = format!("{mark}{text}");
        let style = match here {
            true => theme.selected(),
            false if *alarm => theme.alarm(),
            false => ratatui::style::Style::new(),
        };
        let place = Rect {
            y: inner.y + row as u16,
            height: 1,
            ..inner
        };
        frame.render_widget(Paragraph::new(Line::styled(text, style)), place);
        theme.place(Target::Group(i), place);
    }
}

fn row_of(group: &Group, short: Option<&Short>) -> String {
    let as_expected = match group.unexpected {
        0 => "",
        _ => "NOT EXPECTED  ",
    };
    let shrunk = short.map(|short| format!(", {}", counted(short.preemptions, "preemption")));
    format!(
        "{:>7}  {as_expected}{}  ({}{})",
        group.count,
        group.signature.what,
        group.first.strategy,
        shrunk.unwrap_or_default()
    )
}

/// What is known about the selected group.
fn about(search: &SearchState, theme: &Theme, frame: &mut Frame<'_>, area: Rect) {
    let block = pane("About", false, theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    if let Some(found) = search.finding() {
        let lines = about_finding(found);
        let lines = lines.iter().flat_map(|line| wrapped(line, width));
        let lines: Vec<Line<'_>> = lines.map(Line::from).collect();
        frame.render_widget(Paragraph::new(lines), inner);
        return;
    }
    let Some(group) = search.at.tally.groups.get(search.selected) else {
        return;
    };
    let first = &group.first;
    let by: Vec<String> = group
        .by
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    let mut lines = vec![
        group.signature.what.clone(),
        match &group.problem {
            Some(problem) => format!("not as expected: {problem}"),
            None => "as the scenario expects".to_owned(),
        },
        format!(
            "first found by {} in schedule {}, with {} in {} choices",
            first.strategy,
            thousands(first.schedule),
            counted(first.length as usize, "move"),
            thousands(first.choices)
        ),
        format!("found by {}", by.join(", ")),
    ];
    let runs = search.runs();
    if let Some(run) = runs.get(search.run.min(runs.len().saturating_sub(1))) {
        let what = &run.what;
        let (left, right) = (
            theme.key(named(KeyCode::Left)),
            theme.key(named(KeyCode::Right)),
        );
        let one = search.run.min(runs.len() - 1) + 1;
        lines.insert(
            1,
            format!(
                "Enter opens {what} ({one} of {} runs: {left} {right})",
                runs.len()
            ),
        );
    }
    if let Some(short) = search.shrunk.get(&search.selected) {
        let to = shrunk_to(short.faults, short.preemptions, short.others, short.fewest);
        lines.push(format!("shrunk to {to}"));
    }
    let lines = lines.iter().flat_map(|line| wrapped(line, width));
    let lines: Vec<Line<'_>> = lines.map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What is known about a finding.
fn about_finding(found: &Found) -> Vec<String> {
    let told = &found.told;
    let mut lines = vec![
        format!("{}: {}", told.oracle, told.what),
        format!("Enter opens {}, at the last of these places", found.run),
    ];
    lines.extend(told.places.iter().map(|place| {
        format!(
            "({}) {} c{} {}: {} in {}",
            place.number,
            place.at,
            place.core,
            place.actor,
            place.role,
            short_place(&place.place)
        )
    }));
    lines.extend((!told.help.is_empty()).then(|| told.help.to_owned()));
    lines
}

fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}
