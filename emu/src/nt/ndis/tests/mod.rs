//! NDIS as a protocol driver sees it: functions are called on a machine without drivers, and what
//! they lead to is looked at. No guest code runs; where a handler would, the test plays it.

mod binding;
mod packets;
mod receiving;
mod sending;
mod streams;

use super::{Then, layout, status};
use crate::machine::context::Outcome;
use crate::machine::{Granularity, Machine, Watch, boot};
use crate::nt::{self, Call, Done, Trouble, ndis, pool};
use crate::scenario::{Plan, Selection, parse};
use crate::stop::Stop;

/// Two adapters that are wired together, and a host beside the first.
const NETWORK: &str = r#"
title = "network"
summary = "two adapters and a host"

[machine]
profiles = ["amd64", "i386", "alpha", "ia64", "arm64"]
personalities = ["ws2003-sp1", "nt4"]
cpus = 2

[[adapter]]
name = "One"
mac = "02-00-00-00-00-01"
link = "wire"

[[adapter]]
name = "Two"
mac = "02-00-00-00-00-02"
link = "wire"
mtu = 576

[[host]]
name = "peer"
adapter = "One"
ip = "10.0.0.9"
mac = "02-00-00-00-00-09"
"#;

/// A stream of that host: what somebody who listens on the adapter will see.
const ARP_REQUESTS: &str = r#"
[[stream]]
name = "asks"
host = "peer"
step = [ { repeat = 3, step = [ { send = "arp request", ip = "10.0.0.1" } ] } ]
"#;

const ONE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const TWO: [u8; 6] = [2, 0, 0, 0, 0, 2];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
const EVERYONE: [u8; 6] = [0xFF; 6];

/// Addresses of handlers that never run.
mod handler {
    pub const CLOSE_COMPLETE: u64 = 0x1100;
    pub const SEND_COMPLETE: u64 = 0x1200;
    pub const RECEIVE: u64 = 0x1300;
    pub const RECEIVE_COMPLETE: u64 = 0x1400;
    pub const RECEIVE_PACKET: u64 = 0x1500;
}
/// What the protocol knows its binding by.
const CONTEXT: u64 = 0xC0DE;
const DIRECTED_AND_BROADCAST: u32 = 0x9;

/// A machine, and memory for what is passed by address.
struct Rig {
    m: Machine,
    /// Where results go.
    out: [u64; 4],
    scratch: u64,
}

impl Rig {
    fn new(profile: isa::Profile, extra: &str) -> Rig {
        Rig::on(&plan(profile, extra))
    }

    fn on(plan: &Plan) -> Rig {
        let mut m =
            boot(plan, &[], Granularity::Sync, Watch::Recording).expect("nothing can go wrong");
        let block = pool::allocate(&mut m, 0, 0x2000, *b"Test", false);
        Rig {
            m,
            out: [0, 8, 16, 24].map(|at| block + at),
            scratch: block + 0x40,
        }
    }

    /// Calls a function by its name on a core.
    fn try_on(&mut self, core: usize, name: &str, given: &[u64]) -> Done {
        let api = nt::find(name).expect("it is in the table");
        assert_eq!(api.args.len(), given.len(), "arguments of {name}");
        let mut args = [0; 12];
        args[..given.len()].copy_from_slice(given);
        (api.handler)(&mut Call {
            m: &mut self.m,
            core,
            args,
        })
    }

    /// Calls a function that returns at once; gives its result.
    #[track_caller]
    fn call(&mut self, name: &str, given: &[u64]) -> u64 {
        match self.try_on(0, name, given) {
            Ok(Outcome::Return(value)) => value,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// Calls a function whose first parameter is its status; gives the status.
    #[track_caller]
    fn status(&mut self, name: &str, given: &[u64]) -> u32 {
        let args = [&[self.out[0]], given].concat();
        self.call(name, &args);
        self.u32(self.out[0])
    }

    /// Continues on a core as if a handler had returned a value.
    fn resume(&mut self, core: usize, then: nt::Then, value: u64) -> Done {
        nt::resume(
            &mut Call {
                m: &mut self.m,
                core,
                args: [0; 12],
            },
            then,
            value,
        )
    }

    fn pointer(&self) -> u64 {
        self.m.arch().pointer_size()
    }

    fn bytes(&self, va: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; length as usize];
        assert!(self.m.memory.read(va, &mut bytes), "{va:#x} is mapped");
        bytes
    }

    fn u32(&self, va: u64) -> u32 {
        u32::from_le_bytes(self.bytes(va, 4).try_into().expect("4 bytes"))
    }

    fn ptr(&self, va: u64) -> u64 {
        let mut word = self.bytes(va, self.pointer());
        word.resize(8, 0);
        u64::from_le_bytes(word.try_into().expect("8 bytes"))
    }

    fn set_ptr(&mut self, va: u64, value: u64) {
        let n = self.pointer() as usize;
        self.m.memory.write(va, &value.to_le_bytes()[..n]);
    }

    fn write(&mut self, va: u64, bytes: &[u8]) {
        assert!(self.m.memory.write(va, bytes), "{va:#x} is mapped");
    }

    /// Writes a `UNICODE_STRING` into scratch memory; gives its address.
    fn string(&mut self, text: &str) -> u64 {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (at, buffer) = (self.scratch + 0x1000, self.scratch + 0x1020);
        let length = (units.len() as u16).to_le_bytes();
        self.write(at, &[length, length].concat());
        self.set_ptr(at + self.pointer(), buffer);
        self.write(buffer, &units);
        at
    }

    /// Writes characteristics of an NDIS version into scratch memory; gives their address.
    fn characteristics(&mut self, version: u8) -> u64 {
        let at = layout::of(self.m.arch()).characteristics;
        let name = self.string("TEST");
        let from = self.scratch;
        self.write(from, &[0; 0x100]);
        self.write(from, &[version, 0]);
        let name = self.bytes(name, 2 * self.pointer());
        self.write(from + at.name, &name);
        self.set_ptr(from + at.close_complete, handler::CLOSE_COMPLETE);
        self.set_ptr(from + at.send_complete, handler::SEND_COMPLETE);
        self.set_ptr(from + at.receive, handler::RECEIVE);
        self.set_ptr(from + at.receive_complete, handler::RECEIVE_COMPLETE);
        if version > 3 {
            self.set_ptr(from + at.receive_packet, handler::RECEIVE_PACKET);
        }
        from
    }

    /// Registers a protocol of an NDIS version.
    #[track_caller]
    fn protocol(&mut self, version: u8) -> u64 {
        let from = self.characteristics(version);
        let handle_at = self.out[1];
        let status = self.status("NdisRegisterProtocol", &[handle_at, from, 0x90]);
        assert_eq!(status, status::SUCCESS);
        self.ptr(handle_at)
    }

    /// The status of an attempt to open an adapter, and the binding.
    fn try_open(&mut self, protocol: u64, device: &str, medium: u32) -> (u32, u64) {
        let name = self.string(device);
        let [_, error_at, binding_at, index_at] = self.out;
        let media = self.scratch;
        self.write(media, &[9, 0, 0, 0]);
        self.write(media + 4, &medium.to_le_bytes());
        self.set_ptr(binding_at, 0);
        let args = [
            error_at, binding_at, index_at, media, 2, protocol, CONTEXT, name, 0, 0,
        ];
        let status = self.status("NdisOpenAdapter", &args);
        (status, self.ptr(binding_at))
    }

    /// A binding of a new protocol to an adapter, with this packet filter.
    #[track_caller]
    fn open(&mut self, version: u8, device: &str, filter: u32) -> u64 {
        let protocol = self.protocol(version);
        let (status, binding) = self.try_open(protocol, device, 0);
        assert_eq!(status, status::SUCCESS);
        let set = self.request(binding, 1, 0x0001_010E, &filter.to_le_bytes());
        assert_eq!(set.0, status::SUCCESS);
        binding
    }

    /// A request with this buffer: its status, bytes done, bytes needed, and the buffer after it.
    fn request(
        &mut self,
        binding: u64,
        kind: u32,
        oid: u32,
        buffer: &[u8],
    ) -> (u32, u32, u32, Vec<u8>) {
        let at = layout::of(self.m.arch()).request;
        let (request, data) = (self.scratch, self.scratch + 0x100);
        self.write(data, buffer);
        self.write(request + at.kind, &kind.to_le_bytes());
        self.write(request + at.oid, &oid.to_le_bytes());
        self.set_ptr(request + at.buffer, data);
        self.write(request + at.length, &(buffer.len() as u32).to_le_bytes());
        let status = self.status("NdisRequest", &[binding, request]);
        let (done, needed) = (self.u32(request + at.done), self.u32(request + at.needed));
        (status, done, needed, self.bytes(data, buffer.len() as u64))
    }

    /// Makes a packet whose buffers are these; gives the descriptor.
    #[track_caller]
    fn packet(&mut self, parts: &[&[u8]]) -> u64 {
        let at = self.out[1];
        assert_eq!(
            self.status("NdisAllocatePacketPool", &[at, 4, 16]),
            status::SUCCESS
        );
        let pool = self.ptr(at);
        assert_eq!(
            self.status("NdisAllocatePacket", &[at, pool]),
            status::SUCCESS
        );
        let packet = self.ptr(at);
        let offsets = layout::of(self.m.arch()).packet;
        let mut link = packet + offsets.head;
        for part in parts {
            let data = pool::allocate(&mut self.m, 0, part.len() as u64, *b"Test", false);
            self.write(data, part);
            let made = self.status("NdisAllocateBuffer", &[at, 0, data, part.len() as u64]);
            assert_eq!(made, status::SUCCESS);
            let mdl = self.ptr(at);
            self.set_ptr(link, mdl);
            self.set_ptr(packet + offsets.tail, mdl);
            link = mdl;
        }
        packet
    }

    /// The bytes of a packet's buffers.
    fn contents(&self, packet: u64) -> Vec<u8> {
        let mdl_at = nt::layout::of(self.m.arch()).mdl;
        let mut mdl = self.ptr(packet + layout::of(self.m.arch()).packet.head);
        let mut bytes = Vec::new();
        while mdl != 0 {
            let length = u64::from(self.u32(mdl + mdl_at.byte_count));
            bytes.extend(self.bytes(self.ptr(mdl + mdl_at.mapped_system_va), length));
            mdl = self.ptr(mdl + mdl_at.next);
        }
        bytes
    }

    fn ready(&self) -> Vec<u16> {
        ndis::ready_streams(&self.m).collect()
    }

    /// The next packet of a stream arrives on a core, which takes the interrupt and begins the
    /// DPC.
    fn arrive_and_defer(&mut self, stream: u16, core: usize) -> Outcome {
        ndis::arrive(&mut self.m, stream, core as u8);
        let source = ndis::pending_interrupt(&self.m, core).expect("an interrupt is pending");
        let service = nt::Then::Ndis(Then::Service(source));
        assert_eq!(self.resume(core, service, 0), Ok(Outcome::End));
        self.defer(source, core)
    }

    fn defer(&mut self, adapter: u32, core: usize) -> Outcome {
        let mut call = Call {
            m: &mut self.m,
            core,
            args: [0; 12],
        };
        ndis::deferred(&mut call, adapter).expect("indications cannot fail")
    }
}

fn plan(profile: isa::Profile, extra: &str) -> Plan {
    let scenario = parse("network.toml", &format!("{NETWORK}{extra}")).expect("it is right");
    let selection = Selection {
        profile: Some(profile),
        ..Selection::default()
    };
    let no_files = |_: &str| Err("no files".to_owned());
    scenario.expand(&selection, &no_files).expect("it is right")
}

/// What a call into a handler consists of.
#[track_caller]
fn entered(outcome: Outcome) -> (&'static str, u64, Vec<u64>, nt::Then) {
    match outcome {
        Outcome::Enter {
            what,
            routine,
            args,
            then,
        } => (what, routine, args, then),
        other => panic!("no handler was called: {other:?}"),
    }
}

/// The words with which a misuse ended the run.
#[track_caller]
fn complaint(done: Done) -> String {
    match done {
        Err(Trouble::Stop(stop)) => match *stop {
            Stop::Unimplemented { name, detail, .. } => format!("{name}: {detail}"),
            other => panic!("{other:?}"),
        },
        other => panic!("nobody complains: {other:?}"),
    }
}
