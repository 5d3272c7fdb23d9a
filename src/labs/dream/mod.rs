//! What a layer sees in the picture, grown until it shows.

#[cfg(feature = "engine")]
pub mod engine;
