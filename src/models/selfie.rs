//! A portrait matting network: how much of each pixel belongs to a person.

use burn::config::Config;
use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, activation};

use super::channel_gate::{ChannelGate, ChannelGateConfig, spatial_mean, weighed};
use super::conv_block::{Activation, ConvBlock, ConvBlockConfig, widened};
use super::convolution::{Border, Convolution};
use super::cpu;

/// Input channels, inner channels, output channels, kernel, stride, gate channels (0: no gate)
/// and activation of each encoder block, after MobileNetV3-Small.
const BLOCKS: [(usize, usize, usize, usize, usize, usize, Activation); 8] = [
    (16, 16, 16, 3, 2, 8, Activation::Relu),
    (16, 72, 24, 3, 2, 0, Activation::Relu),
    (24, 88, 24, 3, 1, 0, Activation::Relu),
    (24, 96, 32, 5, 2, 24, Activation::HardSwish),
    (32, 128, 32, 5, 1, 32, Activation::HardSwish),
    (32, 128, 32, 5, 1, 32, Activation::HardSwish),
    (32, 96, 32, 5, 1, 24, Activation::HardSwish),
    (32, 96, 32, 5, 1, 24, Activation::HardSwish),
];
/// Encoder blocks whose output the decoder reads again, and the channels there.
const SKIPS: [(usize, usize); 2] = [(2, 24), (0, 16)];
/// Channels of the stem, which is the third skip.
const STEM_CHANNELS: usize = 16;
/// Channels of the context module.
const CONTEXT_CHANNELS: usize = 128;

/// Configuration of [`Selfie`].
#[derive(Config, Debug)]
pub struct SelfieConfig {}

/// Encoder like MobileNetV3-Small, a context module, a decoder with gated skips.
///
/// # Reference
/// Google's MediaPipe Selfie Segmentation (general model); Howard et al. 2019, "Searching for
/// MobileNetV3", also for the context module (LR-ASPP).
#[derive(Module, Debug)]
pub struct Selfie {
    /// 3x3, stride 2: 128 rows of 16 channels.
    pub stem: ConvBlock,
    /// Down to 16 rows of 32 channels.
    pub blocks: Vec<EncoderBlock>,
    /// Mixes what the whole picture says into each cell.
    pub context: Context,
    /// Up to 32, 64 and 128 rows.
    pub decoder: Vec<DecoderStage>,
    /// 2x2, stride 2: up to 256 rows of one channel.
    pub matte: ConvTranspose2d,
}

/// An inverted residual with an optional channel gate before the projection.
#[derive(Module, Debug)]
pub struct EncoderBlock {
    /// 1x1.
    pub expand: ConvBlock,
    /// 3x3 or 5x5, one filter for each channel.
    pub depthwise: ConvBlock,
    /// Weighs the channels.
    pub attention: Option<ChannelGate>,
    /// 1x1, linear.
    pub project: ConvBlock,
    /// Whether the input is added.
    #[module(skip)]
    pub residual: bool,
}

impl EncoderBlock {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut y = widened(&self.expand, &self.depthwise, x.clone());
        if let Some(attention) = &self.attention {
            let weights = attention.forward(y.clone());
            y = weighed(y, weights, None);
        }
        if self.residual {
            self.project.forward_plus(y, x)
        } else {
            self.project.forward(y)
        }
    }
}

/// LR-ASPP: local features times a gate that sees the mean of the picture.
#[derive(Module, Debug)]
pub struct Context {
    /// 1x1, ReLU.
    pub features: ConvBlock,
    /// 1x1 on the mean, sigmoid.
    pub gate: ConvBlock,
}

impl Context {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weights = self.gate.forward(spatial_mean(x.clone()));
        weighed(self.features.forward(x), weights, None)
    }
}

/// Doubles the map and merges the encoder's map of that size.
#[derive(Module, Debug)]
pub struct DecoderStage {
    /// 1x1, linear, to the channels of the skip.
    pub reduce: ConvBlock,
    /// Weighs the channels of the skip, from the sum of both maps.
    pub attention: ChannelGate,
    /// 1x1, ReLU.
    pub merge: ConvBlock,
    /// 3x3 depthwise, ReLU, added to its input.
    pub refine: ConvBlock,
}

impl DecoderStage {
    fn forward(&self, x: Tensor<4>, skip: Tensor<4>) -> Tensor<4> {
        // The original doubles first. Each pixel of a doubled map is a mean of pixels, and means go through a linear
        // layer: on a quarter of the pixels it gives the same.
        let up = double(self.reduce.forward(x));
        // The mean of a sum is the sum of the means.
        let means = spatial_mean(skip.clone()) + spatial_mean(up.clone());
        let gate = self.attention.of_means(means);
        let merged = self.merge.forward(weighed(skip, gate, Some(up)));
        self.refine.forward_plus(merged.clone(), merged)
    }
}

/// Twice the height and width, bilinear with half-pixel centres.
fn double(x: Tensor<4>) -> Tensor<4> {
    if let Some(doubled) = cpu::doubled(&x) {
        return doubled;
    }
    let [_, _, height, width] = x.dims();
    let options = InterpolateOptions::new(InterpolateMode::Bilinear)
        .with_align_corners(false)
        .with_output_size([height * 2, width * 2]);
    interpolate(x, options)
}

/// The last layer: a kernel of two that moves by two, so that each pixel makes four of its own. That is a weight for
/// each channel and each of the four.
/// Then a sigmoid.
fn matte(layer: &ConvTranspose2d, x: Tensor<4>) -> Tensor<4> {
    let [channels, ..] = layer.weight.dims();
    let weight = layer
        .weight
        .val()
        .permute([1, 2, 3, 0])
        .reshape([4, channels, 1, 1]);
    let bias = layer.bias.as_ref().map(|bias| bias.val().repeat_dim(0, 4));
    let [_, _, height, width] = x.dims();
    let convolution = Convolution {
        bias: bias.as_ref(),
        activation: Activation::Sigmoid,
        ..Convolution::new(
            &weight,
            Border::Zeros { above: 0, left: 0 },
            [height, width],
        )
    };
    let on_cpu = cpu::convolve(&convolution, &x);
    let on_cpu = on_cpu.as_ref().and_then(cpu::interleaved);
    on_cpu.unwrap_or_else(|| activation::sigmoid(layer.forward(x)))
}

impl SelfieConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> Selfie {
        let block = |channels| ConvBlockConfig::new(channels);
        let blocks = BLOCKS
            .iter()
            .map(
                |&(channels_in, inner, out, kernel, stride, gate, activation)| EncoderBlock {
                    expand: block([channels_in, inner])
                        .with_activation(activation)
                        .init(device),
                    depthwise: block([inner, inner])
                        .with_kernel(kernel)
                        .with_stride(stride)
                        .with_depthwise(true)
                        .with_activation(activation)
                        .init(device),
                    attention: (gate > 0).then(|| ChannelGateConfig::new(inner, gate).init(device)),
                    project: block([inner, out]).init(device),
                    residual: stride == 1 && channels_in == out,
                },
            )
            .collect();
        let encoded = BLOCKS[BLOCKS.len() - 1].2;
        let context = Context {
            features: block([encoded, CONTEXT_CHANNELS])
                .with_activation(Activation::Relu)
                .init(device),
            gate: block([encoded, CONTEXT_CHANNELS])
                .with_activation(Activation::Sigmoid)
                .init(device),
        };
        let mut channels_in = CONTEXT_CHANNELS;
        let decoder = SKIPS
            .iter()
            .map(|&(_, channels)| channels)
            .chain([STEM_CHANNELS])
            .map(|channels| {
                let relu = block([channels, channels]).with_activation(Activation::Relu);
                let stage = DecoderStage {
                    reduce: block([channels_in, channels]).init(device),
                    attention: ChannelGateConfig::new(channels, channels).init(device),
                    merge: relu.clone().init(device),
                    refine: relu.with_kernel(3).with_depthwise(true).init(device),
                };
                channels_in = channels;
                stage
            })
            .collect();
        Selfie {
            stem: block([3, STEM_CHANNELS])
                .with_kernel(3)
                .with_stride(2)
                .with_activation(Activation::HardSwish)
                .init(device),
            blocks,
            context,
            decoder,
            matte: ConvTranspose2dConfig::new([STEM_CHANNELS, 1], [2, 2])
                .with_stride([2, 2])
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }
}

impl Selfie {
    /// The share of each pixel that belongs to a person, 0 to 1.
    ///
    /// # Shapes
    /// - input: `[batch, 3, 256, 256]`, RGB, values 0 to 1
    /// - output: `[batch, 1, 256, 256]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let stem = self.stem.forward(images);
        let mut outputs = Vec::with_capacity(self.blocks.len());
        let mut x = stem.clone();
        for block in &self.blocks {
            x = block.forward(x);
            outputs.push(x.clone());
        }
        let skips = SKIPS
            .iter()
            .map(|&(block, _)| outputs[block].clone())
            .chain([stem]);
        let mut x = self.context.forward(x);
        for (stage, skip) in self.decoder.iter().zip(skips) {
            x = stage.forward(x, skip);
        }
        matte(&self.matte, x)
    }
}

/// The shipped network.
pub const SELFIE: super::Network<Selfie> = super::Network {
    name: "selfie",
    init: |device| SelfieConfig::new().init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn an_untrained_network_is_undecided() {
        let device = Device::flex();
        let matte = SelfieConfig::new()
            .init(&device)
            .forward(Tensor::zeros([1, 3, 64, 64], &device));
        assert_eq!(matte.dims(), [1, 1, 64, 64]);
        // Zero weights give logit 0 everywhere, and sigmoid(0) = 1/2.
        matte.into_data().assert_approx_eq::<f32>(
            &TensorData::full([1, 1, 64, 64], 0.5f32),
            Tolerance::default(),
        );
    }

    #[test]
    fn doubling_uses_half_pixel_centres() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[0.0, 4.0]]]], &device);
        // Output centres lie at -0.25, 0.25, 0.75, 1.25 input pixels: 0, 1, 3, 4.
        let y = double(x).slice([0..1, 0..1, 0..1, 0..4]);
        y.into_data().assert_approx_eq::<f32>(
            &TensorData::from([[[[0.0, 1.0, 3.0, 4.0]]]]),
            Tolerance::default(),
        );
    }
}
