//! `irqlab load`: drivers without a scenario.

use serde_json::Value;

use super::{Folder, Ran, irqlab};

const BUGGY: &str = "bluetooth/buggy/bluetooth.sys";
const FIXED: &str = "bluetooth/fixed/bluetooth.sys";
/// What the driver's device is for: see drivers-src/shape.
const RUN: [&str; 2] = ["--ioctl", "0x222000:in=00000000"];

fn load(driver: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["load", driver];
    arguments.extend(more);
    irqlab(&arguments)
}

#[track_caller]
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr))
}

/// The statuses of a request.
fn statuses<'a>(object: &'a Value, request: &str) -> Vec<&'a str> {
    let rows = object["requests"].as_array().unwrap().iter();
    let row = rows.filter(|row| row["request"] == request);
    row.flat_map(|row| row["statuses"].as_array().unwrap())
        .map(|status| status["status"].as_str().unwrap())
        .collect()
}

#[test]
fn a_driver_is_used_and_unloaded_on_every_architecture() {
    for (arch, profile) in [("x86", "i386"), ("x64", "amd64"), ("arm64", "arm64")] {
        let driver = format!("{arch}/{FIXED}");
        let ran = load(&driver, &["--format", "json", "--seeds", "1..20"]);
        let object = json(&ran);
        assert_eq!(ran.status, 0, "{arch}: {}", ran.stdout);
        assert_eq!(object["search"]["profile"], profile);
        assert_eq!(object["devices"][0]["name"], "\\device\\bluetooth");
        // The code is found in the driver. What is sent with it is too long.
        assert_eq!(
            object["controls"][0],
            format!("0x00222000:in={},out=16", "0".repeat(32))
        );
        assert_eq!(statuses(&object, "ioctl 0x00222000"), ["0xC000000D"]);
        assert_eq!(statuses(&object, "create"), ["0x00000000"]);
        assert_eq!(statuses(&object, "read"), ["0xC0000010"]);
        assert_eq!(statuses(&object, "flush"), ["0xC0000010"]);
        assert_eq!(statuses(&object, "unload"), ["0x00000000"]);
    }
}

/// What tcpip.sys needs to start.
const NET: &str = r#"
[[adapter]]
name = "Private"

[[registry]]
key = 'Tcpip\Linkage'
values = { Bind = ['\Device\Private'] }

[[registry]]
key = 'Private\Parameters\Tcpip'
values = { IPAddress = ["192.168.0.1"], SubnetMask = ["255.255.255.0"] }
"#;

#[test]
fn a_stack_of_drivers_is_loaded_and_its_codes_are_found() {
    let folder = Folder::new("load-stack");
    let net = folder.file("net.toml", NET);
    for arch in ["x86", "x64", "arm64"] {
        let tcpip = format!("{arch}/tcpip/ws2003-sp1/tcpip.sys");
        let ipnat = format!("{arch}/ipnat/sp1-fixed/ipnat.sys");
        let arguments = [
            "load",
            &tcpip,
            &ipnat,
            "--registry",
            &net,
            "--format",
            "json",
        ];
        let ran = irqlab(&[&arguments[..], &["--seeds", "1..4", "--no-shrink"]].concat());
        assert_eq!(ran.status, 0, "{arch}: {}{}", ran.stdout, ran.stderr);
        let object = json(&ran);
        let devices = object["devices"].as_array().unwrap().iter();
        let names: Vec<_> = devices
            .map(|device| device["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["\\device\\ip", "\\device\\tcp", "\\device\\ipnat"]);
        assert_eq!(object["devices"][2]["links"][0], "\\??\\ipnat");
        // IOCTL_NAT_CREATE_INTERFACE and IOCTL_NAT_RESET_INTERFACE: drivers-src/ipnat.
        for code in ["0x0012A000", "0x0012A01C"] {
            let controls = object["controls"].as_array().unwrap().iter();
            let mut codes = controls.map(|control| control.as_str().unwrap());
            assert!(
                codes.any(|control| control.starts_with(code)),
                "{arch}: {code}"
            );
        }
        assert_eq!(statuses(&object, "unload"), ["0x00000000", "0x00000000"]);
        // Alone, tcpip.sys does not start.
        irqlab(&["load", &tcpip]).is_bad_input(&["DriverEntry of tcpip.sys failed"]);
    }
}

#[test]
fn what_is_found_is_replayed_by_line_by_file_and_as_a_scenario() {
    let folder = Folder::new("load-replay");
    let driver = format!("x64/{BUGGY}");
    let scenario = folder.0.join("own.toml").display().to_string();
    let mut more = RUN.to_vec();
    more.extend(["--format", "json", "--save-scenario", &scenario]);
    let ran = load(&driver, &more);
    assert_eq!(ran.status, 1, "{}{}", ran.stdout, ran.stderr);
    let object = json(&ran);
    let ends = object["search"]["ends"].as_array().unwrap();
    let stop = ends
        .iter()
        .find(|end| end["code"] == "0x000000E2")
        .expect("the defect is found");
    assert!(
        stop["place"]["source"]
            .as_str()
            .unwrap()
            .starts_with("drivers-src/bluetooth/src/lib.rs:")
    );

    let line = stop["replay"].as_str().unwrap();
    let file = folder.0.join("found.schedule").display().to_string();
    let mut words: Vec<&str> = line.split(' ').skip(1).collect();
    words.extend(["--save", &file]);
    let again = irqlab(&words);
    assert_eq!(again.status, 1, "{line}: {}", again.stderr);
    assert!(again.stdout.contains("STOP 0x000000E2"), "{}", again.stdout);
    let replayed = irqlab(&["replay", &file]);
    assert_eq!(replayed.status, 1, "{}", replayed.stderr);
    assert!(
        replayed.stdout.contains("STOP 0x000000E2"),
        "{}",
        replayed.stdout
    );

    let own = irqlab(&[
        "explore",
        &scenario,
        "--schedules",
        "500",
        "--no-shrink",
        "--format",
        "json",
    ]);
    assert_eq!(own.status, 1, "{}", own.stderr);
    assert!(own.stdout.contains("0x000000E2"), "{}", own.stdout);

    // Other bytes of the driver are another run.
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("driver=bluetooth.sys:").unwrap() + "driver=bluetooth.sys:".len();
    let other = format!("{}0{}", &text[..at], &text[at + 1..]);
    assert_ne!(other, text);
    let other = folder.file("other.schedule", other);
    irqlab(&["replay", &other]).is_bad_input(&["other bytes of bluetooth.sys"]);
}

#[test]
fn requests_and_registry_of_ones_own() {
    let folder = Folder::new("load-own");
    let driver = format!("x64/{FIXED}");
    let requests = folder.file(
        "requests.toml",
        "[[thread.step]]\nioctl = 0x222000\ninput = [{ u32 = 1 }]\n",
    );
    let registry = folder.file(
        "registry.toml",
        "[[registry]]\nkey = 'a'\nvalues = { B = 1 }\n",
    );
    let ran = load(
        &driver,
        &[
            "--requests",
            &requests,
            "--registry",
            &registry,
            "--format",
            "json",
            "--seeds",
            "1..5",
        ],
    );
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    // The one that was found has a status of its own.
    let object = json(&ran);
    let statuses = statuses(&object, "ioctl 0x00222000");
    assert_eq!(statuses, ["0x00000000", "0xC000000D"]);

    let wrong = folder.file(
        "wrong.toml",
        "[[thread.step]]\nread = 4\n\n[[thread.step]]\niocl = 1\n",
    );
    let place = format!("{wrong}:5:1");
    load(&driver, &["--requests", &wrong]).is_bad_input(&[
        &place,
        "unknown key 'iocl'",
        "iocl = 1",
    ]);
    let wrong = folder.file("wrong-registry.toml", "[[registry]]\nkey = 1\n");
    load(&driver, &["--registry", &wrong]).is_bad_input(&[&wrong, "mend:"]);
}

#[test]
fn what_is_no_driver_is_refused() {
    let folder = Folder::new("load-bad");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/drivers");
    let good = std::fs::read(root.join("x64").join(FIXED)).unwrap();
    let cut = folder.file("cut.sys", &good[..good.len() / 2]);
    load(&cut, &[]).is_bad_input(&[&cut, "cut off"]);
    let text = folder.file("text.sys", "this is no driver");
    load(&text, &[]).is_bad_input(&[&text, "not a PE image"]);
    let empty = folder.file("empty.sys", "");
    load(&empty, &[]).is_bad_input(&[&empty]);

    let header = u32::from_le_bytes(good[0x3C..0x40].try_into().unwrap()) as usize;
    let changed = |name: &str, at: usize, bytes: &[u8]| {
        let mut image = good.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        // No checksum.
        image[header + 24 + 64..header + 24 + 68].fill(0);
        folder.file(name, image)
    };
    // IMAGE_SUBSYSTEM_WINDOWS_CUI, and the Itanium (PE format).
    let program = changed("program.sys", header + 24 + 68, &[3, 0]);
    load(&program, &[]).is_bad_input(&["subsystem is 3", "/SUBSYSTEM:NATIVE"]);
    let machine = changed("machine.sys", header + 4, &[0x00, 0x02]);
    load(&machine, &[]).is_bad_input(&["IA-64", "not emulated"]);
    // An import that nobody has: a name in the file is changed where it stands.
    let name = b"IoDeleteDevice\0";
    let at = good
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap();
    let missing = changed("missing.sys", at, b"IoDeletoDevice");
    load(&missing, &[]).is_bad_input(&[
        "1 of them not modelled",
        "IoDeletoDevice",
        "MISSING",
        "used by",
    ]);

    let driver = format!("x64/{FIXED}");
    load(&driver, &["--profile", "i386"]).is_bad_input(&["i386", "amd64"]);
    load(&driver, &["--ioctl", "x"]).is_bad_input(&["no control code"]);
    load(&driver, &["--save", "x.schedule"]).is_bad_input(&["--seed"]);
    load(&driver, &[&driver]).is_bad_input(&["loaded already"]);
    load(&driver, &["x86/counter/fixed/counter.sys"]).is_bad_input(&["built for x86"]);
    load("x64/blutooth/fixed/bluetooth.sys", &[]).is_bad_input(&["did you mean"]);
}

#[test]
fn a_driver_is_a_scenario_wherever_one_is_wanted() {
    let folder = Folder::new("load-as-scenario");
    let driver = format!("arm64/{FIXED}");
    let file = folder.0.join("run.schedule").display().to_string();
    let arguments = [
        "run",
        &driver,
        "--seed",
        "3",
        "--profile",
        "ia64",
        "--save",
        &file,
    ];
    let ran = irqlab(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let object = json(&ran);
    assert_eq!(
        object["replay"],
        format!("irqlab run {driver} --profile ia64 --seed 3")
    );
    let again = json(&irqlab(&["replay", &file, "--format", "json"]));
    assert_eq!(again["trace_hash"], object["trace_hash"]);
    irqlab(&["run", "none.sys"]).is_bad_input(&["none.sys", "no such file"]);
}
