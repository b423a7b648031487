//! `io.cancel`: the requester of an IRP cancels it at a point of its life.

use super::rule::Params;
use super::{Fault, FaultKind, IrpPoint, Opportunity, RuleError, Site};
use crate::nt::io;

pub(super) const KIND: FaultKind = FaultKind {
    name: "io.cancel",
    help: "a requester cancels an IRP that is with drivers",
    opportunity: Opportunity::Event,
    params: &[(
        "point",
        "dispatched (a driver is about to get it), pending (a driver has returned \
         STATUS_PENDING), completing (a driver is about to complete it) or call (a driver makes a \
         kernel call meanwhile); any of them if absent",
    )],
    narrows: &["point"],
    source: "Windows driver documentation: Synchronizing IRP Cancellation (an IRP can be \
             canceled at any time)",
    parse,
};

struct IoCancel {
    point: Option<IrpPoint>,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let words = ["any", "dispatched", "pending", "completing", "call"];
    let point = match params.word("point", &words)? {
        0 => None,
        1 => Some(IrpPoint::Dispatched),
        2 => Some(IrpPoint::Pending),
        3 => Some(IrpPoint::Completing),
        _ => Some(IrpPoint::Call),
    };
    Ok(Box::new(IoCancel { point }))
}

impl Fault for IoCancel {
    fn irp(&self, at: &mut Site<'_>, irp: u64, point: IrpPoint) {
        if self.point.is_some_and(|wanted| wanted != point) || !at.strikes() {
            return;
        }
        let when = match point {
            IrpPoint::Dispatched => "before a driver gets it",
            IrpPoint::Pending => "when it is pending",
            IrpPoint::Completing => "while it is being completed",
            IrpPoint::Call => "while a driver works on it",
        };
        at.tell(format!("IRP {irp:#x} is cancelled {when}"));
        io::cancel::from_outside(at.m, at.core, irp);
    }
}
