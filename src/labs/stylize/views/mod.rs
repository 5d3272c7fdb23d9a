//! The views of the page.

pub mod pad;
pub mod paintings;
pub mod picker;
pub mod tiles;
