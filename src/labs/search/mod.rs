//! What the labs that change a picture step by step share: style by optimisation, texture, dreams.

#[cfg(feature = "native")]
pub mod command;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod frames;
#[cfg(feature = "page")]
pub mod live;
pub mod objective;
#[cfg(feature = "engine")]
pub mod optimise;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "engine")]
pub mod passes;
#[cfg(feature = "engine")]
pub mod sheet;
pub mod spec;
#[cfg(feature = "page")]
pub mod views;
#[cfg(feature = "engine")]
pub mod wishes;
