//! Owns the device, loads and verifies weights, runs one call at a time.

pub mod lab;
pub mod log_watch;
#[cfg(feature = "native")]
mod native_color;
#[cfg(feature = "native")]
pub mod native_host;
pub mod rivals;
pub mod runner;
pub mod self_check;
pub mod shelf;
pub mod weights;

#[cfg(feature = "worker")]
mod web_backend;
#[cfg(feature = "worker")]
mod web_between;
#[cfg(feature = "worker")]
mod web_host;
#[cfg(feature = "worker")]
mod web_picture;
#[cfg(feature = "worker")]
pub mod web_worker;
