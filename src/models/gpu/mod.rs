//! Layers as one compute shader each, for tensors on a GPU.
//!
//! Composed of Burn's operations, a convolution with its bias and activation is five to eight
//! dispatches, weights are laid out anew in each run, and the processor, which prepares them, is what a
//! visitor waits for. Here a layer is one dispatch on maps and weights as they lie:
//! `[batch, channels, height, width]` and `[out, in, rows, columns]`.
//!
//! Each function gives `None` where its tensors are not on a GPU, or record gradients; the caller then
//! takes a kernel of the CPU, or composes the layer of Burn's operations. `tests/gpu.rs` holds these shaders
//! against the CPU.

mod convolution;
mod dot;
mod gram;
mod grid;
mod launch;
mod normalisation;

pub(super) use convolution::{adjoint, convolve};
pub use dot::dot;
pub use gram::{gram, product};
pub use normalisation::{Mixture, rescale, scales};
