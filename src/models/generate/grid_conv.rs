//! A convolution as a sum over its taps, on maps whose batch lies inside each pixel.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::models::grid_layer::{GridLayer, ScaleShift};

/// What a convolution does to the side of the grid.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Step {
    /// Keeps it.
    Same,
    /// Halves it, rounding up: the kernel moves by two pixels.
    Half,
    /// Doubles it by nearest-neighbour upsampling, then convolves. Unlike a transposed convolution
    /// it leaves no checkerboard (Odena et al. 2016).
    Double,
}

impl Step {
    /// Side of the output for that of the input.
    pub fn side(self, side: usize) -> usize {
        match self {
            Self::Same => side,
            Self::Half => side.div_ceil(2),
            Self::Double => 2 * side,
        }
    }

    /// The row (or column) of the input that a tap `offset` from the centre reads for the output's
    /// row `at`. Outside the map the nearest row counts: no dark frame, unlike padding by zeros.
    pub(crate) fn source(self, at: usize, offset: isize, side: usize) -> usize {
        let clamp = |row: isize, side: usize| row.clamp(0, side as isize - 1) as usize;
        match self {
            Self::Same => clamp(at as isize + offset, side),
            Self::Half => clamp(2 * at as isize + offset, side),
            Self::Double => clamp(at as isize + offset, 2 * side) / 2,
        }
    }
}

/// Configuration of a [`GridConv`].
#[derive(Config, Debug)]
pub struct GridConvConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Side of the kernel; 1 makes it a dense layer over the channels of each pixel.
    #[config(default = 3)]
    pub kernel: usize,
    /// What happens to the side of the grid.
    #[config(default = "Step::Same")]
    pub step: Step,
    /// Whether the weights are divided by their largest singular value.
    #[config(default = false)]
    pub spectral_norm: bool,
}

/// A convolution on a square grid `[height * width, batch, channels]`.
///
/// Each tap of the kernel is one matrix product over the channels; the output of a pixel is the sum of what the taps
/// give at its neighbours.
#[derive(Module, Debug)]
pub struct GridConv {
    /// `[kernel * kernel, in, out]`.
    pub weight: Param<Tensor<3>>,
    /// `[out]`.
    pub bias: Param<Tensor<1>>,
    /// With spectral normalisation: the left singular vector so far, `[out]`.
    pub singular: Option<Param<Tensor<1>>>,
    /// See [`GridConvConfig::kernel`].
    pub kernel: usize,
    /// See [`GridConvConfig::step`].
    #[module(skip)]
    pub step: Step,
}

impl GridConvConfig {
    /// A layer of zeros: weights come from a file or from a seed (`train::seeded`).
    pub fn init(&self, device: &Device) -> GridConv {
        let [channels_in, out] = self.channels;
        let taps = self.kernel * self.kernel;
        GridConv {
            weight: Param::from_tensor(Tensor::zeros([taps, channels_in, out], device)),
            bias: Param::from_tensor(Tensor::zeros([out], device)),
            singular: self.spectral_norm.then(|| {
                let start = Tensor::ones([out], device).div_scalar((out as f32).sqrt());
                Param::from_tensor(start).set_require_grad(false)
            }),
            kernel: self.kernel,
            step: self.step,
        }
    }
}

impl GridConv {
    /// # Shapes
    /// - input: `[side * side, batch, in]`
    /// - output: `[new side squared, batch, out]`, see [`Step::side`]
    pub fn forward(&self, x: Tensor<3>, side: usize) -> Tensor<3> {
        let [pixels, ..] = x.dims();
        assert_eq!(pixels, side * side, "the grid has another side");
        let y = self
            .layer(side)
            .run(&x, &self.effective_weight(), &self.bias.val());
        y.expect("CPU and GPU have a kernel for it")
    }

    /// From a gradient on the output to one on the input, without recording; shapes as in [`forward`](Self::forward).
    pub fn backward(&self, gradient: &Tensor<3>, side: usize) -> Tensor<3> {
        let back = self.layer(side).back(gradient, &self.effective_weight());
        back.expect("CPU and GPU have a kernel for it")
    }

    /// As [`forward`](Self::forward), then batch normalisation over pixels and pictures by kept
    /// statistics, then the activation, all in one dispatch; `None` where there is no GPU, or where
    /// gradients are recorded. Channels of the norm may go into those of the output several times.
    pub fn normalised(
        &self,
        x: &Tensor<3>,
        side: usize,
        then: &ScaleShift<'_>,
    ) -> Option<Tensor<3>> {
        let weight = self.effective_weight();
        self.layer(side)
            .run_then(x, &weight, &self.bias.val(), then)
    }

    /// It as one step.
    fn layer(&self, side: usize) -> GridLayer {
        GridLayer {
            kernel: self.kernel,
            step: self.step,
            sides: [side, self.step.side(side)],
        }
    }

    /// The weights as the convolution uses them: with spectral normalisation divided by their
    /// largest singular value, as a matrix of one row for each tap and input channel.
    ///
    /// The singular vectors are constants here: the gradient flows through `W` in `u' W v` alone
    /// (Miyato et al. 2018, equation 12). Weights of next to nothing stay as they are.
    fn effective_weight(&self) -> Tensor<3> {
        let weight = self.weight.val();
        let Some((left, right)) = self.singular_vectors() else {
            return weight;
        };
        let [taps, channels_in, out] = weight.dims();
        let matrix = weight.clone().reshape([taps * channels_in, out]);
        let largest = right.transpose().matmul(matrix).matmul(left);
        let is_nothing = largest.clone().lower_elem(NOTHING);
        weight / largest.mask_fill(is_nothing, 1.0).reshape([1, 1, 1])
    }

    /// One round of power iteration: the left vector `[out, 1]` and the right one
    /// `[taps * in, 1]`, both of length one.
    fn singular_vectors(&self) -> Option<(Tensor<2>, Tensor<2>)> {
        let singular = self.singular.as_ref()?.val().detach();
        let weight = self.weight.val().detach();
        let [taps, channels_in, out] = weight.dims();
        let matrix = weight.reshape([taps * channels_in, out]);
        let right = normalised(matrix.clone().matmul(singular.reshape([out, 1])));
        let left = normalised(matrix.transpose().matmul(right.clone()));
        Some((left, right))
    }

    /// Keeps what a round of power iteration found: the next starts there. Once a step of training
    /// is enough, because the weights change little between steps.
    pub fn power_iterate(mut self) -> Self {
        if let Some((left, _)) = self.singular_vectors() {
            let left = left.flatten::<1>(0, 1);
            // Of zeros nothing is found, and from a vector of zeros nothing ever would be.
            let is_lost = left.clone().abs().max().lower_elem(NOTHING);
            let is_lost = is_lost.expand(left.dims());
            self.singular = self.singular.map(|old| {
                let left = left.mask_where(is_lost, old.val().detach());
                Param::initialized(old.id, left).set_require_grad(false)
            });
        }
        self
    }
}

/// A singular value below this is that of zeros.
const NOTHING: f32 = 1e-12;

/// A vector of length one; zeros stay zeros.
fn normalised(vector: Tensor<2>) -> Tensor<2> {
    let length = (vector.clone() * vector.clone()).sum().sqrt();
    vector / (length + 1e-12).reshape([1, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::draws::Draws;
    use crate::train::seeded::seeded;
    use burn::tensor::TensorData;
    use burn::tensor::module::{conv2d, interpolate};
    use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions, PadMode};

    fn numbers(shape: [usize; 3], seed: u32) -> Tensor<3> {
        let values = Draws::new(seed, 0).normals(shape.iter().product());
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    /// The same through Burn's general convolution: upsample, pad by the edge, convolve.
    fn general(conv: &GridConv, x: Tensor<3>, side: usize) -> Tensor<3> {
        let [_, batch, channels] = x.dims();
        let [_, _, out] = conv.weight.dims();
        let mut maps = x.permute([1, 2, 0]).reshape([batch, channels, side, side]);
        if conv.step == Step::Double {
            let grown = 2 * side;
            let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
            maps = interpolate(maps, nearest.with_output_size([grown, grown]));
        }
        let reach = conv.kernel / 2;
        let padded = maps.pad((reach, reach, reach, reach), PadMode::Edge);
        let kernel = conv.kernel;
        let weight = conv.weight.val().permute([2, 1, 0]);
        let weight = weight.reshape([out, channels, kernel, kernel]);
        let stride = if conv.step == Step::Half { 2 } else { 1 };
        let options = ConvOptions::new([stride, stride], [0, 0], [1, 1], 1);
        let y = conv2d(padded, weight, Some(conv.bias.val()), options);
        let new_side = conv.step.side(side);
        assert_eq!(y.dims(), [batch, out, new_side, new_side]);
        y.reshape([batch, out, new_side * new_side])
            .permute([2, 0, 1])
    }

    /// Of each kind; channels that fill tiles and others, batches likewise.
    const KINDS: [(Step, usize, [usize; 2], usize); 8] = [
        (Step::Same, 3, [2, 5], 2),
        (Step::Same, 3, [5, 2], 1),
        (Step::Half, 3, [3, 4], 5),
        (Step::Half, 5, [1, 40], 3),
        (Step::Double, 3, [4, 3], 7),
        (Step::Double, 3, [40, 33], 1),
        (Step::Same, 1, [4, 3], 2),
        (Step::Same, 3, [33, 48], 9),
    ];

    #[test]
    fn it_is_the_general_convolution() {
        for (step, kernel, channels, batch) in KINDS {
            let config = GridConvConfig::new(channels)
                .with_step(step)
                .with_kernel(kernel);
            let mut conv = seeded(config.init(&Device::flex()), 3);
            conv.bias = conv.bias.map(|bias| bias + 0.3);
            for side in [4, 7] {
                let x = numbers([side * side, batch, channels[0]], 9);
                let expected = values(general(&conv, x.clone(), side));
                let found = values(conv.forward(x, side));
                for (a, b) in found.iter().zip(&expected) {
                    assert!((a - b).abs() < 2e-5, "{step:?} {kernel} {side}: {a}, {b}");
                }
            }
        }
    }

    #[test]
    fn its_gradients_are_those_of_the_general_convolution() {
        let device = Device::flex().autodiff();
        for (step, kernel, channels, batch) in KINDS {
            let config = GridConvConfig::new(channels)
                .with_step(step)
                .with_kernel(kernel);
            let conv = seeded(config.init(&device), 3);
            for side in [4, 7] {
                let new_side = step.side(side);
                let x = Tensor::<3>::from_inner(numbers([side * side, batch, channels[0]], 9))
                    .require_grad();
                let goal =
                    Tensor::from_inner(numbers([new_side * new_side, batch, channels[1]], 10));
                let gradients = |y: Tensor<3>| {
                    let gradients = (y * goal.clone()).sum().backward();
                    [
                        values(x.grad(&gradients).expect("one")),
                        values(conv.weight.val().grad(&gradients).expect("one")),
                        values(conv.bias.val().grad(&gradients).expect("one")),
                    ]
                };
                let expected = gradients(general(&conv, x.clone(), side));
                let found = gradients(conv.forward(x.clone(), side));
                for (found, expected) in found.iter().zip(&expected) {
                    let largest = expected
                        .iter()
                        .fold(0f32, |most, value| most.max(value.abs()));
                    for (a, b) in found.iter().zip(expected) {
                        assert!(
                            (a - b).abs() < 2e-6 * largest,
                            "{step:?} {kernel} {side}: {a}, {b}"
                        );
                    }
                }
            }
        }
    }

    /// As a GAN is inverted: latent numbers move, weights do not.
    #[test]
    fn a_map_may_record_gradients_where_the_weights_do_not() {
        let conv = seeded(GridConvConfig::new([3, 4]).init(&Device::flex()), 3);
        let x = numbers([16, 2, 3], 9);
        let recording = Tensor::<3>::from_inner(x.clone()).require_grad();
        let gradients = conv.forward(recording.clone(), 4).sum().backward();
        let found = values(recording.grad(&gradients).expect("one"));
        let all = seeded(
            GridConvConfig::new([3, 4]).init(&Device::flex().autodiff()),
            3,
        );
        let x = Tensor::<3>::from_inner(x).require_grad();
        let gradients = all.forward(x.clone(), 4).sum().backward();
        assert_eq!(found, values(x.grad(&gradients).expect("one")));
        assert!(found.iter().any(|value| value.abs() > 1e-3));
    }

    #[test]
    fn spectral_normalisation_makes_the_largest_singular_value_one() {
        let config = GridConvConfig::new([6, 10]).with_spectral_norm(true);
        let mut conv = seeded(config.init(&Device::flex()), 4);
        for _ in 0..200 {
            conv = conv.power_iterate();
        }
        let weight: Vec<f64> = values(conv.effective_weight())
            .iter()
            .map(|&v| v.into())
            .collect();
        let largest = nalgebra::DMatrix::from_row_slice(54, 10, &weight)
            .svd(false, false)
            .singular_values[0];
        assert!((largest - 1.0).abs() < 1e-4, "{largest}");
    }

    #[test]
    fn the_gradient_through_spectral_normalisation_agrees_with_differences() {
        let device = Device::flex().autodiff();
        let config = GridConvConfig::new([2, 3])
            .with_kernel(1)
            .with_spectral_norm(true);
        let mut conv = seeded(config.init(&device), 4);
        // At the fixed point the vectors' own change does not count, to first order.
        for _ in 0..200 {
            conv = conv.power_iterate();
        }
        let x = Tensor::<3>::from_inner(numbers([1, 4, 2], 6));
        let goal = Tensor::<3>::from_inner(numbers([1, 4, 3], 7));
        let loss = |conv: &GridConv| (conv.forward(x.clone(), 1) * goal.clone()).sum();
        let gradients = loss(&conv).backward();
        let gradient = values(conv.weight.val().grad(&gradients).unwrap());
        for (index, &gradient) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut moved = conv.clone();
                let mut weight = values(moved.weight.val().inner());
                weight[index] += by;
                let weight = Tensor::from_data(TensorData::new(weight, [1, 2, 3]), &device);
                moved.weight = Param::from_tensor(weight);
                for _ in 0..50 {
                    moved = moved.power_iterate();
                }
                loss(&moved).into_scalar::<f32>()
            };
            let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!(
                (gradient - difference).abs() < 2e-2,
                "{gradient}, {difference}"
            );
        }
    }

    /// A layer of zeros gives zeros and a gradient, and is normalised as soon as it is something.
    #[test]
    fn a_layer_of_zeros_is_normalised_without_leaving_the_numbers() {
        let device = Device::flex().autodiff();
        let config = GridConvConfig::new([3, 4]).with_spectral_norm(true);
        let mut conv = config.init(&device);
        let x = Tensor::<3>::from_inner(numbers([16, 2, 3], 6));
        let y = conv.forward(x.clone(), 4);
        assert!(values(y.clone()).iter().all(|&v| v == 0.0));
        let gradients = y.sum().backward();
        let gradient = values(conv.weight.val().grad(&gradients).unwrap());
        let longest = gradient.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(longest > 0.0 && longest < 1e3, "{longest}");
        conv = conv.power_iterate();
        conv.weight = conv.weight.map(|w| w + 0.5);
        for _ in 0..20 {
            conv = conv.power_iterate();
        }
        // A matrix of one number has one singular value: 0.5 sqrt(27 * 4).
        let expected = 1.0 / 108f32.sqrt();
        for value in values(conv.effective_weight()) {
            assert!((value - expected).abs() < 1e-5, "{value}, not {expected}");
        }
    }

    #[test]
    #[should_panic(expected = "the grid has another side")]
    fn a_grid_of_another_side_is_a_mistake() {
        let conv = GridConvConfig::new([1, 1]).init(&Device::flex());
        conv.forward(numbers([9, 1, 1], 1), 4);
    }
}
