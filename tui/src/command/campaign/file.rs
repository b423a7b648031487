//! What a campaign file says; docs/CAMPAIGNS.md explains every key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

/// A list, and where it and its items stand.
pub(super) type List<T> = Spanned<Vec<Spanned<T>>>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) defaults: Defaults,
    #[serde(default)]
    pub(super) output: Outputs,
    #[serde(default)]
    pub(super) job: Vec<Spanned<Job>>,
}

/// `[output]`: where results go.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outputs {
    pub(super) json: Option<PathBuf>,
    pub(super) junit: Option<PathBuf>,
    pub(super) sarif: Option<PathBuf>,
    pub(super) markdown: Option<PathBuf>,
}

/// Declares `[[job]]`, with the keys that only a job has and those that `[defaults]` may have for
/// all of them.
macro_rules! tables {
    (job { $($own:ident: $kind:ty,)* } both { $($key:ident: $value:ty,)* }) => {
        /// `[[job]]`: what is run, in every combination of its lists.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Job {
            $(pub(super) $own: Option<$kind>,)*
            $(pub(super) $key: Option<$value>,)*
        }

        /// `[defaults]`: what a job has unless it says otherwise.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Defaults {
            $(pub(super) $key: Option<$value>,)*
        }

        impl Job {
            /// The job with the defaults filled in.
            pub(super) fn with(mut self, defaults: &Defaults) -> Job {
                let own = [
                    [self.schedules.is_some(), self.seeds.is_some()],
                    [self.fault.is_some(), self.fault_sets.is_some()],
                ];
                $(self.$key = self.$key.or_else(|| defaults.$key.clone());)*
                // Of two keys that exclude each other, a job's own goes before that of all.
                match own[0] {
                    [true, false] => self.seeds = None,
                    [false, true] => self.schedules = None,
                    _ => {}
                }
                match own[1] {
                    [true, false] => self.fault_sets = None,
                    [false, true] => self.fault = None,
                    _ => {}
                }
                self
            }
        }
    };
}

tables! {
    job {
        name: Spanned<String>,
        scenario: Spanned<String>,
        drivers: List<String>,
        ioctl: List<String>,
        threads: Spanned<i64>,
        requests: Spanned<PathBuf>,
        registry: Spanned<PathBuf>,
        set: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    }
    both {
        profiles: List<String>,
        personalities: List<String>,
        cpus: List<i64>,
        fault: List<String>,
        fault_sets: Spanned<Vec<List<String>>>,
        oracles: List<String>,
        rules: List<String>,
        granularity: Spanned<String>,
        strategies: List<String>,
        explore: Spanned<String>,
        schedules: Spanned<i64>,
        seeds: Spanned<String>,
        seconds: Spanned<i64>,
        until_first: bool,
        shrink: bool,
    }
}
