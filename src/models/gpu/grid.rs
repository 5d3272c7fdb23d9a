//! A layer of the generative networks in one dispatch.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::super::activation::Activation;
use super::launch::{Shader, launch, on_gpu};

/// Threads of a workgroup.
const THREADS: usize = 256;

/// Batch normalisation by kept statistics, and what follows it.
pub struct ScaleShift<'a> {
    /// Its scale, shift, mean and variance.
    pub norm: &'a BatchNorm,
    /// What follows.
    pub activation: Activation,
}

/// A convolution on a square grid `[side * side, batch, in]`, see
/// [`GridConv`](crate::models::generate::grid_conv::GridConv).
pub struct GridLayer<'a> {
    /// `[kernel * kernel, in, out]`.
    pub weight: &'a Tensor<3>,
    /// `[out]`.
    pub bias: &'a Tensor<1>,
    /// Side of the kernel.
    pub kernel: usize,
    /// The number of its [`Step`](crate::models::generate::grid_conv::Step) in their order: the side
    /// stays, is halved, is doubled.
    pub step: u32,
    /// Side of the grid before and after.
    pub sides: [usize; 2],
    /// What follows.
    pub then: Option<ScaleShift<'a>>,
}

impl GridLayer<'_> {
    /// The result, `[new side squared, batch, out]`; `None` where the tensors are not on a GPU.
    pub fn run(&self, x: &Tensor<3>) -> Option<Tensor<3>> {
        let [_, batch, channels_in] = x.dims();
        let [_, _, channels_out] = self.weight.dims();
        let [side, new_side] = self.sides;
        let pixels = new_side * new_side;
        let values = pixels * batch * channels_out;
        let mut inputs = vec![on_gpu(x)?, on_gpu(self.weight)?, on_gpu(self.bias)?];
        let normalised = self.then.is_some();
        let (mut channels, mut epsilon, mut activation) = (channels_out, 0.0, Activation::Linear);
        if let Some(ScaleShift {
            norm,
            activation: then,
        }) = &self.then
        {
            [channels] = norm.gamma.dims();
            (epsilon, activation) = (norm.epsilon as f32, *then);
            for numbers in [
                norm.gamma.val(),
                norm.beta.val(),
                norm.running_mean.value(),
                norm.running_var.value(),
            ] {
                inputs.push(on_gpu(&numbers)?);
            }
        }
        let shader = Shader {
            body: include_str!("grid.wgsl"),
            constants: vec![
                ("KERNEL", self.kernel as u32),
                ("STEP", self.step),
                ("NORMALISED", normalised.into()),
            ],
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
        let told = [
            side,
            new_side,
            batch,
            channels_in,
            channels_out,
            values,
            channels,
        ];
        let told = told.iter().map(|&number| number as u32);
        let told = told.chain([activation.code(), epsilon.to_bits()]).collect();
        let groups = [values.div_ceil(THREADS), 1];
        let shape = [pixels, batch, channels_out];
        Some(launch(shader, inputs, told, groups, shape))
    }
}
