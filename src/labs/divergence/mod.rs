//! How far two densities are apart.

#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "page")]
pub mod views;
