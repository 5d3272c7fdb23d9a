//! What discriminator and generator of an adversarial pair minimise, for each objective.

use burn::tensor::{Tensor, activation};

use crate::protocol::generative::Objective;

/// Both losses on the same scores.
#[derive(Debug, Clone)]
pub struct Losses {
    /// What the discriminator minimises, `[1]`.
    pub discriminator: Tensor<1>,
    /// What the generator minimises, `[1]`.
    pub generator: Tensor<1>,
}

/// The loss of the discriminator, from its scores of real and of generated samples.
///
/// # Shapes
/// - `real`, `fake`: `[batch]`, logits; energies with [`Objective::Energy`]
/// - `margin`: the energy that [`Objective::Energy`] pushes generated samples up to
/// - output: `[1]`
pub fn discriminator_loss(
    objective: Objective,
    real: Tensor<1>,
    fake: Tensor<1>,
    margin: f32,
) -> Tensor<1> {
    match objective {
        // -log D(x) - log(1 - D(G(z))) with D the sigmoid of the score (Goodfellow et al. 2014).
        Objective::Minimax | Objective::NonSaturating => {
            softplus(-real).mean() + softplus(fake).mean()
        }
        // Targets 1 and 0 (Mao et al. 2017, equation 9).
        Objective::LeastSquares => (square(real - 1.0).mean() + square(fake).mean()) * 0.5,
        // Zhao et al. 2017, equation 1.
        Objective::Energy => real.mean() + activation::relu(-fake + margin).mean(),
        // Arjovsky et al. 2017; the weights are clipped after the step.
        Objective::Wasserstein => fake.mean() - real.mean(),
        // Lim and Ye 2017, Miyato et al. 2018.
        Objective::Hinge => {
            activation::relu(-real + 1.0).mean() + activation::relu(fake + 1.0).mean()
        }
        // The variational bound of an f-divergence, turned round (Nowozin et al. 2016, equation 6).
        Objective::Kl
        | Objective::ReverseKl
        | Objective::JensenShannon
        | Objective::Pearson
        | Objective::SquaredHellinger
        | Objective::TotalVariation => {
            conjugate_of_output(objective, fake).mean() - output(objective, real).mean()
        }
    }
}

/// The loss of the generator, from the discriminator's scores of its samples. Shapes as in
/// [`discriminator_loss`].
pub fn generator_loss(objective: Objective, fake: Tensor<1>) -> Tensor<1> {
    match objective {
        // log(1 - D(G(z))): flat where the discriminator is sure.
        Objective::Minimax => -softplus(fake).mean(),
        // -log D(G(z)): steep there.
        Objective::NonSaturating => softplus(-fake).mean(),
        Objective::LeastSquares => square(fake - 1.0).mean() * 0.5,
        Objective::Energy => fake.mean(),
        Objective::Wasserstein | Objective::Hinge => -fake.mean(),
        Objective::Kl
        | Objective::ReverseKl
        | Objective::JensenShannon
        | Objective::Pearson
        | Objective::SquaredHellinger
        | Objective::TotalVariation => -conjugate_of_output(objective, fake).mean(),
    }
}

/// The output activation `g_f(v)` of Nowozin et al. 2016, table 2: from a free score to the domain of
/// the conjugate.
fn output(divergence: Objective, score: Tensor<1>) -> Tensor<1> {
    match divergence {
        Objective::ReverseKl => -(-score).exp(),
        Objective::JensenShannon => -softplus(-score) + std::f32::consts::LN_2,
        Objective::SquaredHellinger => -(-score).exp() + 1.0,
        Objective::TotalVariation => activation::tanh(score) * 0.5,
        // Kullback-Leibler and Pearson take every number.
        Objective::Kl | Objective::Pearson => score,
        Objective::Minimax
        | Objective::NonSaturating
        | Objective::LeastSquares
        | Objective::Energy
        | Objective::Wasserstein
        | Objective::Hinge => unreachable!("{divergence:?} is no f-divergence"),
    }
}

/// `f*(g_f(v))`, with what cancels already cancelled.
fn conjugate_of_output(divergence: Objective, score: Tensor<1>) -> Tensor<1> {
    match divergence {
        Objective::Kl => (score - 1.0).exp(),
        // -1 - log(exp(-v))
        Objective::ReverseKl => score - 1.0,
        // -log(2 - 2 sigmoid(v))
        Objective::JensenShannon => softplus(score) - std::f32::consts::LN_2,
        Objective::Pearson => square(score.clone()) * 0.25 + score,
        // (1 - exp(-v)) / exp(-v)
        Objective::SquaredHellinger => score.exp() - 1.0,
        Objective::TotalVariation => activation::tanh(score) * 0.5,
        Objective::Minimax
        | Objective::NonSaturating
        | Objective::LeastSquares
        | Objective::Energy
        | Objective::Wasserstein
        | Objective::Hinge => unreachable!("{divergence:?} is no f-divergence"),
    }
}

/// `log(1 + exp(x))` without overflow. The larger of `x` and 0 is half of `x + |x|`, so that the slope at
/// exactly 0, where a fresh discriminator may stand, is the one half that it should be.
pub fn softplus(x: Tensor<1>) -> Tensor<1> {
    (x.clone() + x.clone().abs()) * 0.5 + ((-x.abs()).exp() + 1.0).log()
}

fn square(x: Tensor<1>) -> Tensor<1> {
    x.clone() * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::divergence::FDivergence;
    use burn::tensor::Device;

    #[test]
    fn softplus_has_the_slope_of_a_sigmoid() {
        let at = [-30.0, -1.0, 0.0, 2.0, 80.0];
        let x = Tensor::<1>::from_floats(at, &Device::flex().autodiff()).require_grad();
        let gradients = softplus(x.clone()).sum().backward();
        let slopes = x.grad(&gradients).expect("tracked").into_data();
        for (x, slope) in at.into_iter().zip(slopes.iter::<f32>()) {
            let sigmoid = 1.0 / (1.0 + (-x as f32).exp());
            assert!((slope - sigmoid).abs() < 1e-6, "at {x}: {slope}");
        }
    }

    const REAL: [f32; 3] = [0.5, -0.2, 1.5];
    const FAKE: [f32; 3] = [-0.4, 0.3, -1.3];
    const MARGIN: f32 = 0.7;

    fn both(objective: Objective, real: [f32; 3], fake: [f32; 3]) -> [f32; 2] {
        let device = Device::flex();
        let tensor = |v: [f32; 3]| Tensor::<1>::from_floats(v, &device);
        [
            discriminator_loss(objective, tensor(real), tensor(fake), MARGIN),
            generator_loss(objective, tensor(fake)),
        ]
        .map(|loss| loss.into_scalar::<f32>())
    }

    fn near(a: f64, b: f64, what: &str) {
        assert!(
            (a - b).abs() < 1e-5 * (1.0 + b.abs()),
            "{what}: {a} is not {b}"
        );
    }

    /// The formulas of the papers in plain numbers, without the rearrangements that keep the
    /// tensors finite.
    #[test]
    fn losses_are_those_of_the_papers() {
        let mean = |values: [f32; 3], f: &dyn Fn(f64) -> f64| {
            values.iter().map(|&v| f(f64::from(v))).sum::<f64>() / 3.0
        };
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        let expected = |objective| -> [f64; 2] {
            let game = -mean(REAL, &|v| sigmoid(v).ln()) - mean(FAKE, &|v| (1.0 - sigmoid(v)).ln());
            let variational = |g: &dyn Fn(f64) -> f64, divergence: FDivergence, scale: f64| {
                // Jensen-Shannon: the paper's f is twice that of `maths`.
                let conjugate = |t: f64| scale * divergence.conjugate(t / scale);
                let fake = mean(FAKE, &|v| conjugate(g(v)));
                [fake - mean(REAL, g), -fake]
            };
            match objective {
                Objective::Minimax => [game, mean(FAKE, &|v| (1.0 - sigmoid(v)).ln())],
                Objective::NonSaturating => [game, -mean(FAKE, &|v| sigmoid(v).ln())],
                Objective::LeastSquares => [
                    0.5 * mean(REAL, &|v| (v - 1.0).powi(2)) + 0.5 * mean(FAKE, &|v| v * v),
                    0.5 * mean(FAKE, &|v| (v - 1.0).powi(2)),
                ],
                Objective::Energy => [
                    mean(REAL, &|v| v) + mean(FAKE, &|v| (f64::from(MARGIN) - v).max(0.0)),
                    mean(FAKE, &|v| v),
                ],
                Objective::Wasserstein => {
                    [mean(FAKE, &|v| v) - mean(REAL, &|v| v), -mean(FAKE, &|v| v)]
                }
                Objective::Hinge => [
                    mean(REAL, &|v| (1.0 - v).max(0.0)) + mean(FAKE, &|v| (1.0 + v).max(0.0)),
                    -mean(FAKE, &|v| v),
                ],
                Objective::Kl => variational(&|v| v, FDivergence::Kl, 1.0),
                Objective::ReverseKl => variational(&|v| -(-v).exp(), FDivergence::ReverseKl, 1.0),
                Objective::JensenShannon => variational(
                    &|v| 2f64.ln() - (1.0 + (-v).exp()).ln(),
                    FDivergence::JensenShannon,
                    2.0,
                ),
                Objective::Pearson => variational(&|v| v, FDivergence::Pearson, 1.0),
                Objective::SquaredHellinger => {
                    variational(&|v| 1.0 - (-v).exp(), FDivergence::SquaredHellinger, 1.0)
                }
                Objective::TotalVariation => {
                    variational(&|v| 0.5 * v.tanh(), FDivergence::TotalVariation, 1.0)
                }
            }
        };
        for &objective in <Objective as strum::VariantArray>::VARIANTS {
            let (found, expected) = (both(objective, REAL, FAKE), expected(objective));
            for (found, expected) in found.into_iter().zip(expected) {
                near(f64::from(found), expected, objective.name());
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        let device = Device::flex().autodiff();
        for &objective in <Objective as strum::VariantArray>::VARIANTS {
            let real = Tensor::<1>::from_floats(REAL, &device).require_grad();
            let fake = Tensor::<1>::from_floats(FAKE, &device).require_grad();
            let losses = [
                discriminator_loss(objective, real.clone(), fake.clone(), MARGIN),
                generator_loss(objective, fake.clone()),
            ];
            for (side, loss) in losses.into_iter().enumerate() {
                let gradients = loss.backward();
                for (scores, is_fake) in [(&real, false), (&fake, true)] {
                    let Some(gradient) = scores.grad(&gradients) else {
                        assert!(side == 1 && !is_fake, "{objective:?} has no gradient");
                        continue;
                    };
                    let gradient: Vec<f32> = gradient.into_data().try_into_vec().unwrap();
                    for index in 0..3 {
                        let at = |shift: f32| {
                            let (mut real, mut fake) = (REAL, FAKE);
                            let moved = if is_fake { &mut fake } else { &mut real };
                            moved[index] += shift;
                            both(objective, real, fake)[side]
                        };
                        let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                        assert!(
                            (gradient[index] - difference).abs() < 2e-3,
                            "{objective:?}, side {side}: {} is not {difference}",
                            gradient[index]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn large_scores_stay_finite_where_the_formula_is() {
        for objective in [
            Objective::Minimax,
            Objective::NonSaturating,
            Objective::JensenShannon,
            Objective::TotalVariation,
            Objective::Hinge,
        ] {
            let losses = both(objective, [200.0, -200.0, 0.0], [200.0, -200.0, 0.0]);
            assert!(
                losses.iter().all(|loss| loss.is_finite()),
                "{objective:?}: {losses:?}"
            );
        }
    }

    /// Where the discriminator is sure, the original game leaves the generator no gradient.
    #[test]
    fn a_sure_discriminator_flattens_minimax_and_not_its_cure() {
        let device = Device::flex().autodiff();
        let slope = |objective| {
            let fake = Tensor::<1>::from_floats([-12.0], &device).require_grad();
            let gradients = generator_loss(objective, fake.clone()).backward();
            fake.grad(&gradients).unwrap().into_scalar::<f32>().abs()
        };
        assert!(slope(Objective::Minimax) < 1e-4);
        assert!(slope(Objective::NonSaturating) > 0.99);
    }
}
