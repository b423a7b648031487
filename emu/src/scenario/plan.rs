//! A scenario with nothing left to decide: plain data that the machine carries out.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::expect::Expectation;
use super::packet::PacketTemplate;
use super::settings::Value;
use crate::personality::Personality;

/// Everything that a run is built from, besides the schedule and the drivers' bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Name of the scenario it came from.
    pub scenario: String,
    /// The machine that is emulated.
    pub profile: isa::Profile,
    /// The Windows that is modelled.
    pub personality: Personality,
    /// Number of cores, at least 1.
    pub cpus: u8,
    /// The value of every declared setting, as it would be written after `--set`.
    pub settings: BTreeMap<String, String>,
    /// Drivers in load order.
    pub drivers: Vec<DriverRef>,
    /// Registry values: full key, value name, data. In file order; a later one replaces an
    /// earlier one of the same key and name.
    pub registry: Vec<(String, String, RegValue)>,
    /// Network adapters. Streams, hosts and flows name them by index.
    pub adapters: Vec<Adapter>,
    /// The other machines on the wires.
    pub hosts: Vec<Host>,
    /// The conversations of the hosts with the machine, or through it.
    pub flows: Vec<Flow>,
    /// What [`Await::Sent`] counts.
    pub matchers: Vec<Matcher>,
    /// Names of the signals by which streams and threads wait for each other.
    pub signals: Vec<String>,
    /// What arrives on the wires.
    pub streams: Vec<Stream>,
    /// Scripted user-mode requesters.
    pub threads: Vec<ThreadPlan>,
    /// Fault rules: those of the file, then those of the command line.
    pub faults: Vec<FaultRule>,
    /// The oracles that look at the run, by name.
    pub oracles: Vec<&'static str>,
    /// How much each rule counts.
    pub rules: crate::rules::Levels,
    /// What ends a run that does not end by itself.
    pub limits: Limits,
    /// Sizes of the modelled memory.
    pub memory: Memory,
    /// How the run should end.
    pub expect: Expectation,
}

/// A driver to load.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DriverRef {
    /// Its name without `.sys`.
    pub name: String,
    /// Which bundled build of it; empty when `file` is given.
    pub build: String,
    /// Name of its key under `\Registry\Machine\System\CurrentControlSet\Services`.
    pub service: String,
    /// The path of a `.sys` file of the user's own, as written in the scenario.
    pub file: Option<String>,
}

/// The data of a registry value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RegValue {
    /// `REG_SZ`
    Sz(String),
    /// `REG_MULTI_SZ`
    MultiSz(Vec<String>),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_BINARY`
    Binary(Vec<u8>),
}

/// A network adapter, seen by the drivers as `\Device\<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Adapter {
    /// Its name without `\Device\`.
    pub name: String,
    /// Its station address.
    pub mac: [u8; 6],
    /// Largest payload of a frame in bytes, 68 to 1500 (RFC 791, IEEE 802.3).
    pub mtu: u16,
    /// Name of the wire it is on; the adapter's own name if the scenario does not say.
    pub link: String,
}

/// A machine on a wire that answers ARP and takes part in flows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    /// Its name in the scenario.
    pub name: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its station address.
    pub mac: [u8; 6],
    /// Index of the adapter on whose wire it is.
    pub adapter: usize,
    /// Whether it answers ARP requests for its address.
    pub arp: bool,
}

/// One conversation of a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Name of the stream that declares it.
    pub name: String,
    /// Index of the host.
    pub host: usize,
    /// The protocol spoken.
    pub protocol: Protocol,
    /// The host's port, or the identifier of its ICMP echo requests; 0 for an ICMP flow that
    /// answers.
    pub port: u16,
    /// The other end: address and port as the host sees them. `None`: the first to speak to
    /// this host and port whom no earlier flow has taken.
    pub remote: Option<(Ipv4Addr, u16)>,
    /// The host's initial send sequence number (TCP).
    pub isn: u32,
    /// Whether the host acknowledges data that it receives by itself (TCP).
    pub acknowledge: bool,
}

/// What a flow speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 9293
    Tcp,
    /// RFC 768
    Udp,
    /// Echo request and reply of RFC 792.
    Icmp,
}

impl Protocol {
    /// Its number in an IPv4 header.
    pub fn number(self) -> u8 {
        match self {
            Protocol::Icmp => 1,
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
        }
    }
}

/// Which IPv4 packets, of those that the drivers sent, are counted; `None` means any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Matcher {
    /// Index of the adapter they left by.
    pub adapter: Option<usize>,
    /// Their protocol.
    pub protocol: Option<Protocol>,
    /// Their destination.
    pub to: Option<Ipv4Addr>,
    /// Their destination port (TCP and UDP).
    pub port: Option<u16>,
}

/// Packets of one sender, which arrive on one adapter in this order. When each arrives, and
/// which core takes the interrupt, is for the schedule to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Its name in the scenario.
    pub name: String,
    /// Index of the adapter.
    pub adapter: usize,
    /// What the sender does, in order.
    pub steps: Vec<StreamStep>,
}

/// One step of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamStep {
    /// A packet is put on the wire.
    Send(PacketTemplate),
    /// Nothing more is sent before this has come true.
    Await(Await),
    /// Raises a signal, by index.
    Signal(usize),
}

/// A condition on what has happened so far. Once true it stays true, whatever the drivers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Await {
    /// The host of the flow received `count` segments with at least these flags.
    Flags {
        /// Index of the flow.
        flow: usize,
        /// Flags that all have to be set.
        flags: super::packet::TcpFlags,
        /// How many such segments.
        count: u32,
    },
    /// The flow's remote acknowledged this many bytes after the host's SYN.
    Acked {
        /// Index of the flow.
        flow: usize,
        /// Bytes after the SYN; the host's FIN counts as one.
        offset: u32,
    },
    /// The host received this many bytes in order after the remote's SYN (its FIN counts as
    /// one), or, of a flow that is not TCP, in all.
    Received {
        /// Index of the flow.
        flow: usize,
        /// Bytes.
        bytes: u32,
    },
    /// The host of the flow received this many packets of it.
    Packets {
        /// Index of the flow.
        flow: usize,
        /// How many.
        count: u32,
    },
    /// The drivers sent this many packets that the matcher matches.
    Sent {
        /// Index of the matcher.
        matcher: usize,
        /// How many.
        count: u32,
    },
    /// The drivers sent the host an ARP message from this address.
    Resolved {
        /// Index of the host.
        host: usize,
        /// The sender's address.
        ip: Ipv4Addr,
    },
    /// A stream or thread has raised the signal, by index.
    Signal(usize),
}

impl Await {
    /// The flow of which something has to be received, by index.
    pub fn flow(&self) -> Option<usize> {
        match *self {
            Await::Flags { flow, .. }
            | Await::Acked { flow, .. }
            | Await::Received { flow, .. }
            | Await::Packets { flow, .. } => Some(flow),
            Await::Sent { .. } | Await::Resolved { .. } | Await::Signal(_) => None,
        }
    }

    /// The condition in the plan's names, as the end of "waits until".
    pub fn words(&self, plan: &Plan) -> String {
        let flow = |index: usize| &plan.flows[index].name;
        match *self {
            Await::Flags {
                flow: of,
                flags,
                count,
            } => {
                format!("{} has received {count} segments with {flags}", flow(of))
            }
            Await::Acked { flow: of, offset } => {
                format!("{offset} bytes of {} are acknowledged", flow(of))
            }
            Await::Received { flow: of, bytes } => {
                format!("{} has received {bytes} bytes", flow(of))
            }
            Await::Packets { flow: of, count } => {
                format!("{} has received {count} packets", flow(of))
            }
            Await::Sent { count, .. } => format!("{count} packets that it counts were sent"),
            Await::Resolved { host, ip } => {
                format!("host {} knows the station of {ip}", plan.hosts[host].name)
            }
            Await::Signal(signal) => format!("{} is signalled", plan.signals[signal]),
        }
    }
}

/// A user-mode thread that makes requests, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThreadPlan {
    /// Its name in the scenario.
    pub name: String,
    /// Its priority, 1 to 31; 8 is normal.
    pub priority: u8,
    /// Number of handles it uses: the `handle` of its steps is below.
    pub handles: usize,
    /// What it does, in order.
    pub steps: Vec<ThreadStep>,
}

/// One request of a thread. `expect` is the status the request has to end with; `None`: any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ThreadStep {
    /// `NtCreateFile` on a device.
    Open {
        /// Where the handle is kept.
        handle: usize,
        /// Full name of the device.
        device: String,
        /// The extended attribute of the create request.
        ea: Option<ExtendedAttribute>,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtDeviceIoControlFile`
    Ioctl {
        /// The handle.
        handle: usize,
        /// The control code.
        code: u32,
        /// Contents of the input buffer; its size is the input length.
        input: Vec<u8>,
        /// Size of the output buffer in bytes.
        output: u32,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtReadFile`
    Read {
        /// The handle.
        handle: usize,
        /// Byte offset in the file.
        offset: u64,
        /// Bytes to read.
        length: u32,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtWriteFile`
    Write {
        /// The handle.
        handle: usize,
        /// Byte offset in the file.
        offset: u64,
        /// Bytes to write.
        data: Vec<u8>,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtFlushBuffersFile`
    Flush {
        /// The handle.
        handle: usize,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtUnloadDriver`
    Unload {
        /// Index of the driver in the plan.
        driver: usize,
        /// Status.
        expect: Option<u32>,
    },
    /// `NtClose`
    Close {
        /// The handle.
        handle: usize,
    },
    /// `NtDelayExecution`
    Sleep {
        /// Milliseconds of virtual time.
        ms: u32,
    },
    /// Goes on when this has come true.
    Await(Await),
    /// Raises a signal, by index.
    Signal(usize),
}

/// One `FILE_FULL_EA_INFORMATION` of a create request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtendedAttribute {
    /// Its name, for example `TransportAddress`.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// A fault to inject. What kinds there are, and which parameters they take, the faults say.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// Its kind, for example `pool.fail`.
    pub kind: String,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
    /// Where it stands, for messages: `FILE:LINE`, or the option it was given by.
    pub origin: String,
    /// Its line in the scenario file; 0 when it came from elsewhere.
    pub line: u32,
}

impl FaultRule {
    /// Parameters that say which opportunities a rule takes: one of them at most. Without any it is
    /// left to the schedule.
    pub const DECIDING: [&str; 4] = ["nth", "every", "share", "position"];

    /// Whether the rule says itself when it strikes.
    pub fn decides(&self) -> bool {
        let mut names = Self::DECIDING.iter();
        names.any(|name| self.params.contains_key(*name))
    }
}

/// What ends a run that does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Instructions of all cores together.
    pub instructions: u64,
    /// Instructions of one `DriverEntry`.
    pub driver_entry: u64,
    /// Choices.
    pub choices: u64,
    /// Instructions of one DPC routine; more break the rule `time-dpc`.
    pub dpc: u64,
    /// Instructions for which a spin lock is held; more break the rule `time-lock`.
    pub spin_lock: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            instructions: 200_000_000,
            driver_entry: 10_000_000,
            choices: 20_000_000,
            // 1 ms and 250 us of a core of 50 MIPS: ten times what the Windows driver documentation
            // advises for the machines of a later time.
            dpc: 50_000,
            spin_lock: 12_500,
        }
    }
}

/// The modelled memory: sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    /// Nonpaged pool.
    pub nonpaged_pool: u64,
    /// Paged pool.
    pub paged_pool: u64,
    /// Whether every block of pool has pages of its own and a page behind it that is not there.
    pub special_pool: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            nonpaged_pool: 4 << 20,
            paged_pool: 4 << 20,
            special_pool: false,
        }
    }
}
