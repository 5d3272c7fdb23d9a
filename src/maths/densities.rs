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
    let mut cells: Vec<f64> = (0..CELLS)
        .map(|cell| {
            let x = place(cell);
            bumps
                .iter()
                .map(|bump| {
                    let t = (x - bump.center) / bump.width;
                    if bump.is_box {
                        f64::from(t.abs() <= 1.0) / (2.0 * bump.width)
                    } else {
                        (-0.5 * t * t).exp() / bump.width
                    }
                })
                .sum()
        })
        .collect();
    let sum: f64 = cells.iter().sum();
    if sum > 0.0 {
        cells.iter_mut().for_each(|p| *p /= sum);
    }
    cells
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
}
