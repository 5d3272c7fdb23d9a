//! A person cut out of the picture.

#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
pub mod spec;
