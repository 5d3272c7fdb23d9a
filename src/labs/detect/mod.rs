//! Boxes around objects.

#[cfg(feature = "native")]
pub mod annotate;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
pub mod spec;
#[cfg(feature = "page")]
pub mod views;
