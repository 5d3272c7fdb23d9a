//! Kiln: the models of CS231n lectures 11 to 15, with their insides visible.
//!
//! The layers, from below: `protocol`, `models`, `methods`, `labs`, `engine`, then the entry
//! points in `src/bin/`. `app` (the page) uses `protocol` alone. ARCHITECTURE.md has the map.

// Tests run natively on the CPU backend, where reading a tensor at once is fine.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod maths;
pub mod protocol;

#[cfg(feature = "page")]
pub mod app;

#[cfg(feature = "engine")]
pub mod data;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod labs;
#[cfg(feature = "engine")]
pub mod methods;
#[cfg(feature = "engine")]
pub mod models;
#[cfg(feature = "engine")]
pub mod train;
