//! What the generative labs share.

#[cfg(feature = "native")]
pub mod latents;
#[cfg(feature = "engine")]
pub mod networks;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "native")]
pub mod publish;
pub mod spec;
