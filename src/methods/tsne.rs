//! t-SNE, exactly: a map of rows of numbers on which neighbours stay neighbours.

/// Neighbours that a row counts as its own, roughly.
const PERPLEXITY: f64 = 20.0;
/// Steps with attraction exaggerated, so that clusters form early.
const EARLY: usize = 100;
/// By how much.
const EXAGGERATION: f64 = 8.0;

/// What decides how a map comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Neighbours that a row counts as its own, roughly; a third of the rows at most.
    pub perplexity: f64,
    /// By how much attraction is exaggerated in the first steps.
    pub exaggeration: f64,
    /// How many steps these are.
    pub early: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            perplexity: PERPLEXITY,
            exaggeration: EXAGGERATION,
            early: EARLY,
        }
    }
}

/// A map in the making.
///
/// # Reference
/// Van der Maaten and Hinton 2008, "Visualizing Data using t-SNE". Quadratic in the rows: a few
/// hundred are quick, thousands are not.
#[derive(Debug, Clone)]
pub struct Tsne {
    options: Options,
    /// Joint probabilities of pairs, `count * count`.
    affinities: Vec<f64>,
    /// Where each row lies.
    pub points: Vec<[f64; 2]>,
    velocity: Vec<[f64; 2]>,
    gains: Vec<[f64; 2]>,
    /// Steps done.
    pub step: usize,
}

impl Tsne {
    /// Begins from a first map, such as two principal components: the same rows give the same map.
    pub fn new(rows: &[Vec<f32>], start: &[[f64; 2]]) -> Self {
        Self::with(rows, start, Options::default())
    }

    /// The same, with other options.
    pub fn with(rows: &[Vec<f32>], start: &[[f64; 2]], options: Options) -> Self {
        let count = rows.len();
        let spread = start
            .iter()
            .flatten()
            .fold(0f64, |m, v| m.max(v.abs()))
            .max(1e-9);
        Self {
            options,
            affinities: affinities(rows, options.perplexity),
            points: start.iter().map(|p| p.map(|v| v / spread * 1e-2)).collect(),
            velocity: vec![[0.0; 2]; count],
            gains: vec![[1.0; 2]; count],
            step: 0,
        }
    }

    /// One step of gradient descent with momentum.
    pub fn advance(&mut self) {
        let count = self.points.len();
        let is_early = self.step < self.options.early;
        let exaggeration = if is_early {
            self.options.exaggeration
        } else {
            1.0
        };
        let momentum = if is_early { 0.5 } else { 0.8 };
        // As fast as the exaggerated attraction stays stable (Belkina et al. 2019).
        let rate = (count as f64 / self.options.exaggeration).max(20.0);
        let mut near = vec![0f64; count * count];
        let mut sum = 0f64;
        for i in 0..count {
            for j in 0..i {
                let [dx, dy] = [0, 1].map(|d| self.points[i][d] - self.points[j][d]);
                let q = 1.0 / (1.0 + dx * dx + dy * dy);
                near[i * count + j] = q;
                near[j * count + i] = q;
                sum += 2.0 * q;
            }
        }
        for i in 0..count {
            let mut gradient = [0f64; 2];
            for j in 0..count {
                let q = near[i * count + j];
                let pull = (exaggeration * self.affinities[i * count + j] - q / sum) * q;
                let [here, there] = [self.points[i], self.points[j]];
                for (sum, (x, y)) in gradient.iter_mut().zip(here.iter().zip(&there)) {
                    *sum += 4.0 * pull * (x - y);
                }
            }
            let moving = self.velocity[i].iter_mut().zip(&mut self.gains[i]);
            for ((velocity, gain), gradient) in moving.zip(gradient) {
                let same = gradient.signum() == velocity.signum();
                *gain = (if same { *gain * 0.8 } else { *gain + 0.2 }).max(0.01);
                *velocity = momentum * *velocity - rate * *gain * gradient;
            }
        }
        for (point, velocity) in self.points.iter_mut().zip(&self.velocity) {
            for d in 0..2 {
                point[d] += velocity[d];
            }
        }
        self.step += 1;
    }

    /// Kullback-Leibler divergence of the map from the rows, in nats: what the steps lower.
    pub fn divergence(&self) -> f64 {
        let count = self.points.len();
        let near = |i: usize, j: usize| {
            let [dx, dy] = [0, 1].map(|d| self.points[i][d] - self.points[j][d]);
            1.0 / (1.0 + dx * dx + dy * dy)
        };
        let pairs =
            || (0..count).flat_map(|i| (0..count).filter(move |&j| j != i).map(move |j| (i, j)));
        let sum: f64 = pairs().map(|(i, j)| near(i, j)).sum();
        pairs()
            .map(|(i, j)| {
                let p = self.affinities[i * count + j].max(1e-12);
                p * (p / (near(i, j) / sum)).ln()
            })
            .sum()
    }
}

/// Symmetric joint probabilities.
fn affinities(rows: &[Vec<f32>], perplexity: f64) -> Vec<f64> {
    let count = rows.len();
    let conditional = conditional(rows, perplexity);
    let mut joint = vec![0f64; count * count];
    for i in 0..count {
        for j in 0..count {
            joint[i * count + j] =
                (conditional[i * count + j] + conditional[j * count + i]) / (2 * count) as f64;
        }
    }
    joint
}

/// The perplexity of each row's distribution over the others: what is asked for, or a third of them where
/// there are few.
fn perplexity(asked: f64, count: usize) -> f64 {
    asked.min((count.max(4) - 1) as f64 / 3.0)
}

/// Each row's own distribution over the others, a row for each: a normal one around it, as wide as the
/// perplexity asks for.
fn conditional(rows: &[Vec<f32>], asked: f64) -> Vec<f64> {
    let count = rows.len();
    let squared = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum()
    };
    let mut conditional = vec![0f64; count * count];
    let target = perplexity(asked, count).ln();
    for i in 0..count {
        let distances: Vec<f64> = (0..count).map(|j| squared(&rows[i], &rows[j])).collect();
        let nearest = (0..count)
            .filter(|&j| j != i)
            .map(|j| distances[j])
            .fold(f64::INFINITY, f64::min);
        let (mut low, mut high, mut precision) = (0f64, f64::INFINITY, 1.0);
        for _ in 0..60 {
            let (mut sum, mut mean) = (0f64, 0f64);
            let own = &mut conditional[i * count..(i + 1) * count];
            for (j, (weight, distance)) in own.iter_mut().zip(&distances).enumerate() {
                // A row is no neighbour of its own. Being nearer than the nearest, it would also have a weight
                // beyond all numbers where the others are far away.
                if j == i {
                    continue;
                }
                let further = distance - nearest;
                *weight = (-further * precision).exp();
                sum += *weight;
                mean += *weight * further;
            }
            own.iter_mut().for_each(|weight| *weight /= sum);
            mean /= sum;
            let entropy = sum.ln() + precision * mean;
            if entropy > target {
                low = precision;
                precision = if high.is_finite() {
                    (low + high) / 2.0
                } else {
                    precision * 2.0
                };
            } else {
                high = precision;
                precision = (low + high) / 2.0;
            }
            if (entropy - target).abs() < 1e-5 {
                break;
            }
        }
    }
    conditional
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters() -> Vec<Vec<f32>> {
        (0..60)
            .map(|i| {
                let (cluster, within) = (i % 3, i / 3);
                let mut row = vec![0f32; 6];
                row[cluster] = 8.0;
                row[3] = (within as f32 * 1.7).sin();
                row[4] = (within as f32 * 2.3).cos();
                row
            })
            .collect()
    }

    #[test]
    fn each_row_has_the_perplexity_and_prefers_the_nearer() {
        let rows = clusters();
        // Many rows have neighbours at hand, few have hardly any.
        for count in [60, 7] {
            let rows = &rows[..count];
            let conditional = conditional(rows, PERPLEXITY);
            for (i, own) in conditional.chunks_exact(count).enumerate() {
                assert!((own.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                assert_eq!(own[i], 0.0);
                let terms = own.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln());
                let found = terms.sum::<f64>().exp();
                let wanted = perplexity(PERPLEXITY, count);
                assert!(
                    (found / wanted - 1.0).abs() < 1e-4,
                    "row {i}: {found}, {wanted}"
                );
                let distance = |j: usize| -> f32 {
                    let pairs = rows[i].iter().zip(&rows[j]);
                    pairs.map(|(a, b)| (a - b).powi(2)).sum()
                };
                for (j, k) in (0..count).flat_map(|j| (0..count).map(move |k| (j, k))) {
                    if j != i && k != i && distance(j) < distance(k) {
                        assert!(own[j] >= own[k], "row {i}: {j} is nearer than {k}");
                    }
                }
            }
        }
        assert_eq!(
            [1000, 61, 60, 4].map(|count| perplexity(PERPLEXITY, count)),
            [20.0, 20.0, 59.0 / 3.0, 1.0]
        );
    }

    #[test]
    fn affinities_are_a_symmetric_distribution() {
        let rows = clusters();
        let joint = affinities(&rows, PERPLEXITY);
        assert!((joint.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for i in 0..60 {
            assert_eq!(joint[i * 60 + i], 0.0);
            for j in 0..60 {
                assert_eq!(joint[i * 60 + j], joint[j * 60 + i]);
            }
        }
    }

    #[test]
    fn clusters_come_apart_and_the_divergence_falls() {
        let rows = clusters();
        let start: Vec<[f64; 2]> = (0..60)
            .map(|i| [(f64::from(i) * 0.7).sin(), (f64::from(i) * 1.1).cos()])
            .collect();
        let mut map = Tsne::new(&rows, &start);
        let before = map.divergence();
        for _ in 0..300 {
            map.advance();
        }
        assert!(
            map.divergence() < 0.5 * before,
            "{before} to {}",
            map.divergence()
        );
        let distance = |i: usize, j: usize| {
            let [dx, dy] = [0, 1].map(|d| map.points[i][d] - map.points[j][d]);
            dx.hypot(dy)
        };
        // The nearest neighbour of every point is of its own cluster.
        for i in 0..60 {
            let others = (0..60).filter(|&j| j != i);
            let nearest = others.min_by(|&a, &b| distance(i, a).total_cmp(&distance(i, b)));
            assert_eq!(nearest.unwrap() % 3, i % 3);
        }
    }
}
