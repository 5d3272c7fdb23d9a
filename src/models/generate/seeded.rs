//! Starting weights from a seed of the host, the same on every backend.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A generator of the host; the same numbers everywhere.
#[derive(Debug, Clone)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// Numbers that belong to that seed. `stream` keeps apart what is drawn for different ends, so
    /// that one more draw for one does not change all others.
    pub fn new(seed: u32, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(seed));
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// A whole number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.0.next_u32()) * limit as u64) >> 32) as usize
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    /// Many of [`normal`](Self::normal).
    pub fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }
}

/// Fills every weight with normal numbers of variance `2 / fan_in` (He et al. 2015), leaves biases
/// and scales as they are.
pub fn seeded<M: Module>(network: M, seed: u32) -> M {
    network.map(&mut Fill(Draws::new(seed, 0)))
}

struct Fill(Draws);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D < 2 {
            return param;
        }
        let dims = param.dims();
        // The last dimension is the output's.
        let fan_in: usize = dims[..D - 1].iter().product();
        let scale = (2.0 / fan_in as f32).sqrt();
        let count = dims.iter().product();
        let values: Vec<f32> = self.0.normals(count).iter().map(|v| v * scale).collect();
        param.map(|old| {
            let tensor = Tensor::from_data(TensorData::new(values, dims), &old.device());
            tensor.set_require_grad(old.is_require_grad())
        })
    }
}
