//! The views of the page.

pub mod curves;
pub mod grams;
pub mod pins;
