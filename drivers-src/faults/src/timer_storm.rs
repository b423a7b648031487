//! `time.timer_storm`: a timer that expires every 10 ms is counted for 45 ms, in a table of four. The
//! correct driver counts no further than the table goes.

use core::mem::zeroed;
use core::ptr::null_mut;

use nt::global::Global;
use nt::ke::*;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::{Case, tools};

pub const CASE: Case = Case::new(b"time.timer_storm", begin);

struct Table {
    timer: KTIMER,
    dpc: KDPC,
    used: usize,
    times: [i64; 4],
}

static TABLE: Global<Table> = Global::new(unsafe { zeroed() });

unsafe extern "system" fn expired(_: *mut KDPC, _: *mut c_void, _: *mut c_void, _: *mut c_void) {
    unsafe {
        let table = &mut *TABLE.get();
        #[cfg(not(feature = "buggy"))]
        if table.used == table.times.len() {
            return;
        }
        KeQuerySystemTime(&mut table.times[table.used]);
        table.used += 1;
    }
}

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let table = TABLE.get();
        (*table).used = 0;
        KeInitializeTimer(&raw mut (*table).timer);
        KeInitializeDpc(&raw mut (*table).dpc, expired, null_mut());
        let (timer, dpc) = (&raw mut (*table).timer, &raw mut (*table).dpc);
        KeSetTimerEx(timer, tools::after_ms(10), 10, dpc);
        tools::sleep(45);
        KeCancelTimer(timer);
    }
    STATUS_SUCCESS
}
