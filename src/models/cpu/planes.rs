//! What is done to whole channels on the CPU: normalised, weighed, averaged, doubled.

use burn::backend::Flex;
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

use super::super::activation::Activation;
use super::{after, on_cpu, tensor};

/// Mean and variance of each map, `[batch, channels]` each.
pub fn moments(x: &Tensor<4>) -> Option<[Tensor<2>; 2]> {
    let [batch, channels, ..] = x.dims();
    let map = on_cpu(x)?;
    let moments = kiln_kernels::moments(map.storage(), batch * channels);
    let row = |index: usize| {
        let values: Vec<f32> = moments.iter().map(|moments| moments[index]).collect();
        tensor(values, [batch, channels])
    };
    Some([row(0), row(1)])
}

/// Each value times the factor of its map plus its sum, then the activation, then plus `added`: `scales` are
/// `[2, batch * channels]`. In place, where nobody else holds them.
///
/// # Panics
/// Where a tensor is not on this backend: see [`holds`](super::holds).
pub fn rescale(
    x: Tensor<4>,
    scales: &Tensor<2>,
    activation: Activation,
    added: Option<&Tensor<4>>,
) -> Tensor<4> {
    let scales = on_cpu(scales).expect("where the maps are");
    let scales: &[f32] = scales.storage();
    let (factors, sums) = scales.split_at(scales.len() / 2);
    let pairs = factors.iter().zip(sums);
    let pairs: Vec<[f32; 2]> = pairs.map(|(&factor, &sum)| [factor, sum]).collect();
    in_place(x, &pairs, activation, added)
}

/// Each map times its weight, `[batch, channels, 1, 1]`, plus `added`. In place, where nobody else holds them.
///
/// # Panics
/// Where a tensor is not on this backend: see [`holds`](super::holds).
pub fn weighed(x: Tensor<4>, weights: &Tensor<4>, added: Option<&Tensor<4>>) -> Tensor<4> {
    let weights = on_cpu(weights).expect("where the maps are");
    let pairs: Vec<[f32; 2]> = weights
        .storage::<f32>()
        .iter()
        .map(|&weight| [weight, 0.0])
        .collect();
    in_place(x, &pairs, Activation::Linear, added)
}

fn in_place(
    x: Tensor<4>,
    scales: &[[f32; 2]],
    activation: Activation,
    added: Option<&Tensor<4>>,
) -> Tensor<4> {
    let added = added.map(|added| on_cpu(added).expect("where the maps are"));
    let dims = x.dims();
    let held = x.try_into_primitive::<Flex>().expect("on the CPU");
    let mut maps = held.to_contiguous();
    // Contiguous maps are the same again: now they have one owner less.
    drop(held);
    let (activation, added) = (after(activation), added.as_ref().map(FlexTensor::storage));
    if let Some(numbers) = maps.try_storage_mut() {
        kiln_kernels::rescale(numbers, scales, activation, added);
        return Tensor::from_primitive::<Flex>(maps);
    }
    let mut result = Vec::new();
    kiln_kernels::rescaled(maps.storage(), scales, activation, added, &mut result);
    tensor(result, dims)
}

/// A gradient, stopped where a rectifier that gave `output` stopped the value; with `guided` also where it is not above
/// zero. `None` where it is not on this backend.
pub fn gated(
    gradient: &Tensor<4>,
    output: &Tensor<4>,
    top: f32,
    guided: bool,
) -> Option<Tensor<4>> {
    let dims = gradient.dims();
    let (gradient, output) = (on_cpu(gradient)?, on_cpu(output)?);
    let mut values = gradient.storage::<f32>().to_vec();
    kiln_kernels::gate(&mut values, output.storage(), top, guided);
    Some(tensor(values, dims))
}

/// The mean of each map, `[batch, channels, 1, 1]`.
pub fn means(x: &Tensor<4>) -> Option<Tensor<4>> {
    let [batch, channels, ..] = x.dims();
    let map = on_cpu(x)?;
    let means = kiln_kernels::means(map.storage(), batch * channels);
    Some(tensor(means, [batch, channels, 1, 1]))
}

/// Twice as many rows and columns, by bilinear interpolation between the centres of pixels.
pub fn doubled(x: &Tensor<4>) -> Option<Tensor<4>> {
    let [batch, channels, height, width] = x.dims();
    let map = on_cpu(x)?;
    let mut result = Vec::new();
    kiln_kernels::double(
        map.storage(),
        [batch * channels, height, width],
        &mut result,
    );
    Some(tensor(result, [batch, channels, 2 * height, 2 * width]))
}

/// Maps of twice as many rows and columns, from those of their pixels in even and odd rows and columns:
/// `[1, 4, height, width]` to `[1, 1, 2 height, 2 width]`.
pub fn interleaved(four: &Tensor<4>) -> Option<Tensor<4>> {
    let [batch, _, height, width] = four.dims();
    if batch != 1 {
        return None;
    }
    let four = on_cpu(four)?;
    let mut result = Vec::new();
    kiln_kernels::interleave(four.storage(), [1, height, width], &mut result);
    Some(tensor(result, [1, 1, 2 * height, 2 * width]))
}
