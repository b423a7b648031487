//! The shapes, as the literature has them.

use emu::choice::Effect::{Read, Write};

use super::model::{Env, Flow, Op, Shape};
use Flow::{Bug, End, Next, Skip};
use Op::{Create, Lock, Own, Protected, Racy, Unlock};

fn shape(name: &str, others: Vec<Vec<Op>>, vars: &[i64], locks: usize) -> Shape {
    let mut threads = vec![(1..=others.len()).map(Create).collect()];
    threads.extend(others);
    Shape {
        name: name.into(),
        threads,
        vars: vars.to_vec(),
        locks,
        joins: true,
    }
}

fn check(good: bool) -> Flow {
    match good {
        true => Next,
        false => Bug,
    }
}

/// A deposit, a withdrawal and a check of both, whose expectation is wrong: it fails where the check
/// comes last.
pub fn account() -> Shape {
    // 0 balance, 1 deposited, 2 withdrawn
    let checker = vec![
        Lock(0),
        Protected(1, Read, |e| if e.vars[1] == 1 { Next } else { Skip(2) }),
        Protected(2, Read, |e| if e.vars[2] == 1 { Next } else { Skip(1) }),
        Protected(0, Read, |e| check(e.vars[0] == 1 - 2 - 4)),
        Unlock(0),
    ];
    let deposit = vec![
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] += 2;
            Next
        }),
        Protected(1, Write, |e| {
            e.vars[1] = 1;
            Next
        }),
        Unlock(0),
    ];
    let withdraw = vec![
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] -= 4;
            Next
        }),
        Protected(2, Write, |e| {
            e.vars[2] = 1;
            Next
        }),
        Unlock(0),
    ];
    let others = vec![checker, deposit, withdraw];
    Shape {
        joins: false,
        ..shape("account", others, &[1, 0, 0], 1)
    }
}

/// Two fields that belong together, each under its own lock: `writers` threads that set one and then
/// the other, and one that reads them between.
pub fn twostage(writers: usize) -> Shape {
    let writer = vec![
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] = 1;
            Next
        }),
        Unlock(0),
        Lock(1),
        Racy(0, Read, |e| {
            e.own[0] = e.vars[0] + 1;
            Next
        }),
        Protected(1, Write, |e| {
            e.vars[1] = e.own[0];
            Next
        }),
        Unlock(1),
    ];
    let reader = vec![
        Lock(0),
        Protected(0, Read, |e| {
            e.own[0] = e.vars[0];
            Next
        }),
        Unlock(0),
        Own(|e| if e.own[0] == 0 { End } else { Next }),
        Lock(1),
        Protected(1, Read, |e| {
            e.own[1] = e.vars[1];
            Next
        }),
        Unlock(1),
        Own(|e| check(e.own[1] == e.own[0] + 1)),
    ];
    let mut others = vec![writer; writers];
    others.push(reader);
    let name = format!("twostage_{}", writers + 1);
    shape(&name, others, &[0, 0], 2)
}

/// One counter under two locks: a thread that holds one lock while `others` threads hold the other.
pub fn wronglock(others: usize) -> Shape {
    let load = |e: &mut Env| {
        e.own[1] = e.vars[0];
        Next
    };
    let store = |e: &mut Env| {
        e.vars[0] = e.own[1] + 1;
        Next
    };
    let a = vec![
        Lock(0),
        Racy(0, Read, |e| {
            e.own[0] = e.vars[0];
            Next
        }),
        Racy(0, Read, load),
        Racy(0, Write, store),
        Racy(0, Read, |e| check(e.vars[0] == e.own[0] + 1)),
        Unlock(0),
    ];
    let b = vec![
        Lock(1),
        Racy(0, Read, load),
        Racy(0, Write, store),
        Unlock(1),
    ];
    let mut threads = vec![a];
    threads.extend(vec![b; others]);
    shape(&format!("wronglock_{others}"), threads, &[0], 2)
}

/// Two fields that are written one after the other without a lock, and checkers that must see both
/// or neither.
pub fn reorder(setters: usize, checkers: usize) -> Shape {
    let set = vec![
        Racy(0, Write, |e| {
            e.vars[0] = 1;
            Next
        }),
        Racy(1, Write, |e| {
            e.vars[1] = -1;
            Next
        }),
    ];
    // (a == 0 && b == 0) || (a == 1 && b == -1), each operand loaded where it is needed.
    let checker = vec![
        Racy(0, Read, |e| if e.vars[0] == 0 { Next } else { Skip(1) }),
        Racy(1, Read, |e| if e.vars[1] == 0 { End } else { Next }),
        Racy(0, Read, |e| check(e.vars[0] == 1)),
        Racy(1, Read, |e| check(e.vars[1] == -1)),
    ];
    let mut others = vec![set; setters];
    others.extend(vec![checker; checkers]);
    let name = format!("reorder_{setters}_{checkers}");
    shape(&name, others, &[0, 0], 0)
}

/// A stack whose popper believes a flag that is never cleared.
pub fn stack(times: usize) -> Shape {
    // 0 top, 1 flag
    let push = [
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] += 1;
            Next
        }),
        Protected(1, Write, |e| {
            e.vars[1] = 1;
            Next
        }),
        Unlock(0),
    ];
    let pop = [
        Lock(0),
        Protected(1, Read, |e| if e.vars[1] == 1 { Next } else { Skip(2) }),
        Protected(0, Read, |e| check(e.vars[0] != 0)),
        Protected(0, Write, |e| {
            e.vars[0] -= 1;
            Next
        }),
        Unlock(0),
    ];
    let others = vec![push.repeat(times), pop.repeat(times)];
    shape("stack", others, &[0, 0], 1)
}

/// Two locks, taken in both orders.
pub fn deadlock01() -> Shape {
    let one = |a, b, count| {
        vec![
            Lock(a),
            Lock(b),
            Protected(0, Write, count),
            Unlock(b),
            Unlock(a),
        ]
    };
    let up = one(0, 1, |e| {
        e.vars[0] += 1;
        Next
    });
    let down = one(1, 0, |e| {
        e.vars[0] -= 1;
        Next
    });
    shape("deadlock01", vec![up, down], &[0], 2)
}

/// A driver that counts the requests at work, and one that removes the device when the count says
/// that there are none (KISS, Qadeer and Wu, PLDI 2004). The counter has a lock of its own, and M is
/// the request.
pub fn bluetooth() -> Shape {
    // 0 pendingIo, 1 stoppingFlag, 2 stoppingEvent, 3 stopped
    let decrement = [
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] -= 1;
            e.own[0] = e.vars[0];
            Next
        }),
        Unlock(0),
        Own(|e| if e.own[0] == 0 { Next } else { Skip(1) }),
        Racy(2, Write, |e| {
            e.vars[2] = 1;
            Next
        }),
    ];
    let mut request = vec![
        Create(1),
        Racy(1, Read, |e| if e.vars[1] == 0 { Next } else { Skip(4) }),
        Lock(0),
        Protected(0, Write, |e| {
            e.vars[0] += 1;
            Next
        }),
        Unlock(0),
        Racy(3, Read, |e| check(e.vars[3] == 0)),
    ];
    request.extend(decrement);
    let mut stop = vec![Racy(1, Write, |e| {
        e.vars[1] = 1;
        Next
    })];
    stop.extend(decrement);
    stop.push(Racy(2, Read, |e| if e.vars[2] == 1 { Next } else { End }));
    stop.push(Racy(3, Write, |e| {
        e.vars[3] = 1;
        Next
    }));
    let mut shape = shape("bluetooth", vec![stop], &[1, 0, 0, 0], 1);
    shape.threads[0] = request;
    shape
}

/// The same where the counter has no lock, but is updated by an exclusive load and an exclusive
/// store, two points; if somebody else has stored in between, the store fails and both are tried
/// again. The load counts as a write: in a machine it is what the update is ordered by.
pub fn bluetooth_exclusive() -> Shape {
    // 0 to 3 as above, 4 stores to pendingIo. Own: 0 its value, 1 the number of stores when it was
    // loaded, 2 what is to be added.
    let load = Racy(0, Write, |e| {
        e.own[0] = e.vars[0];
        e.own[1] = e.vars[4];
        Next
    });
    fn store(e: &mut Env, rest: usize) -> Flow {
        if e.vars[4] != e.own[1] {
            return Next;
        }
        e.own[0] += e.own[2];
        e.vars[0] = e.own[0];
        e.vars[4] += 1;
        Skip(rest)
    }
    // The stopping thread stores once, so the request fails at most once at each update; the request
    // stores twice.
    let once = [
        load,
        Racy(0, Write, |e| store(e, 2)),
        load,
        Racy(0, Write, |e| store(e, 0)),
    ];
    let twice = [
        load,
        Racy(0, Write, |e| store(e, 4)),
        load,
        Racy(0, Write, |e| store(e, 2)),
        load,
        Racy(0, Write, |e| store(e, 0)),
    ];
    let up = Own(|e| {
        e.own[2] = 1;
        Next
    });
    let down = Own(|e| {
        e.own[2] = -1;
        Next
    });
    let event = [
        Own(|e| if e.own[0] == 0 { Next } else { Skip(1) }),
        Racy(2, Write, |e| {
            e.vars[2] = 1;
            Next
        }),
    ];
    let mut request = vec![
        Create(1),
        Racy(1, Read, |e| if e.vars[1] == 0 { Next } else { Skip(6) }),
        up,
    ];
    request.extend(once);
    request.push(Racy(3, Read, |e| check(e.vars[3] == 0)));
    request.push(down);
    request.extend(once);
    request.extend(event);
    let mut stop = vec![
        Racy(1, Write, |e| {
            e.vars[1] = 1;
            Next
        }),
        down,
    ];
    stop.extend(twice);
    stop.extend(event);
    stop.push(Racy(2, Read, |e| if e.vars[2] == 1 { Next } else { End }));
    stop.push(Racy(3, Write, |e| {
        e.vars[3] = 1;
        Next
    }));
    let mut shape = shape("bluetooth_exclusive", vec![stop], &[1, 0, 0, 0, 0], 0);
    shape.threads[0] = request;
    shape
}
