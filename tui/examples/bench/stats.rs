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
