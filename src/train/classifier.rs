//! Steps of the classifier that scores are computed with.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, activation};

use crate::models::generate::classifier::{LeNet, LeNetConfig};
use crate::models::generate::seeded::seeded;

/// A classifier in training.
pub struct ClassifierTrainer {
    /// On a device that records.
    pub network: LeNet,
    /// Adam's state.
    pub optimiser: ModuleOptimizer,
}

impl ClassifierTrainer {
    /// Fresh weights on a device that records.
    pub fn new(classes: usize, seed: u32, device: &Device) -> Self {
        Self {
            network: seeded(LeNetConfig::new(classes).init(device), seed),
            optimiser: AdamConfig::new().with_epsilon(1e-8).init(),
        }
    }

    /// One step on the cross-entropy, which is returned, `[1]`, in nats.
    ///
    /// # Shapes
    /// - `pictures`: `[784, batch, 1]`, 0 to 1; `classes`: `[batch, classes]`, one-hot
    pub fn step(&mut self, pictures: Tensor<3>, classes: Tensor<2>, rate: f64) -> Tensor<1> {
        let logits = self.network.classify(self.network.features(pictures));
        let [batch, _] = logits.dims();
        let loss = -(activation::log_softmax(logits, 1) * classes).sum() / batch as f32;
        let found = loss.clone().inner();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimiser.step(rate, self.network.clone(), gradients);
        found
    }

    /// The network as it is used.
    pub fn trained(&self) -> LeNet {
        self.network.valid()
    }
}
