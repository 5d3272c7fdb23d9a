//! What each lab does with its network: a picture and settings in, events and a result out.

pub mod detect;
pub mod dream;
pub mod frames;
pub mod generate;
pub mod job;
pub mod optimise;
pub mod search;
pub mod segment;
pub mod stylize;
