//! Tests of the parts together, against what the RFCs ask of a translator.

mod config;
mod mapping;
mod packet;
mod preserve;
mod requests;
mod reset;
mod translate;
pub mod wire;
