//! The waits of a deadlock as sentences, and the chains that they form.

use super::model::WaitLine;
use crate::stop::{Awaited, ObjectKind};

/// A sentence for each wait, and then a line for each chain of several: who waits for what of whom,
/// who waits in turn.
pub fn lines(waits: &[WaitLine]) -> Vec<String> {
    let sentences = waits.iter().map(sentence);
    sentences.chain(chains(waits)).collect()
}

/// For example `core 0 waits for spin lock 8a001000, held by core 1, since 7:03`.
pub fn sentence(wait: &WaitLine) -> String {
    let who = match (&wait.stream, &wait.thread, wait.core) {
        (Some((stream, step)), _, _) => format!("stream {stream}, step {},", step + 1),
        (None, Some(thread), Some(core)) => format!("{thread} (core {core})"),
        _ => waiter(wait),
    };
    let what = match wait.awaited {
        Awaited::Condition(_) | Awaited::Listener(_) => format!("until {}", wait.object),
        _ => format!("for {}", wait.object),
    };
    let holder = match (holder(wait), wait.awaited) {
        // It is the holder.
        (_, Awaited::Object(ObjectKind::Thread, _)) | (None, _) => String::new(),
        (Some(holder), _) => format!(", held by {holder}"),
    };
    let since = match wait.since {
        Some(since) => format!(", since {since}"),
        None => String::new(),
    };
    format!("{who} waits {what}{holder}{since}")
}

/// Who waits, by the name under which it can hold something: a spinning core, a thread.
fn waiter(wait: &WaitLine) -> String {
    match (wait.awaited, &wait.thread, wait.core) {
        (Awaited::SpinLock(_), _, Some(core)) | (_, None, Some(core)) => format!("core {core}"),
        (_, Some(thread), _) => thread.clone(),
        (_, None, None) => String::new(),
    }
}

fn holder(wait: &WaitLine) -> Option<String> {
    let core = wait.holder.map(|core| format!("core {core}"));
    core.or_else(|| wait.holder_thread.clone())
}

/// Chains of more than one wait, and circles: from those that nobody waits for to the end.
fn chains(waits: &[WaitLine]) -> Vec<String> {
    let waiters: Vec<String> = waits.iter().map(waiter).collect();
    let holders: Vec<Option<String>> = waits.iter().map(holder).collect();
    // A core that spins holds what it took itself and what its thread took.
    let is = |i: usize, name: &String| {
        waiters[i] == *name
            || waits[i]
                .thread
                .as_ref()
                .is_some_and(|thread| thread == name)
    };
    let awaited = |i: &usize| holders.iter().flatten().any(|holder| is(*i, holder));
    let (inner, first): (Vec<usize>, Vec<usize>) = (0..waits.len()).partition(awaited);
    let mut told = vec![false; waits.len()];
    let mut chains = Vec::new();
    for start in first.into_iter().chain(inner) {
        let (mut path, mut at) = (Vec::new(), Some(start));
        let mut words = waiters[start].clone();
        while let Some(i) = at.filter(|i| !told[*i]) {
            let Some(holder) = &holders[i] else { break };
            told[i] = true;
            path.push(i);
            words += &format!(" -> {} -> {holder}", waits[i].object);
            at = (0..waits.len()).find(|&next| is(next, holder) && holders[next].is_some());
        }
        let circle = at.is_some_and(|i| path.contains(&i));
        if circle {
            words += ", a circle";
        }
        if circle || path.len() > 1 {
            chains.push(words);
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A core that spins for the n-th lock, or a thread that waits for the n-th mutex.
    fn wait(core: u8, thread: Option<&str>, object: u64) -> WaitLine {
        let (awaited, kind) = match thread {
            None => (Awaited::SpinLock(object), "lock"),
            Some(_) => (Awaited::Object(ObjectKind::Mutex, object), "mutex"),
        };
        WaitLine {
            core: Some(core),
            thread: thread.map(String::from),
            stream: None,
            awaited,
            object: format!("{kind} {object}"),
            holder: None,
            holder_thread: None,
            since: None,
        }
    }

    fn held_by_core(holder: u8, wait: WaitLine) -> WaitLine {
        WaitLine {
            holder: Some(holder),
            ..wait
        }
    }

    fn held_by(holder: &str, wait: WaitLine) -> WaitLine {
        WaitLine {
            holder_thread: Some(holder.into()),
            ..wait
        }
    }

    #[test]
    fn a_single_wait_is_no_chain() {
        assert!(chains(&[held_by_core(1, wait(0, None, 7)), wait(2, None, 8)]).is_empty());
    }

    #[test]
    fn a_lock_taken_twice_is_a_circle() {
        let waits = [held_by_core(0, wait(0, None, 7))];
        assert_eq!(chains(&waits), ["core 0 -> lock 7 -> core 0, a circle"]);
    }

    /// The chain begins outside of the circle that it ends in, though it is not the first wait.
    #[test]
    fn a_chain_into_a_circle_is_one_line() {
        let waits = [
            held_by("b", wait(0, Some("a"), 1)),
            held_by("a", wait(1, Some("b"), 2)),
            held_by("a", wait(0, Some("c"), 1)),
        ];
        let line = "c -> mutex 1 -> a -> mutex 1 -> b -> mutex 2 -> a, a circle";
        assert_eq!(chains(&waits), [line]);
    }

    /// A thread that spins still has its mutex.
    #[test]
    fn a_core_stands_for_its_thread() {
        let mut spins = held_by_core(1, wait(0, None, 7));
        spins.thread = Some("a".into());
        let waits = [spins, held_by("a", wait(1, Some("b"), 2))];
        assert_eq!(chains(&waits), ["b -> mutex 2 -> a -> lock 7 -> core 1"]);
    }
}
