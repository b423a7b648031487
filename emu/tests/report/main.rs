//! Stop screens, event-log records, events in words and whole reports against their expected
//! text.
//!
//! The expected text of each case lies in `expected/`; `UPDATE_EXPECT=1` writes it anew.

mod eventlog;
mod events;
mod expect;
mod reports;
mod sample;
mod screens;

use emu::personality::Personality;

const NT4: Personality = Personality::Nt4;
const SP1: Personality = Personality::Ws2003Sp1;
const SP2: Personality = Personality::Ws2003Sp2;
