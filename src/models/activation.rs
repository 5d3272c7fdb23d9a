//! What follows a convolution or a normalisation, value by value.

use burn::config::Config;
use burn::tensor::{Tensor, activation};

/// A function of each value.
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

    /// The function's number in the shaders of [`gpu`](super::gpu).
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Linear => 0,
            Self::Relu => 1,
            Self::Relu6 => 2,
            Self::HardSwish => 3,
            Self::Sigmoid => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData, Tolerance};

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
