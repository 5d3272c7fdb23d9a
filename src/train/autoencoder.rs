//! An autoencoder in training, plain, variational or conditional.

use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};

use super::checkpoint::Checkpoint;
use super::learner::Learner;
use super::seeded::seeded;
use super::training::{At, Losses, Numbers, Trainee};
use super::{held_out_batches, noise};
use crate::data::batches::{self, Order};
use crate::data::pack::Pack;
use crate::job::Job;
use crate::methods::elbo;
use crate::models::generate::autoencoder::{Autoencoder, AutoencoderConfig};
use crate::protocol::failure::Failure;

/// Learns to give pictures of a set back.
pub struct AutoencoderTrainee<'a> {
    learner: Learner<Autoencoder>,
    pack: &'a Pack,
    held_out: Option<&'a Pack>,
    /// Classes that pictures are made for; 0 for none.
    classes: usize,
    order: Order,
    options: Options,
    device: Device,
}

/// What the run is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Weight of the divergence (Higgins et al. 2017); 1 is the evidence lower bound.
    pub beta: f32,
    /// Learning rate.
    pub rate: f64,
    /// Pictures of a step.
    pub batch: usize,
    /// Decides weights, order and noise.
    pub seed: u32,
}

impl<'a> AutoencoderTrainee<'a> {
    /// Fresh weights. `device` records; `pack` is learned from, `held_out` scored on.
    pub fn new(
        config: &AutoencoderConfig,
        options: Options,
        pack: &'a Pack,
        held_out: Option<&'a Pack>,
        device: &Device,
    ) -> Self {
        let network = seeded(config.init(device), options.seed);
        Self {
            learner: Learner::new(network, &AdamConfig::new().with_epsilon(1e-8)),
            pack,
            held_out,
            classes: config.classes,
            order: Order::new(pack.count(), options.batch, options.seed),
            options,
            device: device.clone(),
        }
    }

    /// Pictures, and their classes where the network is told them.
    fn batch(
        &self,
        pack: &Pack,
        indices: &[u32],
        device: &Device,
    ) -> (Tensor<3>, Option<Tensor<2>>) {
        let classes =
            (self.classes > 0).then(|| batches::one_hot(pack, indices, self.classes, device));
        (batches::grid(pack, indices, device), classes)
    }
}

/// The two terms of the loss, in nats a picture; the divergence of a plain autoencoder is zero.
///
/// # Shapes
/// - `pictures`: `[side * side, batch, channels]`, 0 to 1
/// - `classes`: `[batch, classes]`, where the network was made for classes
/// - `noise`: `[batch, latent]`
/// - output: `[1]` each
fn terms(
    network: &Autoencoder,
    pictures: Tensor<3>,
    classes: Option<Tensor<2>>,
    noise: Tensor<2>,
) -> [Tensor<1>; 2] {
    let device = pictures.device();
    let code = network.encode(pictures.clone(), classes.clone());
    let logits = network.decode(code.sample(noise), classes);
    let divergence =
        elbo::divergence_from_standard(&code).unwrap_or_else(|| Tensor::zeros([1], &device));
    [elbo::reconstruction(logits, pictures), divergence]
}

impl Trainee for AutoencoderTrainee<'_> {
    type Network = Autoencoder;

    /// One step on `reconstruction + beta * divergence`.
    async fn step(&mut self, _: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let Options {
            beta, rate, seed, ..
        } = self.options;
        let indices = self.order.step(at.step).to_vec();
        let (pictures, classes) = self.batch(self.pack, &indices, &self.device);
        let latent = self.learner.network.latent;
        let noise = noise(seed, at.step, indices.len(), latent, &self.device);
        let [reconstruction, divergence] = terms(&self.learner.network, pictures, classes, noise);
        let loss = reconstruction.clone() + divergence.clone() * beta;
        self.learner.descend(&loss, rate * at.factor);
        Ok(vec![
            ("reconstruction", reconstruction.inner()),
            ("divergence", divergence.inner()),
        ])
    }

    fn network(&self) -> &Autoencoder {
        &self.learner.network
    }

    /// Both terms on pictures that it has not seen, from the middle of each code.
    async fn score(&self, job: &Job<'_>, network: &Autoencoder) -> Result<Numbers, Failure> {
        let Some(pack) = self.held_out else {
            return Ok(Numbers::new());
        };
        let device = self.device.clone().inner();
        let held_out = held_out_batches(pack.count());
        let count: usize = held_out.iter().map(Vec::len).sum();
        let mut sums = [0.0; 2];
        for indices in &held_out {
            let (pictures, classes) = self.batch(pack, indices, &device);
            let middle = Tensor::zeros([indices.len(), network.latent], &device);
            let found = terms(network, pictures, classes, middle);
            let values = job.read(Tensor::cat(found.to_vec(), 0)).await?;
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * indices.len() as f32 / count as f32;
            }
            job.breathe().await?;
        }
        Ok(vec![("reconstruction", sums[0]), ("divergence", sums[1])])
    }

    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
        self.learner.save("network", into)
    }

    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
        self.learner.load("network", from)
    }
}
