//! The memory manager's functions on addresses, and on a driver's pageable sections.

use std::ops::Range;

use crate::loader::Section;
use crate::machine::LoadedModule;
use crate::machine::context::Outcome;
use crate::machine::memory::{Page, RegionKind};
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::io::mdl::frame_number;
use crate::nt::{self, Api, Arg, Call, Done, Trouble};
use crate::stop::Access;

const WDK: &str = "Windows driver documentation: Making Drivers Pageable, MmIsAddressValid, \
                   ProbeForRead; wdm.h";

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

use Contract::{Any, Apc, Dispatch, Passive};

const PROBE: &[Arg] = &[ptr("Address"), ptr("Length"), long("Alignment")];

/// Functions on pages.
pub const API: &[Api] = &[
    row(
        "MmIsAddressValid",
        &[ptr("VirtualAddress")],
        Dispatch,
        is_valid,
    ),
    row(
        "MmIsNonPagedSystemAddressValid",
        &[ptr("VirtualAddress")],
        Dispatch,
        is_nonpaged,
    ),
    row("MmGetPhysicalAddress", &[ptr("BaseAddress")], Any, physical),
    row(
        "MmGetSystemRoutineAddress",
        &[ptr("SystemRoutineName")],
        Passive,
        routine_address,
    ),
    row(
        "MmLockPagableDataSection",
        &[ptr("AddressWithinSection")],
        Apc,
        lock_section,
    ),
    row(
        "MmLockPagableSectionByHandle",
        &[ptr("ImageSectionHandle")],
        Apc,
        relock_section,
    ),
    row(
        "MmUnlockPagableImageSection",
        &[ptr("ImageSectionHandle")],
        Apc,
        unlock_section,
    ),
    row(
        "MmPageEntireDriver",
        &[ptr("AddressWithinSection")],
        Apc,
        page_driver,
    ),
    row(
        "MmResetDriverPaging",
        &[ptr("AddressWithinSection")],
        Apc,
        reset_paging,
    ),
    row("ProbeForRead", PROBE, Apc, probe_read),
    row("ProbeForWrite", PROBE, Apc, probe_write),
];

fn is_valid(call: &mut Call<'_>) -> Done {
    let valid = call.m.memory.miss(call.args[0], Access::Read).is_none();
    Ok(Outcome::Return(u64::from(valid)))
}

fn is_nonpaged(call: &mut Call<'_>) -> Done {
    let va = call.args[0];
    let nonpaged = call
        .m
        .memory
        .region(va)
        .is_some_and(|r| r.kind == RegionKind::NonPagedPool);
    let valid = nonpaged && call.m.memory.miss(va, Access::Read).is_none();
    Ok(Outcome::Return(u64::from(valid)))
}

fn physical(call: &mut Call<'_>) -> Done {
    let va = call.args[0];
    let page = call.m.setup.profile.page_size();
    // Defined only for addresses that are in memory; the kernel, too, gives 0 for others.
    let address = match call.m.memory.miss(va, Access::Read) {
        None => frame_number(call, va) * page + va % page,
        Some(_) => 0,
    };
    Ok(Outcome::Return(address))
}

fn routine_address(call: &mut Call<'_>) -> Done {
    let name_at = call.args[0];
    let name = call.unicode_string(name_at)?;
    if let Some(slot) = call.m.setup.imports.iter().find(|s| s.api.name == name) {
        return Ok(Outcome::Return(slot.address));
    }
    if nt::find(&name).is_some() {
        // It has an entry point only if some driver imports it.
        let detail = format!("{name}, which no driver imports");
        return Err(call.unimplemented("MmGetSystemRoutineAddress", detail));
    }
    Ok(Outcome::Return(0))
}

/// The section of a driver that an address is in.
fn section(call: &Call<'_>, va: u64) -> Option<Range<u64>> {
    let module = &call.m.setup.modules[call.m.in_driver(va)?];
    let section = module.image.as_ref()?.section(va)?;
    let start = module.base + u64::from(section.rva);
    Some(start..start + u64::from(section.size))
}

/// First addresses of the pages of a range.
fn pages(call: &Call<'_>, range: Range<u64>) -> impl Iterator<Item = u64> + use<> {
    let page = call.m.setup.profile.page_size();
    (range.start / page..range.end.div_ceil(page)).map(move |i| i * page)
}

/// Brings a section into memory and keeps it there; gives its handle, which is its address.
fn lock(call: &mut Call<'_>, va: u64, function: &str) -> Done {
    let Some(range) = section(call, va) else {
        let detail = format!("{va:#x} is in no section of a driver");
        return Err(call.unimplemented(function, detail));
    };
    let handle = range.start;
    for page in pages(call, range) {
        call.m.touch(call.core, page, 1, Access::Read)?;
        call.m.state.nt.io.locked.lock(page);
    }
    Ok(Outcome::Return(handle))
}

fn lock_section(call: &mut Call<'_>) -> Done {
    let va = call.args[0];
    lock(call, va, "MmLockPagableDataSection")
}

fn relock_section(call: &mut Call<'_>) -> Done {
    let handle = call.args[0];
    lock(call, handle, "MmLockPagableSectionByHandle")?;
    Ok(Outcome::Return(0))
}

fn unlock_section(call: &mut Call<'_>) -> Done {
    let handle = call.args[0];
    let range = section(call, handle).unwrap_or(0..0);
    let held = pages(call, range.clone()).all(|p| call.m.state.nt.io.locked.holds(p));
    if range.is_empty() || !held {
        let detail = format!("the section at {handle:#x} is not locked");
        return Err(call.unimplemented("MmUnlockPagableImageSection", detail));
    }
    for page in pages(call, range) {
        call.m.state.nt.io.locked.unlock(page);
    }
    Ok(Outcome::Return(0))
}

/// The driver that the first argument is an address of.
fn driver(call: &mut Call<'_>, function: &str) -> Result<LoadedModule, Trouble> {
    let va = call.args[0];
    let found = call
        .m
        .in_driver(va)
        .map(|i| call.m.setup.modules[i].clone());
    found.ok_or_else(|| call.unimplemented(function, format!("{va:#x} is in no driver")))
}

/// Changes the pages of each of a driver's sections.
fn change_sections(call: &mut Call<'_>, module: &LoadedModule, change: fn(&Section, &mut Page)) {
    for section in module.image.iter().flat_map(|image| &image.sections) {
        let start = module.base + u64::from(section.rva);
        let length = u64::from(section.size);
        call.m
            .memory
            .change_pages(start, length, |page| change(section, page));
    }
}

fn page_driver(call: &mut Call<'_>) -> Done {
    let module = driver(call, "MmPageEntireDriver")?;
    change_sections(call, &module, |_, page| page.pageable = true);
    Ok(Outcome::Return(module.base))
}

fn reset_paging(call: &mut Call<'_>) -> Done {
    let module = driver(call, "MmResetDriverPaging")?;
    change_sections(call, &module, |section, page| {
        page.pageable = section.pageable;
        page.resident = true;
    });
    Ok(Outcome::Return(0))
}

fn probe_read(call: &mut Call<'_>) -> Done {
    probe(call, "ProbeForRead", Access::Read)
}

fn probe_write(call: &mut Call<'_>) -> Done {
    probe(call, "ProbeForWrite", Access::Write)
}

/// Checks that a buffer lies in user memory, aligned; one to be written must be there, too.
fn probe(call: &mut Call<'_>, function: &str, access: Access) -> Done {
    let [va, length, alignment, ..] = call.args;
    if length == 0 {
        return Ok(Outcome::Return(0));
    }
    let end = va.checked_add(length);
    let in_user = end.is_some_and(|end| end <= call.m.setup.map.kernel);
    let aligned = alignment == 0 || va % alignment == 0;
    if !in_user || !aligned {
        let detail = format!("{va:#x} raises an exception, which drivers here cannot handle");
        return Err(call.unimplemented(function, detail));
    }
    if access == Access::Write {
        call.m.touch(call.core, va, length, access)?;
    }
    Ok(Outcome::Return(0))
}
