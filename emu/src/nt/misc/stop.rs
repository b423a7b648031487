//! `KeBugCheck` and `KeBugCheckEx`.

use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{Api, Call, Done};

const WDK: &str = "Windows driver documentation: KeBugCheckEx; wdm.h";

/// Functions that stop the system.
pub const API: &[Api] = &[
    Api {
        name: "KeBugCheckEx",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[
            long("BugCheckCode"),
            ptr("BugCheckParameter1"),
            ptr("BugCheckParameter2"),
            ptr("BugCheckParameter3"),
            ptr("BugCheckParameter4"),
        ],
        irql: Contract::Any,
        source: WDK,
        handler: bug_check,
    },
    Api {
        name: "KeBugCheck",
        module: Module::Ntoskrnl,
        style: Style::Std,
        args: &[long("BugCheckCode")],
        irql: Contract::Any,
        source: WDK,
        handler: bug_check,
    },
];

fn bug_check(call: &mut Call<'_>) -> Done {
    // Arguments that a function does not have are 0.
    let [code, one, two, three, four, ..] = call.args;
    Err(call.bugcheck(code as u32, [one, two, three, four]))
}
