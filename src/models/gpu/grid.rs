//! A layer of the generative networks in one dispatch, and back in three.

use burn::backend::Autodiff;
use burn::backend::Cube;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn_cubecl::tensor::CubeTensor;

use super::super::activation::Activation;
use super::dot::total;
use super::launch::{Shader, body, launch, on_gpu};

/// Threads of a workgroup.
const THREADS: usize = 256;
/// Threads that keep a large GPU busy: sums over pixels are made in parts until there are as many.
const ENOUGH_THREADS: usize = 65_536;

/// Batch normalisation by kept statistics, and what follows it.
pub struct ScaleShift<'a> {
    /// Its scale, shift, mean and variance.
    pub norm: &'a BatchNorm,
    /// What follows.
    pub activation: Activation,
}

/// A convolution on a square grid `[side * side, batch, in]`, see
/// [`GridConv`](crate::models::generate::grid_conv::GridConv).
#[derive(Debug, Clone, Copy)]
pub struct GridLayer {
    /// Side of the kernel.
    pub kernel: usize,
    /// The number of its [`Step`](crate::models::generate::grid_conv::Step) in their order: the side
    /// stays, is halved, is doubled.
    pub step: u32,
    /// Side of the grid before and after.
    pub sides: [usize; 2],
}

impl GridLayer {
    /// The result, `[new side squared, batch, out]`; `None` where the tensors are not on a GPU. Where they
    /// record gradients, so does the result.
    ///
    /// # Shapes
    /// - `weight` `[kernel * kernel, in, out]`, `bias` `[out]`
    pub fn run(&self, x: &Tensor<3>, weight: &Tensor<3>, bias: &Tensor<1>) -> Option<Tensor<3>> {
        self.forward(x, weight, bias, None)
            .or_else(|| self.recorded(x, weight, bias))
    }

    /// The same, normalised; `None` also where the tensors record gradients.
    pub fn run_then(
        &self,
        x: &Tensor<3>,
        weight: &Tensor<3>,
        bias: &Tensor<1>,
        then: &ScaleShift<'_>,
    ) -> Option<Tensor<3>> {
        self.forward(x, weight, bias, Some(then))
    }

    fn constants(&self) -> Vec<(&'static str, u32)> {
        vec![("KERNEL", self.kernel as u32), ("STEP", self.step)]
    }

    fn told(&self, batch: usize, channels: [usize; 2], values: usize) -> Vec<u32> {
        let [side, new_side] = self.sides;
        [side, new_side, batch, channels[0], channels[1], values]
            .iter()
            .map(|&number| number as u32)
            .collect()
    }

    fn forward(
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
    fn on_input(&self, gradient: &Tensor<3>, weight: &Tensor<3>) -> Option<Tensor<3>> {
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
    fn on_weights(&self, x: &Tensor<3>, gradient: &Tensor<3>) -> Option<(Tensor<3>, Tensor<1>)> {
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

    /// The result of tensors that record gradients.
    fn recorded(&self, x: &Tensor<3>, weight: &Tensor<3>, bias: &Tensor<1>) -> Option<Tensor<3>> {
        let x = x.clone().try_into_primitive::<Autodiff<Cube>>().ok()?;
        let weight = weight.clone().try_into_primitive::<Autodiff<Cube>>().ok()?;
        let bias = bias.clone().try_into_primitive::<Autodiff<Cube>>().ok()?;
        let forward = || {
            let [x, weight] = [&x, &weight].map(|tensor| there::<3>(tensor.primitive().clone()));
            let bias = there::<1>(bias.primitive().clone());
            let y = self.forward(&x, &weight, &bias, None).expect("on a GPU");
            primitive(y)
        };
        let prepared = GridBackward
            .prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let y = match prepared {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), *self);
                prepared.finish(state, forward())
            }
            OpsKind::UnTracked(prepared) => prepared.finish(forward()),
        };
        Some(Tensor::from_primitive::<Autodiff<Cube>>(y))
    }
}

fn there<const D: usize>(tensor: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Cube>(tensor)
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    on_gpu(&tensor).expect("made on a GPU")
}

/// The way back through a layer.
#[derive(Debug)]
struct GridBackward;

impl Backward<Cube, 3> for GridBackward {
    /// Input and weights.
    type State = (NodeId, NodeId, GridLayer);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, weight, layer) = ops.state;
        let [on_x, on_weight, on_bias] = ops.parents;
        let gradient = there::<3>(gradients.consume::<Cube>(&ops.node));
        let x = there::<3>(checkpointer.retrieve_node_output::<CubeTensor>(x));
        let weight = there::<3>(checkpointer.retrieve_node_output::<CubeTensor>(weight));
        if let Some(node) = on_x {
            let found = layer.on_input(&gradient, &weight).expect("on a GPU");
            gradients.register::<Cube>(node.id, primitive(found));
        }
        if on_weight.is_some() || on_bias.is_some() {
            let found = layer.on_weights(&x, &gradient).expect("on a GPU");
            if let Some(node) = on_weight {
                gradients.register::<Cube>(node.id, primitive(found.0));
            }
            if let Some(node) = on_bias {
                gradients.register::<Cube>(node.id, primitive(found.1));
            }
        }
    }
}
