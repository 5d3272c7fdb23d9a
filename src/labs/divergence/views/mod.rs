//! The views of the page.

pub mod convexity;
pub mod densities;
pub mod divergences;
pub mod duality;
pub mod lipschitz;
pub mod slider;
