//! The steps of a long command: at most two at a time, each with the time that it took.
//!
//! Much of a build keeps one core busy only: a linker, the front end of the compiler on a large
//! crate, `configure` of a C library. Beside it there is something else to do.

use crate::failure::{Failure, Outcome};
use crate::process::say;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Why a lock is never poisoned.
const QUIET: &str = "nobody panics while holding it";

/// The steps of one command.
pub struct Steps {
    begin: Instant,
    /// A step has failed: no other is begun.
    failed: AtomicBool,
    /// What the first of those said, until it is told.
    first: Mutex<Option<Failure>>,
    done: Mutex<Vec<Step>>,
}

/// A step that has ended, well or not.
struct Step {
    name: &'static str,
    /// When it began, counted from the beginning of the command.
    at: Duration,
    took: Duration,
}

impl Steps {
    pub fn new() -> Steps {
        Steps {
            begin: Instant::now(),
            failed: AtomicBool::new(false),
            first: Mutex::default(),
            done: Mutex::default(),
        }
    }

    /// Takes one step; its name is what the table calls it.
    ///
    /// # Errors
    /// What the step that failed first said; a step after that is not begun.
    pub fn run(&self, name: &'static str, step: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
        if self.failed.load(Relaxed) {
            return Err(Failure::step(format!("{name}: not begun")));
        }
        let at = self.begin.elapsed();
        let outcome = step();
        let took = self.begin.elapsed() - at;
        self.done.lock().expect(QUIET).push(Step { name, at, took });
        outcome.map_err(|failure| {
            if !self.failed.swap(true, Relaxed) {
                *self.first.lock().expect(QUIET) = Some(failure);
            }
            Failure::step(format!("{name}: failed"))
        })
    }

    /// Takes the steps of `one` and those of `other` at the same time.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn beside(
        &self,
        one: impl FnOnce() -> Outcome<()> + Send,
        other: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<()> {
        thread::scope(|threads| {
            let one = threads.spawn(one);
            let other = other();
            one.join().expect("it does not panic").and(other)
        })
    }

    /// Says how long each step took, in the order in which they began, and all together; and what
    /// the first that failed said.
    pub fn end(&self, outcome: Outcome<()>) -> Outcome<()> {
        for line in self.table() {
            say(line);
        }
        say(format!("{} all together", seconds(self.begin.elapsed())));
        let first = self.first.lock().expect(QUIET).take();
        outcome.map_err(|failure| first.unwrap_or(failure))
    }

    fn table(&self) -> Vec<String> {
        let mut done = self.done.lock().expect(QUIET);
        done.sort_by_key(|step| step.at);
        let line = |step: &Step| {
            let (from, took) = (seconds(step.at), seconds(step.took));
            format!("{took} from {from}: {}", step.name)
        };
        done.iter().map(line).collect()
    }
}

fn seconds(time: Duration) -> String {
    format!("{:6.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn both_are_taken_at_the_same_time_and_told() {
        let steps = &Steps::new();
        let ((ask, asked), (answer, answered)) = (mpsc::channel(), mpsc::channel());
        let one = move || {
            steps.run("one", || {
                ask.send(()).unwrap();
                answered.recv().unwrap();
                Ok(())
            })
        };
        let other = || {
            steps.run("other", || {
                asked.recv().unwrap();
                answer.send(()).unwrap();
                Ok(())
            })
        };
        steps.beside(one, other).unwrap();
        let mut names: Vec<String> = steps.table();
        names.sort_by_key(|line| line.ends_with("other"));
        assert!(names[0].ends_with(": one") && names[1].ends_with(": other"));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn after_a_failure_nothing_is_begun_and_its_words_are_kept() {
        let steps = &Steps::new();
        let (failed, told) = mpsc::channel();
        let one = move || {
            let outcome = steps.run("bad", || Err(Failure::step("no good")));
            failed.send(()).unwrap();
            outcome
        };
        let other = || {
            told.recv().unwrap();
            steps.run("late", || panic!("it is begun"))
        };
        let outcome = steps.beside(one, other);
        assert!(steps.run("later", || panic!("it is begun")).is_err());
        assert_eq!(steps.table().len(), 1);
        assert_eq!(steps.end(outcome).unwrap_err().message, "no good");
    }
}
