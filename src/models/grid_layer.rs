//! A layer of the generative networks as one step, and its way back.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Cube, Flex};
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::activation::Activation;
use super::cpu;
use super::generate::grid_conv::Step;

/// Batch normalisation by kept statistics, and what follows it.
pub struct ScaleShift<'a> {
    /// Its scale, shift, mean and variance.
    pub norm: &'a BatchNorm,
    /// What follows.
    pub activation: Activation,
}

/// A convolution on a square grid `[side * side, batch, in]`, see
/// [`GridConv`](super::generate::grid_conv::GridConv): a dispatch on a GPU, a kernel of our own on the CPU.
#[derive(Debug, Clone, Copy)]
pub struct GridLayer {
    /// Side of the kernel.
    pub kernel: usize,
    /// What becomes of the side.
    pub step: Step,
    /// Side of the grid before and after.
    pub sides: [usize; 2],
}

impl GridLayer {
    /// The result, `[new side squared, batch, out]`; `None` where the backend of the tensors has no such kernel.
    /// Where they record gradients, so does the result.
    ///
    /// # Shapes
    /// - `weight` `[kernel * kernel, in, out]`, `bias` `[out]`
    pub fn run(&self, x: &Tensor<3>, weight: &Tensor<3>, bias: &Tensor<1>) -> Option<Tensor<3>> {
        self.forward(x, weight, bias, None)
            .or_else(|| recorded_on_cube(*self, x, weight, bias))
            .or_else(|| recorded_on_flex(*self, x, weight, bias))
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

    fn forward(
        &self,
        x: &Tensor<3>,
        weight: &Tensor<3>,
        bias: &Tensor<1>,
        then: Option<&ScaleShift<'_>>,
    ) -> Option<Tensor<3>> {
        self.forward_on_gpu(x, weight, bias, then)
            .or_else(|| cpu::forward(*self, x, weight, bias, then))
    }

    /// From a gradient on the result to one on the input, `[side squared, batch, in]`; `None` where the backend has no
    /// such kernel. For networks whose weights stand still: nothing is recorded.
    pub fn back(&self, gradient: &Tensor<3>, weight: &Tensor<3>) -> Option<Tensor<3>> {
        let on_cpu = cpu::Gradient::new(*self, gradient);
        self.on_input(gradient, on_cpu.as_ref(), weight)
    }

    /// From a gradient on the result to one on the input. `on_cpu` is the gradient, where it lies there.
    fn on_input(
        &self,
        gradient: &Tensor<3>,
        on_cpu: Option<&cpu::Gradient>,
        weight: &Tensor<3>,
    ) -> Option<Tensor<3>> {
        match on_cpu {
            Some(gradient) => cpu::on_input(*self, gradient, weight),
            None => self.on_input_on_gpu(gradient, weight),
        }
    }

    /// From a gradient on the result to those on the weights and the bias.
    fn on_weights(
        &self,
        x: &Tensor<3>,
        gradient: &Tensor<3>,
        on_cpu: Option<&cpu::Gradient>,
    ) -> Option<(Tensor<3>, Tensor<1>)> {
        match on_cpu {
            Some(gradient) => cpu::on_weights(*self, x, gradient),
            None => self.on_weights_on_gpu(x, gradient),
        }
    }
}

/// The way back through a layer.
#[derive(Debug)]
struct GridBackward;

/// The tensor as one that records gradients: weights that stand still meet maps that do not, and the other way round.
fn recording<const D: usize>(tensor: &Tensor<D>) -> Tensor<D> {
    if tensor.device().is_autodiff() {
        tensor.clone()
    } else {
        Tensor::from_inner(tensor.clone())
    }
}

/// The result of tensors that record gradients on one of the backends.
macro_rules! recorded {
    ($name:ident, $backend:ty) => {
        fn $name(
            layer: GridLayer,
            x: &Tensor<3>,
            weight: &Tensor<3>,
            bias: &Tensor<1>,
        ) -> Option<Tensor<3>> {
            let x = recording(x)
                .try_into_primitive::<Autodiff<$backend>>()
                .ok()?;
            let weight = recording(weight)
                .try_into_primitive::<Autodiff<$backend>>()
                .ok()?;
            let bias = recording(bias)
                .try_into_primitive::<Autodiff<$backend>>()
                .ok()?;
            let forward = || {
                let [x, weight] = [&x, &weight].map(|tensor| {
                    Tensor::<3>::from_primitive::<$backend>(tensor.primitive().clone())
                });
                let bias = Tensor::<1>::from_primitive::<$backend>(bias.primitive().clone());
                let y = layer
                    .forward(&x, &weight, &bias, None)
                    .expect("on its backend");
                y.try_into_primitive::<$backend>().expect("made there")
            };
            let prepared = GridBackward
                .prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()])
                .compute_bound()
                .stateful();
            let y = match prepared {
                OpsKind::Tracked(mut prepared) => {
                    let state = (prepared.checkpoint(&x), prepared.checkpoint(&weight), layer);
                    prepared.finish(state, forward())
                }
                OpsKind::UnTracked(prepared) => prepared.finish(forward()),
            };
            Some(Tensor::from_primitive::<Autodiff<$backend>>(y))
        }

        impl Backward<$backend, 3> for GridBackward {
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
                let gradient = gradients.consume::<$backend>(&ops.node);
                let gradient = Tensor::<3>::from_primitive::<$backend>(gradient);
                let [x, weight] = [x, weight].map(|kept| {
                    Tensor::<3>::from_primitive::<$backend>(checkpointer.retrieve_node_output(kept))
                });
                let on_cpu = cpu::Gradient::new(layer, &gradient);
                if let Some(node) = on_x {
                    let found = layer.on_input(&gradient, on_cpu.as_ref(), &weight);
                    let found = found.expect("on its backend");
                    let found = found.try_into_primitive::<$backend>().expect("made there");
                    gradients.register::<$backend>(node.id, found);
                }
                if on_weight.is_some() || on_bias.is_some() {
                    let found = layer.on_weights(&x, &gradient, on_cpu.as_ref());
                    let found = found.expect("on its backend");
                    if let Some(node) = on_weight {
                        let found = found
                            .0
                            .try_into_primitive::<$backend>()
                            .expect("made there");
                        gradients.register::<$backend>(node.id, found);
                    }
                    if let Some(node) = on_bias {
                        let found = found
                            .1
                            .try_into_primitive::<$backend>()
                            .expect("made there");
                        gradients.register::<$backend>(node.id, found);
                    }
                }
            }
        }
    };
}

recorded!(recorded_on_cube, Cube);
recorded!(recorded_on_flex, Flex);
