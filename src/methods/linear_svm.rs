//! Linear support vector machines: the plane that parts two classes with the widest margin.

use crate::maths::draws::Draws;

/// What decides a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitting {
    /// How much an error of a negative and of a positive example costs, beside the width of the margin.
    pub costs: [f32; 2],
    /// Passes over all examples at most.
    pub epochs: usize,
    /// How far from optimal the examples may be at the end.
    pub tolerance: f32,
    /// Decides the order of the examples.
    pub seed: u32,
}

/// A plane: examples lie on its positive side where [`margin`](Self::margin) is above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearSvm {
    /// A weight for each feature.
    pub weights: Vec<f32>,
    /// What is added.
    pub bias: f32,
}

impl LinearSvm {
    /// How far an example lies on the positive side, 1 at the margin.
    pub fn margin(&self, features: &[f32]) -> f32 {
        dot(&self.weights, features) + self.bias
    }

    /// The plane that lowers `|w|^2 / 2 + C sum max(0, 1 - y (w x + b))^2`, the bias counted as a weight: dual coordinate
    /// descent, one example after the other. `features` are rows as long as `dims`; `examples` are the numbers of those that
    /// count, each with whether it is a positive one.
    ///
    /// # Reference
    /// Hsieh, Chang, Lin, Keerthi and Sundararajan 2008, "A Dual Coordinate Descent Method for Large-scale Linear SVM",
    /// algorithm 1 with the squared hinge loss; it is what LIBLINEAR and scikit-learn's `LinearSVC` do.
    pub fn fit(
        features: &[f32],
        dims: usize,
        examples: &[(usize, bool)],
        fitting: Fitting,
    ) -> Self {
        let row = |at: usize| &features[examples[at].0 * dims..][..dims];
        let count = examples.len();
        // The bias is the weight of a feature that is 1 for all.
        let squares: Vec<f32> = (0..count).map(|at| dot(row(at), row(at)) + 1.0).collect();
        let mut dual = vec![0f32; count];
        let mut plane = Self {
            weights: vec![0.0; dims],
            bias: 0.0,
        };
        let mut draws = Draws::new(fitting.seed, 0);
        let mut order: Vec<usize> = (0..count).collect();
        for _ in 0..fitting.epochs {
            for at in (1..count).rev() {
                order.swap(at, draws.below(at + 1));
            }
            let (mut most, mut least) = (f32::NEG_INFINITY, f32::INFINITY);
            for &at in &order {
                let (_, is) = examples[at];
                let sign = if is { 1.0 } else { -1.0 };
                let soft = 1.0 / (2.0 * fitting.costs[usize::from(is)]);
                let slope = sign * plane.margin(row(at)) - 1.0 + soft * dual[at];
                // A multiplier is not negative: at 0 it can only grow.
                let free = if dual[at] == 0.0 {
                    slope.min(0.0)
                } else {
                    slope
                };
                most = most.max(free);
                least = least.min(free);
                if free.abs() > 1e-12 {
                    let new = (dual[at] - slope / (squares[at] + soft)).max(0.0);
                    let step = (new - dual[at]) * sign;
                    dual[at] = new;
                    plane.bias += step;
                    for (weight, feature) in plane.weights.iter_mut().zip(row(at)) {
                        *weight += step * feature;
                    }
                }
            }
            if most - least < fitting.tolerance {
                break;
            }
        }
        plane
    }
}

/// The sum of the products, in sixteen sums that do not wait for one another.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0f32; 16];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const FITTING: Fitting = Fitting {
        costs: [1e4, 1e4],
        epochs: 5000,
        tolerance: 1e-5,
        seed: 7,
    };

    /// Of one feature.
    fn fit(features: &[f32], labels: &[bool], fitting: Fitting) -> LinearSvm {
        let examples: Vec<(usize, bool)> = labels.iter().copied().enumerate().collect();
        LinearSvm::fit(features, 1, &examples, fitting)
    }

    #[test]
    fn the_margin_is_as_wide_as_it_can_be() {
        // Points at -1 and 3 on a line, others farther away: half way is the plane. With the bias counted as a weight the best
        // is w = 1/2, b = -1/2.
        let features = [-1.0, -4.0, 3.0, 5.0];
        let plane = fit(&features, &[false, false, true, true], FITTING);
        assert!((plane.weights[0] - 0.5).abs() < 2e-3, "{plane:?}");
        assert!((plane.bias + 0.5).abs() < 2e-3, "{plane:?}");
        assert!((plane.margin(&[3.0]) - 1.0).abs() < 5e-3);
    }

    #[test]
    fn a_dearer_error_moves_the_plane_away() {
        // Two that lie on the wrong side of each other.
        let features = [0.0, 1.0, 0.9, 2.0];
        let labels = [false, true, false, true];
        let with = |costs| {
            let fitting = Fitting { costs, ..FITTING };
            fit(&features, &labels, fitting).margin(&[0.95])
        };
        assert!(with([1.0, 10.0]) > with([10.0, 1.0]));
    }

    #[test]
    fn examples_of_one_class_or_none_give_a_plane() {
        let none = LinearSvm::fit(&[], 3, &[], FITTING);
        assert_eq!(none.margin(&[1.0, 2.0, 3.0]), 0.0);
        let one = fit(&[1.0, 2.0], &[true, true], FITTING);
        assert!(one.margin(&[1.5]) > 0.9);
    }
}
