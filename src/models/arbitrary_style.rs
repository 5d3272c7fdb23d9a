//! Style from any picture: one network reads a style, another paints in it.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::conv_block::{ConvBlock, ConvBlockConfig};
use super::gpu::Mixture;
use super::mirrored_conv::{doubling_conv, reflecting_conv};
use super::mobilenet_v2::{MobileNetV2, MobileNetV2Config};
use super::style_network::Scales;

/// Numbers in a style.
pub const STYLE_NUMBERS: usize = 100;
/// Residual blocks in the middle of the painter.
const RESIDUAL_BLOCKS: usize = 5;
/// Channels in and out, and stride, of the painter's contracting layers.
const CONTRACT: [([usize; 2], usize, usize); 3] =
    [([3, 8], 9, 1), ([8, 16], 3, 2), ([16, 32], 3, 2)];
/// Channels of the painter's residual blocks.
const CHANNELS: usize = 32;

/// Configuration of [`StylePredictor`].
#[derive(Config, Debug)]
pub struct StylePredictorConfig {}

/// Reads a style from a picture: MobileNetV2, the mean over the picture, and a linear layer.
///
/// # Reference
/// Ghiasi et al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic
/// stylization network"; here with MobileNetV2 in place of Inception-v3.
#[derive(Module, Debug)]
pub struct StylePredictor {
    /// To 1,280 channels at a 32nd of the size.
    pub backbone: MobileNetV2,
    /// 1x1 on the mean, linear, to the numbers of a style.
    pub bottleneck: ConvBlock,
}

impl StylePredictorConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> StylePredictor {
        StylePredictor {
            backbone: MobileNetV2Config::new().init(device),
            bottleneck: ConvBlockConfig::new([1280, STYLE_NUMBERS]).init(device),
        }
    }
}

impl StylePredictor {
    /// # Shapes
    /// - input: `[1, 3, 256, 256]`, RGB from 0 to 1
    /// - output: `[1, 100]`, each about -3 to 3
    pub fn forward(&self, image: Tensor<4>) -> Tensor<2> {
        let features = self.backbone.forward(image).stride_32;
        let mean = features.mean_dims(&[2, 3]);
        self.bottleneck.forward(mean).reshape([1, STYLE_NUMBERS])
    }
}

/// Configuration of [`StylePainter`].
#[derive(Config, Debug)]
pub struct StylePainterConfig {}

/// Like [`StyleNetwork`](super::style_network::StyleNetwork), but the scale and shift of each
/// channel are linear in the numbers of a style, so that there is no end to its styles.
///
/// # Reference
/// Ghiasi et al. 2017; see [`StylePredictor`].
#[derive(Module, Debug)]
pub struct StylePainter {
    /// With a bias each and no normalisation, then ReLU: to a quarter of the rows and columns.
    pub contract: Vec<PlainConv>,
    /// At a quarter of the size.
    pub residual: Vec<StyledBlock>,
    /// Two doublings with 3x3, then 9x9 to RGB.
    pub expand: Vec<StyledConv>,
}

/// Reflecting convolution with a bias.
#[derive(Module, Debug)]
pub struct PlainConv {
    /// `[out, in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
    /// Step of the kernel.
    #[module(skip)]
    pub stride: usize,
}

/// Reflecting convolution, then instance normalisation to the style.
#[derive(Module, Debug)]
pub struct StyledConv {
    /// `[out, in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// From the style to the scale of each channel.
    pub gamma: Linear,
    /// From the style to the shift of each channel.
    pub beta: Linear,
    /// Whether rows and columns are doubled first.
    #[module(skip)]
    pub doubles: bool,
}

/// Two convolutions whose result is added to their input.
#[derive(Module, Debug)]
pub struct StyledBlock {
    /// Followed by ReLU.
    pub first: StyledConv,
    /// Linear.
    pub second: StyledConv,
}

impl StyledConv {
    fn new([channels_in, out]: [usize; 2], kernel: usize, doubles: bool, device: &Device) -> Self {
        let linear = || {
            LinearConfig::new(STYLE_NUMBERS, out)
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        Self {
            weight: Param::from_tensor(Tensor::zeros([out, channels_in, kernel, kernel], device)),
            gamma: linear(),
            beta: linear(),
            doubles,
        }
    }

    fn forward(
        &self,
        x: Tensor<4>,
        style: &Tensor<2>,
        scales: &mut Scales<'_>,
        activation: Activation,
        added: Option<Tensor<4>>,
    ) -> Tensor<4> {
        let y = if self.doubles {
            doubling_conv(x, self.weight.val())
        } else {
            reflecting_conv(x, self.weight.val(), None, 1, Activation::Linear)
        };
        let mixture = Mixture {
            gamma: &self.gamma.forward(style.clone()),
            beta: &self.beta.forward(style.clone()),
            weights: None,
        };
        scales.normalise(y, &mixture, activation, added)
    }
}

impl StylePainterConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> StylePainter {
        let styled = |channels, kernel, doubles| StyledConv::new(channels, kernel, doubles, device);
        StylePainter {
            contract: CONTRACT
                .iter()
                .map(|&([channels_in, out], kernel, stride)| PlainConv {
                    weight: Param::from_tensor(Tensor::zeros(
                        [out, channels_in, kernel, kernel],
                        device,
                    )),
                    bias: Param::from_tensor(Tensor::zeros([out], device)),
                    stride,
                })
                .collect(),
            residual: (0..RESIDUAL_BLOCKS)
                .map(|_| StyledBlock {
                    first: styled([CHANNELS; 2], 3, false),
                    second: styled([CHANNELS; 2], 3, false),
                })
                .collect(),
            expand: vec![
                styled([CHANNELS, 16], 3, true),
                styled([16, 8], 3, true),
                styled([8, 3], 9, false),
            ],
        }
    }
}

impl StylePainter {
    /// Repaints a picture in a style.
    ///
    /// # Shapes
    /// - input: `[1, 3, height, width]`, RGB from 0 to 1, height and width multiples of 4 and at
    ///   least 16; `style` `[1, 100]` of [`StylePredictor::forward`], or a mean of several
    /// - output: as the input
    pub fn forward(&self, image: Tensor<4>, style: Tensor<2>) -> Tensor<4> {
        self.forward_with(image, style, Scales::Own)
    }

    /// As [`forward`](Self::forward), normalising with `scales`.
    pub fn forward_with(
        &self,
        image: Tensor<4>,
        style: Tensor<2>,
        mut scales: Scales<'_>,
    ) -> Tensor<4> {
        let scales = &mut scales;
        let mut x = image;
        for layer in &self.contract {
            let (weight, bias) = (layer.weight.val(), layer.bias.val());
            x = reflecting_conv(x, weight, Some(bias), layer.stride, Activation::Relu);
        }
        for StyledBlock { first, second } in &self.residual {
            let y = first.forward(x.clone(), &style, scales, Activation::Relu, None);
            x = second.forward(y, &style, scales, Activation::Linear, Some(x));
        }
        let (last, doublings) = self.expand.split_last().expect("three layers");
        for layer in doublings {
            x = layer.forward(x, &style, scales, Activation::Relu, None);
        }
        last.forward(x, &style, scales, Activation::Sigmoid, None)
    }
}

/// The shipped network that reads a style.
pub const ARBITRARY_PREDICT: super::Network<StylePredictor> = super::Network {
    name: "arbitrary-predict",
    init: |device| StylePredictorConfig::new().init(device),
};

/// The shipped network that paints in it.
pub const ARBITRARY_TRANSFORM: super::Network<StylePainter> = super::Network {
    name: "arbitrary-transform",
    init: |device| StylePainterConfig::new().init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn untrained_networks_read_nothing_and_paint_grey() {
        let device = Device::flex();
        let predictor = StylePredictorConfig::new().init(&device);
        let style = predictor.forward(Tensor::zeros([1, 3, 64, 64], &device));
        style
            .clone()
            .into_data()
            .assert_eq(&TensorData::zeros::<f32, _>([1, STYLE_NUMBERS]), true);
        let painter = StylePainterConfig::new().init(&device);
        let painted = painter.forward(Tensor::zeros([1, 3, 16, 24], &device), style);
        painted.into_data().assert_approx_eq::<f32>(
            &TensorData::full([1, 3, 16, 24], 0.5f32),
            Tolerance::default(),
        );
    }
}
