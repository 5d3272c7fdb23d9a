//! Style transfer and texture synthesis by optimisation: the picture itself is what is learned.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::methods::adam::Adam;
use crate::methods::lbfgs::Lbfgs;
use crate::methods::luminance::with_colors_of;
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::methods::style_loss::{Loss, Target, content_loss, gram, style_loss, total_variation};
use crate::models::vgg16::{Vgg16, layer_index};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::engine::{Search, Standing};
use super::frames::Frames;
use super::passes::{Goal, REPORT_MS, SMALLEST, forward_and_backward, interleave, maps};
use super::spec::{GramView, Optimizer, Progress, STYLE_LAYERS, Term};
use crate::job::{Job, Promise, bytes_of};

/// Channels of a Gram matrix that are shown.
const GRAM_SHOWN: usize = 32;
/// How far a step of L-BFGS may move a pixel, in units of the learning rate.
const LBFGS_REACH: f32 = 2.5;

/// What a search has to reach.
struct Targets {
    /// Index of the layer and map of the content; none of a texture.
    content: Option<(usize, Target<4>)>,
    /// Gram matrix of each of [`STYLE_LAYERS`].
    style: Vec<Target<2>>,
}

/// The rule that makes steps of gradients.
enum Rule {
    Adam(Adam<4>),
    Lbfgs(Lbfgs),
}

/// What a lab wants of a search: its settings, in the terms of what is minimised.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Weight of the content.
    pub content_weight: f32,
    /// Weight of each of [`STYLE_LAYERS`].
    pub style_weights: [f32; 5],
    /// Weight of the total variation.
    pub variation_weight: f32,
    /// Name of the layer whose map of the content is kept.
    pub content_layer: &'static str,
    /// The picture that the search starts from.
    pub start: Start,
    /// The rule that makes steps of gradients.
    pub optimizer: Optimizer,
    /// How far a step goes, as a share of the range from black to white.
    pub rate: f32,
    /// How many steps.
    pub steps: u32,
    /// Longer side of the picture in pixels.
    pub size: usize,
    /// What the noise comes from.
    pub seed: u64,
    /// Whether the result has the colours of the content.
    pub keeps_colors: bool,
}

/// The picture that a search starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The content.
    Content,
    /// Noise.
    Noise,
    /// The style.
    Style,
}

/// A search under way; it can be continued.
pub struct Optimisation {
    plan: Plan,
    /// Reads settings of its lab.
    read: fn(&Settings) -> Plan,
    targets: Targets,
    /// `[1, 3, high, wide]`, RGB from 0 to 1.
    picture: Tensor<4>,
    rule: Rule,
    /// Columns and rows that are shown; the rest only fills up the network's smallest size.
    size: [usize; 2],
    /// The content at that size, RGB by row; none of a texture.
    content: Option<Vec<u8>>,
    step: u32,
    /// Steps whose losses were noted: a search that goes on looks at its last picture again.
    noted: u32,
    /// Losses of the steps since the last report.
    losses: Vec<Vec<f32>>,
    /// The strongest channels of each target, for views of it.
    strongest: Vec<Vec<u16>>,
    frames: Frames,
}

/// The loss of a picture in its parts, and the gradient on it.
struct Evaluation {
    gradient: Tensor<4>,
    /// In the order of [`terms`] behind the total, each with its weight in that; none of what the
    /// network was not run far enough for.
    losses: Vec<(Option<Tensor<1>>, f32)>,
    /// Gram matrix of each of [`STYLE_LAYERS`] that counts.
    grams: Vec<Option<Tensor<2>>>,
}

impl Evaluation {
    /// The losses in the order of [`terms`].
    ///
    /// # Errors
    /// Those of [`Job::read`].
    async fn losses(&self, job: &Job<'_>) -> Result<Vec<f32>, Failure> {
        let known = self.losses.iter().filter_map(|(loss, _)| loss.clone());
        let mut known = job.read(Tensor::cat(known.collect(), 0)).await?.into_iter();
        let mut losses = vec![0.0];
        for (loss, weight) in &self.losses {
            let value = loss.as_ref().and_then(|_| known.next()).unwrap_or(0.0);
            losses[0] += weight * value;
            losses.push(value);
        }
        Ok(losses)
    }
}

/// What the losses are, in order.
fn terms(has_content: bool) -> Vec<Term> {
    let content = has_content.then_some(Term::Content);
    let styles = (0..STYLE_LAYERS.len()).map(Term::Style);
    [Term::Total]
        .into_iter()
        .chain(content)
        .chain(styles)
        .chain([Term::Variation])
        .collect()
}

fn style_layer(number: usize) -> usize {
    layer_index(STYLE_LAYERS[number]).expect("a layer of the network")
}

/// A picture at a size, as a tensor whose sides the network can halve, and its RGB bytes.
fn at_size(picture: &Picture, size: [usize; 2], device: &Device) -> (Tensor<4>, Vec<u8>) {
    let rgb = stretch_rgb(picture, size[0], size[1]);
    let (extended, [wide, high]) = extend(&rgb, size, 1, SMALLEST);
    (
        to_tensor(&extended, wide, high, 1.0 / 255.0, 0.0, device),
        rgb,
    )
}

/// Every value at random between 0 and 1.
fn noise(seed: u64, [wide, high]: [usize; 2], device: &Device) -> Tensor<4> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..3 * wide * high)
        // 24 bits: what an f32 of that size holds exactly.
        .map(|_| (random.next_u32() >> 8) as f32 / (1 << 24) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, [1, 3, high, wide]), device)
}

impl Optimisation {
    /// Readies a search: computes what it has to reach. `content` is none for a texture; `style` is
    /// the picture of the style, or the example of the texture.
    ///
    /// # Errors
    /// Those of [`Job::stage`] and [`Job::read`].
    pub async fn new(
        job: &Job<'_>,
        network: &Vgg16,
        settings: &Settings,
        read: fn(&Settings) -> Plan,
        content: Option<&Picture>,
        style: &Picture,
        device: &Device,
    ) -> Result<Self, Failure> {
        job.stage(Stage::Prepare).await?;
        let plan = read(settings);
        let longest = plan.size;
        let size = content.map_or([longest; 2], |content| working_size(content, longest));
        let [wide, high] = size.map(|side| side.max(SMALLEST));
        let (style_picture, _) = at_size(style, working_size(style, longest), device);
        let mut grams = Vec::with_capacity(STYLE_LAYERS.len());
        let style_maps = maps(job, network, style_picture, style_layer(4)).await?;
        for number in 0..STYLE_LAYERS.len() {
            grams.push(gram(style_maps[style_layer(number)].clone()));
        }
        drop(style_maps);
        let mut kept = None;
        let mut content_target = None;
        let mut start = None;
        if let Some(content) = content {
            let (tensor, rgb) = at_size(content, size, device);
            let index = layer_index(plan.content_layer).expect("a layer");
            let map = maps(job, network, tensor.clone(), index).await?.pop();
            content_target = map.map(|map| (index, Target::new(map)));
            kept = Some(rgb);
            start = match plan.start {
                Start::Content => Some(tensor),
                Start::Style => Some(at_size(style, size, device).0),
                Start::Noise => None,
            };
        }
        let picture = start.unwrap_or_else(|| noise(plan.seed, [wide, high], device));
        let mut strongest = Vec::with_capacity(grams.len());
        for gram in &grams {
            let [channels, _] = gram.dims();
            let values = job.read(gram.clone()).await?;
            let own = |channel: &u16| values[*channel as usize * (channels + 1)];
            let mut order: Vec<u16> = (0..channels as u16).collect();
            order.sort_by(|a, b| own(b).total_cmp(&own(a)));
            order.truncate(GRAM_SHOWN);
            strongest.push(order);
        }
        Ok(Self {
            rule: match plan.optimizer {
                Optimizer::Adam => Rule::Adam(Adam::new(&picture)),
                Optimizer::Lbfgs => Rule::Lbfgs(Lbfgs::default()),
            },
            targets: Targets {
                content: content_target,
                style: grams.into_iter().map(Target::new).collect(),
            },
            picture,
            size,
            content: kept,
            step: 0,
            noted: 0,
            losses: Vec::new(),
            strongest,
            frames: Frames::new(size),
            plan,
            read,
        })
    }

    /// Loss and gradient of the present picture: forward through the network, and backward with
    /// what each loss adds on the way.
    async fn evaluate(&self, job: &Job<'_>, network: &Vgg16) -> Result<Evaluation, Failure> {
        let Plan {
            content_weight,
            style_weights,
            variation_weight,
            ..
        } = self.plan;
        let content = self.targets.content.as_ref();
        let style_of = |index: usize| (0..STYLE_LAYERS.len()).find(|&n| style_layer(n) == index);
        // Weights of zero are looked at all the same where the network passes anyway.
        let deepest_style = (0..STYLE_LAYERS.len())
            .filter(|&n| style_weights[n] > 0.0)
            .map(style_layer)
            .max();
        let last = deepest_style
            .max(content.map(|(index, _)| *index))
            .unwrap_or(0);
        let mut content_value = None;
        let mut style_values = vec![None; STYLE_LAYERS.len()];
        let mut grams = vec![None; STYLE_LAYERS.len()];
        let add = |index: usize, output: &Tensor<4>| {
            let mut gradient = None;
            if let Some(number) = style_of(index) {
                let own = gram(output.clone());
                grams[number] = Some(own.clone());
                let loss = style_loss(output.clone(), own, &self.targets.style[number]);
                style_values[number] = Some(loss.value);
                gradient = weighted(gradient, loss.gradient, style_weights[number]);
            }
            if let Some((_, target)) = content.filter(|(at, _)| *at == index) {
                let loss = content_loss(output.clone(), target);
                content_value = Some(loss.value);
                gradient = weighted(gradient, loss.gradient, content_weight);
            }
            gradient
        };
        let gradient = forward_and_backward(job, network, self.picture.clone(), last, add).await?;
        let Loss {
            value: variation,
            gradient: smoothing,
        } = total_variation(self.picture.clone());
        let gradient = weighted(gradient, smoothing, variation_weight);
        let mut losses = Vec::new();
        if content.is_some() {
            losses.push((content_value, content_weight));
        }
        losses.extend(style_values.into_iter().zip(style_weights));
        losses.push((Some(variation), variation_weight));
        Ok(Evaluation {
            gradient: gradient.unwrap_or_else(|| self.picture.zeros_like()),
            losses,
            grams,
        })
    }

    /// Takes steps until the goal is reached, or the job is to pause. What was reached stays, also
    /// where the job is cancelled.
    ///
    /// # Errors
    /// [`Failure::NotFinite`] where the losses are no numbers any more; the picture is then that of
    /// the last good step. Those of [`Job::read`].
    async fn advance(
        &mut self,
        job: &Job<'_>,
        network: &Vgg16,
        goal: Goal,
    ) -> Result<Standing, Failure> {
        job.stage(Stage::Network).await?;
        let mut reported = f64::NEG_INFINITY;
        let mut before: Option<Tensor<4>> = None;
        loop {
            if let Some(settings) = job.adjusted() {
                self.adjust(&settings);
            }
            let until = goal.until(self.plan.steps);
            let last = self.step >= until || job.pausing();
            let evaluation = self.evaluate(job, network).await?;
            // Also waits for the device, so that no queue builds up.
            let losses = match evaluation.losses(job).await {
                Err(failure @ Failure::NotFinite { .. }) => {
                    // The step led nowhere: back to where it began.
                    if let Some(picture) = before {
                        self.picture = picture;
                        self.step -= 1;
                    }
                    return Err(failure);
                }
                losses => losses?,
            };
            if self.step >= self.noted {
                self.noted = self.step + 1;
                self.losses.push(losses);
                if self.frames.wants(self.step) {
                    let rgb = self.rgb(job).await?;
                    self.frames.keep(rgb);
                }
            }
            let now = job.now_ms();
            if last || now - reported >= REPORT_MS {
                let standing = self.report(job, &evaluation.grams, until).await?;
                if last {
                    return Ok(standing);
                }
                job.report(self.step, until, standing.into_reply());
                reported = now;
            }
            let rate = self.plan.rate;
            let change = match &mut self.rule {
                Rule::Adam(adam) => adam.step(evaluation.gradient, rate),
                Rule::Lbfgs(lbfgs) => {
                    lbfgs.step(&self.picture, evaluation.gradient, rate * LBFGS_REACH)
                }
            };
            let stepped = (self.picture.clone() - change).clamp(0.0, 1.0);
            before = Some(std::mem::replace(&mut self.picture, stepped));
            self.step += 1;
        }
    }

    /// The picture as it is shown, with its Gram matrices beside their targets.
    async fn report(
        &mut self,
        job: &Job<'_>,
        grams: &[Option<Tensor<2>>],
        until: u32,
    ) -> Result<Standing, Failure> {
        let mut views = Vec::new();
        // All that is shown in one read: each waits for the device.
        let mut shown = vec![flat(self.shown())];
        for (layer, own) in grams.iter().enumerate() {
            let Some(own) = own else { continue };
            let channels = self.strongest[layer].clone();
            for gram in [&self.targets.style[layer].value, own] {
                shown.push(flat(part(gram.clone(), &channels)));
            }
            views.push(GramView { layer, channels });
        }
        let values = job.read(Tensor::cat(shown, 0)).await?;
        let pixels = self.size[0] * self.size[1];
        let (planes, values) = values.split_at(3 * pixels);
        let rgb = interleave(planes, pixels);
        let progress = Progress {
            step: self.step,
            steps: until,
            width: self.size[0] as u32,
            height: self.size[1] as u32,
            losses: std::mem::take(&mut self.losses),
            terms: terms(self.content.is_some()),
            grams: views,
            ..Progress::default()
        };
        Ok(Standing {
            progress,
            rgba: self.colored(&rgb),
            grams: bytes_of(values),
        })
    }

    /// RGB bytes of the present picture, by row.
    async fn rgb(&self, job: &Job<'_>) -> Result<Vec<u8>, Failure> {
        let [width, height] = self.size;
        let planes = job.read(self.shown()).await?;
        Ok(interleave(&planes, width * height))
    }

    /// The part of the picture that is shown.
    fn shown(&self) -> Tensor<4> {
        let [width, height] = self.size;
        let picture = self.picture.clone();
        picture.narrow(2, 0, height).narrow(3, 0, width)
    }

    /// RGBA bytes, with the colours that the settings ask for.
    fn colored(&self, rgb: &[u8]) -> Vec<u8> {
        let keeps = self.plan.keeps_colors && self.content.is_some();
        let content = self.content.as_deref().filter(|_| keeps).unwrap_or(rgb);
        let pixels = rgb
            .as_chunks::<3>()
            .0
            .iter()
            .zip(content.as_chunks::<3>().0);
        pixels
            .flat_map(|(&painted, &content)| {
                let [r, g, b] = if keeps {
                    with_colors_of(painted, content)
                } else {
                    painted
                };
                [r, g, b, 255]
            })
            .collect()
    }
}

impl Search<Vgg16> for Optimisation {
    fn step(&self) -> u32 {
        self.step
    }

    fn planned(&self) -> u32 {
        self.plan.steps
    }

    /// Weights, rate, steps and colours; what the search began with stays.
    fn adjust(&mut self, settings: &Settings) {
        let plan = (self.read)(settings);
        let weights = |plan: &Plan| {
            (
                plan.content_weight,
                plan.style_weights,
                plan.variation_weight,
            )
        };
        // Curvature is that of the objective: another one has to be learned anew.
        if let (Rule::Lbfgs(lbfgs), false) = (&mut self.rule, weights(&plan) == weights(&self.plan))
        {
            *lbfgs = Lbfgs::default();
        }
        self.plan = plan;
    }

    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a Vgg16,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>> {
        Box::pin(Optimisation::advance(self, job, network, goal))
    }

    fn picture<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>> {
        Box::pin(async move {
            let rgb = self.rgb(job).await?;
            Ok(Picture {
                width: self.size[0],
                height: self.size[1],
                rgba: self.colored(&rgb),
            })
        })
    }

    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let color = |rgb: &[u8]| {
                let opaque = self.colored(rgb);
                let pixels = opaque.as_chunks::<4>().0.iter();
                pixels.flat_map(|&[r, g, b, _]| [r, g, b]).collect()
            };
            self.frames.to_gif(job, &self.rgb(job).await?, color).await
        })
    }
}

/// A sum with one more gradient in it; a weight of zero adds nothing.
fn weighted(sum: Option<Tensor<4>>, gradient: Tensor<4>, weight: f32) -> Option<Tensor<4>> {
    if weight <= 0.0 {
        return sum;
    }
    let gradient = gradient * weight;
    Some(match sum {
        Some(sum) => sum + gradient,
        None => gradient,
    })
}

/// All values in a row.
fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count: usize = tensor.dims().iter().product();
    tensor.reshape([count])
}

/// Some rows and the same columns of a square matrix.
fn part(matrix: Tensor<2>, channels: &[u16]) -> Tensor<2> {
    let indices: Vec<i32> = channels.iter().map(|&channel| i32::from(channel)).collect();
    let count = indices.len();
    let device = matrix.device();
    let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [count]), &device);
    matrix.select(0, indices.clone()).select(1, indices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native_host::NativeHost;
    use crate::labs::gatys;
    use crate::models::vgg16::Vgg16Config;
    use burn::module::Param;
    use burn::tensor::Distribution;

    /// A network with random weights that keep the size of what passes (He et al. 2015).
    fn network(device: &Device) -> Vgg16 {
        device.seed(5);
        let mut network = Vgg16Config::new().init(device);
        for conv in &mut network.convs {
            let dims = conv.weight.dims();
            let spread = (2.0 / (dims[1] * 9) as f64).sqrt();
            let random = Tensor::random(dims, Distribution::Normal(0.0, spread), device);
            conv.weight = Param::from_tensor(random);
        }
        network
    }

    fn picture(seed: u64) -> Picture {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rgba = vec![255; 20 * 18 * 4];
        for pixel in rgba.as_chunks_mut::<4>().0 {
            pixel[..3].fill_with(|| random.next_u32() as u8);
        }
        Picture::new(20, 18, rgba).expect("right size")
    }

    /// The gradient of the whole objective, with all its terms, through all layers, against central
    /// differences.
    #[test]
    fn the_gradient_equals_finite_differences() {
        let device = Device::flex();
        let network = network(&device);
        let host = NativeHost::new("weights", |_, _| {});
        let job = Job::new(&host, "cpu");
        let settings = Settings::new(&gatys::spec::LAB).with(&[("start", "noise")]);
        let content = picture(1);
        let style = picture(2);
        let ready = Optimisation::new(
            &job,
            &network,
            &settings,
            gatys::engine::plan,
            Some(&content),
            &style,
            &device,
        );
        let mut search = pollster::block_on(ready).expect("ready");
        let list = |tensor: Tensor<4>| tensor.into_data().try_into_vec::<f32>().expect("f32");
        let at = list(search.picture.clone());
        let evaluation = pollster::block_on(search.evaluate(&job, &network)).expect("finite");
        let gradient = list(evaluation.gradient);
        let mut loss = |values: Vec<f32>| {
            search.picture = Tensor::from_data(TensorData::new(values, [1, 3, 18, 20]), &device);
            let evaluation = pollster::block_on(search.evaluate(&job, &network)).expect("finite");
            let losses = pollster::block_on(evaluation.losses(&job)).expect("finite");
            f64::from(losses[0])
        };
        // Single values drown in rounding: along the gradient and along random directions.
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let largest = gradient
            .iter()
            .fold(0f32, |most, value| most.max(value.abs()));
        let along: Vec<f32> = gradient.iter().map(|value| value / largest).collect();
        let mut directions = vec![along];
        for _ in 0..3 {
            directions.push(
                gradient
                    .iter()
                    .map(|&value| {
                        let sign = if random.next_u32() % 4 == 0 {
                            -1.0
                        } else {
                            1.0
                        };
                        sign * value.signum()
                    })
                    .collect(),
            );
        }
        for direction in directions {
            let moved = |by: f32| at.iter().zip(&direction).map(|(a, d)| a + by * d).collect();
            let step = 2e-4;
            let expected = (loss(moved(step)) - loss(moved(-step))) / (2.0 * f64::from(step));
            let got: f64 = gradient
                .iter()
                .zip(&direction)
                .map(|(g, d)| f64::from(g * d))
                .sum();
            assert!(
                (got - expected).abs() < 0.02 * expected.abs(),
                "{got}, expected {expected}"
            );
        }
    }

    #[test]
    fn noise_is_the_same_everywhere() {
        let values = noise(7, [16, 16], &Device::flex()).into_data();
        let values: Vec<f32> = values.try_into_vec().expect("f32");
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((mean - 0.5).abs() < 0.05);
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        // Another implementation of ChaCha8 gave these for the seed: a link shows the same picture for ever.
        let first = [2_348_867u32, 2_647_379, 3_054_377, 2_818_393];
        assert_eq!(values[..4], first.map(|bits| bits as f32 / 16_777_216.0));
    }
}
