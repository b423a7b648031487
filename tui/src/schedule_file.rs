//! A recorded run in a file: one line of text with everything that the run depends on.
//!
//! `irqlab-schedule 1 scenario=sample text=HASH profile=amd64 ... moves=4B*7.` are words separated
//! by spaces; a space, a percent sign and control characters in a value are written `%XX`. The
//! number is the version of this form. `set.`, `fault`, `rule` and `driver` may occur more than once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use emu::choice::{ChoiceKind, Kinds, Moves, World};
use emu::explain::Explained;
use emu::machine::Granularity;
use emu::personality::Personality;
use emu::scenario::{CPUS_MAX, Selection};
use isa::Profile;

use crate::case::Loaded;
use crate::catalogue::Source;
use crate::session::{Openness, Session};

const MAGIC: &str = "irqlab-schedule";
const VERSION: &str = "1";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleFile {
    /// The scenario, as the user called it.
    pub scenario: String,
    /// Its text and the words that make it, of one that is in no file.
    pub made: Option<(String, String)>,
    /// Hash of its text.
    pub text: u64,
    /// The emulated machine.
    pub profile: Profile,
    /// The modelled Windows.
    pub personality: Personality,
    /// Number of processors.
    pub cpus: u8,
    /// Every setting.
    pub settings: BTreeMap<String, String>,
    /// The faults of the command line.
    pub faults: Vec<String>,
    /// The levels of rules of the command line.
    pub rules: Vec<String>,
    /// How often the outside world decided.
    pub granularity: Granularity,
    /// Kinds of choices that were none.
    pub world: World,
    /// Whether accesses that race were scheduling points.
    pub races: bool,
    /// The strategy that found the run.
    pub strategy: String,
    /// Its seed.
    pub seed: u64,
    /// The drivers in load order, with the hash of their bytes.
    pub drivers: Vec<(String, u64)>,
    /// Hash of the run's events.
    pub trace: u64,
    /// The schedule.
    pub moves: Moves,
}

impl ScheduleFile {
    /// The file of a run.
    pub fn of(session: &Session, explained: &Explained) -> ScheduleFile {
        let plan = &session.loaded.case.plan;
        let run = &explained.report.run;
        ScheduleFile {
            scenario: session.source.name.clone(),
            made: made(&session.source),
            text: session.loaded.scenario_hash,
            profile: plan.profile,
            personality: plan.personality,
            cpus: plan.cpus,
            settings: plan.settings.clone(),
            faults: session.selection.faults.clone(),
            rules: session.selection.rules.clone(),
            granularity: session.openness.granularity,
            world: session.openness.world,
            races: session.openness.races,
            strategy: run.strategy.clone(),
            seed: run.seed,
            drivers: hashes(&session.loaded),
            trace: explained.ended.trace_hash,
            moves: explained.ended.moves.clone(),
        }
    }

    /// The choices that the file makes.
    pub fn selection(&self) -> Selection {
        Selection {
            profile: Some(self.profile),
            personality: Some(self.personality),
            cpus: Some(self.cpus),
            set: self.settings.clone().into_iter().collect(),
            faults: self.faults.clone(),
            oracles: Vec::new(),
            rules: self.rules.clone(),
        }
    }

    /// Which decisions were open.
    pub fn openness(&self) -> Openness {
        Openness {
            granularity: self.granularity,
            world: self.world,
            races: self.races,
        }
    }

    /// Checks that what was loaded is what the schedule was recorded with.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, loaded: &Loaded) -> Result<(), String> {
        if self.text != loaded.scenario_hash {
            return Err(format!(
                "it was recorded with another text of scenario {} (hash {:016x}, now {:016x})",
                self.scenario, self.text, loaded.scenario_hash
            ));
        }
        let now = hashes(loaded);
        if self.drivers == now {
            return Ok(());
        }
        let names = |drivers: &[(String, u64)]| {
            let names: Vec<_> = drivers.iter().map(|(name, _)| name.clone()).collect();
            names.join(", ")
        };
        let other = self
            .drivers
            .iter()
            .zip(&now)
            .find(|(then, now)| then != now);
        Err(match other {
            Some(((then, hash), (name, new))) if then == name => format!(
                "it was recorded with other bytes of {name} (hash {hash:016x}, now {new:016x})"
            ),
            _ => format!(
                "it was recorded with other drivers ({}; now {})",
                names(&self.drivers),
                names(&now)
            ),
        })
    }
}

/// What a schedule has to hold of a scenario that is in no file: its text and what makes it.
pub(crate) fn made(source: &Source) -> Option<(String, String)> {
    source
        .made
        .then(|| (source.text.clone(), source.call.clone()))
}

fn hashes(loaded: &Loaded) -> Vec<(String, u64)> {
    let drivers = loaded.case.drivers.iter();
    drivers
        .map(|d| (d.image.name.clone(), d.image.hash))
        .collect()
}

impl fmt::Display for ScheduleFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAGIC} {VERSION} scenario={}", escaped(&self.scenario))?;
        if let Some((text, call)) = &self.made {
            write!(f, " made={} call={}", escaped(text), escaped(call))?;
        }
        write!(
            f,
            " text={:016x} profile={}",
            self.text,
            self.profile.name()
        )?;
        write!(f, " personality={} cpus={}", self.personality, self.cpus)?;
        for (key, value) in &self.settings {
            write!(f, " set.{}={}", escaped(key), escaped(value))?;
        }
        for fault in &self.faults {
            write!(f, " fault={}", escaped(fault))?;
        }
        for rule in &self.rules {
            write!(f, " rule={}", escaped(rule))?;
        }
        write!(f, " granularity={}", self.granularity.name())?;
        for (key, kinds) in [("hold", self.world.held), ("prompt", self.world.prompt)] {
            if kinds != Kinds::NONE {
                let names: Vec<&str> = kinds.iter().map(ChoiceKind::name).collect();
                write!(f, " {key}={}", names.join(","))?;
            }
        }
        if self.races {
            write!(f, " races=true")?;
        }
        write!(
            f,
            " strategy={} seed={}",
            escaped(&self.strategy),
            self.seed
        )?;
        for (name, hash) in &self.drivers {
            write!(f, " driver={}:{hash:016x}", escaped(name))?;
        }
        write!(f, " trace={:016x} moves={}", self.trace, self.moves)
    }
}

impl FromStr for ScheduleFile {
    type Err = String;

    fn from_str(text: &str) -> Result<ScheduleFile, String> {
        let mut words = text.split_ascii_whitespace();
        if words.next() != Some(MAGIC) {
            return Err(format!("not a schedule: it does not begin with '{MAGIC}'"));
        }
        match words.next() {
            Some(VERSION) => {}
            version => {
                let version = version.unwrap_or("none");
                return Err(format!(
                    "its form has version {version}; this irqlab reads {VERSION}"
                ));
            }
        }
        let mut single: BTreeMap<&str, String> = BTreeMap::new();
        let (mut settings, mut faults, mut drivers) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut rules = Vec::new();
        for word in words {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| format!("'{word}' is not KEY=VALUE"))?;
            let value = unescaped(value).ok_or_else(|| format!("'{word}' has a bad % escape"))?;
            if let Some(setting) = key.strip_prefix("set.") {
                let setting = unescaped(setting).ok_or_else(|| format!("bad key '{key}'"))?;
                settings.insert(setting, value);
            } else if key == "fault" {
                faults.push(value);
            } else if key == "rule" {
                rules.push(value);
            } else if key == "driver" {
                let (name, hash) = value
                    .rsplit_once(':')
                    .ok_or_else(|| format!("'{word}' has no hash"))?;
                drivers.push((name.to_owned(), hexadecimal(key, hash)?));
            } else if single.insert(key, value).is_some() {
                return Err(format!("'{key}' is there twice"));
            }
        }
        let mut take = |key: &str| {
            single
                .remove(key)
                .ok_or_else(|| format!("'{key}=' is missing"))
        };
        let unknown = |key: &str, value: &str| format!("'{value}' is no {key} that irqlab knows");
        let profile = take("profile")?;
        let personality = take("personality")?;
        let granularity = take("granularity")?;
        // Not there unless something is no choice.
        let hold = take("hold").unwrap_or_default();
        let prompt = take("prompt").unwrap_or_default();
        let races = take("races").unwrap_or_default();
        let kinds = |list: &str| {
            let names = list.split(',').filter(|name| !name.is_empty());
            names
                .map(|name| {
                    ChoiceKind::from_name(name).ok_or_else(|| unknown("kind of choice", name))
                })
                .collect::<Result<Kinds, _>>()
        };
        let world = World {
            held: kinds(&hold)?,
            prompt: kinds(&prompt)?,
        };
        // A scenario in a file has neither.
        let made = take("made").ok().zip(take("call").ok());
        let cpus = take("cpus")?;
        let seed = take("seed")?;
        let file = ScheduleFile {
            scenario: take("scenario")?,
            made,
            text: hexadecimal("text", &take("text")?)?,
            profile: Profile::from_name(&profile).ok_or_else(|| unknown("profile", &profile))?,
            personality: Personality::from_name(&personality)
                .ok_or_else(|| unknown("personality", &personality))?,
            cpus: cpus
                .parse()
                .ok()
                .filter(|n| (1..=CPUS_MAX).contains(n))
                .ok_or_else(|| unknown("number of processors", &cpus))?,
            settings,
            faults,
            rules,
            granularity: Granularity::from_name(&granularity)
                .ok_or_else(|| unknown("granularity", &granularity))?,
            world,
            races: races == "true",
            strategy: take("strategy")?,
            seed: seed.parse().map_err(|_| unknown("seed", &seed))?,
            drivers,
            trace: hexadecimal("trace", &take("trace")?)?,
            moves: take("moves")?.parse()?,
        };
        match single.keys().next() {
            Some(key) => Err(format!("there is no key '{key}'")),
            None => Ok(file),
        }
    }
}

fn hexadecimal(key: &str, text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| format!("'{text}' in '{key}=' is no hash"))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' | '%' => out += &format!("%{:02X}", u32::from(c)),
            c if c.is_whitespace() || c.is_control() => {
                c.encode_utf8(&mut [0; 4])
                    .bytes()
                    .for_each(|b| out += &format!("%{b:02X}"));
            }
            c => out.push(c),
        }
    }
    out
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ScheduleFile {
        ScheduleFile {
            scenario: "my folder/sample 100%.toml".into(),
            made: None,
            text: 0x1234,
            profile: Profile::Ia64,
            personality: Personality::Ws2003Sp2,
            cpus: 3,
            settings: BTreeMap::from([("driver".into(), "buggy".into())]),
            faults: vec!["pool.fail:nth=3".into(), "irql.raise:at=a b".into()],
            rules: vec!["all=stop".into()],
            granularity: Granularity::Sync,
            world: World {
                held: Kinds::NONE.with(ChoiceKind::Thread),
                prompt: Kinds::NONE.with(ChoiceKind::Packet),
            },
            races: true,
            strategy: "random".into(),
            seed: 7,
            drivers: vec![("sample.sys".into(), u64::MAX)],
            trace: 0xABC,
            moves: Moves(vec![(5, 1), (9, 2)]),
        }
    }

    #[test]
    fn one_readable_line_and_back() {
        let text = sample().to_string();
        assert_eq!(
            text,
            "irqlab-schedule 1 scenario=my%20folder/sample%20100%25.toml text=0000000000001234 \
             profile=ia64 personality=ws2003-sp2 cpus=3 set.driver=buggy fault=pool.fail:nth=3 \
             fault=irql.raise:at=a%20b rule=all=stop granularity=sync hold=thread prompt=packet \
             races=true strategy=random \
             seed=7 driver=sample.sys:ffffffffffffffff trace=0000000000000abc moves=4B3C"
        );
        assert_eq!(text.parse(), Ok(sample()));
        assert_eq!(format!("{text}\n").parse(), Ok(sample()));
    }

    #[test]
    fn a_scenario_that_is_in_no_file_comes_with_its_text() {
        let made = Some(("title = \"a\"\n".to_owned(), "load a.sys".to_owned()));
        let file = ScheduleFile { made, ..sample() };
        let text = file.to_string();
        assert!(text.contains("made=title%20=%20\"a\"%0A call=load%20a.sys"));
        assert_eq!(text.parse(), Ok(file));
    }

    #[test]
    fn every_damage_has_its_message() {
        let good = sample().to_string();
        let cases = [
            ("", "not a schedule"),
            ("irqlab-schedule 9 moves=-", "version 9"),
            (
                &good.replace("profile=ia64", "profile=vax"),
                "'vax' is no profile",
            ),
            (
                &good.replace("cpus=3", "cpus=0"),
                "'0' is no number of processors",
            ),
            (&good.replace(" seed=7", ""), "'seed=' is missing"),
            (
                &good.replace("seed=7", "seed=7 seed=8"),
                "'seed' is there twice",
            ),
            (&good.replace("seed=7", "sead=7 seed=7"), "no key 'sead'"),
            (&good.replace("moves=4B3C", "moves=4!"), "'!'"),
            (&good.replace("%20", "%G0"), "bad % escape"),
            (
                &good.replace("trace=0000000000000abc", "trace=xyz"),
                "no hash",
            ),
        ];
        for (text, part) in cases {
            let error = text.parse::<ScheduleFile>().unwrap_err();
            assert!(error.contains(part), "{error:?} should say {part:?}");
        }
    }
}
