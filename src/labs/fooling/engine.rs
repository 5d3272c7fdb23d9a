//! Fooling pictures: a photograph is changed a little, until the network calls it something else.

use burn::tensor::{Device, Tensor, TensorData, activation};

use super::spec::{FoolingSettings, LAB, Norm, Said, Show, Test, Verdict};
use crate::engine::lab::LabEngine;
use crate::job::{Job, Promise};
use crate::labs::search::engine::{self, Beginning, Search, Standing, layered};
use crate::labs::search::frames::Frames;
use crate::labs::search::passes::{Goal, REPORT_MS, interleave};
use crate::labs::search::spec::{Progress, Term};
use crate::methods::jpeg_loss::through_jpeg;
use crate::methods::regularise::blur;
use crate::methods::resize::stretch_rgb;
use crate::models::conv_block::Rectifiers;
use crate::models::efficientnet_lite::EFFICIENTNET_LITE0;
use crate::models::layered::{Gradients, Layered};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::{Picture, opaque, rgb_of};
use crate::protocol::settings::Settings;
use strum::VariantArray;

/// The longer side is at most so many times the shorter one.
const LONGEST: usize = 2;
/// Quality of the JPEG that a picture is tested by.
const QUALITY: u32 = 75;
/// Pixels by which it is shifted.
const SHIFT: usize = 3;
/// Levels from black to white.
const LEVELS: f32 = 255.0;
/// Keeps a step finite where no gradient is.
const EPSILON: f32 = 1e-12;

/// A fooling picture under way.
///
/// # Reference
/// Szegedy et al. 2014, "Intriguing Properties of Neural Networks"; Goodfellow, Shlens and Szegedy 2015, "Explaining and
/// Harnessing Adversarial Examples"; in several steps Kurakin, Goodfellow and Bengio 2017, "Adversarial Examples in the
/// Physical World".
struct Fooling {
    settings: FoolingSettings,
    /// The class that the picture is made for.
    class: usize,
    /// Columns and rows.
    size: [usize; 2],
    /// `[3, rows, columns]`, RGB from 0 to 1.
    photograph: Vec<f32>,
    picture: Vec<f32>,
    step: u32,
    /// The next step whose probabilities are not told yet.
    noted: u32,
    /// Whether the class is as probable as asked for.
    is_enough: bool,
    losses: Vec<Vec<f32>>,
    /// What became of the finished picture; of the step with that number.
    verdicts: Option<(u32, Vec<Verdict>)>,
    frames: Frames,
    device: Device,
}

/// The size of a change, in levels: of the pixel that changes most, and the root of the mean square.
fn sizes(before: &[f32], after: &[f32]) -> [f32; 2] {
    let changes = before.iter().zip(after).map(|(before, after)| (after - before) * LEVELS);
    let (largest, squares) = changes.fold((0f32, 0f64), |(largest, squares), change| {
        (largest.max(change.abs()), squares + f64::from(change * change))
    });
    [largest, (squares / before.len().max(1) as f64).sqrt() as f32]
}

/// One step of the picture up the gradient, and back to where it is allowed: no further from the photograph than
/// `limit`, both in levels, and no colour beyond black or white.
fn moved(picture: &mut [f32], photograph: &[f32], gradient: &[f32], norm: Norm, rate: f32, limit: f32) {
    let (rate, limit) = (rate / LEVELS, limit / LEVELS);
    let mean_square = |values: &mut dyn Iterator<Item = f32>| {
        let sum: f64 = values.map(|value| f64::from(value) * f64::from(value)).sum();
        (sum / photograph.len().max(1) as f64).sqrt() as f32
    };
    match norm {
        Norm::Largest => {
            for ((value, before), gradient) in picture.iter_mut().zip(photograph).zip(gradient) {
                let step = if *gradient == 0.0 { 0.0 } else { gradient.signum() * rate };
                *value = (*value + step).clamp(before - limit, before + limit);
            }
        }
        Norm::Euclid => {
            let scale = rate / (mean_square(&mut gradient.iter().copied()) + EPSILON);
            for (value, gradient) in picture.iter_mut().zip(gradient) {
                *value += gradient * scale;
            }
            let far = mean_square(&mut picture.iter().zip(photograph).map(|(value, before)| value - before));
            if far > limit {
                for (value, before) in picture.iter_mut().zip(photograph) {
                    *value = before + (*value - before) * (limit / far);
                }
            }
        }
    }
    picture.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
}

/// `[3, height, width]` of RGB bytes by pixel.
fn planes(rgb: &[u8]) -> Vec<f32> {
    (0..3)
        .flat_map(|channel| rgb.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte) / LEVELS))
        .collect()
}

impl Fooling {
    fn new(settings: FoolingSettings, photograph: &Picture, device: Device) -> Self {
        let shorter = photograph.width.min(photograph.height);
        let side = settings.size;
        let size = [photograph.width, photograph.height]
            .map(|of| ((of * side + shorter / 2) / shorter).min(LONGEST * side));
        let rgb = stretch_rgb(photograph, size[0], size[1]);
        let pixels = planes(&rgb);
        let mut frames = Frames::new(size);
        frames.keep(rgb);
        Self {
            class: 0,
            picture: pixels.clone(),
            photograph: pixels,
            size,
            step: 0,
            noted: 0,
            is_enough: false,
            losses: Vec::new(),
            verdicts: None,
            frames,
            settings,
            device,
        }
    }

    fn tensor(&self, pixels: &[f32]) -> Tensor<4> {
        let [width, height] = self.size;
        let data = TensorData::new(pixels.to_vec(), [1, 3, height, width]);
        Tensor::from_data(data, &self.device)
    }

    /// Takes the class of the settings: the first word is the second most probable one.
    async fn choose(&mut self, job: &Job<'_>, network: &dyn Layered) -> Result<(), Failure> {
        if let Some(class) = self.settings.class.0.checked_sub(1) {
            self.class = class;
            return Ok(());
        }
        let pass = network.pass(self.tensor(&self.photograph), None);
        let logits = job.read(pass.logits().expect("a classifier").clone()).await?;
        let mut ranked: Vec<usize> = (0..logits.len()).collect();
        ranked.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        self.class = ranked[1];
        Ok(())
    }

    /// The gradient of the logarithm of the class's probability, and that probability and that of the class that is now
    /// the most probable.
    async fn slope(&self, job: &Job<'_>, network: &dyn Layered) -> Result<(Vec<f32>, [f32; 2]), Failure> {
        let pass = network.pass(self.tensor(&self.picture), None);
        let logits = pass.logits().expect("a classifier").clone();
        let probabilities = activation::softmax(logits, 1);
        let [_, classes] = probabilities.dims();
        let mut one = vec![0f32; classes];
        one[self.class] = 1.0;
        let one = Tensor::<2>::from_data(TensorData::new(one, [1, classes]), &self.device);
        // The logarithm of a softmax has the slope 1 - p on its own logit and -p on the others.
        let gradient = pass.back(
            Gradients::on_logits(one - probabilities.clone()),
            Rectifiers::Gradient,
        );
        let all = Tensor::cat(vec![probabilities.flatten::<1>(0, 1), gradient.flatten::<1>(0, 3)], 0);
        let mut gradient = job.read(all).await?;
        let probabilities: Vec<f32> = gradient.drain(..classes).collect();
        let best = probabilities.iter().copied().fold(0f32, f32::max);
        Ok((gradient, [probabilities[self.class], best]))
    }

    async fn advance(&mut self, job: &Job<'_>, network: &dyn Layered, goal: Goal) -> Result<Standing, Failure> {
        job.stage(Stage::Network).await?;
        let mut reported = f64::NEG_INFINITY;
        loop {
            if let Some(settings) = job.adjusted() {
                Search::adjust(self, &settings);
            }
            let until = goal.until(self.settings.steps);
            let (gradient, [wanted, best]) = self.slope(job, network).await?;
            if self.step >= self.noted {
                self.noted = self.step + 1;
                self.losses.push(vec![wanted, best]);
            }
            self.is_enough = wanted * 100.0 >= self.settings.confidence;
            // Whoever asks for a single step gets it.
            let goes_on = matches!(goal, Goal::Step(step) if step > self.step);
            let is_enough = self.is_enough && !goes_on;
            let last = self.step >= until || is_enough || job.pausing();
            let now = job.now_ms();
            if last || now - reported >= REPORT_MS {
                if last {
                    self.judge(job, network).await?;
                }
                let standing = self.report(if is_enough { self.step } else { until });
                if last {
                    return Ok(standing);
                }
                job.report(self.step, until, standing.into_reply());
                reported = now;
            }
            let s = &self.settings;
            moved(&mut self.picture, &self.photograph, &gradient, s.norm, s.rate, s.limit);
            self.step += 1;
            if self.frames.wants(self.step) {
                let rgb = self.rgb();
                self.frames.keep(rgb);
            }
            job.breathe().await?;
        }
    }

    /// RGB bytes of the picture.
    fn rgb(&self) -> Vec<u8> {
        let [width, height] = self.size;
        interleave(&self.picture, width * height)
    }

    /// What a test makes of the picture.
    fn tested(&self, test: Test) -> Vec<f32> {
        let [width, height] = self.size;
        let picture = |rgb: &[u8], width, height| Picture {
            width,
            height,
            rgba: opaque(rgb),
        };
        match test {
            Test::Before => self.photograph.clone(),
            Test::Made => self.picture.clone(),
            Test::Rounded => planes(&self.rgb()),
            Test::Jpeg => through_jpeg(&self.picture, [height, width], QUALITY),
            Test::Blurred => {
                let mut blurred = self.picture.clone();
                blur(&mut blurred, [height, width], 1.0);
                blurred
            }
            Test::Shifted => {
                // Beyond the edge stands the edge's pixel.
                let place = |row: usize, column: usize| {
                    row.saturating_sub(SHIFT) * width + column.saturating_sub(SHIFT)
                };
                let shifted = self.picture.chunks_exact(width * height).flat_map(|plane| {
                    (0..height).flat_map(move |row| (0..width).map(move |column| plane[place(row, column)]))
                });
                shifted.collect()
            }
            Test::Halved => {
                let small = [(width / 2).max(1), (height / 2).max(1)];
                let halved = stretch_rgb(&picture(&self.rgb(), width, height), small[0], small[1]);
                planes(&stretch_rgb(&picture(&halved, small[0], small[1]), width, height))
            }
        }
    }

    /// Sends the picture through the tests, once a step.
    async fn judge(&mut self, job: &Job<'_>, network: &dyn Layered) -> Result<(), Failure> {
        if self.verdicts.as_ref().is_some_and(|(step, _)| *step == self.step) {
            return Ok(());
        }
        let mut verdicts = Vec::new();
        for &test in Test::VARIANTS {
            let pass = network.pass(self.tensor(&self.tested(test)), None);
            let logits = pass.logits().expect("a classifier").clone();
            let probabilities = job.read(activation::softmax(logits, 1)).await?;
            let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
            let best = best.unwrap_or(0);
            verdicts.push(Verdict {
                test,
                best: (best, probabilities[best]),
                wanted: probabilities[self.class],
            });
            job.breathe().await?;
        }
        self.verdicts = Some((self.step, verdicts));
        Ok(())
    }

    /// The picture, or the change, as it is shown.
    fn now(&self) -> Picture {
        let [width, height] = self.size;
        let rgb = match self.settings.show {
            Show::Picture => self.rgb(),
            Show::Change => {
                let shown = self.photograph.iter().zip(&self.picture);
                let shown: Vec<f32> = shown
                    .map(|(before, after)| 0.5 + (after - before) * self.settings.magnify)
                    .collect();
                interleave(&shown, width * height)
            }
        };
        Picture {
            width,
            height,
            rgba: opaque(&rgb),
        }
    }

    fn report(&mut self, until: u32) -> Standing {
        let picture = self.now();
        let verdicts = self.verdicts.as_ref().filter(|(step, _)| *step == self.step);
        let said = Said {
            class: self.class,
            change: sizes(&self.photograph, &self.picture),
            verdicts: verdicts.map(|(_, verdicts)| verdicts.clone()).unwrap_or_default(),
            is_enough: self.is_enough,
        };
        let progress = Progress {
            step: self.step,
            steps: until,
            width: picture.width as u32,
            height: picture.height as u32,
            losses: std::mem::take(&mut self.losses),
            terms: vec![Term::Probability, Term::Best],
            more: serde_json::to_string(&said).unwrap_or_default(),
            ..Progress::default()
        };
        Standing {
            progress,
            rgba: picture.rgba,
            grams: Vec::new(),
        }
    }
}

impl Search<dyn Layered> for Fooling {
    fn step(&self) -> u32 {
        self.step
    }

    fn planned(&self) -> u32 {
        self.settings.steps
    }

    /// What is shown, how sure is enough, and the steps. Class and limits stay.
    fn adjust(&mut self, settings: &Settings) {
        let FoolingSettings { norm, limit, .. } = self.settings;
        self.settings = FoolingSettings {
            norm,
            limit,
            ..settings.read()
        };
    }

    fn advance<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        network: &'a dyn Layered,
        goal: Goal,
    ) -> Promise<'a, Result<Standing, Failure>> {
        Box::pin(Fooling::advance(self, job, network, goal))
    }

    fn picture<'a>(&'a self, _: &'a Job<'a>) -> Promise<'a, Result<Picture, Failure>> {
        Box::pin(async { Ok(self.now()) })
    }

    fn animation<'a>(&'a self, job: &'a Job<'a>) -> Promise<'a, Result<Vec<u8>, Failure>> {
        Box::pin(async move { self.frames.to_gif(job, &rgb_of(&self.now().rgba), <[u8]>::to_vec).await })
    }
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    engine::engine(layered(&LAB, |_| EFFICIENTNET_LITE0.name, begin, &[]))
}

fn begin<'a>(with: Beginning<'a, dyn Layered>) -> Promise<'a, Result<Box<dyn Search<dyn Layered>>, Failure>> {
    Box::pin(async move {
        let photograph = with.picture.ok_or(Failure::EmptyFile)?;
        let mut fooling = Fooling::new(with.settings.read(), &photograph, with.device);
        fooling.choose(with.job, with.network).await?;
        Ok(Box::new(fooling) as Box<dyn Search<dyn Layered>>)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_within_the_limit() {
        let photograph = [0.5, 0.0, 1.0, 0.5];
        let gradient = [1.0, -1.0, 3.0, 0.0];
        let mut picture = photograph;
        for _ in 0..5 {
            moved(&mut picture, &photograph, &gradient, Norm::Largest, 1.0, 2.0);
        }
        let [largest, _] = sizes(&photograph, &picture);
        assert!((largest - 2.0).abs() < 1e-3, "{largest}");
        // Black and white are ends; where there is no slope nothing moves.
        assert_eq!(picture[1..], [0.0, 1.0, 0.5]);

        let photograph = [0.5; 4];
        let mut picture = photograph;
        moved(&mut picture, &photograph, &gradient, Norm::Euclid, 1.0, 9.0);
        let [_, root] = sizes(&photograph, &picture);
        assert!((root - 1.0).abs() < 1e-3, "{root}");
        assert!((picture[2] - 0.5) / (picture[0] - 0.5) > 2.9);
        for _ in 0..20 {
            moved(&mut picture, &photograph, &gradient, Norm::Euclid, 1.0, 9.0);
        }
        let [_, root] = sizes(&photograph, &picture);
        assert!((root - 9.0).abs() < 1e-2, "{root}");
    }
}
