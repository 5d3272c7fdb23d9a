//! Classifies a picture, and finds what in it speaks for a class.

use burn::tensor::{Device, Tensor, TensorData};
use strum::VariantArray;

use super::maps::{BLACK, Last, Map, Seen, Work, enlarged, least, similarity, softmax};
use super::spec::{Cutout, ExplainSettings, Method, Nudge, Question};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Promise, Reply, Request, bytes_of};
use crate::maths::color_map::{diverging, inferno};
use crate::methods::attribution::drawn;
use crate::methods::cut_out::{CutOptions, cut_out};
use crate::methods::luminance::luma;
use crate::methods::resize::{stretch_gray, stretch_rgb, to_tensor, working_size};
use crate::models::conv_block::Rectifiers;
use crate::models::efficientnet_lite::{EFFICIENTNET_LITE0, SIDE};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// The longer side of what the network sees is at most so many times the shorter one.
const LONGEST: usize = 2;
/// Seed of weights that are drawn at random.
const WEIGHTS: u32 = 0;
/// Side of the square that is brightened, in the network's pixels; by how many levels of 0 to 255; and what white is.
const NUDGED: usize = 16;
const LEVELS: f32 = 4.0;
const WHITE: f32 = 1.0;

/// Rows and columns of what the network sees of a picture: its shorter side is 224, its shape stays unless one side is
/// more than twice the other.
pub fn seen_size(picture: &Picture) -> [usize; 2] {
    let shorter = picture.width.min(picture.height);
    [picture.height, picture.width]
        .map(|side| ((side * SIDE + shorter / 2) / shorter).min(LONGEST * SIDE))
}

/// The network's input: `[1, 3, rows, columns]`, RGB, `(x - 127) / 128`.
pub fn prepare(picture: &Picture, [rows, columns]: [usize; 2], device: &Device) -> Tensor<4> {
    let rgb = stretch_rgb(picture, columns, rows);
    to_tensor(&rgb, columns, rows, 1.0 / 128.0, BLACK, device)
}

/// The map in its colours over the picture; over a grey one where the map has two colours, because those of the
/// picture would pass for evidence.
fn painted(seen: &Seen, map: &Map, settings: &ExplainSettings) -> Picture {
    let signed = settings.method.is_signed();
    let (bytes, _) = drawn(&map.values, signed, least(settings));
    let shares = Map {
        values: bytes.iter().map(|&byte| f32::from(byte)).collect(),
        size: map.size,
        sum: None,
        similarity: None,
    };
    let picture = &seen.picture;
    let places = enlarged(&shares, [picture.height, picture.width]);
    let opacity = settings.opacity / 100.0;
    let mut rgba = picture.rgba.clone();
    for (pixel, place) in rgba.chunks_exact_mut(4).zip(places) {
        let color = if signed {
            diverging((place - 128.0) / 127.0)
        } else {
            inferno(place / 255.0)
        };
        let gray = luma([pixel[0], pixel[1], pixel[2]]);
        for (channel, color) in pixel.iter_mut().zip(color) {
            let below = if signed { gray } else { f32::from(*channel) };
            *channel = (below + opacity * (f32::from(color) - below)).round() as u8;
        }
        pixel[3] = 255;
    }
    Picture { rgba, ..*picture }
}

/// The longer side at which something is cut out: a tenth of a second.
const CUT_SIDE: usize = 256;

/// What the map points at, opaque, at the size that it was cut out at; and what share of the picture it is.
fn cut(seen: &Seen, map: &Map) -> (Picture, f32) {
    let [width, height] = working_size(&seen.picture, CUT_SIDE);
    let rgb = stretch_rgb(&seen.picture, width, height);
    let size = [height, width];
    let cut = cut_out(&rgb, size, &enlarged(map, size), &CutOptions::default());
    let count = cut.foreground.iter().filter(|&&is_object| is_object).count();
    let pixels = rgb.as_chunks::<3>().0.iter().zip(&cut.foreground);
    let rgba = pixels.flat_map(|(&[r, g, b], &is_object)| [r, g, b, if is_object { 255 } else { 0 }]);
    let picture = Picture {
        width,
        height,
        rgba: rgba.collect(),
    };
    (picture, count as f32 / cut.foreground.len() as f32)
}

/// The same at the picture's own size: edges become as soft as the enlargement makes them.
fn cut_large(seen: &Seen, map: &Map) -> Picture {
    let (small, _) = cut(seen, map);
    let alpha: Vec<u8> = small.rgba.iter().skip(3).step_by(4).copied().collect();
    let picture = &seen.picture;
    let alpha = stretch_gray(&alpha, [small.width, small.height], [picture.width, picture.height]);
    let mut rgba = picture.rgba.clone();
    for (pixel, alpha) in rgba.chunks_exact_mut(4).zip(alpha) {
        pixel[3] = (u16::from(pixel[3]) * u16::from(alpha) / 255) as u8;
    }
    Picture { rgba, ..*picture }
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Explanation { last: None })
}

struct Explanation {
    last: Option<Last>,
}

impl Explanation {
    /// Explains the last picture, and keeps the map.
    async fn explain(&mut self, bench: &mut Bench<'_>, settings: &Settings) -> Result<Reply, Failure> {
        let settings: ExplainSettings = settings.read();
        let (map, reply) = self.map(bench, &settings, false).await?;
        let last = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
        last.map = Some((map, settings));
        Ok(reply)
    }

    /// The map of some settings, by the network as it is or with random layers.
    async fn map(
        &self,
        bench: &mut Bench<'_>,
        settings: &ExplainSettings,
        quiet: bool,
    ) -> Result<(Map, Reply), Failure> {
        let network = bench.shelf.get(bench.job, &EFFICIENTNET_LITE0).await?;
        let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
        let trained = Work {
            job: bench.job,
            network: &network,
            seen: &last.seen,
            trained: &last.seen,
            settings,
            class: last.class(settings),
            quiet,
        };
        if settings.random == 0 {
            let map = trained.map().await?;
            let reply = trained.reply(&map);
            return Ok((map, reply));
        }
        let random = network.randomised(settings.random, WEIGHTS);
        let seen = last.seen.by(bench.job, &random).await?;
        let work = Work {
            network: &random,
            seen: &seen,
            ..trained
        };
        let mut map = work.map().await?;
        let before = Work { quiet: true, ..trained }.map().await?;
        map.similarity = Some(similarity(&map.values, &before.values));
        let reply = work.reply(&map);
        Ok((map, reply))
    }

    /// Brightens a square of the last picture, and compares what the gradient promised.
    async fn nudge(
        &self,
        bench: &mut Bench<'_>,
        settings: &ExplainSettings,
        [across, down]: [f32; 2],
    ) -> Result<Nudge, Failure> {
        let job = bench.job;
        let network = bench.shelf.get(job, &EFFICIENTNET_LITE0).await?;
        let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
        let (seen, class) = (&last.seen, last.class(settings));
        let work = Work {
            job,
            network: &network,
            seen,
            trained: seen,
            settings,
            class,
            quiet: true,
        };
        let gradient = work.gradient(&seen.trace, Rectifiers::Gradient);
        let gradient = job.read(gradient).await?;
        let mut pixels = job.read(seen.input.clone()).await?;
        let [height, width] = seen.size;
        let along = |share: f32, side: usize| {
            let middle = (share.clamp(0.0, 1.0) * side as f32) as usize;
            let start = middle.saturating_sub(NUDGED / 2).min(side.saturating_sub(NUDGED));
            start..side.min(start + NUDGED)
        };
        let (rows, columns) = (along(down, height), along(across, width));
        let mut promised = 0.0;
        for channel in 0..3 {
            for row in rows.clone() {
                for column in columns.clone() {
                    let at = (channel * height + row) * width + column;
                    let before = pixels[at];
                    // White is the end.
                    pixels[at] = (before + LEVELS / 128.0).min(WHITE);
                    promised += gradient[at] * (pixels[at] - before);
                }
            }
        }
        let pixels = TensorData::new(pixels, seen.input.dims());
        let logits = network.forward(Tensor::from_data(pixels, &seen.input.device()));
        let logits = job.read(logits).await?;
        let probability = softmax(&logits)[class] - seen.probabilities[class];
        let share = |place: usize, side: usize| place as f32 / side as f32;
        Ok(Nudge {
            class,
            square: [
                share(columns.start, width),
                share(rows.start, height),
                share(columns.end, width),
                share(rows.end, height),
            ],
            levels: LEVELS,
            promised,
            measured: logits[class] - seen.logits[class],
            probability,
        })
    }
}

impl LabEngine for Explanation {
    fn answer<'a>(
        &'a mut self,
        mut bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            match request.question()? {
                Question::Run => {
                    let job = bench.job;
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let picture = picture.ok_or(Failure::EmptyFile)?;
                    job.stage(Stage::Load).await?;
                    let network = bench.shelf.get(job, &EFFICIENTNET_LITE0).await?;
                    let seen = Seen::new(job, &network, picture, &bench.device()).await?;
                    self.last = Some(Last { seen, map: None });
                    self.explain(&mut bench, &request.settings).await
                }
                Question::Explain => self.explain(&mut bench, &request.settings).await,
                Question::By(number) => {
                    let method = *Method::VARIANTS.get(number).ok_or(Failure::Misunderstood)?;
                    let settings = ExplainSettings {
                        method,
                        ..request.settings.read()
                    };
                    let (_, reply) = self.map(&mut bench, &settings, true).await?;
                    Ok(reply)
                }
                Question::Nudge(place) => {
                    let settings = request.settings.read();
                    let nudge = self.nudge(&mut bench, &settings, place).await?;
                    Ok(Reply::new(&nudge))
                }
                Question::Export => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let (map, explained) = last.map.as_ref().ok_or(Failure::NothingToRefine)?;
                    // As the map was made, as opaque as it is shown now.
                    let settings = ExplainSettings {
                        opacity: request.settings.read::<ExplainSettings>().opacity,
                        ..explained.clone()
                    };
                    let finished = painted(&last.seen, map, &settings);
                    let png = bench.png(&finished, &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Cut => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let (map, _) = last.map.as_ref().ok_or(Failure::NothingToRefine)?;
                    let (picture, share) = cut(&last.seen, map);
                    let says = Cutout {
                        size: [picture.width, picture.height],
                        share,
                    };
                    Ok(Reply::new(&says).with("rgba", picture.rgba))
                }
                Question::ExportCut => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let (map, _) = last.map.as_ref().ok_or(Failure::NothingToRefine)?;
                    let picture = cut_large(&last.seen, map);
                    let png = bench.png(&picture, &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Raw => {
                    let last = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let (map, _) = last.map.as_ref().ok_or(Failure::NothingToRefine)?;
                    Ok(Reply::default().with("raw", bytes_of(&map.values)))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = bench.shelf.get(bench.job, &EFFICIENTNET_LITE0);
            network.await.map(drop)
        })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = bench.shelf.get(bench.job, &EFFICIENTNET_LITE0).await?;
            let picture = plain_picture(SIDE * 3 / 2);
            let seen = Seen::new(bench.job, &network, picture, &bench.device()).await?;
            // All the way back, so that no method meets what was never run.
            let settings = ExplainSettings {
                method: Method::Gradient,
                ..Settings::new(&super::spec::LAB).read()
            };
            let work = Work {
                job: bench.job,
                network: &network,
                seen: &seen,
                trained: &seen,
                settings: &settings,
                class: 0,
                quiet: true,
            };
            work.map().await.map(drop)
        })
    }

    /// What counts is the network; the other methods are it several times.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        Some(Workload {
            name: EFFICIENTNET_LITE0.name.into(),
            timed: settings.clone(),
        })
    }

    fn goes_on(&self, request: &Request) -> bool {
        !matches!(request.question(), Ok(Question::Run))
    }

    fn holds(&self) -> bool {
        self.last.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sees_the_picture_s_shape() {
        let of = |width, height| {
            let rgba = vec![255; width * height * 4];
            seen_size(&Picture {
                width,
                height,
                rgba,
            })
        };
        assert_eq!(of(600, 400), [224, 336]);
        assert_eq!(of(400, 600), [336, 224]);
        assert_eq!(of(1, 1), [224, 224]);
        // A strip is squeezed.
        assert_eq!(of(1000, 10), [224, 448]);
    }
}
