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

    /// All averages, as a checkpoint keeps them, on a device that does not record.
    pub fn network(&self) -> M {
        self.network.valid()
    }

    /// A copy of `network`, which records, with the averaged weights, on a device that does not record.
    /// What is not learned, running statistics above all, stays the network's own.
    pub fn within(&self, network: &M) -> M {
        let mut averages = Now(Vec::new());
        self.network.visit(&mut averages);
        let mut fill = Fill(averages.0.into_iter());
        // `valid` parts the copy's running statistics from the network's.
        network.valid().train().map(&mut fill).valid()
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
        self.0.push(Box::new(param.val().without_autodiff()));
    }
}

struct Mix {
    now: std::vec::IntoIter<Box<dyn Any>>,
    keeps: f32,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let now: Tensor<D> = next(&mut self.now);
        let keeps = self.keeps;
        param.map(|average| average * keeps + now * (1.0 - keeps))
    }
}

struct Fill(std::vec::IntoIter<Box<dyn Any>>);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let average: Tensor<D> = next(&mut self.0);
        param.map(|own| {
            if own.is_require_grad() {
                Tensor::from_inner(average).require_grad()
            } else {
                own
            }
        })
    }
}

fn next<const D: usize>(tensors: &mut std::vec::IntoIter<Box<dyn Any>>) -> Tensor<D> {
    let next = tensors.next().and_then(|next| next.downcast().ok());
    *next.expect("both networks have the same parameters in the same order")
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
        let expected = 0.9 * 2.0 / 11.0 + 9.0 / 11.0;
        assert!((gamma(&average) - expected).abs() < 1e-6);
        // Running statistics are the network's, not the average's.
        later.forward(Tensor::<2>::full([3, 2], 5.0, &device));
        let within = average.within(&later);
        let values = |tensor: Tensor<1>| -> Vec<f32> { tensor.into_data().try_into_vec().unwrap() };
        assert!((values(within.gamma.val())[0] - expected).abs() < 1e-6);
        // A tenth of the way from 0 to 5.
        assert!((values(within.running_mean.value())[0] - 0.5).abs() < 1e-6);
    }
}
