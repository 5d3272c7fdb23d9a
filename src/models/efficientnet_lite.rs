//! EfficientNet-Lite0: a classifier of 1,000 kinds of things that is small enough for a tab.

use burn::config::Config;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

use super::channel_gate::spatial_mean;
use super::conv_block::{Activation, ConvBlock, ConvBlockConfig, Rectifiers};
use super::layered::{Gradients, Layered, Pass, plus};
use super::layers;
use super::mobilenet_v2::{Inside, InvertedResidual, InvertedResidualConfig};
use crate::maths::draws::Draws;
use crate::protocol::named_layers::{EFFICIENTNET_LITE0 as LAYERS, Layers};

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
/// Inverted residuals.
const BLOCKS: usize = 16;
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
    /// Rows and columns of the images.
    sides: [usize; 2],
    stem: Tensor<4>,
    blocks: Vec<Inside>,
    /// The last map and the logits, where the pass went so far.
    end: Option<(Tensor<4>, Tensor<2>)>,
}

impl Trace {
    /// The map that a layer made, `[batch, channels, height, width]`: 0 is the stem, then the blocks, then the head.
    ///
    /// # Panics
    /// Where the pass ended before.
    pub fn map(&self, layer: usize) -> &Tensor<4> {
        match layer {
            0 => &self.stem,
            block if block <= BLOCKS => &self.blocks[block - 1].output,
            _ => &self.end.as_ref().expect("a pass to the head").0,
        }
    }

    /// `[batch, 1000]`, before the softmax.
    ///
    /// # Panics
    /// Where the pass ended before.
    pub fn logits(&self) -> &Tensor<2> {
        &self.end.as_ref().expect("a pass to the logits").1
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
    /// The same network with the weights of so many layers drawn anew, from the top: 1 is the classes', 2 the head's as
    /// well, and so on down to the stem, 19. As before a training: of a normal distribution with the variance 2 / inputs
    /// (He et al. 2015), biases zero.
    ///
    /// # Reference
    /// Adebayo et al. 2018, "Sanity Checks for Saliency Maps": cascading randomisation.
    pub fn randomised(&self, count: usize, seed: u32) -> Self {
        let mut drawn = Drawn(Draws::new(seed, WEIGHTS));
        let mut network = self.clone();
        if count > 0 {
            network.classes = network.classes.map(&mut drawn);
        }
        if count > 1 {
            network.head = network.head.map(&mut drawn);
        }
        let blocks = std::mem::take(&mut network.blocks);
        let last = blocks.len();
        // From the last on, so that one more layer leaves the others as they are.
        let mut blocks: Vec<_> = blocks
            .into_iter()
            .enumerate()
            .rev()
            .map(|(index, block)| {
                if count > 2 + (last - 1 - index) {
                    block.map(&mut drawn)
                } else {
                    block
                }
            })
            .collect();
        blocks.reverse();
        network.blocks = blocks;
        if count > last + 2 {
            network.stem = network.stem.map(&mut drawn);
        }
        network
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
        self.trace_to(images, None)
    }

    /// The same up to and with a layer.
    fn trace_to(&self, images: Tensor<4>, last: Option<usize>) -> Trace {
        let [_, _, height, width] = images.dims();
        let stem = self.stem.forward(images);
        let mut blocks: Vec<Inside> = Vec::with_capacity(BLOCKS);
        for block in self.blocks.iter().take(last.unwrap_or(BLOCKS)) {
            let x = blocks.last().map_or(&stem, |before| &before.output);
            blocks.push(block.inside(x.clone()));
        }
        let end = last.is_none_or(|last| last > BLOCKS).then(|| {
            let x = blocks.last().map_or(&stem, |before| &before.output);
            let head = self.head.forward(x.clone());
            let logits = self.classify(&head);
            (head, logits)
        });
        Trace {
            sides: [height, width],
            stem,
            blocks,
            end,
        }
    }

    /// Logits of the last map.
    fn classify(&self, head: &Tensor<4>) -> Tensor<2> {
        self.classes
            .forward(spatial_mean(head.clone()).flatten(1, 3))
    }

    /// The way back: from gradients on the logits, `[batch, 1000]`, and on maps, to one on the map of a layer, or on
    /// the images without one. What lies below the layer is passed by.
    ///
    /// By hand and not by autodiff: only the image's gradient is wanted, no weight's, and it goes through the same
    /// kernels as the way there.
    pub fn backward(
        &self,
        trace: &Trace,
        from: Gradients,
        rectifiers: Rectifiers,
        to: Option<usize>,
    ) -> Tensor<4> {
        layers::unheard(|| self.back(trace, from, rectifiers, to))
    }

    fn back(
        &self,
        trace: &Trace,
        mut from: Gradients,
        rectifiers: Rectifiers,
        to: Option<usize>,
    ) -> Tensor<4> {
        let mut gradient = from.on_logits.take().map(|on_logits| {
            let dims = trace.map(BLOCKS + 1).dims();
            // Each place of the last map has the same share in its mean.
            let on_means = on_logits.matmul(self.classes.weight.val().transpose());
            let on_means = on_means.div_scalar((dims[2] * dims[3]) as f32);
            on_means.unsqueeze_dims::<4>(&[2, 3]).expand(dims)
        });
        for layer in (0..=BLOCKS + 1).rev() {
            gradient = plus(gradient, from.at(layer));
            let Some(on_output) = gradient.take() else {
                continue;
            };
            if to == Some(layer) {
                return on_output;
            }
            let sides = match layer {
                0 => trace.sides,
                layer => {
                    let [_, _, rows, columns] = trace.map(layer - 1).dims();
                    [rows, columns]
                }
            };
            gradient = Some(match layer {
                0 => self
                    .stem
                    .backward(on_output, &trace.stem, sides, rectifiers),
                layer if layer > BLOCKS => {
                    let head = trace.map(layer);
                    self.head.backward(on_output, head, sides, rectifiers)
                }
                layer => {
                    let inside = &trace.blocks[layer - 1];
                    self.blocks[layer - 1].backward(on_output, inside, sides, rectifiers)
                }
            });
        }
        gradient.expect("a gradient to begin with")
    }
}

/// RGB from 0 to 1 as the network wants it, and how far apart the two are.
const SCALE: f32 = 255.0 / 128.0;
const ZERO: f32 = -127.0 / 128.0;

impl Layered for EfficientNetLite {
    fn layers(&self) -> &'static Layers {
        &LAYERS
    }

    fn kernels(&self, layer: usize) -> Option<Tensor<4>> {
        match layer {
            0 => Some(self.stem.conv.weight.val()),
            layer => {
                let block = self.blocks.get(layer - 1)?;
                Some(block.depthwise.conv.weight.val())
            }
        }
    }

    fn parameters(&self, layer: usize) -> usize {
        match layer {
            0 => self.stem.num_params(),
            layer if layer <= BLOCKS => self.blocks[layer - 1].num_params(),
            _ => self.head.num_params(),
        }
    }

    fn layer(&self, layer: usize, below: Tensor<4>) -> Tensor<4> {
        match layer {
            0 => self.stem.forward(below * SCALE + ZERO),
            layer if layer <= BLOCKS => self.blocks[layer - 1].forward(below),
            _ => self.head.forward(below),
        }
    }

    fn pass<'a>(&'a self, pictures: Tensor<4>, last: Option<usize>) -> Box<dyn Pass + 'a> {
        let images = pictures * SCALE + ZERO;
        Box::new(Passed {
            network: self,
            trace: self.trace_to(images, last),
        })
    }
}

/// Pictures that went through.
struct Passed<'a> {
    network: &'a EfficientNetLite,
    trace: Trace,
}

impl Pass for Passed<'_> {
    fn map(&self, layer: usize) -> &Tensor<4> {
        self.trace.map(layer)
    }

    fn logits(&self) -> Option<&Tensor<2>> {
        self.trace.end.as_ref().map(|(_, logits)| logits)
    }

    fn back(&self, from: Gradients, rectifiers: Rectifiers) -> Tensor<4> {
        let on_images = self.network.backward(&self.trace, from, rectifiers, None);
        on_images * SCALE
    }
}

/// Stream of the random weights.
const WEIGHTS: u64 = 2;

/// Puts random numbers in the place of weights.
struct Drawn(Draws);

impl ModuleMapper for Drawn {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, weights) = (param.id, param.val());
        let (dims, device) = (weights.dims(), weights.device());
        if D == 1 {
            return Param::initialized(id, Tensor::zeros(dims, &device));
        }
        // Of a linear layer the inputs come first.
        let inputs: usize = if D == 2 {
            dims[0]
        } else {
            dims.iter().skip(1).product()
        };
        let spread = (2.0 / inputs.max(1) as f32).sqrt();
        let mut values = self.0.normals(dims.iter().product());
        values.iter_mut().for_each(|value| *value *= spread);
        Param::initialized(
            id,
            Tensor::from_data(TensorData::new(values, dims), &device),
        )
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
        let layers = network.layers().layers;
        let sizes: Vec<_> = (0..layers.len())
            .map(|layer| trace.map(layer).dims())
            .collect();
        for (layer, size) in layers.iter().zip(&sizes) {
            let [rows, columns] = [64, 96].map(|side| side / layer.stride);
            assert_eq!(*size, [1, layer.channels, rows, columns], "{}", layer.name);
        }
        assert_eq!(sizes[0], [1, 32, 32, 48]);
        // Detectors read these three: strides 8, 16 and 32.
        assert_eq!(sizes[5], [1, 40, 8, 12]);
        assert_eq!(sizes[11], [1, 112, 4, 6]);
        assert_eq!(sizes[16], [1, 320, 2, 3]);
        assert_eq!(sizes[17], [1, 1280, 2, 3]);
        assert_eq!(trace.logits().dims(), [1, CLASSES]);
    }

    #[test]
    fn layers_become_random_from_the_top() {
        let device = Device::flex();
        let network = EfficientNetLiteConfig::new()
            .init(&device)
            .randomised(19, 1);
        let pictures = || Tensor::<4>::ones([1, 3, 32, 32], &device) * 0.3;
        let values = |network: &EfficientNetLite, layer: usize| -> Vec<f32> {
            let trace = network.trace(pictures());
            trace
                .map(layer)
                .clone()
                .into_data()
                .try_into_vec()
                .expect("f32")
        };
        for (count, same, changed) in [
            (1, 17, None),
            (2, 16, Some(17)),
            (3, 15, Some(16)),
            (18, 0, Some(1)),
        ] {
            let other = network.randomised(count, 2);
            assert_eq!(values(&other, same), values(&network, same), "{count}");
            if let Some(changed) = changed {
                assert_ne!(
                    values(&other, changed),
                    values(&network, changed),
                    "{count}"
                );
            }
            let logits = |network: &EfficientNetLite| -> Vec<f32> {
                network
                    .forward(pictures())
                    .into_data()
                    .try_into_vec()
                    .expect("f32")
            };
            assert_ne!(logits(&other), logits(&network), "{count}");
            assert_eq!(
                logits(&other),
                logits(&network.randomised(count, 2)),
                "{count}"
            );
        }
    }
}
