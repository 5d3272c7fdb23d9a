//! The views of the page.

pub mod codes;
pub mod edit;
pub mod invert;
pub mod map;
pub mod sketch;
pub mod versus;
