//! What going to a moment of a long run costs: the packet path of `kb931322` with the fixed driver,
//! with so many packets that the run has ten million instructions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use emu::campaign::Campaign;
use emu::choice::strategy::Random;
use emu::explain::{RunHeader, explain};
use emu::machine::Granularity;
use emu::scenario::{self, Selection};
use emu::travel::{Direction, Motion, Record, Traveller};

use crate::stats::median;
use crate::support::{load, root};

/// How often the hosts send what they send six times in the scenario.
const REPEAT: &str = "repeat = 1500, step";
/// Moments that are gone to, and steps that are made back.
const MOMENTS: u64 = 200;
const STEPS: usize = 1000;

pub fn print() {
    println!("Going to moments of a long run");
    println!(
        "  kb931322 amd64 fixed, random 1, more packets; median and worst of {MOMENTS} moments"
    );
    println!();
    for granularity in [Granularity::Sync, Granularity::Access] {
        measure(granularity);
    }
    println!();
}

fn measure(granularity: Granularity) {
    let text = std::fs::read_to_string(root().join("scenarios/kb931322.toml")).unwrap();
    let text = text.replace("repeat = 6, step", REPEAT);
    let scenario = scenario::parse("kb931322.toml", &text).unwrap();
    let selection = Selection {
        set: vec![("driver".into(), "fixed".into())],
        ..Selection::default()
    };
    let mut plan = scenario
        .expand(&selection, &|path| Err(path.to_owned()))
        .unwrap();
    plan.limits.instructions = 100_000_000;
    plan.limits.choices = 100_000_000;
    let case = load(plan);
    let mut campaign = Campaign::new(&case, granularity).unwrap();
    let begin = Instant::now();
    let ended = campaign.run(Box::new(Random::new(1)));
    let run = begin.elapsed();
    let begin = Instant::now();
    let told = explain(&case, granularity, &ended.moves, &RunHeader::default()).unwrap();
    let recorded = begin.elapsed();
    let begin = Instant::now();
    let record = Arc::new(Record::new(told));
    let indexed = begin.elapsed();
    let mut traveller = Traveller::new(&case, granularity, record.clone()).unwrap();
    let begin = Instant::now();
    traveller.seek(record.last());
    let first = begin.elapsed();

    let (start, end) = (record.retired(record.first()), record.path().len() as u64);
    let mut seed = 1u64;
    let mut seeks: Vec<Duration> = Vec::new();
    for _ in 0..MOMENTS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = record.moment(start + (seed >> 33) % (end - start));
        let begin = Instant::now();
        traveller.seek(at);
        seeks.push(begin.elapsed());
    }
    let mut at = record.focus_at_end();
    let mut steps: Vec<Duration> = Vec::new();
    for _ in 0..STEPS {
        let back = Direction::Backward;
        let Some(to) = record.go(at, Motion::Instruction, back, &BTreeSet::new()) else {
            break;
        };
        at = to;
        let begin = Instant::now();
        traveller.seek(at.at);
        steps.push(begin.elapsed());
    }
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "  {:6} {:>10} instructions, {:>8} choices: run {:.0} ms, recorded {:.0}, indexed {:.0}, first way {:.0}",
        granularity.name(),
        record.path().len(),
        record.choices(),
        ms(run),
        ms(recorded),
        ms(indexed),
        ms(first)
    );
    println!(
        "         a moment {:.1} ms ({:.1} at worst), an instruction back {:.2} ms ({:.1} at worst)",
        ms(median(&seeks)),
        ms(seeks.iter().copied().max().unwrap_or_default()),
        ms(median(&steps)),
        ms(steps.iter().copied().max().unwrap_or_default())
    );
}
