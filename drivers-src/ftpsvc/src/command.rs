//! The commands of RFC 959 that this server knows.

/// A command line, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `USER name`
    User,
    /// `PASS password`
    Password,
    /// `SYST`
    System,
    /// `TYPE A` or `TYPE I`
    Type,
    /// `PORT h1,h2,h3,h4,p1,p2`
    Port,
    /// `PASV`
    Passive,
    /// `LIST`
    List,
    /// `RETR name`
    Retrieve,
    /// `NOOP`
    Nothing,
    /// `ABOR`
    Abort,
    /// `QUIT`
    Quit,
    /// A command that is known, with arguments that are not right.
    BadArgument,
    /// Anything else.
    Unknown,
}

/// Understands a line. Upper and lower case are the same in the command's name.
pub fn parse(line: &[u8]) -> Command {
    let (name, argument) = match line.iter().position(|&byte| byte == b' ') {
        Some(space) => line.split_at(space),
        None => (line, &[][..]),
    };
    let argument = argument.trim_ascii();
    let (command, right) = match upper(name) {
        Some([b'U', b'S', b'E', b'R']) => (Command::User, !argument.is_empty()),
        Some([b'P', b'A', b'S', b'S']) => (Command::Password, true),
        Some([b'S', b'Y', b'S', b'T']) => (Command::System, argument.is_empty()),
        Some([b'T', b'Y', b'P', b'E']) => (Command::Type, matches!(argument, b"A" | b"I")),
        Some([b'P', b'O', b'R', b'T']) => (Command::Port, is_host_port(argument)),
        Some([b'P', b'A', b'S', b'V']) => (Command::Passive, argument.is_empty()),
        Some([b'L', b'I', b'S', b'T']) => (Command::List, true),
        Some([b'R', b'E', b'T', b'R']) => (Command::Retrieve, !argument.is_empty()),
        Some([b'N', b'O', b'O', b'P']) => (Command::Nothing, true),
        Some([b'A', b'B', b'O', b'R']) => (Command::Abort, true),
        Some([b'Q', b'U', b'I', b'T']) => (Command::Quit, true),
        _ => return Command::Unknown,
    };
    if right { command } else { Command::BadArgument }
}

/// A name of four letters in upper case; every command here has four.
fn upper(name: &[u8]) -> Option<[u8; 4]> {
    let name: [u8; 4] = name.try_into().ok()?;
    Some(name.map(|byte| byte.to_ascii_uppercase()))
}

/// Whether the text is six numbers from 0 to 255 with commas between them.
fn is_host_port(text: &[u8]) -> bool {
    let mut parts = 0;
    for part in text.split(|&byte| byte == b',') {
        let value = part.iter().try_fold(0u32, |value, &byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + u32::from(byte - b'0'))
        });
        if part.is_empty() || part.len() > 3 || value.is_none_or(|value| value > 255) {
            return false;
        }
        parts += 1;
    }
    parts == 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let rows: [(&str, Command); 17] = [
            ("USER anonymous", Command::User),
            ("user anonymous", Command::User),
            ("USER", Command::BadArgument),
            ("PASS", Command::Password),
            ("SYST", Command::System),
            ("TYPE I", Command::Type),
            ("TYPE L 8", Command::BadArgument),
            ("PORT 10,0,0,2,4,1", Command::Port),
            ("PORT 10,0,0,2,4", Command::BadArgument),
            ("PORT 10,0,0,2,4,256", Command::BadArgument),
            ("LIST /pub", Command::List),
            ("RETR  ", Command::BadArgument),
            ("ABOR", Command::Abort),
            ("QUIT", Command::Quit),
            ("", Command::Unknown),
            ("STOR x", Command::Unknown),
            ("ABORT", Command::Unknown),
        ];
        for (line, command) in rows {
            assert_eq!(parse(line.as_bytes()), command, "{line}");
        }
    }
}
