//! The views of the page.

pub mod compare;
pub mod nudge;
