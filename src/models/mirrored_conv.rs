//! Convolutions of one large picture: mirrored at its edges, halved by a stride, or doubled first.

use burn::tensor::Tensor;
use burn::tensor::module::{conv2d, interpolate};
use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions, PadMode};

use super::activation::Activation;
use super::convolution::{Border, Convolution};

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
    let [_, _, kernel, _] = weight.dims();
    let [_, _, height, width] = x.dims();
    let of = Convolution {
        bias: bias.as_ref(),
        stride,
        activation,
        ..Convolution::new(
            &weight,
            Border::Mirrored,
            [height.div_ceil(stride), width.div_ceil(stride)],
        )
    };
    if let Some(y) = of.run(&x) {
        return y;
    }
    let edge = kernel / 2;
    let padded = x.pad([(edge, edge), (edge, edge)], PadMode::Reflect);
    let options = ConvOptions::new([stride; 2], [0, 0], [1, 1], 1);
    activation.forward(conv2d(padded, weight, bias, options))
}

/// Doubles rows and columns by the nearest pixel, then convolves with mirrored borders, without
/// making the doubled map where there is a kernel of our own.
///
/// # Shapes
/// - input: `[1, in, height, width]`; `weight` `[out, in, 3, 3]`
/// - output: `[1, out, 2 height, 2 width]`
pub fn doubling_conv(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let of = Convolution {
        doubles: true,
        ..Convolution::new(&weight, Border::Mirrored, [2 * height, 2 * width])
    };
    of.run(&x).unwrap_or_else(|| {
        let nearest = InterpolateOptions::new(InterpolateMode::Nearest);
        let doubled = interpolate(x, nearest.with_output_size([2 * height, 2 * width]));
        reflecting_conv(doubled, weight, None, 1, Activation::Linear)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tolerance};

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

    /// With sides that the stride divides and others.
    #[test]
    fn it_is_the_convolution_of_the_mirrored_picture() {
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
