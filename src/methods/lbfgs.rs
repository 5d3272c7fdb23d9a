//! L-BFGS on a picture: steps that know the curvature of the last few.

use std::collections::VecDeque;

use burn::tensor::Tensor;

use super::dot::dot as sum_of_products;

/// Pairs of step and change of gradient that are remembered.
const MEMORY: usize = 10;
/// A pair tells of curvature only where step and change of gradient point the same way: their
/// product, relative to the square of the change, is above this.
const SMALLEST_CURVATURE: f32 = 1e-10;

/// A remembered step.
#[derive(Debug, Clone)]
struct Pair {
    /// How the picture changed.
    step: Tensor<4>,
    /// How the gradient changed.
    change: Tensor<4>,
    /// 1 over their product; 0 where the pair tells nothing and is passed over. `[1, 1, 1, 1]`.
    inverse: Tensor<4>,
}

/// The memory of L-BFGS for one picture. Nothing is read back: every scalar stays a tensor, so that
/// a step never waits for the device.
///
/// # Reference
/// Nocedal 1980, "Updating Quasi-Newton Matrices with Limited Storage": the two-loop recursion. There
/// is no line search: a step is as long as the curvature says, but moves no pixel further than the
/// given limit.
#[derive(Debug, Clone, Default)]
pub struct Lbfgs {
    pairs: VecDeque<Pair>,
    last: Option<(Tensor<4>, Tensor<4>)>,
}

/// As a tensor that a picture can be multiplied by.
fn dot(a: &Tensor<4>, b: &Tensor<4>) -> Tensor<4> {
    sum_of_products(a, b).reshape([1, 1, 1, 1])
}

impl Lbfgs {
    /// What to take away from the picture, given the gradient there. No value moves by more than
    /// `limit`.
    ///
    /// # Shapes
    /// - both inputs and the output: `[1, channels, height, width]`
    pub fn step(&mut self, picture: &Tensor<4>, gradient: Tensor<4>, limit: f32) -> Tensor<4> {
        if let Some((old_picture, old_gradient)) = self.last.take() {
            self.remember(
                picture.clone() - old_picture,
                gradient.clone() - old_gradient,
            );
        }
        self.last = Some((picture.clone(), gradient.clone()));
        let mut direction = gradient;
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.inverse.clone() * dot(&pair.step, &direction);
            direction = direction - pair.change.clone() * share.clone();
            shares.push(share);
        }
        // The curvature of the last pair is the first guess for all directions; where the pair tells
        // nothing, the gradient is taken as it is. The very first step is as long as the limit allows.
        if let Some(pair) = self.pairs.back() {
            let square = dot(&pair.change, &pair.change).clamp_min(f32::MIN_POSITIVE);
            let curvature = dot(&pair.step, &pair.change) / square;
            let known = pair.inverse.clone().greater_elem(0.0);
            direction = direction * curvature.ones_like().mask_where(known, curvature);
        }
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = pair.inverse.clone() * dot(&pair.change, &direction);
            direction = direction + pair.step.clone() * (share - back);
        }
        let largest = direction
            .clone()
            .abs()
            .max()
            .clamp_min(f32::MIN_POSITIVE)
            .reshape([1, 1, 1, 1]);
        let shrink = largest.recip() * limit;
        if self.pairs.is_empty() {
            direction * shrink
        } else {
            direction * shrink.clamp_max(1.0)
        }
    }

    fn remember(&mut self, step: Tensor<4>, change: Tensor<4>) {
        let product = dot(&step, &change);
        let least = dot(&change, &change) * SMALLEST_CURVATURE;
        let tells = product.clone().greater(least);
        let inverse = product.zeros_like().mask_where(tells, product.recip());
        self.pairs.push_back(Pair {
            step,
            change,
            inverse,
        });
        if self.pairs.len() > MEMORY {
            self.pairs.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn list(tensor: &Tensor<4>) -> Vec<f32> {
        tensor.clone().into_data().try_into_vec().expect("f32")
    }

    /// A bowl that is a hundred times steeper in one direction than in another: gradient descent at
    /// a safe rate needs hundreds of steps, L-BFGS as many as there are directions and a few more.
    #[test]
    fn a_narrow_bowl_takes_few_steps() {
        let device = Device::flex();
        let steepness = Tensor::<4>::from_data([[[[1.0, 10.0, 100.0]]]], &device);
        let mut at = Tensor::<4>::from_data([[[[1.0, 1.0, -1.0]]]], &device);
        let mut memory = Lbfgs::default();
        for _ in 0..20 {
            let step = memory.step(&at, at.clone() * steepness.clone(), 1.0);
            at = at - step;
        }
        assert!(list(&at).iter().all(|v| v.abs() < 1e-3), "{:?}", list(&at));
    }

    #[test]
    fn no_value_moves_further_than_the_limit() {
        let device = Device::flex();
        let at = Tensor::<4>::zeros([1, 1, 1, 2], &device);
        let gradient = Tensor::<4>::from_data([[[[-3.0, 1e6]]]], &device);
        let step = Lbfgs::default().step(&at, gradient, 0.25);
        assert_eq!(list(&step), [-0.75e-6, 0.25]);
    }

    #[test]
    fn standing_still_gives_numbers() {
        let device = Device::flex();
        let at = Tensor::<4>::zeros([1, 1, 1, 2], &device);
        let mut memory = Lbfgs::default();
        for _ in 0..3 {
            let step = memory.step(&at, Tensor::zeros([1, 1, 1, 2], &device), 0.1);
            assert_eq!(list(&step), [0.0, 0.0]);
        }
    }
}
