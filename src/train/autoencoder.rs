//! Steps of an autoencoder, plain, variational or conditional.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::noise;
use crate::methods::elbo;
use crate::models::generate::autoencoder::{Autoencoder, AutoencoderConfig};
use crate::models::generate::seeded::seeded;

/// An autoencoder in training.
pub struct AutoencoderTrainer {
    /// The network, on a device that records.
    pub network: Autoencoder,
    /// Adam's state.
    pub optimiser: ModuleOptimizer,
    /// Weight of the divergence (Higgins et al. 2017); 1 is the evidence lower bound.
    pub beta: f32,
    /// Decides weights and noise.
    pub seed: u32,
    /// Steps done.
    pub step: u64,
}

/// The two terms of a step's loss, in nats a picture, before the step.
#[derive(Debug, Clone)]
pub struct Terms {
    /// See [`elbo::reconstruction`].
    pub reconstruction: Tensor<1>,
    /// See [`elbo::divergence_from_standard`]; zero for a plain autoencoder.
    pub divergence: Tensor<1>,
}

impl AutoencoderTrainer {
    /// Fresh weights on a device that records.
    pub fn new(config: &AutoencoderConfig, beta: f32, seed: u32, device: &Device) -> Self {
        Self {
            network: seeded(config.init(device), seed),
            optimiser: AdamConfig::new().with_epsilon(1e-8).init(),
            beta,
            seed,
            step: 0,
        }
    }

    /// One step of Adam on `reconstruction + beta * divergence`.
    ///
    /// # Shapes
    /// - `pictures`: `[side * side, batch, channels]`, 0 to 1, on the recording device
    /// - `classes`: `[batch, classes]`, where the network was made for classes
    pub fn step(
        &mut self,
        pictures: Tensor<3>,
        classes: Option<Tensor<2>>,
        learning_rate: f64,
    ) -> Terms {
        let (terms, loss) = self.loss(pictures, classes);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self
            .optimiser
            .step(learning_rate, self.network.clone(), gradients);
        self.step += 1;
        terms
    }

    fn loss(&self, pictures: Tensor<3>, classes: Option<Tensor<2>>) -> (Terms, Tensor<1>) {
        let [_, batch, _] = pictures.dims();
        let device = pictures.device();
        let code = self.network.encode(pictures.clone(), classes.clone());
        let noise = noise(self.seed, self.step, batch, self.network.latent, &device);
        let logits = self.network.decode(code.sample(noise), classes);
        let reconstruction = elbo::reconstruction(logits, pictures);
        let divergence =
            elbo::divergence_from_standard(&code).unwrap_or_else(|| Tensor::zeros([1], &device));
        let loss = reconstruction.clone() + divergence.clone() * self.beta;
        let terms = Terms {
            reconstruction: reconstruction.inner(),
            divergence: divergence.inner(),
        };
        (terms, loss)
    }

    /// The network as it is used.
    pub fn trained(&self) -> Autoencoder {
        self.network.valid()
    }
}
