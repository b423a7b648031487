//! A machine at the moment that is looked at, on a thread of its own: what it shows there is sent
//! to who draws. Only the newest question is answered.

use std::thread;

use crossbeam::channel::{self, Receiver, Sender};
use emu::scene::{PANES, View};
use emu::travel::{Focus, Traveller};

use super::trace::Scene;

/// A question: what does this table show at this focus?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The number of the trace.
    pub trace: u64,
    /// The focus.
    pub focus: Focus,
    /// The table, by index.
    pub pane: usize,
}

enum Order {
    Travel(u64, Box<Traveller>),
    Ask(Question),
    Forget(u64),
}

/// Who can be asked.
pub struct Guide {
    orders: Sender<Order>,
}

impl Guide {
    /// Starts the thread; `reply` gets the number of the trace and what was asked for, and says
    /// whether anybody listens.
    pub fn new(reply: impl Fn(u64, Scene) -> bool + Send + 'static) -> Guide {
        let (orders, queue) = channel::unbounded();
        thread::spawn(move || work(&queue, &reply));
        Guide { orders }
    }

    /// There is a machine for a trace.
    pub fn travel(&self, trace: u64, traveller: Box<Traveller>) {
        // The thread ends with the program.
        let _ = self.orders.send(Order::Travel(trace, traveller));
    }

    /// A trace is not looked at any more.
    pub fn forget(&self, trace: u64) {
        let _ = self.orders.send(Order::Forget(trace));
    }

    /// Asks; what was asked before is not answered any more if it has not been yet.
    pub fn ask(&self, question: Question) {
        let _ = self.orders.send(Order::Ask(question));
    }
}

fn work(queue: &Receiver<Order>, reply: &dyn Fn(u64, Scene) -> bool) {
    let mut travellers: Vec<(u64, Box<Traveller>)> = Vec::new();
    while let Ok(order) = queue.recv() {
        let mut asked = None;
        for order in std::iter::once(order).chain(queue.try_iter()) {
            match order {
                Order::Travel(trace, traveller) => travellers.push((trace, traveller)),
                Order::Forget(trace) => travellers.retain(|(id, _)| *id != trace),
                Order::Ask(question) => asked = Some(question),
            }
        }
        let Some(question) = asked else { continue };
        let mine = travellers.iter_mut().find(|(id, _)| *id == question.trace);
        let Some((_, traveller)) = mine else { continue };
        if !reply(question.trace, look(traveller, question)) {
            return;
        }
    }
}

/// What a table shows at a focus.
pub fn look(traveller: &mut Traveller, question: Question) -> Scene {
    let Question { focus, pane, .. } = question;
    traveller.seek(focus.at);
    let view = View {
        machine: traveller.machine(),
        record: traveller.record(),
        focus,
    };
    Scene {
        focus,
        pane,
        listing: (PANES[pane].list)(&view),
    }
}
