//! DeepDream: what a layer sees in a picture, grown until it shows.

use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::methods::resize::{extend, stretch_rgb, to_tensor, working_size};
use crate::models::vgg16::Vgg16;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::named_layers::VGG16;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::spec::DreamSettings;
use crate::engine::lab::LabEngine;
use crate::job::{Job, Promise};
use crate::labs::search::engine::{self, Beginning, Search, Standing};
use crate::labs::search::spec::{Progress, Term};
use crate::labs::search::frames::Frames;
use crate::labs::search::objective::Objective;
use crate::labs::search::wishes::{on_map, on_pixels};
use crate::labs::search::passes::{Goal, REPORT_MS, SMALLEST, interleave, forward_and_backward};

/// Keeps a step finite where no gradient is.
const EPSILON: f32 = 1e-12;

/// A dream under way; it can be continued.
///
/// # Reference
/// Mordvintsev, Olah and Tyka 2015, "Inceptionism: Going Deeper into Neural Networks": gradient ascent
/// with the gradient on the layer set to its own activations, over several sizes, with jitter.
pub struct Dream {
    settings: DreamSettings,
    /// What grows.
    objective: Objective,
    /// The photograph, to take each size from.
    photograph: Picture,
    /// Columns and rows of each size, from small to large.
    sizes: Vec<[usize; 2]>,
    /// Index of the size that is dreamed.
    octave: usize,
    /// The photograph at that size.
    base: Tensor<4>,
    /// `[1, 3, high, wide]`, RGB from 0 to 1.
    picture: Tensor<4>,
    random: ChaCha8Rng,
    step: u32,
    losses: Vec<Vec<f32>>,
    frames: Frames,
}

/// A gradient whose part that changes colours and not brightness counts only so much. In photographs the
/// three colours rise and fall together; a gradient knows nothing of it, and dyes a dream in magenta and
/// green. It still leads uphill.
///
/// # Reference
/// Olah, Mordvintsev and Schubert 2017, "Feature Visualization", on preconditioning; here with one factor
/// for all that is no brightness.
///
/// # Shapes
/// - input and output: `[1, 3, height, width]`
fn natural(gradient: Tensor<4>, chroma: f32) -> Tensor<4> {
    let brightness = gradient.clone().mean_dim(1);
    gradient * chroma + brightness * (1.0 - chroma)
}

/// The photograph at a size.
fn base(photograph: &Picture, size: [usize; 2], device: &Device) -> Tensor<4> {
    let rgb = stretch_rgb(photograph, size[0], size[1]);
    let (extended, [wide, high]) = extend(&rgb, size, 1, SMALLEST);
    to_tensor(&extended, wide, high, 1.0 / 255.0, 0.0, device)
}

impl Dream {
    /// Readies a dream.
    ///
    /// # Errors
    /// Those of [`Objective::parse`].
    pub fn new(
        settings: DreamSettings,
        photograph: Picture,
        device: &Device,
    ) -> Result<Self, Failure> {
        let objective = Objective::parse(&settings.objective(), &VGG16)?;
        let full = working_size(&photograph, settings.size);
        let octaves = settings.octaves as i32;
        let scale = settings.octave_scale;
        let sizes: Vec<_> = (0..octaves)
            .rev()
            .map(|smaller| {
                full.map(|side| ((side as f32 / scale.powi(smaller)).round() as usize).max(1))
            })
            .collect();
        let base = base(&photograph, sizes[0], device);
        let mut frames = Frames::new(full);
        frames.keep(stretch_rgb(&photograph, full[0], full[1]));
        Ok(Self {
            objective,
            photograph,
            octave: 0,
            picture: base.clone(),
            base,
            random: ChaCha8Rng::seed_from_u64(settings.seed),
            step: 0,
            losses: Vec::new(),
            frames,
            sizes,
            settings,
        })
    }

    /// Goes on to the next size, with what was dreamed so far laid over the photograph there.
    fn grow(&mut self) {
        let [width, height] = self.sizes[self.octave];
        self.octave += 1;
        let [next_width, next_height] = self.sizes[self.octave];
        let device = self.picture.device();
        let next = base(&self.photograph, [next_width, next_height], &device);
        let [_, _, high, wide] = next.dims();
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size([next_height, next_width]);
        // What a small picture was extended by stands beside it: stretched along, it would move the rest.
        let dreamed = self.picture.clone() - self.base.clone();
        let dreamed = dreamed.narrow(2, 0, height).narrow(3, 0, width);
        let dreamed = interpolate(dreamed, options)
            .pad((0, wide - next_width, 0, high - next_height), 0.0);
        self.picture = (next.clone() + dreamed).clamp(0.0, 1.0);
        self.base = next;
    }

    /// The gradient of what grows on the picture; and how large it is.
    async fn evaluate(
        &self,
        job: &Job<'_>,
        network: &Vgg16,
        picture: Tensor<4>,
    ) -> Result<(Tensor<4>, Tensor<1>), Failure> {
        let terms = &self.objective.terms;
        let layers = terms.iter().filter_map(|(_, wish)| wish.layer());
        let last = layers.max().expect("an objective is about the network");
        let mut values: Vec<Tensor<1>> = Vec::new();
        let add = |index: usize, output: &Tensor<4>| {
            let here = terms.iter().filter(|(_, wish)| wish.layer() == Some(index));
            let wished = here.filter_map(|&(weight, wish)| on_map(wish, weight, output));
            let gradients = wished.map(|(value, gradient)| {
                values.push(value);
                gradient
            });
            gradients.reduce(|sum, gradient| sum + gradient)
        };
        let gradient = forward_and_backward(job, network, picture.clone(), last, add).await?;
        let mut gradient = gradient.expect("the last layer gives one");
        for &(weight, wish) in terms {
            if let Some(loss) = on_pixels(wish, &picture) {
                values.push(loss.value * weight);
                gradient = gradient + loss.gradient * weight;
            }
        }
        let value = values.into_iter().reduce(|sum, value| sum + value);
        Ok((gradient, value.expect("the last layer gives one")))
    }

    /// Takes steps until the goal is reached, or the job is to pause.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    async fn advance(
        &mut self,
        job: &Job<'_>,
        network: &Vgg16,
        goal: Goal,
    ) -> Result<Standing, Failure> {
        job.stage(Stage::Network).await?;
        let mut reported = f64::NEG_INFINITY;
        loop {
            if let Some(settings) = job.adjusted() {
                self.adjust(&settings);
            }
            let mut until = goal.until(self.planned());
            if !matches!(goal, Goal::Step(_)) {
                // However few steps there are now, a dream ends at its largest size.
                until = until.max(self.step + (self.sizes.len() - 1 - self.octave) as u32);
            }
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
            // Steps beyond the plan are taken at the largest size.
            let each = self.settings.steps;
            if self.octave + 1 < self.sizes.len() && self.step >= each * (self.octave as u32 + 1) {
                self.grow();
            }
            let jitter = self.settings.jitter + 1;
            // A cancelled step is taken again with the same shift.
            let mut random = self.random.clone();
            let shift = [(); 2].map(|()| (random.next_u32() % jitter) as i64);
            let back = shift.map(|pixels| -pixels);
            let shifted = self.picture.clone().roll(&shift, &[2, 3]);
            let (gradient, activation) = self.evaluate(job, network, shifted).await?;
            let gradient = natural(gradient, self.settings.chroma);
            let mean = gradient.clone().abs().mean() + EPSILON;
            let rate = self.settings.rate;
            let ascent = gradient * (mean.recip() * rate).reshape([1, 1, 1, 1]);
            let stepped = self.picture.clone() + ascent.roll(&back, &[2, 3]);
            let losses = job.read(activation).await?;
            self.random = random;
            self.picture = stepped.clamp(0.0, 1.0);
            self.step += 1;
            self.losses.push(losses);
            if self.frames.wants(self.step) {
                let rgb = self.full_size(job).await?;
                self.frames.keep(rgb);
            }
        }
    }

    async fn report(&mut self, job: &Job<'_>, until: u32) -> Result<Standing, Failure> {
        let picture = self.picture(job).await?;
        let progress = Progress {
            step: self.step,
            steps: until,
            width: picture.width as u32,
            height: picture.height as u32,
            losses: std::mem::take(&mut self.losses),
            terms: vec![Term::Activation],
            grams: Vec::new(),
            ..Progress::default()
        };
        Ok(Standing {
            progress,
            rgba: picture.rgba,
            grams: Vec::new(),
        })
    }

    /// RGB bytes of the present picture at the largest size, for the animation.
    async fn full_size(&self, job: &Job<'_>) -> Result<Vec<u8>, Failure> {
        let [width, height] = *self.sizes.last().expect("at least one size");
        Ok(stretch_rgb(&self.picture(job).await?, width, height))
    }
}

impl Search<Vgg16> for Dream {
    fn step(&self) -> u32 {
        self.step
    }

    /// Over all sizes.
    fn planned(&self) -> u32 {
        self.settings.steps * self.sizes.len() as u32
    }

    /// The layer, the length of a step, how many there are, and how far the picture is shifted. The
    /// sizes stay.
    fn adjust(&mut self, settings: &Settings) {
        let expression = std::mem::take(&mut self.settings.expression);
        self.settings = DreamSettings {
            expression,
            ..settings.read()
        };
        // Another layer is taken over; a layer there always is.
        if let Ok(objective) = Objective::parse(&self.settings.objective(), &VGG16) {
            self.objective = objective;
        }
    }

    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a Vgg16,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>> {
        Box::pin(Dream::advance(self, job, network, goal))
    }

    /// At the size that is dreamed.
    fn picture<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>> {
        Box::pin(async move {
            let [width, height] = self.sizes[self.octave];
            let shown = self
                .picture
                .clone()
                .narrow(2, 0, height)
                .narrow(3, 0, width);
            let rgb = interleave(&job.read(shown).await?, width * height);
            let opaque = |&[r, g, b]: &[u8; 3]| [r, g, b, 255];
            Ok(Picture {
                width,
                height,
                rgba: rgb.as_chunks::<3>().0.iter().flat_map(opaque).collect(),
            })
        })
    }

    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move {
            let last = self.full_size(job).await?;
            self.frames.to_gif(job, &last, <[u8]>::to_vec).await
        })
    }
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    engine::engine(engine::on_vgg16(&super::spec::LAB, begin, &[("octaves", "1")]))
}

fn begin<'a>(with: Beginning<'a, Vgg16>) -> Promise<'a, Result<Box<dyn Search<Vgg16>>, Failure>> {
    Box::pin(async move {
        let photograph = with.picture.ok_or(Failure::EmptyFile)?;
        let dream = Dream::new(with.settings.read(), photograph, &with.device)?;
        Ok(Box::new(dream) as Box<dyn Search<Vgg16>>)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lab::plain_picture;

    #[test]
    fn colours_follow_the_gradient_by_their_share() {
        let gradient = Tensor::<4>::from_data([[[[3.0f32]], [[0.0]], [[-6.0]]]], &Device::flex());
        let values = |chroma| -> Vec<f32> {
            let natural = natural(gradient.clone(), chroma).into_data();
            natural.iter::<f32>().collect()
        };
        // The mean is -1.
        assert_eq!(values(0.0), [-1.0, -1.0, -1.0]);
        assert_eq!(values(0.5), [1.0, -0.5, -3.5]);
        assert_eq!(values(1.0), [3.0, 0.0, -6.0]);
    }

    /// 20 x 13 pixels are less than the network takes, and are extended to 20 x 16.
    #[test]
    fn what_was_dreamed_at_an_edge_of_a_small_size_stays_there() {
        let device = Device::flex();
        let settings = Settings::new(&super::super::spec::LAB).with(&[
            ("size", "64"),
            ("octaves", "2"),
            ("octave-scale", "2"),
        ]);
        let photograph = plain_picture(40);
        let mut dream = Dream::new(settings.read(), photograph, &device).expect("a layer");
        assert_eq!(dream.sizes, [[20, 13], [40, 26]]);
        let [_, _, high, wide] = dream.picture.dims();
        assert_eq!([wide, high], [20, 16]);
        // The last row of the picture is darker.
        let mut dreamed = vec![0f32; 3 * 16 * 20];
        for channel in 0..3 {
            dreamed[channel * 320 + 12 * 20..][..20].fill(-0.5);
        }
        let dreamed = burn::tensor::TensorData::new(dreamed, [1, 3, 16, 20]);
        dream.picture = dream.base.clone() + Tensor::from_data(dreamed, &device);
        dream.grow();
        let change = (dream.picture.clone() - dream.base.clone()).into_data();
        let change: Vec<f32> = change.iter::<f32>().collect();
        let row = |y: usize| change[y * 40 + 20];
        assert!(row(25) < -0.4, "{}", row(25));
        assert!(row(20).abs() < 1e-6 && row(15).abs() < 1e-6, "{} {}", row(20), row(15));
    }
}
