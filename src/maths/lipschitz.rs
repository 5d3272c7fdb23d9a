//! Lipschitz continuity of a function, and the spectral norm of a matrix step by step.

/// A function of one number, to lay a cone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Slope {
    /// `sin 3x`: at most 3 steep.
    Sine,
    /// `|x|`: 1 steep everywhere but at its corner.
    Absolute,
    /// `tanh 4x`: 4 steep in the middle.
    Step,
    /// `cbrt x`: steeper than any bound at 0.
    Root,
}

impl Slope {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Sine => (3.0 * x).sin(),
            Self::Absolute => x.abs(),
            Self::Step => (4.0 * x).tanh(),
            Self::Root => x.cbrt(),
        }
    }

    /// The smallest `K` with `|f(a) - f(b)| <= K |a - b|`; infinite where there is none.
    pub fn constant(self) -> f64 {
        match self {
            Self::Sine => 3.0,
            Self::Absolute => 1.0,
            Self::Step => 4.0,
            Self::Root => f64::INFINITY,
        }
    }

    /// Whether the function stays below the cone of slope `k` that stands on its point at `x`, at
    /// each of many points between -2 and 2.
    pub fn stays_in_cone(self, x: f64, k: f64) -> bool {
        (0..=400).all(|i| {
            let at = -2.0 + f64::from(i) / 100.0;
            (self.value(at) - self.value(x)).abs() <= k * (at - x).abs() + 1e-9
        })
    }
}

/// Power iteration on a 2x2 matrix: the right vector before each round, and what the matrix makes of
/// its length. The last length is the spectral norm, unless the start is at right angles to the
/// singular vector.
pub fn power_iteration(
    matrix: [[f64; 2]; 2],
    start: [f64; 2],
    rounds: usize,
) -> Vec<([f64; 2], f64)> {
    let unit = |[x, y]: [f64; 2]| {
        let length = x.hypot(y).max(1e-12);
        [x / length, y / length]
    };
    let [[a, b], [c, d]] = matrix;
    let mut v = unit(start);
    let mut found = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let u = [a * v[0] + b * v[1], c * v[0] + d * v[1]];
        found.push((v, u[0].hypot(u[1])));
        let left = unit(u);
        v = unit([a * left[0] + c * left[1], b * left[0] + d * left[1]]);
    }
    found
}

/// A start of power iteration that is never at right angles to what it looks for: of the two diagonals the
/// one that the matrix makes longer. The singular vector is at most 45 degrees from one of them.
pub fn diagonal_start([[a, b], [c, d]]: [[f64; 2]; 2]) -> [f64; 2] {
    let (sum, difference) = ((a + b).hypot(c + d), (a - b).hypot(c - d));
    [1.0, if sum >= difference { 1.0 } else { -1.0 }]
}

/// The largest singular value of a 2x2 matrix, in closed form.
pub fn spectral_norm([[a, b], [c, d]]: [[f64; 2]; 2]) -> f64 {
    let (sum, det) = (a * a + b * b + c * c + d * d, a * d - b * c);
    ((sum + (sum * sum - 4.0 * det * det).max(0.0).sqrt()) / 2.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_iteration_ends_at_the_largest_singular_value() {
        for matrix in [[[2.0, 1.0], [0.5, 1.5]], [[0.3, -1.0], [2.0, 0.1]]] {
            let rounds = power_iteration(matrix, [1.0, 0.3], 40);
            let last = rounds.last().unwrap().1;
            assert!((last - spectral_norm(matrix)).abs() < 1e-9, "{last}");
            // It never falls.
            assert!(rounds.windows(2).all(|pair| pair[1].1 >= pair[0].1 - 1e-12));
        }
        // A diagonal matrix, by hand.
        assert!((spectral_norm([[3.0, 0.0], [0.0, -4.0]]) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_start_never_misses_the_largest_direction() {
        // From (1, 0) the first of these would stay at 1, and every slider can be set so.
        assert_eq!(
            power_iteration([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0], 40)[39].1,
            1.0
        );
        let steps = [-2.5, -1.0, -0.1, 0.0, 0.7, 2.0];
        let pairs = || steps.iter().flat_map(|&x| steps.map(|y| [x, y]));
        for matrix in pairs().flat_map(|row| pairs().map(move |other| [row, other])) {
            let found = power_iteration(matrix, diagonal_start(matrix), 60)[59].1;
            let exact = spectral_norm(matrix);
            assert!(
                (found - exact).abs() <= 0.01 * exact,
                "{matrix:?}: {found}, {exact}"
            );
        }
    }

    #[test]
    fn a_function_stays_in_the_cone_of_its_constant_and_leaves_a_flatter_one() {
        for slope in [Slope::Sine, Slope::Absolute, Slope::Step] {
            assert!((-20..=20).all(|i| slope.stays_in_cone(f64::from(i) / 10.0, slope.constant())));
            assert!(
                !slope.stays_in_cone(0.0, 0.8 * slope.constant()),
                "{slope:?}"
            );
        }
        assert!(!Slope::Root.stays_in_cone(0.0, 20.0));
    }
}
