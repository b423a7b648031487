//! **ipnat.sys**: network address translation on the forward path of tcpip.sys.
//!
//! The driver hooks tcpip.sys by `IOCTL_IP_SET_FIREWALL_HOOK` and so sees every packet that comes
//! in or is forwarded, at `DISPATCH_LEVEL`, on any processor. Packets of private hosts that leave
//! through a *boundary* interface get a public source, the answers get their private destination
//! back. It is configured through `\Device\IPNAT` with the structures of MS-RRASM: see [`ioctl`].
//!
//! # What is modelled
//! * Network address and port translation and, without `NAPT`, address-only translation
//!   ([`translate`], [`ports`]), from a pool of address ranges ([`pool`]), with reserved addresses
//!   and static port mappings ([`config`]).
//! * Sessions of TCP, UDP and ICMP queries, with timeouts ([`mapping`], [`session`]); ICMP errors
//!   follow the session of the packet they report ([`icmp`], [`packet`]). Checksums by RFC 1624
//!   ([`checksum`]).
//! * IP preservation ([`preserve`]) and the reset-interface request ([`reset`]).
//!
//! # What is not
//! * Editors for protocols that carry addresses (FTP, PPTP), and the H.323 and DirectPlay proxies.
//! * Fragments: a translated interface sends none out (RFC 4787 REQ-14 asks for more).
//! * Hairpinning (RFC 4787 REQ-9). The router's own traffic is not translated.
//! * The UDP timeout is one minute, as RRAS has it; RFC 4787 REQ-5 asks for two at least.
//!
//! # What article 931322 leaves open, and what is assumed
//! The article blames that "IP preservation is in use under heavy load" and that the driver "may
//! incorrectly process the reset interface request". Neither term has a public definition.
//! * **IP preservation (assumed)**: a sticky 1:1 public address for each private host, held while
//!   the host is idle and while the interface is configured anew; the paired pooling of RFC 4787
//!   REQ-2. Its switch, `IP_NAT_INTERFACE_FLAGS_PRESERVE`, is this driver's own.
//! * **Reset interface (assumed)**: a control request that ends all sessions of an interface and
//!   forgets its preserved addresses. Its code, `IOCTL_NAT_RESET_INTERFACE`, is this driver's own.
//! * **The defect (assumed, feature `buggy`)**: for every outbound packet the data path walks the
//!   table of preserved addresses, without the interface lock because the walk is long. A reset
//!   takes the table out of the interface, frees it, ends the sessions and builds a fresh table.
//!   The driver with the defect frees it at once, although another processor may be in the middle
//!   of its walk; the block is larger than a page, so its pages leave the pool with it and the
//!   walker's next read faults: Stop 0xD1, the address inside the freed block, IRQL 2, a read, the
//!   program counter in [`preserve::find_preserved_address`]. The correct driver counts walkers as
//!   users of the table, and the last user frees it. Without preservation there is no table;
//!   without packets nobody walks; without a reset nobody frees.
//!
//! # Layout
//! Everything above [`os`] is free of NT, and tested on the machine that builds the driver. The
//! rest, `driver`, `hook`, `chain`, `control` and `sweep`, exists on Windows targets only.
//!
//! # Locks
//! The list of interfaces has a lock ([`nat`]), each interface has one ([`interface`]); the first
//! may be held while the second is taken, never the other way round. Control requests come one at
//! a time. An interface lives as long as someone has a reference to it, a preservation table as
//! long as it has users.
#![cfg_attr(windows, no_std)]

pub mod address;
pub mod checksum;
pub mod config;
pub mod flow;
pub mod icmp;
pub mod interface;
pub mod ioctl;
pub mod mapping;
pub mod nat;
pub mod os;
pub mod packet;
pub mod pool;
pub mod ports;
pub mod preserve;
pub mod requests;
pub mod reset;
pub mod session;
pub mod translate;

#[cfg(windows)]
mod chain;
#[cfg(windows)]
mod control;
#[cfg(windows)]
mod driver;
#[cfg(windows)]
mod hook;
#[cfg(windows)]
mod sweep;

#[cfg(test)]
mod tests;
