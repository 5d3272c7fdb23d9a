//! A convolution followed by its activation, with TensorFlow's SAME padding.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};

/// What follows the convolution.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: a linear projection.
    Linear,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`, the bounded unit of MobileNetV2.
    Relu6,
    /// `x * relu6(x + 3) / 6`, the cheap swish of MobileNetV3.
    HardSwish,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
}

impl Activation {
    /// Applies the function to each element; the shape stays.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Linear => x,
            Self::Relu => activation::relu(x),
            // Two bounds one after the other: on the CPU backend each is vectorised, and
            // `clamp` with both at once is not (a quarter of a MobileNet's time).
            Self::Relu6 => activation::relu(x).clamp_max(6.0),
            Self::HardSwish => activation::hard_swish(x),
            Self::Sigmoid => activation::sigmoid(x),
        }
    }
}

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
        self.activation.forward(self.conv.forward(x))
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

    #[test]
    fn hard_swish_matches_its_definition() {
        let device = Device::flex();
        let x = Tensor::<1>::from_data([-4.0, -3.0, -1.0, 0.0, 1.0, 3.0, 5.0], &device);
        // x * clamp(x + 3, 0, 6) / 6, by hand.
        let expected = [0.0, 0.0, -1.0 / 3.0, 0.0, 2.0 / 3.0, 3.0, 5.0];
        Activation::HardSwish
            .forward(x)
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from(expected), Tolerance::absolute(1e-6));
    }
}
