//! A convolution followed by its activation, with TensorFlow's SAME padding.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
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
}
