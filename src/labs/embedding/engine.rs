//! Lays pictures on a map by what the network makes of them.

use std::rc::Rc;

use burn::tensor::{Device, Tensor};

use super::spec::{
    COLUMNS, EmbeddingSettings, Map, Method, Metric, Near, Question, SIDE, Space, shipped,
};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Job, Promise, Reply, Request, bytes_of};
use crate::methods::pca::two_components;
use crate::methods::resize::stretch_rgb;
use crate::methods::tsne::{Options, Tsne};
use crate::models::Row;
use crate::models::channel_gate::spatial_mean;
use crate::models::efficientnet_lite::{EFFICIENTNET_LITE0, EfficientNetLite};
use crate::models::layered::Layered;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::{self, Picture};
use crate::protocol::settings::Settings;

/// Side of the pictures as the network sees them: those that ship have 64, and a map of four by four is enough to be averaged.
const SEEN: usize = 128;
/// Side of the pictures whose pixels are compared.
const PIXELS: usize = 32;
/// Pictures that go through the network together.
const TOGETHER: usize = 8;
/// Milliseconds between two maps on the way.
const REPORT_MS: f64 = 150.0;
/// Steps between two values of the divergence.
const TOLD: usize = 10;
/// Neighbours that are told.
const NEAREST: usize = 12;
/// How much wider than high a map is, at most.
const WIDER: f64 = 4.0 / 3.0;
/// Longer side of the map as a picture.
const EXPORTED: usize = 1600;

/// A picture on the map.
struct Item {
    /// [`SIDE`] x [`SIDE`] RGB bytes.
    thumb: Vec<u8>,
    features: Vec<f32>,
    pixels: Vec<f32>,
}

#[derive(Default)]
struct Embedding {
    /// Those that come with the page, then the visitor's.
    items: Vec<Item>,
    /// How many come with the page.
    shipped: usize,
    points: Vec<[f64; 2]>,
    /// Files of the last question that could not be read.
    skipped: usize,
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Embedding::default())
}

/// The middle square of a picture, as thumbs are.
fn thumb_of(picture: &Picture) -> Vec<u8> {
    let side = picture.width.min(picture.height);
    let [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
    let rows = (top..top + side).flat_map(|row| {
        let start = (row * picture.width + left) * 4;
        picture.rgba[start..start + side * 4].iter().copied()
    });
    let square = Picture { width: side, height: side, rgba: rows.collect() };
    stretch_rgb(&square, SIDE, SIDE)
}

fn opaque(rgb: &[u8], side: usize) -> Picture {
    Picture {
        width: side,
        height: side,
        rgba: picture::opaque(rgb),
    }
}

/// The features of thumbs: the means of the last map's channels.
async fn features(job: &Job<'_>, network: &EfficientNetLite, thumbs: &[Vec<u8>], device: &Device) -> Result<Vec<Vec<f32>>, Failure> {
    let layers = network.layers().layers;
    let last = layers.len() - 1;
    let mut all = Vec::with_capacity(thumbs.len());
    for some in thumbs.chunks(TOGETHER) {
        let mut values = Vec::with_capacity(some.len() * 3 * SEEN * SEEN);
        for thumb in some {
            let rgb = stretch_rgb(&opaque(thumb, SIDE), SEEN, SEEN);
            for channel in 0..3 {
                values.extend(rgb.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte) / 255.0));
            }
        }
        let pictures = burn::tensor::TensorData::new(values, [some.len(), 3, SEEN, SEEN]);
        let pass = network.pass(Tensor::from_data(pictures, device), None);
        let means = spatial_mean(pass.map(last).clone()).flatten::<2>(1, 3);
        let means = job.read(means).await?;
        all.extend(means.chunks_exact(layers[last].channels).map(<[f32]>::to_vec));
        job.report(all.len() as u32, thumbs.len() as u32, Reply::default());
        job.breathe().await?;
    }
    Ok(all)
}

/// Pictures with what is compared of them.
async fn items(job: &Job<'_>, network: &EfficientNetLite, thumbs: Vec<Vec<u8>>, device: &Device) -> Result<Vec<Item>, Failure> {
    let features = features(job, network, &thumbs, device).await?;
    let items = thumbs.into_iter().zip(features).map(|(thumb, features)| {
        let small = stretch_rgb(&opaque(&thumb, SIDE), PIXELS, PIXELS);
        let pixels = small.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Item { thumb, features, pixels }
    });
    Ok(items.collect())
}

/// A row one long, for the angle between two.
fn unit(row: &[f32]) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    row.iter().map(|value| value / length).collect()
}

fn distance(a: &[f32], b: &[f32], metric: Metric) -> f32 {
    match metric {
        Metric::Euclid => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt(),
        Metric::Cosine => {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let lengths = (dot(a, a) * dot(b, b)).sqrt().max(1e-12);
            (1.0 - dot(a, b) / lengths).max(0.0)
        }
    }
}

impl Embedding {
    fn own(&self) -> usize {
        self.items.len() - self.shipped
    }


    /// The rows that are laid out.
    fn rows(&self, settings: &EmbeddingSettings) -> Vec<Vec<f32>> {
        let of = |item: &Item| match settings.space {
            Space::Features => item.features.clone(),
            Space::Pixels => item.pixels.clone(),
        };
        let rows = self.items.iter().map(of);
        match settings.metric {
            Metric::Euclid => rows.collect(),
            // Between vectors of length one the squared difference is twice one less the cosine.
            Metric::Cosine => rows.map(|row| unit(&row)).collect(),
        }
    }

    async fn layout(&mut self, job: &Job<'_>, settings: &EmbeddingSettings) -> Result<Reply, Failure> {
        if self.items.len() < 3 {
            return Err(Failure::TooFewToMap);
        }
        job.stage(Stage::Postprocess).await?;
        let rows = self.rows(settings);
        let plane = two_components(&rows);
        job.breathe().await?;
        if settings.method == Method::Pca {
            self.points = plane.points;
            let map = Map { shares: Some(plane.shares), ..self.map(0, Vec::new()) };
            return Ok(self.reply(&map));
        }
        let options = Options {
            perplexity: f64::from(settings.perplexity),
            exaggeration: f64::from(settings.exaggeration),
            early: settings.early,
        };
        let mut tsne = Tsne::with(&rows, &plane.points, options);
        let mut divergence = vec![(0, tsne.divergence())];
        let mut reported = job.now_ms();
        while tsne.step < settings.steps && !job.pausing() {
            tsne.advance();
            if tsne.step.is_multiple_of(TOLD) || tsne.step == settings.steps {
                divergence.push((tsne.step, tsne.divergence()));
            }
            if job.now_ms() - reported >= REPORT_MS {
                self.points.clone_from(&tsne.points);
                let map = self.map(tsne.step, divergence.clone());
                job.report(tsne.step as u32, settings.steps as u32, self.reply(&map));
                job.breathe().await?;
                reported = job.now_ms();
            }
        }
        self.points.clone_from(&tsne.points);
        Ok(self.reply(&self.map(tsne.step, divergence)))
    }

    fn map(&self, step: usize, divergence: Vec<(usize, f64)>) -> Map {
        Map {
            shipped: self.shipped,
            own: self.own(),
            skipped: self.skipped,
            step,
            divergence,
            shares: None,
        }
    }

    /// Points in a box that is a third wider than high, whose middle is zero and whose half height is 1.
    fn placed(&self) -> Vec<[f32; 2]> {
        let bounds = [0, 1].map(|axis| {
            let values = self.points.iter().map(|point| point[axis]);
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        });
        let [across, down] = bounds.map(|(low, high)| (high - low) / 2.0);
        let half = (across / WIDER).max(down).max(1e-12);
        let place = |point: &[f64; 2]| {
            [0, 1].map(|axis| ((point[axis] - (bounds[axis].0 + bounds[axis].1) / 2.0) / half) as f32)
        };
        self.points.iter().map(place).collect()
    }

    fn reply(&self, map: &Map) -> Reply {
        let own = self.items[self.shipped..].iter();
        let own = own.flat_map(|item| opaque(&item.thumb, SIDE).rgba).collect();
        Reply::new(map)
            .with("points", bytes_of(self.placed().as_flattened()))
            .with("own", own)
    }

    fn near(&self, of: usize, metric: Metric) -> Option<Near> {
        let item = self.items.get(of)?;
        let nearest = |row: fn(&Item) -> &[f32]| {
            let others = self.items.iter().enumerate().filter(|(index, _)| *index != of);
            let mut others: Vec<(usize, f32)> =
                others.map(|(index, other)| (index, distance(row(item), row(other), metric))).collect();
            others.sort_by(|a, b| a.1.total_cmp(&b.1));
            others.truncate(NEAREST);
            others
        };
        Some(Near {
            of,
            features: nearest(|item| &item.features),
            pixels: nearest(|item| &item.pixels),
        })
    }

    /// The map with its pictures.
    fn drawn(&self, side: usize) -> Picture {
        let placed = self.placed();
        let [wide, high] = [0, 1].map(|axis| placed.iter().map(|point| point[axis].abs()).fold(0.1f32, f32::max));
        let half = (EXPORTED - side) as f32 / 2.0 / wide.max(high);
        let [width, height] = [wide, high].map(|reach| (2.0 * reach * half) as usize + side);
        let mut rgba = [255; 4].repeat(width * height);
        for (item, [x, y]) in self.items.iter().zip(placed) {
            let thumb = stretch_rgb(&opaque(&item.thumb, SIDE), side, side);
            let [left, top] = [((x + wide) * half) as usize, ((y + high) * half) as usize];
            for (row, line) in thumb.chunks_exact(side * 3).enumerate() {
                let start = ((top + row) * width + left) * 4;
                for (pixel, rgb) in rgba[start..start + side * 4].chunks_exact_mut(4).zip(line.chunks_exact(3)) {
                    pixel[..3].copy_from_slice(rgb);
                }
            }
        }
        Picture { width, height, rgba }
    }
}

/// The pictures of the sheet.
fn cut(sheet: &Picture) -> Result<Vec<Vec<u8>>, Failure> {
    let count = shipped();
    if sheet.width != COLUMNS * SIDE || sheet.height < count.div_ceil(COLUMNS) * SIDE {
        return Err(Failure::DamagedPicture);
    }
    let thumb = |index: usize| {
        let [left, top] = [index % COLUMNS * SIDE, index / COLUMNS * SIDE];
        let pixels = (top..top + SIDE).flat_map(|row| {
            let start = (row * sheet.width + left) * 4;
            sheet.rgba[start..start + SIDE * 4].as_chunks::<4>().0
        });
        pixels.flat_map(|&[r, g, b, _]| [r, g, b]).collect()
    };
    Ok((0..count).map(thumb).collect())
}

impl LabEngine for Embedding {
    fn answer<'a>(&'a mut self, bench: Bench<'a>, request: Request) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let (job, device) = (bench.job, bench.device());
            let settings: EmbeddingSettings = request.settings.read();
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let sheet = request.picture("sheet").await?;
                    let mut own = Vec::new();
                    self.skipped = 0;
                    for number in 0.. {
                        match request.picture(&number.to_string()).await {
                            Ok(None) => break,
                            Ok(Some(picture)) => own.push(thumb_of(&picture)),
                            Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                            // One bad file among many is left out, and told.
                            Err(_) => self.skipped += 1,
                        }
                        job.breathe().await?;
                    }
                    job.stage(Stage::Load).await?;
                    let network = bench.shelf.get(job, &EFFICIENTNET_LITE0).await?;
                    job.stage(Stage::Network).await?;
                    if let Some(sheet) = sheet.filter(|_| self.shipped == 0) {
                        let shipped = items(job, &network, cut(&sheet)?, &device).await?;
                        self.shipped = shipped.len();
                        // The visitor's stay behind those that ship.
                        self.items.splice(0..0, shipped);
                    }
                    // The same picture stands there once.
                    own.retain(|thumb| self.items.iter().all(|item| item.thumb != *thumb));
                    let own = items(job, &network, own, &device).await?;
                    self.items.extend(own);
                    self.layout(job, &settings).await
                }
                Question::Layout => {
                    self.skipped = 0;
                    self.layout(job, &settings).await
                }
                Question::Clear => {
                    self.skipped = 0;
                    self.items.truncate(self.shipped);
                    self.layout(job, &settings).await
                }
                Question::Near(of) => {
                    let near = self.near(of, settings.metric).ok_or(Failure::NothingToRefine)?;
                    Ok(Reply::new(&near))
                }
                Question::Export => {
                    if self.points.is_empty() {
                        return Err(Failure::NothingToRefine);
                    }
                    let map = self.drawn(settings.thumb as usize);
                    let png = bench.png(&map, &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &EFFICIENTNET_LITE0).await.map(drop) })
    }

    /// What counts is the network, on every picture once.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        Some(Workload {
            name: format!("{}, {SEEN} px", EFFICIENTNET_LITE0.name),
            timed: settings.clone(),
        })
    }

    /// As many pictures as go through together.
    fn trial<'a>(
        &'a mut self,
        bench: Bench<'a>,
        _: &'a Settings,
    ) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let device = bench.device();
            let known = bench.shelf.find(EFFICIENTNET_LITE0.name);
            // Zeros take as long as other numbers.
            let network = known.unwrap_or_else(|| Rc::new(EFFICIENTNET_LITE0.blank(&device)));
            let thumbs = vec![thumb_of(&plain_picture(SIDE)); TOGETHER];
            features(bench.job, &network, &thumbs, &device).await.map(drop)
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run))
    }

    fn holds(&self) -> bool {
        !self.items.is_empty()
    }
}
