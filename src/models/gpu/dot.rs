//! Sums.

use burn::tensor::Tensor;

use super::launch::{Shader, body, launch, on_gpu};

/// Threads of a workgroup.
const THREADS: usize = 256;
/// Most parts that a sum is made of, and how many values are worth a part.
const MOST_PARTS: usize = 64;
const WORTH_A_PART: usize = 2_048;

/// The sum of the products of two tensors' values, `[1]`; `None` without a GPU.
pub fn dot<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> Option<Tensor<1>> {
    let values: usize = a.dims().iter().product();
    let parts = values.div_ceil(WORTH_A_PART).min(MOST_PARTS);
    let shader = Shader {
        body: body!("dot"),
        constants: vec![],
        inputs: vec![("a", true), ("b", true)],
        threads: [THREADS as u32, 1],
        told: 1,
    };
    let inputs = vec![on_gpu(a)?, on_gpu(b)?];
    let summed: Tensor<1> = launch(shader, inputs, vec![values as u32], [parts, 1], [parts]);
    if parts == 1 {
        Some(summed)
    } else {
        total(&summed, 1.0, [1])
    }
}

/// The sum of the parts `[parts, shape]` of a result, times a number.
pub(super) fn total<const P: usize, const D: usize>(
    parts: &Tensor<P>,
    scale: f32,
    shape: [usize; D],
) -> Option<Tensor<D>> {
    let values: usize = shape.iter().product();
    let shader = Shader {
        body: body!("total"),
        constants: vec![],
        inputs: vec![("x", true)],
        threads: [THREADS as u32, 1],
        told: 3,
    };
    let count = parts.dims().iter().product::<usize>() / values;
    let told = vec![values as u32, count as u32, scale.to_bits()];
    let groups = [values.div_ceil(THREADS), 1];
    Some(launch(shader, vec![on_gpu(parts)?], told, groups, shape))
}
