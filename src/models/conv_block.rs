//! A convolution followed by its activation, with TensorFlow's SAME padding.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::convolution::{Border, Convolution};
use super::cpu;

pub use super::activation::Activation;

/// Configuration of a [`ConvBlock`].
#[derive(Config, Debug)]
pub struct ConvBlockConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Side of the square kernel.
    #[config(default = "1")]
    pub kernel: usize,
    /// Step of the kernel, in both directions.
    #[config(default = "1")]
    pub stride: usize,
    /// One filter for each channel instead of one for all of them.
    #[config(default = "false")]
    pub depthwise: bool,
    /// What follows the convolution.
    #[config(default = "Activation::Linear")]
    pub activation: Activation,
}

/// Convolution (batch norm already folded into weight and bias), then an activation.
///
/// Padding is TensorFlow's SAME: the output has `ceil(size / stride)` rows and columns, and
/// an odd padding puts the extra row at the bottom and the extra column at the right. Networks
/// that were trained so lose accuracy with the symmetric padding of PyTorch.
#[derive(Module, Debug)]
pub struct ConvBlock {
    /// Weight `[out, in / groups, kernel, kernel]`, bias `[out]`.
    pub conv: Conv2d,
    /// What follows.
    #[module(skip)]
    pub activation: Activation,
}

impl ConvBlockConfig {
    /// A block with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> ConvBlock {
        let [channels_in, _] = self.channels;
        ConvBlock {
            conv: Conv2dConfig::new(self.channels, [self.kernel, self.kernel])
                .with_stride([self.stride, self.stride])
                .with_padding(PaddingConfig2d::Same)
                .with_groups(if self.depthwise { channels_in } else { 1 })
                .with_initializer(Initializer::Zeros)
                .init(device),
            activation: self.activation,
        }
    }
}

impl ConvBlock {
    /// # Shapes
    /// - input: `[batch, in, height, width]`
    /// - output: `[batch, out, ceil(height / stride), ceil(width / stride)]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let in_one = in_one(&self.conv, self.activation, &x, None);
        in_one.unwrap_or_else(|| self.activation.forward(self.conv.forward(x)))
    }

    /// As [`forward`](Self::forward), plus `added`, which is shaped like the output.
    pub fn forward_plus(&self, x: Tensor<4>, added: Tensor<4>) -> Tensor<4> {
        let in_one = in_one(&self.conv, self.activation, &x, Some(&added));
        in_one.unwrap_or_else(|| self.activation.forward(self.conv.forward(x)) + added)
    }
}

/// What rectifiers do on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifiers {
    /// They let a gradient pass where they let the value pass: the gradient of the function.
    Gradient,
    /// And of that what is above zero alone: guided backpropagation (Springenberg et al. 2015).
    Guided,
}

impl ConvBlock {
    /// From a gradient on the block's `output`, `[batch, out, rows, columns]`, to one on its input, `[batch, in,
    /// sides]`. Of activations with linear pieces only.
    ///
    /// It is a convolution again, with each kernel turned by half a turn, and inputs and outputs exchanged; where the
    /// kernel moved by two, with zeros between the gradient's pixels.
    ///
    /// # Panics
    /// With a hard swish or a sigmoid, whose slopes are not seen from what they gave.
    pub fn backward(
        &self,
        gradient: Tensor<4>,
        output: &Tensor<4>,
        sides: [usize; 2],
        rectifiers: Rectifiers,
    ) -> Tensor<4> {
        let top = match self.activation {
            Activation::Linear => None,
            Activation::Relu => Some(f32::INFINITY),
            Activation::Relu6 => Some(6.0),
            Activation::HardSwish | Activation::Sigmoid => {
                unreachable!("no network with a way back has them")
            }
        };
        let gradient = match top {
            None => gradient,
            Some(top) => gated(gradient, output, top, rectifiers == Rectifiers::Guided),
        };
        let weight = self.conv.weight.val();
        let kernel = weight.dims()[2];
        let forward = same(&self.conv, &weight, None, self.activation, sides);
        let Border::Zeros { above, left } = forward.border else {
            unreachable!("SAME padding is zeros")
        };
        let depthwise = forward.depthwise;
        let turned = if kernel == 1 {
            weight
        } else {
            weight.flip([2, 3])
        };
        let turned = if depthwise {
            turned
        } else {
            turned.swap_dims(0, 1)
        };
        let spread = match self.conv.stride[0] {
            1 => gradient,
            stride => apart(gradient, stride),
        };
        let back = Convolution {
            depthwise,
            ..Convolution::new(
                &turned,
                Border::Zeros {
                    above: kernel - 1 - above,
                    left: kernel - 1 - left,
                },
                sides,
            )
        };
        back.run(&spread).unwrap_or_else(|| {
            // Burn's convolution pads all around by as much, so what it makes too much is cut off.
            let groups = self.conv.groups;
            let options = ConvOptions::new([1, 1], [kernel - 1; 2], [1, 1], groups);
            let all = conv2d(spread, turned.clone(), None, options);
            all.narrow(2, above, sides[0]).narrow(3, left, sides[1])
        })
    }
}

/// A gradient, stopped where `output` is not between zero and `top`; with `guided` also where it is not above zero.
fn gated(gradient: Tensor<4>, output: &Tensor<4>, top: f32, guided: bool) -> Tensor<4> {
    if let Some(gated) = cpu::gated(&gradient, output, top, guided) {
        return gated;
    }
    let above = output.clone().greater_elem(0.0);
    let mut passed = above.bool_and(output.clone().lower_elem(top));
    if guided {
        passed = passed.bool_and(gradient.clone().greater_elem(0.0));
    }
    gradient.mask_fill(passed.bool_not(), 0.0)
}

/// Pixels with `stride - 1` zeros behind each, in both directions.
fn apart(x: Tensor<4>, stride: usize) -> Tensor<4> {
    let [batch, channels, rows, columns] = x.dims();
    let device = x.device();
    let x = x.reshape([batch * channels * rows, columns, 1]);
    let zeros = Tensor::zeros([batch * channels * rows, columns, stride - 1], &device);
    let x = Tensor::cat(vec![x, zeros], 2);
    let x = x.reshape([batch * channels * rows, 1, columns * stride]);
    let zeros = Tensor::zeros(
        [batch * channels * rows, stride - 1, columns * stride],
        &device,
    );
    let x = Tensor::cat(vec![x, zeros], 1);
    x.reshape([batch, channels, rows * stride, columns * stride])
}

/// A convolution with SAME padding, its activation and a sum in one step; `None` without a kernel of our own.
pub(super) fn in_one(
    conv: &Conv2d,
    activation: Activation,
    x: &Tensor<4>,
    added: Option<&Tensor<4>>,
) -> Option<Tensor<4>> {
    let [_, _, height, width] = x.dims();
    let weight = conv.weight.val();
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    let of = Convolution {
        added,
        ..same(conv, &weight, bias.as_ref(), activation, [height, width])
    };
    of.run(x)
}

/// `widen`, one by one, then `depthwise`: in one step where the map between them is too large for a cache.
pub(super) fn widened(widen: &ConvBlock, depthwise: &ConvBlock, x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let [first, second] = [widen, depthwise].map(|block| block.conv.weight.val());
    let [one, other] =
        [widen, depthwise].map(|block| block.conv.bias.as_ref().map(|bias| bias.val()));
    let pair = cpu::pair(
        &same(
            &widen.conv,
            &first,
            one.as_ref(),
            widen.activation,
            [height, width],
        ),
        &same(
            &depthwise.conv,
            &second,
            other.as_ref(),
            depthwise.activation,
            [height, width],
        ),
        &x,
    );
    pair.unwrap_or_else(|| depthwise.forward(widen.forward(x)))
}

/// What a convolution is on a map of such a height and width.
fn same<'a>(
    conv: &Conv2d,
    weight: &'a Tensor<4>,
    bias: Option<&'a Tensor<1>>,
    activation: Activation,
    sides: [usize; 2],
) -> Convolution<'a> {
    let kernel = weight.dims()[2];
    let stride = conv.stride[0];
    let size = sides.map(|side| side.div_ceil(stride));
    // Half of what the windows reach beyond the map, the smaller half first.
    let before = |side: usize, out: usize| ((out - 1) * stride + kernel).saturating_sub(side) / 2;
    let border = Border::Zeros {
        above: before(sides[0], size[0]),
        left: before(sides[1], size[1]),
    };
    Convolution {
        bias,
        stride,
        depthwise: conv.groups > 1,
        activation,
        ..Convolution::new(weight, border, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Param;
    use burn::tensor::{TensorData, Tolerance};

    fn ones(mut block: ConvBlock, device: &Device) -> ConvBlock {
        let dims = block.conv.weight.dims();
        block.conv.weight = Param::from_tensor(Tensor::ones(dims, device));
        block
    }

    #[test]
    fn same_padding_puts_the_odd_row_at_the_end() {
        let device = Device::flex();
        let block = ones(
            ConvBlockConfig::new([1, 1])
                .with_kernel(3)
                .with_stride(2)
                .init(&device),
            &device,
        );
        let y = block.forward(Tensor::ones([1, 1, 4, 4], &device));
        // Size 4, stride 2: one padded row, at the bottom. Windows start at 0 and 2 and see
        // 3 and 2 real rows: 3*3, 3*2, 2*3, 2*2 ones.
        y.into_data().assert_approx_eq::<f32>(
            &TensorData::from([[[[9.0, 6.0], [6.0, 4.0]]]]),
            Tolerance::default(),
        );
    }

    /// Numbers of both signs, some of them beyond six.
    fn numbers<const D: usize>(dims: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
        let count: usize = dims.iter().product();
        let number =
            |i: usize| ((((i * 7 + seed) * 2_654_435_761) >> 8) & 1023) as f32 / 512.0 - 1.0;
        let values: Vec<f32> = (0..count).map(number).collect();
        Tensor::from_data(TensorData::new(values, dims), device)
    }

    #[test]
    fn the_way_back_is_the_gradient() {
        let device = Device::flex();
        for (kernel, stride, depthwise, activation, sides) in [
            (1, 1, false, Activation::Linear, [5, 7]),
            (1, 1, false, Activation::Relu6, [4, 4]),
            (3, 1, true, Activation::Relu6, [6, 5]),
            (3, 2, true, Activation::Relu6, [8, 6]),
            (5, 2, true, Activation::Relu, [7, 9]),
            (5, 2, true, Activation::Relu6, [1, 2]),
            (3, 2, false, Activation::Relu6, [9, 8]),
        ] {
            let channels = if depthwise { [6, 6] } else { [6, 4] };
            let config = ConvBlockConfig::new(channels)
                .with_kernel(kernel)
                .with_stride(stride)
                .with_depthwise(depthwise)
                .with_activation(activation);
            let filled = |device: &Device| {
                let mut block = config.init(device);
                let dims = block.conv.weight.dims();
                // So large that some values are beyond six, where the bounded unit stops gradients.
                let weight = numbers(dims, 1, device) * 3.0;
                block.conv.weight = Param::from_tensor(weight);
                block
            };
            let x = numbers([2, 6, sides[0], sides[1]], 2, &device) * 2.0;
            let block = filled(&device);
            let y = block.forward(x.clone());
            let gradient = numbers(y.dims(), 3, &device);
            let ours = block.backward(gradient.clone(), &y, sides, Rectifiers::Gradient);

            let recording = device.clone().autodiff();
            let x = Tensor::<4>::from_data(x.into_data(), &recording).require_grad();
            let y = filled(&recording).forward(x.clone());
            let weighted = y * Tensor::from_data(gradient.into_data(), &recording);
            let gradients = weighted.sum().backward();
            let theirs = x.grad(&gradients).expect("recorded");
            let case = format!("{kernel} {stride} {depthwise} {activation:?} {sides:?}");
            println!("{case}");
            ours.into_data()
                .assert_approx_eq::<f32>(&theirs.into_data(), Tolerance::absolute(1e-4));
        }
    }

    #[test]
    fn a_guided_way_back_lets_nothing_below_zero_through_a_rectifier() {
        let device = Device::flex();
        let block = ones(
            ConvBlockConfig::new([1, 1])
                .with_activation(Activation::Relu6)
                .init(&device),
            &device,
        );
        let x = Tensor::<4>::from_data([[[[-1.0, 2.0, 2.0, 7.0]]]], &device);
        let y = block.forward(x);
        let gradient = Tensor::<4>::from_data([[[[1.0, 1.0, -1.0, 1.0]]]], &device);
        let back = |rectifiers| {
            let back = block.backward(gradient.clone(), &y, [1, 4], rectifiers);
            back.into_data().try_to_vec::<f32>().expect("f32")
        };
        // The first was below zero, the last above six.
        assert_eq!(back(Rectifiers::Gradient), [0.0, 1.0, -1.0, 0.0]);
        assert_eq!(back(Rectifiers::Guided), [0.0, 1.0, 0.0, 0.0]);
    }
}
