//! Convolutions of one large picture: mirrored at its edges, halved by a stride, or doubled first.

use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::gpu::{Border, Convolution};

/// Pixels of the result that a product is about at a time: few enough for the caches, enough to keep it
/// busy. (Measured at 384 and 1,024 columns; half and twice as many are slower by some percent.)
const STRIP: usize = 4096;

/// Convolution whose borders mirror the picture, so that no frame shows at its edge.
///
/// # Shapes
/// - input: `[1, in, height, width]`; `weight` `[out, in, kernel, kernel]` with an odd kernel,
///   at most twice as large as height and width; `bias` `[out]`; `activation` follows it
/// - output: `[1, out, ceil(height / stride), ceil(width / stride)]`
pub fn reflecting_conv(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    activation: Activation,
) -> Tensor<4> {
    let [out, _, kernel, _] = weight.dims();
    let [_, _, height, width] = x.dims();
    let on_gpu = Convolution {
        bias: bias.as_ref(),
        stride,
        activation,
        ..Convolution::new(
            &weight,
            Border::Mirrored,
            [height.div_ceil(stride), width.div_ceil(stride)],
        )
    };
    if let Some(y) = on_gpu.run(&x) {
        return y;
    }
    let edge = kernel / 2;
    let padded = x.pad([(edge, edge), (edge, edge)], PadMode::Reflect);
    let y = valid_conv(padded, weight, stride);
    activation.forward(match bias {
        Some(bias) => y + bias.reshape([1, out, 1, 1]),
        None => y,
    })
}

/// Doubles rows and columns by the nearest pixel, then convolves with mirrored borders, without ever
/// making the doubled map: pixels of even and of odd rows and columns each see a kernel in which the
/// taps that read the same pixel are one. Mirroring a doubled map by one pixel repeats the edge of the
/// map before.
///
/// # Shapes
/// - input: `[1, in, height, width]`; `weight` `[out, in, 3, 3]`
/// - output: `[1, out, 2 height, 2 width]`
pub fn doubling_conv(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let [out, ..] = weight.dims();
    let on_gpu = Convolution {
        doubles: true,
        ..Convolution::new(&weight, Border::Mirrored, [2 * height, 2 * width])
    };
    if let Some(y) = on_gpu.run(&x) {
        return y;
    }
    let mut kernels = Vec::with_capacity(4);
    for odd_row in [false, true] {
        let rows = taps_of(weight.clone(), odd_row);
        for odd_column in [false, true] {
            let columns = taps_of(rows.clone().swap_dims(2, 3), odd_column);
            kernels.push(columns.swap_dims(2, 3));
        }
    }
    let padded = x.pad([(1, 1), (1, 1)], PadMode::Edge);
    valid_conv(padded, Tensor::cat(kernels, 0), 1)
        .reshape([2, 2, out, height, width])
        .permute([2, 3, 0, 4, 1])
        .reshape([1, out, 2 * height, 2 * width])
}

/// What the rows of a kernel of three are on the map before doubling: an even row reads the row before
/// once and its own twice, an odd one its own twice and the row after once.
fn taps_of(weight: Tensor<4>, odd: bool) -> Tensor<4> {
    let row = |index: usize| weight.clone().narrow(2, index, 1);
    let none = row(0).zeros_like();
    let rows = if odd {
        vec![none, row(0) + row(1), row(2)]
    } else {
        vec![row(0), row(1) + row(2), none]
    };
    Tensor::cat(rows, 2)
}

/// Convolution without padding of a single picture.
///
/// Burn's CPU backend gathers the neighbours of a pixel number by number; here they are gathered by
/// long runs, and a whole style network takes two thirds of the time, at 384 columns as at 1,024. Other backends have kernels of their
/// own.
fn valid_conv(x: Tensor<4>, weight: Tensor<4>, stride: usize) -> Tensor<4> {
    if x.device() == Device::flex() {
        return by_strips(x, weight, stride);
    }
    let options = ConvOptions::new([stride; 2], [0, 0], [1, 1], 1);
    conv2d(x, weight, None, options)
}

/// A convolution as matrix products, a strip of rows at a time.
///
/// In a map that lies in memory row after row, all that a tap of the kernel reads is the map itself,
/// shifted by a fixed number of places: gathering is nothing but copying one run for each tap. What
/// wraps around from row to row comes out at the right edge and is cut off.
fn by_strips(x: Tensor<4>, weight: Tensor<4>, stride: usize) -> Tensor<4> {
    let [_, channels, height, width] = x.dims();
    let [out, _, kernel_rows, kernel_columns] = weight.dims();
    let high = (height - kernel_rows) / stride + 1;
    let wide = (width - kernel_columns) / stride + 1;
    let taps = kernel_rows * kernel_columns;
    let matrix = weight.permute([0, 2, 3, 1]).reshape([out, taps * channels]);
    let planes = every_nth(x, stride);
    let [all_planes, _, columns] = planes.dims();
    let reach = (kernel_rows - 1) / stride;
    let tail = Tensor::zeros(
        [reach * columns + (kernel_columns - 1) / stride],
        &planes.device(),
    );
    let rows_each = (STRIP / columns).max(1);
    let strips = (0..high).step_by(rows_each).map(|row| {
        let rows = rows_each.min(high - row);
        let length = (rows + reach) * columns;
        let strip = planes.clone().narrow(1, row, rows + reach);
        let strip = Tensor::cat(vec![strip.reshape([all_planes * length]), tail.clone()], 0);
        let tap = |tap: usize| {
            let (down, right) = (tap / kernel_columns, tap % kernel_columns);
            let plane = (down % stride * stride + right % stride) * channels;
            let shift = down / stride * columns + right / stride;
            strip
                .clone()
                .narrow(0, plane * length + shift, channels * length)
        };
        let gathered = Tensor::cat((0..taps).map(tap).collect(), 0);
        let gathered = gathered.reshape([taps * channels, length]);
        let y = matrix.clone().matmul(gathered.narrow(1, 0, rows * columns));
        y.reshape([1, out, rows, columns]).narrow(3, 0, wide)
    });
    Tensor::cat(strips.collect(), 2)
}

/// The pixels that a stride takes together: `[1, channels, height, width]` to
/// `[stride * stride * channels, ceil(height / stride), ceil(width / stride)]`, the first row and
/// column first.
fn every_nth(x: Tensor<4>, stride: usize) -> Tensor<3> {
    let [_, channels, height, width] = x.dims();
    if stride == 1 {
        return x.reshape([channels, height, width]);
    }
    let (rows, columns) = (height.div_ceil(stride), width.div_ceil(stride));
    let missing = (rows * stride - height, columns * stride - width);
    let x = match missing {
        (0, 0) => x,
        (below, right) => x.pad((0, right, 0, below), PadMode::Constant(0.0)),
    };
    let x = x.reshape([channels * rows, stride, columns, stride]);
    let plane = |index: usize| {
        let row = x.clone().narrow(1, index / stride, 1);
        row.narrow(3, index % stride, 1)
            .reshape([channels, rows, columns])
    };
    Tensor::cat((0..stride * stride).map(plane).collect(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tolerance;
    use burn::tensor::module::interpolate;
    use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

    fn random<const D: usize>(dims: [usize; D]) -> Tensor<D> {
        Tensor::random(
            dims,
            burn::tensor::Distribution::Normal(0.0, 1.0),
            &Device::flex(),
        )
    }

    fn assert_same(a: Tensor<4>, b: Tensor<4>) {
        a.into_data()
            .assert_approx_eq::<f32>(&b.into_data(), Tolerance::absolute(1e-3));
    }

    /// In one strip and in several, with sides that the stride divides and others.
    #[test]
    fn strips_are_the_same_convolution() {
        Device::flex().seed(4);
        for (channels, out, kernel, stride) in [
            (3, 32, 9, 1),
            (32, 8, 3, 1),
            (8, 4, 3, 1),
            (4, 3, 9, 1),
            (16, 16, 3, 1),
            (5, 12, 3, 2),
            (2, 9, 5, 3),
        ] {
            for size in [[20, 28], [21, 27], [150, 61]] {
                let x = random([1, channels, size[0], size[1]]);
                let weight = random([out, channels, kernel, kernel]);
                let bias = random([out]);
                let edge = kernel / 2;
                let padded = x
                    .clone()
                    .pad([(edge, edge), (edge, edge)], PadMode::Reflect);
                let options = ConvOptions::new([stride; 2], [0, 0], [1, 1], 1);
                let plain = conv2d(padded, weight.clone(), Some(bias.clone()), options);
                assert_same(
                    reflecting_conv(x, weight, Some(bias), stride, Activation::Linear),
                    plain,
                );
            }
        }
    }

    #[test]
    fn doubling_first_gives_the_same() {
        Device::flex().seed(5);
        for (channels, out) in [(32, 8), (8, 4), (6, 1)] {
            let x = random([1, channels, 7, 9]);
            let weight = random([out, channels, 3, 3]);
            let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
            let doubled = interpolate(x.clone(), nearest.with_output_size([14, 18]));
            let plain = reflecting_conv(doubled, weight.clone(), None, 1, Activation::Linear);
            assert_same(doubling_conv(x, weight), plain);
        }
    }
}
