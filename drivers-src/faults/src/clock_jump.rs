//! `time.clock_jump`: work is counted by the second in which it was done, of ten seconds, although
//! it takes no time at all. The correct driver looks whether the clock is still in its table.

use nt::ke::KeQuerySystemTime;
use nt::status::STATUS_SUCCESS;
use nt::types::*;

use crate::Case;

pub const CASE: Case = Case::new(b"time.clock_jump", begin);

static DONE: nt::global::Global<[u32; 10]> = nt::global::Global::new([0; 10]);

unsafe fn begin(_: *mut IRP) -> NTSTATUS {
    unsafe {
        let (mut before, mut after) = (0, 0);
        KeQuerySystemTime(&mut before);
        KeQuerySystemTime(&mut after);
        // A shift, for machines that do not divide 64 bits: 2^23 * 100 ns are 0.84 s.
        let second = ((after - before) >> 23) as usize;
        let done = &mut *DONE.get();
        #[cfg(not(feature = "buggy"))]
        let second = second.min(done.len() - 1);
        done[second] += 1;
    }
    STATUS_SUCCESS
}
