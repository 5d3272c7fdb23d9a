//! The views of the page.

pub mod backbones;
pub mod costs;
pub mod figures;
pub mod losses;
pub mod scores;
pub mod steps;
pub mod truth;
