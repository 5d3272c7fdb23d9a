//! Kiln: the models of CS231n lectures 11 to 15, with their insides visible.
//!
//! ARCHITECTURE.md has the map: the house, and the labs in it.

// Tests run natively on the CPU backend, where reading a tensor at once is fine.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod labs;
pub mod maths;
pub mod protocol;

#[cfg(feature = "page")]
pub mod page;

#[cfg(feature = "native")]
pub mod command;
#[cfg(feature = "engine")]
pub mod data;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod job;
#[cfg(feature = "engine")]
pub mod methods;
#[cfg(feature = "engine")]
pub mod models;
#[cfg(feature = "engine")]
pub mod train;

/// Runs what the crates of a wasm program want to be run before `main`, once. Each program calls this
/// first.
///
/// A program that does not call it is taken for a "command": the linker then runs all constructors
/// anew before every function that JavaScript calls, and CubeCL, which registers thousands of
/// operations that way, makes each of them 5 ms (the documentation of the crate `inventory`,
/// "WebAssembly and constructors").
#[cfg(target_family = "wasm")]
pub fn run_constructors() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker makes this function for every module; it takes and gives nothing, and is
    // called once, before anything that it sets up is used.
    unsafe { __wasm_call_ctors() }
}
