//! Feature inversion: a picture of noise becomes one with the features of another.

use burn::tensor::{Device, Tensor, TensorData};

use super::spec::{InversionSettings, LAB};
use crate::engine::lab::LabEngine;
use crate::job::{Job, Promise};
use crate::labs::search::engine::{self, Beginning, Search, Standing, layered};
use crate::labs::search::frames::Frames;
use crate::labs::search::passes::{Goal, REPORT_MS, SMALLEST};
use crate::labs::search::sheet::{columns, sheet};
use crate::labs::search::spec::{Progress, Term};
use crate::maths::draws::Draws;
use crate::methods::adam::Adam;
use crate::methods::regularise::GREY;
use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::methods::style_loss::{Target, content_loss, total_variation};
use crate::models::conv_block::Rectifiers;
use crate::models::layered::{Gradients, Layered};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::{Picture, rgb_of};
use crate::protocol::settings::Settings;

/// How far from grey the noise is that it begins with, as a standard deviation.
const NOISE: f32 = 0.1;
/// The power of the norm, even: pixels within the range cost nearly nothing, those at its ends much.
const POWER: i32 = 6;
/// What a weight of 1 of the total variation is: features far up hold a picture more loosely.
const VARIATION_UNIT: f32 = 1.0;
/// The same of the norm.
const NORM_UNIT: f32 = 0.01;
/// The first picture's stream of random numbers.
const FIRST: u64 = 0;

/// An inversion under way: a picture for each layer, all in one batch.
///
/// # Reference
/// Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them".
struct Inversion {
    settings: InversionSettings,
    layers: Vec<usize>,
    /// The features of each layer, to be reached.
    targets: Vec<Target<4>>,
    /// `[layers, 3, high, wide]`, RGB from 0 to 1.
    pictures: Tensor<4>,
    /// Columns and rows of what is shown of each.
    size: [usize; 2],
    rule: Adam<4>,
    step: u32,
    losses: Vec<Vec<f32>>,
    frames: Frames,
}

impl Inversion {
    async fn new(
        job: &Job<'_>,
        network: &dyn Layered,
        settings: InversionSettings,
        photograph: &Picture,
        device: &Device,
    ) -> Result<Self, Failure> {
        job.stage(Stage::Prepare).await?;
        let size = working_size(photograph, settings.size);
        let rgb = stretch_rgb(photograph, size[0], size[1]);
        let (extended, [wide, high]) = extend(&rgb, size, 1, 2 * SMALLEST);
        let photograph = to_tensor(&extended, wide, high, 1.0 / 255.0, 0.0, device);
        let layers = settings.layers();
        let pass = network.pass(photograph, layers.iter().max().copied());
        let target = |&layer: &usize| Target::new(pass.map(layer).clone());
        let targets: Vec<_> = layers.iter().map(target).collect();
        let one = 3 * high * wide;
        // All begin alike: what differs in the end is the layer's.
        let noise = Draws::new(settings.seed, FIRST).normals(one);
        let noise: Vec<f32> = noise.into_iter().map(|value| (GREY + NOISE * value).clamp(0.0, 1.0)).collect();
        let start = TensorData::new(noise.repeat(layers.len()), [layers.len(), 3, high, wide]);
        let pictures = Tensor::from_data(start, device);
        let across = columns(layers.len());
        let shape = sheet(&vec![0.0; layers.len() * 3 * size[0] * size[1]], [size[1], size[0]], across);
        Ok(Self {
            rule: Adam::new(&pictures),
            pictures,
            targets,
            layers,
            size,
            step: 0,
            losses: Vec::new(),
            frames: Frames::new([shape.width, shape.height]),
            settings,
        })
    }

    /// Takes one step; what the losses were before it.
    async fn advance_once(&mut self, job: &Job<'_>, network: &dyn Layered) -> Result<Vec<f32>, Failure> {
        let pass = network.pass(self.pictures.clone(), self.layers.iter().max().copied());
        let mut gradients = Gradients::default();
        let mut values: Vec<Tensor<1>> = Vec::new();
        let count = self.layers.len();
        for (index, (&layer, target)) in self.layers.iter().zip(&self.targets).enumerate() {
            let map = pass.map(layer).clone();
            let loss = content_loss(map.narrow(0, index, 1), target);
            values.push(loss.value);
            // The other pictures have other layers.
            let [_, channels, rows, columns] = loss.gradient.dims();
            let none = |count: usize| Tensor::<4>::zeros([count, channels, rows, columns], &loss.gradient.device());
            let mut parts = Vec::new();
            if index > 0 {
                parts.push(none(index));
            }
            parts.push(loss.gradient.clone());
            if index + 1 < count {
                parts.push(none(count - index - 1));
            }
            gradients.on_maps.push((layer, Tensor::cat(parts, 0)));
        }
        let mut gradient = pass.back(gradients, Rectifiers::Gradient);
        if self.settings.variation > 0.0 {
            let smoothing = total_variation(self.pictures.clone()).gradient;
            gradient = gradient + smoothing * (self.settings.variation * VARIATION_UNIT);
        }
        if self.settings.norm > 0.0 {
            let [_, channels, high, wide] = self.pictures.dims();
            let share = self.settings.norm * NORM_UNIT * POWER as f32 / (channels * high * wide) as f32;
            let away = (self.pictures.clone() - GREY) / GREY;
            gradient = gradient + away.powi_scalar(POWER - 1) * (share / GREY);
        }
        let losses = job.read(Tensor::cat(values, 0)).await?;
        let change = self.rule.step(gradient, self.settings.rate);
        self.pictures = (self.pictures.clone() - change).clamp(0.0, 1.0);
        self.step += 1;
        Ok(losses)
    }

    async fn advance(&mut self, job: &Job<'_>, network: &dyn Layered, goal: Goal) -> Result<Standing, Failure> {
        job.stage(Stage::Network).await?;
        let mut reported = f64::NEG_INFINITY;
        loop {
            if let Some(settings) = job.adjusted() {
                Search::adjust(self, &settings);
            }
            let until = goal.until(self.settings.steps);
            let last = self.step >= until || job.pausing();
            let now = job.now_ms();
            if last || now - reported >= REPORT_MS {
                let standing = self.report(job, until).await?;
                if last {
                    return Ok(standing);
                }
                job.report(self.step, until, standing.into_reply());
                reported = now;
            }
            let losses = self.advance_once(job, network).await?;
            self.losses.push(losses);
            if self.frames.wants(self.step) {
                let now = self.now(job).await?;
                self.frames.keep(rgb_of(&now.rgba));
            }
            job.breathe().await?;
        }
    }

    async fn now(&self, job: &Job<'_>) -> Result<Picture, Failure> {
        let [width, height] = self.size;
        let shown = self.pictures.clone().narrow(2, 0, height).narrow(3, 0, width);
        let values = job.read(shown).await?;
        Ok(sheet(&values, [height, width], columns(self.layers.len())))
    }

    async fn report(&mut self, job: &Job<'_>, until: u32) -> Result<Standing, Failure> {
        let picture = self.now(job).await?;
        let names = self.settings.network.layers().layers;
        let progress = Progress {
            step: self.step,
            steps: until,
            width: picture.width as u32,
            height: picture.height as u32,
            losses: std::mem::take(&mut self.losses),
            terms: (0..self.layers.len()).map(Term::Features).collect(),
            captions: self.layers.iter().map(|&layer| names[layer].name.into()).collect(),
            columns: columns(self.layers.len()),
            ..Progress::default()
        };
        Ok(Standing {
            progress,
            rgba: picture.rgba,
            grams: Vec::new(),
        })
    }
}

impl Search<dyn Layered> for Inversion {
    fn step(&self) -> u32 {
        self.step
    }

    fn planned(&self) -> u32 {
        self.settings.steps
    }

    /// The weights, the steps and their length. Network and layers stay.
    fn adjust(&mut self, settings: &Settings) {
        let network = self.settings.network;
        self.settings = InversionSettings {
            network,
            ..settings.read()
        };
    }

    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a dyn Layered,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>> {
        Box::pin(Inversion::advance(self, job, network, goal))
    }

    fn picture<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>> {
        Box::pin(self.now(job))
    }

    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let now = self.now(job).await?;
            self.frames.to_gif(job, &rgb_of(&now.rgba), <[u8]>::to_vec).await
        })
    }
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    let name = |settings: &Settings| settings.read::<InversionSettings>().network.name();
    engine::engine(layered(&LAB, name, begin, &[]))
}

fn begin<'a>(with: Beginning<'a, dyn Layered>) -> Promise<'a, Result<Box<dyn Search<dyn Layered>>, Failure>> {
    Box::pin(async move {
        let photograph = with.picture.ok_or(Failure::EmptyFile)?;
        let settings = with.settings.read();
        let inversion = Inversion::new(with.job, with.network, settings, &photograph, &with.device);
        Ok(Box::new(inversion.await?) as Box<dyn Search<dyn Layered>>)
    })
}
