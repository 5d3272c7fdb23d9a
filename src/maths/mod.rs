//! Plain numbers: what the page draws at once and the labs use, too. No Burn, no page.

pub mod average_precision;
pub mod boxes;
pub mod color_map;
pub mod convexity;
pub mod densities;
pub mod divergence;
/// Only where there is something to draw for: the generator's crate comes with the engine.
#[cfg(feature = "engine")]
pub mod draws;
pub mod lipschitz;
pub mod points;
