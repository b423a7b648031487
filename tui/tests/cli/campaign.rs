//! `irqlab campaign`: the jobs of a file, and what other programs read of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::schema::{junit, sarif};
use super::{Folder, Ran, irqlab};

/// A driver with a defect and without a scenario, a correct one, one with a fault that it does not
/// expect, and a scenario that expects its defect.
const FILE: &str = r#"
title = "a <few> jobs & more"

[defaults]
schedules = 100
granularity = "sync"

[output]
json = "out.jsonl"
junit = "out.xml"
sarif = "out.sarif"
markdown = "out.md"

[[job]]
name = "loaded"
drivers = ["x64/bluetooth/buggy/bluetooth.sys"]
ioctl = ["0x222000:in=00000000"]
granularity = "access"
strategies = ["pos"]
seeds = "1..150"

[[job]]
scenario = "bluetooth"
set = { driver = ["buggy", "fixed"] }
cpus = [1, 2]

[[job]]
name = "no memory"
scenario = "bluetooth"
set = { driver = "fixed", pool = true }
fault_sets = [[], ["pool.fail:nth=1"]]

[[job]]
name = "a rule"
scenario = "rules"
set = { rule = "lock-recursive" }
schedules = 1

[[job]]
name = "all of them"
scenario = "bluetooth"
set = { driver = "fixed" }
explore = "--exhaustive --preemptions 1 --hold world"
"#;

/// The outputs without what is a matter of time.
struct Outputs {
    json: Vec<Value>,
    junit: String,
    sarif: Value,
    markdown: String,
}

fn outputs(folder: &Folder) -> Outputs {
    let read = |name: &str| fs::read_to_string(folder.0.join(name)).unwrap();
    Outputs {
        json: read("out.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        junit: read("out.xml"),
        sarif: serde_json::from_str(&read("out.sarif")).unwrap(),
        markdown: read("out.md"),
    }
}

impl Outputs {
    /// Everything, with the times taken out.
    fn timeless(&self) -> String {
        let mut json = self.json.clone();
        for line in &mut json {
            line["seconds"] = 0.into();
        }
        let mut junit = String::new();
        let mut parts = self.junit.split(" time=\"");
        junit += parts.next().unwrap();
        for part in parts {
            junit += part.split_once('"').unwrap().1;
        }
        format!("{json:?}\n{junit}\n{}\n{}", self.sarif, self.markdown)
    }
}

fn campaign(folder: &Folder, more: &[&str]) -> Ran {
    let file = folder.file("few.toml", FILE);
    let mut arguments = vec!["campaign", &file];
    arguments.extend(more);
    irqlab(&arguments)
}

#[test]
fn results_are_in_every_form_and_point_at_the_code() {
    let folder = Folder::new("campaign-forms");
    let ran = campaign(&folder, &[]);
    assert_eq!(ran.status, 1, "{}{}", ran.stdout, ran.stderr);
    let out = outputs(&folder);

    let verdicts: Vec<_> = out
        .json
        .iter()
        .map(|line| line["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        [
            "failed", "passed", "passed", "passed", "passed", "passed", "failed", "passed",
            "passed"
        ]
    );
    let names: Vec<_> = out
        .json
        .iter()
        .map(|line| line["job"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "loaded",
            "cpus=1 driver=buggy",
            "cpus=1 driver=fixed",
            "cpus=2 driver=buggy",
            "cpus=2 driver=fixed",
            "no fault",
            "pool.fail:nth=1",
            "a rule",
            "all of them",
        ]
    );
    assert_eq!(out.json[3]["cpus"], 2);
    assert_eq!(out.json[3]["settings"]["driver"], "buggy");
    assert_eq!(out.json[6]["faults"][0], "pool.fail:nth=1");

    assert_eq!(junit(&out.junit), Vec::<String>::new(), "{}", out.junit);
    assert!(
        out.junit
            .contains("name=\"a &lt;few&gt; jobs &amp; more\" tests=\"9\" failures=\"2\"")
    );

    assert_eq!(sarif(&out.sarif), Vec::<String>::new(), "{:#}", out.sarif);
    let results = out.sarif["runs"][0]["results"].as_array().unwrap();
    let stop = results
        .iter()
        .find(|result| result["ruleId"] == "bugcheck-0x000000E2")
        .unwrap();
    assert_eq!(stop["level"], "error");
    let place = &stop["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "drivers-src/bluetooth/src/lib.rs"
    );
    let line = place["region"]["startLine"].as_u64().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = fs::read_to_string(root.join("drivers-src/bluetooth/src/lib.rs")).unwrap();
    assert_eq!(
        source.lines().nth(line as usize - 1).unwrap().trim(),
        "fail(1, [1, 0, 0]);"
    );
    // What a scenario expects is told, but is no failure.
    let expected = results.iter().filter(|result| {
        result["properties"]["suite"] == "bluetooth" && result["kind"] != "informational"
    });
    assert_eq!(expected.count(), 0);

    // A breach of a rule that ends the run is named after the rule.
    let broken = results
        .iter()
        .find(|result| result["ruleId"] == "lock-recursive");
    assert_eq!(
        broken.unwrap()["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "drivers-src/rules/src/lock_recursive.rs"
    );
    assert_eq!(out.json[8]["strategy"], "dfs");
    assert_eq!(out.json[8]["coverage"]["exhausted"], true);
    assert_eq!(out.json[8]["held"][0], "interrupt");

    assert!(
        out.markdown.contains("| loaded | loaded | 150 | FAILED |"),
        "{}",
        out.markdown
    );
    assert!(
        out.markdown
            .contains("at `drivers-src/bluetooth/src/lib.rs:"),
        "{}",
        out.markdown
    );
    assert!(
        ran.stdout
            .contains("9 jobs, 754 schedules: 7 as expected, 2 not, 0 not run"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_killed_campaign_goes_on_and_workers_do_not_show() {
    let folder = Folder::new("campaign-whole");
    assert_eq!(campaign(&folder, &["--jobs", "1"]).status, 1);
    let whole = outputs(&folder).timeless();

    let folder = Folder::new("campaign-killed");
    let file = folder.file("few.toml", FILE);
    let state = folder.0.join("state");
    let arguments = [
        "campaign",
        &file,
        "--resume",
        state.to_str().unwrap(),
        "--jobs",
        "2",
    ];
    let mut killed = Command::new(env!("CARGO_BIN_EXE_irqlab"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !state.exists() && begin.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let text = fs::read_to_string(&state).expect("a job was done");
    let ran = irqlab(&arguments);
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(
        !ran.stderr.contains("job 1 of 7"),
        "the first job was done: {}",
        ran.stderr
    );
    assert_eq!(outputs(&folder).timeless(), whole);

    // Again: nothing is left to do.
    let again = irqlab(&arguments);
    assert_eq!((again.stdout, again.stderr.as_str()), (ran.stdout, ""));

    fs::write(&state, text.replacen("loaded", "other!", 1)).unwrap();
    irqlab(&arguments).is_bad_input(&["damaged", "delete this one"]);
    fs::write(&state, text).unwrap();
    folder.file("few.toml", FILE.replace("1..150", "1..50"));
    irqlab(&arguments).is_bad_input(&["job 'loaded / loaded'", "has changed since"]);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let folder = Folder::new("campaign-bad");
    let cases: [(&str, &[&str]); 23] = [
        ("title = 'x'\n", &["no job", "add [[job]]"]),
        (
            "[[job]]\nscenari = 'a'\n",
            &[":2:1", "unknown key 'scenari'", "did you mean 'scenario'?"],
        ),
        ("[[job]]\n", &[":1:", "either a scenario or drivers"]),
        ("[[job]]\nscenario = 'blutooth'\n", &[":2:", "blutooth"]),
        (
            "[[job]]\nscenario = 'bluetooth'\nprofiles = ['amd46']\n",
            &[":3:13", "did you mean 'amd64'?"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nprofiles = ['alpha']\n",
            &[":1: ", "alpha"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nprofiles = []\n",
            &[":3:12", "makes no jobs"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nset = { drivr = 'fixed' }\n",
            &[":1: ", "drivr"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nset = { driver = [[1]] }\n",
            &[":3:18", "no value of a setting"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\ncpus = [0]\n",
            &[":3:9", "1 to 32"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nschedules = 0\n",
            &[":3:13", "from 1 on"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nseeds = '9..1'\n",
            &[":3:9", "1 comes before 9"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nseeds = '1..9'\nstrategies = ['dfs']\n",
            &[":3: ", "dfs draws no schedules"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nstrategies = ['rndom']\n",
            &[":3:15", "did you mean 'random'?"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\noracles = ['no-rase']\n",
            &[":3:12", "no oracle"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nfault = ['pool.fial:nth=1']\n",
            &[":1: ", "pool.fial"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nrules = ['irql-api=halt']\n",
            &[":3:10", "halt"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nseeds = '1..9'\nschedules = 9\n",
            &[":3:9", "cannot be used with"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nexplore = '--exhaustiv'\n",
            &[":3:11", "--exhaustiv"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nexplore = '--profile amd64'\n",
            &[":3:11", "write the key profiles"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nexplore = '--reduce'\n",
            &[":3: ", "only dfs"],
        ),
        (
            "[[job]]\nscenario = 'bluetooth'\nthreads = 2\n",
            &[":3:11", "drivers without a scenario"],
        ),
        ("[[job]]\ndrivers = ['none.sys']\n", &[":1: ", "none.sys"]),
    ];
    for (text, parts) in cases {
        let file = folder.file("bad.toml", text);
        let mut parts = parts.to_vec();
        parts.push(&file);
        irqlab(&["campaign", &file]).is_bad_input(&parts);
    }
    let twice = "[[job]]\nscenario = 'bluetooth'\n[[job]]\nscenario = 'bluetooth'\n";
    let file = folder.file("twice.toml", twice);
    irqlab(&["campaign", &file]).is_bad_input(&[":3:", "another name"]);
    irqlab(&["campaign", "none.toml"]).is_bad_input(&["none.toml"]);
}
