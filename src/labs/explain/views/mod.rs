//! The views of the page.

pub mod compare;
pub mod cut;
pub mod nudge;
