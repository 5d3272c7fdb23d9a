//! Gradient ascent: a picture of noise goes up the slope of what it is made for.

use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};

use super::spec::{AscentSettings, LAB};
use crate::engine::lab::LabEngine;
use crate::job::{Job, Promise};
use crate::labs::search::engine::{self, Beginning, Search, Standing, layered};
use crate::labs::search::frames::Frames;
use crate::labs::search::objective::Objective;
use crate::labs::search::passes::{Goal, REPORT_MS, SMALLEST};
use crate::labs::search::sheet::{columns, sheet};
use crate::labs::search::spec::{Progress, Term};
use crate::labs::search::wishes::{on_pixels, wished};
use crate::maths::draws::Draws;
use crate::methods::diversity::likeness;
use crate::methods::regularise::{GREY, blur, clip, contributions, decay, fade_colors, norms, smooth};
use crate::methods::resize::stretch_rgb;
use crate::methods::spectrum::Spectrum;
use crate::models::conv_block::Rectifiers;
use crate::models::layered::Layered;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::{Picture, rgb_of};
use crate::protocol::settings::Settings;

/// How far from grey the noise is that it begins with, as a standard deviation.
const NOISE: f32 = 0.05;
/// Keeps a step finite where no gradient is.
const EPSILON: f32 = 1e-12;
/// Streams of random numbers: the first picture, and shifts.
const FIRST: u64 = 0;
const SHIFTS: u64 = 1;

/// An ascent under way.
///
/// # Reference
/// Simonyan, Vedaldi and Zisserman 2014, "Deep Inside Convolutional Networks", section 2; with the regularisers of
/// Yosinski et al. 2015, and the shifts and sizes of Mordvintsev et al. 2015.
struct Ascent {
    settings: AscentSettings,
    objective: Objective,
    /// Sides of the picture, from small to large.
    sizes: Vec<usize>,
    /// Index of the present one.
    octave: usize,
    /// `[faces, 3, side, side]`, RGB from 0 to 1.
    pictures: Vec<f32>,
    /// Of the present size.
    spectrum: Spectrum,
    shifts: Draws,
    step: u32,
    losses: Vec<Vec<f32>>,
    frames: Frames,
    device: Device,
}

/// What a step saw.
struct Slope {
    /// Shaped like the pictures, evened out over frequencies.
    gradient: Vec<f32>,
    /// As it was before, where somebody asks for it.
    plain: Vec<f32>,
    /// Mean over the faces: objective, and probability of the class where one is asked for.
    says: Vec<f32>,
}

impl Ascent {
    fn new(settings: AscentSettings, device: Device) -> Result<Self, Failure> {
        let network = settings.network.layers();
        let objective = Objective::parse(&settings.objective(), network)?;
        let sizes: Vec<usize> = (0..settings.sizes as i32)
            .rev()
            .map(|smaller| settings.size as f32 / settings.scale.powi(smaller))
            .map(|side| (side.round() as usize).max(2 * SMALLEST))
            .collect();
        let side = sizes[0];
        let mut draws = Draws::new(settings.seed, FIRST);
        let count = settings.faces * 3 * side * side;
        let pictures = draws.normals(count).into_iter().map(|value| (GREY + NOISE * value).clamp(0.0, 1.0));
        let across = columns(settings.faces);
        let largest = settings.size;
        let shape = sheet(&vec![0.0; settings.faces * 3 * largest * largest], [largest; 2], across);
        Ok(Self {
            pictures: pictures.collect(),
            frames: Frames::new([shape.width, shape.height]),
            spectrum: Spectrum::new(side, &device),
            shifts: Draws::new(settings.seed, SHIFTS),
            objective,
            sizes,
            octave: 0,
            step: 0,
            losses: Vec::new(),
            settings,
            device,
        })
    }

    fn side(&self) -> usize {
        self.sizes[self.octave]
    }

    fn tensor(&self) -> Tensor<4> {
        let side = self.side();
        let data = TensorData::new(self.pictures.clone(), [self.settings.faces, 3, side, side]);
        Tensor::from_data(data, &self.device)
    }

    /// Goes on to the next size.
    async fn grow(&mut self, job: &Job<'_>) -> Result<(), Failure> {
        let next = self.sizes[self.octave + 1];
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size([next, next]);
        self.pictures = job.read(interpolate(self.tensor(), options)).await?;
        self.octave += 1;
        self.spectrum = Spectrum::new(next, &self.device);
        Ok(())
    }

    /// The slope of the objective at the pictures, shifted.
    async fn slope(&self, job: &Job<'_>, network: &dyn Layered, shift: [i64; 2]) -> Result<Slope, Failure> {
        let faces = self.settings.faces;
        let pictures = self.tensor().roll(&shift, &[2, 3]);
        let pass = network.pass(pictures.clone(), self.objective.last_layer());
        let mut wished = wished(&self.objective, &*pass);
        if faces > 1 && self.settings.diversity > 0.0 {
            // What the objective is about, or what classes are made of.
            let layer = self.objective.terms.iter().find_map(|(_, wish)| wish.layer());
            let layer = layer.unwrap_or(network.layers().layers.len() - 1);
            let (_, apart) = likeness(pass.map(layer));
            wished.gradients.on_maps.push((layer, apart * -self.settings.diversity));
        }
        let mut gradient = pass.back(wished.gradients, Rectifiers::Gradient);
        let mut value = wished.value.mean();
        for &(weight, wish) in &self.objective.terms {
            if let Some(loss) = on_pixels(wish, &pictures) {
                value = value + loss.value * (weight / faces as f32);
                gradient = gradient + loss.gradient * weight;
            }
        }
        let back = shift.map(|pixels| -pixels);
        let mut plain = None;
        if self.settings.clip_slopes > 0.0 {
            plain = Some(gradient.clone().roll(&back, &[2, 3]).flatten::<1>(0, 3));
        }
        if self.settings.spectrum > 0.0 {
            gradient = self.spectrum.even_out(gradient, self.settings.spectrum);
        }
        let gradient = gradient.roll(&back, &[2, 3]);
        let mut parts = vec![value];
        parts.extend(wished.probability.map(|probability| probability.mean()));
        let says = parts.len();
        parts.push(gradient.flatten::<1>(0, 3));
        parts.extend(plain);
        // All at once: what is waited for is the device.
        let mut gradient = job.read(Tensor::cat(parts, 0)).await?;
        let says: Vec<f32> = gradient.drain(..says).collect();
        let plain = gradient.split_off(self.pictures.len());
        Ok(Slope {
            gradient,
            plain,
            says,
        })
    }

    /// One step up, with everything that keeps the picture one.
    async fn advance_once(&mut self, job: &Job<'_>, network: &dyn Layered) -> Result<(), Failure> {
        // A cancelled step is taken again with the same shift.
        let mut shifts = self.shifts.clone();
        let reach = self.settings.jitter + 1;
        let shift = [(); 2].map(|()| shifts.below(reach) as i64);
        let slope = self.slope(job, network, shift).await?;
        self.shifts = shifts;
        let side = self.side();
        let size = [side, side];
        let one = 3 * side * side;
        let s = &self.settings;
        self.step += 1;
        for (index, picture) in self.pictures.chunks_exact_mut(one).enumerate() {
            let place = index * one..(index + 1) * one;
            let mut gradient = slope.gradient[place.clone()].to_vec();
            fade_colors(&mut gradient, s.chroma);
            let mean = gradient.iter().map(|value| value.abs()).sum::<f32>() / one as f32;
            let rate = s.rate / (mean + EPSILON);
            for (value, gradient) in picture.iter_mut().zip(&gradient) {
                *value += rate * gradient;
            }
            decay(picture, s.decay / 100.0);
            if self.step.is_multiple_of(s.blur_every) {
                blur(picture, size, s.blur);
            }
            smooth(picture, size, s.variation);
            clip(picture, &norms(picture), s.clip_values / 100.0);
            if let Some(plain) = slope.plain.get(place) {
                clip(picture, &contributions(picture, plain), s.clip_slopes / 100.0);
            }
            picture.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        }
        self.losses.push(slope.says);
        if self.frames.wants(self.step) {
            let rgb = self.full_size();
            self.frames.keep(rgb);
        }
        Ok(())
    }

    async fn advance(&mut self, job: &Job<'_>, network: &dyn Layered, goal: Goal) -> Result<Standing, Failure> {
        job.stage(Stage::Network).await?;
        let mut reported = f64::NEG_INFINITY;
        loop {
            if let Some(settings) = job.adjusted() {
                Search::adjust(self, &settings);
            }
            let mut until = goal.until(Search::planned(self));
            if !matches!(goal, Goal::Step(_)) {
                // However few steps there are now, it ends at its largest size.
                until = until.max(self.step + (self.sizes.len() - 1 - self.octave) as u32);
            }
            let last = self.step >= until || job.pausing();
            let now = job.now_ms();
            if last || now - reported >= REPORT_MS {
                let standing = self.report(until);
                if last {
                    return Ok(standing);
                }
                job.report(self.step, until, standing.into_reply());
                reported = now;
            }
            let each = self.settings.steps;
            if self.octave + 1 < self.sizes.len() && self.step >= each * (self.octave as u32 + 1) {
                self.grow(job).await?;
            }
            self.advance_once(job, network).await?;
            job.breathe().await?;
        }
    }

    fn now(&self) -> Picture {
        let side = self.side();
        sheet(&self.pictures, [side, side], columns(self.settings.faces))
    }

    /// RGB bytes at the largest size, for the animation.
    fn full_size(&self) -> Vec<u8> {
        let now = self.now();
        if self.octave + 1 == self.sizes.len() {
            return rgb_of(&now.rgba);
        }
        let [width, height] = self.frames.size();
        stretch_rgb(&now, width, height)
    }

    fn report(&mut self, until: u32) -> Standing {
        let picture = self.now();
        let mut terms = vec![Term::Objective];
        terms.extend(self.objective.class().map(|_| Term::Probability));
        let progress = Progress {
            step: self.step,
            steps: until,
            width: picture.width as u32,
            height: picture.height as u32,
            losses: std::mem::take(&mut self.losses),
            terms,
            columns: columns(self.settings.faces),
            ..Progress::default()
        };
        Standing {
            progress,
            rgba: picture.rgba,
            grams: Vec::new(),
        }
    }
}

impl Search<dyn Layered> for Ascent {
    fn step(&self) -> u32 {
        self.step
    }

    /// Over all sizes.
    fn planned(&self) -> u32 {
        self.settings.steps * self.sizes.len() as u32
    }

    /// The regularisers, the steps and their length. What it is made for, and how large, stays.
    fn adjust(&mut self, settings: &Settings) {
        let faces = self.settings.faces;
        self.settings = AscentSettings {
            faces,
            ..settings.read()
        };
    }

    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a dyn Layered,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>> {
        Box::pin(Ascent::advance(self, job, network, goal))
    }

    fn picture<'a>(&'a self, _: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>> {
        Box::pin(async { Ok(self.now()) })
    }

    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move { self.frames.to_gif(job, &self.full_size(), <[u8]>::to_vec).await })
    }
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    let name = |settings: &Settings| settings.read::<AscentSettings>().network.name();
    engine::engine(layered(&LAB, name, begin, &[("sizes", "1")]))
}

fn begin<'a>(with: Beginning<'a, dyn Layered>) -> Promise<'a, Result<Box<dyn Search<dyn Layered>>, Failure>> {
    Box::pin(async move {
        let ascent = Ascent::new(with.settings.read(), with.device)?;
        Ok(Box::new(ascent) as Box<dyn Search<dyn Layered>>)
    })
}
