//! `time.timer_early`: a rate is computed by the intervals that have passed when a timer of one
//! interval expires: at least one, one should think. The correct driver does not divide by none.

use core::mem::zeroed;
use core::ptr::null_mut;

use nt::global::Global;
use nt::ke::*;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.timer_early", begin);

const INTERVAL_MS: i64 = 50;

struct Measure {
    timer: KTIMER,
    dpc: KDPC,
    done: KEVENT,
    began: i64,
    rate: i64,
}

static MEASURE: Global<Measure> = Global::new(unsafe { zeroed() });

unsafe extern "system" fn expired(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {
    unsafe {
        let measure = MEASURE.get();
        let mut now = 0;
        KeQuerySystemTime(&mut now);
        // In units that have 32 bits, for machines that divide no others.
        let passed = ((now - (*measure).began) as u32) / (INTERVAL_MS as u32 * 10_000);
        #[cfg(not(feature = "buggy"))]
        let passed = passed.max(1);
        (*measure).rate = i64::from(1000 / passed);
        KeSetEvent(&raw mut (*measure).done, 0, 0);
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let measure = MEASURE.get();
        KeInitializeTimer(&raw mut (*measure).timer);
        KeInitializeDpc(&raw mut (*measure).dpc, expired, null_mut());
        KeInitializeEvent(&raw mut (*measure).done, NotificationEvent, 0);
        KeQuerySystemTime(&raw mut (*measure).began);
        let due = tools::after_ms(INTERVAL_MS);
        KeSetTimer(&raw mut (*measure).timer, due, &raw mut (*measure).dpc);
        wait(&raw mut (*measure).done);
    }
    STATUS_SUCCESS
}
