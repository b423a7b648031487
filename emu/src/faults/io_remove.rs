//! `io.remove`: a device is pulled out while it is in use.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::io;

pub(super) const KIND: FaultKind = FaultKind {
    name: "io.remove",
    help: "a device is surprise-removed: IRP_MN_SURPRISE_REMOVAL, then IRP_MN_REMOVE_DEVICE",
    opportunity: Opportunity::Place,
    params: &[(
        "device",
        "the device's full name, for example \\Device\\Disk",
    )],
    narrows: &["device"],
    source: "Windows driver documentation: Handling an IRP_MN_SURPRISE_REMOVAL Request (at any \
             time after AddDevice)",
    parse,
};

struct IoRemove {
    device: String,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let Some(device) = params.text("device") else {
        return Err(params.error("io.remove needs device, the full name of a device"));
    };
    Ok(Box::new(IoRemove { device }))
}

impl Fault for IoRemove {
    fn reached(&self, at: &mut Site<'_>, what: &str, _pc: Option<u64>) {
        if let Some(device) = io::remove::removable(at.m, &self.device)
            && at.strikes()
        {
            at.tell(format!("{} is pulled out at {what}", self.device));
            io::remove::surprise(at.m, at.core, device);
        }
    }
}
