//! The views of the page.

pub mod brush;
pub mod full_size;
pub mod pad;
pub mod paintings;
pub mod picker;
pub mod tiles;
