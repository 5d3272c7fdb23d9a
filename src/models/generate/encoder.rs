//! From a picture to a row of numbers: the encoder of autoencoders, the body of discriminators.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::grid_conv::{GridConv, GridConvConfig, Step};

/// Configuration of an [`Encoder`].
#[derive(Config, Debug)]
pub struct EncoderConfig {
    /// Side of the picture: even.
    pub side: usize,
    /// Channels of the picture: 1 or 3.
    pub channels: usize,
    /// Channels after each convolution; the first keeps the side of the folded picture, each later
    /// one halves it.
    pub widths: Vec<usize>,
    /// Numbers that come out.
    pub out: usize,
    /// Spectral normalisation of every layer.
    #[config(default = false)]
    pub spectral_norm: bool,
}

/// Folds 2x2 pixels into channels, convolves and halves, ends in a dense layer.
///
/// Halving by a stride, no pooling, and leaky rectifiers follow Radford et al. 2016 (DCGAN).
#[derive(Module, Debug)]
pub struct Encoder {
    /// 3x3 each.
    pub convs: Vec<GridConv>,
    /// From all pixels and channels of the last map to the output.
    pub dense: GridConv,
    /// See [`EncoderConfig::side`].
    pub side: usize,
}

impl EncoderConfig {
    /// An encoder of zeros.
    pub fn init(&self, device: &Device) -> Encoder {
        assert!(self.side.is_multiple_of(2), "the side must be even");
        let mut inputs = 4 * self.channels;
        let mut side = self.side / 2;
        let mut convs = Vec::new();
        for (index, &width) in self.widths.iter().enumerate() {
            let step = if index == 0 { Step::Same } else { Step::Half };
            side = step.side(side);
            let config = GridConvConfig::new([inputs, width])
                .with_step(step)
                .with_spectral_norm(self.spectral_norm);
            convs.push(config.init(device));
            inputs = width;
        }
        let dense = GridConvConfig::new([side * side * inputs, self.out])
            .with_kernel(1)
            .with_spectral_norm(self.spectral_norm);
        Encoder {
            convs,
            dense: dense.init(device),
            side: self.side,
        }
    }
}

impl Encoder {
    /// # Shapes
    /// - input: `[side * side, batch, channels]`, -1 to 1
    /// - output: `[batch, out]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let x = self.features(x);
        let [_, batch, features] = x.dims();
        let out = self.dense.forward(x, 1);
        let [_, _, numbers] = out.dims();
        debug_assert!(features > 0);
        out.reshape([batch, numbers])
    }

    /// What the dense layer reads.
    ///
    /// # Shapes
    /// - output: `[1, batch, pixels * channels]` of the last map
    pub fn features(&self, x: Tensor<3>) -> Tensor<3> {
        let mut x = fold(x, self.side);
        let mut side = self.side / 2;
        for conv in &self.convs {
            x = activation::leaky_relu(conv.forward(x, side), 0.2);
            side = conv.step.side(side);
        }
        let [pixels, batch, channels] = x.dims();
        x.swap_dims(0, 1).reshape([1, batch, pixels * channels])
    }

    /// See [`GridConv::power_iterate`].
    pub fn power_iterate(mut self) -> Self {
        self.convs = self
            .convs
            .into_iter()
            .map(GridConv::power_iterate)
            .collect();
        self.dense = self.dense.power_iterate();
        self
    }
}

/// 2x2 pixels become four times the channels; nothing is lost, and the first convolution works on a
/// quarter of the pixels.
fn fold(x: Tensor<3>, side: usize) -> Tensor<3> {
    let [_, batch, channels] = x.dims();
    let half = side / 2;
    x.reshape([half, 2, half, 2, batch, channels])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([half * half, batch, 4 * channels])
}
