//! Boxes around objects.

#[cfg(feature = "native")]
pub mod annotate;
#[cfg(feature = "native")]
pub mod command;
#[cfg(feature = "engine")]
pub mod detector;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "native")]
pub mod evaluate;
pub mod families;
#[cfg(feature = "page")]
pub mod page;
pub mod spec;
#[cfg(feature = "native")]
pub mod stages;
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
    command: Some(command::ROW),
};
