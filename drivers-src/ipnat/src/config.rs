//! The configuration of an interface, read from `IP_NAT_INTERFACE_INFO`.
//!
//! The buffer comes from user mode: every count and offset in it is suspected.

use crate::address::{Address, Endpoint};
use crate::flow::Protocol;
use crate::ioctl::*;
use crate::mapping::Session;
use crate::pool::{Pool, Range};
use crate::session::Timeouts;

/// Most static mappings of each kind on an interface.
pub const MAPPINGS_MAX: usize = 32;

/// `IP_NAT_ADDRESS_MAPPING`: a public address reserved for a private host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct AddressMapping {
    /// The host.
    pub private: Address,
    /// Its address, one of the pool.
    pub public: Address,
    /// Whether sessions from the public network reach the host.
    pub inbound: bool,
}

/// `IP_NAT_PORT_MAPPING`: a public endpoint that leads to a private one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct PortMapping {
    /// The service's endpoint.
    pub private: Endpoint,
    /// The endpoint the public network knows; address 0.0.0.0 for the interface's own.
    pub public: Endpoint,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// Why a buffer is no configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// Shorter than its fixed part.
    TooShort,
    /// A size, count, offset, version or value that can't be.
    Invalid,
}

/// What `IOCTL_NAT_SET_INTERFACE_INFO` sets. All-zero bytes are "nothing is translated".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Configuration {
    /// The `IP_NAT_INTERFACE_FLAGS_` bits.
    pub flags: u32,
    /// The public addresses.
    pub pool: Pool,
    address_mappings: [AddressMapping; MAPPINGS_MAX],
    address_mapping_count: usize,
    port_mappings: [PortMapping; MAPPINGS_MAX],
    port_mapping_count: usize,
}

impl Configuration {
    /// A configuration with these flags and nothing else.
    pub fn new(flags: u32) -> Configuration {
        Configuration {
            flags,
            pool: Pool::EMPTY,
            address_mappings: [AddressMapping::default(); MAPPINGS_MAX],
            address_mapping_count: 0,
            port_mappings: [PortMapping::default(); MAPPINGS_MAX],
            port_mapping_count: 0,
        }
    }

    /// Reads `IP_NAT_INTERFACE_INFO`; the interface index at its start is the caller's business.
    pub fn parse(info: &[u8]) -> Result<Configuration, ConfigError> {
        let flags = u32_at(info, 4).ok_or(ConfigError::TooShort)?;
        if flags & !(IP_NAT_INTERFACE_FLAGS_ALL | IP_NAT_INTERFACE_FLAGS_PRESERVE) != 0 {
            return Err(ConfigError::Invalid);
        }
        let mut configuration = Configuration::new(flags);
        for_each_block(info, |kind, block| configuration.take(kind, block))?;
        // MS-RRASM 2.2.1.2.200: a reserved address is one of the pool.
        let in_pool = |m: &AddressMapping| configuration.pool.number_of(m.public).is_some();
        if !configuration.address_mappings().iter().all(in_pool) {
            return Err(ConfigError::Invalid);
        }
        Ok(configuration)
    }

    fn take(&mut self, kind: u32, block: &[u8]) -> Result<(), ConfigError> {
        match kind {
            IP_NAT_ADDRESS_RANGE_TYPE => {
                for entry in entries(block, ADDRESS_RANGE_SIZE)? {
                    let range = Range {
                        first: address_at(entry, 0),
                        last: address_at(entry, 4),
                        mask: address_at(entry, 8),
                    };
                    self.pool.add(range).map_err(|_| ConfigError::Invalid)?;
                }
            }
            IP_NAT_ADDRESS_MAPPING_TYPE => {
                for entry in entries(block, ADDRESS_MAPPING_SIZE)? {
                    self.add_address_mapping(AddressMapping {
                        private: address_at(entry, 0),
                        public: address_at(entry, 4),
                        inbound: entry[8] != 0,
                    })?;
                }
            }
            IP_NAT_PORT_MAPPING_TYPE => {
                for entry in entries(block, PORT_MAPPING_SIZE)? {
                    self.add_port_mapping(PortMapping {
                        protocol: Protocol(entry[0]),
                        public: Endpoint::new(address_at(entry, 4), port_at(entry, 2)),
                        private: Endpoint::new(address_at(entry, 12), port_at(entry, 8)),
                    })?;
                }
            }
            // Another kind of block (the ICMP settings, for one) is legal and has no effect here.
            _ => {}
        }
        Ok(())
    }

    /// Reserves an address. Neither host nor address may occur twice.
    pub fn add_address_mapping(&mut self, new: AddressMapping) -> Result<(), ConfigError> {
        let clash = |m: &AddressMapping| m.private == new.private || m.public == new.public;
        if new.private.is_unspecified()
            || self.address_mappings().iter().any(clash)
            || self.address_mapping_count == MAPPINGS_MAX
        {
            return Err(ConfigError::Invalid);
        }
        self.address_mappings[self.address_mapping_count] = new;
        self.address_mapping_count += 1;
        Ok(())
    }

    /// Adds a port mapping. Neither end may occur twice.
    pub fn add_port_mapping(&mut self, new: PortMapping) -> Result<(), ConfigError> {
        let clash = |m: &PortMapping| {
            m.protocol == new.protocol && (m.private == new.private || m.public == new.public)
        };
        let no_ports = new.protocol != Protocol::TCP && new.protocol != Protocol::UDP;
        if no_ports
            || new.private.address.is_unspecified()
            || self.port_mappings().iter().any(clash)
            || self.port_mapping_count == MAPPINGS_MAX
        {
            return Err(ConfigError::Invalid);
        }
        self.port_mappings[self.port_mapping_count] = new;
        self.port_mapping_count += 1;
        Ok(())
    }

    /// The reserved addresses.
    pub fn address_mappings(&self) -> &[AddressMapping] {
        &self.address_mappings[..self.address_mapping_count]
    }

    /// The static port mappings.
    pub fn port_mappings(&self) -> &[PortMapping] {
        &self.port_mappings[..self.port_mapping_count]
    }

    /// The address reserved for a host.
    pub fn reserved_for(&self, host: Address) -> Option<Address> {
        let mut mappings = self.address_mappings().iter();
        Some(mappings.find(|m| m.private == host)?.public)
    }

    /// The host that an address is reserved for.
    pub fn holder_of(&self, public: Address) -> Option<Address> {
        let mut mappings = self.address_mappings().iter();
        Some(mappings.find(|m| m.public == public)?.private)
    }

    /// The public endpoint that a port mapping gives to a private one.
    pub fn port_mapping_of(&self, protocol: Protocol, private: Endpoint) -> Option<Endpoint> {
        let mut mappings = self.port_mappings().iter();
        Some(
            mappings
                .find(|m| m.protocol == protocol && m.private == private)?
                .public,
        )
    }

    /// Whether a session of an earlier configuration could have been made under this one.
    pub fn allows(&self, session: &Session) -> bool {
        let public = session.public;
        let mapped = self.port_mapping_of(session.protocol, session.private) == Some(public);
        let pooled = self.pool.number_of(public.address).is_some();
        let holder = self.holder_of(public.address);
        let foreign = holder.is_some_and(|host| host != session.private.address);
        self.translates() && (mapped || pooled && !foreign)
    }

    /// Completes a configuration for the interface with this address: an interface without a pool
    /// has its own address as pool, and port mappings without a public address get it too.
    pub fn complete(&mut self, own: Address) {
        if self.pool.is_empty() {
            // A single valid address can't be refused; an interface without one gets no pool.
            let _ = self.pool.add(Range {
                first: own,
                last: own,
                mask: Address(u32::MAX),
            });
        }
        for mapping in &mut self.port_mappings[..self.port_mapping_count] {
            if mapping.public.address.is_unspecified() {
                mapping.public.address = own;
            }
        }
    }

    /// Whether packets that cross the interface are translated.
    pub fn translates(&self) -> bool {
        self.flags & IP_NAT_INTERFACE_FLAGS_BOUNDARY != 0
    }

    /// Whether hosts share addresses.
    pub fn shares_addresses(&self) -> bool {
        self.flags & IP_NAT_INTERFACE_FLAGS_NAPT != 0
    }

    /// Whether a host's public address is preserved for it.
    pub fn preserves(&self) -> bool {
        self.translates() && self.flags & IP_NAT_INTERFACE_FLAGS_PRESERVE != 0
    }

    /// Whether only known sessions come in.
    pub fn is_firewall(&self) -> bool {
        self.flags & IP_NAT_INTERFACE_FLAGS_FW != 0
    }
}

/// Reads `IP_NAT_GLOBAL_INFO`. Without a block for the timeouts they are the default ones.
pub fn parse_timeouts(info: &[u8]) -> Result<Timeouts, ConfigError> {
    let mut timeouts = Timeouts::DEFAULT;
    for_each_block(info, |kind, block| {
        if kind == IP_NAT_TIMEOUT_TYPE {
            timeouts.tcp = u32_at(block, 0).ok_or(ConfigError::Invalid)?;
            timeouts.udp = u32_at(block, 4).ok_or(ConfigError::Invalid)?;
        }
        Ok(())
    })?;
    Ok(timeouts)
}

/// Walks the table of contents of the `RTR_INFO_BLOCK_HEADER` that follows eight bytes of `info`,
/// and hands over each block: `Count` structures of `InfoSize` bytes.
///
/// MS-RRASM calls `InfoSize` the size of the structure; a writer that puts the size of the whole
/// block there is understood as well when `Count` is 1.
fn for_each_block(
    info: &[u8],
    mut take: impl FnMut(u32, &[u8]) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let header = info.get(HEADER_OFFSET..).ok_or(ConfigError::TooShort)?;
    let field = |at| u32_at(header, at).ok_or(ConfigError::TooShort);
    let (version, size, count) = (field(0)?, field(4)? as usize, field(8)? as usize);
    let header = header.get(..size).ok_or(ConfigError::Invalid)?;
    let contents_end = count
        .checked_mul(RTR_TOC_ENTRY_SIZE)
        .and_then(|bytes| bytes.checked_add(RTR_INFO_BLOCK_HEADER_SIZE));
    if version != RTR_INFO_BLOCK_VERSION || contents_end.is_none_or(|end| end > size) {
        return Err(ConfigError::Invalid);
    }
    for entry in header[RTR_INFO_BLOCK_HEADER_SIZE..]
        .chunks_exact(RTR_TOC_ENTRY_SIZE)
        .take(count)
    {
        let field = |at| u32_at(entry, at).ok_or(ConfigError::Invalid);
        let kind = field(0)?;
        let (size, count) = (field(4)? as usize, field(8)? as usize);
        let offset = field(12)? as usize;
        let length = size.checked_mul(count).ok_or(ConfigError::Invalid)?;
        let end = offset.checked_add(length).ok_or(ConfigError::Invalid)?;
        take(kind, header.get(offset..end).ok_or(ConfigError::Invalid)?)?;
    }
    Ok(())
}

fn entries(block: &[u8], size: usize) -> Result<core::slice::ChunksExact<'_, u8>, ConfigError> {
    if block.len().is_multiple_of(size) {
        Ok(block.chunks_exact(size))
    } else {
        Err(ConfigError::Invalid)
    }
}

/// A 32-bit number in the machine's byte order.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*field))
}

fn address_at(entry: &[u8], at: usize) -> Address {
    Address::from_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
}

fn port_at(entry: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([entry[at], entry[at + 1]])
}
