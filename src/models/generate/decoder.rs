//! From a row of numbers to a picture: the decoder of autoencoders, the generator of GANs.

use burn::config::Config;
use burn::module::{Module, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor, activation};

use super::grid_conv::{GridConv, GridConvConfig, Step};
use crate::models::activation::Activation;
use crate::models::grid_layer::ScaleShift;

/// Configuration of a [`Decoder`].
#[derive(Config, Debug)]
pub struct DecoderConfig {
    /// Numbers that a picture is made from.
    pub latent: usize,
    /// Side of the first map.
    pub first_side: usize,
    /// Channels of the first map, then after each convolution that doubles the side.
    pub widths: Vec<usize>,
    /// Channels of the picture: 1 or 3.
    pub channels: usize,
}

/// A dense layer to a small map, which is doubled by nearest-neighbour upsampling and convolved until
/// it is the picture. Batch normalisation and rectifiers between (Radford et al. 2016).
#[derive(Module, Debug)]
pub struct Decoder {
    /// To all pixels and channels of the first map.
    pub dense: GridConv,
    /// After the dense layer and after each doubling.
    pub norms: Vec<BatchNorm>,
    /// Each doubles the side.
    pub convs: Vec<GridConv>,
    /// To the channels of the picture.
    pub last: GridConv,
    /// See [`DecoderConfig::first_side`].
    pub first_side: usize,
}

impl DecoderConfig {
    /// A decoder of zeros.
    pub fn init(&self, device: &Device) -> Decoder {
        let first = self.widths[0] * self.first_side.pow(2);
        let norms = self.widths.iter();
        let pairs = self.widths.windows(2);
        let end = *self.widths.last().expect("a decoder has a map");
        Decoder {
            dense: GridConvConfig::new([self.latent, first])
                .with_kernel(1)
                .init(device),
            norms: norms
                .map(|&w| BatchNormConfig::new(w).init(device))
                .collect(),
            convs: pairs
                .map(|pair| {
                    let config = GridConvConfig::new([pair[0], pair[1]]);
                    config.with_step(Step::Double).init(device)
                })
                .collect(),
            last: GridConvConfig::new([end, self.channels]).init(device),
            first_side: self.first_side,
        }
    }

    /// Side of the picture.
    pub fn side(&self) -> usize {
        self.first_side << (self.widths.len() - 1)
    }
}

impl Decoder {
    /// # Shapes
    /// - input: `[batch, latent]`
    /// - output: `[side * side, batch, channels]`: logits, whose [`sigmoid`](activation::sigmoid) is
    ///   the brightness from 0 to 1
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<3> {
        let [batch, _] = latents.dims();
        let mut side = self.first_side;
        let [channels] = self.norms[0].gamma.dims();
        let by_pixel = |x: Tensor<3>| {
            x.reshape([batch, side * side, channels])
                .swap_dims(0, 1)
                .reshape([side * side, batch, channels])
        };
        let latents = latents.unsqueeze_dim(0);
        let mut x = match self
            .dense
            .normalised(&latents, 1, &rectified(&self.norms[0]))
        {
            Some(x) => by_pixel(x),
            None => normalised(&self.norms[0], by_pixel(self.dense.forward(latents, 1))),
        };
        for (conv, norm) in self.convs.iter().zip(&self.norms[1..]) {
            x = match conv.normalised(&x, side, &rectified(norm)) {
                Some(x) => x,
                None => normalised(norm, conv.forward(x, side)),
            };
            side *= 2;
        }
        self.last.forward(x, side)
    }
}

/// The same as [`normalised`] for a layer on a GPU.
fn rectified(norm: &BatchNorm) -> ScaleShift<'_> {
    ScaleShift {
        norm,
        activation: Activation::Relu,
    }
}

/// Batch normalisation over pixels and pictures, then a rectifier.
fn normalised(norm: &BatchNorm, x: Tensor<3>) -> Tensor<3> {
    let [pixels, batch, channels] = x.dims();
    let rows = x.reshape([pixels * batch, channels]);
    let rows = if in_stages(norm, &rows) {
        trained_in_stages(norm, rows)
    } else {
        norm.forward(rows)
    };
    activation::relu(rows).reshape([pixels, batch, channels])
}

/// Whether the statistics of a batch are wanted on a GPU: there Burn sums the rows of a channel one after
/// the other, milliseconds for what takes microseconds side by side.
fn in_stages(norm: &BatchNorm, rows: &Tensor<2>) -> bool {
    let device = rows.device();
    device.is_autodiff() && norm.training.is_enabled() && device.inner() != Device::flex()
}

/// [`BatchNorm`] in training, its means made of means of groups of rows.
fn trained_in_stages(norm: &BatchNorm, rows: Tensor<2>) -> Tensor<2> {
    let [count, channels] = rows.dims();
    let groups = (1..=count.isqrt()).rev().find(|&n| count.is_multiple_of(n));
    let groups = groups.expect("one divides all");
    let mean_of = |x: Tensor<2>| {
        let x = x.reshape([groups, count / groups, channels]);
        x.mean_dim(1).mean_dim(0).reshape([1, channels])
    };
    let mean = mean_of(rows.clone());
    let centred = rows - mean.clone();
    let variance = mean_of(centred.clone().square());
    let keep = |state: &RunningState<Tensor<1>>, new: Tensor<2>| {
        let kept = state.value_sync().to_device(&new.device());
        let new = new.detach().reshape([channels]) * norm.momentum;
        state.update((kept * (1.0 - norm.momentum) + new).detach());
    };
    let scale = norm.gamma.val().unsqueeze::<2>() / (variance.clone() + norm.epsilon).sqrt();
    keep(&norm.running_mean, mean);
    keep(&norm.running_var, variance);
    centred * scale + norm.beta.val().unsqueeze::<2>()
}
