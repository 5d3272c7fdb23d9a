//! Convolutions on the CPU, each by the kernel that suits it.

use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use kiln_kernels::{
    Around, Banded, Bordered, Dense, Depthwise, Frame, Pair, Step, Window, Winograd, interleave,
};

use super::super::convolution::{Border, Convolution};
use super::super::layers::noted;
use super::{after, all_on_cpu, on_cpu, tensor};
use crate::protocol::layer::{Layer, LayerKind};

/// [`Convolution::run`] on the CPU.
pub fn convolve(of: &Convolution<'_>, x: &Tensor<4>) -> Option<Tensor<4>> {
    match (of.doubles, of.depthwise) {
        (true, _) => noted(|| of.layer(LayerKind::Doubling, x), || doubling(of, x)),
        (false, true) => noted(|| of.layer(LayerKind::Depthwise, x), || depthwise(of, x)),
        (false, false) => noted(
            || of.layer(LayerKind::Convolution, x),
            || dense(of, x, None),
        ),
    }
}

/// [`Convolution::adjoint`] on the CPU.
pub fn adjoint(
    of: &Convolution<'_>,
    gradient: &Tensor<4>,
    output: &Tensor<4>,
) -> Option<Tensor<4>> {
    noted(
        || of.layer(LayerKind::Backward, gradient),
        || dense(of, gradient, Some(output)),
    )
}

impl Convolution<'_> {
    /// What it takes, by what it reads and makes.
    fn layer(&self, kind: LayerKind, x: &Tensor<4>) -> Layer {
        let [batch, channels, height, width] = x.dims();
        let [out, inputs, kernel, _] = self.weight.dims();
        let [rows, columns] = self.size;
        let out = if kind == LayerKind::Backward {
            inputs
        } else {
            out
        };
        let taps = match kind {
            LayerKind::Depthwise => kernel * kernel,
            LayerKind::Doubling => channels * 4,
            _ => channels * kernel * kernel,
        };
        let made = batch * out * rows * columns;
        let read = x.shape().num_elements() + self.weight.shape().num_elements();
        Layer {
            kernel,
            stride: self.stride,
            from: [channels, height, width],
            to: [out, rows, columns],
            ..Layer::new(kind, 2 * made * taps, read + made)
        }
    }

    fn window(&self) -> Window {
        let kernel = self.weight.dims()[2];
        let (around, before) = match self.border {
            Border::Zeros { above, left } => (Around::Zeros, [above, left]),
            Border::Mirrored => (Around::Mirrored, [kernel / 2; 2]),
        };
        Window {
            kernel,
            stride: self.stride,
            around,
            before,
            size: self.size,
        }
    }
}

/// Each picture of a batch by itself. With a `gate`, this is the way back: see [`Convolution::adjoint`].
fn dense(of: &Convolution<'_>, x: &Tensor<4>, gate: Option<&Tensor<4>>) -> Option<Tensor<4>> {
    let [_, channels, height, width] = x.dims();
    let [first, second, kernel, _] = of.weight.dims();
    let back = gate.is_some();
    let out = if back { second } else { first };
    let (x, weight) = (on_cpu(x)?, on_cpu(of.weight)?);
    let (bias, added, gate) = (
        all_on_cpu(of.bias)?,
        all_on_cpu(of.added)?,
        all_on_cpu(gate)?,
    );
    let bias = bias.as_ref().map(FlexTensor::storage);
    let sides = [channels, height, width];
    let by_points = Winograd::is_worth_it(kernel, of.stride, channels, out, of.size);
    let turned = match back && !by_points {
        true => on_cpu(&of.weight.clone().flip([2, 3]).swap_dims(0, 1))?,
        false => weight.clone(),
    };
    let picture = |map: &[f32], index: usize, result: &mut Vec<f32>| {
        let gate = gate.as_ref().map(|gate| of_picture(gate, index));
        let added = added.as_ref().map(|added| of_picture(added, index));
        let mut window = of.window();
        if by_points {
            window = Winograd::window(window);
            let winograd = Winograd {
                map: &Bordered::new(map, sides, window, gate),
                kernel,
                channels,
                weights: weight.storage(),
                turned: back,
                bias,
                after: after(of.activation),
                added,
                size: of.size,
            };
            return winograd.append(result);
        }
        let banded = Banded {
            map,
            sides,
            window,
            gate,
            weights: turned.storage(),
            bias,
            after: after(of.activation),
            added,
        };
        banded.append(result);
    };
    Some(by_picture(of, &x, out, picture))
}

/// Numbers of a wide map that are too many for a cache.
const WIDE: usize = 384 * 1024;

/// A convolution of single pixels and a depthwise one after it, in one step; `None` also where the map between them is
/// so small that it stays in a cache anyway.
pub fn pair(
    widen: &Convolution<'_>,
    depthwise: &Convolution<'_>,
    x: &Tensor<4>,
) -> Option<Tensor<4>> {
    let [_, channels, height, width] = x.dims();
    let [wide, ..] = depthwise.weight.dims();
    if wide * height * width < WIDE {
        return None;
    }
    debug_assert!(widen.weight.dims()[2] == 1 && widen.stride == 1 && depthwise.depthwise);
    let layer = || {
        let [first, second] = [
            widen.layer(LayerKind::Pair, x),
            depthwise.layer(LayerKind::Depthwise, x),
        ];
        // The map between is neither read nor written.
        let between = (wide * height * width * size_of::<f32>()) as f64 / 1e6;
        Layer {
            kind: LayerKind::Pair,
            gigaflops: first.gigaflops + second.gigaflops,
            megabytes: first.megabytes + second.megabytes - 2.0 * between,
            from: first.from,
            ..second
        }
    };
    noted(layer, || {
        let held = on_cpu(x)?;
        let weights = [on_cpu(widen.weight)?, on_cpu(depthwise.weight)?];
        let biases = [all_on_cpu(widen.bias)?, all_on_cpu(depthwise.bias)?];
        let step = |index: usize, activation| Step {
            weights: weights[index].storage(),
            bias: biases[index].as_ref().map(FlexTensor::storage),
            after: after(activation),
        };
        let picture = |map: &[f32], _: usize, result: &mut Vec<f32>| {
            let pair = Pair {
                map,
                sides: [channels, height, width],
                widen: step(0, widen.activation),
                depthwise: step(1, depthwise.activation),
                window: depthwise.window(),
            };
            pair.append(result);
        };
        Some(by_picture(depthwise, &held, wide, picture))
    })
}

fn depthwise(of: &Convolution<'_>, x: &Tensor<4>) -> Option<Tensor<4>> {
    let [_, channels, height, width] = x.dims();
    let kernel = of.weight.dims()[2];
    // A filter of one weight is a scale: no network has one here.
    if of.border == Border::Mirrored || kernel == 1 {
        return None;
    }
    let (x, weight) = (on_cpu(x)?, on_cpu(of.weight)?);
    let (bias, added) = (all_on_cpu(of.bias)?, all_on_cpu(of.added)?);
    let picture = |map: &[f32], index: usize, result: &mut Vec<f32>| {
        let depthwise = Depthwise {
            map,
            frame: Frame::new([height, width], of.window()),
            weights: weight.storage(),
            bias: bias.as_ref().map(FlexTensor::storage),
            after: after(of.activation),
            added: added.as_ref().map(|added| of_picture(added, index)),
        };
        depthwise.append(result);
    };
    Some(by_picture(of, &x, channels, picture))
}

/// The numbers of one picture of a batch.
fn of_picture(batch: &FlexTensor, index: usize) -> &[f32] {
    let each = batch.storage::<f32>().len() / batch.layout().shape()[0];
    &batch.storage()[index * each..(index + 1) * each]
}

/// Appends the results of all pictures of a batch.
fn by_picture(
    of: &Convolution<'_>,
    x: &FlexTensor,
    out: usize,
    append: impl Fn(&[f32], usize, &mut Vec<f32>),
) -> Tensor<4> {
    let batch = x.layout().shape()[0];
    let [rows, columns] = of.size;
    let mut result = Vec::with_capacity(batch * out * rows * columns);
    (0..batch).for_each(|index| append(of_picture(x, index), index, &mut result));
    tensor(result, [batch, out, rows, columns])
}

/// Rows and columns doubled by the nearest pixel, then a kernel of three: on the map before, pixels of even rows
/// read the row before once and their own twice, those of odd rows their own twice and the row after once; so for
/// columns. Each of the four kinds of pixels has a kernel of two by two.
fn doubling(of: &Convolution<'_>, x: &Tensor<4>) -> Option<Tensor<4>> {
    let [batch, channels, height, width] = x.dims();
    let [out, _, kernel, _] = of.weight.dims();
    if batch != 1 || kernel != 3 || of.bias.is_some() || of.added.is_some() {
        return None;
    }
    let (x, weight) = (on_cpu(x)?, on_cpu(of.weight)?);
    let window = Window {
        kernel: 3,
        stride: 1,
        around: Around::Edge,
        before: [1, 1],
        size: [height, width],
    };
    let map = Bordered::new(x.storage(), [channels, height, width], window, None);
    let mut four = Vec::with_capacity(4 * out * height * width);
    for odd in [[0, 0], [0, 1], [1, 0], [1, 1]] {
        let weights: Vec<f32> = weight
            .storage::<f32>()
            .chunks_exact(9)
            .flat_map(|kernel| merged(kernel, odd))
            .collect();
        let offsets: Vec<usize> = (0..channels * 4)
            .map(|tap| map.offset(tap / 4, [odd[0] + tap / 2 % 2, odd[1] + tap % 2]))
            .collect();
        let dense = Dense {
            map: &map,
            offsets: &offsets,
            weights: &weights,
            bias: None,
            after: after(of.activation),
            added: None,
            size: [height, width],
        };
        dense.append(&mut four);
    }
    let mut result = Vec::new();
    interleave(&four, [out, height, width], &mut result);
    Some(tensor(result, [1, out, 2 * height, 2 * width]))
}

/// The kernel of two by two that one of three is on the map before it was doubled, for pixels of even (0) or odd
/// (1) rows and columns.
fn merged(kernel: &[f32], [row, column]: [usize; 2]) -> [f32; 4] {
    let mut merged = [0.0; 4];
    for (tap, weight) in kernel.iter().enumerate() {
        // The tap's place on the doubled map, from the row or column before, is halved.
        let [down, right] = [
            (tap / 3 + 1 + row) / 2 - row,
            (tap % 3 + 1 + column) / 2 - column,
        ];
        merged[down * 2 + right] += weight;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::super::activation::Activation;
    use super::*;
    use burn::tensor::{Device, TensorData, Tolerance};
    use proptest::prelude::*;

    /// Whole numbers of small size, so that sums are exact in any order.
    fn numbers<const D: usize>(dims: [usize; D], seed: u32) -> Tensor<D> {
        let count: usize = dims.iter().product();
        let number = |i: usize| {
            let mixed = (i as u32)
                .wrapping_mul(2_654_435_761)
                .wrapping_add(seed.wrapping_mul(97))
                >> 16;
            (mixed % 7) as f32 - 3.0
        };
        let values: Vec<f32> = (0..count).map(number).collect();
        Tensor::from_data(TensorData::new(values, dims), &Device::flex())
    }

    fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
        tensor.to_data().try_to_vec().expect("f32")
    }

    /// The convolution by its definition, one number after the other.
    fn naive(of: &Convolution<'_>, x: &Tensor<4>) -> Vec<f32> {
        let [batch, channels, height, width] = x.dims();
        let [out, _, kernel, _] = of.weight.dims();
        let (map, weight) = (values(x), values(of.weight));
        let window = of.window();
        let doubled = usize::from(of.doubles) + 1;
        let bias = of.bias.map(values);
        let added = of.added.map(values);
        let at = |picture: usize, channel: usize, row: isize, column: isize| {
            let side = |place: isize, side: usize| {
                let place = window.around.source(place, side * doubled)?;
                Some(place / doubled)
            };
            match (side(row, height), side(column, width)) {
                (Some(row), Some(column)) => {
                    map[((picture * channels + channel) * height + row) * width + column]
                }
                _ => 0.0,
            }
        };
        let mut result = Vec::new();
        for (picture, o) in (0..batch).flat_map(|picture| (0..out).map(move |o| (picture, o))) {
            let inputs = if of.depthwise { o..o + 1 } else { 0..channels };
            for (row, column) in
                (0..of.size[0]).flat_map(|row| (0..of.size[1]).map(move |column| (row, column)))
            {
                let mut sum = bias.as_ref().map_or(0.0, |bias| bias[o]);
                for (i, channel) in inputs.clone().enumerate() {
                    for (down, right) in
                        (0..kernel).flat_map(|d| (0..kernel).map(move |right| (d, right)))
                    {
                        let place = |at: usize, tap: usize, before: usize| {
                            (at * of.stride + tap) as isize - before as isize
                        };
                        let inputs = if of.depthwise { 1 } else { channels };
                        sum += at(
                            picture,
                            channel,
                            place(row, down, window.before[0]),
                            place(column, right, window.before[1]),
                        ) * weight[((o * inputs + i) * kernel + down) * kernel + right];
                    }
                }
                let y = of
                    .activation
                    .forward(Tensor::<1>::from_data([sum], &Device::flex()));
                let added = added.as_ref().map_or(0.0, |added| added[result.len()]);
                result.push(values(&y)[0] + added);
            }
        }
        result
    }

    fn assert_naive(of: &Convolution<'_>, x: &Tensor<4>, tolerance: f32) {
        let expected = naive(of, x);
        let y = convolve(of, x).expect("on the CPU");
        let dims = [x.dims()[0], of.weight.dims()[0], of.size[0], of.size[1]];
        let expected = TensorData::new(expected, dims);
        y.into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::absolute(tolerance));
    }

    /// What a sum of so many products may be off by on the way through points: each is at most nine, and the way
    /// there and back takes the roundings tenfold.
    fn by_points(taps: usize) -> f32 {
        9.0 * taps as f32 * f32::EPSILON * 10.0
    }

    const ACTIVATIONS: [Activation; 5] = [
        Activation::Linear,
        Activation::Relu,
        Activation::Relu6,
        Activation::HardSwish,
        Activation::Sigmoid,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Any channels, sides, kernels, steps and borders; rows shorter and longer than a tile.
        #[test]
        fn it_is_the_sum_that_defines_it(
            (batch, channels, out) in (1usize..3, 1usize..10, 1usize..11),
            (height, width) in (1usize..24, prop_oneof![1usize..20, 40usize..120]),
            (kernel, stride, shift) in (prop_oneof![Just(1usize), Just(2), Just(3), Just(5), Just(9)], 1usize..4, 0usize..3),
            (depthwise, mirrored, with_bias, with_added) in any::<(bool, bool, bool, bool)>(),
            activation in 0usize..5,
            seed in any::<u32>(),
        ) {
            let mirrored = mirrored && !(depthwise && kernel > 1) && kernel % 2 == 1 && height.min(width) > kernel / 2;
            let border = match mirrored {
                true => Border::Mirrored,
                false => Border::Zeros { above: shift.min(kernel - 1), left: (kernel - 1).min(1) },
            };
            let depthwise = depthwise && kernel > 1;
            let out = if depthwise { channels } else { out };
            let x = numbers([batch, channels, height, width], seed);
            let weight = numbers([out, if depthwise { 1 } else { channels }, kernel, kernel], seed ^ 1);
            let bias = numbers([out], seed ^ 2);
            let size = [height.div_ceil(stride), width.div_ceil(stride)];
            let added = numbers([batch, out, size[0], size[1]], seed ^ 3);
            let of = Convolution {
                bias: with_bias.then_some(&bias),
                added: with_added.then_some(&added),
                stride,
                depthwise,
                activation: ACTIVATIONS[activation],
                ..Convolution::new(&weight, border, size)
            };
            assert_naive(&of, &x, 1e-4);
        }

        /// As many channels as are taken through points; blocks that are cut at each side.
        #[test]
        fn through_points_it_is_the_same_sum(
            (batch, channels, out) in (1usize..3, 16usize..21, 16usize..22),
            (height, width) in (4usize..14, prop_oneof![4usize..20, 40usize..70]),
            (nine, mirrored, with_bias, with_added) in any::<(bool, bool, bool, bool)>(),
            activation in 0usize..5,
            seed in any::<u32>(),
        ) {
            let (kernel, channels) = if nine { (9, channels / 8) } else { (3, channels) };
            let border = match mirrored && height.min(width) > kernel / 2 {
                true => Border::Mirrored,
                false => Border::Zeros { above: kernel / 2, left: kernel / 2 },
            };
            let x = numbers([batch, channels, height, width], seed);
            let weight = numbers([out, channels, kernel, kernel], seed ^ 1);
            let bias = numbers([out], seed ^ 2);
            let added = numbers([batch, out, height, width], seed ^ 3);
            let of = Convolution {
                bias: with_bias.then_some(&bias),
                added: with_added.then_some(&added),
                activation: ACTIVATIONS[activation],
                ..Convolution::new(&weight, border, [height, width])
            };
            prop_assert!(Winograd::is_worth_it(kernel, 1, channels, out, of.size));
            // A step of the sigmoid or the hard swish is no longer than what it steps over.
            assert_naive(&of, &x, 1e-4 + by_points(channels * kernel * kernel));
        }

        /// Bands of rows, the first and the last with the border in them.
        #[test]
        fn a_pair_is_one_after_the_other(
            (batch, channels, wide) in (1usize..3, 3usize..9, 40usize..45),
            (height, width) in (90usize..120, 110usize..140),
            (kernel, stride) in (prop_oneof![Just(3usize), Just(5)], 1usize..3),
            (first, second) in (0usize..5, 0usize..5),
            seed in any::<u32>(),
        ) {
            let x = numbers([batch, channels, height, width], seed);
            let (widening, filters) = (numbers([wide, channels, 1, 1], seed ^ 1), numbers([wide, 1, kernel, kernel], seed ^ 2));
            let (bias, other) = (numbers([wide], seed ^ 3), numbers([wide], seed ^ 4));
            let widen = Convolution {
                bias: Some(&bias),
                activation: ACTIVATIONS[first],
                ..Convolution::new(&widening, Border::Zeros { above: 0, left: 0 }, [height, width])
            };
            let border = Border::Zeros { above: (kernel - 1) / 2, left: kernel / 2 };
            let filter = Convolution {
                bias: Some(&other),
                stride,
                depthwise: true,
                activation: ACTIVATIONS[second],
                ..Convolution::new(&filters, border, [height.div_ceil(stride), width.div_ceil(stride)])
            };
            let between = convolve(&widen, &x).expect("on the CPU");
            let expected = convolve(&filter, &between).expect("on the CPU");
            let found = pair(&widen, &filter, &x).expect("as wide as that");
            found.into_data().assert_eq(&expected.into_data(), true);
        }

        #[test]
        fn doubling_first_is_the_same_sum(
            (channels, out) in (1usize..6, 1usize..7),
            (height, width) in (1usize..12, prop_oneof![1usize..20, 40usize..60]),
            seed in any::<u32>(),
        ) {
            let x = numbers([1, channels, height, width], seed);
            let weight = numbers([out, channels, 3, 3], seed ^ 1);
            let of = Convolution {
                doubles: true,
                activation: Activation::Relu,
                ..Convolution::new(&weight, Border::Mirrored, [2 * height, 2 * width])
            };
            assert_naive(&of, &x, 1e-4);
        }

        /// `<conv(x), g> = <x, adjoint(g)>`, where the gate lets everything through.
        #[test]
        fn the_way_back_is_the_transpose(
            (channels, out) in prop_oneof![(1usize..6, 1usize..7), (16usize..19, 16usize..21)],
            (height, width) in (1usize..12, 1usize..40),
            seed in any::<u32>(),
        ) {
            let weight = numbers([out, channels, 3, 3], seed);
            let x = numbers([1, channels, height, width], seed ^ 1);
            let gradient = numbers([1, out, height, width], seed ^ 2);
            let of = Convolution::new(&weight, Border::Zeros { above: 1, left: 1 }, [height, width]);
            let there = convolve(&of, &x).expect("on the CPU");
            let back = adjoint(&of, &gradient, &gradient.ones_like()).expect("on the CPU");
            let product = |a: &Tensor<4>, b: &Tensor<4>| -> f64 {
                values(a).iter().zip(values(b)).map(|(a, b)| f64::from(a * b)).sum()
            };
            let (there, back) = (product(&there, &gradient), product(&x, &back));
            let most = (9 * channels * out * height * width) as f64;
            prop_assert!((there - back).abs() < 1e-4 * most.sqrt(), "{there}, {back}");
            // What was not above zero stops it.
            let stopped = adjoint(&of, &gradient, &gradient.zeros_like()).expect("on the CPU");
            prop_assert!(values(&stopped).iter().all(|&value| value == 0.0));
        }

        /// The gate stops single values, on either way of computing it.
        #[test]
        fn a_gate_stops_what_was_not_above_zero(
            (channels, out) in prop_oneof![(1usize..6, 1usize..7), (16usize..19, 16usize..21)],
            (height, width) in (4usize..12, 4usize..40),
            seed in any::<u32>(),
        ) {
            let weight = numbers([out, channels, 3, 3], seed);
            let (gradient, output) = (numbers([1, out, height, width], seed ^ 2), numbers([1, out, height, width], seed ^ 3));
            let of = Convolution::new(&weight, Border::Zeros { above: 1, left: 1 }, [height, width]);
            let gated = adjoint(&of, &gradient, &output).expect("on the CPU");
            let stopped = gradient.clone().mask_fill(output.lower_equal_elem(0.0), 0.0);
            let by_hand = adjoint(&of, &stopped, &gradient.ones_like()).expect("on the CPU");
            gated.into_data().assert_eq(&by_hand.into_data(), true);
        }
    }

    #[test]
    fn it_records_no_gradient_unseen() {
        let device = Device::flex().autodiff();
        let weight = Tensor::<4>::ones([1, 1, 3, 3], &device);
        let x = Tensor::<4>::ones([1, 1, 4, 4], &device).require_grad();
        let of = Convolution::new(&weight, Border::Mirrored, [4, 4]);
        assert!(convolve(&of, &x).is_none());
    }
}
