//! EfficientNet-Lite0: a classifier of 1,000 kinds of things that is small enough for a tab.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::channel_gate::spatial_mean;
use super::conv_block::{Activation, ConvBlock, ConvBlockConfig, Rectifiers};
use super::layers;
use super::mobilenet_v2::{Inside, InvertedResidual, InvertedResidualConfig};

/// Output channels, repetitions, first stride, expansion and kernel of each stage (table 1 of the paper).
const STAGES: [[usize; 5]; 7] = [
    [16, 1, 1, 1, 3],
    [24, 2, 2, 6, 3],
    [40, 2, 2, 6, 5],
    [80, 3, 2, 6, 3],
    [112, 3, 1, 6, 5],
    [192, 4, 2, 6, 5],
    [320, 1, 1, 6, 3],
];
/// Channels after the stem.
const STEM_CHANNELS: usize = 32;
/// Channels of the last map.
const HEAD_CHANNELS: usize = 1280;
/// Classes of ImageNet.
pub const CLASSES: usize = 1000;
/// Side of the pictures that it was trained on, in pixels.
pub const SIDE: usize = 224;

/// Configuration of [`EfficientNetLite`].
#[derive(Config, Debug)]
pub struct EfficientNetLiteConfig {}

/// Inverted residuals like MobileNetV2's, some with kernels of five; no squeeze and excitation, and ReLU6 in place of
/// swish, so that it stays good in small numbers. Batch normalisation is folded into the convolutions.
///
/// # Reference
/// Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"; the Lite variants are
/// Google's of 2020.
#[derive(Module, Debug)]
pub struct EfficientNetLite {
    /// 3x3, stride 2, to 32 channels.
    pub stem: ConvBlock,
    /// 16 inverted residuals.
    pub blocks: Vec<InvertedResidual>,
    /// 1x1 to 1,280 channels.
    pub head: ConvBlock,
    /// From the means of those channels to a logit for each class.
    pub classes: Linear,
}

/// Everything that a pass through the network made, so that one can go back through it.
pub struct Trace {
    stem: Tensor<4>,
    blocks: Vec<Inside>,
    head: Tensor<4>,
    /// `[batch, 1000]`, before the softmax.
    pub logits: Tensor<2>,
}

impl Trace {
    /// The map that a layer made, `[batch, channels, height, width]`: 0 is the stem, then the blocks, then the head.
    pub fn map(&self, layer: usize) -> &Tensor<4> {
        match layer {
            0 => &self.stem,
            block if block <= self.blocks.len() => &self.blocks[block - 1].output,
            _ => &self.head,
        }
    }
}

impl EfficientNetLiteConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> EfficientNetLite {
        let mut blocks = Vec::new();
        let mut channels_in = STEM_CHANNELS;
        for [channels_out, repeats, first_stride, expansion, kernel] in STAGES {
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first_stride } else { 1 };
                let channels = [channels_in, channels_out];
                let block = InvertedResidualConfig::new(channels, stride, expansion);
                blocks.push(block.with_kernel(kernel).init(device));
                channels_in = channels_out;
            }
        }
        EfficientNetLite {
            stem: ConvBlockConfig::new([3, STEM_CHANNELS])
                .with_kernel(3)
                .with_stride(2)
                .with_activation(Activation::Relu6)
                .init(device),
            blocks,
            head: ConvBlockConfig::new([channels_in, HEAD_CHANNELS])
                .with_activation(Activation::Relu6)
                .init(device),
            classes: LinearConfig::new(HEAD_CHANNELS, CLASSES)
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }
}

impl EfficientNetLite {
    /// Layers that have a map: stem, blocks and head.
    pub fn layers(&self) -> usize {
        self.blocks.len() + 2
    }

    /// # Shapes
    /// - input: `[batch, 3, height, width]`, RGB, `(x - 127) / 128` of values 0 to 255
    /// - output: logits `[batch, 1000]`, before the softmax
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = self.stem.forward(images);
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.classify(&self.head.forward(x))
    }

    /// [`forward`](Self::forward) that keeps what it made.
    pub fn trace(&self, images: Tensor<4>) -> Trace {
        let stem = self.stem.forward(images);
        let mut blocks: Vec<Inside> = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let x = blocks.last().map_or(&stem, |before| &before.output);
            blocks.push(block.inside(x.clone()));
        }
        let last = blocks.last().map_or(&stem, |before| &before.output);
        let head = self.head.forward(last.clone());
        let logits = self.classify(&head);
        Trace {
            stem,
            blocks,
            head,
            logits,
        }
    }

    /// Logits of the last map.
    fn classify(&self, head: &Tensor<4>) -> Tensor<2> {
        self.classes
            .forward(spatial_mean(head.clone()).flatten(1, 3))
    }

    /// The way back: from a gradient on the logits, `[batch, 1000]`, to one on the map of a layer, or on the image of
    /// `height` and `width` without one.
    ///
    /// By hand and not by autodiff: only the image's gradient is wanted, no weight's, and it goes through the same
    /// kernels as the way there.
    pub fn backward(
        &self,
        trace: &Trace,
        on_logits: Tensor<2>,
        rectifiers: Rectifiers,
        to: Option<usize>,
        [height, width]: [usize; 2],
    ) -> Tensor<4> {
        let [_, _, rows, columns] = trace.head.dims();
        // Each place of the last map has the same share in its mean.
        let on_means = on_logits.matmul(self.classes.weight.val().transpose());
        let on_means = on_means.div_scalar((rows * columns) as f32);
        let gradient = on_means
            .unsqueeze_dims::<4>(&[2, 3])
            .expand(trace.head.dims());
        layers::unheard(|| self.back_from_head(trace, gradient, rectifiers, to, [height, width]))
    }

    fn back_from_head(
        &self,
        trace: &Trace,
        mut gradient: Tensor<4>,
        rectifiers: Rectifiers,
        to: Option<usize>,
        sides: [usize; 2],
    ) -> Tensor<4> {
        let last = self.layers() - 1;
        let mut layer = last;
        while to != Some(layer) {
            gradient = match layer {
                0 => {
                    return self.stem.backward(gradient, &trace.stem, sides, rectifiers);
                }
                layer if layer == last => {
                    let [_, _, rows, columns] = trace.map(layer - 1).dims();
                    let sides = [rows, columns];
                    self.head.backward(gradient, &trace.head, sides, rectifiers)
                }
                layer => {
                    let [_, _, rows, columns] = trace.map(layer - 1).dims();
                    let inside = &trace.blocks[layer - 1];
                    self.blocks[layer - 1].backward(gradient, inside, [rows, columns], rectifiers)
                }
            };
            layer -= 1;
        }
        gradient
    }
}

/// The shipped network.
pub const EFFICIENTNET_LITE0: super::Network<EfficientNetLite> = super::Network {
    name: "efficientnet-lite0",
    init: |device| EfficientNetLiteConfig::new().init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn maps_halve_five_times() {
        let device = Device::flex();
        let network = EfficientNetLiteConfig::new().init(&device);
        let trace = network.trace(Tensor::zeros([1, 3, 64, 96], &device));
        let sizes: Vec<_> = (0..network.layers())
            .map(|layer| trace.map(layer).dims())
            .collect();
        assert_eq!(sizes[0], [1, 32, 32, 48]);
        // Detectors read these three: strides 8, 16 and 32.
        assert_eq!(sizes[5], [1, 40, 8, 12]);
        assert_eq!(sizes[11], [1, 112, 4, 6]);
        assert_eq!(sizes[16], [1, 320, 2, 3]);
        assert_eq!(sizes[17], [1, 1280, 2, 3]);
        assert_eq!(trace.logits.dims(), [1, CLASSES]);
    }
}
