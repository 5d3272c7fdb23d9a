//! Plain numbers: what the page draws at once and the labs use, too. No Burn, no page.

pub mod boxes;
pub mod convexity;
pub mod densities;
pub mod divergence;
pub mod lipschitz;
pub mod points;
