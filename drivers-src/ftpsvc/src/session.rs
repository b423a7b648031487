//! One client: where its dialogue stands.

use nt::spin::*;
use nt::types::*;

use crate::command::{self, Command};
use crate::line::{Completed, Line};
use crate::reply::Text;
use crate::telnet::Filter;
use crate::transport::File;

/// Lines that one transfer sends.
pub const TRANSFER_LINES: u32 = 32;
/// Replies to one portion of received bytes at most; further commands in it get none.
const REPLIES_MAX: usize = 8;

/// Whether a session has a client.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// It waits for one.
    Free,
    /// A connection is being accepted or open.
    Open,
    /// This side has ended the connection.
    Closing,
}

/// How far a client has logged in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Login {
    Nobody,
    Named,
    Done,
}

/// A session: a connection file and the dialogue on it.
#[repr(C)]
pub struct Session {
    /// The connection.
    pub connection: File,
    /// Sends the next line of a transfer.
    pub timer: KTIMER,
    /// The routine of that timer.
    pub dpc: KDPC,
    /// Guards what follows. Nothing is called while it is held.
    lock: KSPIN_LOCK,
    state: State,
    login: Login,
    /// Lines of a transfer that are still to be sent.
    transfer: u32,
    filter: Filter,
    line: Line,
}

/// What is to be done after some bytes were looked at.
pub struct Outcome {
    replies: [Option<Text>; REPLIES_MAX],
    count: usize,
    /// Start sending the lines of a transfer.
    pub start_transfer: bool,
    /// End the connection.
    pub quit: bool,
}

impl Outcome {
    const NOTHING: Outcome = Outcome {
        replies: [None; REPLIES_MAX],
        count: 0,
        start_transfer: false,
        quit: false,
    };

    /// The replies, in order.
    pub fn replies(&self) -> impl Iterator<Item = Text> {
        self.replies.into_iter().flatten()
    }

    fn reply(&mut self, text: Text) {
        if let Some(place) = self.replies.get_mut(self.count) {
            *place = Some(text);
            self.count += 1;
        }
    }
}

/// Takes the lock of a session. IRQL DISPATCH.
unsafe fn lock(session: *mut Session) {
    unsafe { KeAcquireSpinLockAtDpcLevel(&raw mut (*session).lock) }
}

unsafe fn unlock(session: *mut Session) {
    unsafe { KeReleaseSpinLockFromDpcLevel(&raw mut (*session).lock) }
}

/// Takes a free session for a new client; `false` if it is not free. IRQL DISPATCH.
pub unsafe fn claim(session: *mut Session) -> bool {
    unsafe {
        lock(session);
        let free = (*session).state == State::Free;
        if free {
            (*session).state = State::Open;
            (*session).login = Login::Nobody;
            (*session).transfer = 0;
            (*session).filter = Filter::NEW;
            (*session).line = Line::EMPTY;
        }
        unlock(session);
        free
    }
}

/// Goes from one state to another; `false` if it is not in the first. IRQL DISPATCH.
pub unsafe fn change(session: *mut Session, from: State, to: State) -> bool {
    unsafe {
        lock(session);
        let right = (*session).state == from;
        if right {
            (*session).state = to;
            (*session).transfer = 0;
        }
        unlock(session);
        right
    }
}

/// An urgent byte came. IRQL DISPATCH.
pub unsafe fn urgent(session: *mut Session, byte: u8) {
    unsafe {
        lock(session);
        if (*session).filter.urgent(byte) {
            // What was begun before the mark is void, too.
            (*session).line = Line::EMPTY;
        }
        unlock(session);
    }
}

/// Bytes came: does what the commands in them say. IRQL DISPATCH.
pub unsafe fn received(session: *mut Session, bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::NOTHING;
    unsafe {
        lock(session);
        let this = &mut *session;
        for &byte in bytes {
            let Some(byte) = this.filter.next(byte) else {
                continue;
            };
            let command = match this.line.push(byte) {
                None => continue,
                Some(Completed::TooLong) => Command::Unknown,
                Some(Completed::Line(line)) => command::parse(line),
            };
            execute(this, command, &mut outcome);
        }
        unlock(session);
    }
    outcome
}

/// Takes the next line of a transfer: gives how many are left behind it, or none if there is no
/// transfer any more. IRQL DISPATCH.
pub unsafe fn next_line(session: *mut Session) -> Option<u32> {
    unsafe {
        lock(session);
        let left = (*session).transfer.checked_sub(1);
        if let Some(left) = left {
            (*session).transfer = left;
        }
        unlock(session);
        left
    }
}

/// Does a command. The session's lock is held.
fn execute(session: &mut Session, command: Command, outcome: &mut Outcome) {
    let interrupted = session.filter.take_interrupt();
    match command {
        Command::User => {
            session.login = Login::Named;
            outcome.reply(Text::NeedPassword);
        }
        Command::Password if session.login == Login::Nobody => outcome.reply(Text::BadSequence),
        Command::Password => {
            session.login = Login::Done;
            outcome.reply(Text::LoggedIn);
        }
        Command::System => outcome.reply(Text::System),
        Command::Type | Command::Port | Command::Nothing => outcome.reply(Text::Okay),
        Command::Passive => outcome.reply(Text::NotImplemented),
        Command::List | Command::Retrieve => transfer(session, outcome),
        Command::Abort => abort(session, interrupted, outcome),
        Command::Quit => {
            session.transfer = 0;
            outcome.reply(Text::Goodbye);
            outcome.quit = true;
        }
        Command::BadArgument => outcome.reply(Text::BadArgument),
        Command::Unknown => outcome.reply(Text::Unknown),
    }
}

fn transfer(session: &mut Session, outcome: &mut Outcome) {
    if session.login != Login::Done {
        outcome.reply(Text::NotLoggedIn);
    } else if session.transfer != 0 {
        outcome.reply(Text::Busy);
    } else {
        session.transfer = TRANSFER_LINES;
        outcome.start_transfer = true;
        outcome.reply(Text::Opening);
    }
}

/// An ABOR ends the transfer, with the Telnet interrupt before it or, as some clients do, without.
fn abort(session: &mut Session, interrupted: bool, outcome: &mut Outcome) {
    if core::mem::replace(&mut session.transfer, 0) != 0 {
        outcome.reply(Text::Aborted);
    }
    outcome.reply(if interrupted {
        Text::AbortDone
    } else {
        Text::AbortDoneUnannounced
    });
}
