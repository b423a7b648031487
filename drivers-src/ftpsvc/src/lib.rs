//! The control channel of an FTP server, as a kernel-mode client of the transport.
//!
//! On Windows NT the FTP service is a user-mode process; this driver stands in for it, so that the
//! transport has a client that behaves like one: it listens on port 21, takes the dialogue apart
//! into Telnet ([`telnet`]), lines ([`mod@line`]) and commands ([`command`]), answers from within the
//! receive handler, and reacts to the urgent Synch that announces an ABOR.
//!
//! # What is modelled
//! USER, PASS, SYST, TYPE, PORT, LIST, RETR, NOOP, ABOR and QUIT; PASV is known and refused. A
//! LIST or RETR sends lines at a steady pace until its end or an ABOR.
//!
//! # What is not
//! Files, accounts (every password is right) and data connections: the lines of a transfer go over
//! the control connection.

#![cfg_attr(windows, no_std)]
// Everything here deals in raw pointers as C drivers do; module comments say what callers owe.
#![allow(clippy::missing_safety_doc)]

pub mod command;
pub mod line;
pub mod telnet;

#[cfg(windows)]
mod driver;
#[cfg(windows)]
mod events;
#[cfg(windows)]
mod reply;
#[cfg(windows)]
mod session;
#[cfg(windows)]
mod transfer;
#[cfg(windows)]
mod transport;
