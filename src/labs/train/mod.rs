//! An adversarial pair in training.

#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "page")]
pub mod views;
