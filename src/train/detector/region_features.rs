//! What is known of the regions of photographs: numbers that a backbone made of them, evened out, or what dense layers say of
//! these.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use super::Scene;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::linear_svm::{LinearSvm, dot};
use crate::models::detect::region_svm::RegionSoftmax;
use crate::models::generate::grid_conv::GridConv;
use crate::protocol::failure::Failure;

/// Photographs whose regions have features.
pub trait Regions {
    /// How many photographs there are.
    fn count(&self) -> usize;
    /// Numbers of a region.
    fn dims(&self) -> usize;
    /// What is in a photograph, and what the search proposes.
    fn scene(&self, index: usize) -> Scene<'_>;
    /// The features of regions of a photograph, region after region. They are among its objects and proposals.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure>;
}

/// Objects of a scene, then its proposals.
pub fn regions_of(scene: &Scene<'_>) -> Vec<Corners> {
    [&scene.boxes(), scene.proposals].concat()
}

/// The rows of regions, out of those of [`regions_of`] a photograph.
///
/// # Panics
/// Where one is none of them.
pub fn rows_of(scene: &Scene<'_>, regions: &[Corners]) -> Vec<usize> {
    let all = regions_of(scene);
    let row = |region| all.iter().position(|of| of == region);
    let rows = regions
        .iter()
        .map(|region| row(region).expect("a region of the scene"));
    rows.collect()
}

/// Photographs that tell what numbers are on the whole, at most.
const TELLING: usize = 1000;
/// Proposals of each.
const OF_EACH: usize = 12;

/// What each number is on the whole: what learns sees it around 0, with a spread of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    mean: Vec<f32>,
    inverse: Vec<f32>,
}

impl Spread {
    /// Of rows of so many numbers.
    pub fn of(features: &[f32], dims: usize) -> Self {
        let count = (features.len() / dims).max(1) as f64;
        let (mut sums, mut squares) = (vec![0f64; dims], vec![0f64; dims]);
        for row in features.chunks_exact(dims) {
            for (at, &value) in row.iter().enumerate() {
                sums[at] += f64::from(value);
                squares[at] += f64::from(value) * f64::from(value);
            }
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / count) as f32).collect();
        let inverse = squares.iter().zip(&mean).map(|(square, mean)| {
            let variance = square / count - f64::from(*mean) * f64::from(*mean);
            1.0 / variance.max(1e-6).sqrt() as f32
        });
        Self {
            inverse: inverse.collect(),
            mean,
        }
    }

    /// Of some regions of some photographs; `seed` decides which regions.
    ///
    /// # Errors
    /// Those of the photographs.
    pub fn of_some(regions: &dyn Regions, seed: u32) -> Result<Self, Failure> {
        let mut draws = Draws::new(seed, 0);
        let mut features = Vec::new();
        for index in (0..regions.count()).step_by(regions.count().div_ceil(TELLING).max(1)) {
            let scene = regions.scene(index);
            let mut wanted = scene.boxes();
            for _ in 0..OF_EACH.min(scene.proposals.len()) {
                wanted.push(scene.proposals[draws.below(scene.proposals.len())]);
            }
            features.extend(regions.features(index, &wanted)?);
        }
        Ok(Self::of(&features, regions.dims()))
    }

    /// Evens rows out.
    pub fn apply(&self, features: &mut [f32]) {
        for row in features.chunks_exact_mut(self.mean.len()) {
            for (value, (mean, inverse)) in row.iter_mut().zip(self.mean.iter().zip(&self.inverse))
            {
                *value = (*value - mean) * inverse;
            }
        }
    }

    /// The same plane for features as they are.
    pub fn unfold(&self, plane: &LinearSvm) -> LinearSvm {
        let weights: Vec<f32> = plane
            .weights
            .iter()
            .zip(&self.inverse)
            .map(|(weight, inverse)| weight * inverse)
            .collect();
        LinearSvm {
            bias: plane.bias - dot(&weights, &self.mean),
            weights,
        }
    }

    /// The same dense layer for features as they are. On a device that does not record.
    pub fn unfold_layer(&self, mut layer: GridConv) -> GridConv {
        let device = layer.weight.device();
        let numbers = self.mean.len();
        let column = |values: &[f32]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [numbers, 1]), &device)
        };
        let weight: Tensor<2> = layer.weight.val().squeeze_dim(0);
        let weight = weight * column(&self.inverse);
        let moved = (weight.clone() * column(&self.mean))
            .sum_dim(0)
            .squeeze_dim(0);
        layer.bias = Param::from_tensor(layer.bias.val() - moved);
        layer.weight = Param::from_tensor(weight.unsqueeze_dim(0));
        layer
    }
}

/// Regions whose numbers are evened out.
pub struct Even<'a> {
    /// As they are.
    pub regions: &'a dyn Regions,
    /// What they are on the whole.
    pub spread: &'a Spread,
}

impl Regions for Even<'_> {
    fn count(&self) -> usize {
        self.regions.count()
    }

    fn dims(&self) -> usize {
        self.regions.dims()
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        self.regions.scene(index)
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
        let mut features = self.regions.features(index, regions)?;
        self.spread.apply(&mut features);
        Ok(features)
    }
}

/// Regions of which is known what dense layers say.
pub struct Hidden<'a> {
    regions: &'a dyn Regions,
    dims: usize,
    /// Of each photograph: of its objects, then of its proposals.
    said: Vec<Vec<f32>>,
}

impl<'a> Hidden<'a> {
    /// Asks the layers, which do not record, about all regions.
    ///
    /// # Errors
    /// Those of the photographs and of [`Job::read`].
    pub async fn of(
        job: &Job<'_>,
        regions: &'a dyn Regions,
        layers: &RegionSoftmax,
        device: &Device,
    ) -> Result<Self, Failure> {
        let dims = layers.classes.weight.dims()[1];
        let mut said = Vec::with_capacity(regions.count());
        for index in 0..regions.count() {
            let all = regions_of(&regions.scene(index));
            if all.is_empty() {
                said.push(Vec::new());
                continue;
            }
            let features = regions.features(index, &all)?;
            let features = TensorData::new(features, [all.len(), regions.dims()]);
            let hidden = layers.hidden(Tensor::from_data(features, device));
            said.push(job.read(hidden).await?);
        }
        Ok(Self {
            regions,
            dims,
            said,
        })
    }
}

impl Regions for Hidden<'_> {
    fn count(&self) -> usize {
        self.regions.count()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn scene(&self, index: usize) -> Scene<'_> {
        self.regions.scene(index)
    }

    fn features(&self, index: usize, regions: &[Corners]) -> Result<Vec<f32>, Failure> {
        let row = |at: usize| &self.said[index][at * self.dims..(at + 1) * self.dims];
        let rows = rows_of(&self.scene(index), regions);
        Ok(rows.into_iter().flat_map(row).copied().collect())
    }
}
