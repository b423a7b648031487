//! The explanation of a crash against the drivers' sources: on every profile it names the lines
//! that did it.

use emu::explain::Explained;
use emu::report::{Place, WhyStep};
use emu::stop::{Access, Bugcheck, Stop};

use crate::support::{self, case, source_line, told};

/// The first crash of a scenario, told.
#[track_caller]
fn crash(scenario: &str, profile: &str) -> (Explained, Bugcheck) {
    let case = case(scenario, profile, &[]);
    let (seed, ended) = &*support::crash(scenario, profile);
    let told = told(&case, &ended.moves);
    println!("{scenario} {profile}, seed {seed}");
    for s in &told.report.why {
        let note = s.note.as_deref().unwrap_or("");
        println!(
            "({}) {} c{} {} {}  {}  {note}",
            s.number, s.at, s.core, s.verb, s.what, s.place
        );
    }
    let Stop::Bugcheck(bugcheck) = &told.ended.stop else {
        panic!("{:?}", told.ended.stop)
    };
    assert_eq!(told.ended.stop, ended.stop);
    let bugcheck = (**bugcheck).clone();
    (told, bugcheck)
}

/// The steps with this verb.
fn steps<'a>(told: &'a Explained, verb: &str) -> Vec<&'a WhyStep> {
    told.report.why.iter().filter(|s| s.verb == verb).collect()
}

/// The one step with this verb about this.
#[track_caller]
fn step<'a>(told: &'a Explained, verb: &str, what: &str) -> &'a WhyStep {
    let about = |s: &&WhyStep| s.what.starts_with(what);
    match steps(told, verb)
        .into_iter()
        .filter(about)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [step] => step,
        other => panic!("{verb} {what}: {other:?}"),
    }
}

/// The place is in this file, and its line of source has these words.
#[track_caller]
fn is_at(place: &Place, file: &str, words: &str) {
    let (path, line) = place.source.as_ref().expect("a source line");
    let text = source_line(path, *line);
    assert!(path.ends_with(file), "{place} is not in {file}");
    assert!(text.contains(words), "{place}: '{text}' has no '{words}'");
}

/// The frame of a function on a stack.
#[track_caller]
fn frame<'a>(stack: &'a [Place], function: &str) -> &'a Place {
    let named = |p: &&Place| p.function.as_deref().is_some_and(|f| f.ends_with(function));
    stack
        .iter()
        .find(named)
        .unwrap_or_else(|| panic!("{function} is not in {stack:#?}"))
}

/// The functions are on the stack, in this order from the inside.
#[track_caller]
fn comes_from(stack: &[Place], functions: &[&str]) {
    let mut rest = stack.iter();
    for function in functions {
        let named = |p: &Place| p.function.as_deref().is_some_and(|f| f.ends_with(function));
        assert!(
            rest.any(named),
            "{function} is not where it should be in {stack:#?}"
        );
    }
}

/// Steps are numbered, in order of time, and the last one is the access that stops the machine.
#[track_caller]
fn is_in_order(told: &Explained, bugcheck: &Bugcheck, verb: &str) {
    let why = &told.report.why;
    assert!(why.iter().map(|s| s.number).eq(1..=why.len() as u32));
    assert!(why.is_sorted_by_key(|s| s.at));
    let last = why.last().expect("a story");
    assert_eq!(
        (last.verb.as_str(), last.core, last.place.pc),
        (verb, bugcheck.core, bugcheck.pc)
    );
    assert_eq!(last.at, told.machine.position());
}

/// The reset on one core frees the table of preserved addresses while another core walks it.
#[test]
fn reset_frees_what_a_packet_uses() {
    for profile in ["i386", "amd64", "ia64"] {
        let (told, bugcheck) = crash("kb931322", profile);
        is_in_order(&told, &bugcheck, "read");

        let alloc = step(&told, "alloc", "NatP");
        comes_from(
            &alloc.stack,
            &[
                "preserve::create",
                "ensure_table",
                "dispatch_device_control",
            ],
        );
        is_at(
            frame(&alloc.stack, "preserve::create"),
            "preserve.rs",
            "os::allocate",
        );

        let free = step(&told, "free", "NatP");
        comes_from(
            &free.stack,
            &["reset::reset_interface", "dispatch_device_control"],
        );
        let freeing = free
            .stack
            .iter()
            .find(|p| p.source.as_ref().is_some_and(|s| s.0.ends_with("reset.rs")));
        // A tail call leaves no frame: then it is the caller's line.
        is_at(freeing.expect("a frame in reset.rs"), "reset.rs", "free");
        is_at(
            frame(&free.stack, "reset_interface"),
            "reset.rs",
            "free_retired_table(retired)",
        );

        let read = step(&told, "read", "NatP +0x");
        is_at(&read.place, "preserve.rs", "(*slot).private.load");
        comes_from(
            &read.stack,
            &[
                "find_preserved_address",
                "translate::outbound",
                "firewall_hook",
            ],
        );
        is_at(
            frame(&read.stack, "lock_with_preserved"),
            "preserve.rs",
            "find_preserved_address(table, host)",
        );

        assert_ne!(
            free.core, read.core,
            "the free and the use are on different cores"
        );
        assert!(alloc.at < free.at && free.at <= read.at);
        let note = format!("core {} still uses it and holds no lock", read.core);
        assert_eq!(free.note.as_deref(), Some(note.as_str()));

        // The block is the one that was touched, and the cores are where the story says.
        let (va, access) = bugcheck.access.expect("an access");
        assert_eq!((access, va), (Access::Read, bugcheck.params[0]));
        let user = &told.report.cores[usize::from(read.core)];
        assert_eq!((user.irql, user.context.as_str()), (2, "DPC"));
        assert_eq!(user.stack.first(), Some(&read.place));
        let other = &told.report.cores[usize::from(free.core)];
        comes_from(
            &other.stack,
            &["reset_interface", "dispatch_device_control"],
        );

        // The decisions that mattered: the walk is interrupted before the free.
        let choices = steps(&told, "choice");
        let before = choices
            .iter()
            .find(|c| c.at <= free.at)
            .expect("a choice before the free");
        assert_eq!(before.core, read.core);
        let walking = before.place.function.as_deref();
        assert!(
            walking.is_some_and(|f| f.ends_with("find_preserved_address")),
            "{before:?}"
        );
    }
}

/// The chain of received bytes ends before its size says, and the walk reads from nothing.
#[test]
fn a_chain_shorter_than_its_size() {
    for profile in ["i386", "alpha"] {
        let (told, bugcheck) = crash("q252664", profile);
        is_in_order(&told, &bugcheck, "read");
        assert!(
            bugcheck.params[0] < 0x1000,
            "a null pointer: {:x?}",
            bugcheck.params
        );

        let read = told.report.why.last().expect("a story");
        is_at(&read.place, "tcp/deliver.rs", "(*piece).ipr_size");
        comes_from(
            &read.stack,
            &["deliver::drain", "deliver::finish", "input::receive"],
        );

        let pick = step(&told, "pick", "a null pointer");
        is_at(&pick.place, "tcp/deliver.rs", "(*pending).head");
        assert_eq!(pick.core, read.core);
        let wrote = step(&told, "wrote", "a null pointer");
        is_at(&wrote.place, "ipr.rs", "self.head = (*piece).ipr_next");
        assert!(wrote.at < pick.at && pick.at < read.at);

        // Both are the head of the connection's pending queue.
        let connection = step(&told, "alloc", "TcpC");
        is_at(&connection.place, "tdi/files.rs", "allocate_zeroed");
        for s in [pick, wrote] {
            assert!(s.what.contains("TcpC block +0x"), "{}", s.what);
        }

        // The last piece that was there was handed over and freed, as it should be.
        let piece = step(&told, "free", "IPrb");
        comes_from(&piece.stack, &["packet::free", "deliver::drain"]);
        is_at(
            frame(&piece.stack, "packet::free"),
            "link/packet.rs",
            "ex::free(piece)",
        );
        is_at(
            frame(&piece.stack, "deliver::drain"),
            "tcp/deliver.rs",
            "packet::free(done)",
        );
        assert_eq!(piece.note, None);
        assert!(piece.at <= pick.at);
    }
}
