//! Weights averaged over the steps: samples of an averaged generator vary less from step to step
//! (Yazıcı et al. 2019).

use std::any::Any;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// How much of the average stays at a step.
const KEEPS: f32 = 0.998;

/// An exponential average of a network's weights and running statistics.
#[derive(Debug, Clone)]
pub struct Average<M: Module> {
    /// The averages, on a device that does not record.
    network: M,
}

impl<M: Module> Average<M> {
    /// Begins with the weights as they are.
    pub fn new(network: &M) -> Self {
        Self {
            network: network.valid(),
        }
    }

    /// Takes in the weights after a step, counted from 0.
    pub fn follow(&mut self, network: &M, step: u64) {
        // From a short memory to a long one: the first steps are soon forgotten.
        let keeps = KEEPS.min((1.0 + step as f32) / (10.0 + step as f32));
        let mut now = Now(Vec::new());
        network.visit(&mut now);
        let mut mix = Mix {
            now: now.0.into_iter(),
            keeps,
        };
        self.network = self.network.clone().map(&mut mix);
    }

    /// A copy of the averaged network, on a device that does not record.
    pub fn network(&self) -> M {
        self.network.valid()
    }

    /// Goes on from an average that was kept.
    pub fn set(&mut self, network: M) {
        self.network = network;
    }
}

/// The tensors of a network, in the order in which mappers come by, too.
struct Now(Vec<Box<dyn Any>>);

impl ModuleVisitor for Now {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(Box::new(param.val().inner()));
    }
}

struct Mix {
    now: std::vec::IntoIter<Box<dyn Any>>,
    keeps: f32,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let now = self
            .now
            .next()
            .and_then(|now| now.downcast::<Tensor<D>>().ok());
        let now = now.expect("both networks have the same parameters in the same order");
        let keeps = self.keeps;
        param.map(|average| average * keeps + *now * (1.0 - keeps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use burn::tensor::Device;

    fn with_gamma(network: BatchNorm, value: f32) -> BatchNorm {
        BatchNorm {
            gamma: network.gamma.map(|gamma| gamma.full_like(value)),
            ..network
        }
    }

    #[test]
    fn the_average_leaves_the_first_weights_behind() {
        let device = Device::flex().autodiff();
        let start = with_gamma(BatchNormConfig::new(2).init(&device), 0.0);
        let mut average = Average::new(&start);
        let later = with_gamma(start, 1.0);
        let gamma = |average: &Average<BatchNorm>| {
            let values: Vec<f32> = average
                .network()
                .gamma
                .val()
                .into_data()
                .try_into_vec()
                .unwrap();
            values[0]
        };
        // Keeps 1/10 at the first step and 2/11 at the second: 0.9, then 0.9 * 2/11 + 9/11.
        average.follow(&later, 0);
        assert!((gamma(&average) - 0.9).abs() < 1e-6);
        average.follow(&later, 1);
        assert!((gamma(&average) - (0.9 * 2.0 / 11.0 + 9.0 / 11.0)).abs() < 1e-6);
    }
}
