//! A TCP/IP transport, small but real, as `tcpip.sys`.
//!
//! Below it binds to every adapter of the registry as an NDIS 4.0 protocol ([`link`]); above it is
//! a TDI transport named `\Device\Tcp` ([`tdi`]). In between are ARP ([`arp`]), IP with forwarding
//! and a firewall hook ([`ip`]), and the passive side of TCP ([`tcp`]).
//!
//! # What is modelled
//! - ARP with a small cache; IPv4 with local delivery, and forwarding with `IPEnableRouter`;
//!   connected routes and a default gateway; the firewall hook of the public `ipfirewall.h`;
//!   ICMP echo.
//! - TCP from LISTEN to TIME-WAIT for connections that a peer opens: window checks, a reassembly
//!   queue with BSD's overlap policy, urgent data with BSD's pointer or that of RFC 1122,
//!   retransmission, FIN and RST.
//! - TDI: addresses, connections, event handlers, LISTEN, SEND, RECEIVE, DISCONNECT.
//! - Received data is not copied on the way to the client: the miniport's packet is held by chains of
//!   `IPRcvBuf` and goes back when the client has had the bytes, on whatever processor that is.
//!
//! # What is not
//! No active open, no datagrams, no IP options or fragments, no ICMP errors, no congestion control,
//! no cancelling of a single request (closing the file cancels them all).
//!
//! # The defect of article Q252664, feature `buggy`
//! The article says: on a multiprocessor FTP server, an error in adjusting the size of the
//! `Ipr_Buffer` chain; it was not trimmed correctly when urgent packets were resequenced where an
//! overlap existed. Here that is `tcp::reasm`: when a segment with an urgent pointer is taken from
//! the reassembly queue, and its front was received while it waited, `size` is cut and the chain
//! is not.
//!
//! What the article leaves open is why that takes several processors. Here the reason is delivery
//! ([`tcp`]'s `receiver` and `deliver`): a client is called without the connection's lock, by one
//! processor at a time. With one processor every segment is handed over by the call that took it
//! in, which goes by the chain's end. With several, segments that become ready during a call wait
//! in a queue whose size says when it is empty; a chain longer than its size makes the count pass
//! zero, and the walk leaves the chain at its end: a read near address 0 at `DISPATCH_LEVEL`.
//!
//! That mechanism, the names of the functions and the chain's tail fields (which only the later
//! DDK documents) are assumptions. The driver of NT 4.0 is not public.

#![cfg_attr(windows, no_std)]
// Everything here deals in raw pointers as C drivers do; module comments say what callers owe.
#![allow(clippy::missing_safety_doc)]

pub mod checksum;
pub mod dotted;
pub mod ipr;
pub mod seq;
pub mod tcp;
pub mod wire;

#[cfg(windows)]
pub mod arp;
#[cfg(windows)]
pub mod config;
#[cfg(windows)]
mod driver;
#[cfg(windows)]
pub mod ip;
#[cfg(windows)]
pub mod link;
#[cfg(windows)]
pub mod tdi;
