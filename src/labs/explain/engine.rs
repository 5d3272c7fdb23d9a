//! Classifies a picture, and finds what in it speaks for a class.

use burn::tensor::{Device, Tensor};

use super::maps::{BLACK, Last, Map, Seen, Work, enlarged, least};
use super::spec::{ExplainSettings, Method, Question};
use crate::engine::lab::{Bench, LabEngine, Workload, plain_picture};
use crate::job::{Promise, Reply, Request, bytes_of};
use crate::maths::color_map::{diverging, inferno};
use crate::methods::attribution::drawn;
use crate::methods::resize::{stretch_rgb, to_tensor};
use crate::models::efficientnet_lite::{EFFICIENTNET_LITE0, SIDE};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

/// The longer side of what the network sees is at most so many times the shorter one.
const LONGEST: usize = 2;

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

/// The map in its colours over the picture.
fn painted(seen: &Seen, map: &Map, settings: &ExplainSettings) -> Picture {
    let signed = settings.method.is_signed();
    let (bytes, _) = drawn(&map.values, signed, least(settings));
    let shares = Map {
        values: bytes.iter().map(|&byte| f32::from(byte)).collect(),
        size: map.size,
        sum: None,
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
        for (channel, color) in pixel.iter_mut().zip(color) {
            let below = f32::from(*channel);
            *channel = (below + opacity * (f32::from(color) - below)).round() as u8;
        }
        pixel[3] = 255;
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
        let network = bench.shelf.get(bench.job, &EFFICIENTNET_LITE0).await?;
        let last = self.last.as_mut().ok_or(Failure::NothingToRefine)?;
        let settings: ExplainSettings = settings.read();
        let class = match settings.class.0 {
            0 => last.seen.ranked()[0],
            // The first word is none of the classes.
            word => word - 1,
        };
        let work = Work {
            job: bench.job,
            network: &network,
            seen: &last.seen,
            settings: &settings,
            class,
        };
        let map = work.map().await?;
        let reply = work.reply(&map);
        last.map = Some((map, settings));
        Ok(reply)
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
                settings: &settings,
                class: 0,
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
