//! `io.unload`: a driver is unloaded while it has work outstanding.

use super::rule::Params;
use super::{Fault, FaultKind, Opportunity, RuleError, Site};
use crate::nt::io;

pub(super) const KIND: FaultKind = FaultKind {
    name: "io.unload",
    help: "a driver is unloaded as soon as nobody has its devices open",
    opportunity: Opportunity::Place,
    params: &[("driver", "its file name, for example sample.sys")],
    narrows: &["driver"],
    source: "Windows driver documentation: Writing an Unload Routine; Bug Check 0xCE",
    parse,
};

struct IoUnload {
    driver: String,
}

fn parse(params: &Params<'_>) -> Result<Box<dyn Fault>, RuleError> {
    let Some(driver) = params.text("driver") else {
        return Err(params.error("io.unload needs driver, the file name of one"));
    };
    if !params.world.images.iter().any(|image| image.name == driver) {
        let names = params.world.images.iter().map(|image| image.name.as_str());
        let mend = crate::scenario::one_of("there are", &driver, names);
        return Err(params.error(format!("there is no driver '{driver}'; {mend}")));
    }
    Ok(Box::new(IoUnload { driver }))
}

impl Fault for IoUnload {
    fn reached(&self, at: &mut Site<'_>, what: &str, _pc: Option<u64>) {
        if let Some(index) = io::driver::unloadable(at.m, &self.driver)
            && at.strikes()
        {
            at.tell(format!(
                "{} is to be unloaded, asked at {what}",
                self.driver
            ));
            io::driver::unload_when_unused(at.m, at.core, index);
        }
    }
}
