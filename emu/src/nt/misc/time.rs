//! Time: the system's clock, ticks, the performance counter. All of it is virtual time, counted in
//! instructions (see [`Machine::now`]).

use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr};
use crate::nt::{Api, Arg, Call, Done};
use crate::personality::Personality;

const WDK: &str = "Windows driver documentation: KeQuerySystemTime, KeQueryTickCount, \
                   KeQueryPerformanceCounter; wdm.h";

/// 100 ns units in a second.
const SECOND: u64 = 10_000_000;
/// Frequency of the performance counter in Hz: the power management timer of ACPI, which the
/// HALs of multiprocessors use (ACPI specification, "Power Management Timer").
const COUNTER_FREQUENCY: u64 = 3_579_545;
/// Ticks of the clock interrupt in 100 ns: of a uniprocessor PC, and of all others (Windows driver
/// documentation, "KeQueryTimeIncrement"; 10.0144 ms and 15.625 ms).
const INCREMENT_PC: u64 = 100_144;
const INCREMENT: u64 = 156_250;

const fn row(
    name: &'static str,
    module: Module,
    args: &'static [Arg],
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (style, irql) = (Style::Std, Contract::Any);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source: WDK,
        handler,
    }
}

use Module::{Hal, Ntoskrnl};

/// Time functions.
pub const API: &[Api] = &[
    row(
        "KeQuerySystemTime",
        Ntoskrnl,
        &[ptr("CurrentTime")],
        system_time,
    ),
    row(
        "KeQueryTickCount",
        Ntoskrnl,
        &[ptr("TickCount")],
        tick_count,
    ),
    row("KeQueryTimeIncrement", Ntoskrnl, &[], time_increment),
    row("KeQueryInterruptTime", Ntoskrnl, &[], interrupt_time),
    row(
        "KeQueryPerformanceCounter",
        Hal,
        &[ptr("PerformanceFrequency")],
        performance_counter,
    ),
    row(
        "KeStallExecutionProcessor",
        Hal,
        &[long("MicroSeconds")],
        stall,
    ),
];

/// The time of day at power-on, in 100 ns since 1 January 1601: new year of a year in which the
/// personality was in use. A run must not depend on when it is made.
pub fn power_on(personality: Personality) -> u64 {
    match personality {
        // 1 January 2000 and 2007.
        Personality::Nt4 => 125_911_584_000_000_000,
        Personality::Ws2003Sp1 | Personality::Ws2003Sp2 => 128_120_832_000_000_000,
    }
}

/// Virtual time since power-on, in 100 ns, at which the system's clock shows `time`.
pub fn since_power_on(personality: Personality, time: u64) -> u64 {
    time.saturating_sub(power_on(personality))
}

/// The length of a tick in 100 ns.
fn increment(m: &Machine) -> u64 {
    let uniprocessor_pc = m.setup.profile == isa::Profile::I386 && m.cpus() == 1;
    if uniprocessor_pc {
        INCREMENT_PC
    } else {
        INCREMENT
    }
}

fn system_time(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    let time = power_on(call.m.setup.personality) + call.m.now();
    call.set_u64(at, time)?;
    Ok(Outcome::Return(0))
}

fn tick_count(call: &mut Call<'_>) -> Done {
    let at = call.args[0];
    let ticks = call.m.now() / increment(call.m);
    call.set_u64(at, ticks)?;
    Ok(Outcome::Return(0))
}

fn time_increment(call: &mut Call<'_>) -> Done {
    Ok(Outcome::Return(increment(call.m)))
}

fn interrupt_time(call: &mut Call<'_>) -> Done {
    // Advances by ticks, like the clock interrupt that keeps it.
    let tick = increment(call.m);
    Ok(Outcome::Return(call.m.now() / tick * tick))
}

fn performance_counter(call: &mut Call<'_>) -> Done {
    let frequency_at = call.args[0];
    if frequency_at != 0 {
        call.set_u64(frequency_at, COUNTER_FREQUENCY)?;
    }
    let count = u128::from(call.m.now()) * u128::from(COUNTER_FREQUENCY) / u128::from(SECOND);
    Ok(Outcome::Return(count as u64))
}

fn stall(call: &mut Call<'_>) -> Done {
    // 10 units of 100 ns in a microsecond.
    call.m.state.skipped += call.args[0] * 10;
    Ok(Outcome::Return(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_years() {
        // 100 ns between 1 January 1601 and 1970.
        let unix = |time: u64| (time - 116_444_736_000_000_000) / SECOND;
        assert_eq!(unix(power_on(Personality::Nt4)), 946_684_800);
        assert_eq!(unix(power_on(Personality::Ws2003Sp1)), 1_167_609_600);
    }

    #[test]
    fn times_of_day_become_times_since_power_on() {
        let start = power_on(Personality::Nt4);
        assert_eq!(since_power_on(Personality::Nt4, start + 5), 5);
        assert_eq!(since_power_on(Personality::Nt4, 0), 0);
    }
}
