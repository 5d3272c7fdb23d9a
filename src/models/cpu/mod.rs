//! Layers as kernels of our own, for tensors on the CPU: from tensors to the plain slices of the kernels, and back.
//!
//! Each function gives `None` where its tensors are not on this backend, or record gradients; the caller then
//! composes the layer of Burn's operations. Tests hold them against those, and against plain loops.

mod convolution;
mod grid;
mod planes;

use burn::backend::Flex;
use burn::tensor::{DType, Shape, Tensor};
use burn_flex::{FlexTensor, Layout};
use kiln_kernels::After;

use super::activation::Activation;

pub use convolution::{adjoint, convolve, pair};
pub use grid::{Gradient, forward, on_input, on_weights};
pub use planes::{doubled, gated, interleaved, means, moments, rescale, weighed};

/// The tensor as its backend holds it, one value after the other; `None` on another backend.
pub(super) fn on_cpu<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (tensor.dtype() == DType::F32).then(|| tensor.to_contiguous())
}

/// The same for what may be missing: `None` only where it is there and on another backend.
#[allow(clippy::option_option)]
fn all_on_cpu<const D: usize>(tensor: Option<&Tensor<D>>) -> Option<Option<FlexTensor>> {
    tensor.map_or(Some(None), |tensor| on_cpu(tensor).map(Some))
}

/// Whether the tensor is on this backend, and records no gradients.
pub fn holds<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.clone().try_into_primitive::<Flex>().is_ok()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    let layout = Layout::contiguous(Shape::from(shape));
    let bytes = burn::tensor::Bytes::from_elems(values);
    Tensor::from_primitive::<Flex>(FlexTensor::new(bytes, layout, DType::F32))
}

fn after(activation: Activation) -> After {
    match activation {
        Activation::Linear => After::Nothing,
        Activation::Relu => After::Relu,
        Activation::Relu6 => After::Relu6,
        Activation::HardSwish => After::HardSwish,
        Activation::Sigmoid => After::Sigmoid,
    }
}
