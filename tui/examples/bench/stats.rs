//! Medians: what other programs do on the machine meanwhile disturbs some rounds, not the middle.

use std::time::Duration;

/// The middle value; the upper one of two.
pub fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("no duration or ratio here is NaN"));
    sorted[sorted.len() / 2]
}

/// How many of these fit in a second.
pub fn per_second(one: Duration) -> f64 {
    1.0 / one.as_secs_f64()
}

/// How long the threads of this process that are there now have run on a core so far, as Linux
/// counts it; elsewhere by the clock.
pub fn on_a_core() -> Duration {
    static BEGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let begin = *BEGIN.get_or_init(std::time::Instant::now);
    let of = |thread: std::io::Result<std::fs::DirEntry>| -> Option<u64> {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    let threads = std::fs::read_dir("/proc/self/task").ok();
    let nanoseconds = threads.and_then(|threads| threads.map(of).sum::<Option<u64>>());
    nanoseconds.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}
