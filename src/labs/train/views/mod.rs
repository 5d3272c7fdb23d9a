//! The views of the page.

pub mod plane;
pub mod session;
