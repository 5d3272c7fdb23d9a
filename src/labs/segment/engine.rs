//! A person's matte, and what is done with it.

use burn::tensor::{Device, Tensor};

use crate::methods::composite::{Effect, compose};
use crate::methods::resize::{stretch_gray, stretch_rgb, to_tensor};
use crate::models::selfie::{SELFIE, Selfie};
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use super::spec::{self, Matte, PREVIEW_SIDE, Question, SegmentSettings};
use crate::engine::lab::{Bench, LabEngine, Workload, empty_picture};
use crate::job::{Job, Promise, Reply, Request, bytes_of};

/// Side of the network's square input in pixels.
pub const INPUT_SIDE: usize = 256;

/// The network's input: `[1, 3, 256, 256]`, RGB from 0 to 1. The picture is stretched.
pub fn prepare(picture: &Picture, device: &Device) -> Tensor<4> {
    let rgb = stretch_rgb(picture, INPUT_SIDE, INPUT_SIDE);
    to_tensor(&rgb, INPUT_SIDE, INPUT_SIDE, 1.0 / 255.0, 0.0, device)
}

/// What the network said of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct RawMatte {
    /// What the network gave, 0 background to 1 person, by row.
    pub shares: Vec<f32>,
    /// 256 x 256 cells by row, 0 background to 255 person.
    pub cells: Vec<u8>,
    /// Mean of the cells, 0 to 1.
    pub coverage: f32,
}

/// Runs the network on a picture.
///
/// # Errors
/// Those of [`Job::stage`] and [`Job::read`].
pub async fn run(
    job: &Job<'_>,
    network: &Selfie,
    picture: &Picture,
    device: &Device,
) -> Result<RawMatte, Failure> {
    job.stage(Stage::Prepare).await?;
    let input = prepare(picture, device);
    job.stage(Stage::Network).await?;
    let shares = job.read(network.forward(input)).await?;
    job.stage(Stage::Postprocess).await?;
    let coverage = shares.iter().sum::<f32>() / shares.len() as f32;
    let cells = shares
        .iter()
        .map(|share| (share * 255.0).round() as u8)
        .collect();
    Ok(RawMatte {
        shares,
        cells,
        coverage,
    })
}

/// The matte stretched to the picture's shape, its longer side at most [`PREVIEW_SIDE`]: enough
/// for the page, whose thread must not handle megabytes. With its bytes, 0 background to 255 person.
pub fn preview(raw: &RawMatte, picture: &Picture) -> (Matte, Vec<u8>) {
    let longest = picture.width.max(picture.height);
    let scale = |side: usize| {
        if longest <= PREVIEW_SIDE {
            side
        } else {
            (side * PREVIEW_SIDE / longest).max(1)
        }
    };
    let (width, height) = (scale(picture.width), scale(picture.height));
    let alpha = stretch_gray(&raw.cells, [INPUT_SIDE; 2], [width, height]);
    let matte = Matte {
        width: width as u32,
        height: height as u32,
        coverage: raw.coverage,
    };
    (matte, alpha)
}

/// The picture with the chosen effect. `background` is needed by the effect `picture` alone.
///
/// # Errors
/// [`Failure::NothingToRefine`] where the effect needs a background picture and has none.
pub fn export(
    picture: &Picture,
    raw: &RawMatte,
    settings: &SegmentSettings,
    background: Option<&Picture>,
) -> Result<Picture, Failure> {
    let longer = picture.width.max(picture.height) as f32;
    let effect = match settings.effect {
        spec::Effect::Mask => Effect::Tint {
            color: settings.color,
            opacity: settings.opacity / 100.0,
        },
        spec::Effect::Blur => Effect::Blur {
            sigma: settings.blur / 1000.0 * longer,
        },
        spec::Effect::Color => Effect::Color(settings.color),
        spec::Effect::Picture => Effect::Picture(background.ok_or(Failure::NothingToRefine)?),
        spec::Effect::Cutout => Effect::CutOut,
    };
    let alpha = stretch_gray(&raw.cells, [INPUT_SIDE; 2], [picture.width, picture.height]);
    Ok(compose(picture, &alpha, &effect))
}

/// The engine's side of the lab.
pub fn engine() -> Box<dyn LabEngine> {
    Box::new(Segmentation { last: None })
}

/// The last picture, and what the network said of it.
struct Segmentation {
    last: Option<(Picture, RawMatte)>,
}

impl LabEngine for Segmentation {
    fn answer<'a>(
        &'a mut self,
        bench: Bench<'a>,
        request: Request,
    ) -> Promise<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let job = bench.job;
            match request.question()? {
                Question::Run => {
                    job.stage(Stage::Decode).await?;
                    let picture = request.picture("picture").await?;
                    let picture = picture.ok_or(Failure::EmptyFile)?;
                    job.stage(Stage::Load).await?;
                    let network = bench.shelf.get(job, &SELFIE).await?;
                    let raw = run(job, &network, &picture, &bench.device()).await?;
                    let (matte, alpha) = preview(&raw, &picture);
                    self.last = Some((picture, raw));
                    Ok(Reply::new(&matte).with("alpha", alpha))
                }
                Question::Export => {
                    let background = request.picture("background").await?;
                    let (picture, raw) = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    let settings = request.settings.read();
                    let finished = export(picture, raw, &settings, background.as_ref())?;
                    let png = bench.png(&finished, &request.settings).await?;
                    Ok(Reply::default().with("png", png))
                }
                Question::Raw => {
                    let (_, raw) = self.last.as_ref().ok_or(Failure::NothingToRefine)?;
                    Ok(Reply::default().with("raw", bytes_of(&raw.shares)))
                }
            }
        })
    }

    fn load<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move { bench.shelf.get(bench.job, &SELFIE).await.map(drop) })
    }

    fn warm_up<'a>(&'a mut self, bench: Bench<'a>) -> Promise<'a, Result<(), Failure>> {
        Box::pin(async move {
            let network = bench.shelf.get(bench.job, &SELFIE).await?;
            run(bench.job, &network, &empty_picture(), &bench.device()).await?;
            Ok(())
        })
    }

    /// Every picture takes the network as long as that of the warm-up.
    fn workload(&self, settings: &Settings) -> Option<Workload> {
        Some(Workload {
            name: SELFIE.name.into(),
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
