//! Faults on correct drivers: each kind makes one fail as it does on the real system, and the
//! explanation names the injection as the cause.

use emu::campaign::Case;
use emu::choice::strategy::Random;
use emu::choice::{Moves, Scope};
use emu::explain::Explained;
use emu::machine::{BootError, Granularity, Watch};
use emu::report::WhyStep;
use emu::search;
use emu::stop::{Bugcheck, Stop};
use emu::trace::EventKind;
use emu::trace::event::PacketOp;

use crate::support::{self, case, case_with_faults, load, plan, source_line, told};

const FIXED: [(&str, &str); 1] = [("driver", "fixed")];

/// A NAT router with correct drivers, and these faults.
#[track_caller]
fn router(profile: &str, faults: &[&str]) -> Case {
    case_with_faults("kb931322", profile, &FIXED, faults)
}

/// The run in which the outside world does nothing on its own.
#[track_caller]
fn quiet(case: &Case) -> Explained {
    told(case, &Moves::default())
}

#[track_caller]
fn bugcheck(told: &Explained) -> &Bugcheck {
    match &told.ended.stop {
        Stop::Bugcheck(bugcheck) => bugcheck,
        other => panic!("{other:?}"),
    }
}

/// The steps of the explanation with this verb.
fn steps<'a>(told: &'a Explained, verb: &str) -> Vec<&'a WhyStep> {
    told.report.why.iter().filter(|s| s.verb == verb).collect()
}

/// The one injection that the explanation tells of.
#[track_caller]
fn injection(told: &Explained) -> &WhyStep {
    match steps(told, "inject").as_slice() {
        [step] => step,
        other => panic!("{other:?}"),
    }
}

/// The injection is told, and what stops the machine comes after it.
#[track_caller]
fn is_the_cause(injected: &WhyStep, told: &Explained) {
    let last = told.report.why.last().expect("a story");
    assert!(
        injected.number < last.number && injected.at <= last.at,
        "{injected:?} {last:?}"
    );
}

#[test]
fn correct_drivers_live_without_faults_and_with_their_pages_gone() {
    for profile in ["i386", "amd64", "ia64"] {
        for faults in [&[][..], &["memory.page_out:every=true"]] {
            let told = quiet(&router(profile, faults));
            assert_eq!(told.ended.stop, Stop::Completed, "{profile} {faults:?}");
            assert_eq!(told.report.why.is_empty(), faults.is_empty());
        }
    }
}

/// A routine in pageable code, called too high, is the page fault that nobody can wait for:
/// 0xD1 with operation 8 (execution), the address being that of the routine.
#[test]
fn pageable_code_at_dispatch_level() {
    for profile in ["i386", "amd64", "ia64"] {
        let routine = "control::dispatch_device_control";
        let raise = format!("irql.raise:function={routine},nth=2");
        let told = quiet(&router(profile, &[&raise, "memory.page_out:every=true"]));
        let b = bugcheck(&told);
        assert_eq!((b.code, b.irql), (0xD1, 2), "{profile}");
        assert_eq!(b.params, [b.pc, 2, 8, b.pc]);
        assert!(told.machine.place(b.pc).ends_with(routine));

        // Of the pages that left while the driver lived, only the last made it fail.
        let raised = steps(&told, "inject")
            .into_iter()
            .find(|s| s.what.starts_with("irql.raise"));
        let raised = raised.expect("the raise is told");
        assert_eq!(
            raised.what,
            format!("irql.raise: {routine} runs at IRQL 2 instead of 0")
        );
        is_the_cause(raised, &told);
        for verb in ["page out", "raise", "execute"] {
            let step = steps(&told, verb);
            assert_eq!(step.len(), 1, "{profile} {verb}");
            assert_eq!(
                (step[0].at, step[0].core),
                (raised.at, raised.core),
                "{profile} {verb}"
            );
        }
        let (file, line) = raised.place.source.clone().expect("a source line");
        assert!(
            source_line(&file, line).contains("dispatch_device_control"),
            "{file}:{line}"
        );
    }
}

/// Who runs above DISPATCH_LEVEL and asks for DISPATCH_LEVEL by a raise is stopped with 0x09.
#[test]
fn a_routine_above_the_level_that_it_raises_to() {
    for profile in ["i386", "ia64"] {
        let told = quiet(&router(
            profile,
            &["irql.raise:function=hook::translate_packet,level=5,nth=3"],
        ));
        let b = bugcheck(&told);
        assert_eq!((b.code, b.irql), (0x09, 5), "{profile}");
        assert_eq!(b.params[..2], [5, 2], "from IRQL 5 to IRQL 2");
        let injected = injection(&told);
        assert_eq!(
            injected.what,
            "irql.raise: hook::translate_packet runs at IRQL 5 instead of 2"
        );
        is_the_cause(injected, &told);
    }
}

/// Two administrators ask at the same time, and the second waits for the first: at DISPATCH_LEVEL
/// that is a switch of threads where there can be none, 0xB8.
#[test]
fn a_wait_at_dispatch_level() {
    let faults = ["irql.raise:call=KeWaitForSingleObject,every=true"];
    let crowded = |faults: &[&str]| {
        let mut plan = plan("kb931322", "amd64", &FIXED, faults).unwrap_or_else(|e| panic!("{e}"));
        let netsh = plan
            .threads
            .iter()
            .find(|t| t.name == "netsh")
            .expect("a thread")
            .clone();
        plan.threads.push(netsh);
        load(plan)
    };
    let ends = |case: &Case| {
        let stops = (1..=20).map(|seed| support::run(case, Granularity::Sync, seed));
        stops.map(|e| e.stop).collect::<Vec<_>>()
    };
    assert!(ends(&crowded(&[])).iter().all(|s| *s == Stop::Completed));

    let case = crowded(&faults);
    let (_, ended) = support::first(&case, |e| e.stop != Stop::Completed);
    let told = told(&case, &ended.moves);
    let b = bugcheck(&told);
    assert_eq!((b.code, b.irql), (0xB8, 2));
    let raised = *steps(&told, "inject").last().expect("the raise is told");
    assert_eq!(
        raised.what,
        "irql.raise: KeWaitForSingleObject runs at IRQL 2 instead of 0"
    );
    is_the_cause(raised, &told);
}

/// A call that sets the IRQL itself sets it all the same: a lock that is released lowers it.
#[test]
fn what_a_raised_call_sets_stays() {
    for profile in ["amd64", "arm64"] {
        let raise = "irql.raise@KeReleaseSpinLock:level=5,every=true";
        let told = quiet(&case_with_faults("deadlock", profile, &FIXED, &[raise]));
        assert_eq!(told.ended.stop, Stop::Completed, "{profile}");
        assert!(!steps(&told, "inject").is_empty(), "{profile}");
        let low = told.report.cores.iter().all(|c| c.irql == 0);
        assert!(low, "{profile}: {:?}", told.report.cores);
    }
}

/// What was raised is lowered when the routine or the call returns.
#[test]
fn a_raise_ends_with_what_it_raised() {
    for (fault, times) in [
        // Three requests for the device, one of them a reset; nine that a driver completes.
        (
            "irql.raise:function=control::dispatch_device_control,every=true",
            3,
        ),
        ("irql.raise:function=reset::reset_interface,every=true", 1),
        ("irql.raise:call=IofCompleteRequest,every=true", 9),
    ] {
        for profile in ["i386", "amd64", "ia64"] {
            let told = quiet(&router(profile, &[fault]));
            assert_eq!(told.ended.stop, Stop::Completed, "{profile} {fault}");
            // It cannot be raised again unless it was lowered.
            assert_eq!(steps(&told, "inject").len(), times, "{profile} {fault}");
            let low = told.report.cores.iter().all(|c| c.irql == 0);
            assert!(low, "{profile} {fault}: {:?}", told.report.cores);
        }
    }
}

#[test]
fn a_request_without_memory_is_refused() {
    const INSUFFICIENT_RESOURCES: u32 = 0xC000_009A;
    for (rule, thread, function) in [
        ("pool.fail:nth=1,tag=NatI", "rras", "Interface::create"),
        ("pool.fail:nth=1,tag=NatP", "rras", "preserve::create"),
        ("pool.fail:nth=2,tag=NatP", "netsh", "preserve::create"),
    ] {
        let told = quiet(&router("amd64", &[rule]));
        match &told.ended.stop {
            Stop::Request {
                thread: who,
                status,
                ..
            } => {
                assert_eq!((who.as_str(), *status), (thread, INSUFFICIENT_RESOURCES));
            }
            other => panic!("{rule}: {other:?}"),
        }
        let injected = injection(&told);
        assert!(
            injected.what.starts_with("pool.fail: an allocation of 0x"),
            "{injected:?}"
        );
        let stack: Vec<_> = injected
            .stack
            .iter()
            .filter_map(|p| p.function.as_deref())
            .collect();
        assert!(
            stack.iter().any(|f| f.ends_with(function)),
            "{rule}: {stack:?}"
        );
        is_the_cause(injected, &told);
        assert_eq!(
            told.report.why.last().map(|s| s.verb.as_str()),
            Some("complete")
        );
    }
}

/// Whichever allocation fails: a correct driver loses a packet or refuses a request, and lives.
#[test]
fn any_one_allocation_may_fail() {
    let packets = |told: &Explained| {
        let sent = |k: &EventKind| {
            matches!(
                k,
                EventKind::Packet {
                    op: PacketOp::Sent,
                    ..
                }
            )
        };
        told.machine
            .recorder
            .events()
            .iter()
            .filter(|e| sent(&e.kind))
            .count()
    };
    for (scenario, profile) in [("kb931322", "amd64"), ("q252664", "i386")] {
        let whole = packets(&told(
            &case_with_faults(scenario, profile, &FIXED, &[]),
            &Moves::default(),
        ));
        let mut poorer = 0;
        for nth in (1..=75).step_by(5) {
            let rule = format!("pool.fail:nth={nth}");
            let told = quiet(&case_with_faults(scenario, profile, &FIXED, &[&rule]));
            let lives = matches!(
                &told.ended.stop,
                Stop::Completed | Stop::Request { .. } | Stop::Deadlock { .. }
            );
            assert!(lives, "{scenario} {rule}: {:?}", told.ended.stop);
            assert!(injection(&told).what.starts_with("pool.fail"));
            poorer += usize::from(packets(&told) < whole);
        }
        assert!(
            poorer > 10,
            "{scenario}: {poorer} of 40 runs sent fewer packets than {whole}"
        );
    }
}

/// Without `nth` or `every` the schedule decides, and the run can be had again.
#[test]
fn a_strike_is_a_choice() {
    let case = router("amd64", &["pool.fail:tag=NatP"]);
    let mut ends = [0, 0];
    for seed in 1..=20 {
        let ended = support::run(&case, Granularity::Sync, seed);
        let again = {
            let mut machine = case.boot(Granularity::Sync, Watch::Points).unwrap();
            machine.run(Box::new(Random::new(seed)))
        };
        assert_eq!(ended.trace_hash, again.trace_hash);
        ends[usize::from(ended.stop == Stop::Completed)] += 1;
    }
    assert!(
        ends[0] >= 5 && ends[1] >= 1,
        "{ends:?}: two allocations, each as likely as not to fail"
    );
}

/// Every kind, by its case: the driver with the defect stops as the scenario tells, the strike is
/// the cause in the story, the correct driver lives with it, and nobody stops without it.
#[test]
fn every_kind_breaks_what_it_is_to_break() {
    for kind in emu::faults::KINDS {
        for profile in ["amd64", "i386", "arm64"] {
            let run = |driver, strike| {
                let settings = [("fault", kind.name), ("driver", driver), ("strike", strike)];
                told(&case("faults", profile, &settings), &Moves::default())
            };
            let name = format!("{} on {profile}", kind.name);
            let broken = run("buggy", "true");
            assert!(broken.report.expected, "{name}: {:?}", broken.ended.stop);
            assert_ne!(broken.ended.stop, Stop::Completed, "{name}");
            let injected = steps(&broken, "inject");
            let word = format!("{}: ", kind.name);
            assert!(!injected.is_empty(), "{name}: nothing is told");
            assert!(injected.iter().all(|s| s.what.starts_with(&word)), "{name}");
            // A stop that is none of Windows is no step of a story.
            if matches!(broken.ended.stop, Stop::Bugcheck(_)) {
                is_the_cause(injected[0], &broken);
            }

            let lives = run("fixed", "true");
            assert_eq!(lives.ended.stop, Stop::Completed, "{name}, correct");
            assert!(!steps(&lives, "inject").is_empty(), "{name}, correct");

            let lucky = run("buggy", "false");
            assert_eq!(lucky.ended.stop, Stop::Completed, "{name}, no fault");
            assert!(steps(&lucky, "inject").is_empty(), "{name}, no fault");
        }
    }
}

/// A run with a fault is a pure function of its schedule, also when it comes after others on the
/// same machine.
#[test]
fn runs_with_faults_are_repeatable() {
    let case = router(
        "i386",
        &[
            "irql.raise:function=reset::reset_interface",
            "pool.fail:share=4",
            "net.duplicate:share=8",
            "time.stall:share=50,steps=20000",
        ],
    );
    let mut campaign = emu::campaign::Campaign::new(&case, Granularity::Access).unwrap();
    let run = |seed| Box::new(Random::new(seed));
    let runs = (1..6).map(|seed| (seed, campaign.run(run(seed))));
    let first: Vec<_> = runs.collect();
    for &(seed, ref first) in first.iter().rev() {
        let again = campaign.run(run(seed));
        let alone = support::run(&case, Granularity::Access, seed);
        assert_eq!(first.trace_hash, again.trace_hash, "seed {seed}, again");
        assert_eq!(first.trace_hash, alone.trace_hash, "seed {seed}, alone");
    }
}

/// Each call stack that allocates is one opportunity, however often it does.
#[test]
fn each_stack_fails_once() {
    let failures = |rule: &str| steps(&quiet(&router("amd64", &[rule])), "inject").len();
    let all = failures("pool.fail:every=true,tag=NatI");
    let stacks = failures("pool.fail:every=true,each_stack=true,tag=NatI");
    assert!(
        all >= 1 && stacks >= 1 && stacks <= all,
        "{stacks} of {all}"
    );
    // The first to come is the first stack; behind the last there is none.
    let nth = |n: usize| failures(&format!("pool.fail:nth={n},each_stack=true"));
    assert_eq!((nth(1), nth(100_000)), (1, 0));
}

/// A driver that has no memory when it starts says so, and leaves nothing behind: one that does is
/// noticed, and the drivers of the founding cases do not.
#[test]
fn a_start_without_memory_leaves_nothing_behind() {
    let starts = |scenario: &str, profile: &str, settings: &[support::Setting<'_>]| {
        let case = case_with_faults(scenario, profile, settings, &["pool.fail"]);
        let scope = Scope::from(Granularity::Access);
        search::starts(&case, &scope).unwrap_or_else(|e| panic!("{scenario} {profile}: {e}"))
    };
    for profile in ["amd64", "i386", "arm64"] {
        let fixed = starts("faults", profile, &FIXED);
        assert!(fixed.problems.is_empty(), "{profile}: {fixed:?}");
        assert!(
            fixed.stacks > 2 && fixed.refused == fixed.stacks,
            "{profile}: {fixed:?}"
        );
        let buggy = starts("faults", profile, &[]);
        assert_eq!(buggy.refused + 1, fixed.stacks, "{profile}");
        let [problem] = &buggy.problems[..] else {
            panic!("{profile}: {buggy:?}")
        };
        assert!(
            problem.contains("nth=2") && problem.contains("0x000000C4"),
            "{problem}"
        );
    }
    for (scenario, profile) in support::CASES {
        let fixed = starts(scenario, profile, &FIXED);
        println!("{scenario} {profile}: {} call stacks", fixed.stacks);
        assert!(fixed.problems.is_empty(), "{scenario} {profile}: {fixed:?}");
        assert!(fixed.stacks > 0 && fixed.refused + fixed.started == fixed.stacks);
    }
}

#[test]
fn wrong_rules_are_told() {
    for (rule, message) in [
        (
            "pool.fial:nth=1",
            "there is no fault 'pool.fial'; did you mean 'pool.fail'?",
        ),
        (
            "pool.fail:nht=1",
            "pool.fail has no parameter 'nht'; did you mean 'nth'?",
        ),
        ("pool.fail:nth=first", "nth must be a number, not 'first'"),
        ("pool.fail:nth=0", "nth counts from 1"),
        (
            "pool.fail:nth=1,every=true",
            "nth and every exclude each other",
        ),
        (
            "pool.fail:every=often",
            "every must be true or false, not 'often'",
        ),
        (
            "pool.fail:tag=IPreassembly",
            "a pool tag has one to four characters, not 'IPreassembly'",
        ),
        (
            "pool.fail:pool=warm",
            "pool must be paged or nonpaged, not 'warm'",
        ),
        (
            "memory.page_out:what=stack",
            "what must be all, code or pool, not 'stack'",
        ),
        (
            "irql.raise:call=KeWaitForEver",
            "'KeWaitForEver' is not a modelled kernel function",
        ),
        (
            "irql.raise:call=KeSetEvent,level=32",
            "level must be 1 to 15, not 32",
        ),
        (
            "irql.raise:call=KeSetEvent,level=high",
            "level must be a number, not 'high'",
        ),
        (
            "irql.raise:function=reset::reset_interfce",
            "no driver has a function whose name ends with 'reset::reset_interfce'; did you mean \
             'reset::reset_interface'?",
        ),
        (
            "irql.raise:call=KeSetEvnt",
            "'KeSetEvnt' is not a modelled kernel function; did you mean 'KeSetEvent'?",
        ),
        (
            "irql.raise@KfReleaseSpinLock#3",
            "no driver here calls KfReleaseSpinLock; did you mean 'KeReleaseSpinLock'?",
        ),
        (
            "irql.raise@KeAcquireSpinLockRaiseToDpc#3",
            "irql.raise has no meaning at KeAcquireSpinLockRaiseToDpc: it gives its caller the \
             IRQL at which it was called, which would bring the raise back when it has ended; \
             raise the function that calls it",
        ),
        (
            "pool.fail:nth=1,share=3",
            "nth and share exclude each other",
        ),
        (
            "irql.raise:call=KeSetEvent,function=reset::reset_interface",
            "call and function exclude each other",
        ),
        (
            "irql.raise:call=KeSetEvent,line=3",
            "line and offset need a function",
        ),
        (
            "irql.raise:function=reset::reset_interface,line=1",
            "reset::reset_interface has no code of line 1; its code is of lines 23 to 27",
        ),
        (
            "irql.raise:function=reset::reset_interface,offset=3",
            "no instruction of reset::reset_interface begins at offset 3; one does at 2",
        ),
        (
            "time.stall:core=2",
            "core 2 is not there: the machine has 2, counted from 0",
        ),
        (
            "net.drop@NdisSend",
            "net.drop has no place in a driver: it happens outside; take nth, position or core",
        ),
        (
            "pool.fail:position=17",
            "position must be choice:step, not '17'",
        ),
        (
            "io.unload@KeSetEvent:driver=ipnet.sys",
            "there is no driver 'ipnet.sys'; did you mean 'ipnat.sys'?",
        ),
        (
            "irql.raise:function=no::such_function",
            "no driver has a function whose name ends with 'no::such_function'",
        ),
        (
            "memory.page_out:function=no::such_function",
            "no driver has a function whose name ends with 'no::such_function'",
        ),
    ] {
        let case = router("amd64", &[rule]);
        match case.boot(Granularity::Sync, Watch::Points) {
            Err(BootError::Fault(error)) => {
                assert_eq!(error.to_string(), format!("--fault {rule}: {message}"));
            }
            Err(other) => panic!("{rule}: {other}"),
            Ok(_) => panic!("{rule}: accepted"),
        }
    }
}

/// Two rules that have to decide the same strike: which one would?
#[test]
fn contradictory_rules_are_told() {
    let boot = |rules: &[&str]| match router("amd64", rules).boot(Granularity::Sync, Watch::Points)
    {
        Err(BootError::Fault(error)) => Some(error.to_string()),
        Err(other) => panic!("{rules:?}: {other}"),
        Ok(_) => None,
    };
    for [one, other] in [
        ["pool.fail:nth=2", "pool.fail:nth=2"],
        ["pool.fail:every=true", "pool.fail:nth=3"],
        ["pool.fail", "pool.fail:share=3"],
        ["irql.raise@KeSetEvent#1", "irql.raise@KeSetEvent#1:level=5"],
    ] {
        let told = boot(&[one, other]).unwrap_or_else(|| panic!("{one} {other}: accepted"));
        let begins = format!("--fault {other}: contradicts --fault {one}: ");
        assert!(told.starts_with(&begins), "{told}");
    }
    for rules in [
        ["pool.fail:nth=2", "pool.fail:nth=3"],
        ["pool.fail:nth=2,tag=NatP", "pool.fail:nth=2,tag=NatI"],
        ["pool.fail:nth=2,core=0", "pool.fail:nth=2,core=1"],
        [
            "irql.raise@KeSetEvent#1",
            "irql.raise@reset::reset_interface#1",
        ],
    ] {
        assert_eq!(boot(&rules), None, "{rules:?}");
    }
}
