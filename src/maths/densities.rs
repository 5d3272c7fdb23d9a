//! One-dimensional densities to compare: sums of bumps on a grid.

/// Cells of the grid.
pub const CELLS: usize = 400;
/// Ends of the axis.
pub const RANGE: [f64; 2] = [-4.0, 4.0];

/// What a density is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bump {
    /// Where it is highest.
    pub center: f64,
    /// Standard deviation, or half the width of a box.
    pub width: f64,
    /// A box instead of a normal distribution: its support ends.
    pub is_box: bool,
}

/// The middle of a cell.
pub fn place(cell: usize) -> f64 {
    RANGE[0] + (RANGE[1] - RANGE[0]) * (cell as f64 + 0.5) / CELLS as f64
}

/// Probability of each cell; they sum to 1.
pub fn probabilities(bumps: &[Bump]) -> Vec<f64> {
    let logs = log_probabilities(bumps);
    logs.into_iter().map(f64::exp).collect()
}

/// Logarithm of the probability of each cell: far from a narrow bump it is a number where the probability
/// itself is too small for one. Minus infinity outside of the support.
pub fn log_probabilities(bumps: &[Bump]) -> Vec<f64> {
    let log_density = |x: f64, bump: &Bump| {
        let t = (x - bump.center) / bump.width;
        match bump.is_box {
            true if t.abs() <= 1.0 => -(2.0 * bump.width).ln(),
            true => f64::NEG_INFINITY,
            false => -0.5 * t * t - bump.width.ln(),
        }
    };
    let mut cells: Vec<f64> = (0..CELLS)
        .map(|cell| log_sum(bumps.iter().map(|bump| log_density(place(cell), bump))))
        .collect();
    let all = log_sum(cells.iter().copied());
    if all.is_finite() {
        cells.iter_mut().for_each(|log| *log -= all);
    }
    cells
}

/// Logarithm of the sum of what the numbers are logarithms of.
fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    match largest.is_finite() {
        true => largest + logs.map(|log| (log - largest).exp()).sum::<f64>().ln(),
        false => largest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::divergence::FDivergence;
    use super::*;

    /// KL of two normal distributions: log(s2/s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2.
    #[test]
    fn two_normals_diverge_by_the_closed_form() {
        let bump = |center, width| Bump {
            center,
            width,
            is_box: false,
        };
        let p = probabilities(&[bump(-0.2, 0.5)]);
        let q = probabilities(&[bump(0.3, 0.6)]);
        let closed = (0.6f64 / 0.5).ln() + (0.25 + 0.25) / (2.0 * 0.36) - 0.5;
        let measured = FDivergence::Kl.between(&p, &q);
        assert!((closed - measured).abs() < 1e-4, "{closed}, {measured}");
    }

    /// Centres 40 standard deviations apart: 800 nats, though no double is as small as the probabilities.
    #[test]
    fn narrow_normals_far_apart_diverge_by_a_number() {
        let [p, q] = [-3.0, 3.0].map(|center| {
            log_probabilities(&[Bump {
                center,
                width: 0.15,
                is_box: false,
            }])
        });
        for divergence in [FDivergence::Kl, FDivergence::ReverseKl] {
            let measured = divergence.between_logs(&p, &q);
            assert!((measured - 800.0).abs() < 1e-6, "{measured}");
        }
        let js = FDivergence::JensenShannon.between_logs(&p, &q);
        assert!((js - 2f64.ln()).abs() < 1e-9, "{js}");
    }

    #[test]
    fn outside_of_a_box_there_is_nothing() {
        let [p, q] = [-1.0, 1.0].map(|center| {
            log_probabilities(&[Bump {
                center,
                width: 0.5,
                is_box: true,
            }])
        });
        assert_eq!(FDivergence::Kl.between_logs(&p, &q), f64::INFINITY);
        let sum: f64 = p.iter().map(|log| log.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
