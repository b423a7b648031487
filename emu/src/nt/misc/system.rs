//! Facts about the system: version, processors, who asked.

use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, ptr};
use crate::nt::{Api, Arg, Call, Done, layout, status};

const WDK: &str = "Windows driver documentation: RtlGetVersion, PsGetVersion, \
                   KeGetCurrentProcessorNumber, ExGetPreviousMode; wdm.h";
/// `OSVERSIONINFOW` and `OSVERSIONINFOEXW`: sizes, and where the service pack's text and numbers
/// are. `VER_PLATFORM_WIN32_NT`, `VER_SUITE_...` and `VER_NT_SERVER` are those of a server.
const VERSION_SIZE: u32 = 0x114;
const VERSION_EX_SIZE: u32 = 0x11C;
const CSD_TEXT: usize = 0x14;
const PLATFORM_NT: u32 = 2;
const SUITE: u16 = 0x110;
const NT_SERVER: u8 = 3;

const fn row(
    name: &'static str,
    args: &'static [Arg],
    irql: Contract,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    Api {
        name,
        module: Module::Ntoskrnl,
        style: Style::Std,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Contract::{Any, Apc, Passive};

/// System functions.
pub const API: &[Api] = &[
    row(
        "RtlGetVersion",
        &[ptr("VersionInformation")],
        Passive,
        version,
    ),
    row(
        "PsGetVersion",
        &[
            ptr("MajorVersion"),
            ptr("MinorVersion"),
            ptr("BuildNumber"),
            ptr("CSDVersion"),
        ],
        Any,
        version_parts,
    ),
    row("KeGetCurrentProcessorNumber", &[], Any, processor_number),
    row("KeQueryActiveProcessors", &[], Any, active_processors),
    row("ExGetPreviousMode", &[], Any, previous_mode),
    row("KeEnterCriticalRegion", &[], Apc, critical_region),
    row("KeLeaveCriticalRegion", &[], Apc, critical_region),
];

fn version(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    let personality = call.m.setup.personality;
    let (major, minor, build) = personality.version();
    let size = call.u32(at)?;
    let mut out = vec![0; VERSION_SIZE as usize];
    let fields = [size, major, minor, build, PLATFORM_NT];
    for (i, field) in fields.into_iter().enumerate() {
        out[i * 4..][..4].copy_from_slice(&field.to_le_bytes());
    }
    let pack = personality.service_pack();
    let text = format!("Service Pack {pack}");
    for (i, unit) in text.encode_utf16().enumerate() {
        out[CSD_TEXT + 2 * i..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    if size >= VERSION_EX_SIZE {
        out.extend((pack as u16).to_le_bytes());
        out.extend([0, 0]);
        out.extend(SUITE.to_le_bytes());
        out.extend([NT_SERVER, 0]);
    }
    call.write_bytes(at, &out)?;
    Ok(Outcome::Return(u64::from(status::SUCCESS)))
}

fn version_parts(call: &mut Call<'_>) -> Done {
    let [major_at, minor_at, build_at, text_at, ..] = call.args;
    let (major, minor, build) = call.m.setup.personality.version();
    for (at, value) in [(major_at, major), (minor_at, minor), (build_at, build)] {
        if at != 0 {
            call.set_u32(at, value)?;
        }
    }
    if text_at != 0 {
        let at = text_at + layout::of(call.arch()).unicode_string.buffer;
        let buffer = call.ptr(at)?;
        return Err(call.unimplemented("PsGetVersion", format!("CSDVersion at {buffer:#x}")));
    }
    // A free build.
    Ok(Outcome::Return(0))
}

fn processor_number(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return(call.core as u64))
}

fn active_processors(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return((1 << call.m.cpus()) - 1))
}

fn previous_mode(call: &mut Call<'_>) -> Done {
    // A requester's thread came from user mode; what it asks a driver for, it asks from there.
    let thread = call.m.state.cores[call.core].thread();
    let list = &call.m.state.nt.threads.list;
    let user = thread.is_some_and(|id| list[id as usize].script.is_some());
    Ok(Outcome::Return(u64::from(user)))
}

fn critical_region(_call: &mut Call<'_>) -> Done {
    // Holds off normal kernel APCs, of which the model has none.
    Ok(Outcome::Return(0))
}
