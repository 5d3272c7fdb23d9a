//! The convolutions of VGG-16, layer by layer in both directions: what style, texture and dreams
//! are made of.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::module::{avg_pool2d, conv_transpose2d, conv2d, interpolate};
use burn::tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions,
};
use burn::tensor::{Device, Tensor, TensorData};

use super::activation::Activation;
use super::conv_block::Rectifiers;
use super::convolution::{Border, Convolution};
use super::layered::{Gradients, Layered, Pass, plus};
use crate::protocol::named_layers::{Layers, VGG16 as NAMED};

/// Names of the convolutions, in order.
pub const LAYERS: [&str; 13] = [
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv4_1",
    "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3",
];
/// Channels of each convolution's output.
pub const CHANNELS: [usize; 13] = [
    64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512,
];
/// Convolutions that read a map of half the rows and columns: the first of each later group.
const AFTER_POOLING: [usize; 4] = [2, 4, 7, 10];
/// What ImageNet's pictures are on average: blue, green, red, of 0 to 255.
const MEAN_BGR: [f32; 3] = [103.939, 116.779, 123.68];

/// Index of a convolution by its name.
pub fn layer_index(name: &str) -> Option<usize> {
    LAYERS.iter().position(|&layer| layer == name)
}

/// How many times rows and columns were halved before a convolution.
pub fn halvings(index: usize) -> usize {
    AFTER_POOLING.iter().filter(|&&at| at <= index).count()
}

/// Configuration of [`Vgg16`].
#[derive(Config, Debug)]
pub struct Vgg16Config {}

/// Thirteen 3x3 convolutions with ReLU, halved four times on the way; no classifier.
///
/// Halving is by average pooling: with it gradients reach every pixel, not only the largest of
/// four, and pictures made from them are smoother (Gatys et al. 2015, section 2).
///
/// # Reference
/// Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
/// Recognition", configuration D.
#[derive(Module, Debug)]
pub struct Vgg16 {
    /// See [`LAYERS`].
    pub convs: Vec<Conv3x3>,
}

/// A 3x3 convolution that keeps rows and columns.
#[derive(Module, Debug)]
pub struct Conv3x3 {
    /// `[out, in, 3, 3]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Vgg16Config {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> Vgg16 {
        let inputs = std::iter::once(3).chain(CHANNELS);
        Vgg16 {
            convs: inputs
                .zip(CHANNELS)
                .map(|(channels_in, out)| Conv3x3 {
                    weight: Param::from_tensor(Tensor::zeros([out, channels_in, 3, 3], device)),
                    bias: Param::from_tensor(Tensor::zeros([out], device)),
                })
                .collect(),
        }
    }
}

/// Keeps rows and columns at a 3x3 kernel.
fn same() -> ConvOptions<2> {
    ConvOptions::new([1, 1], [1, 1], [1, 1], 1)
}

/// The same as one step: a convolution that gives a map as large as `like`.
fn conv_like<'a>(weight: &'a Tensor<4>, like: &Tensor<4>) -> Convolution<'a> {
    let [_, _, height, width] = like.dims();
    Convolution::new(weight, Border::Zeros { above: 1, left: 1 }, [height, width])
}

impl Vgg16 {
    /// One step forward: halve where the network halves, convolve, rectify.
    ///
    /// # Shapes
    /// - input: for layer 0 that of [`prepare`], else the output of layer `index - 1`
    /// - output: `[1, CHANNELS[index], height, width]`; after halving, half the rows and columns of
    ///   the input, rounded down
    pub fn forward_layer(&self, index: usize, x: Tensor<4>) -> Tensor<4> {
        let x = if AFTER_POOLING.contains(&index) {
            avg_pool2d(x, AvgPoolOptions::new([2, 2]))
        } else {
            x
        };
        let conv = &self.convs[index];
        let (weight, bias) = (conv.weight.val(), conv.bias.val());
        let in_one = Convolution {
            bias: Some(&bias),
            activation: Activation::Relu,
            ..conv_like(&weight, &x)
        };
        let in_one = in_one.run(&x);
        in_one.unwrap_or_else(|| Activation::Relu.forward(conv2d(x, weight, Some(bias), same())))
    }

    /// The maps of all layers up to and with `last`, after ReLU.
    ///
    /// # Shapes
    /// - input: that of [`prepare`]
    /// - output: `last + 1` maps, each `[1, CHANNELS[i], height_i, width_i]`
    pub fn forward(&self, prepared: Tensor<4>, last: usize) -> Vec<Tensor<4>> {
        let mut maps = Vec::with_capacity(last + 1);
        let mut x = prepared;
        for index in 0..=last {
            x = self.forward_layer(index, x);
            maps.push(x.clone());
        }
        maps
    }

    /// One step backward through what [`forward_layer`](Self::forward_layer) did: from the gradient
    /// on a layer's output to that on its input. The weights stand still, so that there is nothing
    /// else to compute.
    ///
    /// ReLU lets through what was above zero. The gradient of a convolution is the transposed
    /// convolution with the same kernels. Average pooling gives each of four pixels a quarter.
    ///
    /// # Shapes
    /// - `gradient` and `output`: `[1, CHANNELS[index], height, width]`
    /// - `input_size`: rows and columns of the layer's input
    /// - output: `[1, in, input rows, input columns]`
    pub fn backward_layer(
        &self,
        index: usize,
        gradient: Tensor<4>,
        output: Tensor<4>,
        input_size: [usize; 2],
    ) -> Tensor<4> {
        let weight = self.convs[index].weight.val();
        let in_one = conv_like(&weight, &gradient).adjoint(&gradient, &output);
        let on_input = in_one.unwrap_or_else(|| {
            let through_relu = gradient.mask_fill(output.lower_equal_elem(0.0), 0.0);
            let options = ConvTransposeOptions::new([1, 1], [1, 1], [0, 0], [1, 1], 1);
            conv_transpose2d(through_relu, weight, None, options)
        });
        if AFTER_POOLING.contains(&index) {
            spread_quarters(on_input, input_size)
        } else {
            on_input
        }
    }
}

/// Gradient of 2x2 average pooling. An odd last row or column was not read: its gradient is zero.
fn spread_quarters(gradient: Tensor<4>, [rows, columns]: [usize; 2]) -> Tensor<4> {
    let [_, _, height, width] = gradient.dims();
    let options =
        InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([height * 2, width * 2]);
    let spread = interpolate(gradient * 0.25, options);
    let [below, right] = [rows - height * 2, columns - width * 2];
    if below + right == 0 {
        spread
    } else {
        spread.pad((0, right, 0, below), 0.0)
    }
}

/// A picture as the network wants it: blue, green, red, of 0 to 255, minus ImageNet's mean.
///
/// # Shapes
/// - input: `[1, 3, height, width]`, RGB from 0 to 1
/// - output: as the input
pub fn prepare(image: Tensor<4>) -> Tensor<4> {
    let device = image.device();
    let mean = Tensor::<4>::from_data(TensorData::new(MEAN_BGR.to_vec(), [1, 3, 1, 1]), &device);
    image.flip([1]) * 255.0 - mean
}

/// From a gradient on what [`prepare`] gave to one on the picture; shapes as there.
pub fn prepare_backward(gradient: Tensor<4>) -> Tensor<4> {
    gradient.flip([1]) * 255.0
}

impl Layered for Vgg16 {
    fn layers(&self) -> &'static Layers {
        &NAMED
    }

    fn kernels(&self, layer: usize) -> Option<Tensor<4>> {
        let kernels = self.convs[layer].weight.val();
        // The network sees blue first.
        Some(if layer == 0 {
            kernels.flip([1])
        } else {
            kernels
        })
    }

    fn parameters(&self, layer: usize) -> usize {
        self.convs[layer].num_params()
    }

    fn layer(&self, layer: usize, below: Tensor<4>) -> Tensor<4> {
        self.forward_layer(layer, if layer == 0 { prepare(below) } else { below })
    }

    fn pass<'a>(&'a self, pictures: Tensor<4>, last: Option<usize>) -> Box<dyn Pass + 'a> {
        let [_, _, height, width] = pictures.dims();
        let last = last.unwrap_or(LAYERS.len() - 1);
        Box::new(Passed {
            network: self,
            sides: [height, width],
            maps: self.forward(prepare(pictures), last),
        })
    }
}

/// Pictures that went through.
struct Passed<'a> {
    network: &'a Vgg16,
    /// Rows and columns of the pictures.
    sides: [usize; 2],
    maps: Vec<Tensor<4>>,
}

impl Pass for Passed<'_> {
    fn map(&self, layer: usize) -> &Tensor<4> {
        &self.maps[layer]
    }

    fn logits(&self) -> Option<&Tensor<2>> {
        None
    }

    fn back(&self, mut from: Gradients, rectifiers: Rectifiers) -> Tensor<4> {
        let mut gradient = None;
        for (layer, map) in self.maps.iter().enumerate().rev() {
            gradient = plus(gradient, from.at(layer));
            let Some(mut on_map) = gradient.take() else {
                continue;
            };
            if rectifiers == Rectifiers::Guided {
                on_map = on_map.clamp_min(0.0);
            }
            let sides = match layer {
                0 => self.sides,
                layer => {
                    let [_, _, rows, columns] = self.maps[layer - 1].dims();
                    [rows, columns]
                }
            };
            let network = self.network;
            gradient = Some(network.backward_layer(layer, on_map, map.clone(), sides));
        }
        prepare_backward(gradient.expect("a gradient to begin with"))
    }
}

/// The shipped convolutions.
pub const VGG16: super::Network<Vgg16> = super::Network {
    name: "vgg16",
    init: |device| Vgg16Config::new().init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn groups_halve_where_the_paper_says() {
        let halved = ["conv1_2", "conv2_1", "conv3_3", "conv4_1", "conv5_3"]
            .map(|name| halvings(layer_index(name).expect("a layer")));
        assert_eq!(halved, [0, 1, 2, 3, 4]);
        assert_eq!(layer_index("conv6_1"), None);
    }

    #[test]
    fn the_mean_picture_becomes_zero() {
        let device = Device::flex();
        let rgb = [123.68f32, 116.779, 103.939].map(|value| value / 255.0);
        let image = Tensor::<1>::from_data(rgb, &device).reshape([1, 3, 1, 1]);
        prepare(image).into_data().assert_approx_eq::<f32>(
            &TensorData::zeros::<f32, _>([1, 3, 1, 1]),
            Tolerance::absolute(1e-4),
        );
    }

    /// The step backward of a layer against central differences of the sum of its output, weighted
    /// by a random picture, on a map of odd size.
    #[test]
    fn a_step_backward_is_the_gradient_of_a_step_forward() {
        let device = Device::flex();
        device.seed(3);
        let normal = |dims| Tensor::<4>::random(dims, Distribution::Normal(0.0, 1.0), &device);
        for (index, size, out_size) in [(1, [5, 7], [5, 7]), (2, [5, 7], [2, 3])] {
            let mut network = Vgg16Config::new().init(&device);
            let dims = network.convs[index].weight.dims();
            network.convs[index].weight = Param::from_tensor(normal(dims) * 0.05);
            // Every other channel lies far above the rectifier's corner, the others far below: between corners the
            // layer is linear, and steps may be so long that rounding does not count.
            let far: Vec<f32> = (0..dims[0])
                .map(|c| if c % 2 == 0 { 20.0 } else { -20.0 })
                .collect();
            network.convs[index].bias = Param::from_tensor(Tensor::from_data(&far[..], &device));
            let channels_in = dims[1];
            let x = normal([1, channels_in, size[0], size[1]]);
            let upstream = normal([1, dims[0], out_size[0], out_size[1]]);
            let output = network.forward_layer(index, x.clone());
            let gradient = values(network.backward_layer(index, upstream.clone(), output, size));
            let loss = |x: Vec<f32>| {
                let x = Tensor::<4>::from_data(
                    TensorData::new(x, [1, channels_in, size[0], size[1]]),
                    &device,
                );
                values(network.forward_layer(index, x) * upstream.clone())
                    .iter()
                    .map(|&v| f64::from(v))
                    .sum::<f64>()
            };
            let at = values(x);
            // Corners, borders and the middle, in the first, a middle and the last channel.
            let plane = size[0] * size[1];
            for place in [0, 3, 17, plane - 1] {
                for channel in [0, channels_in / 2, channels_in - 1] {
                    let number = channel * plane + place;
                    let moved = |by: f32| {
                        let mut x = at.clone();
                        x[number] += by;
                        loss(x)
                    };
                    let step = 0.5;
                    let expected = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
                    let got = f64::from(gradient[number]);
                    assert!(
                        (got - expected).abs() < 2e-3 * expected.abs().max(0.2),
                        "layer {index}, value {number}: {got}, expected {expected}"
                    );
                }
            }
        }
    }
}
