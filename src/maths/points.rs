//! Points of the plane to learn from, and how far two sets of them are apart.

use super::divergence::FDivergence;

/// A distribution in the plane, within -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Shape {
    /// Eight Gaussians on a circle.
    Ring,
    /// Nine Gaussians on a 3x3 grid.
    Grid,
    /// Two arms.
    Spiral,
    /// What the visitor drew.
    Drawn,
}

impl Shape {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Centres of its Gaussians; a spiral has none.
    pub fn modes(self) -> Vec<[f32; 2]> {
        match self {
            Self::Ring => (0..8)
                .map(|i| {
                    let angle = std::f32::consts::TAU * i as f32 / 8.0;
                    [0.75 * angle.cos(), 0.75 * angle.sin()]
                })
                .collect(),
            Self::Grid => (0..9)
                .map(|i| [0.65 * (i % 3) as f32 - 0.65, 0.65 * (i / 3) as f32 - 0.65])
                .collect(),
            Self::Spiral | Self::Drawn => Vec::new(),
        }
    }

    /// Standard deviation of its Gaussians.
    pub const SPREAD: f32 = 0.035;

    /// A point, from numbers in `[0, 1)` and standard normal ones. `drawn` is what the visitor drew.
    pub fn point(
        self,
        drawn: &[[f32; 2]],
        mut unit: impl FnMut() -> f32,
        mut normal: impl FnMut() -> f32,
    ) -> [f32; 2] {
        let modes = self.modes();
        let chosen = unit();
        let [x, y] = match self {
            Self::Spiral => {
                let along = chosen.sqrt();
                let turn = if unit() < 0.5 {
                    0.0
                } else {
                    std::f32::consts::PI
                };
                let angle = 7.0 * along + turn;
                [0.9 * along * angle.cos(), 0.9 * along * angle.sin()]
            }
            Self::Drawn if drawn.is_empty() => [0.0, 0.0],
            Self::Drawn => drawn[((chosen * drawn.len() as f32) as usize).min(drawn.len() - 1)],
            Self::Ring | Self::Grid => modes[(chosen * modes.len() as f32) as usize],
        };
        [x + Self::SPREAD * normal(), y + Self::SPREAD * normal()]
    }
}

/// Modes that are covered: that have at least a fifth of their share of the points within three
/// standard deviations.
pub fn covered_modes(modes: &[[f32; 2]], points: &[[f32; 2]]) -> usize {
    let wanted = points.len() as f32 / modes.len().max(1) as f32 / 5.0;
    let near = |[mx, my]: [f32; 2]| {
        let close = |&&[x, y]: &&[f32; 2]| (x - mx).hypot(y - my) < 3.0 * Shape::SPREAD + 0.05;
        points.iter().filter(close).count() as f32
    };
    let covers = |count: f32| count > 0.0 && count >= wanted;
    modes.iter().filter(|&&mode| covers(near(mode))).count()
}

/// Cells of the histograms along each side.
const CELLS: usize = 20;

/// Kullback-Leibler divergence (real to fake) and Jensen-Shannon divergence between two sets of
/// points, in nats, from smoothed histograms of 20x20 cells from -1.2 to 1.2. An estimate: with few
/// points it does not reach zero.
pub fn histogram_divergences(real: &[[f32; 2]], fake: &[[f32; 2]]) -> [f64; 2] {
    let histogram = |points: &[[f32; 2]]| {
        // A hundredth of a point in each cell keeps the ratio finite.
        let mut cells = vec![0.01; CELLS * CELLS];
        for point in points {
            let cell = |v: f32| (((v + 1.2) / 2.4 * CELLS as f32) as usize).min(CELLS - 1);
            cells[cell(point[1]) * CELLS + cell(point[0])] += 1.0;
        }
        let sum: f64 = cells.iter().sum();
        cells.iter_mut().for_each(|c| *c /= sum);
        cells
    };
    let (p, q) = (histogram(real), histogram(fake));
    [FDivergence::Kl, FDivergence::JensenShannon].map(|divergence| divergence.between(&p, &q))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_counted() {
        let modes = Shape::Ring.modes();
        let all: Vec<_> = modes.iter().copied().cycle().take(80).collect();
        assert_eq!(covered_modes(&modes, &all), 8);
        let two: Vec<_> = modes[..2].iter().copied().cycle().take(80).collect();
        assert_eq!(covered_modes(&modes, &two), 2);
        assert_eq!(covered_modes(&modes, &[]), 0);
    }

    #[test]
    fn equal_sets_do_not_diverge_and_far_ones_reach_log_two() {
        let a: Vec<_> = (0..50).map(|i| [i as f32 / 60.0, 0.1]).collect();
        let b: Vec<_> = (0..50).map(|i| [-1.0, i as f32 / -60.0]).collect();
        assert_eq!(histogram_divergences(&a, &a), [0.0, 0.0]);
        let [kl, js] = histogram_divergences(&a, &b);
        assert!(kl > 3.0 && js > 0.6 && js < 2f64.ln(), "{kl}, {js}");
    }

    #[test]
    fn every_shape_lies_in_the_plane() {
        let mut state = 1u32;
        let mut unit = move || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        for &shape in Shape::ALL {
            for _ in 0..200 {
                let [x, y] = shape.point(&[[0.2, -0.3]], &mut unit, || 1.0);
                assert!(x.abs() <= 1.0 && y.abs() <= 1.0, "{shape:?}: {x}, {y}");
            }
        }
    }
}
