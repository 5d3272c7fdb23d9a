//! The picture repainted in one pass.

#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
pub mod paintings;
pub mod spec;
#[cfg(feature = "page")]
pub mod views;
