//! `irqlab campaign`

use std::path::PathBuf;

use clap::Args;

/// `irqlab campaign`
#[derive(Args, Debug)]
pub struct CampaignArgs {
    /// The campaign file; docs/CAMPAIGNS.md says what is in it. Or the bundled one: smoke
    pub file: PathBuf,
    /// Write one line of JSON for each job to this file; - is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a JUnit XML report to this file
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a SARIF 2.1.0 log to this file
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Write a summary in Markdown to this file
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Keep the results in this file, and go on from it if it is there
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Worker threads; one for each processor unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
}
