//! A layer of the generative networks in one dispatch, and back in three.

use burn::tensor::Tensor;

use super::super::activation::Activation;
use super::super::grid_layer::{GridLayer, ScaleShift};
use super::dot::total;
use super::launch::{Shader, body, launch, on_gpu};

/// Threads of a workgroup.
const THREADS: usize = 256;
/// Threads that keep a large GPU busy: sums over pixels are made in parts until there are as many.
const ENOUGH_THREADS: usize = 65_536;

impl GridLayer {
    fn constants(&self) -> Vec<(&'static str, u32)> {
        vec![("KERNEL", self.kernel as u32), ("STEP", self.step as u32)]
    }

    fn told(&self, batch: usize, channels: [usize; 2], values: usize) -> Vec<u32> {
        let [side, new_side] = self.sides;
        [side, new_side, batch, channels[0], channels[1], values]
            .iter()
            .map(|&number| number as u32)
            .collect()
    }

    /// [`GridLayer::run_then`] on a GPU, with or without what follows.
    pub(in super::super) fn forward_on_gpu(
        &self,
        x: &Tensor<3>,
        weight: &Tensor<3>,
        bias: &Tensor<1>,
        then: Option<&ScaleShift<'_>>,
    ) -> Option<Tensor<3>> {
        let [_, batch, channels_in] = x.dims();
        let [_, _, channels_out] = weight.dims();
        let pixels = self.sides[1].pow(2);
        let values = pixels * batch * channels_out;
        let mut inputs = vec![on_gpu(x)?, on_gpu(weight)?, on_gpu(bias)?];
        let normalised = then.is_some();
        let (mut channels, mut epsilon, mut activation) = (channels_out, 0.0, Activation::Linear);
        if let Some(then) = then {
            let norm = then.norm;
            [channels] = norm.gamma.dims();
            (epsilon, activation) = (norm.epsilon as f32, then.activation);
            for numbers in [
                norm.gamma.val(),
                norm.beta.val(),
                norm.running_mean.value(),
                norm.running_var.value(),
            ] {
                inputs.push(on_gpu(&numbers)?);
            }
        }
        let mut constants = self.constants();
        constants.push(("NORMALISED", normalised.into()));
        let shader = Shader {
            body: body!("grid", "grid_common"),
            constants,
            inputs: vec![
                ("x", true),
                ("weight", true),
                ("bias", true),
                ("gamma", normalised),
                ("beta", normalised),
                ("mean", normalised),
                ("variance", normalised),
            ],
            threads: [THREADS as u32, 1],
            told: 9,
        };
        let mut told = self.told(batch, [channels_in, channels_out], values);
        told.extend([channels as u32, activation.code(), epsilon.to_bits()]);
        let groups = [values.div_ceil(THREADS), 1];
        let shape = [pixels, batch, channels_out];
        Some(launch(shader, inputs, told, groups, shape))
    }

    /// From a gradient on the result to one on the input.
    pub(in super::super) fn on_input_on_gpu(
        &self,
        gradient: &Tensor<3>,
        weight: &Tensor<3>,
    ) -> Option<Tensor<3>> {
        let [_, batch, channels_out] = gradient.dims();
        let [_, channels_in, _] = weight.dims();
        let pixels = self.sides[0].pow(2);
        let values = pixels * batch * channels_in;
        let shader = Shader {
            body: body!("grid_input", "grid_common"),
            constants: self.constants(),
            inputs: vec![("gradient", true), ("weight", true)],
            threads: [THREADS as u32, 1],
            told: 6,
        };
        let told = self.told(batch, [channels_in, channels_out], values);
        let inputs = vec![on_gpu(gradient)?, on_gpu(weight)?];
        let groups = [values.div_ceil(THREADS), 1];
        Some(launch(
            shader,
            inputs,
            told,
            groups,
            [pixels, batch, channels_in],
        ))
    }

    /// From a gradient on the result to those on the weights and the bias.
    pub(in super::super) fn on_weights_on_gpu(
        &self,
        x: &Tensor<3>,
        gradient: &Tensor<3>,
    ) -> Option<(Tensor<3>, Tensor<1>)> {
        let [_, batch, channels_in] = x.dims();
        let [pixels, _, channels_out] = gradient.dims();
        let taps = self.kernel.pow(2);
        let weights = taps * channels_in * channels_out;
        let values = weights + channels_out;
        let share = pixels.div_ceil(ENOUGH_THREADS.div_ceil(values));
        let parts = pixels.div_ceil(share);
        let shader = Shader {
            body: body!("grid_weights", "grid_common"),
            constants: self.constants(),
            inputs: vec![("x", true), ("gradient", true)],
            threads: [THREADS as u32, 1],
            told: 7,
        };
        let mut told = self.told(batch, [channels_in, channels_out], values);
        told.push(share as u32);
        let inputs = vec![on_gpu(x)?, on_gpu(gradient)?];
        let groups = [values.div_ceil(THREADS), parts];
        let summed: Tensor<2> = launch(shader, inputs, told, groups, [parts, values]);
        let both: Tensor<1> = total(&summed, 1.0, [values])?;
        let on_weights = both.clone().narrow(0, 0, weights);
        let on_bias = both.narrow(0, weights, channels_out);
        Some((
            on_weights.reshape([taps, channels_in, channels_out]),
            on_bias,
        ))
    }
}
