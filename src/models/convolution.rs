//! A convolution and what follows it, as one step: a dispatch on a GPU, a kernel of our own on the CPU.

use burn::tensor::Tensor;

use super::activation::Activation;
use super::{cpu, gpu};

/// What lies around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Zeros, so many rows above and columns left of the map.
    Zeros {
        /// Rows above.
        above: usize,
        /// Columns to the left.
        left: usize,
    },
    /// The map, mirrored at its outermost pixels; half a kernel of it.
    Mirrored,
}

/// A convolution of maps `[batch, in, height, width]` with `[out, in, kernel, kernel]`, and what
/// follows it: `activation(convolution + bias) + added`.
pub struct Convolution<'a> {
    /// `[out, in, kernel, kernel]`; `[channels, 1, kernel, kernel]` with `depthwise`.
    pub weight: &'a Tensor<4>,
    /// `[out]`.
    pub bias: Option<&'a Tensor<1>>,
    /// Step of the kernel.
    pub stride: usize,
    /// What lies around the map.
    pub border: Border,
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// One filter for each channel.
    pub depthwise: bool,
    /// Rows and columns are doubled first, by the nearest pixel; needs the mirrored border.
    pub doubles: bool,
    /// What follows the bias.
    pub activation: Activation,
    /// What is added last, shaped like the result.
    pub added: Option<&'a Tensor<4>>,
}

impl<'a> Convolution<'a> {
    /// Without anything around it: stride 1, a result of `size`.
    pub fn new(weight: &'a Tensor<4>, border: Border, size: [usize; 2]) -> Self {
        Self {
            weight,
            bias: None,
            stride: 1,
            border,
            size,
            depthwise: false,
            doubles: false,
            activation: Activation::Linear,
            added: None,
        }
    }

    /// The result, `[batch, out, size]`; `None` where the backend of the tensors has no such kernel, where they
    /// record gradients, and for filters of single channels on a mirrored map, which no network has.
    pub fn run(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        gpu::convolve(self, x).or_else(|| cpu::convolve(self, x))
    }

    /// From a gradient on the result of this convolution (stride 1, no bias) to one on its input, which
    /// has `size` and as many channels as the weights have inputs. Where `output` is not above zero, the
    /// gradient is stopped: a rectifier stood there.
    ///
    /// It is a convolution again, with each kernel turned by half a turn, and inputs and outputs
    /// exchanged.
    pub fn adjoint(&self, gradient: &Tensor<4>, output: &Tensor<4>) -> Option<Tensor<4>> {
        gpu::adjoint(self, gradient, output).or_else(|| cpu::adjoint(self, gradient, output))
    }
}
