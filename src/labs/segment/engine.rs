//! A person's matte, and what is done with it.

use burn::tensor::{Device, Tensor};

use crate::labs::segment::spec::{self as segment, Matte, PREVIEW_SIDE};
use crate::methods::composite::{Effect, compose};
use crate::methods::resize::{stretch_gray, stretch_rgb, to_tensor};
use crate::models::selfie::Selfie;
use crate::protocol::failure::Failure;
use crate::protocol::message::Stage;
use crate::protocol::picture::Picture;
use crate::protocol::settings::Settings;

use crate::job::Job;

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
/// for the page, whose thread must not handle megabytes.
pub fn preview(raw: &RawMatte, picture: &Picture) -> Matte {
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
    Matte {
        width: width as u32,
        height: height as u32,
        alpha,
        coverage: raw.coverage,
    }
}

/// The picture with the chosen effect. `background` is needed by the effect `picture` alone.
///
/// # Errors
/// [`Failure::NothingToRefine`] where the effect needs a background picture and has none.
pub fn export(
    picture: &Picture,
    raw: &RawMatte,
    settings: &Settings,
    background: Option<&Picture>,
) -> Result<Picture, Failure> {
    let color = settings.color(segment::COLOR);
    let longer = picture.width.max(picture.height) as f32;
    let effect = match settings.choice(segment::EFFECT) {
        "mask" => Effect::Tint {
            color,
            opacity: settings.number(segment::OPACITY) / 100.0,
        },
        "blur" => Effect::Blur {
            sigma: settings.number(segment::BLUR) / 1000.0 * longer,
        },
        "color" => Effect::Color(color),
        "picture" => Effect::Picture(background.ok_or(Failure::NothingToRefine)?),
        _ => Effect::CutOut,
    };
    let alpha = stretch_gray(&raw.cells, [INPUT_SIDE; 2], [picture.width, picture.height]);
    Ok(compose(picture, &alpha, &effect))
}
