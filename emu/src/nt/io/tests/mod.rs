//! The I/O manager as drivers see it: functions are called on a machine without drivers, and what
//! they lead to is looked at. No guest code runs; where a driver's routine would, the test plays
//! it.

mod cancel;
mod completion;
mod control;
mod devices;
mod files;
mod memory;
mod requests;
mod unload;
mod values;

use isa::{Mem, Profile};

use super::driver::{create_driver, entry_returned};
use crate::machine::context::Outcome;
use crate::machine::{Granularity, Machine, Watch, boot};
use crate::nt::{self, Call, Done, Trouble, layout, pool, status};
use crate::scenario::{Selection, parse};
use crate::stop::{Access, Stop};

/// A machine with a registry key and a program.
const MACHINE: &str = r#"
title = "machine"
summary = "a key and a program"

[machine]
profiles = ["amd64", "i386", "arm64", "alpha", "ia64"]
personalities = ["ws2003-sp1", "nt4"]
cpus = 2

[[registry]]
key = 'Test\Parameters'
values = { Number = 7, List = ["one", "two"] }

[[thread]]
name = "program"
step = [
    { open = '\Device\Test' },
    { ioctl = 0x222000, input = [ { u32 = 1 }, { u32 = 2 } ], output = 32 },
    { close = "handle" },
]
"#;

/// One profile of each pointer size and page size.
const PROFILES: [Profile; 3] = [Profile::I386, Profile::Amd64, Profile::Ia64];

/// Addresses of routines that never run.
mod routine {
    pub const DISPATCH: u64 = 0x1100;
    pub const COMPLETION: u64 = 0x1300;
    pub const CANCEL: u64 = 0x1400;
    pub const QUERY: u64 = 0x1500;
}

/// A driver's routine that the kernel entered.
#[derive(Debug)]
struct Entered {
    what: &'static str,
    routine: u64,
    args: Vec<u64>,
    then: nt::Then,
}

/// A machine, a driver without code, and memory for what is passed by address.
struct Rig {
    m: Machine,
    driver: u64,
    /// Where results go.
    out: u64,
    scratch: u64,
    used: u64,
}

impl Rig {
    fn new(profile: Profile) -> Rig {
        let scenario = parse("machine.toml", MACHINE).expect("it is right");
        let selection = Selection {
            profile: Some(profile),
            ..Selection::default()
        };
        let nothing = |path: &str| Err(format!("{path}: there are no files"));
        let plan = scenario.expand(&selection, &nothing).expect("it is right");
        let mut m =
            boot(&plan, &[], Granularity::Sync, Watch::Recording).expect("nothing is wrong");
        let driver = create_driver(&mut m, "test.sys", "Test", 0x1000..0x2000, 0x1000);
        let scratch = pool::allocate(&mut m, 0, 0x2000, *b"Test", false);
        let mut rig = Rig {
            m,
            driver,
            out: scratch,
            scratch: scratch + 0x100,
            used: 0,
        };
        let at = layout::of(rig.m.arch()).driver.major_function;
        for major in [0, 2, 3, 4, 0xE, 0xF, 0x12] {
            rig.set_ptr(driver + at + major * rig.pointer(), routine::DISPATCH);
        }
        rig
    }

    fn pointer(&self) -> u64 {
        self.m.arch().pointer_size()
    }

    /// Calls a function by its name; gives what it leads to when the kernel's own work is done.
    fn try_call(&mut self, name: &str, given: &[u64]) -> Done {
        let api = nt::find(name).expect("it is in the table");
        assert_eq!(api.args.len(), given.len(), "arguments of {name}");
        let mut args = [0; 12];
        args[..given.len()].copy_from_slice(given);
        let done = (api.handler)(&mut Call {
            m: &mut self.m,
            core: 0,
            args,
        });
        self.settle(done)
    }

    /// Calls a function that returns at once; gives its result.
    #[track_caller]
    fn call(&mut self, name: &str, given: &[u64]) -> u64 {
        match self.try_call(name, given) {
            Ok(Outcome::Return(value)) => value,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The same for one whose result is a status.
    #[track_caller]
    fn status(&mut self, name: &str, given: &[u64]) -> u32 {
        self.call(name, given) as u32
    }

    /// Calls a function that enters a routine of the driver.
    #[track_caller]
    fn enters(&mut self, name: &str, given: &[u64]) -> Entered {
        let done = self.try_call(name, given);
        entered(done)
    }

    /// Continues as if a routine had returned a value.
    fn resume(&mut self, then: nt::Then, value: u64) -> Done {
        let done = nt::resume(
            &mut Call {
                m: &mut self.m,
                core: 0,
                args: [0; 12],
            },
            then,
            value,
        );
        self.settle(done)
    }

    /// Does the kernel's own work until something else is needed.
    fn settle(&mut self, mut done: Done) -> Done {
        while let Ok(Outcome::Continue(then, value)) = done {
            done = nt::resume(
                &mut Call {
                    m: &mut self.m,
                    core: 0,
                    args: [0; 12],
                },
                then,
                value,
            );
        }
        done
    }

    fn bytes(&self, va: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; length as usize];
        assert!(self.m.memory.read(va, &mut bytes), "{va:#x} is mapped");
        bytes
    }

    fn u8(&self, va: u64) -> u8 {
        self.bytes(va, 1)[0]
    }

    fn u32(&self, va: u64) -> u32 {
        self.m.memory.read_u32(va).expect("it is mapped")
    }

    fn ptr(&self, va: u64) -> u64 {
        self.m
            .memory
            .read_ptr(self.m.arch(), va)
            .expect("it is mapped")
    }

    fn set_ptr(&mut self, va: u64, value: u64) {
        let n = self.pointer() as usize;
        assert!(self.m.memory.write(va, &value.to_le_bytes()[..n]));
    }

    /// Some memory with these bytes.
    fn put(&mut self, bytes: &[u8]) -> u64 {
        let at = self.scratch + self.used;
        self.used += (bytes.len() as u64).next_multiple_of(16) + 16;
        assert!(self.used < 0x1E00, "the scratch block is full");
        assert!(self.m.memory.write(at, bytes));
        at
    }

    /// A terminated UTF-16 string.
    fn wide(&mut self, text: &str) -> u64 {
        let units: Vec<u8> = text
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        self.put(&units)
    }

    /// A `UNICODE_STRING`.
    fn string(&mut self, text: &str) -> u64 {
        let buffer = self.wide(text);
        let at = self.put(&[0; 16]);
        self.call("RtlInitUnicodeString", &[at, buffer]);
        at
    }

    /// An `OBJECT_ATTRIBUTES` with a name.
    fn named(&mut self, root: u64, name: &str) -> u64 {
        let name = self.string(name);
        let at = self.put(&[0; 0x30]);
        let l = layout::of(self.m.arch()).object_attributes;
        self.set_ptr(at + l.root_directory, root);
        self.set_ptr(at + l.object_name, name);
        at
    }

    /// A device that can be opened, with this name if it is not empty.
    #[track_caller]
    fn device(&mut self, name: &str) -> u64 {
        let name = if name.is_empty() {
            0
        } else {
            self.string(name)
        };
        let out = self.out;
        assert_eq!(
            self.status("IoCreateDevice", &[self.driver, 16, name, 0x22, 0, 0, out]),
            0
        );
        let call = &mut Call {
            m: &mut self.m,
            core: 0,
            args: [0; 12],
        };
        entry_returned(call, 0).expect("the list of devices is whole");
        self.ptr(out)
    }

    /// The current stack location of an IRP.
    fn stack(&self, irp: u64) -> u64 {
        self.ptr(irp + layout::of(self.m.arch()).irp.current_stack_location)
    }

    /// Plays a dispatch routine that ends its IRP with a status; gives what follows.
    #[track_caller]
    fn complete(&mut self, irp: u64, status: u32, information: u64) {
        let l = layout::of(self.m.arch());
        self.m
            .memory
            .write(irp + l.irp.io_status, &status.to_le_bytes());
        self.set_ptr(
            irp + l.irp.io_status + l.io_status_block.information,
            information,
        );
        self.call("IofCompleteRequest", &[irp, 0]);
    }

    /// Plays the dispatch routine that was entered: it ends its IRP and returns its status.
    #[track_caller]
    fn answer(&mut self, entered: Entered, status: u32, information: u64) -> Done {
        assert_eq!(entered.what, "dispatch");
        self.complete(entered.args[1], status, information);
        self.resume(entered.then, u64::from(status))
    }

    /// Marks an IRP pending, as a driver does inline.
    fn mark_pending(&mut self, irp: u64) {
        let at = self.stack(irp) + layout::of(self.m.arch()).stack.control;
        let control = self.u8(at) | 1;
        self.m.memory.write(at, &[control]);
    }

    /// Pool blocks in use, all of them.
    fn blocks(&self) -> usize {
        self.m.state.nt.pools.blocks().count()
    }

    /// Opens a device as a driver does, and plays its driver; gives the handle.
    #[track_caller]
    fn open(&mut self, name: &str) -> u64 {
        let attributes = self.named(0, name);
        let out = self.out;
        let options = 0x20;
        let args = [out, 0, attributes, out + 16, 0, 0, 3, 1, options, 0, 0];
        let entered = self.enters("ZwCreateFile", &args);
        assert_eq!(self.answer(entered, 0, 0), Ok(Outcome::Return(0)));
        self.ptr(out)
    }

    /// The file object behind a handle, not referenced.
    fn file(&self, handle: u64) -> u64 {
        match self.m.state.nt.io.objects.target(handle) {
            Some(super::HandleTarget::File(file)) => *file,
            other => panic!("{handle:#x} is {other:?}"),
        }
    }
}

/// The routine that was entered.
#[track_caller]
fn entered(done: Done) -> Entered {
    match done {
        Ok(Outcome::Enter {
            what,
            routine,
            args,
            then,
        }) => Entered {
            what,
            routine,
            args,
            then,
        },
        other => panic!("no routine is entered: {other:?}"),
    }
}

/// The code and first parameter of a bugcheck.
#[track_caller]
fn bugcheck(done: Done) -> (u32, u64) {
    match done {
        Err(Trouble::Stop(stop)) => match *stop {
            Stop::Bugcheck(b) => (b.code, b.params[0]),
            other => panic!("no bugcheck: {other:?}"),
        },
        other => panic!("no bugcheck: {other:?}"),
    }
}

/// What is not modelled.
#[track_caller]
fn unimplemented(done: Done) -> String {
    match done {
        Err(Trouble::Stop(stop)) => match *stop {
            Stop::Unimplemented { name, detail, .. } => format!("{name}: {detail}"),
            other => panic!("not unimplemented: {other:?}"),
        },
        other => panic!("not unimplemented: {other:?}"),
    }
}

/// A fault of the kernel.
fn fault(va: u64, access: Access) -> Done {
    Err(Trouble::Fault { va, access })
}
