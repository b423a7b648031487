//! Non-determinism: every decision of the outside world is a numbered choice, answered by a
//! strategy, and recorded as a schedule.

mod actor;
mod deviation;
mod operation;
mod questions;
pub mod schedule;
mod scope;
pub mod strategy;

pub use actor::Actor;
pub use deviation::Deviation;
pub use operation::{Effect, Operation, Touch};
pub use questions::{Question, Questions};
pub use schedule::Moves;
pub use scope::{Kinds, Scope, World};
pub use strategy::{Strategy, StrategyKind};

/// What kind of decision an option belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChoiceKind {
    /// Which core executes next.
    Core,
    /// A pending device interrupt is delivered to a core.
    Interrupt,
    /// A DPC that was queued without a request to its core is retired.
    Dpc,
    /// The clock notices that a timer is due.
    Timer,
    /// A packet arrives, on a core.
    Packet,
    /// A thread gives way to another one.
    Thread,
    /// A fault strikes: an allocation fails, a page leaves memory, a routine runs too high.
    Fault,
}

impl ChoiceKind {
    /// All kinds.
    pub const ALL: [ChoiceKind; 7] = [
        Self::Core,
        Self::Interrupt,
        Self::Dpc,
        Self::Timer,
        Self::Packet,
        Self::Thread,
        Self::Fault,
    ];

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Interrupt => "interrupt",
            Self::Dpc => "dpc",
            Self::Timer => "timer",
            Self::Packet => "packet",
            Self::Thread => "thread",
            Self::Fault => "fault",
        }
    }
}

/// Something that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The core goes on with what it does (an idle core takes a ready thread).
    Run(u8),
    /// The core's running thread gives way to a ready one.
    Switch(u8),
    /// The core services its pending interrupt from this source.
    Interrupt {
        /// The core.
        core: u8,
        /// The interrupt's source.
        source: u32,
    },
    /// The core retires its DPC queue.
    Dpcs(u8),
    /// The clock of the core finds expired timers.
    Clock(u8),
    /// The next packet of a stream arrives, its interrupt on this core.
    Packet {
        /// Index of the stream.
        stream: u16,
        /// The core.
        core: u8,
    },
    /// A fault does not strike.
    Spare,
    /// A fault strikes, by index of the rule.
    Strike(u16),
}

impl Action {
    /// The kind of decision.
    pub fn kind(self) -> ChoiceKind {
        match self {
            Action::Run(_) => ChoiceKind::Core,
            Action::Switch(_) => ChoiceKind::Thread,
            Action::Interrupt { .. } => ChoiceKind::Interrupt,
            Action::Dpcs(_) => ChoiceKind::Dpc,
            Action::Clock(_) => ChoiceKind::Timer,
            Action::Packet { .. } => ChoiceKind::Packet,
            Action::Spare | Action::Strike(_) => ChoiceKind::Fault,
        }
    }

    /// In words, as option `taken` of a choice at which `current` was the core that ran.
    pub fn words(self, current: u8) -> String {
        match self {
            Action::Run(core) if core == current => of_core(core, "goes on"),
            Action::Run(core) => of_core(core, "takes over"),
            Action::Switch(core) => of_core(core, "switches threads"),
            Action::Interrupt { core, .. } => of_core(core, "is interrupted"),
            Action::Dpcs(core) => of_core(core, "retires its DPCs"),
            Action::Clock(core) => format!("a timer expires on core {core}"),
            Action::Packet { stream, core } => {
                format!("a packet of stream {stream} arrives on core {core}")
            }
            Action::Spare => "no fault".into(),
            Action::Strike(rule) => format!("fault rule {rule} strikes"),
        }
    }
}

/// What a core does, in words. The trace has them for every deviation, and `format!` takes longer than
/// the rest of making one.
fn of_core(core: u8, does: &str) -> String {
    let mut words = String::with_capacity(32);
    words.push_str("core ");
    let digits = [core / 100, core / 10 % 10, core % 10];
    let leading = digits.iter().take(2).take_while(|&&d| d == 0).count();
    let digits = digits[leading..].iter();
    words.extend(digits.map(|&digit| char::from(b'0' + digit)));
    words.push(' ');
    words.push_str(does);
    words
}

/// What a strategy may know of the machine besides the options.
pub trait View {
    /// Whose step an option is.
    fn actor(&self, option: Action) -> Actor;
    /// What the step would touch first: its operation that others can see.
    fn operation(&self, option: Action) -> Operation;
    /// What steps may have changed besides what their operations say.
    fn aside(&self) -> Aside {
        Aside::default()
    }
    /// The address in driver code at which the step of an option begins; 0 where it is in none.
    fn place(&self, _option: Action) -> u64 {
        0
    }
    /// The call stack of the core that the choice is about, innermost first: of the one that a fault
    /// would strike, else of the one that ran last. Empty where it is not in driver code.
    fn stack(&self) -> Vec<u64> {
        Vec::new()
    }
}

/// What the kernel changes on the way from a step to the next point, which no operation tells: a core
/// that becomes idle, a received packet that a miniport makes or takes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// A bit for each idle core, as the dispatcher sees them when it has a thread to give away.
    pub idle: u32,
    /// A hash of the ready threads and of the thread of each core.
    pub threads: u64,
    /// Allocations from pool so far.
    pub allocated: u64,
    /// Blocks of pool freed so far.
    pub freed: u64,
}

/// A decision to be made: at least two options, the first being the one that changes least.
pub struct Choice<'a> {
    /// Its number in the run, from 1.
    pub number: u64,
    /// What can happen.
    pub options: &'a [Action],
    /// The core that ran last.
    pub current: u8,
    /// The strategy itself announced, by [`Strategy::quiet`], that it deviates here: option 0 is
    /// not to be taken.
    pub announced: bool,
    /// The machine.
    pub view: &'a dyn View,
}

impl Choice<'_> {
    /// Whose step an option is.
    pub fn actor(&self, option: usize) -> Actor {
        self.view.actor(self.options[option])
    }

    /// What the step of an option would touch first.
    pub fn operation(&self, option: usize) -> Operation {
        self.view.operation(self.options[option])
    }

    /// Where in driver code the step of an option begins: see [`View::place`].
    pub fn place(&self, option: usize) -> u64 {
        self.view.place(self.options[option])
    }

    /// What taking an option means for the schedule.
    pub fn deviation(&self, option: usize) -> Deviation {
        Deviation::of(self.options, self.current, option)
    }

    /// Whether the core that ran last can go on: it does so if option 0 is taken.
    pub fn could_go_on(&self) -> bool {
        self.options[0] == Action::Run(self.current)
    }
}
