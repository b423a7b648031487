//! The control requests, on plain buffers; see [`crate::ioctl`] for what is in them.

use crate::address::{Address, Endpoint};
use crate::config::{self, ConfigError, Configuration, u32_at};
use crate::interface::{NoMemory, State};
use crate::ioctl::*;
use crate::nat::{CreateError, InterfaceRef, Nat};
use crate::os::{self, AtDispatch};
use crate::{preserve, reset};

/// Why a request fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// No such request.
    Unknown,
    /// The input is shorter than its fixed part.
    TooShort,
    /// The output has no room for its fixed part.
    NoRoom,
    /// The input contradicts itself.
    Invalid,
    /// No such interface.
    NotFound,
    /// An interface with this index exists.
    Exists,
    /// No nonpaged pool left.
    NoMemory,
}

impl From<ConfigError> for RequestError {
    fn from(error: ConfigError) -> RequestError {
        match error {
            ConfigError::TooShort => RequestError::TooShort,
            ConfigError::Invalid => RequestError::Invalid,
        }
    }
}

impl From<NoMemory> for RequestError {
    fn from(_: NoMemory) -> RequestError {
        RequestError::NoMemory
    }
}

impl From<CreateError> for RequestError {
    fn from(error: CreateError) -> RequestError {
        match error {
            CreateError::Exists => RequestError::Exists,
            CreateError::NoMemory => RequestError::NoMemory,
        }
    }
}

/// Carries out a buffered request: `buffer` holds `input` bytes of input, and takes at most
/// `output` bytes of answer. Gives the length of the answer. Callers are one at a time.
///
/// # Errors
/// See [`RequestError`].
pub fn handle(
    nat: &Nat,
    code: u32,
    buffer: &mut [u8],
    input: usize,
    output: usize,
) -> Result<usize, RequestError> {
    let given = buffer.get(..input).ok_or(RequestError::TooShort)?;
    let index = u32_at(given, 0).ok_or(RequestError::TooShort);
    match code {
        IOCTL_NAT_CREATE_INTERFACE => {
            let address = given.get(4..12).ok_or(RequestError::TooShort)?;
            let address = Address::from_bytes([address[0], address[1], address[2], address[3]]);
            if address.is_unspecified() {
                return Err(RequestError::Invalid);
            }
            nat.create(index?, address)?;
            Ok(0)
        }
        IOCTL_NAT_DELETE_INTERFACE => match nat.delete(index?) {
            true => Ok(0),
            false => Err(RequestError::NotFound),
        },
        IOCTL_NAT_SET_INTERFACE_INFO => {
            let interface = find(nat, index?)?;
            interface.configure(Configuration::parse(given)?)?;
            Ok(0)
        }
        IOCTL_NAT_SET_GLOBAL_INFO => {
            nat.set_timeouts(config::parse_timeouts(given)?);
            Ok(0)
        }
        IOCTL_NAT_RESET_INTERFACE => {
            let interface = find(nat, index?)?;
            reset::reset_interface(&interface)?;
            Ok(0)
        }
        IOCTL_NAT_GET_INTERFACE_INFO => answer(nat, index?, buffer, output, |state, out| {
            interface_info(state, index?, out)
        }),
        IOCTL_NAT_GET_INTERFACE_STATISTICS => answer(nat, index?, buffer, output, |state, out| {
            statistics(state, out)
        }),
        IOCTL_NAT_GET_INTERFACE_MAPPING_TABLE => {
            let from = u32_at(given, 4).ok_or(RequestError::TooShort)?;
            answer(nat, index?, buffer, output, |state, out| {
                mapping_table(state, index?, from, out)
            })
        }
        IOCTL_NAT_GET_PRESERVATION => answer(nat, index?, buffer, output, |state, out| {
            preservation(state, out)
        }),
        _ => Err(RequestError::Unknown),
    }
}

fn find(nat: &Nat, index: u32) -> Result<InterfaceRef, RequestError> {
    let at = AtDispatch::raise();
    nat.find(index, &at).ok_or(RequestError::NotFound)
}

/// Writes an answer about one interface, which is locked meanwhile.
fn answer(
    nat: &Nat,
    index: u32,
    buffer: &mut [u8],
    room: usize,
    write: impl FnOnce(&State, &mut Answer<'_>) -> Result<(), RequestError>,
) -> Result<usize, RequestError> {
    let interface = find(nat, index)?;
    let room = room.min(buffer.len());
    let mut out = Answer {
        bytes: &mut buffer[..room],
        length: 0,
    };
    let at = AtDispatch::raise();
    let state = interface.lock(&at);
    write(&state, &mut out)?;
    Ok(out.length)
}

fn interface_info(state: &State, index: u32, out: &mut Answer<'_>) -> Result<(), RequestError> {
    let configuration = &state.configuration;
    let ranges = configuration.pool.ranges();
    let addresses = configuration.address_mappings();
    let ports = configuration.port_mappings();
    let blocks = [
        (IP_NAT_ADDRESS_RANGE_TYPE, ADDRESS_RANGE_SIZE, ranges.len()),
        (
            IP_NAT_ADDRESS_MAPPING_TYPE,
            ADDRESS_MAPPING_SIZE,
            addresses.len(),
        ),
        (IP_NAT_PORT_MAPPING_TYPE, PORT_MAPPING_SIZE, ports.len()),
    ];
    let contents = RTR_INFO_BLOCK_HEADER_SIZE + blocks.len() * RTR_TOC_ENTRY_SIZE;
    let size = contents + blocks.iter().map(|(_, size, n)| size * n).sum::<usize>();
    out.reserve(HEADER_OFFSET + size)?;
    out.u32(index);
    out.u32(configuration.flags);
    out.u32(RTR_INFO_BLOCK_VERSION);
    out.u32(size as u32);
    out.u32(blocks.len() as u32);
    let mut offset = contents;
    for (kind, size, count) in blocks {
        out.u32(kind);
        out.u32(size as u32);
        out.u32(count as u32);
        out.u32(offset as u32);
        offset += size * count;
    }
    for range in ranges {
        out.address(range.first);
        out.address(range.last);
        out.address(range.mask);
    }
    for mapping in addresses {
        out.address(mapping.private);
        out.address(mapping.public);
        out.u32(mapping.inbound.into());
    }
    for mapping in ports {
        out.bytes(&[mapping.protocol.0, 0]);
        out.bytes(&mapping.public.port.to_be_bytes());
        out.address(mapping.public.address);
        out.port(mapping.private.port);
        out.address(mapping.private.address);
    }
    Ok(())
}

fn statistics(state: &State, out: &mut Answer<'_>) -> Result<(), RequestError> {
    out.reserve(STATISTICS_SIZE)?;
    let mut inbound = 0;
    let mut from = 0;
    while let Some((id, next)) = state.mappings.next(from) {
        inbound += u32::from(state.mappings.session(id).direction as u8 == 0);
        from = next;
    }
    out.u32(state.mappings.len() as u32);
    out.u32(inbound);
    let counters = &state.statistics;
    for pair in [counters.bytes, counters.packets, counters.rejects] {
        for value in pair {
            out.bytes(&value.to_le_bytes());
        }
    }
    Ok(())
}

fn mapping_table(
    state: &State,
    index: u32,
    mut from: u32,
    out: &mut Answer<'_>,
) -> Result<(), RequestError> {
    out.reserve(ENUMERATE_SIZE)?;
    let room = (out.bytes.len() - ENUMERATE_SIZE) / SESSION_MAPPING_SIZE;
    // The numbers at the front are known when the sessions behind them are written.
    out.length = ENUMERATE_SIZE;
    let (now, per_second) = (os::ticks(), os::ticks_per_second());
    let mut count = 0;
    while count < room
        && let Some((id, next)) = state.mappings.next(from)
    {
        let session = state.mappings.session(id);
        out.u32(session.protocol.0.into());
        for Endpoint { address, port } in [session.private, session.public, session.remote] {
            out.address(address);
            out.port(port);
        }
        out.u32(session.direction as u32);
        out.u32(now.wrapping_sub(session.last_use) / per_second);
        from = next;
        count += 1;
    }
    let end = out.length;
    let remains = state.mappings.next(from).is_some();
    out.length = 0;
    out.u32(index);
    out.u32(if remains { from } else { 0 });
    out.bytes(&[0; 12]);
    out.u32(count as u32);
    out.u32(state.mappings.len() as u32);
    out.length = end;
    Ok(())
}

fn preservation(state: &State, out: &mut Answer<'_>) -> Result<(), RequestError> {
    out.reserve(4)?;
    out.length = 4;
    let mut count = 0u32;
    if !state.preservation.is_null() {
        let each = |private, public, kind| {
            count += 1;
            if out.bytes.len() - out.length >= PRESERVED_SIZE {
                out.address(private);
                out.address(public);
                out.u32(kind);
            }
        };
        unsafe { preserve::for_each(state.preservation, each) };
    }
    let end = out.length;
    out.length = 0;
    out.u32(count);
    out.length = end;
    Ok(())
}

/// The output buffer. Room is reserved before anything is written.
struct Answer<'a> {
    bytes: &'a mut [u8],
    length: usize,
}

impl Answer<'_> {
    fn reserve(&self, size: usize) -> Result<(), RequestError> {
        if self.bytes.len() < size {
            return Err(RequestError::NoRoom);
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn address(&mut self, address: Address) {
        self.bytes(&address.to_bytes());
    }

    /// A port, padded to four bytes.
    fn port(&mut self, port: u16) {
        self.bytes(&port.to_be_bytes());
        self.bytes(&[0; 2]);
    }
}
