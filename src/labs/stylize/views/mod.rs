//! The views of the page.

pub mod pad;
pub mod paintings;
