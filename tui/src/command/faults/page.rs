//! `docs/FAULTS.md` is the list of kinds.

use std::fs;
use std::path::Path;

use super::*;
use emu::faults::{WHEN, WHERE};

const HEAD: &str = "# Kinds of faults

A fault is an unlucky moment that real hardware or Windows may bring. A rule says which one, where and
how often; what it leaves open is a choice of the schedule, and can be searched and replayed like any
other. In a scenario a rule is a table:

```toml
[[fault]]
kind = \"irql.raise\"
call = \"IofCompleteRequest\"
nth = 3
```

On the command line the same is `--fault irql.raise@IofCompleteRequest#3`: the kind, behind `@` a kernel
function or a driver's function, behind `#` which time (`#*` is every time), behind a colon further
parameters: `--fault pool.fail:tag=IPrb,each_stack=true`. Each of them may be left out.
In the workbench `:fault irql.raise` makes the run that is shown once more with the fault at the first
opportunity from the moment on that is looked at, and puts both beside each other.

`irqlab faults` lists the kinds, and with `--check` runs for each a small driver that it breaks and one
that lives with it. The drivers are in `drivers-src/faults`, the scenario is `faults`.

```sh
irqlab faults
irqlab faults time.dpc_move   # shows without a target
irqlab faults --check pool.fail --profile i386   # shows 0x8E
irqlab run faults --set fault=time.dpc_twice   # shows STOP 0x000000C2
irqlab run faults --set fault=time.dpc_twice --set driver=fixed
irqlab run kb931322 --set driver=fixed --fault pool.fail@preserve::create#1   # exits 1, shows pool.fail
```

A rule that makes no sense is refused with its place and what could be meant: an unknown kind, a kernel
function that no driver here calls, a place that a driver does not have, a parameter of another kind,
two rules that decide the same strike.

Most kinds are what hardware, a network or Windows is documented to do, or what Driver Verifier does
to a driver; each says where that stands. What no public source says is called irqlab's own.

A raise to DISPATCH_LEVEL is what a caller with a spin lock, or in a DPC, does to a routine. A higher
level is only as good as the question: a driver that is raised above DISPATCH_LEVEL and then asks for
DISPATCH_LEVEL has lowered the IRQL by KeRaiseIrql, and stops with 0x09 although it is correct.

Not there: a stale TLB on another processor. Whether an address that was unmapped still leads
somewhere there depends on the kernel: ReactOS (mm/ARM3/syspte.c, behaviour) empties the TLBs when it
gives a range of addresses out again, and not when it takes it back. So a driver that never uses an
address after it was unmapped cannot meet a stale entry, and for one that does the entry would hide
the defect that is seen here: memory whose pages have gone, such as a block of special pool that was
freed, is gone for every processor at once.
";

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn rows(title: &str, params: &[(&str, &str)]) -> String {
    let mut text = format!("\n| {title} | |\n|---|---|\n");
    for (name, help) in params {
        text += &format!("| `{name}` | {} |\n", cell(help));
    }
    text
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page += "\n## Where and when\n\nA kind that strikes at a place in what drivers do takes any kernel call of a driver if the rule\nhas no place. `irql.leave` needs one.\n";
    page += &rows("where", WHERE);
    page += &rows("when", WHEN);
    for kind in KINDS {
        page += &format!(
            "\n## `{}`\n\n{}; {}.\n",
            kind.name,
            kind.help,
            opportunity(kind)
        );
        if !kind.params.is_empty() {
            page += &rows("parameter", kind.params);
        }
        page += &format!("\nKnown from: {}.\n", kind.source);
    }
    page
}

#[test]
fn the_page_of_faults_is_the_list_of_kinds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FAULTS.md");
    let expected = page();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/FAULTS.md: UPDATE_EXPECT=1 writes what the kinds are now"
    );
}

/// A list without a case for every kind would check less than it says.
#[test]
fn every_kind_has_its_case() {
    let source = catalogue::find(SCENARIO).unwrap();
    let setting = source.scenario.settings.iter().find(|s| s.name == "fault");
    let emu::scenario::SettingKind::Choice(cases) = &setting.unwrap().kind else {
        panic!("the case is a word");
    };
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(*cases, kinds);
}
