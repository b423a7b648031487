//! The loader, from bytes to addresses: images made to measure, images and PDBs of a real linker,
//! and all of them damaged.

mod checks;
mod damage;
mod images;
mod refusals;
mod symbols;
mod writer;
