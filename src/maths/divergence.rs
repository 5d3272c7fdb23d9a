//! f-divergences between two densities on a grid, with the functions that define them.
//!
//! `D_f(P || Q) = sum q f(p / q)` for a convex `f` with `f(1) = 0`. Nowozin, Cseke and Tomioka 2016,
//! "f-GAN", table 1 and table 5, is the source of every formula.

/// A divergence of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum FDivergence {
    /// `sum p log(p / q)`.
    Kl,
    /// `sum q log(q / p)`.
    ReverseKl,
    /// Half of the sum of both to the mean `m = (p + q) / 2`; at most log 2.
    JensenShannon,
    /// `sum (p - q)^2 / q`; infinite for disjoint supports.
    Pearson,
    /// `sum (sqrt p - sqrt q)^2`.
    SquaredHellinger,
    /// `sum |p - q| / 2`: what an energy with a margin minimises in disguise.
    TotalVariation,
    /// `2 JS - log 4`: what the original game of a GAN is worth. As its `f(1)` is -log 4 and not 0, so
    /// is its least value.
    Gan,
    /// `sum (p - q)^2 / (p + q)`, at most 2: Pearson's of `p + q` and `2 q`, which sum to 2 and not to
    /// 1; what least squares measure (Mao et al. 2017, with the targets -1 and 1 of D, and 0 of
    /// G). Also called triangular discrimination (Le Cam 1986).
    LeastSquares,
}

impl FDivergence {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The generator `f(u)`, for `u = p / q` of 0 or more. At 0 the limit, which may be infinite.
    pub fn f(self, u: f64) -> f64 {
        let u_log_u = if u == 0.0 { 0.0 } else { u * u.ln() };
        match self {
            Self::Kl => u_log_u,
            Self::ReverseKl => -u.ln(),
            Self::JensenShannon => 0.5 * (u_log_u - (u + 1.0) * ((u + 1.0) / 2.0).ln()),
            Self::Pearson => (u - 1.0).powi(2),
            Self::SquaredHellinger => (u.sqrt() - 1.0).powi(2),
            Self::TotalVariation => 0.5 * (u - 1.0).abs(),
            Self::Gan => u_log_u - (u + 1.0) * (u + 1.0).ln(),
            Self::LeastSquares => (u - 1.0).powi(2) / (u + 1.0),
        }
    }

    /// `f'(u)`, which is the discriminator that makes the bound tight: `T*(x) = f'(p(x) / q(x))`. Of
    /// total variation, which has a corner at 1, one of its slopes.
    pub fn slope(self, u: f64) -> f64 {
        match self {
            Self::Kl => u.ln() + 1.0,
            Self::ReverseKl => -1.0 / u,
            Self::JensenShannon => 0.5 * (2.0 * u / (u + 1.0)).ln(),
            Self::Pearson => 2.0 * (u - 1.0),
            Self::SquaredHellinger => 1.0 - 1.0 / u.sqrt(),
            Self::TotalVariation => 0.5 * (u - 1.0).signum() * f64::from(u != 1.0),
            Self::Gan => (u / (u + 1.0)).ln(),
            Self::LeastSquares => 1.0 - 4.0 / (u + 1.0).powi(2),
        }
    }

    /// The convex conjugate `f*(t) = sup over u of t u - f(u)`; infinite outside its domain.
    pub fn conjugate(self, t: f64) -> f64 {
        let inside = |inside: bool, value: f64| if inside { value } else { f64::INFINITY };
        match self {
            Self::Kl => (t - 1.0).exp(),
            Self::ReverseKl => inside(t < 0.0, -1.0 - (-t).ln()),
            // With f halved, so that the divergence is Jensen and Shannon's own.
            Self::JensenShannon => inside(t < 0.5 * 2f64.ln(), -0.5 * (2.0 - (2.0 * t).exp()).ln()),
            Self::Pearson => {
                if t < -2.0 {
                    -1.0
                } else {
                    t * t / 4.0 + t
                }
            }
            Self::SquaredHellinger => inside(t < 1.0, t / (1.0 - t)),
            Self::TotalVariation => inside(t <= 0.5, t.max(-0.5)),
            Self::Gan => inside(t < 0.0, -(1.0 - t.exp()).ln()),
            // At u = 2 / sqrt(1 - t) - 1, or at 0 where that is below it.
            Self::LeastSquares if t < -3.0 => -1.0,
            Self::LeastSquares => {
                let root = (1.0 - t).max(0.0).sqrt();
                inside(t <= 1.0, (1.0 - root) * (3.0 - root))
            }
        }
    }

    /// The divergence of two rows of probabilities, in nats where there is a logarithm. Infinite
    /// where the definition is.
    pub fn between(self, p: &[f64], q: &[f64]) -> f64 {
        p.iter()
            .zip(q)
            .map(|(&p, &q)| match (p > 0.0, q > 0.0) {
                (false, false) => 0.0,
                // What stays finite is written so that p / q cannot overflow.
                (true, true) => match self {
                    Self::JensenShannon | Self::Gan => {
                        let d = optimal_discriminator(p, q);
                        let e = optimal_discriminator(q, p);
                        let game = p * d.ln() + q * e.ln();
                        if self == Self::Gan {
                            game
                        } else {
                            0.5 * (game + (p + q) * 2f64.ln())
                        }
                    }
                    Self::TotalVariation => 0.5 * (p - q).abs(),
                    Self::LeastSquares => (p - q).powi(2) / (p + q),
                    Self::SquaredHellinger => (p.sqrt() - q.sqrt()).powi(2),
                    _ => q * self.f(p / q),
                },
                (false, true) => q * self.f(0.0),
                // q f(p / q) for q to 0: p times the slope at infinity.
                (true, false) => match self {
                    Self::Kl | Self::Pearson => f64::INFINITY,
                    Self::ReverseKl | Self::Gan => 0.0,
                    Self::JensenShannon => p * 0.5 * 2f64.ln(),
                    Self::SquaredHellinger | Self::LeastSquares => p,
                    Self::TotalVariation => 0.5 * p,
                },
            })
            .sum()
    }

    /// The same from the logarithms of the probabilities, which reach where the probabilities themselves
    /// are too small for a number: far apart, both ways of KL are still finite.
    pub fn between_logs(self, p: &[f64], q: &[f64]) -> f64 {
        let relative = |p: &[f64], q: &[f64]| {
            let terms = p.iter().zip(q).filter(|(p, _)| p.is_finite());
            terms.map(|(p, q)| p.exp() * (p - q)).sum()
        };
        let probabilities = |logs: &[f64]| logs.iter().map(|log| log.exp()).collect::<Vec<_>>();
        match self {
            Self::Kl => relative(p, q),
            Self::ReverseKl => relative(q, p),
            // (p - q)^2 / q is p^2 / q - 2 p + q, and both sum to 1.
            Self::Pearson => {
                let terms = p.iter().zip(q).filter(|(p, _)| p.is_finite());
                terms.map(|(p, q)| (2.0 * p - q).exp()).sum::<f64>() - 1.0
            }
            _ => self.between(&probabilities(p), &probabilities(q)),
        }
    }

    /// The variational bound `E_p[T] - E_q[f*(T)]` for the best `T`. Equal to
    /// [`between`](Self::between) where both densities are above zero.
    pub fn bound(self, p: &[f64], q: &[f64]) -> f64 {
        p.iter()
            .zip(q)
            .filter(|&(&p, &q)| p > 0.0 && q > 0.0)
            .map(|(&p, &q)| {
                let t = self.slope(p / q);
                p * t - q * self.conjugate(t)
            })
            .sum()
    }
}

/// The discriminator of the original game at its best: `p / (p + q)`, one half where there is
/// neither.
pub fn optimal_discriminator(p: f64, q: f64) -> f64 {
    if p + q > 0.0 { p / (p + q) } else { 0.5 }
}

/// What the original game is worth at its best discriminator: `E_p[log D*] + E_q[log(1 - D*)]`,
/// which is `2 JS - log 4`.
pub fn value_at_optimum(p: &[f64], q: &[f64]) -> f64 {
    let part = |weight: f64, d: f64| if weight > 0.0 { weight * d.ln() } else { 0.0 };
    p.iter()
        .zip(q)
        .map(|(&p, &q)| {
            // 1 - D* is the same for the other density: no difference that rounds to nothing.
            part(p, optimal_discriminator(p, q)) + part(q, optimal_discriminator(q, p))
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn two_coins_by_hand() {
        let (p, q) = ([0.5, 0.5], [0.75, 0.25]);
        // 0.5 ln(2/3) + 0.5 ln 2
        near(FDivergence::Kl.between(&p, &q), 0.5 * (4f64 / 3.0).ln());
        // 0.75 ln 1.5 + 0.25 ln 0.5
        let reverse = 0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln();
        near(FDivergence::ReverseKl.between(&p, &q), reverse);
        // 0.0625 / 0.75 + 0.0625 / 0.25
        near(FDivergence::Pearson.between(&p, &q), 0.0625 / 0.75 + 0.25);
        near(FDivergence::TotalVariation.between(&p, &q), 0.25);
        let hellinger = 2.0 - 2.0 * (0.375f64.sqrt() + 0.125f64.sqrt());
        near(FDivergence::SquaredHellinger.between(&p, &q), hellinger);
    }

    #[test]
    fn least_squares_are_not_pearsons_of_the_two() {
        let (p, q) = ([0.5, 0.5], [0.75, 0.25]);
        // 0.0625 / 1.25 + 0.0625 / 0.75
        let measured = FDivergence::LeastSquares.between(&p, &q);
        near(measured, 0.05 + 0.0625 / 0.75);
        // Mao et al. 2017: Pearson's of p + q and 2 q, which need not sum to 1.
        let pearson: f64 = p
            .iter()
            .zip(q)
            .map(|(p, q)| (2.0 * q - (p + q)).powi(2) / (p + q))
            .sum();
        near(measured, pearson);
        let (p, q) = ([1.0, 0.0], [0.0, 1.0]);
        near(FDivergence::LeastSquares.between(&p, &q), 2.0);
        assert_eq!(FDivergence::Pearson.between(&p, &q), f64::INFINITY);
    }

    #[test]
    fn logarithms_say_the_same_where_both_can() {
        let (p, q) = ([0.1, 0.2, 0.3, 0.4, 0.0], [0.4, 0.35, 0.15, 0.05, 0.05]);
        let logs = |row: [f64; 5]| row.map(f64::ln);
        // What is infinite is so in both.
        let same = |a: f64, b: f64| near(a.min(1e9), b.min(1e9));
        for &divergence in FDivergence::ALL {
            for (p, q) in [(p, q), (q, p)] {
                same(
                    divergence.between_logs(&logs(p), &logs(q)),
                    divergence.between(&p, &q),
                );
            }
        }
    }

    #[test]
    fn every_f_is_nothing_at_one_but_for_that_of_the_game() {
        for &divergence in FDivergence::ALL {
            let at_one = if divergence == FDivergence::Gan {
                -4f64.ln()
            } else {
                0.0
            };
            near(divergence.f(1.0), at_one);
        }
    }

    #[test]
    fn disjoint_supports_stick_at_log_two() {
        let (p, q) = ([1.0, 0.0], [0.0, 1.0]);
        near(FDivergence::JensenShannon.between(&p, &q), 2f64.ln());
        near(value_at_optimum(&p, &q), 0.0);
        near(FDivergence::TotalVariation.between(&p, &q), 1.0);
        near(FDivergence::SquaredHellinger.between(&p, &q), 2.0);
        assert_eq!(FDivergence::Kl.between(&p, &q), f64::INFINITY);
        assert_eq!(FDivergence::ReverseKl.between(&p, &q), f64::INFINITY);
    }

    #[test]
    fn the_game_is_worth_twice_js_less_log_four() {
        let (p, q) = ([0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 0.1, 0.1]);
        let js = FDivergence::JensenShannon.between(&p, &q);
        near(value_at_optimum(&p, &q), 2.0 * js - 4f64.ln());
        near(FDivergence::Gan.between(&p, &q), 2.0 * js - 4f64.ln());
    }

    #[test]
    fn the_best_discriminator_makes_every_bound_tight() {
        let (p, q) = ([0.1, 0.2, 0.3, 0.4], [0.4, 0.35, 0.15, 0.1]);
        for &divergence in FDivergence::ALL {
            let (exact, bound) = (divergence.between(&p, &q), divergence.bound(&p, &q));
            assert!(
                (exact - bound).abs() < 1e-9,
                "{divergence:?}: {exact}, {bound}"
            );
        }
    }

    #[test]
    fn conjugates_are_the_suprema_that_define_them() {
        for &divergence in FDivergence::ALL {
            for t in [-1.5, -0.6, -0.3, -0.1, 0.2] {
                let stated = divergence.conjugate(t);
                if stated.is_infinite() {
                    continue;
                }
                let sup = (0..400_000)
                    .map(|i| f64::from(i) * 1e-4)
                    .map(|u| t * u - divergence.f(u))
                    .fold(f64::NEG_INFINITY, f64::max);
                assert!(
                    (sup - stated).abs() < 2e-3,
                    "{divergence:?} at {t}: {sup}, {stated}"
                );
            }
        }
    }

    #[test]
    fn far_densities_stay_finite_where_the_definition_is() {
        let (p, q) = ([1.0 - 1e-300, 1e-300], [1e-300, 1.0 - 1e-300]);
        near(FDivergence::JensenShannon.between(&p, &q), 2f64.ln());
        near(value_at_optimum(&p, &q), 0.0);
        near(FDivergence::TotalVariation.between(&p, &q), 1.0);
        near(FDivergence::SquaredHellinger.between(&p, &q), 2.0);
        assert!(FDivergence::Kl.between(&p, &q) > 600.0);
    }

    #[test]
    fn the_same_density_diverges_by_nothing() {
        let p = [0.2, 0.5, 0.3];
        for &divergence in FDivergence::ALL {
            let rest = if divergence == FDivergence::Gan {
                -4f64.ln()
            } else {
                0.0
            };
            near(divergence.between(&p, &p), rest);
        }
    }
}
