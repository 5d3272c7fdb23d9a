//! Training: one loop ([`training::Training`]) for every trainee, natively and in the tab. A trainee is
//! a small file: its network, its batch, its losses by name, its held-out score.

pub mod autoencoder;
pub mod average;
pub mod checkpoint;
pub mod classifier;
#[cfg(test)]
pub mod clock;
pub mod detector;
pub mod gan;
pub mod learner;
pub mod schedule;
pub mod seeded;
pub mod training;

use burn::tensor::{Device, Tensor, TensorData};

use crate::maths::draws::Draws;

/// Streams of [`Draws`] from here on are for the noise of steps.
const NOISE_STREAM: u64 = 1 << 32;

/// Pictures of a held-out score at most.
const HELD_OUT: usize = 500;
/// Pictures of a forward pass of a held-out score.
const HELD_OUT_BATCH: usize = 50;

/// Normal noise of a step, the same on every backend.
///
/// # Shapes
/// - output: `[batch, latent]`
pub fn noise(seed: u32, step: u64, batch: usize, latent: usize, device: &Device) -> Tensor<2> {
    let values = Draws::new(seed, NOISE_STREAM + step).normals(batch * latent);
    Tensor::from_data(TensorData::new(values, [batch, latent]), device)
}

/// Indices of the pictures of a held-out score, a batch at a time: the first [`HELD_OUT`] of a set of
/// `count`.
fn held_out_batches(count: usize) -> Vec<Vec<u32>> {
    let indices: Vec<u32> = (0..count.min(HELD_OUT) as u32).collect();
    indices
        .chunks(HELD_OUT_BATCH)
        .map(<[u32]>::to_vec)
        .collect()
}
