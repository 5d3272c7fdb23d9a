//! Pictures to codes and back, by autoencoders and by inverting a GAN.

#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "page")]
pub mod views;
