//! Convolution, bias, activation and a sum in one dispatch.

use burn::tensor::Tensor;

use super::super::activation::Activation;
use super::launch::{Shader, body, launch, on_gpu};

/// Pixels that a workgroup makes.
const TILE_PIXELS: usize = 64;
/// Channels that a workgroup makes for each that one of its threads makes.
const TILE_CHANNELS: usize = 16;
/// Workgroups that keep a large GPU busy; with fewer, tiles are made smaller.
const ENOUGH_GROUPS: usize = 64;
/// Threads of a workgroup where one makes one value.
const THREADS: usize = 256;

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

    /// The result, `[batch, out, size]`; `None` where the tensors are not on a GPU, and for filters of
    /// single channels on a mirrored map, which no network has.
    pub fn run(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        if self.depthwise {
            self.by_channel(x)
        } else {
            self.product(x, None)
        }
    }

    /// From a gradient on the result of this convolution (stride 1, no bias) to one on its input, which
    /// has `size` and as many channels as the weights have inputs. Where `output` is not above zero, the
    /// gradient is stopped: a rectifier stood there.
    ///
    /// It is a convolution again, with each kernel turned by half a turn, and inputs and outputs
    /// exchanged.
    pub fn adjoint(&self, gradient: &Tensor<4>, output: &Tensor<4>) -> Option<Tensor<4>> {
        self.product(gradient, Some(output))
    }

    fn product(&self, x: &Tensor<4>, gate: Option<&Tensor<4>>) -> Option<Tensor<4>> {
        let adjoint = gate.is_some();
        let [batch, channels_in, height, width] = x.dims();
        let [weights_out, weights_in, kernel, _] = self.weight.dims();
        let channels_out = if adjoint { weights_in } else { weights_out };
        let [high, wide] = self.size;
        // A mirror shows no more than there is.
        debug_assert!(
            self.border != Border::Mirrored
                || height.min(width) << usize::from(self.doubles) > kernel / 2
        );
        let pixels = batch * high * wide;
        let per_thread = channels_a_thread(channels_out, pixels);
        let (mirrored, above, left) = match self.border {
            Border::Zeros { above, left } => (0, above, left),
            Border::Mirrored => (1, kernel / 2, kernel / 2),
        };
        let shader = Shader {
            body: body!("convolution"),
            constants: vec![
                ("KERNEL", kernel as u32),
                ("PER_THREAD", per_thread as u32),
                ("MIRRORED", mirrored),
                ("DOUBLED", self.doubles.into()),
                ("ADJOINT", adjoint.into()),
                ("GATED", adjoint.into()),
            ],
            inputs: vec![
                ("x", true),
                ("weight", true),
                ("bias", self.bias.is_some()),
                ("gate", adjoint),
                ("added", self.added.is_some()),
            ],
            threads: [16, 16],
            told: 11,
        };
        let told = [
            height,
            width,
            channels_in,
            channels_out,
            wide,
            high * wide,
            pixels,
            self.stride,
            above,
            left,
        ];
        let groups = [
            pixels.div_ceil(TILE_PIXELS),
            channels_out.div_ceil(TILE_CHANNELS * per_thread),
        ];
        let shape = [batch, channels_out, high, wide];
        self.launch(shader, x, gate, &told, groups, shape)
    }

    fn by_channel(&self, x: &Tensor<4>) -> Option<Tensor<4>> {
        let [batch, channels, height, width] = x.dims();
        let [_, _, kernel, _] = self.weight.dims();
        let [high, wide] = self.size;
        let Border::Zeros { above, left } = self.border else {
            return None;
        };
        let values = batch * channels * high * wide;
        let shader = Shader {
            body: body!("depthwise"),
            constants: vec![("KERNEL", kernel as u32)],
            inputs: vec![
                ("x", true),
                ("weight", true),
                ("bias", self.bias.is_some()),
                ("added", self.added.is_some()),
            ],
            threads: [THREADS as u32, 1],
            told: 10,
        };
        let told = [
            height,
            width,
            channels,
            wide,
            high * wide,
            values,
            self.stride,
            above,
            left,
        ];
        let groups = [values.div_ceil(THREADS), 1];
        let shape = [batch, channels, high, wide];
        self.launch(shader, x, None, &told, groups, shape)
    }

    fn launch(
        &self,
        shader: Shader,
        x: &Tensor<4>,
        gate: Option<&Tensor<4>>,
        told: &[usize],
        groups: [usize; 2],
        shape: [usize; 4],
    ) -> Option<Tensor<4>> {
        let mut inputs = vec![on_gpu(x)?, on_gpu(self.weight)?];
        inputs.extend(self.bias.and_then(on_gpu));
        inputs.extend(gate.and_then(on_gpu));
        inputs.extend(self.added.and_then(on_gpu));
        let told = told.iter().map(|&number| number as u32);
        let told = told.chain([self.activation.code()]).collect();
        Some(launch(shader, inputs, told, groups, shape))
    }
}

/// Channels that a thread makes: the more, the fewer times a pixel is fetched, as long as there are
/// channels and groups enough.
fn channels_a_thread(channels: usize, pixels: usize) -> usize {
    let worth = |each: &usize| {
        let tile = TILE_CHANNELS * each;
        let groups = pixels.div_ceil(TILE_PIXELS) * channels.div_ceil(tile);
        channels > tile / 2 && groups >= ENOUGH_GROUPS
    };
    [4, 2].into_iter().find(worth).unwrap_or(1)
}
