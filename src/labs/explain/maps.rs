//! How the maps come about: one method each.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::engine::{prepare, seen_size};
use super::spec::{Answer, Baseline, ExplainSettings, Fill, LISTED, Method};
use crate::job::{Job, Reply};
use crate::maths::draws::Draws;
use crate::methods::attribution::{Occlusion, drawn, grad_cam, strongest, summed};
use crate::methods::resize::stretch_rgb;
use crate::models::conv_block::Rectifiers;
use crate::models::efficientnet_lite::{CLASSES, EfficientNetLite, Trace};
use crate::models::layered::Gradients;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;

/// From black to white in the network's numbers, and what black is.
const RANGE: f32 = 255.0 / 128.0;
pub(super) const BLACK: f32 = -127.0 / 128.0;
/// Covered pictures that go through the network together: as many as the cache holds.
const TOGETHER: usize = 4;
/// Changes of a probability that are drawn as nothing, nearly: rounding makes some.
const LEAST_CHANGE: f32 = 1e-3;
/// Stream of the noise's random numbers.
const NOISE: u64 = 1;

/// A picture that went through the network.
pub(super) struct Seen {
    pub(super) picture: Picture,
    /// Rows and columns.
    pub(super) size: [usize; 2],
    pub(super) input: Tensor<4>,
    pub(super) trace: Trace,
    pub(super) logits: Vec<f32>,
    pub(super) probabilities: Vec<f32>,
}

impl Seen {
    /// The same picture, as another network sees it.
    pub(super) async fn by(&self, job: &Job<'_>, network: &EfficientNetLite) -> Result<Self, Failure> {
        let trace = network.trace(self.input.clone());
        let logits = job.read(trace.logits().clone()).await?;
        Ok(Self {
            picture: self.picture.clone(),
            size: self.size,
            input: self.input.clone(),
            trace,
            probabilities: softmax(&logits),
            logits,
        })
    }

    pub(super) async fn new(
        job: &Job<'_>,
        network: &EfficientNetLite,
        picture: Picture,
        device: &Device,
    ) -> Result<Self, Failure> {
        job.stage(Stage::Prepare).await?;
        let size = seen_size(&picture);
        let input = prepare(&picture, size, device);
        job.stage(Stage::Network).await?;
        let trace = network.trace(input.clone());
        let logits = job.read(trace.logits().clone()).await?;
        let probabilities = softmax(&logits);
        Ok(Self {
            picture,
            size,
            input,
            trace,
            logits,
            probabilities,
        })
    }

    /// The classes from the most probable on.
    pub(super) fn ranked(&self) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.probabilities.len()).collect();
        classes.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        classes
    }
}

/// The rank correlation of the sizes of two maps (Spearman 1904), as Adebayo et al. 2018 compare them.
pub(super) fn similarity(one: &[f32], other: &[f32]) -> f32 {
    let ranks = |values: &[f32]| -> Vec<f64> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
        let mut ranks = vec![0f64; values.len()];
        let mut start = 0;
        // Values that are equal share their mean rank.
        while start < order.len() {
            let size = values[order[start]].abs();
            let same = order[start..].iter().take_while(|&&index| values[index].abs() == size).count();
            for &index in &order[start..start + same] {
                ranks[index] = (2 * start + same - 1) as f64 / 2.0;
            }
            start += same;
        }
        ranks
    };
    let (one, other) = (ranks(one), ranks(other));
    let mean = (one.len().max(1) - 1) as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let size = (product(&one, &one) * product(&other, &other)).sqrt();
    if size > 0.0 { (product(&one, &other) / size) as f32 } else { 0.0 }
}

pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// A map, by row, and where it comes from integrated gradients what its sum is to be.
pub(super) struct Map {
    pub(super) values: Vec<f32>,
    /// Rows and columns.
    pub(super) size: [usize; 2],
    pub(super) sum: Option<[f32; 2]>,
    /// How like the trained network's map it is, where that is another.
    pub(super) similarity: Option<f32>,
}

/// The last picture and the last map, with its settings.
pub(super) struct Last {
    pub(super) seen: Seen,
    pub(super) map: Option<(Map, ExplainSettings)>,
}

impl Last {
    /// The class that settings ask to explain.
    pub(super) fn class(&self, settings: &ExplainSettings) -> usize {
        match settings.class.0 {
            0 => self.seen.ranked()[0],
            // The first word is none of the classes.
            word => word - 1,
        }
    }
}

/// One explanation under way.
#[derive(Clone, Copy)]
pub(super) struct Work<'a, 'b> {
    pub(super) job: &'a Job<'b>,
    pub(super) network: &'a EfficientNetLite,
    /// The picture and what the network made of it.
    pub(super) seen: &'a Seen,
    /// The same by the trained network, where that is another.
    pub(super) trained: &'a Seen,
    pub(super) settings: &'a ExplainSettings,
    pub(super) class: usize,
    /// Whether nobody is told how far it is.
    pub(super) quiet: bool,
}

impl Work<'_, '_> {
    fn device(&self) -> Device {
        self.seen.input.device()
    }

    /// One for the class, zero for all others.
    fn on_logits(&self, batch: usize) -> Gradients {
        let mut ones = vec![0f32; batch * CLASSES];
        for picture in 0..batch {
            ones[picture * CLASSES + self.class] = 1.0;
        }
        let ones = TensorData::new(ones, [batch, CLASSES]);
        Gradients {
            on_logits: Some(Tensor::from_data(ones, &self.device())),
            ..Gradients::default()
        }
    }

    /// The gradient of the class's logit on the picture that left a trace.
    pub(super) fn gradient(&self, trace: &Trace, rectifiers: Rectifiers) -> Tensor<4> {
        self.network
            .backward(trace, self.on_logits(1), rectifiers, None)
    }

    /// The map, with the reports on the way.
    pub(super) async fn map(&self) -> Result<Map, Failure> {
        let size = self.seen.size;
        let whole = |values| Map {
            values,
            size,
            sum: None,
            similarity: None,
        };
        self.job.stage(Stage::Postprocess).await?;
        match self.settings.method {
            Method::GradCam => self.grad_cam().await,
            Method::Occlusion => self.occlusion().await,
            Method::Gradient => {
                let gradient = self.gradient(&self.seen.trace, Rectifiers::Gradient);
                Ok(whole(strongest(&self.job.read(gradient).await?, 3)))
            }
            Method::GradientInput => {
                let gradient = self.gradient(&self.seen.trace, Rectifiers::Gradient);
                let product = gradient * self.seen.input.clone();
                Ok(whole(summed(&self.job.read(product).await?, 3)))
            }
            Method::Guided => {
                let gradient = self.gradient(&self.seen.trace, Rectifiers::Guided);
                Ok(whole(strongest(&self.job.read(gradient).await?, 3)))
            }
            Method::GuidedGradCam => {
                let gradient = self.gradient(&self.seen.trace, Rectifiers::Guided);
                let fine = strongest(&self.job.read(gradient).await?, 3);
                let coarse = self.grad_cam().await?;
                let places = enlarged(&coarse, size);
                let both = fine.iter().zip(places).map(|(fine, place)| fine * place);
                Ok(whole(both.collect()))
            }
            Method::SmoothGrad => self.smooth_grad().await,
            Method::Integrated => self.integrated().await,
        }
    }

    async fn grad_cam(&self) -> Result<Map, Failure> {
        let (trace, layer) = (&self.seen.trace, self.settings.layer);
        let gradient = self.network.backward(
            trace,
            self.on_logits(1),
            Rectifiers::Gradient,
            Some(layer),
        );
        let map = grad_cam(trace.map(layer).clone(), gradient);
        let size = map.dims();
        let values = self.job.read(map).await?;
        Ok(Map {
            values,
            size,
            sum: None,
            similarity: None,
        })
    }

    /// The mean of the gradients on the picture with noise.
    async fn smooth_grad(&self) -> Result<Map, Failure> {
        let size = self.seen.size;
        let mut draws = Draws::new(0, NOISE);
        let mut sum = vec![0f32; 3 * size[0] * size[1]];
        let copies = self.settings.copies;
        for copy in 1..=copies {
            let noise = draws.normals(sum.len());
            let noise = TensorData::new(noise, self.seen.input.dims());
            let noise = Tensor::<4>::from_data(noise, &self.device());
            let noisy = self.seen.input.clone()
                + noise.mul_scalar(self.settings.noise / 100.0 * RANGE);
            let gradient = self.gradient(&self.network.trace(noisy), Rectifiers::Gradient);
            add(&mut sum, &self.job.read(gradient).await?);
            let mut values = strongest(&sum, 3);
            values.iter_mut().for_each(|value| *value /= copy as f32);
            let map = Map {
                values,
                size,
                sum: None,
                similarity: None,
            };
            self.report(copy, copies, &map).await?;
            if copy == copies {
                return Ok(map);
            }
        }
        unreachable!("there is a copy")
    }

    /// The mean of the gradients on the way from a plain picture to this one, times the way.
    async fn integrated(&self) -> Result<Map, Failure> {
        let size = self.seen.size;
        let plain = match self.settings.baseline {
            Baseline::Grey => 0.0,
            Baseline::Black => BLACK,
            Baseline::White => BLACK + RANGE,
        };
        let way = self.seen.input.clone() - plain;
        let from = Tensor::full(self.seen.input.dims(), plain, &self.device());
        let plain_logits = self.network.forward(from.clone());
        let plain_logits = self.job.read(plain_logits).await?;
        let ways = self.job.read(way.clone()).await?;
        let difference = self.seen.logits[self.class] - plain_logits[self.class];
        let mut sum = vec![0f32; ways.len()];
        let steps = self.settings.steps;
        for step in 1..=steps {
            // Steps are short near the plain picture, where slopes change most: of the cat the sum of 32 is a fortieth
            // off, and of 32 even ones a quarter.
            let [begin, end] = [step - 1, step].map(|step| (step as f32 / steps as f32).powi(3));
            let (share, length) = ((begin + end) / 2.0, end - begin);
            let between = from.clone() + way.clone().mul_scalar(share);
            let gradient = self.gradient(&self.network.trace(between), Rectifiers::Gradient);
            add(&mut sum, &self.job.read(gradient.mul_scalar(length)).await?);
            let products: Vec<f32> = sum.iter().zip(&ways).map(|(sum, way)| sum * way).collect();
            let values = summed(&products, 3);
            let total = values.iter().map(|&value| f64::from(value)).sum::<f64>();
            let map = Map {
                values,
                size,
                // On the way there the sum is of a part of it.
                sum: (step == steps).then_some([total as f32, difference]),
                similarity: None,
            };
            self.report(step, steps, &map).await?;
            if step == steps {
                return Ok(map);
            }
        }
        unreachable!("there is a step")
    }

    /// How much of the class's probability a square takes away.
    async fn occlusion(&self) -> Result<Map, Failure> {
        let [height, width] = self.seen.size;
        let occlusion = Occlusion {
            size: self.seen.size,
            patch: self.settings.patch,
            cell: self.settings.stride,
        };
        let picture = self.job.read(self.seen.input.clone()).await?;
        let cover = self.cover(&picture);
        let [rows, columns] = occlusion.cells();
        let mut values = vec![0f32; rows * columns];
        let order = occlusion.order();
        let mut done = 0;
        for some in order.chunks(TOGETHER) {
            let mut pictures = Vec::with_capacity(some.len() * picture.len());
            for (cell, _) in some {
                let start = pictures.len();
                pictures.extend_from_slice(&picture);
                let [covered_rows, covered_columns] = occlusion.covered(*cell);
                for channel in 0..3 {
                    for row in covered_rows.clone() {
                        let line = (channel * height + row) * width;
                        let place = line + covered_columns.start..line + covered_columns.end;
                        pictures[start + place.start..start + place.end]
                            .copy_from_slice(&cover[place]);
                    }
                }
            }
            let pictures = TensorData::new(pictures, [some.len(), 3, height, width]);
            let logits = self
                .network
                .forward(Tensor::from_data(pictures, &self.device()));
            let probabilities = self.job.read(activation::softmax(logits, 1)).await?;
            for ((cell, side), of_picture) in some.iter().zip(probabilities.chunks(CLASSES)) {
                let lost = self.seen.probabilities[self.class] - of_picture[self.class];
                let [row, column] = *cell;
                // Until its neighbours come it stands for them.
                let around = |middle: usize, cells: usize| {
                    middle.saturating_sub(side / 2)..cells.min(middle + side.div_ceil(2))
                };
                for row in around(row, rows) {
                    let line = around(column, columns);
                    values[row * columns + line.start..row * columns + line.end].fill(lost);
                }
            }
            done += some.len();
            let map = Map {
                values: values.clone(),
                size: [rows, columns],
                sum: None,
                similarity: None,
            };
            self.report(done, order.len(), &map).await?;
        }
        Ok(Map {
            values,
            size: [rows, columns],
            sum: None,
            similarity: None,
        })
    }

    /// What stands where a picture is covered, shaped like it.
    fn cover(&self, picture: &[f32]) -> Vec<f32> {
        let [height, width] = self.seen.size;
        match self.settings.fill {
            Fill::Grey => vec![0.0; picture.len()],
            Fill::Mean => picture
                .chunks_exact(height * width)
                .flat_map(|channel| {
                    let mean = channel.iter().sum::<f32>() / channel.len() as f32;
                    std::iter::repeat_n(mean, channel.len())
                })
                .collect(),
            Fill::Noise => {
                let mut draws = Draws::new(0, NOISE);
                (0..picture.len())
                    .map(|_| BLACK + RANGE * draws.unit())
                    .collect()
            }
            Fill::Blur => {
                // A fourteenth of its sides, and back: no edge is left.
                let small = [height, width].map(|side| (side / 14).max(1));
                let coarse = stretch_rgb(&self.seen.picture, small[1], small[0]);
                let coarse = Picture {
                    width: small[1],
                    height: small[0],
                    rgba: coarse
                        .as_chunks::<3>()
                        .0
                        .iter()
                        .flat_map(|[r, g, b]| [*r, *g, *b, 255])
                        .collect(),
                };
                let blurred = stretch_rgb(&coarse, width, height);
                (0..3)
                    .flat_map(|channel| {
                        let of_channel = blurred.iter().skip(channel).step_by(3);
                        of_channel.map(|&byte| f32::from(byte) / 128.0 + BLACK)
                    })
                    .collect()
            }
        }
    }

    /// Tells how far it is, and shows it.
    async fn report(&self, done: usize, total: usize, map: &Map) -> Result<(), Failure> {
        let says = self.reply(map);
        if !self.quiet {
            self.job.report(done as u32, total as u32, says);
        }
        self.job.breathe().await
    }

    /// What is answered, with the map.
    pub(super) fn reply(&self, map: &Map) -> Reply {
        let seen = self.trained;
        let signed = self.settings.method.is_signed();
        let (bytes, largest) = drawn(&map.values, signed, least(self.settings));
        let listed = seen.ranked().into_iter().take(LISTED);
        Reply::new(&Answer {
            seen: [seen.size[1], seen.size[0]],
            classes: listed
                .map(|class| (class, seen.probabilities[class]))
                .collect(),
            class: self.class,
            probability: seen.probabilities[self.class],
            logit: seen.logits[self.class],
            map: [map.size[1], map.size[0]],
            signed,
            largest,
            sum: map.sum,
            similarity: map.similarity,
        })
        .with("map", bytes)
    }
}

fn add(sum: &mut [f32], more: &[f32]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// What is drawn as the largest at least.
pub(super) fn least(settings: &ExplainSettings) -> f32 {
    if settings.method == Method::Occlusion {
        LEAST_CHANGE
    } else {
        0.0
    }
}

/// A coarse map between the middles of its cells, bilinear.
pub(super) fn enlarged(map: &Map, [height, width]: [usize; 2]) -> Vec<f32> {
    let [rows, columns] = map.size;
    let along = |place: usize, side: usize, cells: usize| {
        let at = (place as f32 + 0.5) / side as f32 * cells as f32 - 0.5;
        let low = at.floor().max(0.0) as usize;
        let high = (low + 1).min(cells - 1);
        (low.min(cells - 1), high, (at - low as f32).clamp(0.0, 1.0))
    };
    let mut values = Vec::with_capacity(height * width);
    for row in 0..height {
        let (above, below, down) = along(row, height, rows);
        for column in 0..width {
            let (left, right, over) = along(column, width, columns);
            let at = |row: usize, column: usize| map.values[row * columns + column];
            let upper = at(above, left) + over * (at(above, right) - at(above, left));
            let lower = at(below, left) + over * (at(below, right) - at(below, left));
            values.push(upper + down * (lower - upper));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_maps_have_the_same_order() {
        let one = [0.1, -0.5, 0.3, 0.0, 0.9];
        let other = [1.0, 5.0, -3.0, 0.5, 100.0];
        assert!((similarity(&one, &other) - 1.0).abs() < 1e-6);
        // By hand: ranks 1 3 2 0 4 and 4 3 2 0 1, of which the squared differences add up to 18: 1 - 6 * 18 / 120.
        let turned = [9.0, 5.0, -3.0, 0.5, 1.0];
        assert!((similarity(&one, &turned) - 0.1).abs() < 1e-6);
        assert_eq!(similarity(&[1.0; 4], &[0.0, 1.0, 2.0, 3.0]), 0.0);
        assert_eq!(similarity(&[], &[]), 0.0);
    }

    #[test]
    fn an_enlarged_map_goes_through_the_middles_of_its_cells() {
        let map = Map {
            values: vec![0.0, 4.0],
            size: [1, 2],
            sum: None,
            similarity: None,
        };
        assert_eq!(enlarged(&map, [1, 4]), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(enlarged(&map, [2, 2]), [0.0, 4.0, 0.0, 4.0]);
    }
}
