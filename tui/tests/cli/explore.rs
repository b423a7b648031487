//! `irqlab explore`: the same results whoever computes them and however often it is interrupted,
//! and lines that reproduce what it found.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Folder, Ran, irqlab};

/// A search that takes no time, on few schedules that are all different.
const STILL: &[&str] = &["--granularity", "sync", "--hold", "world", "--races"];

/// Explores a shape and prints JSON.
fn explore(shape: &str, more: &[&[&str]]) -> Ran {
    let mut arguments = vec!["explore", shape, "--format", "json", "--no-shrink"];
    arguments.extend(more.iter().copied().flatten());
    let ran = irqlab(&arguments);
    assert!(ran.status < 2, "{arguments:?}: {}", ran.stderr);
    ran
}

#[test]
fn the_number_of_workers_does_not_show() {
    let searches: [(&str, &[&str]); 4] = [
        ("reorder", &["--schedules", "200"]),
        ("reorder", &["--strategy", "dfs", "--schedules", "200"]),
        (
            "reorder",
            &[
                "--strategy",
                "dpor",
                "--granularity",
                "sync",
                "--hold",
                "world",
                "--races",
            ],
        ),
        (
            "bluetooth",
            &[
                "--exhaustive",
                "--preemptions",
                "1",
                "--granularity",
                "sync",
            ],
        ),
    ];
    for (shape, search) in searches {
        let with = |jobs| explore(shape, &[search, &["--jobs", jobs]]).stdout;
        let one = with("1");
        assert!(one.contains("\"ends\""), "{one}");
        for jobs in ["2", "3"] {
            assert_eq!(with(jobs), one, "{shape} {search:?} with {jobs}");
        }
    }
}

/// Searches that are interrupted, of wronglock: it has more schedules of every kind than are run.
const INTERRUPTED: [&str; 4] = ["portfolio", "dfs", "dpor", "random"];

/// Explores with a strategy, so many schedules at most.
fn wronglock<'a>(strategy: &'a str, schedules: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let setting: &[&str] = match strategy {
        // It has only 192 traces with fewer threads.
        "dpor" => &["--set", "n=4", "--cpus", "6"],
        _ => &[],
    };
    let search = ["--strategy", strategy, "--schedules", schedules];
    [STILL, setting, &search, more].concat()
}

#[test]
fn a_search_that_was_cut_off_goes_on_as_if_it_had_not_been() {
    let folder = Folder::new("cut-off");
    for strategy in INTERRUPTED {
        let file = folder.0.join(strategy);
        let file = file.to_str().unwrap();
        let whole = explore("wronglock", &[&wronglock(strategy, "1000", &[])]);
        for schedules in ["1", "300", "300", "448", "1000"] {
            let part = explore(
                "wronglock",
                &[&wronglock(strategy, schedules, &["--resume", file])],
            );
            let run: Value = serde_json::from_str(&part.stdout).unwrap();
            assert_eq!(run["schedules"].to_string(), schedules, "{strategy}");
            if schedules == "1000" {
                assert_eq!(part.stdout, whole.stdout, "{strategy}");
            }
        }
        // What stops at the first is no other search.
        let file = folder.0.join(format!("{strategy}-first"));
        let file = file.to_str().unwrap();
        explore(
            "wronglock",
            &[&wronglock(
                strategy,
                "1000",
                &["--resume", file, "--until-first"],
            )],
        );
        let all = explore(
            "wronglock",
            &[&wronglock(strategy, "1000", &["--resume", file])],
        );
        assert_eq!(all.stdout, whole.stdout, "{strategy}");
    }
}

/// The seeds of a search that goes on are those that it is then told of.
#[test]
fn seeds_can_be_added_to_a_search_that_was_kept() {
    let folder = Folder::new("more-seeds");
    let file = folder.0.join("state");
    let file = file.to_str().unwrap();
    let kept: &[&str] = &["--resume", file];
    explore("wronglock", &[STILL, &["--seeds", "1..100"], kept]);
    let more = explore("wronglock", &[STILL, &["--seeds", "1..150"], kept]);
    let whole = explore("wronglock", &[STILL, &["--seeds", "1..150"]]);
    assert_eq!(more.stdout, whole.stdout);
}

/// A search that leaves out what is equivalent says so, and goes on from no search that does not.
#[test]
fn a_reduced_search_claims_no_more_than_it_has_done() {
    let folder = Folder::new("reduced");
    let file = folder.0.join("kept.search");
    let file = file.to_str().unwrap();
    let bound = ["--exhaustive", "--preemptions", "2", "--resume", file];
    let search = [&["explore", "twostage"], STILL, &bound[..]].concat();
    let whole = irqlab(&search);
    let claim = "all schedules with at most 2 preemptions: ";
    assert!(whole.stdout.contains(claim), "{}", whole.stdout);
    let reduced = [&search[..], &["--reduce"]].concat();
    let refused = irqlab(&reduced);
    assert_eq!(refused.status, 2);
    assert!(
        refused.stderr.contains("of another search"),
        "{}",
        refused.stderr
    );
    std::fs::remove_file(file).unwrap();
    let reduced = irqlab(&reduced);
    let claim = "with at most 2 preemptions, but for the order of independent steps: ";
    assert!(reduced.stdout.contains(claim), "{}", reduced.stdout);
}

/// What is no choice cannot be placed.
#[test]
fn what_is_held_or_prompt_is_not_placed() {
    for world in ["--hold", "--prompt"] {
        let ran = irqlab(&["explore", "port", "--faults", "interrupt", world, "world"]);
        assert_eq!(ran.status, 2);
        assert!(
            ran.stderr.contains("is no choice: interrupt"),
            "{}",
            ran.stderr
        );
    }
}

/// Starts a search, and kills it as soon as it has kept something that is worth it.
fn killed(arguments: &[&str], file: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_irqlab"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let kept = || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let content: Option<Value> = serde_json::from_str(&text).ok();
        content
            .and_then(|c| c["tally"]["schedules"].as_u64())
            .unwrap_or(0)
    };
    while kept() == 0 && begin.elapsed() < Duration::from_secs(60) {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "it ended before it could be killed: {ended:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(kept() > 0, "nothing was kept");
}

#[test]
fn a_search_that_was_killed_goes_on_as_if_it_had_not_been() {
    let folder = Folder::new("killed");
    for strategy in INTERRUPTED {
        let path = folder.0.join(strategy);
        let file = path.to_str().unwrap();
        let search = wronglock(strategy, "20000", &[]);
        let mut arguments = vec!["explore", "wronglock", "--format", "json", "--no-shrink"];
        arguments.extend(&search);
        arguments.extend(["--resume", file]);
        killed(&arguments, &path);
        let resumed = explore("wronglock", &[&search, &["--resume", file]]);
        let whole = explore("wronglock", &[&search]);
        assert_eq!(resumed.stdout, whole.stdout, "{strategy}");
    }
}

/// Gives a line to a shell, with the built program in front of all others.
fn shell(line: &str) -> (i32, String) {
    let folder = Path::new(env!("CARGO_BIN_EXE_irqlab")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", folder.display()))
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap_or(-1), stdout)
}

/// Every way in which a run did not complete is told with a line that does it again, when it was
/// shrunk and when it was not.
#[test]
fn what_is_found_ends_with_a_line_that_reproduces_it() {
    let searches: [(&str, &[&str]); 6] = [
        ("deadlock", &["--schedules", "60"]),
        ("bluetooth", &["--set", "pool=true", "--schedules", "150"]),
        (
            "port",
            &[
                "--profile",
                "arm64",
                "--seeds",
                "985..1000",
                "--until-first",
            ],
        ),
        (
            "wronglock",
            &[
                "--strategy",
                "dpor",
                "--granularity",
                "sync",
                "--hold",
                "world",
                "--races",
            ],
        ),
        (
            "stack",
            &[
                "--profile",
                "i386",
                "--strategy",
                "pct3",
                "--schedules",
                "20",
                "--hold",
                "timer,dpc",
            ],
        ),
        (
            "kb931322",
            &["--fault", "pool.fail:nth=3", "--schedules", "40"],
        ),
    ];
    for (scenario, search) in searches {
        // Shrinking is long where runs are.
        let both: &[bool] = match scenario {
            "kb931322" => &[false],
            _ => &[true, false],
        };
        for &shrunk in both {
            let mut arguments = vec!["explore", scenario, "--format", "json"];
            arguments.extend(search);
            if !shrunk {
                arguments.push("--no-shrink");
            }
            let ran = irqlab(&arguments);
            assert!(ran.status < 2, "{arguments:?}: {}", ran.stderr);
            let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
            *arguments.iter_mut().find(|a| **a == "json").unwrap() = "text";
            let text = irqlab(&arguments).stdout;
            let lines: Vec<&str> = text
                .lines()
                .filter_map(|l| l.trim_start().strip_prefix("replay: "))
                .collect();
            let ends = summary["ends"].as_array().unwrap();
            assert_eq!(lines.len(), ends.len(), "{text}");
            let mut stops = 0;
            for (end, line) in ends.iter().zip(lines) {
                assert_eq!(end["replay"], line);
                assert_eq!(
                    end["shrunk"].is_object(),
                    shrunk && end["kind"] != "completed"
                );
                let (status, out) = shell(&format!("{line} --format json"));
                let run: Value =
                    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{line}: {e}"));
                assert_eq!(run["stop"]["kind"], end["kind"], "{line}");
                assert_eq!(run["expected"], end["expected"], "{line}");
                assert_eq!(status, i32::from(end["expected"] != true), "{line}");
                if end["kind"] == "bugcheck" {
                    assert_eq!(run["stop"]["code"], end["code"], "{line}");
                    assert_eq!(run["stop"]["function"], end["place"]["function"], "{line}");
                    assert_eq!(run["stop"]["module"], end["place"]["module"], "{line}");
                }
                stops += usize::from(end["kind"] != "completed");
            }
            assert!(stops > 0, "{arguments:?}: {text}");
        }
    }
}
