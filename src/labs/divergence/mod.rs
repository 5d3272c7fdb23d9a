//! How far two densities are apart.

#[cfg(feature = "page")]
pub mod page;
pub mod spec;
#[cfg(feature = "page")]
pub mod views;

/// The row of the lab.
pub const LAB: super::Lab = super::Lab {
    spec: &spec::LAB,
    #[cfg(feature = "engine")]
    engine: None,
    #[cfg(feature = "page")]
    page: page::ROOM,
    #[cfg(feature = "native")]
    command: None,
};
