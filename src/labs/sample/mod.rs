//! Pictures from latent sliders.

#[cfg(feature = "native")]
pub mod command;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
