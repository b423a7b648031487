//! Scripted requesters: the steps of a scenario's threads that stand for programs.
//!
//! All requesters are threads of one process. Each has a window of user memory, in which the
//! buffers of its current request lie: status block, input, output. The window is mapped when the
//! machine boots and is pageable like any user memory.

use super::build::Buffer;
use super::open::{Destination, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, Open, open};
use super::transfer::{self, Request, What};
use super::{driver, ea, object};
use crate::machine::Machine;
use crate::machine::context::Outcome;
use crate::machine::memory::{FRAME_SIZE, RegionKind, Rights};
use crate::nt::{self, Call, Done, status};
use crate::scenario::plan::{ThreadPlan, ThreadStep};

/// First address of the first window.
const USER_BASE: u64 = 0x0013_0000;
/// Bytes kept for the status block.
const STATUS_SIZE: u64 = 16;
/// What input and output begin on a multiple of.
const ALIGNMENT: u64 = 16;
/// Windows begin on a multiple of this: the largest page of any profile, and a gap.
const WINDOW_ALIGNMENT: u64 = 0x1_0000;

/// `GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE`
const ACCESS: u32 = 0xC010_0000;
const SHARE_READ_WRITE: u16 = 3;
const USER_MODE: u8 = 1;

/// Bytes of a step's two buffers.
fn buffers(step: &ThreadStep) -> (u64, u64) {
    match step {
        ThreadStep::Ioctl { input, output, .. } => (input.len() as u64, u64::from(*output)),
        ThreadStep::Read { length, .. } => (0, u64::from(*length)),
        ThreadStep::Write { data, .. } => (data.len() as u64, 0),
        _ => (0, 0),
    }
}

/// Bytes of user memory that a thread needs.
fn window_size(thread: &ThreadPlan) -> u64 {
    let needs = thread.steps.iter().map(|step| {
        let (input, output) = buffers(step);
        STATUS_SIZE + input.next_multiple_of(ALIGNMENT) + output
    });
    needs.max().unwrap_or(STATUS_SIZE)
}

/// First address and size of each thread's window.
fn windows(threads: &[ThreadPlan]) -> Vec<(u64, u64)> {
    let mut next = USER_BASE;
    let place = |thread| {
        let (base, size) = (next, window_size(thread));
        next = (base + size).next_multiple_of(WINDOW_ALIGNMENT) + WINDOW_ALIGNMENT;
        (base, size)
    };
    threads.iter().map(place).collect()
}

/// Frames that the windows of a plan's threads take.
pub(crate) fn frames(threads: &[ThreadPlan]) -> usize {
    windows(threads)
        .iter()
        .map(|(_, size)| (*size as usize).div_ceil(FRAME_SIZE))
        .sum()
}

/// Maps the requesters' memory. False if the machine's memory is too small.
pub(crate) fn map_windows(m: &mut Machine) -> bool {
    let setup = m.setup.clone();
    windows(&setup.plan.threads)
        .into_iter()
        .all(|(base, size)| {
            let frames = (size as usize).div_ceil(FRAME_SIZE);
            m.memory
                .map(base, frames, RegionKind::User, Rights::WRITE, true)
        })
}

/// Makes the request of a script's step on the current thread; `then` gets its final status.
pub(crate) fn begin(call: &mut Call<'_>, step: &ThreadStep, then: nt::Then) -> Done {
    let Some((plan, handles)) = script(call) else {
        return Err(call.unimplemented("NtCreateFile", "a request by a thread without a script"));
    };
    let handle_in = |slot: usize| handles.get(slot).copied().unwrap_or(0);
    match step {
        ThreadStep::Open {
            handle, device, ea, ..
        } => {
            let file = Open {
                path: device.clone(),
                access: ACCESS,
                options: FILE_SYNCHRONOUS_IO_NONALERT,
                disposition: FILE_OPEN,
                attributes: 0,
                share: SHARE_READ_WRITE,
                mode: USER_MODE,
                attribute_list: ea.as_ref().map_or_else(Vec::new, ea::encode),
            };
            open(call, file, Destination::Slot(*handle), then)
        }
        ThreadStep::Unload { driver, .. } => driver::unload(call, *driver, then),
        ThreadStep::Close { handle } => object::close_handle(call, handle_in(*handle), then),
        ThreadStep::Ioctl {
            handle,
            code,
            input,
            ..
        } => {
            let (status_at, from, output) = place(call, plan, step, input);
            let what = What::Control {
                code: *code,
                input: from,
                output,
            };
            let handle = handle_in(*handle);
            transfer::start(
                call,
                Request {
                    handle,
                    what,
                    status_at,
                    mode: USER_MODE,
                },
                then,
            )
        }
        ThreadStep::Read { handle, offset, .. } => {
            let (status_at, _, buffer) = place(call, plan, step, &[]);
            let what = What::Read {
                buffer,
                offset: *offset,
            };
            let handle = handle_in(*handle);
            transfer::start(
                call,
                Request {
                    handle,
                    what,
                    status_at,
                    mode: USER_MODE,
                },
                then,
            )
        }
        ThreadStep::Write {
            handle,
            offset,
            data,
            ..
        } => {
            let (status_at, buffer, _) = place(call, plan, step, data);
            let what = What::Write {
                buffer,
                offset: *offset,
            };
            let handle = handle_in(*handle);
            transfer::start(
                call,
                Request {
                    handle,
                    what,
                    status_at,
                    mode: USER_MODE,
                },
                then,
            )
        }
        // Steps that are no requests are the script's own.
        ThreadStep::Sleep { .. } | ThreadStep::Await(_) | ThreadStep::Signal(_) => {
            Ok(Outcome::Continue(then, u64::from(status::SUCCESS)))
        }
    }
}

/// Index and handles of the current thread's script.
fn script(call: &Call<'_>) -> Option<(usize, Vec<u64>)> {
    let id = call.m.state.cores[call.core].thread()?;
    let script = call.m.state.nt.threads.list[id as usize].script.as_ref()?;
    Some((script.plan, script.handles.clone()))
}

/// Lays a request's buffers out in the thread's window: address of the status block, input,
/// output. A buffer without bytes has no address.
fn place(
    call: &mut Call<'_>,
    plan: usize,
    step: &ThreadStep,
    data: &[u8],
) -> (u64, Buffer, Buffer) {
    let setup = call.m.setup.clone();
    let (base, size) = windows(&setup.plan.threads)
        .get(plan)
        .copied()
        .unwrap_or((USER_BASE, 0));
    let (input, output) = buffers(step);
    let buffer = |at, length| Buffer {
        at: if length == 0 { 0 } else { at },
        length,
    };
    let input = buffer(base + STATUS_SIZE, input);
    let output = buffer(
        base + STATUS_SIZE + input.length.next_multiple_of(ALIGNMENT),
        output,
    );
    // The program itself fills its memory before the request: no kernel code does.
    call.m.memory.write(base, &vec![0; size as usize]);
    call.m.memory.write(input.at, data);
    (base, input, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(steps: Vec<ThreadStep>) -> ThreadPlan {
        ThreadPlan {
            name: "t".into(),
            priority: 8,
            handles: 1,
            steps,
        }
    }

    fn ioctl(input: usize, output: u32) -> ThreadStep {
        ThreadStep::Ioctl {
            handle: 0,
            code: 0,
            input: vec![0; input],
            output,
            expect: None,
        }
    }

    #[test]
    fn a_window_holds_the_largest_request() {
        assert_eq!(window_size(&thread(vec![])), STATUS_SIZE);
        assert_eq!(
            window_size(&thread(vec![ioctl(3, 8), ioctl(0, 40)])),
            16 + 40
        );
        assert_eq!(window_size(&thread(vec![ioctl(17, 1)])), 16 + 32 + 1);
    }

    #[test]
    fn windows_do_not_touch() {
        let threads = [
            thread(vec![ioctl(0x1_2000, 0)]),
            thread(vec![]),
            thread(vec![ioctl(1, 1)]),
        ];
        let all = windows(&threads);
        assert_eq!(all[0].0, USER_BASE);
        for pair in all.windows(2) {
            assert!(pair[0].0 + pair[0].1 + 0x2000 <= pair[1].0, "{pair:x?}");
        }
        assert_eq!(frames(&threads), 0x13 + 1 + 1);
    }
}
