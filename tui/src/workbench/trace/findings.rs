//! What rules and oracles found, as reasons: each place of a finding is one, so that it can be gone
//! to.

use emu::oracle::Told;
use emu::report::{Report, WhyStep};

/// Makes the places of findings reasons, where something asks for them: those of the finding with
/// this signature before all others, or those of all findings where nothing else is a reason. The
/// reason to begin at, by index, if there are any of findings.
pub fn explain(report: &mut Report, wanted: Option<&str>) -> Option<usize> {
    let wanted = |finding: &&Told| match wanted {
        Some(signature) => finding.signature == signature,
        None => report.why.is_empty(),
    };
    let found: Vec<&Told> = report.findings.iter().filter(wanted).collect();
    let first = found.first()?.places.len().checked_sub(1)?;
    let mut steps: Vec<WhyStep> = found.into_iter().flat_map(reasons).collect();
    steps.append(&mut report.why);
    report.why = steps;
    number(report);
    Some(first)
}

/// Numbers the reasons from 1.
pub fn number(report: &mut Report) {
    for (step, number) in report.why.iter_mut().zip(1..) {
        step.number = number;
    }
}

fn reasons(finding: &Told) -> impl Iterator<Item = WhyStep> {
    let last = finding.places.len();
    finding.places.iter().filter_map(move |place| {
        let mut notes = vec![place.actor.clone()];
        notes
            .extend((!place.locks.is_empty()).then(|| format!("holds {}", place.locks.join(", "))));
        if place.number == 1 {
            let object = finding.object.iter().map(|object| format!(": {object}"));
            notes.push(format!("{}{}", finding.what, object.collect::<String>()));
        }
        if place.number as usize == last {
            if let Some(other) = &finding.other_order {
                notes.push(format!("in the other order: {}", other.ends));
            }
            notes.push(finding.help.to_owned());
        }
        notes.retain(|note| !note.is_empty());
        Some(WhyStep {
            number: 0,
            at: place.at.parse().ok()?,
            core: place.core,
            verb: finding.oracle.to_owned(),
            what: place.role.clone(),
            place: place.place.clone(),
            note: Some(notes.join("; ")),
            stack: place.stack.clone(),
        })
    })
}
