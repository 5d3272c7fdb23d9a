//! The sum of the products of two tensors' values.

use burn::tensor::Tensor;

use crate::models::gpu;

/// `sum a * b`, as a tensor `[1]`, so that nothing waits for the device.
///
/// # Shapes
/// - both of the same
pub fn dot<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> Tensor<1> {
    gpu::dot(a, b).unwrap_or_else(|| (a.clone() * b.clone()).sum())
}
