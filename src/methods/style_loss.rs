//! The losses of style transfer by optimisation, each with its gradient written out.
//!
//! # Reference
//! Gatys, Ecker and Bethge 2016, "Image Style Transfer Using Convolutional Neural Networks", and
//! 2015, "Texture Synthesis Using Convolutional Neural Networks".
//!
//! The papers scale the network so that the mean activation of each filter is one. Here each loss
//! is divided by the size of its target instead: a loss of 1 means as far away as an empty
//! picture is, in whatever layer, and weights mean the same everywhere.

use burn::tensor::Tensor;

use super::dot::dot;
use crate::models::gpu;

/// A loss and its gradient on what it was computed from.
pub struct Loss<const D: usize> {
    /// `[1]`, at least 0.
    pub value: Tensor<1>,
    /// Shape of the input.
    pub gradient: Tensor<D>,
}

/// Smallest size of a target that is divided by: an empty target has a loss, not a NaN.
const SMALLEST: f32 = 1e-8;

/// What a map or its Gram matrix is to be like.
#[derive(Debug, Clone)]
pub struct Target<const D: usize> {
    /// The numbers to reach.
    pub value: Tensor<D>,
    /// The sum of their squares, at least [`SMALLEST`], `[1]`.
    size: Tensor<1>,
}

impl<const D: usize> Target<D> {
    /// A target of these numbers.
    pub fn new(value: Tensor<D>) -> Self {
        let size = dot(&value, &value).clamp_min(SMALLEST);
        Self { value, size }
    }
}

/// The channels of a map as rows.
fn rows(map: Tensor<4>) -> Tensor<2> {
    let [_, channels, height, width] = map.dims();
    map.reshape([channels, height * width])
}

/// The Gram matrix of a map: how strongly each two channels fire together, on average over all
/// places. Where they fire is forgotten.
///
/// # Shapes
/// - input: `[1, channels, height, width]`
/// - output: `[channels, channels]`, symmetric: `G[i, j]` is the mean of `F[i, p] * F[j, p]`
pub fn gram(map: Tensor<4>) -> Tensor<2> {
    let [_, _, height, width] = map.dims();
    let rows = rows(map);
    let places = (height * width) as f32;
    // The smaller of the two is scaled.
    let composed = || rows.clone().matmul(rows.clone().transpose()) / places;
    gpu::gram(&rows, 1.0 / places).unwrap_or_else(composed)
}

/// Squared distance of the Gram matrix of a map to a target, relative to the target's:
/// `sum (G - A)^2 / sum A^2`. Its gradient is `4 / (places * sum A^2) * (G - A) F`.
///
/// # Shapes
/// - `map`: `[1, channels, height, width]`; `gram` is its own, `target` the one to reach, both
///   `[channels, channels]`
pub fn style_loss(map: Tensor<4>, gram: Tensor<2>, target: &Target<2>) -> Loss<4> {
    let dims = map.dims();
    let difference = gram - target.value.clone();
    let value = dot(&difference, &difference) / target.size.clone();
    let scale = target.size.clone().recip() * (4.0 / (dims[2] * dims[3]) as f32);
    let (pull, rows) = (difference * scale.reshape([1, 1]), rows(map));
    let gradient = gpu::product(&pull, &rows).unwrap_or_else(|| pull.matmul(rows));
    Loss {
        value,
        gradient: gradient.reshape(dims),
    }
}

/// Squared distance of a map to a target, relative to the target's: `sum (F - P)^2 / sum P^2`.
///
/// # Shapes
/// - `map` and `target`: `[1, channels, height, width]`
pub fn content_loss(map: Tensor<4>, target: &Target<4>) -> Loss<4> {
    let difference = map - target.value.clone();
    let value = dot(&difference, &difference) / target.size.clone();
    let scale = target.size.clone().recip() * 2.0;
    Loss {
        value,
        gradient: difference * scale.reshape([1, 1, 1, 1]),
    }
}

/// Total variation: the mean over all values of a picture of the squared steps to the right and
/// to the neighbour below. Smooth pictures have little.
///
/// # Shapes
/// - input: `[1, channels, height, width]`
pub fn total_variation(picture: Tensor<4>) -> Loss<4> {
    let [_, channels, height, width] = picture.dims();
    let count = (channels * height * width) as f32;
    let device = picture.device();
    let mut value = Tensor::<1>::zeros([1], &device);
    let mut gradient = picture.zeros_like();
    for axis in [2, 3] {
        let length = picture.dims()[axis];
        if length < 2 {
            continue;
        }
        let step = picture.clone().narrow(axis, 1, length - 1)
            - picture.clone().narrow(axis, 0, length - 1);
        value = value + dot(&step, &step) / count;
        let pulled = step * (2.0 / count);
        let mut edge = pulled.dims();
        edge[axis] = 1;
        let zero = Tensor::<4>::zeros(edge, &device);
        // A step pulls its further pixel down and its nearer one up.
        gradient = gradient + Tensor::cat(vec![zero.clone(), pulled.clone()], axis)
            - Tensor::cat(vec![pulled, zero], axis);
    }
    Loss { value, gradient }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, TensorData, Tolerance};

    fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    fn close(got: &[f32], expected: &[f32]) {
        assert_eq!(got.len(), expected.len());
        for (a, b) in got.iter().zip(expected) {
            assert!(
                (a - b).abs() < 1e-5 * b.abs().max(1.0),
                "{got:?}, expected {expected:?}"
            );
        }
    }

    /// Two channels, three places: rows (1, 2, 3) and (0, 1, -1).
    fn map() -> Tensor<4> {
        Tensor::from_data([[[[1.0, 2.0, 3.0]], [[0.0, 1.0, -1.0]]]], &Device::flex())
    }

    #[test]
    fn gram_is_the_mean_of_products() {
        // 1 + 4 + 9 = 14, 0 + 2 - 3 = -1, 0 + 1 + 1 = 2; each over three places.
        gram(map()).into_data().assert_approx_eq::<f32>(
            &TensorData::from([[14.0f32 / 3.0, -1.0 / 3.0], [-1.0 / 3.0, 2.0 / 3.0]]),
            Tolerance::default(),
        );
    }

    #[test]
    fn style_loss_by_hand() {
        let device = Device::flex();
        let target = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &device);
        let loss = style_loss(map(), gram(map()), &Target::new(target));
        // G - A = (11, -1, -1, -1) / 3: squares sum to 124 / 9; the target's to 2.
        close(&list(loss.value), &[62.0 / 9.0]);
        // 4 / (3 * 2) * (G - A) F, with (G - A) F = ((11, 21, 34), (-1, -3, -2)) / 3.
        let expected = [11.0, 21.0, 34.0, -1.0, -3.0, -2.0].map(|v: f32| v * 2.0 / 9.0);
        close(&list(loss.gradient), &expected);
    }

    #[test]
    fn content_loss_by_hand() {
        let device = Device::flex();
        let target = Tensor::<4>::from_data([[[[2.0, 0.0]]]], &device);
        let map = Tensor::<4>::from_data([[[[5.0, 4.0]]]], &device);
        let loss = content_loss(map, &Target::new(target));
        // (9 + 16) / 4, and 2 * (3, 4) / 4.
        close(&list(loss.value), &[6.25]);
        close(&list(loss.gradient), &[1.5, 2.0]);
    }

    #[test]
    fn total_variation_by_hand() {
        let device = Device::flex();
        let picture = Tensor::<4>::from_data([[[[0.0, 1.0], [3.0, 1.0]]]], &device);
        let loss = total_variation(picture);
        // Steps right 1 and -2, down 3 and 0: (1 + 4 + 9 + 0) / 4.
        close(&list(loss.value), &[3.5]);
        // Of 0: -1 - 3; of the 1 above: 1 - 0; of 3: 3 + 2; of the 1 below: -2 + 0; twice, over 4.
        close(&list(loss.gradient), &[-2.0, 0.5, 2.5, -1.0]);
    }

    #[test]
    fn a_line_or_a_single_pixel_varies_only_along_itself() {
        let device = Device::flex();
        let line = Tensor::<4>::from_data([[[[0.0, 2.0]]]], &device);
        close(&list(total_variation(line).value), &[2.0]);
        let pixel = Tensor::<4>::from_data([[[[7.0]]]], &device);
        let loss = total_variation(pixel);
        close(&list(loss.value), &[0.0]);
        close(&list(loss.gradient), &[0.0]);
    }

    #[test]
    fn empty_targets_give_numbers() {
        let device = Device::flex();
        let zero = Tensor::<4>::zeros([1, 2, 2, 2], &device);
        let style = style_loss(
            zero.clone(),
            gram(zero.clone()),
            &Target::new(gram(zero.clone())),
        );
        close(&list(style.value), &[0.0]);
        close(
            &list(content_loss(zero.clone(), &Target::new(zero)).gradient),
            &[0.0; 8],
        );
    }

    /// All three against central differences, on random maps.
    #[test]
    fn gradients_equal_finite_differences() {
        let device = Device::flex();
        device.seed(11);
        let random = |scale: f64| {
            Tensor::<4>::random([1, 3, 4, 5], Distribution::Normal(0.0, scale), &device)
        };
        let (at, target) = (random(1.0), random(1.5));
        let target_gram = Target::new(gram(target.clone()));
        let target = Target::new(target);
        type Function<'a> = Box<dyn Fn(Tensor<4>) -> Loss<4> + 'a>;
        let functions: [Function<'_>; 3] = [
            Box::new(|map| style_loss(map.clone(), gram(map), &target_gram)),
            Box::new(|map| content_loss(map, &target)),
            Box::new(total_variation),
        ];
        for (number, loss) in functions.iter().enumerate() {
            let gradient = list(loss(at.clone()).gradient);
            for index in 0..60 {
                let moved = |by: f32| {
                    let mut values = list(at.clone());
                    values[index] += by;
                    let map = Tensor::from_data(TensorData::new(values, [1, 3, 4, 5]), &device);
                    f64::from(list(loss(map).value)[0])
                };
                let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                let got = f64::from(gradient[index]);
                assert!(
                    (got - expected).abs() < 2e-3 * expected.abs().max(0.5),
                    "loss {number}, value {index}: {got}, expected {expected}"
                );
            }
        }
    }
}
