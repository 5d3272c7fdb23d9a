//! How probable a colour is among some pixels: a mixture of Gaussians.

/// Red, green and blue, 0 to 255.
pub type Color = [f32; 3];

/// Added to the variance of each channel: without it pixels of one colour would have an infinitely narrow Gaussian.
/// Rounding to bytes alone makes 1/12; compression makes more.
const LEAST_VARIANCE: f64 = 4.0;

/// A component that fewer pixels belong to is left out: they would say more about noise than about the object.
const LEAST_COUNT: usize = 8;

/// A probability density over colours: the weighed sum of three-dimensional Gaussians with full covariance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mixture {
    components: Vec<Gaussian>,
}

impl Mixture {
    /// At most `components` Gaussians, one for each part of the colours. To part them, the part that varies most is cut
    /// in two again and again, through its mean and across the direction in which it varies most: no random numbers.
    ///
    /// # Reference
    /// Orchard and Bouman 1991, "Color quantization of images"; GrabCut starts in this way, too.
    pub fn split(colors: Vec<Color>, components: usize) -> Self {
        let moments = Moments::of(&colors);
        let mut parts = vec![(moments.spread(), colors)];
        while parts.len() < components {
            let largest =
                (0..parts.len()).max_by(|&a, &b| parts[a].0.amount.total_cmp(&parts[b].0.amount));
            let Some(largest) = largest.filter(|&index| parts[index].0.amount > 0.0) else {
                break;
            };
            let (spread, colors) = parts.swap_remove(largest);
            let (low, high): (Vec<Color>, Vec<Color>) = colors
                .into_iter()
                .partition(|&color| spread.is_below(color));
            for part in [low, high] {
                let spread = Moments::of(&part).spread();
                parts.push((spread, part));
            }
        }
        Self::of_parts(parts.iter().map(|(_, colors)| Moments::of(colors)))
    }

    /// The mixture of other colours with components like these: each colour is counted with the component that it is
    /// most probably of, and each component becomes the Gaussian of its colours (Rother et al. 2004, section 3.2).
    pub fn refined(&self, colors: &[Color]) -> Self {
        let mut parts = vec![Moments::default(); self.components.len()];
        for &color in colors {
            let densities = self
                .components
                .iter()
                .map(|component| component.log_density(color));
            let nearest = densities.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((nearest, _)) = nearest {
                parts[nearest].add(color);
            }
        }
        Self::of_parts(parts.into_iter())
    }

    fn of_parts(parts: impl Iterator<Item = Moments> + Clone) -> Self {
        let total: usize = parts.clone().map(|part| part.count).sum();
        let least = LEAST_COUNT.min(total.div_ceil(8)).max(1);
        let parts = parts.filter(|part| part.count >= least);
        Self {
            components: parts.map(|part| part.gaussian(total)).collect(),
        }
    }

    /// The natural logarithm of the density at a colour. If the mixture is of no pixels, all colours are alike.
    pub fn log_density(&self, color: Color) -> f32 {
        let mut largest = f32::NEG_INFINITY;
        let mut sum = 0.0;
        // The sum relative to the largest so far: the densities themselves would be rounded to zero.
        for component in &self.components {
            let log = component.log_density(color);
            if log > largest {
                sum = sum * (largest - log).exp() + 1.0;
                largest = log;
            } else {
                sum += (log - largest).exp();
            }
        }
        if self.components.is_empty() {
            -3.0 * 256f32.ln()
        } else {
            largest + sum.ln()
        }
    }
}

/// A Gaussian with its weight.
#[derive(Debug, Clone, PartialEq)]
struct Gaussian {
    mean: Color,
    /// Rows of the lower triangular matrix that makes a deviation from the mean one of unit variance: the inverse of
    /// the covariance's Cholesky factor.
    whitening: [[f32; 3]; 3],
    /// Logarithm of the weighed density at the mean.
    log_peak: f32,
}

impl Gaussian {
    fn log_density(&self, color: Color) -> f32 {
        let [r, g, b] = [0, 1, 2].map(|channel| color[channel] - self.mean[channel]);
        let [[xx, ..], [yx, yy, _], [zx, zy, zz]] = self.whitening;
        let [x, y, z] = [xx * r, yx * r + yy * g, zx * r + zy * g + zz * b];
        self.log_peak - 0.5 * (x * x + y * y + z * z)
    }
}

/// What is known of some colours once they are added up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Moments {
    count: usize,
    sum: [f64; 3],
    /// Sums of the products of two channels.
    products: [[f64; 3]; 3],
}

impl Moments {
    fn of(colors: &[Color]) -> Self {
        let mut moments = Self::default();
        for &color in colors {
            moments.add(color);
        }
        moments
    }

    fn add(&mut self, color: Color) {
        let color = color.map(f64::from);
        self.count += 1;
        for row in 0..3 {
            self.sum[row] += color[row];
            for column in 0..3 {
                self.products[row][column] += color[row] * color[column];
            }
        }
    }

    fn mean(&self) -> [f64; 3] {
        self.sum.map(|sum| sum / self.count.max(1) as f64)
    }

    fn covariance(&self) -> [[f64; 3]; 3] {
        let mean = self.mean();
        let of = |row: usize, column: usize| {
            self.products[row][column] / self.count.max(1) as f64 - mean[row] * mean[column]
        };
        [0, 1, 2].map(|row| [0, 1, 2].map(|column| of(row, column)))
    }

    /// The direction in which the colours vary most, by power iteration.
    fn spread(&self) -> Spread {
        let covariance = self.covariance();
        let widest = (0..3).max_by(|&a, &b| covariance[a][a].total_cmp(&covariance[b][b]));
        let mut direction = covariance[widest.unwrap_or(0)];
        let mut variance = 0.0;
        for _ in 0..16 {
            let length = direction
                .iter()
                .map(|along| along * along)
                .sum::<f64>()
                .sqrt();
            if length < 1e-6 {
                break;
            }
            let unit = direction.map(|along| along / length);
            direction = covariance.map(|row| dot(row, unit));
            variance = dot(direction, unit);
        }
        Spread {
            amount: if variance > LEAST_VARIANCE {
                variance * self.count as f64
            } else {
                0.0
            },
            direction,
            mean: self.mean(),
        }
    }

    /// The Gaussian of these among `total` colours.
    fn gaussian(&self, total: usize) -> Gaussian {
        let mut a = self.covariance();
        for (channel, row) in a.iter_mut().enumerate() {
            row[channel] += LEAST_VARIANCE;
        }
        // Cholesky: the covariance is L times L transposed. Pivots are not smaller than what was added.
        let root = |pivot: f64| pivot.max(LEAST_VARIANCE / 2.0).sqrt();
        let l00 = root(a[0][0]);
        let (l10, l20) = (a[1][0] / l00, a[2][0] / l00);
        let l11 = root(a[1][1] - l10 * l10);
        let l21 = (a[2][1] - l20 * l10) / l11;
        let l22 = root(a[2][2] - l20 * l20 - l21 * l21);
        let whitening = [
            [1.0 / l00, 0.0, 0.0],
            [-l10 / (l00 * l11), 1.0 / l11, 0.0],
            [
                (l10 * l21 - l11 * l20) / (l00 * l11 * l22),
                -l21 / (l11 * l22),
                1.0 / l22,
            ],
        ];
        let weight = self.count as f64 / total.max(1) as f64;
        let volume = (std::f64::consts::TAU.powf(1.5) * l00 * l11 * l22).ln();
        Gaussian {
            mean: self.mean().map(|mean| mean as f32),
            whitening: whitening.map(|row| row.map(|value| value as f32)),
            log_peak: (weight.ln() - volume) as f32,
        }
    }
}

/// How much some colours vary, and in which direction most.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    /// Sum of the squared distances from the mean along the direction; zero if one Gaussian is narrow enough.
    amount: f64,
    direction: [f64; 3],
    mean: [f64; 3],
}

impl Spread {
    fn is_below(&self, color: Color) -> bool {
        dot(color.map(f64::from), self.direction) < dot(self.mean, self.direction)
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gaussian_has_the_mean_and_the_covariance_of_its_colours() {
        // Variances 100, 4 and 0, and 4 more each: the density at the mean is 1 / sqrt((2 pi)^3 * 104 * 8 * 4).
        let colors = [
            [90.0, 48.0, 7.0],
            [90.0, 52.0, 7.0],
            [110.0, 48.0, 7.0],
            [110.0, 52.0, 7.0],
        ];
        let mixture = Mixture::split(colors.to_vec(), 1);
        let peak = -0.5 * (std::f32::consts::TAU.powi(3) * 104.0 * 8.0 * 4.0).ln();
        assert!((mixture.log_density([100.0, 50.0, 7.0]) - peak).abs() < 1e-4);
        assert!(
            (mixture.log_density([110.0, 50.0, 9.0]) - (peak - 50.0 / 104.0 - 0.5)).abs() < 1e-4
        );
    }

    #[test]
    fn two_clusters_are_parted_and_weighed() {
        let colors: Vec<Color> =
            [vec![[200.0, 20.0, 20.0]; 30], vec![[20.0, 20.0, 200.0]; 10]].concat();
        let mixture = Mixture::split(colors.clone(), 5);
        assert_eq!(mixture.components.len(), 2);
        let difference =
            mixture.log_density([200.0, 20.0, 20.0]) - mixture.log_density([20.0, 20.0, 200.0]);
        assert!((difference - 3f32.ln()).abs() < 1e-4);
        assert_eq!(mixture.refined(&colors[25..35]).components.len(), 2);
    }

    #[test]
    fn no_colours_are_all_alike() {
        let mixture = Mixture::split(Vec::new(), 5);
        assert_eq!(
            mixture.log_density([0.0; 3]),
            mixture.log_density([255.0; 3])
        );
        assert_eq!(mixture.refined(&[[1.0; 3]]), mixture);
        assert!(
            Mixture::split(vec![[1.0; 3]], 5)
                .log_density([255.0; 3])
                .is_finite()
        );
    }
}
