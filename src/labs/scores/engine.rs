//! Inception score and Fréchet distance, on the features of a small classifier.

use burn::tensor::{Device, activation};

use crate::data::batches::grid_of;
use crate::data::pack::Pack;
use crate::job::{Job, Promise, Reply, Request};
use super::spec::{MOST, Question, SCORED as WORDS, Scores, ScoresSettings};
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::labs::generate::networks::{Opened, sheet};
use crate::labs::sample::engine::noises;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::methods::statistics::{Moments, frechet, inception_score, moments};
use crate::models::generate::classifier::{FEATURES, LeNet, lenet};
use crate::maths::draws::Draws;
use crate::models::inception_v3::{self, InceptionV3};
use crate::protocol::failure::Failure;
use crate::protocol::generative::{CodesFrom, DataSet};
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// Pictures of a trial: what goes through the judge at once.
const TRIED: usize = 100;
/// Pictures shown of those that were scored, in a row.
const SHOWN_COLUMNS: usize = 10;
/// Rows of them.
const SHOWN_ROWS: usize = 4;

/// What the classifier makes of pictures.
pub struct Judged {
    /// `FEATURES` numbers each.
    pub features: Vec<f32>,
    /// Probabilities of the classes, as many each as there are classes.
    pub probabilities: Vec<f32>,
}

/// Runs Inception-v3 on pictures of any size, stretched to the side that it was trained on.
///
/// # Errors
/// Those of [`Job::read`] and [`Job::breathe`].
pub async fn judge_by_inception(
    job: &Job<'_>,
    network: &InceptionV3,
    pictures: &[u8],
    [side, channels]: [usize; 2],
    device: &Device,
) -> Result<Judged, Failure> {
    let mut judged = Judged {
        features: Vec::new(),
        probabilities: Vec::new(),
    };
    for bytes in pictures.chunks_exact(side * side * channels) {
        let (sheet, rgba) = sheet(bytes, side, channels, 1);
        let picture = Picture {
            width: sheet.side as usize,
            height: sheet.side as usize,
            rgba,
        };
        let rgb = stretch_rgb(&picture, inception_v3::SIDE, inception_v3::SIDE);
        let size = inception_v3::SIDE;
        let input = to_tensor(&rgb, size, size, 1.0 / 127.5, -1.0, device);
        let features = network.features(input);
        let sure = activation::softmax(network.classify(features.clone()), 1);
        judged.features.extend(job.read(features).await?);
        judged.probabilities.extend(job.read(sure).await?);
        job.breathe().await?;
    }
    Ok(judged)
}

/// Runs the classifier on pictures of 28x28 bytes each.
///
/// # Errors
/// Those of [`Job::read`] and [`Job::breathe`].
pub async fn judge(
    job: &Job<'_>,
    classifier: &LeNet,
    pictures: &[u8],
    device: &Device,
) -> Result<Judged, Failure> {
    let pictures: Vec<&[u8]> = pictures.chunks_exact(784).collect();
    let mut judged = Judged {
        features: Vec::new(),
        probabilities: Vec::new(),
    };
    for chunk in pictures.chunks(100) {
        let features = classifier.features(grid_of(chunk, 28, 1, device));
        let sure = activation::softmax(classifier.classify(features.clone()), 1);
        judged.features.extend(job.read(features).await?);
        judged.probabilities.extend(job.read(sure).await?);
        job.breathe().await?;
    }
    Ok(judged)
}

/// Index of the largest number of each row.
pub fn answers(probabilities: &[f32], classes: usize) -> Vec<usize> {
    probabilities
        .chunks_exact(classes)
        .map(|row| {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(0, |(index, _)| index)
        })
        .collect()
}

/// What a visitor does to pictures to see the scores answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corruption {
    /// Standard deviation of a Gaussian blur, in pixels.
    pub blur: f32,
    /// Standard deviation of noise, of a brightness of 1.
    pub noise: f32,
    /// Decides the noise.
    pub seed: u32,
}

/// Blurs and adds noise. Pictures of 28x28.
pub fn corrupted(pictures: &[u8], corruption: Corruption) -> Vec<u8> {
    let mut draws = Draws::new(corruption.seed, 1 << 22);
    let mut out = Vec::with_capacity(pictures.len());
    for picture in pictures.chunks_exact(784) {
        let mut values: Vec<f32> = picture.iter().map(|&v| f32::from(v) / 255.0).collect();
        if corruption.blur > 0.0 {
            values = blurred(&values, corruption.blur);
        }
        if corruption.noise > 0.0 {
            values
                .iter_mut()
                .for_each(|v| *v += corruption.noise * draws.normal());
        }
        out.extend(
            values
                .iter()
                .map(|v| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8),
        );
    }
    out
}

/// Gaussian blur of 28x28 numbers, rows then columns; outside is black.
fn blurred(values: &[f32], deviation: f32) -> Vec<f32> {
    let reach = (3.0 * deviation).ceil() as isize;
    let weight = |d: isize| (-0.5 * (d as f32 / deviation).powi(2)).exp();
    let sum: f32 = (-reach..=reach).map(weight).sum();
    let pass = |values: &[f32], along: usize, across: usize| -> Vec<f32> {
        let mut out = vec![0.0; 784];
        for line in 0..28 {
            for at in 0..28isize {
                let near = (-reach..=reach).filter(|d| (0..28).contains(&(at + d)));
                let total: f32 = near
                    .map(|d| weight(d) * values[line * across + (at + d) as usize * along])
                    .sum();
                out[line * across + at as usize * along] = total / sum;
            }
        }
        out
    };
    pass(&pass(values, 1, 28), 28, 1)
}

impl Judged {
    /// What was made of the first `count` pictures, or of all that there are: their features, and their
    /// probabilities.
    fn first(&self, count: usize) -> (&[f32], &[f32]) {
        let count = count.min(self.features.len() / FEATURES);
        let probabilities = &self.probabilities[..count * self.classes()];
        (&self.features[..count * FEATURES], probabilities)
    }

    fn classes(&self) -> usize {
        self.probabilities.len() / (self.features.len() / FEATURES).max(1)
    }
}

/// Mean and covariance of the features of a reference set.
pub fn reference(judged: &Judged) -> Moments {
    moments(&judged.features, FEATURES)
}

/// Which of the pictures that were judged are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The first so many.
    pub count: usize,
    /// Of those, what the classifier sees in the first so many classes.
    pub classes: usize,
}

/// Scores pictures that were judged against a reference.
///
/// # Errors
/// [`Failure::TooFew`] where fewer than two pictures are left.
pub fn score(
    pictures: &[u8],
    judged: &Judged,
    reference: &Moments,
    taken: Taken,
) -> Result<(Scores, Vec<u8>), Failure> {
    let classes = judged.classes();
    let (features, probabilities) = judged.first(taken.count);
    let answers = answers(probabilities, classes);
    let kept: Vec<usize> = (0..answers.len())
        .filter(|&i| answers[i] < taken.classes)
        .collect();
    if kept.len() < 2 {
        return Err(Failure::TooFew);
    }
    let rows = |values: &[f32], each: usize| -> Vec<f32> {
        let row = |&i: &usize| values[i * each..(i + 1) * each].to_vec();
        kept.iter().flat_map(row).collect()
    };
    let features = rows(features, FEATURES);
    let probabilities = rows(probabilities, classes);
    let [means, covariances] = frechet(reference, &moments(&features, FEATURES));
    let mut shares = vec![0f32; classes];
    for &index in &kept {
        shares[answers[index]] += 1.0 / kept.len() as f32;
    }
    let surest = probabilities
        .chunks_exact(classes)
        .map(|row| row.iter().copied().fold(0.0, f32::max));
    let certainty = surest.sum::<f32>() / kept.len() as f32;
    let shown: Vec<u8> = kept
        .iter()
        .take(SHOWN_COLUMNS * SHOWN_ROWS)
        .flat_map(|&i| pictures[i * 784..(i + 1) * 784].to_vec())
        .collect();
    let (sheet, rgba) = sheet(&shown, 28, 1, SHOWN_COLUMNS);
    let scores = Scores {
        sheet,
        count: kept.len() as u32,
        frechet: [means as f32, covariances as f32],
        inception: inception_score(&probabilities, classes) as f32,
        classes: shares,
        certainty,
    };
    Ok((scores, rgba))
}

/// The first pictures of a pack, at most [`MOST`].
pub fn real_pictures(pack: &Pack) -> &[u8] {
    &pack.pixels[..pack.values() * pack.count().min(MOST)]
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Scoring::default())
}

/// Whose pictures are scored, of which seed, and where their codes come from.
type Drawn = (&'static str, u32, CodesFrom);

/// The judge, and what was judged last: how many of it are scored, and which classes, is a matter of
/// statistics alone.
#[derive(Default)]
struct Scoring {
    opened: Opened,
    /// The set whose classifier judges, and mean and covariance of its test pictures.
    reference: Option<(DataSet, Moments)>,
    /// Pictures, with what they are of.
    pictures: Option<(Drawn, Vec<u8>)>,
    /// The same with what was done to them, and what the classifier makes of it.
    judged: Option<((Drawn, Corruption), Vec<u8>, Judged)>,
}

impl LabEngine for Scoring {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let Question::Score = request.question()?;
            let settings: ScoresSettings = request.settings.read();
            let data = settings.data();
            let (job, device) = (bench.job, bench.device());
            let test = format!("{}-test.pack", data.name());
            let test = bench.shelf.pack(job, &test).await?;
            let row = lenet(data).ok_or(Failure::Misunderstood)?;
            let classifier = bench.shelf.get(job, &row).await?;
            if self.reference.as_ref().is_none_or(|(of, _)| *of != data) {
                let judged = judge(job, &classifier, real_pictures(&test), &device).await?;
                self.reference = Some((data, reference(&judged)));
            }
            let drawn = (WORDS[settings.model.0], settings.seed, settings.codes_from);
            if self.pictures.as_ref().is_none_or(|(of, _)| *of != drawn) {
                let pictures = match settings.shipped() {
                    None => {
                        let part = format!("{}-{}.pack", data.name(), settings.part());
                        let pack = bench.shelf.pack(job, &part).await?;
                        real_pictures(&pack).to_vec()
                    }
                    Some(shipped) => {
                        let model = self.opened.get(&mut bench, shipped).await?;
                        let noises = noises(settings.seed, shipped.latent, 1.0, MOST);
                        let code = |noise: &Vec<f32>| model.code(noise, settings.codes_from);
                        let codes: Vec<_> = noises.iter().map(code).collect();
                        model.decode(job, &codes, 0, &device).await?
                    }
                };
                self.pictures = Some((drawn, pictures));
            }
            let corruption = Corruption {
                blur: settings.blur,
                noise: settings.noise,
                seed: settings.seed,
            };
            let key = (drawn, corruption);
            let (_, pictures) = self.pictures.as_ref().expect("just made");
            if self.judged.as_ref().is_none_or(|(of, ..)| *of != key) {
                let pictures = corrupted(pictures, corruption);
                let judged = judge(job, &classifier, &pictures, &device).await?;
                self.judged = Some((key, pictures, judged));
            }
            let (_, reference) = self.reference.as_ref().expect("just made");
            let (_, pictures, judged) = self.judged.as_ref().expect("just made");
            let taken = Taken {
                count: settings.count,
                classes: settings.classes,
            };
            let (scores, rgba) = score(pictures, judged, reference, taken)?;
            Ok(Reply::new(&scores).with("rgba", rgba))
        })
    }

    /// The network whose pictures are scored, and with it the judge.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let model = settings.read::<ScoresSettings>().model;
        Some(Workload {
            name: WORDS[model.0].into(),
            timed: settings.clone(),
        })
    }

    /// Draws and judges a part of the pictures.
    fn trial<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let settings: ScoresSettings = settings.read();
            let (job, device) = (bench.job, bench.device());
            let row = lenet(settings.data()).ok_or(Failure::Misunderstood)?;
            let classifier = bench.shelf.get(job, &row).await?;
            let pictures = match settings.shipped() {
                None => vec![127; settings.data().values() * TRIED],
                Some(shipped) => {
                    let model = self.opened.get(&mut bench, shipped).await?;
                    let noises = noises(settings.seed, shipped.latent, 1.0, TRIED);
                    let codes: Vec<_> = noises.iter().map(|noise| model.code(noise, settings.codes_from)).collect();
                    model.decode(job, &codes, 0, &device).await?
                }
            };
            judge(job, &classifier, &pictures, &device).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_light_and_spreads_it() {
        let mut values = vec![0.0; 784];
        values[14 * 28 + 14] = 1.0;
        let out = blurred(&values, 1.0);
        assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        assert!(out[14 * 28 + 14] < 0.2 && out[14 * 28 + 15] > 0.05);
        assert!((out[13 * 28 + 14] - out[14 * 28 + 13]).abs() < 1e-6);
    }

    #[test]
    fn no_corruption_leaves_pictures_alone_and_noise_follows_its_seed() {
        let pictures: Vec<u8> = (0..784).map(|v| (v % 251) as u8).collect();
        let none = Corruption {
            blur: 0.0,
            noise: 0.0,
            seed: 1,
        };
        assert_eq!(corrupted(&pictures, none), pictures);
        let noisy = Corruption { noise: 0.2, ..none };
        assert_eq!(corrupted(&pictures, noisy), corrupted(&pictures, noisy));
        assert_ne!(
            corrupted(&pictures, noisy),
            corrupted(&pictures, Corruption { seed: 2, ..noisy })
        );
    }

    #[test]
    fn the_largest_probability_is_the_answer() {
        assert_eq!(answers(&[0.1, 0.9, 0.6, 0.4], 2), [1, 0]);
    }
}
