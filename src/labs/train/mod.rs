//! An adversarial pair in training.

#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "engine")]
pub mod pair;
pub mod presets;
pub mod spec;
#[cfg(feature = "page")]
pub mod views;

/// The row of the lab.
pub const LAB: super::Lab = super::Lab {
    spec: &spec::LAB,
    #[cfg(feature = "engine")]
    engine: Some(engine::engine),
    #[cfg(feature = "page")]
    page: page::ROOM,
    #[cfg(feature = "native")]
    command: None,
};
