//! `irqlab campaign`: the jobs of a file, one after the other, and their results in the forms that
//! other programs read.

mod file;
mod job;
mod junit;
mod kept;
mod markdown;
mod matrix;
mod options;
mod sarif;

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::campaign::CampaignArgs;
use crate::failure::{Failure, Outcome};
use crate::output;
use job::Verdict;
use kept::Kept;

/// The name of standard output where a file is named.
const STDOUT: &str = "-";

pub(super) fn run(args: &CampaignArgs) -> Outcome<bool> {
    let campaign = matrix::read(&args.file)?;
    // What is wrong with any job is said before the first one is run.
    let mut keys = Vec::new();
    for spec in &campaign.jobs {
        let session = spec.session()?;
        job::check(spec, &session)?;
        keys.push(job::key(spec, &session));
    }
    let kept = Kept::new(args.resume.as_deref());
    let mut done = kept.load(&keys)?;
    for (number, spec) in campaign.jobs.iter().enumerate().skip(done.len()) {
        let total = campaign.jobs.len();
        eprintln!(
            "irqlab: job {} of {total}: {} / {}",
            number + 1,
            spec.suite,
            spec.name
        );
        let search = kept.search();
        done.push(job::run(
            spec,
            &spec.session()?,
            args.jobs,
            search.as_deref(),
        )?);
        kept.save(&done)?;
    }
    let beside = |flag: &Option<PathBuf>, named: &Option<PathBuf>| {
        let named = named.as_ref().map(|path| campaign.folder.join(path));
        flag.clone().or(named)
    };
    let outputs = &campaign.outputs;
    let json = beside(&args.json, &outputs.json);
    let lines: String = done.iter().map(|done| done.line.clone() + "\n").collect();
    let to_stdout = json.as_deref() == Some(Path::new(STDOUT));
    if let Some(path) = json.filter(|_| !to_stdout) {
        write(&path, &lines)?;
    }
    if let Some(path) = beside(&args.junit, &outputs.junit) {
        write(&path, &junit::text(&campaign.title, &done))?;
    }
    if let Some(path) = beside(&args.sarif, &outputs.sarif) {
        write(&path, &sarif::text(&done))?;
    }
    if let Some(path) = beside(&args.markdown, &outputs.markdown) {
        write(&path, &markdown::text(&campaign.title, &done))?;
    }
    output::print(&match to_stdout {
        true => lines,
        false => markdown::lines(&done),
    })?;
    Ok(done.iter().all(|done| done.verdict == Verdict::Passed))
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|error| Failure::at(path.display(), error))
}
