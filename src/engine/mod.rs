//! Owns the device, loads and verifies weights, runs one job at a time.

#[cfg(feature = "native")]
pub mod native_host;
pub mod runner;
pub mod self_check;
pub mod weights;
