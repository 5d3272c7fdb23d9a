//! Pictures to codes and back: by autoencoders at once, by a GAN through a search.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::batches::{grid_of, one_hot_of, pictures_of};
use crate::data::pack::Pack;
use crate::job::{Job, Promise, Reply, Request};
use super::spec::{EncodeSettings, Encoded, Inverted, Map as Placed, Question};
use crate::engine::lab::{Bench, LabEngine, Workload};
use crate::labs::generate::networks::{LatentModel, Network, Opened, sheet, sheet_reply};
use crate::labs::sample::engine::noises;
use crate::methods::adam::Adam;
use crate::methods::resize;
use crate::methods::statistics::{moments, principal};
use crate::methods::tsne::Tsne;
use crate::models::generate::gan::{Generate as _, Generator};
use crate::maths::draws::Draws;
use crate::protocol::failure::Failure;
use crate::protocol::generative::{CodesFrom, DataSet, Shipped, compared};
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// Pictures of the test set on the map.
pub const MAPPED: usize = 400;
/// Pictures between two.
const BETWEEN: usize = 8;

/// A visitor's picture as the networks know pictures: of the set's size, grey where the set is, and
/// bright on dark where the set is so.
pub fn fit(picture: &Picture, data: DataSet) -> Vec<u8> {
    let side = data.side();
    let rgb = resize::stretch_rgb(picture, side, side);
    if data.channels() == 3 {
        return rgb;
    }
    let mut gray: Vec<u8> = rgb
        .chunks_exact(3)
        .map(|c| ((u32::from(c[0]) * 77 + u32::from(c[1]) * 150 + u32::from(c[2]) * 29) >> 8) as u8)
        .collect();
    // The frame tells what is ground: digits and clothes lie on black.
    let frame = (0..side).flat_map(|i| [i, (side - 1) * side + i, i * side, i * side + side - 1]);
    let sum: u32 = frame.map(|at| u32::from(gray[at])).sum();
    if sum > 4 * side as u32 * 127 {
        gray.iter_mut().for_each(|v| *v = 255 - *v);
    }
    gray
}

/// What an autoencoder makes of a picture.
pub struct Coded {
    /// The code, or its middle.
    pub mean: Vec<f32>,
    /// Standard deviations; empty for a plain autoencoder.
    pub spread: Vec<f32>,
    /// The reconstruction of the middle.
    pub picture: Vec<u8>,
    /// Mean squared error, of brightness from 0 to 1.
    pub error: f32,
}

/// Codes of pictures, `[batch, latent]` row by row, and their spreads.
async fn codes_of(
    job: &Job<'_>,
    model: &LatentModel,
    pictures: &[&[u8]],
    device: &Device,
) -> Result<(Vec<f32>, Vec<f32>), Failure> {
    let Network::Autoencoder(saved) = &model.network else {
        return Err(Failure::NothingToRefine);
    };
    let data = model.shipped.data;
    let grid = grid_of(pictures, data.side(), data.channels(), device);
    let classes = saved
        .network
        .class_shift
        .is_some()
        .then(|| one_hot_of(&vec![0; pictures.len()], data.classes(), device));
    let code = saved.network.encode(grid, classes);
    let mean = job.read(code.mean).await?;
    let spread = match code.log_variance {
        Some(log_variance) => job.read((log_variance * 0.5).exp()).await?,
        None => Vec::new(),
    };
    Ok((mean, spread))
}

/// Encodes and decodes a picture.
///
/// # Errors
/// Those of [`Job::read`].
pub async fn encode(
    job: &Job<'_>,
    model: &LatentModel,
    picture: &[u8],
    device: &Device,
) -> Result<Coded, Failure> {
    let (mean, spread) = codes_of(job, model, &[picture], device).await?;
    let back = model
        .decode(job, std::slice::from_ref(&mean), 0, device)
        .await?;
    let difference = |(&a, &b): (&u8, &u8)| ((f32::from(a) - f32::from(b)) / 255.0).powi(2);
    let error = picture.iter().zip(&back).map(difference).sum::<f32>() / back.len() as f32;
    Ok(Coded {
        mean,
        spread,
        picture: back,
        error,
    })
}

/// A picture, what its code is decoded to, and what the moved code is decoded to.
///
/// # Errors
/// Those of [`Job::read`].
pub async fn edit(
    job: &Job<'_>,
    model: &LatentModel,
    picture: &[u8],
    settings: &EncodeSettings,
    device: &Device,
) -> Result<Vec<u8>, Failure> {
    let (mean, _) = codes_of(job, model, &[picture], device).await?;
    let moved = model.moved(
        mean.clone(),
        &settings.sliders.0,
        &settings.attributes.0,
    );
    let decoded = model.decode(job, &[mean, moved], 0, device).await?;
    Ok([picture, &decoded].concat())
}

/// Pictures on the straight way between two codes, of each network in a row.
///
/// # Errors
/// Those of [`Job::read`].
pub async fn between(
    job: &Job<'_>,
    models: &[&LatentModel],
    ends: [&[u8]; 2],
    device: &Device,
) -> Result<Reply, Failure> {
    let mut pictures = Vec::new();
    for model in models {
        let (codes, _) = codes_of(job, model, &ends, device).await?;
        let (a, b) = codes.split_at(model.shipped.latent);
        let at = |i: usize| {
            let t = i as f32 / (BETWEEN - 1) as f32;
            a.iter().zip(b).map(|(x, y)| x + t * (y - x)).collect()
        };
        let codes: Vec<Vec<f32>> = (0..BETWEEN).map(at).collect();
        pictures.extend(model.decode(job, &codes, 0, device).await?);
    }
    let data = models[0].shipped.data;
    Ok(sheet_reply(&pictures, data.side(), data.channels(), BETWEEN))
}

/// A map of codes.
pub struct Map {
    labels: Vec<u8>,
    has_own: bool,
    start: Vec<[f64; 2]>,
    tsne: Option<Tsne>,
    rows: Vec<Vec<f32>>,
}

impl Map {
    /// Codes of the test set on their two principal components, and of a picture of the visitor's
    /// among them.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    pub async fn begin(
        job: &Job<'_>,
        model: &LatentModel,
        test: &Pack,
        own: Option<&[u8]>,
        device: &Device,
    ) -> Result<Self, Failure> {
        let count = test.count().min(MAPPED);
        let mut pictures: Vec<&[u8]> = (0..count).map(|i| test.picture(i)).collect();
        pictures.extend(own);
        let mut codes = Vec::new();
        for chunk in pictures.chunks(100) {
            codes.extend(codes_of(job, model, chunk, device).await?.0);
            job.breathe().await?;
        }
        let latent = model.shipped.latent;
        let found = moments(&codes, latent);
        let directions = principal(found.covariance).directions;
        let rows: Vec<Vec<f32>> = codes.chunks_exact(latent).map(<[f32]>::to_vec).collect();
        let along = |row: &[f32], direction: &[f64]| -> f64 {
            let centered = row.iter().zip(found.mean.iter());
            centered
                .zip(direction)
                .map(|((&v, m), d)| (f64::from(v) - m) * d)
                .sum()
        };
        let start = rows
            .iter()
            .map(|row| [along(row, &directions[0]), along(row, &directions[1])])
            .collect();
        Ok(Self {
            labels: (0..count).map(|i| test.label(i, 0)).collect(),
            has_own: own.is_some(),
            start,
            tsne: None,
            rows,
        })
    }

    /// So many steps of t-SNE further.
    pub fn advance(&mut self, steps: u32) {
        let tsne = self
            .tsne
            .get_or_insert_with(|| Tsne::new(&self.rows, &self.start));
        (0..steps).for_each(|_| tsne.advance());
    }

    /// The map as it is.
    pub fn placed(&self) -> Placed {
        let points = self.tsne.as_ref().map_or(&self.start, |tsne| &tsne.points);
        let reach = points
            .iter()
            .flatten()
            .fold(1e-9, |m: f64, v| m.max(v.abs()));
        let mut points: Vec<[f32; 2]> = points
            .iter()
            .map(|p| p.map(|v| (v / reach) as f32))
            .collect();
        let own = if self.has_own { points.pop() } else { None };
        Placed {
            points,
            labels: self.labels.clone(),
            own,
            step: self.tsne.as_ref().map_or(0, |tsne| tsne.step as u32),
            divergence: self.tsne.as_ref().map_or(0.0, |t| t.divergence() as f32),
        }
    }
}

/// A search for the noise that makes a generator draw a picture.
pub struct Inversion {
    generator: Generator,
    goal: Tensor<3>,
    noise: Tensor<2>,
    adam: Adam<2>,
    step: u32,
}

/// How far a step of the search goes.
const INVERSION_RATE: f32 = 0.06;
/// How strongly the noise is held near the middle, where the generator was trained.
const INVERSION_PRIOR: f32 = 0.0005;

impl Inversion {
    /// Begins at a seed. `None` where the network is no generator.
    pub fn begin(model: &LatentModel, goal: &[u8], seed: u32, device: &Device) -> Option<Self> {
        let Network::Generator(saved) = &model.network else {
            return None;
        };
        let recording = device.clone().autodiff();
        let data = model.shipped.data;
        let latent = model.shipped.latent;
        let start = Draws::new(seed, 1 << 21).normals(latent);
        let start: Vec<f32> = start.iter().map(|v| v * 0.3).collect();
        let noise = Tensor::from_data(TensorData::new(start, [1, latent]), device);
        Some(Self {
            // It stands still, and its batch norms stay as they are.
            generator: saved.network.clone().fork(&recording).freeze(),
            goal: grid_of(&[goal], data.side(), data.channels(), &recording),
            adam: Adam::new(&noise),
            noise,
            step: 0,
        })
    }

    /// Takes steps; the error before each, and the picture after.
    ///
    /// # Errors
    /// Those of [`Job::read`].
    pub async fn advance(
        &mut self,
        job: &Job<'_>,
        steps: u32,
    ) -> Result<(Vec<f32>, Vec<u8>), Failure> {
        let mut errors = Vec::new();
        for _ in 0..steps {
            let noise = Tensor::from_inner(self.noise.clone()).require_grad();
            let made = (self.generator.generate(noise.clone()) + 1.0) * 0.5;
            let difference = made - self.goal.clone();
            let error = (difference.clone() * difference).mean();
            errors.push(error.clone().inner());
            let loss = error + (noise.clone() * noise.clone()).mean() * INVERSION_PRIOR;
            let gradients = loss.backward();
            if let Some(gradient) = noise.grad(&gradients) {
                let step = self.adam.step(gradient, INVERSION_RATE);
                self.noise = self.noise.clone() - step;
            }
            self.step += 1;
        }
        let errors = match errors.is_empty() {
            true => Vec::new(),
            false => job.read(Tensor::cat(errors, 0)).await?,
        };
        let made = self
            .generator
            .generate(Tensor::from_inner(self.noise.clone()));
        let [pixels, _, channels] = made.dims();
        let values = job.read(((made + 1.0) * 0.5).inner()).await?;
        Ok((errors, pictures_of(&values, pixels, 1, channels)))
    }

    /// Steps done.
    pub fn step(&self) -> u32 {
        self.step
    }
}

/// Samples of each that stand beside one another, along each side of a sheet.
const SAMPLES: usize = 8;

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Encoding::default())
}

/// The networks, the pictures that the page is about, and the work on them.
#[derive(Default)]
struct Encoding {
    opened: Opened,
    /// What [`Question::Encode`] took, with the set it belongs to.
    slots: [Option<(DataSet, Vec<u8>)>; 2],
    map: Option<Map>,
    inversion: Option<Inversion>,
}

impl Encoding {
    fn slot(&self, data: DataSet, slot: usize) -> Result<&[u8], Failure> {
        match &self.slots[slot] {
            Some((of, picture)) if *of == data => Ok(picture),
            _ => Err(Failure::NoSlot),
        }
    }

    async fn encode(
        &mut self,
        mut bench: Bench<'_>,
        request: &Request,
        slot: usize,
        offset: usize,
    ) -> Result<Reply, Failure> {
        let settings: EncodeSettings = request.settings.read();
        let data = settings.data.set();
        let networks = compared(data);
        let plain = self.opened.get(&mut bench, networks.plain).await?;
        let variational = self.opened.get(&mut bench, networks.variational).await?;
        let picture = match request.picture("picture").await? {
            Some(picture) => fit(&picture, data),
            None => {
                let name = format!("{}-test.pack", data.name());
                let pack = bench.shelf.pack(bench.job, &name).await?;
                pack.picture((settings.item + offset) % pack.count()).to_vec()
            }
        };
        let (job, device) = (bench.job, bench.device());
        let a = encode(job, &plain, &picture, &device).await?;
        let b = encode(job, &variational, &picture, &device).await?;
        let shown = [&picture[..], &a.picture, &b.picture].concat();
        let (sheet, rgba) = sheet(&shown, data.side(), data.channels(), 3);
        self.slots[slot.min(1)] = Some((data, picture));
        if slot == 0 {
            self.inversion = None;
            self.map = None;
        }
        let encoded = Encoded {
            sheet,
            plain: a.mean,
            mean: b.mean,
            spread: b.spread,
            errors: [a.error, b.error],
        };
        Ok(Reply::new(&encoded).with("rgba", rgba))
    }

    async fn map(
        &mut self,
        mut bench: Bench<'_>,
        data: DataSet,
        begin: bool,
        steps: u32,
    ) -> Result<Reply, Failure> {
        if begin || self.map.is_none() {
            let shipped = compared(data).variational;
            let model = self.opened.get(&mut bench, shipped).await?;
            let name = format!("{}-test.pack", data.name());
            let pack = bench.shelf.pack(bench.job, &name).await?;
            let own = self.slot(data, 0).ok();
            let device = bench.device();
            self.map = Some(Map::begin(bench.job, &model, &pack, own, &device).await?);
        }
        let map = self.map.as_mut().expect("just made");
        map.advance(steps);
        Ok(Reply::new(&map.placed()))
    }

    async fn invert(
        &mut self,
        mut bench: Bench<'_>,
        settings: &EncodeSettings,
        begin: bool,
        steps: u32,
    ) -> Result<Reply, Failure> {
        let data = settings.data.set();
        if begin || self.inversion.is_none() {
            let shipped = compared(data).adversarial;
            let model = self.opened.get(&mut bench, shipped).await?;
            let goal = self.slot(data, 0)?;
            self.inversion = Inversion::begin(&model, goal, settings.seed, &bench.device());
        }
        let goal = self.slot(data, 0)?.to_vec();
        let inversion = self.inversion.as_mut().ok_or(Failure::NoSlot)?;
        let (errors, picture) = inversion.advance(bench.job, steps).await?;
        let shown = [goal, picture].concat();
        let (sheet, rgba) = sheet(&shown, data.side(), data.channels(), 2);
        let inverted = Inverted {
            sheet,
            step: inversion.step(),
            errors,
        };
        Ok(Reply::new(&inverted).with("rgba", rgba))
    }

    /// Samples of a network, drawn from all of its latent space.
    async fn samples(
        &mut self,
        mut bench: Bench<'_>,
        shipped: &'static Shipped,
        seed: u32,
    ) -> Result<Reply, Failure> {
        let model = self.opened.get(&mut bench, shipped).await?;
        let noises = noises(seed, shipped.latent, 1.0, SAMPLES * SAMPLES);
        let codes: Vec<_> = noises.iter().map(|noise| model.code(noise, CodesFrom::Prior)).collect();
        let pictures = model.decode(bench.job, &codes, 0, &bench.device()).await?;
        let data = shipped.data;
        Ok(sheet_reply(&pictures, data.side(), data.channels(), SAMPLES))
    }
}

impl LabEngine for Encoding {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let settings: EncodeSettings = request.settings.read();
            let data = settings.data.set();
            match request.question()? {
                Question::Encode { slot, offset } => {
                    self.encode(bench, &request, slot, offset).await
                }
                Question::Edit => {
                    let shipped = compared(data).variational;
                    let model = self.opened.get(&mut bench, shipped).await?;
                    let picture = self.slot(data, 0)?;
                    let (job, device) = (bench.job, bench.device());
                    let edited = edit(job, &model, picture, &settings, &device).await?;
                    Ok(sheet_reply(&edited, data.side(), data.channels(), 3))
                }
                Question::Between => {
                    let networks = compared(data);
                    let plain = self.opened.get(&mut bench, networks.plain).await?;
                    let variational = self.opened.get(&mut bench, networks.variational).await?;
                    let ends = [self.slot(data, 0)?, self.slot(data, 1)?];
                    between(bench.job, &[&plain, &variational], ends, &bench.device()).await
                }
                Question::Map { begin, steps } => self.map(bench, data, begin, steps).await,
                Question::Invert { begin, steps } => {
                    self.invert(bench, &settings, begin, steps).await
                }
                Question::Samples { gan } => {
                    let networks = compared(data);
                    let shipped = match gan {
                        true => networks.adversarial,
                        false => networks.variational,
                    };
                    self.samples(bench, shipped, settings.seed).await
                }
            }
        })
    }

    /// The networks of a set: a picture through both autoencoders, with which everything begins.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        let data = settings.read::<EncodeSettings>().data.set();
        Some(Workload {
            name: data.name().into(),
            timed: settings.clone(),
        })
    }

    fn trial<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        settings: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let data = settings.read::<EncodeSettings>().data.set();
            let networks = compared(data);
            let picture = vec![127; data.values()];
            for shipped in [networks.plain, networks.variational] {
                let model = self.opened.get(&mut bench, shipped).await?;
                encode(bench.job, &model, &picture, &bench.device()).await?;
            }
            Ok(())
        })
    }

    /// All but a new picture is about the one that was taken.
    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Encode { slot: 0, .. }))
    }

    fn holds(&self) -> bool {
        self.slots.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(rgb: [u8; 3]) -> Picture {
        Picture {
            width: 40,
            height: 30,
            rgba: [rgb[0], rgb[1], rgb[2], 255].repeat(1200),
        }
    }

    #[test]
    fn a_bright_ground_becomes_a_dark_one() {
        assert!(
            fit(&plain([250, 250, 250]), DataSet::Digits)
                .iter()
                .all(|&v| v < 10)
        );
        assert!(
            fit(&plain([5, 5, 5]), DataSet::Digits)
                .iter()
                .all(|&v| v < 10)
        );
        let colored = fit(&plain([250, 10, 20]), DataSet::Avatars);
        assert_eq!(colored.len(), 64 * 64 * 3);
        assert_eq!(colored[..3], [250, 10, 20]);
    }
}
