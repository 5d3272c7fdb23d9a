//! Several detectors on the same picture, side by side.

#[cfg(feature = "native")]
pub mod command;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "page")]
pub mod page;
pub mod spec;
pub mod verdicts;
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
