//! What the generative labs share.

pub mod ask;
#[cfg(feature = "engine")]
pub mod networks;
#[cfg(feature = "page")]
pub mod page;
pub mod spec;
