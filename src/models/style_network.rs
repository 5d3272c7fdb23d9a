//! A network that repaints a picture in one pass, in any mixture of the styles it was trained on.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::cpu;
use super::gpu::{self, Mixture};
use super::layers::noted;
use super::mirrored_conv::{doubling_conv, reflecting_conv};
use crate::protocol::layer::{Layer, LayerKind};

/// Added to the variance before its root is taken.
const EPSILON: f32 = 1e-5;
/// Residual blocks in the middle.
const RESIDUAL_BLOCKS: usize = 6;
/// Channels between the contracting and the expanding layers.
const CHANNELS: usize = 32;

/// Configuration of [`StyleNetwork`].
#[derive(Config, Debug)]
pub struct StyleNetworkConfig {
    /// Styles that the network was trained on.
    pub styles: usize,
}

/// Three contracting convolutions, six residual blocks, three expanding convolutions, each followed
/// by conditional instance normalisation: all styles share the filters, and a style is nothing but
/// a scale and a shift for each channel.
///
/// # Reference
/// Dumoulin, Shlens and Kudlur 2017, "A Learned Representation for Artistic Style"; the plan of the
/// layers is that of Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer".
#[derive(Module, Debug)]
pub struct StyleNetwork {
    /// 9x9, then two 3x3 of stride 2: to a quarter of the rows and columns.
    pub contract: Vec<StyleConv>,
    /// At a quarter of the size.
    pub residual: Vec<ResidualBlock>,
    /// Two doublings with 3x3, then 9x9 to RGB.
    pub expand: Vec<StyleConv>,
}

/// Reflecting convolution without bias, then conditional instance normalisation.
#[derive(Module, Debug)]
pub struct StyleConv {
    /// `[out, in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// Scale of each channel after normalisation, `[styles, out]`.
    pub gamma: Param<Tensor<2>>,
    /// Shift of each channel after normalisation, `[styles, out]`.
    pub beta: Param<Tensor<2>>,
    /// Step of the kernel.
    #[module(skip)]
    pub stride: usize,
    /// Whether rows and columns are doubled first, by the nearest pixel.
    #[module(skip)]
    pub doubles: bool,
}

/// Two convolutions whose result is added to their input.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    /// Followed by ReLU.
    pub first: StyleConv,
    /// Linear.
    pub second: StyleConv,
}

impl StyleConv {
    fn new(
        styles: usize,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        doubles: bool,
        device: &Device,
    ) -> Self {
        let [channels_in, out] = channels;
        let style = || Param::from_tensor(Tensor::zeros([styles, out], device));
        Self {
            weight: Param::from_tensor(Tensor::zeros([out, channels_in, kernel, kernel], device)),
            gamma: style(),
            beta: style(),
            stride,
            doubles,
        }
    }

    /// # Shapes
    /// - input: `[1, in, height, width]` and the weights of the styles, `[1, styles]`; `activation`
    ///   follows, and `added`, shaped like the output, is added last
    /// - output: `[1, out, ceil(height / stride), ceil(width / stride)]`, twice that if it doubles
    pub fn forward(
        &self,
        x: Tensor<4>,
        styles: &Tensor<2>,
        scales: &mut Scales<'_>,
        activation: Activation,
        added: Option<Tensor<4>>,
    ) -> Tensor<4> {
        let y = if self.doubles {
            doubling_conv(x, self.weight.val())
        } else {
            reflecting_conv(x, self.weight.val(), None, self.stride, Activation::Linear)
        };
        let mixture = Mixture {
            gamma: &self.gamma.val(),
            beta: &self.beta.val(),
            weights: Some(styles),
        };
        scales.normalise(y, &mixture, activation, added)
    }
}

/// Where the normalisations of a network, in the order in which they come, take the mean and the spread
/// of their maps from.
///
/// Taken from the whole picture, they decide its contrast and colours. A part of a picture that is to fit
/// the rest has to be normalised with those of the whole.
pub enum Scales<'a> {
    /// From the maps themselves.
    Own,
    /// The same, kept in order for [`Given`](Self::Given): `[2, channels]`, factors and what is added then.
    Noted(&'a mut Vec<Tensor<2>>),
    /// From those of another picture.
    Given(std::slice::Iter<'a, Tensor<2>>),
}

impl Scales<'_> {
    /// Each channel to mean `beta` and standard deviation `gamma`, then the activation, then plus `added`.
    ///
    /// # Reference
    /// Ulyanov, Vedaldi and Lempitsky 2016, "Instance Normalization: The Missing Ingredient".
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`, a batch of 1 but for [`Own`](Self::Own); `added`
    ///   likewise
    /// - output: as the input
    ///
    /// # Panics
    /// Where fewer scales were given than the network has normalisations.
    pub(super) fn normalise(
        &mut self,
        x: Tensor<4>,
        mixture: &Mixture<'_>,
        activation: Activation,
        added: Option<Tensor<4>>,
    ) -> Tensor<4> {
        if !cpu::holds(&x) {
            return self.normalise_by(x, mixture, activation, added);
        }
        let [batch, channels, height, width] = x.dims();
        let map = [batch * channels, height, width];
        let values = map.iter().product::<usize>();
        let layer = || Layer {
            from: map,
            to: map,
            // Two passes for the moments and one for the rest, of two operations each.
            ..Layer::new(LayerKind::Normalisation, 6 * values, 2 * values)
        };
        let done = noted(layer, || {
            Some(self.normalise_by(x, mixture, activation, added))
        });
        done.expect("done here")
    }

    fn normalise_by(
        &mut self,
        x: Tensor<4>,
        mixture: &Mixture<'_>,
        activation: Activation,
        added: Option<Tensor<4>>,
    ) -> Tensor<4> {
        let scales = match self {
            Self::Own | Self::Noted(_) => scales_of(&x, mixture),
            Self::Given(noted) => noted.next().expect("those of the same network").clone(),
        };
        if let Self::Noted(kept) = self {
            kept.push(scales.clone());
        }
        rescale(x, scales, activation, added)
    }
}

/// [`Scales::normalise`] by the maps themselves.
pub fn instance_norm(
    x: Tensor<4>,
    mixture: &Mixture<'_>,
    activation: Activation,
    added: Option<Tensor<4>>,
) -> Tensor<4> {
    Scales::Own.normalise(x, mixture, activation, added)
}

/// `[batch, channels, height, width]` to `[2, batch * channels]`: factors, and what is added then.
fn scales_of(x: &Tensor<4>, mixture: &Mixture<'_>) -> Tensor<2> {
    if let Some(scales) = gpu::scales(x, mixture) {
        return scales;
    }
    let mixed = |of_styles: &Tensor<2>| match mixture.weights {
        Some(weights) => weights.clone().matmul(of_styles.clone()),
        None => of_styles.clone(),
    };
    let [batch, channels, ..] = x.dims();
    let [mean, variance] = cpu::moments(x).unwrap_or_else(|| {
        let of_map = |tensor: Tensor<4>| tensor.reshape([batch, channels]);
        let mean = x.clone().mean_dims(&[2, 3]);
        let variance = (x.clone() - mean.clone()).square().mean_dims(&[2, 3]);
        [of_map(mean), of_map(variance)]
    });
    let factor = mixed(mixture.gamma) / (variance + EPSILON).sqrt();
    let sum = mixed(mixture.beta) - mean * factor.clone();
    Tensor::cat(vec![factor, sum], 0).reshape([2, batch * channels])
}

/// Each map times its factor plus its sum, then the activation, then plus `added`.
fn rescale(
    x: Tensor<4>,
    scales: Tensor<2>,
    activation: Activation,
    added: Option<Tensor<4>>,
) -> Tensor<4> {
    if let Some(y) = gpu::rescale(&x, &scales, activation, added.as_ref()) {
        return y;
    }
    if cpu::holds(&x) {
        return cpu::rescale(x, &scales, activation, added.as_ref());
    }
    let [batch, channels, ..] = x.dims();
    let row = |row: usize| {
        scales
            .clone()
            .narrow(0, row, 1)
            .reshape([batch, channels, 1, 1])
    };
    let y = activation.forward(x * row(0) + row(1));
    match added {
        Some(added) => added + y,
        None => y,
    }
}

impl StyleNetworkConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> StyleNetwork {
        let conv = |channels, kernel, stride, doubles| {
            StyleConv::new(self.styles, channels, kernel, stride, doubles, device)
        };
        let inner = || conv([CHANNELS; 2], 3, 1, false);
        StyleNetwork {
            contract: vec![
                conv([3, CHANNELS], 9, 1, false),
                conv([CHANNELS; 2], 3, 2, false),
                conv([CHANNELS; 2], 3, 2, false),
            ],
            residual: (0..RESIDUAL_BLOCKS)
                .map(|_| ResidualBlock {
                    first: inner(),
                    second: inner(),
                })
                .collect(),
            expand: vec![
                conv([CHANNELS, 8], 3, 1, true),
                conv([8, 4], 3, 1, true),
                conv([4, 3], 9, 1, false),
            ],
        }
    }
}

impl StyleNetwork {
    /// Repaints a picture.
    ///
    /// # Shapes
    /// - input: `[1, 3, height, width]`, RGB from 0 to 1, height and width multiples of 4 and at
    ///   least 16; `styles` `[1, styles]`, weights of at least 0 that sum to 1
    /// - output: as the input
    pub fn forward(&self, image: Tensor<4>, styles: Tensor<2>) -> Tensor<4> {
        self.forward_with(image, styles, Scales::Own)
    }

    /// As [`forward`](Self::forward), normalising with `scales`.
    pub fn forward_with(
        &self,
        image: Tensor<4>,
        styles: Tensor<2>,
        mut scales: Scales<'_>,
    ) -> Tensor<4> {
        let scales = &mut scales;
        let mut x = image;
        for layer in &self.contract {
            x = layer.forward(x, &styles, scales, Activation::Relu, None);
        }
        for ResidualBlock { first, second } in &self.residual {
            let y = first.forward(x.clone(), &styles, scales, Activation::Relu, None);
            x = second.forward(y, &styles, scales, Activation::Linear, Some(x));
        }
        let (last, doublings) = self.expand.split_last().expect("three layers");
        for layer in doublings {
            x = layer.forward(x, &styles, scales, Activation::Relu, None);
        }
        last.forward(x, &styles, scales, Activation::Sigmoid, None)
    }
}

/// The shipped network of 26 styles.
pub const MULTISTYLE26: super::Network<StyleNetwork> = super::Network {
    name: "multistyle26",
    init: |device| StyleNetworkConfig::new(26).init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, Tolerance};

    #[test]
    fn an_untrained_network_paints_grey() {
        let device = Device::flex();
        let network = StyleNetworkConfig::new(26).init(&device);
        let styles = Tensor::full([1, 26], 1.0 / 26.0, &device);
        let painted = network.forward(Tensor::zeros([1, 3, 16, 24], &device), styles);
        // Zero weights leave sigmoid(0).
        painted.into_data().assert_approx_eq::<f32>(
            &TensorData::full([1, 3, 16, 24], 0.5f32),
            Tolerance::default(),
        );
    }

    #[test]
    fn normalisation_gives_each_channel_the_mean_and_spread_of_the_style() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[1.0, 3.0]], [[-10.0, 10.0]]]], &device);
        let mixture = Mixture {
            gamma: &Tensor::from_data([[2.0, 0.5]], &device),
            beta: &Tensor::from_data([[7.0, 0.0]], &device),
            weights: None,
        };
        // Both channels lie one standard deviation either side of their mean.
        instance_norm(x, &mixture, Activation::Linear, None)
            .into_data()
            .assert_approx_eq::<f32>(
                &TensorData::from([[[[5.0, 9.0]], [[-0.5, 0.5]]]]),
                Tolerance::absolute(1e-4),
            );
    }
}
