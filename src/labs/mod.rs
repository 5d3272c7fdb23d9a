//! The labs: a folder each.

pub mod detect;
pub mod divergence;
pub mod dream;
pub mod encode;
pub mod generate;
pub mod sample;
pub mod scores;
pub mod search;
pub mod segment;
pub mod stylize;
pub mod train;
