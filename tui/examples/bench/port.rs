//! The shape `bluetooth` as Shuttle runs it: the same threads, the same accesses in the same order.
//!
//! Where the driver stops the system, this notes so and the run goes on to its end: Shuttle ends a
//! whole test at the first failure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shuttle::scheduler::RandomScheduler;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use shuttle::{Config, FailurePersistence, Runner, thread};

struct Bluetooth {
    pending_io: AtomicI32,
    stopping_flag: AtomicBool,
    stopping_event: AtomicBool,
    stopped: AtomicBool,
}

impl Bluetooth {
    /// A request begins; false if the device is being stopped.
    fn io_increment(&self) -> bool {
        if self.stopping_flag.load(SeqCst) {
            return false;
        }
        self.pending_io.fetch_add(1, SeqCst);
        true
    }

    /// A request ends.
    fn io_decrement(&self) {
        if self.pending_io.fetch_sub(1, SeqCst) == 1 {
            self.stopping_event.store(true, SeqCst);
        }
    }

    fn stop(&self) {
        self.stopping_flag.store(true, SeqCst);
        self.io_decrement();
        if self.stopping_event.load(SeqCst) {
            self.stopped.store(true, SeqCst);
        }
    }

    /// Makes a request; true if it uses what has been released.
    fn add(&self) -> bool {
        let fails = self.io_increment() && self.stopped.load(SeqCst);
        if !fails {
            self.io_decrement();
        }
        fails
    }
}

/// One run.
fn shape(failures: &AtomicU64) {
    let device = Arc::new(Bluetooth {
        pending_io: AtomicI32::new(1),
        stopping_flag: AtomicBool::new(false),
        stopping_event: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
    });
    let stopper = {
        let device = device.clone();
        thread::spawn(move || device.stop())
    };
    if device.add() {
        failures.fetch_add(1, Ordering::Relaxed);
    }
    stopper.join().expect("it does not panic");
}

/// Runs so many random schedules from a seed; the time, and how many of them fail.
pub fn run(seed: u64, schedules: usize) -> (Duration, u64) {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let scheduler = RandomScheduler::new_from_seed(seed, schedules);
    let failures = std::sync::Arc::new(AtomicU64::new(0));
    let seen = failures.clone();
    let begin = Instant::now();
    Runner::new(scheduler, config).run(move || shape(&seen));
    (begin.elapsed(), failures.load(Ordering::Relaxed))
}
