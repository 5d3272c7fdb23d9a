//! The dense layers of R-CNN and SPPNet: they learn by softmax what stands in regions, before machines take its place. The
//! papers fine-tune more than these; here the backbone stands still, as it does for every family.
//!
//! # Reference
//! Girshick, Donahue, Darrell and Malik 2014, "Rich feature hierarchies for accurate object detection and semantic
//! segmentation", section 2.3, "Domain-specific fine-tuning"; He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional
//! Networks for Visual Recognition", section 4.1, where only the dense layers learn, too.

use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::region_features::{Regions, regions_of};
use super::regions::{REGIONS, named};
use super::{Options, Scene};
use crate::data::batches::Order;
use crate::data::photographs::CLASSES;
use crate::job::Job;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::matching::{Match, Matching, sampled};
use crate::models::detect::region_svm::{RegionSoftmax, RegionSvmConfig};
use crate::protocol::failure::Failure;
use crate::train::checkpoint::Checkpoint;
use crate::train::learner::Learner;
use crate::train::seeded::seeded;
use crate::train::training::{At, Losses, Numbers, Trainee};

/// The first stream of the random samples; each step has its own, so that training can be resumed.
const SAMPLES: u64 = 1 << 50;
/// The share of the numbers behind a dense layer that a step leaves out, as the papers' networks do.
const DROPPED: f64 = 0.5;

/// Dense layers that learn.
pub struct DenseTrainee<'a> {
    learner: Learner<RegionSoftmax>,
    regions: &'a dyn Regions,
    order: Order,
    options: Options,
    device: Device,
}

impl<'a> DenseTrainee<'a> {
    /// Fresh weights. `regions` have numbers around 0; `device` records.
    pub fn new(regions: &'a dyn Regions, options: Options, device: &Device) -> Self {
        let config = RegionSvmConfig::new(regions.dims(), CLASSES.len());
        let network = seeded(config.init_softmax(device), options.seed);
        let adam = AdamConfig::new().with_epsilon(1e-8);
        Self {
            learner: Learner::new(network, &adam),
            order: Order::new(regions.count(), options.batch, options.seed),
            regions,
            options,
            device: device.clone(),
        }
    }
}

/// What numbers are multiplied by: 0 for those that are left out, more than 1 for the others, so that the mean stays.
///
/// # Reference
/// Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".
fn kept(shape: [usize; 3], draws: &mut Draws, device: &Device) -> Tensor<3> {
    let of = |_| match f64::from(draws.unit()) < DROPPED {
        true => 0.0,
        false => (1.0 / (1.0 - DROPPED)) as f32,
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(of).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl Trainee for DenseTrainee<'_> {
    type Network = RegionSoftmax;

    async fn step(&mut self, _: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let mut draws = Draws::new(self.options.seed, SAMPLES + at.step);
        let mut features = Vec::new();
        let mut regions: Vec<(Scene<'_>, Option<usize>)> = Vec::new();
        for &index in self.order.step(at.step) {
            let scene = self.regions.scene(index as usize);
            let truths = scene.boxes();
            let all = regions_of(&scene);
            let matches = scene.spared(Matching::SECOND_STEP.of(&all, &truths));
            let taken = sampled(&matches, REGIONS.0, REGIONS.1, &mut draws);
            let kept = all
                .into_iter()
                .zip(taken)
                .filter(|(_, is)| *is != Match::Ignored);
            let (wanted, of): (Vec<Corners>, Vec<Match>) = kept.unzip();
            features.extend(self.regions.features(index as usize, &wanted)?);
            regions.extend(of.into_iter().map(|is| (scene, is.truth())));
        }
        let count = regions.len();
        if count == 0 {
            return Ok(vec![("classes", Tensor::zeros([1], &self.device).inner())]);
        }
        let features = TensorData::new(features, [count, self.regions.dims()]);
        let network = &self.learner.network;
        let mut hidden = Tensor::<2>::from_data(features, &self.device).unsqueeze_dim(0);
        for layer in &network.dense {
            hidden = activation::relu(layer.forward(hidden, 1));
            hidden = hidden.clone() * kept(hidden.dims(), &mut draws, &self.device);
        }
        let each = named(
            network.logits(hidden.squeeze_dim(0)),
            regions.iter().map(|(scene, truth)| (scene, *truth)),
        );
        let loss = each.sum() / count as f32;
        self.learner.descend(&loss, self.options.rate * at.factor);
        Ok(vec![("classes", loss.inner())])
    }

    fn network(&self) -> &RegionSoftmax {
        &self.learner.network
    }

    /// Nothing: what is found is measured with the machines.
    async fn score(&self, _: &Job<'_>, _: &RegionSoftmax) -> Result<Numbers, Failure> {
        Ok(Numbers::new())
    }

    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
        self.learner.save("network", into)
    }

    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
        self.learner.load("network", from)
    }
}
