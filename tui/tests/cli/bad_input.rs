//! Bad input: each kind with a message of its own, and status 2.

use super::image::{built, replaced, with_entry};
use super::{Folder, irqlab, irqlab_with};

const IPNAT: &str = "x64/ipnat/sp1-buggy/ipnat.sys";

/// A machine with a driver file of the user's own.
const OWN: &str = r#"
title = "A driver of one's own"
summary = "A driver of one's own"
story = ""

[machine]
profiles = ["amd64"]
personalities = ["ws2003-sp1"]

[limits]
driver_entry = 100000

[[driver]]
name = "own"
file = "own.sys"
service = "Own"
"#;

/// Runs a scenario with this driver file.
#[track_caller]
fn refuses_driver(test: &str, driver: &[u8], parts: &[&str]) {
    let folder = Folder::new(test);
    folder.file("own.sys", driver);
    irqlab(&["run", &folder.file("own.toml", OWN)]).is_bad_input(parts);
}

#[test]
fn a_truncated_driver() {
    let whole = built(IPNAT);
    refuses_driver(
        "truncated",
        &whole[..whole.len() / 2],
        &["own.sys: ", "truncated"],
    );
    refuses_driver("truncated-header", &whole[..100], &["own.sys: "]);
    refuses_driver("no-driver", b"Dear diary", &["own.sys: not a PE image"]);
}

#[test]
fn a_driver_for_another_machine() {
    let driver = built("x86/ipnat/sp1-buggy/ipnat.sys");
    refuses_driver("other-machine", &driver, &["x86", "amd64", "profile"]);
}

#[test]
fn imports_that_are_not_modelled() {
    let driver = replaced(built(IPNAT), b"KeSetTimer\0", b"KeSetTimex\0");
    let driver = replaced(driver, b"ExFreePool\0", b"ExFreePoox\0");
    let parts = [
        "2 functions",
        "ntoskrnl.exe!KeSetTimex",
        "ntoskrnl.exe!ExFreePoox",
        "used by",
    ];
    refuses_driver("imports", &driver, &parts);

    let folder = Folder::new("imports-command");
    let ran = irqlab(&["imports", &folder.file("own.sys", &driver)]);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("2 of them not modelled"),
        "{}",
        ran.stdout
    );
    let missing = ran
        .stdout
        .lines()
        .position(|line| line.contains("KeSetTimex"))
        .unwrap();
    let line = ran.stdout.lines().nth(missing).unwrap();
    assert!(line.contains("MISSING"), "{line}");
    let user = ran.stdout.lines().nth(missing + 1).unwrap();
    assert!(user.contains("used by own.sys+0x"), "{user}");
}

#[test]
fn a_driver_whose_entry_never_returns() {
    let driver = with_entry(built(IPNAT), &[0xEB, 0xFE]);
    refuses_driver(
        "endless",
        &driver,
        &["own.sys", "100000 instructions", "limits.driver_entry"],
    );
}

#[test]
fn a_missing_file() {
    let folder = Folder::new("missing");
    let scenario = folder.file("own.toml", OWN);
    irqlab(&["run", &scenario]).is_bad_input(&["own.sys", "No such file"]);
    irqlab(&["run", "none/such.toml"]).is_bad_input(&["none/such.toml", "No such file"]);
    irqlab(&["replay", "none-such"]).is_bad_input(&["none-such", "No such file"]);
    irqlab(&["imports", "x64/ipnat/sp1-bugy/ipnat.sys"]).is_bad_input(&[
        "no such file",
        "did you mean 'x64/ipnat/sp1-buggy/ipnat.sys'",
    ]);
}

#[test]
fn a_misspelt_key() {
    let folder = Folder::new("misspelt");
    let scenario = folder.file("own.toml", OWN.replace("driver_entry =", "driver_entri ="));
    irqlab(&["run", &scenario]).is_bad_input(&[
        "own.toml:11:1",
        "driver_entri = 100000",
        "did you mean 'driver_entry'",
    ]);
}

#[test]
fn a_misspelt_command_is_not_taken_for_a_file() {
    irqlab(&["explroe"]).is_bad_input(&["'explroe'", "did you mean 'explore'?"]);
    irqlab(&["rnu", "kb931322"]).is_bad_input(&["'rnu'", "no command", "run, explore"]);
}

#[test]
fn misspelt_names() {
    let cases: [(&[&str], &[&str]); 8] = [
        (
            &["run", "kb93132"],
            &["'kb93132'", "did you mean 'kb931322'"],
        ),
        (
            &["run", "q252664", "--set", "drver=fixed"],
            &["--set drver=fixed", "'driver'"],
        ),
        (
            &["run", "q252664", "--set", "driver=fixd"],
            &["--set driver=fixd", "'fixed'"],
        ),
        (
            &["run", "q252664", "--profile", "amd64"],
            &["--profile amd64", "i386, alpha"],
        ),
        (
            &["run", "q252664", "--profile", "alhpa"],
            &["'alhpa'", "alpha"],
        ),
        (
            &["run", "q252664", "--fault", "pool.fial:nth=1"],
            &["--fault", "pool.fail"],
        ),
        (
            &["run", "q252664", "--strategy", "rendom"],
            &["'rendom'", "random"],
        ),
        (&["rum"], &["'rum'", "run"]),
    ];
    for (arguments, parts) in cases {
        irqlab(arguments).is_bad_input(parts);
    }
}

#[test]
fn numbers_out_of_range() {
    let cases: [(&[&str], &str); 5] = [
        (&["run", "q252664", "--cpus", "0"], "1..=32"),
        (&["run", "q252664", "--seed=-1"], "--seed"),
        (
            &["explore", "q252664", "--seeds", "9..1"],
            "1 comes before 9",
        ),
        (&["explore", "q252664", "--schedules", "0"], "--schedules"),
        (
            &["run", "q252664", "--schedule", "4!"],
            "'!' at character 2",
        ),
    ];
    for (arguments, part) in cases {
        irqlab(arguments).is_bad_input(&[part]);
    }
}

#[test]
fn schedules_that_belong_to_something_else() {
    let folder = Folder::new("foreign-schedules");
    let file = folder.0.join("run.schedule");
    irqlab(&["run", "q252664", "--save", file.to_str().unwrap()]);
    let schedule = std::fs::read_to_string(&file).unwrap();

    let other_driver = with_other_digit(&schedule, "driver=ftpsvc.sys:");
    irqlab_with(&["replay", "-"], &other_driver).is_bad_input(&[
        "-: ",
        "other bytes of ftpsvc.sys",
        "hash",
    ]);
    let other_text = with_other_digit(&schedule, " text=");
    irqlab_with(&["replay", "-"], &other_text).is_bad_input(&["another text of scenario q252664"]);
    let other_trace = with_other_digit(&schedule, " trace=");
    irqlab_with(&["replay", "-"], &other_trace).is_bad_input(&["another one than the recorded"]);
    let (before, _) = schedule.split_once(" moves=").unwrap();
    let too_long = format!("{before} moves=zzzzzzB");
    irqlab_with(&["replay", "-"], &too_long).is_bad_input(&["the run ends after"]);
    irqlab_with(&["replay", "-"], "hello").is_bad_input(&["-: not a schedule"]);
    irqlab_with(&["replay", "-"], "irqlab-schedule 2").is_bad_input(&["version 2"]);
}

/// The text with the first hexadecimal digit behind `key` changed.
fn with_other_digit(text: &str, key: &str) -> String {
    let at = text.find(key).unwrap() + key.len();
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    format!("{}{digit}{}", &text[..at], &text[at + 1..])
}

#[test]
fn searches_that_do_not_go_together() {
    let cases: [(&[&str], &[&str]); 10] = [
        (
            &["wronglock", "--preemptions", "1"],
            &["--preemptions", "only dfs has bounds", "add --exhaustive"],
        ),
        (
            &["wronglock", "--strategy", "pct2", "--delays", "1"],
            &["--delays", "only dfs has bounds", "add --exhaustive"],
        ),
        (
            &[
                "wronglock",
                "--exhaustive",
                "--preemptions",
                "1",
                "--delays",
                "1",
            ],
            &["--preemptions", "--delays", "cannot be used"],
        ),
        (
            &["wronglock", "--strategy", "dpor", "--seeds", "1..5"],
            &[
                "--seeds",
                "dpor draws no schedules from seeds",
                "use --schedules",
            ],
        ),
        (
            &["wronglock", "--exhaustive", "--seeds", "1..5"],
            &["--exhaustive", "--seeds"],
        ),
        (
            &["wronglock", "--hold", "nonsense"],
            &["'nonsense' is no kind of choice", "timer", "world"],
        ),
        (
            &["wronglock", "--hold", "timer,pakcet"],
            &["'pakcet'", "did you mean 'packet'"],
        ),
        // Without it nothing would run.
        (&["wronglock", "--hold", "core"], &["'core'", "there are"]),
        (
            &["wronglock", "--strategy", "nonsense"],
            &["'nonsense'", "portfolio", "dfs", "dpor", "pct2"],
        ),
        (
            &[
                "kb931322",
                "--strategy",
                "dpor",
                "--fault",
                "pool.fail:nth=1",
            ],
            &["--strategy", "dpor", "faults", "use --strategy dfs"],
        ),
    ];
    for (arguments, parts) in cases {
        irqlab(&[&["explore"], arguments].concat()).is_bad_input(parts);
    }
}

/// A search in a file that cannot go on.
#[test]
fn searches_that_are_kept_in_the_wrong_file() {
    let folder = Folder::new("kept-searches");
    let file = folder.0.join("search");
    let file = file.to_str().unwrap();
    let of = |more: &[&str], file: &str| {
        let search = ["explore", "wronglock", "--schedules", "5", "--resume", file];
        irqlab(&[&search, more].concat())
    };
    let first = of(&["--strategy", "dfs"], file);
    assert!(first.status < 2, "{}", first.stderr);
    let kept = std::fs::read_to_string(file).unwrap();

    let mend = "name another file, or delete this one";
    let others: [&[&str]; 5] = [
        &["--strategy", "random"],
        &["--strategy", "dfs", "--preemptions", "1"],
        &["--strategy", "dfs", "--set", "n=2"],
        &["--strategy", "dfs", "--profile", "i386"],
        &["--strategy", "dfs", "--hold", "world"],
    ];
    for other in others {
        of(other, file).is_bad_input(&[file, "it is of another search", mend]);
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), kept);

    let with = |key: &str, value: u64| {
        let mut content: serde_json::Value = serde_json::from_str(&kept).unwrap();
        *content.pointer_mut(key).unwrap() = value.into();
        content.to_string().into_bytes()
    };
    let damaged: [(Vec<u8>, &str); 7] = [
        (b"hello".to_vec(), "it is no saved search"),
        (b"{}".to_vec(), "it is no saved search"),
        (
            kept.as_bytes()[..kept.len() / 2].to_vec(),
            "it is no saved search",
        ),
        (vec![0xFF; 40], "valid UTF-8"),
        (
            kept.replace("irqlab-search 1", "irqlab-search 7")
                .into_bytes(),
            "irqlab-search 7",
        ),
        (with("/tally/schedules", 3), "it is damaged"),
        (with("/hash", 3), "the scenario or a driver has changed"),
    ];
    for (content, problem) in damaged {
        let file = folder.file("damaged", content);
        of(&["--strategy", "dfs"], &file).is_bad_input(&[&file, problem, mend]);
    }

    // Noticed before the search and not behind it.
    let nowhere = folder.0.join("none/such");
    let nowhere = nowhere.to_str().unwrap();
    of(&["--strategy", "dfs"], nowhere).is_bad_input(&[nowhere, "No such file"]);
    let folder = folder.0.to_str().unwrap();
    of(&["--strategy", "dfs"], folder).is_bad_input(&[folder, "directory"]);
}
