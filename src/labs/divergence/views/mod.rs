//! The views of the page.

pub mod convexity;
pub mod lipschitz;
