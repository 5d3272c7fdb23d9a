//! The views of the page.

pub mod guide;
pub mod plane;
pub mod session;
