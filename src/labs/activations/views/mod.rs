//! The views of the page.

pub mod crops;
pub mod filters;
pub mod map;
pub mod network;
pub mod pad;
pub mod patches;
pub mod sheet;
