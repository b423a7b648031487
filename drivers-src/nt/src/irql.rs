//! The IRQL of the current processor.
//!
//! On x64 it is the register CR8 and the DDK's headers inline its moves; on x86 the HAL keeps it;
//! on ARM64 the kernel exports functions. The numbers here are the same on all of them.

use crate::types::KIRQL;

/// Ordinary thread execution.
pub const PASSIVE_LEVEL: KIRQL = 0;
/// Kernel APCs held off.
pub const APC_LEVEL: KIRQL = 1;
/// The scheduler and DPCs held off; no page fault and no wait from here on.
pub const DISPATCH_LEVEL: KIRQL = 2;

#[cfg(target_arch = "x86")]
mod imp {
    use super::KIRQL;

    import! { "hal.dll" "fastcall"
        /// Raises the IRQL; gives the old one.
        fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
        /// Lowers the IRQL.
        fn KfLowerIrql(NewIrql: KIRQL);
    }
    import! { "hal.dll" "system"
        /// The current IRQL.
        fn KeGetCurrentIrql() -> KIRQL;
    }

    #[inline(always)]
    pub unsafe fn current() -> KIRQL {
        unsafe { KeGetCurrentIrql() }
    }
    #[inline(always)]
    pub unsafe fn raise(new: KIRQL) -> KIRQL {
        unsafe { KfRaiseIrql(new) }
    }
    #[inline(always)]
    pub unsafe fn lower(new: KIRQL) {
        unsafe { KfLowerIrql(new) }
    }
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use core::arch::asm;

    use super::KIRQL;

    #[inline(always)]
    pub unsafe fn current() -> KIRQL {
        let irql: u64;
        unsafe { asm!("mov {}, cr8", out(reg) irql, options(nostack, preserves_flags)) };
        irql as KIRQL
    }
    #[inline(always)]
    pub unsafe fn raise(new: KIRQL) -> KIRQL {
        unsafe {
            let old = current();
            lower(new);
            old
        }
    }
    #[inline(always)]
    pub unsafe fn lower(new: KIRQL) {
        unsafe { asm!("mov cr8, {}", in(reg) u64::from(new), options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod imp {
    use super::KIRQL;

    import! { "ntoskrnl.exe" "system"
        /// The current IRQL.
        fn KeGetCurrentIrql() -> KIRQL;
        /// Raises the IRQL; gives the old one.
        fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
        /// Lowers the IRQL.
        fn KeLowerIrql(NewIrql: KIRQL);
    }

    #[inline(always)]
    pub unsafe fn current() -> KIRQL {
        unsafe { KeGetCurrentIrql() }
    }
    #[inline(always)]
    pub unsafe fn raise(new: KIRQL) -> KIRQL {
        unsafe { KfRaiseIrql(new) }
    }
    #[inline(always)]
    pub unsafe fn lower(new: KIRQL) {
        unsafe { KeLowerIrql(new) }
    }
}

/// The IRQL of this processor.
#[inline(always)]
pub unsafe fn KeGetCurrentIrql() -> KIRQL {
    unsafe { imp::current() }
}

/// Raises the IRQL to `new`, which is not below the current one; gives the old one.
#[inline(always)]
pub unsafe fn KeRaiseIrql(new: KIRQL) -> KIRQL {
    unsafe { imp::raise(new) }
}

/// Lowers the IRQL to what the matching [`KeRaiseIrql`] gave.
#[inline(always)]
pub unsafe fn KeLowerIrql(new: KIRQL) {
    unsafe { imp::lower(new) }
}

/// Runs `work` at `DISPATCH_LEVEL`. IRQL <= DISPATCH.
///
/// It is never inlined, so that a pageable routine can use it: none of the routine's own code runs
/// raised.
#[inline(never)]
pub unsafe fn at_dispatch<R>(work: impl FnOnce() -> R) -> R {
    unsafe {
        let old = KeRaiseIrql(DISPATCH_LEVEL);
        let result = work();
        KeLowerIrql(old);
        result
    }
}

/// The functions that the kernel exports on every architecture, also where the DDK's headers have
/// instructions instead.
pub mod exported {
    use super::KIRQL;

    #[cfg(target_arch = "x86")]
    import! { "hal.dll" "fastcall"
        /// Raises the IRQL; gives the old one.
        fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
    }
    #[cfg(target_arch = "x86")]
    import! { "hal.dll" "system"
        /// Lowers the IRQL.
        fn KeLowerIrql(NewIrql: KIRQL);
    }
    #[cfg(not(target_arch = "x86"))]
    import! { "ntoskrnl.exe" "system"
        /// Raises the IRQL; gives the old one.
        fn KfRaiseIrql(NewIrql: KIRQL) -> KIRQL;
        /// Lowers the IRQL.
        fn KeLowerIrql(NewIrql: KIRQL);
    }
}
