//! A few layers with known numbers, run on two devices and compared.
//!
//! On WebGPU a shader that fails to compile is skipped without an error and the caller reads
//! stale memory; an adapter may also compute wrongly. Both show here.

use burn::tensor::module::{conv2d, interpolate};
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData, activation};

/// Largest difference that still counts as agreement: outputs are sigmoids, and f32 sums of
/// this length differ by about 1e-6 when added in another order.
pub const TOLERANCE: f32 = 1e-4;

/// A tensor of numbers between -1 and 1 that look random: fractions of multiples of the golden
/// ratio.
fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (1..=count)
        .map(|i| (i as f32 * 0.618_034).fract() * 2.0 - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The layers that Kiln's networks are made of: strided, depthwise and pointwise convolution,
/// bounded activations, resizing, a matrix product, a concatenation.
pub fn probe(device: &Device) -> Tensor<2> {
    let conv = |x, shape, stride, groups| {
        conv2d(
            x,
            numbers(shape, device),
            None,
            ConvOptions::new([stride; 2], [shape[2] / 2; 2], [1; 2], groups),
        )
    };
    let x = numbers([1, 3, 16, 16], device);
    let x = activation::relu6(conv(x, [8, 3, 3, 3], 2, 1));
    let x = activation::hard_swish(conv(x, [8, 1, 3, 3], 1, 8));
    let x = conv(x, [12, 8, 1, 1], 1, 1);
    let size = InterpolateOptions::new(InterpolateMode::Bilinear)
        .with_align_corners(false)
        .with_output_size([16, 16]);
    let x = interpolate(x, size).mean_dim(3).reshape([12, 16]);
    let y = x.clone().matmul(x.clone().transpose());
    activation::sigmoid(Tensor::cat(vec![x, y], 1))
}

/// Largest difference between two lists of numbers; infinite if their lengths differ or one
/// is not finite.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() || !a.iter().chain(b).all(|v| v.is_finite()) {
        return f32::INFINITY;
    }
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_agrees_with_itself_on_numbers_that_vary() {
        let values = || {
            probe(&Device::flex())
                .into_data()
                .try_into_vec::<f32>()
                .expect("f32")
        };
        assert_eq!(largest_difference(&values(), &values()), 0.0);
        let values = values();
        let spread =
            values.iter().fold(0f32, |m, v| m.max(*v)) - values.iter().fold(1f32, |m, v| m.min(*v));
        assert!(
            spread > 0.2,
            "a probe that is flat proves nothing: {spread}"
        );
    }

    #[test]
    fn stale_or_broken_numbers_are_far() {
        assert_eq!(largest_difference(&[1.0], &[1.0, 2.0]), f32::INFINITY);
        assert_eq!(largest_difference(&[f32::NAN], &[1.0]), f32::INFINITY);
        assert_eq!(largest_difference(&[0.25, 0.5], &[0.25, 0.0]), 0.5);
    }
}
