//! stub
use crate::cli::campaign::CampaignArgs;
use crate::failure::Outcome;
pub(super) fn run(_args: &CampaignArgs) -> Outcome<bool> {
    Ok(true)
}
