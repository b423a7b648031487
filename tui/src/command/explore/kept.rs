//! The state of a search in a file, so that one that was killed goes on where it was.
//!
//! The file is written anew between batches and put in its place in one step: what it says is
//! always a whole number of batches, and runs after it are made again, with the same results.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use emu::search::{Progress, Search, Tally};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::Chosen;
use crate::failure::{Failure, Outcome};
use crate::replay_line::Answers;
use crate::session::Session;

/// How often the file is written.
const PERIOD: Duration = Duration::from_secs(2);
const FORM: &str = "irqlab-search 1";

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Content {
    form: String,
    /// The command line of the case and the search; hashes of the scenario and of the drivers.
    of: String,
    hash: u64,
    search: String,
    tally: Tally,
    /// Of the search and the tally: what they say is trusted.
    checksum: u64,
}

fn checksum(search: &str, tally: &Tally) -> u64 {
    let tally = serde_json::to_string(tally).unwrap_or_default();
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(search.as_bytes()), tally.as_bytes())
}

/// See the module.
pub(super) struct Kept {
    path: Option<PathBuf>,
    of: String,
    hash: u64,
    written: Option<Instant>,
}

impl Kept {
    /// Keeps the state of this search in that file, if there is one.
    pub(super) fn open(path: Option<&Path>, session: &Session, chosen: &Chosen) -> Kept {
        let line = session.replay_line(Answers::Schedule("-"));
        let drivers = session.loaded.case.drivers.iter();
        let hashes = drivers.map(|d| d.image.hash);
        let hash = hashes.fold(session.loaded.scenario_hash, |all, hash| {
            XxHash3_64::oneshot_with_seed(all, &hash.to_le_bytes())
        });
        Kept {
            path: path.map(Path::to_path_buf),
            of: format!(
                "{line}; {} {}{} from seed {}{}",
                chosen.name,
                chosen.bound.words(),
                if chosen.reduce { ", reduced," } else { "" },
                chosen.seeds.first,
                chosen.placing_words()
            ),
            hash,
            written: None,
        }
    }

    /// Puts the search where the file says it was, if the file is there.
    ///
    /// # Errors
    /// The file cannot be read, or is of another search.
    pub(super) fn load(&self, search: &mut dyn Search, tally: &mut Tally) -> Outcome<()> {
        let Some(path) = self.path.as_deref().filter(|path| path.exists()) else {
            return Ok(());
        };
        let wrong = |problem: String| {
            Failure::at(path.display(), problem)
                .mend("name another file, or delete this one to begin anew")
        };
        let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let content: Content = serde_json::from_str(&text)
            .map_err(|e| wrong(format!("it is no saved search ({e})")))?;
        if content.form != FORM {
            return Err(wrong(format!("its form is {}, not {FORM}", content.form)));
        }
        if content.of != self.of {
            let problem = format!("it is of another search ({}; now {})", content.of, self.of);
            return Err(wrong(problem));
        }
        if content.hash != self.hash {
            return Err(wrong("the scenario or a driver has changed since".into()));
        }
        if content.checksum != checksum(&content.search, &content.tally) {
            return Err(wrong("it is damaged: its checksum is another one".into()));
        }
        search.resume(&content.search).map_err(wrong)?;
        *tally = content.tally;
        Ok(())
    }

    /// Writes the file if it is time to: also before anything has been done, so that a file that
    /// cannot be written is not noticed when it is too late, and when no whole batch may follow.
    pub(super) fn note(&mut self, progress: &Progress<'_>) -> Outcome<()> {
        let fresh = self.written.is_some_and(|at| at.elapsed() < PERIOD);
        match fresh && !progress.ending {
            true => Ok(()),
            false => self.save(progress.search, progress.tally),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&mut self, search: &dyn Search, tally: &Tally) -> Outcome<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let saved = search.save();
        let content = Content {
            form: FORM.to_owned(),
            of: self.of.clone(),
            hash: self.hash,
            checksum: checksum(&saved, tally),
            search: saved,
            tally: tally.clone(),
        };
        let text = serde_json::to_string(&content)
            .map_err(|error| Failure::at("the state of the search", error))?;
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, path))
            .map_err(|error| Failure::at(path.display(), error))?;
        self.written = Some(Instant::now());
        Ok(())
    }
}
