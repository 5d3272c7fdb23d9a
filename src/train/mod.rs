//! Training: one step at a time, the same natively and in the tab. Nothing here reads a tensor back;
//! whoever drives the loop does, when it wants to know.

pub mod autoencoder;
pub mod classifier;
pub mod gan;

use burn::tensor::{Device, Tensor, TensorData};

use crate::models::generate::seeded::Draws;

/// Streams of [`Draws`] from here on are for the noise of steps.
const NOISE_STREAM: u64 = 1 << 32;

/// Normal noise of a step, the same on every backend.
///
/// # Shapes
/// - output: `[batch, latent]`
pub fn noise(seed: u32, step: u64, batch: usize, latent: usize, device: &Device) -> Tensor<2> {
    let values = Draws::new(seed, NOISE_STREAM + step).normals(batch * latent);
    Tensor::from_data(TensorData::new(values, [batch, latent]), device)
}

/// The learning rate at a step: as given for the first half, then down to nothing in a straight line,
/// so that the last steps settle.
pub fn decayed(rate: f64, step: u64, steps: u64) -> f64 {
    rate * (2.0 * (1.0 - step as f64 / steps as f64)).clamp(0.02, 1.0)
}
