//! The results of a campaign in a file, so that one that was killed goes on where it was.
//!
//! The file is written anew after every job and put in its place in one step. The job that was
//! interrupted has the state of its search in a file beside it, with the same name and `.search`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::job::Done;
use crate::failure::{Failure, Outcome};

const FORM: &str = "irqlab-campaign 1";

#[derive(Serialize, Deserialize)]
struct Content {
    form: String,
    /// Of the results as JSON: what they say is trusted.
    checksum: u64,
    done: Vec<Done>,
}

/// See the module.
pub(super) struct Kept(Option<PathBuf>);

impl Kept {
    pub(super) fn new(path: Option<&Path>) -> Kept {
        Kept(path.map(Path::to_path_buf))
    }

    /// Where the state of the search of the present job is kept.
    pub(super) fn search(&self) -> Option<PathBuf> {
        self.0.as_deref().map(|path| with_suffix(path, ".search"))
    }

    /// The results that the file has, if it is there. `keys` are those of the campaign's jobs.
    ///
    /// # Errors
    /// The file cannot be read, or is of another campaign.
    pub(super) fn load(&self, keys: &[String]) -> Outcome<Vec<Done>> {
        let Some(path) = self.0.as_deref().filter(|path| path.exists()) else {
            // What an older campaign may have left.
            self.forget_search();
            return Ok(Vec::new());
        };
        let wrong = |problem: String| {
            Failure::at(path.display(), problem)
                .mend("name another file, or delete this one to begin anew")
        };
        let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let content: Content = serde_json::from_str(&text)
            .map_err(|e| wrong(format!("it does not hold a campaign's results ({e})")))?;
        if content.form != FORM {
            return Err(wrong(format!("its form is {}, not {FORM}", content.form)));
        }
        if content.checksum != checksum(&content.done) {
            return Err(wrong("it is damaged: its checksum is another one".into()));
        }
        if content.done.len() > keys.len() {
            return Err(wrong("it is of another campaign: it has more jobs".into()));
        }
        let other = content
            .done
            .iter()
            .zip(keys)
            .find(|(done, key)| done.key != **key);
        match other {
            None => Ok(content.done),
            Some((done, _)) => Err(wrong(format!(
                "job '{} / {}' of the campaign, its scenario or a driver has changed since",
                done.suite, done.name
            ))),
        }
    }

    /// Writes the file, and forgets the search of the job that is done.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&self, done: &[Done]) -> Outcome<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        let content = Content {
            form: FORM.to_owned(),
            checksum: checksum(done),
            done: done.to_vec(),
        };
        let text = serde_json::to_string(&content).map_err(|e| Failure::at("the results", e))?;
        let new = with_suffix(path, ".new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, path))
            .map_err(|error| Failure::at(path.display(), error))?;
        self.forget_search();
        Ok(())
    }

    fn forget_search(&self) {
        if let Some(search) = self.search() {
            // It may never have been written.
            let _ = fs::remove_file(search);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn checksum(done: &[Done]) -> u64 {
    let text = serde_json::to_string(done).unwrap_or_default();
    XxHash3_64::oneshot(text.as_bytes())
}
