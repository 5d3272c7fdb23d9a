//! What the labs that take steps share: how far to go, and the way through the network and back.

use burn::tensor::Tensor;

use crate::models::vgg16::{Vgg16, prepare, prepare_backward};
use crate::protocol::failure::Failure;

use crate::job::Job;

/// Smallest side in pixels: the network halves four times, and its last map is to have a pixel.
pub const SMALLEST: usize = 16;
/// Milliseconds between two pictures that are sent to whoever watches.
pub const REPORT_MS: f64 = 250.0;

/// How far a search is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// As far as the settings say, also where they change under way.
    Planned,
    /// As far again as the settings say, from that step.
    Beyond(u32),
    /// Until so many steps are done.
    Step(u32),
}

impl Goal {
    /// Steps to be done in all, where the settings plan `planned`.
    pub fn until(self, planned: u32) -> u32 {
        match self {
            Self::Planned => planned,
            Self::Beyond(step) => step + planned,
            Self::Step(step) => step,
        }
    }
}

/// The maps of a picture up to and with `last`, giving way between layers.
///
/// # Errors
/// Those of [`Job::breathe`].
pub async fn maps(
    job: &Job<'_>,
    network: &Vgg16,
    picture: Tensor<4>,
    last: usize,
) -> Result<Vec<Tensor<4>>, Failure> {
    let mut maps = Vec::with_capacity(last + 1);
    let mut x = prepare(picture);
    for index in 0..=last {
        x = network.forward_layer(index, x);
        maps.push(x.clone());
        job.breathe().await?;
    }
    Ok(maps)
}

/// Forward through the network up to `last`, and backward with the sum of what `add` gives for each
/// layer's map: the gradient on the picture, if any layer gave one. Holds one map a layer.
///
/// # Errors
/// Those of [`Job::breathe`].
pub async fn forward_and_backward(
    job: &Job<'_>,
    network: &Vgg16,
    picture: Tensor<4>,
    last: usize,
    mut add: impl FnMut(usize, &Tensor<4>) -> Option<Tensor<4>>,
) -> Result<Option<Tensor<4>>, Failure> {
    let mut maps = maps(job, network, picture.clone(), last).await?;
    let mut gradient: Option<Tensor<4>> = None;
    for index in (0..=last).rev() {
        let output = maps.pop().expect("one map a layer");
        let sum = match (gradient.take(), add(index, &output)) {
            (Some(deeper), Some(own)) => Some(deeper + own),
            (deeper, own) => deeper.or(own),
        };
        let [_, _, rows, columns] = maps.last().unwrap_or(&picture).dims();
        gradient = sum.map(|sum| network.backward_layer(index, sum, output, [rows, columns]));
        job.breathe().await?;
    }
    Ok(gradient.map(prepare_backward))
}

/// Three planes of 0 to 1 to RGB bytes by pixel.
pub fn interleave(planes: &[f32], pixels: usize) -> Vec<u8> {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    (0..pixels)
        .flat_map(|pixel| [0, 1, 2].map(|channel| byte(planes[channel * pixels + pixel])))
        .collect()
}
