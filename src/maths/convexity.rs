//! Curves and surfaces to descend: one convex, one not.

/// A function of one number, to hold a chord against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Curve {
    /// `x^2 / 2`: convex.
    Parabola,
    /// `x log x`, right of zero: convex.
    Entropy,
    /// `|x - 1| / 2`: convex, with a corner.
    Corner,
    /// `x^4 / 8 - x^2 / 2 + x / 5`: two valleys.
    TwoValleys,
    /// `cos 2x`: neither convex nor concave.
    Wave,
}

impl Curve {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The value at `x`.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Parabola => x * x / 2.0,
            Self::Entropy => {
                if x <= 0.0 {
                    0.0
                } else {
                    x * x.ln()
                }
            }
            Self::Corner => (x - 1.0).abs() / 2.0,
            Self::TwoValleys => x.powi(4) / 8.0 - x * x / 2.0 + x / 5.0,
            Self::Wave => (2.0 * x).cos(),
        }
    }

    /// Where it is drawn.
    pub fn range(self) -> [f64; 2] {
        match self {
            Self::Entropy => [0.0, 3.0],
            _ => [-2.5, 2.5],
        }
    }
}

/// How far the chord from `a` to `b` rises above the curve, at most, and how far it falls below:
/// of a convex function the second is zero.
pub fn chord_gap(curve: Curve, a: f64, b: f64) -> [f64; 2] {
    let (at_a, at_b) = (curve.value(a), curve.value(b));
    let mut gaps = [0f64; 2];
    for step in 0..=200 {
        let t = f64::from(step) / 200.0;
        let gap = (1.0 - t) * at_a + t * at_b - curve.value((1.0 - t) * a + t * b);
        gaps[0] = gaps[0].max(gap);
        gaps[1] = gaps[1].max(-gap);
    }
    gaps
}

/// A surface over the square from -2 to 2, to walk down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `x^2 / 2 + y^2`: convex, one valley.
    Bowl,
    /// A wave on a bowl: many valleys.
    Egg,
}

impl Surface {
    /// The height at a point.
    pub fn value(self, [x, y]: [f64; 2]) -> f64 {
        match self {
            Self::Bowl => x * x / 2.0 + y * y,
            Self::Egg => 0.25 * (x * x + y * y) + (2.6 * x).sin() * (2.2 * y + 0.4).cos(),
        }
    }

    /// The gradient there.
    pub fn gradient(self, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Bowl => [x, 2.0 * y],
            Self::Egg => [
                0.5 * x + 2.6 * (2.6 * x).cos() * (2.2 * y + 0.4).cos(),
                0.5 * y - 2.2 * (2.6 * x).sin() * (2.2 * y + 0.4).sin(),
            ],
        }
    }

    /// Where gradient descent goes from a point: `steps + 1` points.
    pub fn descend(self, start: [f64; 2], rate: f64, steps: usize) -> Vec<[f64; 2]> {
        let mut path = vec![start];
        let mut at = start;
        for _ in 0..steps {
            let [dx, dy] = self.gradient(at);
            at = [at[0] - rate * dx, at[1] - rate * dy];
            path.push(at);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_of_convex_curves_never_fall_below() {
        for curve in [Curve::Parabola, Curve::Entropy, Curve::Corner] {
            let [a, b] = curve.range();
            let [above, below] = chord_gap(curve, a, b);
            assert!(above > 0.0 && below < 1e-12, "{curve:?}");
        }
        assert!(chord_gap(Curve::TwoValleys, -1.4, 1.4)[1] > 0.1);
        assert!(chord_gap(Curve::Wave, -0.5, 0.5)[1] > 0.1);
    }

    #[test]
    fn gradients_agree_with_differences() {
        let h = 1e-6;
        for surface in [Surface::Bowl, Surface::Egg] {
            for at in [[0.3, -0.7], [1.5, 1.1], [-1.0, 0.2]] {
                let [dx, dy] = surface.gradient(at);
                let along_x = [[at[0] + h, at[1]], [at[0] - h, at[1]]].map(|p| surface.value(p));
                let along_y = [[at[0], at[1] + h], [at[0], at[1] - h]].map(|p| surface.value(p));
                assert!((dx - (along_x[0] - along_x[1]) / (2.0 * h)).abs() < 1e-5);
                assert!((dy - (along_y[0] - along_y[1]) / (2.0 * h)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_bowl_has_one_end_and_an_egg_box_several() {
        let end = |surface: Surface, start| *surface.descend(start, 0.1, 400).last().unwrap();
        let far = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let starts = [[1.8, 1.8], [-1.8, -1.5]];
        assert!(far(end(Surface::Bowl, starts[0]), end(Surface::Bowl, starts[1])) < 1e-6);
        assert!(far(end(Surface::Egg, starts[0]), end(Surface::Egg, starts[1])) > 0.5);
    }
}
