//! The classifier that scores are computed with, in training.

use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, activation};

use super::checkpoint::Checkpoint;
use super::held_out_batches;
use super::learner::Learner;
use super::seeded::seeded;
use super::training::{At, Losses, Numbers, Trainee};
use crate::data::batches::{self, Order};
use crate::data::pack::Pack;
use crate::job::Job;
use crate::models::generate::classifier::{LeNet, LeNetConfig};
use crate::protocol::failure::Failure;

/// Learns to name the class of a picture.
pub struct ClassifierTrainee<'a> {
    learner: Learner<LeNet>,
    pack: &'a Pack,
    held_out: Option<&'a Pack>,
    classes: usize,
    order: Order,
    rate: f64,
    device: Device,
}

/// What the run is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Classes of the set.
    pub classes: usize,
    /// Learning rate.
    pub rate: f64,
    /// Pictures of a step.
    pub batch: usize,
    /// Decides weights and order.
    pub seed: u32,
}

impl<'a> ClassifierTrainee<'a> {
    /// Fresh weights. `device` records; `pack` is learned from, `held_out` scored on.
    pub fn new(
        options: Options,
        pack: &'a Pack,
        held_out: Option<&'a Pack>,
        device: &Device,
    ) -> Self {
        let network = LeNetConfig::new(options.classes).init(device);
        let adam = AdamConfig::new().with_epsilon(1e-8);
        Self {
            learner: Learner::new(seeded(network, options.seed), &adam),
            pack,
            held_out,
            classes: options.classes,
            order: Order::new(pack.count(), options.batch, options.seed),
            rate: options.rate,
            device: device.clone(),
        }
    }
}

impl Trainee for ClassifierTrainee<'_> {
    type Network = LeNet;

    /// One step on the cross-entropy, in nats.
    async fn step(&mut self, _: &Job<'_>, at: At) -> Result<Losses, Failure> {
        let indices = self.order.step(at.step);
        let pictures = batches::grid(self.pack, indices, &self.device);
        let classes = batches::one_hot(self.pack, indices, self.classes, &self.device);
        let network = &self.learner.network;
        let logits = network.classify(network.features(pictures));
        let [batch, _] = logits.dims();
        let loss = -(activation::log_softmax(logits, 1) * classes).sum() / batch as f32;
        self.learner.descend(&loss, self.rate * at.factor);
        Ok(vec![("cross-entropy", loss.inner())])
    }

    fn network(&self) -> &LeNet {
        &self.learner.network
    }

    /// The share of pictures that it has not seen whose class it names.
    async fn score(&self, job: &Job<'_>, network: &LeNet) -> Result<Numbers, Failure> {
        let Some(pack) = self.held_out else {
            return Ok(Numbers::new());
        };
        let device = self.device.clone().inner();
        let held_out = held_out_batches(pack.count());
        let count: usize = held_out.iter().map(Vec::len).sum();
        let mut right = 0.0;
        for indices in &held_out {
            let pictures = batches::grid(pack, indices, &device);
            let classes = batches::one_hot(pack, indices, self.classes, &device);
            let logits = network.classify(network.features(pictures));
            let of_class = (logits.clone() * classes).sum_dim(1);
            let is_right: Tensor<2> = of_class.greater_equal(logits.max_dim(1)).float();
            right += job.read(is_right.sum()).await?.iter().sum::<f32>();
            job.breathe().await?;
        }
        Ok(vec![("accuracy", right / count as f32)])
    }

    fn save(&self, into: &mut Checkpoint) -> Result<(), Failure> {
        self.learner.save("network", into)
    }

    fn load(&mut self, from: &Checkpoint) -> Result<(), Failure> {
        self.learner.load("network", from)
    }
}
