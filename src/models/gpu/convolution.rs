//! Convolution, bias, activation and a sum in one dispatch.

use burn::tensor::Tensor;

use super::super::convolution::{Border, Convolution};
use super::launch::{Shader, body, launch, on_gpu};

/// Pixels that a workgroup makes.
const TILE_PIXELS: usize = 64;
/// Channels that a workgroup makes for each that one of its threads makes.
const TILE_CHANNELS: usize = 16;
/// Workgroups that keep a large GPU busy; with fewer, tiles are made smaller.
const ENOUGH_GROUPS: usize = 64;
/// Threads of a workgroup where one makes one value.
const THREADS: usize = 256;

/// [`Convolution::run`] on a GPU.
pub fn convolve(of: &Convolution<'_>, x: &Tensor<4>) -> Option<Tensor<4>> {
    if of.depthwise {
        of.by_channel(x)
    } else {
        of.product(x, None)
    }
}

/// [`Convolution::adjoint`] on a GPU.
pub fn adjoint(
    of: &Convolution<'_>,
    gradient: &Tensor<4>,
    output: &Tensor<4>,
) -> Option<Tensor<4>> {
    of.product(gradient, Some(output))
}

impl Convolution<'_> {
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
