//! The Telnet layer of an FTP control connection (RFC 854, RFC 959 section 4.1.3).
//!
//! FTP commands travel as Telnet strings. Before an ABOR a client sends the Synch: an "interrupt
//! process", and a "data mark" that is urgent for TCP. What comes before the mark is thrown away.
//! Of IAC DM the transport takes out the byte that the urgent pointer names, and clients differ in
//! which byte that is; the rest stays in the stream.

/// "Interpret as command": a command byte follows, or a second one for the data byte 255.
pub const IAC: u8 = 0xFF;
/// Data mark.
pub const DM: u8 = 0xF2;
/// Interrupt process.
pub const IP: u8 = 0xF4;

const SUBNEGOTIATION: u8 = 0xFA;
const SUBNEGOTIATION_END: u8 = 0xF0;
const OPTIONS: core::ops::RangeInclusive<u8> = 0xFB..=0xFE;
/// Command bytes are these and above.
const COMMANDS: u8 = 0xF0;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    Command,
    Option,
    Subnegotiation,
    SubnegotiationCommand,
}

/// Takes Telnet out of a stream of bytes.
pub struct Filter {
    state: State,
    /// An urgent mark was announced and has not come by.
    synch: bool,
    /// The client interrupted what the server does.
    interrupted: bool,
}

impl Filter {
    /// At the start of a stream.
    pub const NEW: Filter = Filter {
        state: State::Data,
        synch: false,
        interrupted: false,
    };

    /// An urgent byte came: the half of a data mark that says that the other half is in the stream
    /// and that everything before it is void. Any other urgent byte says nothing to Telnet. Gives
    /// whether it was a mark.
    pub fn urgent(&mut self, byte: u8) -> bool {
        let mark = byte == IAC || byte == DM;
        self.synch |= mark;
        mark
    }

    /// Whether the client sent an interrupt since the last time of asking.
    pub fn take_interrupt(&mut self) -> bool {
        core::mem::replace(&mut self.interrupted, false)
    }

    /// The next byte of the stream; gives it if it belongs to the text.
    pub fn next(&mut self, byte: u8) -> Option<u8> {
        match self.state {
            State::Data => self.data(byte),
            State::Command => self.command(byte),
            State::Option => {
                self.state = State::Data;
                None
            }
            State::Subnegotiation => {
                if byte == IAC {
                    self.state = State::SubnegotiationCommand;
                }
                None
            }
            State::SubnegotiationCommand => {
                let end = byte == SUBNEGOTIATION_END;
                self.state = if end {
                    State::Data
                } else {
                    State::Subnegotiation
                };
                None
            }
        }
    }

    fn data(&mut self, byte: u8) -> Option<u8> {
        match byte {
            IAC => {
                self.state = State::Command;
                None
            }
            // The second half of a mark whose IAC was the urgent byte.
            DM if self.synch => {
                self.synch = false;
                None
            }
            _ if self.synch => None,
            _ => Some(byte),
        }
    }

    fn command(&mut self, byte: u8) -> Option<u8> {
        self.state = State::Data;
        match byte {
            IAC => (!self.synch).then_some(IAC),
            DM => {
                self.synch = false;
                None
            }
            IP => {
                self.interrupted = true;
                None
            }
            SUBNEGOTIATION => {
                self.state = State::Subnegotiation;
                None
            }
            _ if OPTIONS.contains(&byte) => {
                self.state = State::Option;
                None
            }
            _ if byte >= COMMANDS => None,
            // The first half of a mark whose DM was the urgent byte; this is the text behind it.
            _ => {
                self.synch = false;
                Some(byte)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(filter: &mut Filter, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().filter_map(|&byte| filter.next(byte)).collect()
    }

    #[test]
    fn commands_and_options_go_and_doubled_iac_stays_one() {
        let mut filter = Filter::NEW;
        let stream = b"US\xFF\xFB\x01ER\xFF\xF9 \xFF\xFFx\xFF\xFA\x18\xFF\x01\xFF\xF0y";
        assert_eq!(text(&mut filter, stream), b"USER \xFFxy");
        assert!(!filter.take_interrupt());
    }

    #[test]
    fn synch_with_iac_urgent_as_4_3bsd_sends_it() {
        let mut filter = Filter::NEW;
        assert_eq!(text(&mut filter, b"RETR fi"), b"RETR fi");
        assert!(filter.urgent(IAC));
        assert_eq!(text(&mut filter, b"le\xFF\xF4\xF2ABOR\r\n"), b"ABOR\r\n");
        assert!(filter.take_interrupt());
    }

    #[test]
    fn synch_with_dm_urgent() {
        let mut filter = Filter::NEW;
        assert!(filter.urgent(DM));
        assert_eq!(text(&mut filter, b"xx\xFF\xF4\xFFABOR\r\n"), b"ABOR\r\n");
    }

    #[test]
    fn another_urgent_byte_voids_nothing() {
        let mut filter = Filter::NEW;
        assert!(!filter.urgent(b'\n'));
        assert_eq!(text(&mut filter, b"ABOR\r\n"), b"ABOR\r\n");
    }
}
