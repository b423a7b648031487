//! The published counts, and what a point more or less makes of them.

use super::count::{Count, count, search};
use super::dpor;
use super::list::{
    account, bluetooth, bluetooth_exclusive, deadlock01, reorder, stack, twostage, wronglock,
};
use super::model::Variation::*;
use super::model::{Shape, Variation};
use super::trace::traces;

/// Total, buggy, the number of the first buggy one, steps of the longest.
#[test]
fn all_schedules() {
    let known: [(Shape, u64, u64, u64, u64); 5] = [
        (account(), 28, 4, 3, 9),
        (twostage(1), 148, 3, 23, 13),
        (deadlock01(), 46, 3, 10, 12),
        (bluetooth(), 177, 10, 36, 15),
        (reorder(2, 1), 2770, 23, 126, 14),
    ];
    for (shape, total, buggy, first, steps) in known {
        let expected = Count {
            total,
            buggy,
            first: Some(first),
            steps,
        };
        assert_eq!(search(&shape, &[], u64::MAX), expected, "{}", shape.name);
        assert_eq!(count(&shape, &[]), (total, buggy));
    }
}

#[test]
fn the_first_buggy_schedule_of_many() {
    let known = [(wronglock(3), 3233), (stack(10), 22), (reorder(3, 1), 6409)];
    for (shape, first) in known {
        let found = search(&shape, &[], first);
        assert_eq!(
            (found.first, found.buggy),
            (Some(first), 1),
            "{}",
            shape.name
        );
    }
}

/// Of all traces: those without the bug, and those that lead to it. The published numbers are of a
/// search that ends runs at the bug; it misses traces without one where there are many that have it.
#[test]
fn all_traces() {
    let known = [
        (account(), 4, 2),
        (twostage(1), 2, 1),
        (deadlock01(), 2, 1),
        (bluetooth(), 9, 1),
        (reorder(2, 1), 44, 6),
        (reorder(3, 1), 1032, 33),
        (wronglock(3), 114, 240),
    ];
    for (shape, good, buggy) in known {
        let found = traces(&shape);
        assert_eq!(
            (found.good.len(), found.buggy.len()),
            (good, buggy),
            "{}",
            shape.name
        );
    }
}

/// Traces that a partial-order reduction runs, and how many of them show the bug.
///
/// All but the last are the published ones. For wronglock_3 those are 192 and 78: the 114 traces
/// without the bug agree, also with [`all_traces`]; how many runs end at the bug depends on what the
/// search does there, and 78 is fewer than any of the ways tried has. (Without looking for races at
/// the bug: 224 and 110, but then reorder_3 has 40 and 4.)
#[test]
fn partial_order_reduction() {
    let known = [
        (account(), 6, 2),
        (twostage(1), 3, 1),
        (deadlock01(), 3, 1),
        (bluetooth(), 10, 1),
        (reorder(2, 1), 46, 6),
        (reorder(3, 1), 921, 33),
        (wronglock(3), 258, 144),
    ];
    for (shape, total, buggy) in known {
        let found = dpor::search(&shape, &[]);
        assert_eq!((found.total, found.buggy), (total, buggy), "{}", shape.name);
    }
}

/// What a machine counts that differs from the conventions by one point or two.
#[test]
fn points_more_or_less() {
    let of = |shape: Shape, varied: &[Variation]| count(&shape, varied);
    // Three critical sections that are one step each, all threads created beforehand: 3!.
    assert_eq!(of(account(), &[NoCreate, NoUnlock]), (6, 2));
    // A request that creates them one after the other: 1 * 3 * 5 heap orders.
    assert_eq!(of(account(), &[NoUnlock]), (15, 3));
    // Waiting in one step is the same as ending, for who does nothing afterwards.
    for shape in [account(), twostage(1), deadlock01(), bluetooth()] {
        assert_eq!(count(&shape, &[JoinAll]), count(&shape, &[NoJoin]));
    }
    // Waiting for each is more than that, and what comes after it is nothing more.
    assert_eq!(of(deadlock01(), &[NoJoin]), (14, 3));
    assert_eq!(of(deadlock01(), &[Join]), (46, 3));
    assert_eq!(of(deadlock01(), &[Join, GoOn]), (46, 3));
    assert_eq!(of(account(), &[Join]), (184, 4));
    // Starting and ending are steps that nobody need order, and multiply schedules all the same.
    assert_eq!(of(deadlock01(), &[Start]), (194, 10));
    assert_eq!(of(deadlock01(), &[End]), (187, 3));
    assert_eq!(of(twostage(1), &[Try]), (376, 10));
    assert_eq!(of(twostage(1), &[Access]), (823, 4));
    // A counter whose update is one step, and one whose update is two that may fail.
    assert_eq!(of(bluetooth(), &[NoUnlock]), (73, 4));
    assert_eq!(of(bluetooth_exclusive(), &[]), (855, 70));
    // A read that nobody can race with, since there is one writer, as no point.
    assert_eq!(of(twostage(1), &[NoRacy]), (87, 3));
    // Without points at the racy accesses the bug of bluetooth is out of reach.
    assert_eq!(of(bluetooth(), &[NoRacy]), (2, 0));
}
