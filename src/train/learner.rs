//! A network and its optimiser.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::checkpoint::Checkpoint;
use crate::protocol::failure::Failure;

/// A network that learns by Adam (Kingma and Ba 2015).
pub struct Learner<M: Module> {
    /// On a device that records.
    pub network: M,
    optimiser: ModuleOptimizer,
}

/// What a step found, before it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The loss, `[1]`.
    pub loss: Tensor<1>,
    /// Length of its gradient, `[1]`.
    pub gradient: Tensor<1>,
}

impl<M: Module> Learner<M> {
    /// A learner with no steps behind it. `network` is on a device that records.
    pub fn new(network: M, adam: &AdamConfig) -> Self {
        Self {
            network,
            optimiser: adam.init(),
        }
    }

    /// A step down the gradient of `loss`, `[1]`.
    pub fn descend(&mut self, loss: &Tensor<1>, rate: f64) {
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.follow(gradients, rate);
    }

    /// The same; tells the loss and how steep it was.
    pub fn descend_measured(&mut self, loss: &Tensor<1>, rate: f64) -> Found {
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        let loss = loss.clone().inner();
        let gradient = squared_length(&self.network, &gradients, &loss.device()).sqrt();
        self.follow(gradients, rate);
        Found { loss, gradient }
    }

    fn follow(&mut self, gradients: GradientsParams, rate: f64) {
        self.network = self.optimiser.step(rate, self.network.clone(), gradients);
    }

    /// Puts the network and Adam's state into a checkpoint, under `name` and `name-adam`.
    ///
    /// # Errors
    /// Those of [`Checkpoint::put_network`].
    pub fn save(&self, name: &str, into: &mut Checkpoint) -> Result<(), Failure> {
        into.put_network(name, &self.network)?;
        into.put_optimiser(&format!("{name}-adam"), &self.optimiser)
    }

    /// Goes on from what [`save`](Self::save) put there.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`]; nothing has changed then.
    pub fn load(&mut self, name: &str, from: &Checkpoint) -> Result<(), Failure> {
        let network = from.network(name, self.network.clone())?;
        self.optimiser = from.optimiser(&format!("{name}-adam"), self.optimiser.clone())?;
        self.network = network;
        Ok(())
    }
}

/// Sum of the squares of all gradients, `[1]`.
fn squared_length<M: Module>(
    network: &M,
    gradients: &GradientsParams,
    device: &Device,
) -> Tensor<1> {
    struct Sum<'a> {
        gradients: &'a GradientsParams,
        sum: Tensor<1>,
    }
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let squares = (gradient.clone() * gradient).sum();
                self.sum = self.sum.clone() + squares;
            }
        }
    }
    let mut sum = Sum {
        gradients,
        sum: Tensor::zeros([1], device),
    };
    network.visit(&mut sum);
    sum.sum
}
