//! 64-bit arithmetic of 32-bit x86: what its compilers call for `*`, `/`, `%` and shifts, and the
//! large-integer functions.
//!
//! The kernel exports the former on x86 only. Products and quotients take their operands on the
//! stack and pop them; shifts take theirs in edx:eax and cl (Microsoft C run-time library, "64-bit
//! helper routines", as documented by the LLVM compiler-rt sources for i386 Windows).

use isa::{Arch, Reg, RegisterAccess};

use crate::machine::context::Outcome;
use crate::nt::api::{Contract, Module, Style, long, ptr, quad};
use crate::nt::{Api, Arg, Call, Done, Trouble};

const CRT: &str = "Microsoft C run-time library for x86: 64-bit helper routines";
const DDK: &str = "NT 4.0 DDK: ntddk.h, large integer functions";
/// 0x7F with this parameter: the processor's divide error.
const UNEXPECTED_KERNEL_MODE_TRAP: u32 = 0x7F;

const fn row(
    name: &'static str,
    args: &'static [Arg],
    source: &'static str,
    handler: fn(&mut Call<'_>) -> Done,
) -> Api {
    let (module, style, irql) = (Module::Ntoskrnl, Style::Std, Contract::Any);
    Api {
        name,
        module,
        style,
        args,
        irql,
        source,
        handler,
    }
}

const TWO: &[Arg] = &[quad("a"), quad("b")];

/// Arithmetic functions.
pub const API: &[Api] = &[
    row("_allmul", TWO, CRT, multiply),
    row("_alldiv", TWO, CRT, signed_quotient),
    row("_allrem", TWO, CRT, signed_remainder),
    row("_aulldiv", TWO, CRT, quotient),
    row("_aullrem", TWO, CRT, remainder),
    row("_allshl", &[], CRT, shift_left),
    row("_allshr", &[], CRT, shift_right_signed),
    row("_aullshr", &[], CRT, shift_right),
    row(
        "RtlLargeIntegerAdd",
        &[quad("Addend1"), quad("Addend2")],
        DDK,
        add,
    ),
    row(
        "RtlLargeIntegerSubtract",
        &[quad("Minuend"), quad("Subtrahend")],
        DDK,
        subtract,
    ),
    row(
        "RtlExtendedIntegerMultiply",
        &[quad("Multiplicand"), long("Multiplier")],
        DDK,
        extended_multiply,
    ),
    row(
        "RtlExtendedLargeIntegerDivide",
        &[quad("Dividend"), long("Divisor"), ptr("Remainder")],
        DDK,
        extended_divide,
    ),
    row(
        "RtlEnlargedIntegerMultiply",
        &[long("Multiplicand"), long("Multiplier")],
        DDK,
        enlarged,
    ),
];

fn value(value: u64) -> Done {
    Ok(Outcome::Return(value))
}

fn multiply(call: &mut Call<'_>) -> Done {
    value(call.args[0].wrapping_mul(call.args[1]))
}

/// The operands of a division.
fn operands(call: &mut Call<'_>) -> Result<(u64, u64), Trouble> {
    let [dividend, divisor, ..] = call.args;
    if divisor == 0 {
        return Err(call.bugcheck(UNEXPECTED_KERNEL_MODE_TRAP, [0, 0, 0, 0]));
    }
    Ok((dividend, divisor))
}

fn signed_quotient(call: &mut Call<'_>) -> Done {
    let (a, b) = operands(call)?;
    value((a as i64).wrapping_div(b as i64) as u64)
}

fn signed_remainder(call: &mut Call<'_>) -> Done {
    let (a, b) = operands(call)?;
    value((a as i64).wrapping_rem(b as i64) as u64)
}

fn quotient(call: &mut Call<'_>) -> Done {
    let (a, b) = operands(call)?;
    value(a / b)
}

fn remainder(call: &mut Call<'_>) -> Done {
    let (a, b) = operands(call)?;
    value(a % b)
}

/// The value in edx:eax and the count in cl.
fn shift_operands(call: &mut Call<'_>) -> Result<(u64, u32), Trouble> {
    if call.arch() != Arch::X86 {
        return Err(call.unimplemented("_allshl", "a 64-bit machine has no such function"));
    }
    let registers = call.m.registers(call.core);
    let (eax, ecx, edx) = (
        registers.get(Reg(0)),
        registers.get(Reg(1)),
        registers.get(Reg(2)),
    );
    Ok((eax | edx << 32, (ecx & 0xFF) as u32))
}

fn shift_left(call: &mut Call<'_>) -> Done {
    let (v, count) = shift_operands(call)?;
    value(v.checked_shl(count).unwrap_or(0))
}

fn shift_right(call: &mut Call<'_>) -> Done {
    let (v, count) = shift_operands(call)?;
    value(v.checked_shr(count).unwrap_or(0))
}

fn shift_right_signed(call: &mut Call<'_>) -> Done {
    let (v, count) = shift_operands(call)?;
    value((v as i64 >> count.min(63)) as u64)
}

fn add(call: &mut Call<'_>) -> Done {
    value(call.args[0].wrapping_add(call.args[1]))
}

fn subtract(call: &mut Call<'_>) -> Done {
    value(call.args[0].wrapping_sub(call.args[1]))
}

fn extended_multiply(call: &mut Call<'_>) -> Done {
    let factor = i64::from(call.args[1] as i32);
    value((call.args[0] as i64).wrapping_mul(factor) as u64)
}

fn extended_divide(call: &mut Call<'_>) -> Done {
    let (a, b) = operands(call)?;
    let at = call.args[2];
    if at != 0 {
        call.set_u32(at, (a % b) as u32)?;
    }
    value(a / b)
}

fn enlarged(call: &mut Call<'_>) -> Done {
    let product = i64::from(call.args[0] as i32) * i64::from(call.args[1] as i32);
    value(product as u64)
}
