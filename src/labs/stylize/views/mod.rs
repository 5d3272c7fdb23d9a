//! The views of the page.

pub mod brush;
pub mod pad;
pub mod paintings;
pub mod picker;
pub mod tiles;
