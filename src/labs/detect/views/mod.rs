//! The views of the page.

pub mod anchors;
pub mod annotate;
pub mod scores;
pub mod suppression;
