//! The views of the page.

pub mod map;
pub mod near;
