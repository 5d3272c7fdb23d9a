//! Adam on a picture: a step along the mean of past gradients, as long everywhere.

use burn::tensor::Tensor;

/// How fast the mean of gradients forgets.
const BETA_1: f32 = 0.9;
/// How fast the mean of their squares forgets.
const BETA_2: f32 = 0.999;
/// Keeps a step finite where no gradient ever was.
const EPSILON: f32 = 1e-8;

/// The memory of Adam for one tensor.
///
/// # Reference
/// Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.
#[derive(Debug, Clone)]
pub struct Adam<const D: usize> {
    mean: Tensor<D>,
    square: Tensor<D>,
    steps: i32,
}

impl<const D: usize> Adam<D> {
    /// No memory yet, for a tensor like this one.
    pub fn new(like: &Tensor<D>) -> Self {
        Self {
            mean: like.zeros_like(),
            square: like.zeros_like(),
            steps: 0,
        }
    }

    /// What to take away from the tensor: about `rate` for each of its values, whatever the size of
    /// the gradient. Scaling a loss changes nothing.
    pub fn step(&mut self, gradient: Tensor<D>, rate: f32) -> Tensor<D> {
        self.steps += 1;
        self.mean = self.mean.clone() * BETA_1 + gradient.clone() * (1.0 - BETA_1);
        self.square = self.square.clone() * BETA_2 + gradient.square() * (1.0 - BETA_2);
        // Both means start at zero and are that much too small.
        let mean_share = 1.0 - BETA_1.powi(self.steps);
        let square_share = 1.0 - BETA_2.powi(self.steps);
        let size = (self.square.clone() / square_share).sqrt() + EPSILON;
        self.mean.clone() * (rate / mean_share) / size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn list(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn the_first_step_is_as_long_as_the_rate() {
        let gradient = Tensor::<1>::from_data([4.0, -0.001, 0.0], &Device::flex());
        let step = list(Adam::new(&gradient).step(gradient, 0.1));
        for (got, expected) in step.iter().zip([0.1, -0.1, 0.0]) {
            assert!((got - expected).abs() < 1e-5, "{step:?}");
        }
    }

    /// The second step by the paper's formulas: m = 0.9 * 0.1 * 1 + 0.1 * 3 = 0.39,
    /// v = 0.999 * 0.001 * 1 + 0.001 * 9 = 0.009999; unbiased 0.39 / 0.19 and 0.009999 / 0.001999.
    #[test]
    fn the_second_step_by_hand() {
        let device = Device::flex();
        let mut adam = Adam::new(&Tensor::<1>::zeros([1], &device));
        adam.step(Tensor::from_data([1.0], &device), 1.0);
        let step = list(adam.step(Tensor::from_data([3.0], &device), 1.0));
        let expected = (0.39f32 / 0.19) / (0.009_999f32 / 0.001_999).sqrt();
        assert!(
            (step[0] - expected).abs() < 1e-4,
            "{step:?}, expected {expected}"
        );
    }
}
