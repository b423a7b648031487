//! Runs of the model whose choices a strategy answers, asked as a machine asks it.

use emu::choice::strategy::{Dice, Hints, Quiet, StrategyKind, find};
use emu::choice::{Actor, Choice, Moves, Strategy};

use super::model::{Program, State, Status, run};

/// Which points a strategy may pass without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// None.
    Nothing,
    /// Accesses, as a machine does.
    Accesses,
    /// All, as long as the same threads are enabled.
    Everything,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The bug has shown.
    pub bug: bool,
    /// The answers that were not option 0.
    pub moves: Moves,
    /// Choices, and steps of each thread.
    pub hints: Hints,
    /// Choices that the strategy was asked.
    pub asked: u64,
    /// A choice was announced and answered with option 0.
    pub false_promise: bool,
}

/// Runs a program.
pub fn drive(program: &Program, strategy: &mut dyn Strategy, passing: Passing) -> Run {
    let (mut state, mut status) = program.start();
    let mut out = Run::default();
    let mut enabled = Vec::new();
    let mut options = Vec::new();
    let mut announced = false;
    while status == Status::Running {
        state.enabled(&mut enabled);
        let mut taken = enabled[0];
        if enabled.len() > 1 {
            options.clear();
            options.extend(enabled.iter().copied().map(run));
            out.hints.choices += 1;
            out.asked += 1;
            let answer = strategy.choose(&Choice {
                number: out.hints.choices,
                options: &options,
                current: state.current as u8,
                announced,
                view: &state,
            });
            out.false_promise |= announced && answer == 0;
            if answer != 0 {
                out.moves.0.push((out.hints.choices, answer as u32));
            }
            taken = enabled[answer];
        }
        announced = false;
        if strategy.observes() {
            strategy.observe(&state, run(taken));
        }
        status = step(&mut state, taken, &mut out);
        if status != Status::Running || passing == Passing::Nothing {
            continue;
        }
        state.enabled(&mut enabled);
        if enabled.len() < 2 {
            continue;
        }
        options.clear();
        options.extend(enabled.iter().copied().map(run));
        let mut left = match strategy.quiet(&Choice {
            number: out.hints.choices + 1,
            options: &options,
            current: state.current as u8,
            announced: false,
            view: &state,
        }) {
            Quiet::Ask => continue,
            Quiet::Pass(n) => n,
            Quiet::Forever => u64::MAX,
        };
        let mut same = enabled.clone();
        while status == Status::Running && same == enabled && passes(&state, taken, passing) {
            if left == 0 {
                announced = true;
                break;
            }
            left -= 1;
            out.hints.choices += 1;
            status = step(&mut state, taken, &mut out);
            state.enabled(&mut same);
        }
    }
    out.bug = status == Status::Bug;
    out
}

fn passes(state: &State, t: usize, passing: Passing) -> bool {
    match passing {
        Passing::Nothing => false,
        Passing::Accesses => state.can_run(t) && state.accesses_next(t),
        Passing::Everything => state.can_run(t),
    }
}

fn step(state: &mut State, t: usize, out: &mut Run) -> Status {
    let actor = Actor::Thread(t as u32);
    *out.hints.steps.entry(actor).or_default() += 1;
    state.step(t)
}

/// What runs of a program tell: the most choices and the most steps of each thread, of so many
/// random runs.
pub fn learn(program: &Program, runs: u64) -> Hints {
    let random = find("random").expect("it is in the list");
    let mut all = Hints::default();
    for seed in 0..runs {
        let seen = drive(program, &mut *random.start(seed), Passing::Nothing).hints;
        all.choices = all.choices.max(seen.choices);
        for (actor, steps) in seen.steps {
            let most: &mut u64 = all.steps.entry(actor).or_default();
            *most = (*most).max(steps);
        }
    }
    all
}

/// The seed of run `run` of experiment `experiment`: no two share a stream.
pub fn seed(experiment: u64, run: u64) -> u64 {
    Dice::new(Dice::new(experiment).bits() ^ run.wrapping_mul(0xD6E8_FEB8_6659_FD93)).bits()
}

/// Runs until the first bug, of each of a number of experiments.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// For each experiment, the number of the run that showed the bug.
    pub at: Vec<Option<u64>>,
}

impl Found {
    /// The mean over the experiments that found it.
    pub fn mean(&self) -> f64 {
        let found: Vec<u64> = self.at.iter().flatten().copied().collect();
        found.iter().sum::<u64>() as f64 / found.len() as f64
    }

    /// How many found it.
    pub fn found(&self) -> usize {
        self.at.iter().flatten().count()
    }
}

/// `experiments` times: runs of a strategy until the first bug, at most `cap`.
pub fn search(
    program: &Program,
    strategy: &StrategyKind,
    hints: &Hints,
    experiments: u64,
    cap: u64,
) -> Found {
    let bug = |seed| {
        let mut strategy = (strategy.make)(seed, hints);
        drive(program, &mut *strategy, Passing::Accesses).bug
    };
    let at = (0..experiments)
        .map(|e| (1..=cap).find(|&i| bug(seed(e, i))))
        .collect();
    Found { at }
}
