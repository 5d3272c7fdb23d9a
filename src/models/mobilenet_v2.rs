//! MobileNetV2 as a backbone for detection.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::conv_block::{Activation, ConvBlock, ConvBlockConfig, Rectifiers, widened};

/// Output channels, repetitions, first stride and expansion of each stage (table 2 of the paper).
const STAGES: [[usize; 4]; 7] = [
    [16, 1, 1, 1],
    [24, 2, 2, 6],
    [32, 3, 2, 6],
    [64, 4, 2, 6],
    [96, 3, 1, 6],
    [160, 3, 2, 6],
    [320, 1, 1, 6],
];

/// Channels after the stem.
const STEM_CHANNELS: usize = 32;
/// Channels of the last layer.
const HEAD_CHANNELS: usize = 1280;
/// The block whose expansion is the stride-16 feature map.
const STRIDE_16_BLOCK: usize = 13;

/// Configuration of one [`InvertedResidual`].
#[derive(Config, Debug)]
pub struct InvertedResidualConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Step of the depthwise convolution.
    pub stride: usize,
    /// Channels inside, as a multiple of those coming in.
    pub expansion: usize,
    /// Side of the depthwise kernel.
    #[config(default = "3")]
    pub kernel: usize,
}

/// Expand, filter each channel, project back without activation ("linear bottleneck").
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// 1x1 to `expansion` times the channels; none where the expansion is 1.
    pub expand: Option<ConvBlock>,
    /// 3x3 or 5x5, one filter for each channel.
    pub depthwise: ConvBlock,
    /// 1x1 to the output channels, linear.
    pub project: ConvBlock,
    /// Whether the input is added: same channels, same size.
    #[module(skip)]
    pub residual: bool,
}

impl InvertedResidualConfig {
    /// A block with zero weights.
    pub fn init(&self, device: &Device) -> InvertedResidual {
        let [channels_in, channels_out] = self.channels;
        let hidden = channels_in * self.expansion;
        let relu6 = |config: ConvBlockConfig| config.with_activation(Activation::Relu6);
        InvertedResidual {
            expand: (self.expansion > 1)
                .then(|| relu6(ConvBlockConfig::new([channels_in, hidden])).init(device)),
            depthwise: relu6(ConvBlockConfig::new([hidden, hidden]))
                .with_kernel(self.kernel)
                .with_stride(self.stride)
                .with_depthwise(true)
                .init(device),
            project: ConvBlockConfig::new([hidden, channels_out]).init(device),
            residual: self.stride == 1 && channels_in == channels_out,
        }
    }
}

/// What a block made of a map, so that one can go back through it.
pub struct Inside {
    /// After the expansion; none where there is no expansion.
    expanded: Option<Tensor<4>>,
    /// After the depthwise convolution.
    filtered: Tensor<4>,
    /// What the block gives.
    pub output: Tensor<4>,
}

impl InvertedResidual {
    /// # Shapes
    /// - input: `[batch, in, height, width]`
    /// - output: `[batch, out, ceil(height / stride), ceil(width / stride)]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = match &self.expand {
            Some(expand) => widened(expand, &self.depthwise, x.clone()),
            None => self.depthwise.forward(x.clone()),
        };
        self.project(x, y)
    }

    /// The activations between expansion and depthwise convolution.
    fn expanded(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.expand {
            Some(expand) => expand.forward(x),
            None => x,
        }
    }

    /// [`forward`](Self::forward) that keeps what it made.
    pub fn inside(&self, x: Tensor<4>) -> Inside {
        let expanded = self.expand.as_ref().map(|expand| expand.forward(x.clone()));
        let filtered = self
            .depthwise
            .forward(expanded.clone().unwrap_or_else(|| x.clone()));
        let output = self.project(x, filtered.clone());
        Inside {
            expanded,
            filtered,
            output,
        }
    }

    /// From a gradient on the block's output to one on its input, of `sides` rows and columns.
    pub fn backward(
        &self,
        gradient: Tensor<4>,
        inside: &Inside,
        sides: [usize; 2],
        rectifiers: Rectifiers,
    ) -> Tensor<4> {
        let [_, _, rows, columns] = inside.filtered.dims();
        let on_filtered = self.project.backward(
            gradient.clone(),
            &inside.output,
            [rows, columns],
            rectifiers,
        );
        let on_input = self
            .depthwise
            .backward(on_filtered, &inside.filtered, sides, rectifiers);
        let on_input = match (&self.expand, &inside.expanded) {
            (Some(expand), Some(expanded)) => {
                expand.backward(on_input, expanded, sides, rectifiers)
            }
            _ => on_input,
        };
        if self.residual {
            on_input + gradient
        } else {
            on_input
        }
    }

    /// The last of the three, plus the input where it goes around them.
    fn project(&self, x: Tensor<4>, y: Tensor<4>) -> Tensor<4> {
        if self.residual {
            self.project.forward_plus(y, x)
        } else {
            self.project.forward(y)
        }
    }
}

/// Configuration of the [`MobileNetV2`] backbone, width multiplier 1.
#[derive(Config, Debug)]
pub struct MobileNetV2Config {}

/// The convolutional part of MobileNetV2, batch norm folded.
///
/// # Reference
/// Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    /// 3x3, stride 2, to 32 channels.
    pub stem: ConvBlock,
    /// 17 inverted residuals.
    pub blocks: Vec<InvertedResidual>,
    /// 1x1 to 1,280 channels.
    pub head: ConvBlock,
}

/// The two maps that a detector reads.
pub struct Features {
    /// Stride 16: the expansion of block 13, `[batch, 576, ceil(height / 16), ceil(width / 16)]`.
    pub stride_16: Tensor<4>,
    /// Stride 32: `[batch, 1280, ceil(height / 32), ceil(width / 32)]`.
    pub stride_32: Tensor<4>,
}

impl MobileNetV2Config {
    /// A backbone with zero weights.
    pub fn init(&self, device: &Device) -> MobileNetV2 {
        let mut blocks = Vec::new();
        let mut channels_in = STEM_CHANNELS;
        for [channels_out, repeats, first_stride, expansion] in STAGES {
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first_stride } else { 1 };
                let channels = [channels_in, channels_out];
                blocks.push(InvertedResidualConfig::new(channels, stride, expansion).init(device));
                channels_in = channels_out;
            }
        }
        MobileNetV2 {
            stem: ConvBlockConfig::new([3, STEM_CHANNELS])
                .with_kernel(3)
                .with_stride(2)
                .with_activation(Activation::Relu6)
                .init(device),
            blocks,
            head: ConvBlockConfig::new([channels_in, HEAD_CHANNELS])
                .with_activation(Activation::Relu6)
                .init(device),
        }
    }
}

impl MobileNetV2 {
    /// # Shapes
    /// - input: `[batch, 3, height, width]`, values -1 to 1
    /// - output: see [`Features`]
    pub fn forward(&self, images: Tensor<4>) -> Features {
        let mut x = self.stem.forward(images);
        let mut stride_16 = None;
        for (index, block) in self.blocks.iter().enumerate() {
            if index != STRIDE_16_BLOCK {
                x = block.forward(x);
                continue;
            }
            let expanded = block.expanded(x.clone());
            stride_16 = Some(expanded.clone());
            x = block.project(x, block.depthwise.forward(expanded));
        }
        Features {
            stride_16: stride_16.expect("the stages hold more than 13 blocks"),
            stride_32: self.head.forward(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_have_the_strides_of_their_names() {
        let device = Device::flex();
        let features = MobileNetV2Config::new()
            .init(&device)
            .forward(Tensor::zeros([1, 3, 64, 96], &device));
        assert_eq!(features.stride_16.dims(), [1, 576, 4, 6]);
        assert_eq!(features.stride_32.dims(), [1, 1280, 2, 3]);
    }
}
