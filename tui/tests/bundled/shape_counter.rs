//! A count that is lost within one instruction: where another core can come between its load and its
//! store, and only there. Needs `cargo xtask drivers`.

use emu::campaign::{self, Case};
use emu::choice::strategy::{self, Quiet, Replay, Strategy};
use emu::choice::{Actor, Choice, Moves, Operation};
use emu::machine::{Ended, Granularity, Watch};
use emu::oracle::{self, Finding, Spot};
use emu::position::Position;
use emu::stop::Stop;
use isa::Decoder;

use crate::support::{Setting, case};

const SEEDS: u64 = 2000;

/// The first runs, at `most` so many, that do not complete, of all seeds.
fn stops(case: &Case, granularity: Granularity, name: &str, most: usize) -> Vec<Ended> {
    let strategy = strategy::find(name).unwrap();
    let stops = |e: &Ended| e.stop != Stop::Completed;
    let mut missing = most;
    let enough = |_, ended: &Ended| {
        missing -= usize::from(stops(ended));
        missing > 0
    };
    let ended = campaign::seeds(case, granularity, strategy, 1..SEEDS + 1, 1, enough);
    let ended = ended.unwrap().into_iter().flatten();
    ended.filter(stops).collect()
}

/// Instructions of the counting threads that are two accesses to a field.
fn split_updates(case: &Case) -> usize {
    let image = &case.drivers[0].image;
    let symbols = image.symbols.as_ref().expect("the driver has symbols");
    let mut functions = symbols.functions();
    let found = functions.find(|(_, _, name)| *name == "counter::count");
    let (rva, length, _) = found.expect("it has its thread");
    let decoder = Decoder::new(case.plan.profile.arch());
    let code = &image.data[..(rva + length) as usize];
    let (mut at, mut count) = (rva as usize, 0);
    while at < code.len() {
        let insn = decoder.decode(&code[at..], at as u64).expect("it is code");
        count += usize::from(insn.is_split_update());
        at += usize::from(insn.len);
    }
    count
}

#[test]
fn the_compiler_makes_one_instruction_of_it() {
    for (profile, expected) in [("amd64", 1), ("i386", 1), ("arm64", 0)] {
        let of = |driver| split_updates(&case("counter", profile, &[("driver", driver)]));
        assert_eq!((of("buggy"), of("fixed")), (expected, 0), "{profile}");
    }
}

/// With another core at the same work it is lost, alone only where it is several instructions.
#[test]
fn one_processor_is_interrupted_between_instructions_only() {
    for (profile, alone) in [("amd64", false), ("i386", false), ("arm64", true)] {
        for (cpus, lost) in [("1", alone), ("2", true), ("3", true)] {
            let settings: [Setting<'_>; 1] = [("cpus", cpus)];
            let case = case("counter", profile, &settings);
            // Of so many choices one counts: a walk at random would take long.
            let both = [(Granularity::Access, "random"), (Granularity::Insn, "pct2")];
            for (granularity, strategy) in both {
                let found = stops(&case, granularity, strategy, 1);
                let here = format!("{profile} {cpus} {granularity:?}");
                assert_eq!(!found.is_empty(), lost, "{here}");
            }
        }
    }
}

/// Whatever a strategy asks for or passes, a choice has one number; and a recorded run tells of the
/// load where it was made.
#[test]
fn a_lost_count_is_replayed_and_told() {
    for profile in ["amd64", "i386", "arm64"] {
        let case = case("counter", profile, &[]);
        for name in ["random", "pct2", "pos", "surw"] {
            let found = stops(&case, Granularity::Access, name, 5);
            assert!(!found.is_empty(), "{name} on {profile}");
            for ended in &found {
                let here = format!("{name} on {profile}: {}", ended.moves);
                let quiet = run(&case, &ended.moves, Watch::Points);
                let told = run(&case, &ended.moves, Watch::Recording);
                for (_, again) in [&quiet, &told] {
                    assert_eq!(again.trace_hash, ended.trace_hash, "{here}");
                    assert_eq!(again.choices, ended.choices, "{here}");
                    assert_eq!(again.stop, ended.stop, "{here}");
                }
                let (machine, again) = &told;
                let race = oracle::find("race").expect("it is an oracle");
                let all = oracle::check(machine, again, &[race]);
                let counts = |place: &Spot| machine.place(place.pc).contains("counter::count");
                let both = |f: &&Finding| f.places.iter().filter(|p| counts(p)).count() == 2;
                let found = all.iter().find(both);
                let found = found.unwrap_or_else(|| panic!("{here}: {all:#?}"));
                assert_ne!(found.places[0].actor, found.places[1].actor, "{here}");
            }
        }
    }
}

fn run(case: &Case, moves: &Moves, watch: Watch) -> (emu::machine::Machine, Ended) {
    let mut machine = case.boot(Granularity::Access, watch).unwrap();
    let ended = machine.run(Box::new(Replay::new(moves.clone())));
    (machine, ended)
}

/// Lets things go on, and notes what goes on.
#[derive(Default)]
struct Listener(Vec<(Actor, Operation)>);

impl Strategy for Listener {
    fn choose(&mut self, choice: &Choice<'_>) -> usize {
        self.0.push((choice.actor(0), choice.operation(0)));
        0
    }

    fn quiet(&mut self, _next: &Choice<'_>) -> Quiet {
        Quiet::Ask
    }
}

/// Where a call has given a thread to an idle core everybody is asked anew, and who then goes on is
/// not asked about the same instruction once more: between two choices something happens.
#[test]
fn an_instruction_is_asked_about_once() {
    for profile in ["amd64", "i386", "arm64"] {
        let case = case("counter", profile, &[]);
        let mut machine = case.boot(Granularity::Insn, Watch::Recording).unwrap();
        let (ended, listener) = machine.run_and_return(Box::new(Listener::default()));
        assert_eq!(ended.stop, Stop::Completed);
        let listener: Box<dyn std::any::Any> = listener;
        let steps = listener.downcast::<Listener>().expect("it is the one").0;
        let moment = |choice: usize| {
            let choice = choice as u64;
            machine.retired_at(Position { choice, step: 0 })
        };
        let events = machine.recorder.events();
        for choice in 1..steps.len() {
            let happened = events.iter().any(|e| e.at.choice == choice as u64);
            let same = moment(choice) == moment(choice + 1) && steps[choice - 1] == steps[choice];
            assert!(
                happened || !same,
                "{profile}: choices {choice} and the next"
            );
        }
    }
}
