//! Owns the device, loads and verifies weights, runs one job at a time.

pub mod log_watch;
#[cfg(feature = "native")]
pub mod native_host;
pub mod runner;
pub mod searches;
pub mod self_check;
pub mod studio;
pub mod weights;

#[cfg(feature = "worker")]
mod web_backend;
#[cfg(feature = "worker")]
mod web_host;
#[cfg(feature = "worker")]
mod web_picture;
#[cfg(feature = "worker")]
pub mod web_worker;
