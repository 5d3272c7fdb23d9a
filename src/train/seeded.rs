//! Starting weights from a seed of the host, the same on every backend.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use crate::maths::draws::Draws;

/// A weight that is to be filled.
#[derive(Debug, Clone, Copy)]
pub struct Weight<'a> {
    /// Name of the layer's type: `Conv2d`, `Linear`, `GridConv`, ...
    pub layer: &'a str,
    /// Where it is in the network: `decoder.convs.0.weight`.
    pub path: &'a str,
    /// Its shape, as the layer lays it out.
    pub dims: &'a [usize],
}

impl Weight<'_> {
    /// Numbers that each number of the output is a weighted sum of, on average, for the layers whose
    /// weights' shape tells it:
    /// - `Linear`: `[in, out]`
    /// - `Conv1d`, `Conv2d`, `Conv3d`: `[out, in / groups, kernel...]`
    /// - `GridConv`: `[taps, in, out]`
    fn fan_in(&self) -> Option<f32> {
        let product = |dims: &[usize]| dims.iter().product::<usize>() as f32;
        let (layer, rank) = (self.layer, self.dims.len());
        match (layer, rank) {
            ("Linear", 2) => Some(product(&self.dims[..1])),
            ("Conv1d", 3) | ("Conv2d", 4) | ("Conv3d", 5) => Some(product(&self.dims[1..])),
            ("GridConv", 3) => Some(product(&self.dims[..2])),
            _ => None,
        }
    }

    /// The same of a transposed convolution, `[in, out / groups, kernel...]`: its stride spreads the
    /// kernel's taps over `stride` times as many outputs along each axis. The shape shows neither
    /// stride nor groups, which is why [`seeded`] refuses these layers and [`seeded_with`] takes them.
    pub fn transposed_fan_in(&self, stride: &[usize], groups: usize) -> f32 {
        let taps = self.dims[2..].iter().product::<usize>() as f32;
        let spread = stride.iter().product::<usize>() as f32;
        (self.dims[0] / groups) as f32 * taps / spread
    }
}

/// Fills every weight with normal numbers of variance `2 / fan_in`, which keeps the spread of
/// activations through layers with rectifiers (He et al. 2015). Leaves biases, scales and whatever
/// else has one dimension as it is.
///
/// # Panics
/// At a weight of two or more dimensions in a layer whose layout is not known here: a guess would
/// train badly and say nothing. See [`seeded_with`].
pub fn seeded<M: Module>(network: M, seed: u32) -> M {
    seeded_with(network, seed, |_| None)
}

/// [`seeded`] for networks that have other layers, too: `fan_in` is asked first, for each weight, and
/// gives `None` for those that [`seeded`] knows.
///
/// # Panics
/// Where neither knows the layer.
pub fn seeded_with<M: Module>(network: M, seed: u32, fan_in: impl Fn(&Weight) -> Option<f32>) -> M {
    network.map(&mut Fill {
        draws: Draws::new(seed, 0),
        fan_in,
        path: Vec::new(),
        layers: Vec::new(),
    })
}

struct Fill<F> {
    draws: Draws,
    fan_in: F,
    /// Names of the fields that lead to where the mapper is.
    path: Vec<String>,
    /// The type that each of them is a field of.
    layers: Vec<String>,
}

impl<F: Fn(&Weight) -> Option<f32>> ModuleMapper for Fill<F> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.into());
        let layer = container_type.strip_prefix("Struct:");
        self.layers.push(layer.unwrap_or(container_type).into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.layers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D < 2 {
            return param;
        }
        let dims = param.dims();
        let path = self.path.join(".");
        let weight = Weight {
            layer: self.layers.last().map_or("", String::as_str),
            path: &path,
            dims: &dims,
        };
        let fan_in = (self.fan_in)(&weight).or_else(|| weight.fan_in());
        let Some(fan_in) = fan_in else {
            panic!(
                "no rule says how to start {} of a {} with shape {dims:?}: give its fan-in to `seeded_with`",
                weight.path, weight.layer
            )
        };
        let scale = (2.0 / fan_in).sqrt();
        let count = dims.iter().product();
        let values: Vec<f32> = self
            .draws
            .normals(count)
            .iter()
            .map(|v| v * scale)
            .collect();
        param.map(|old| {
            let tensor = Tensor::from_data(TensorData::new(values, dims), &old.device());
            tensor.set_require_grad(old.is_require_grad())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
    use burn::nn::{EmbeddingConfig, Linear, LinearConfig, PaddingConfig2d};
    use burn::tensor::{Device, activation::relu};

    use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

    /// Units of each layer.
    const WIDTH: usize = 64;

    fn normal<const D: usize>(dims: [usize; D]) -> Tensor<D> {
        let values = Draws::new(5, 1).normals(dims.iter().product());
        Tensor::from_data(TensorData::new(values, dims), &Device::flex())
    }

    fn spread<const D: usize>(tensor: Tensor<D>) -> f32 {
        let values: Vec<f32> = tensor.into_data().try_into_vec().unwrap();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>();
        (squares / values.len() as f32).sqrt()
    }

    /// With rectifiers the mean square stays; the mean that they add takes a little of the spread:
    /// `sqrt(1 - 1 / pi)`, 0.83, is what is left of it.
    fn assert_kept(before: f32, after: f32) {
        let ratio = after / before;
        assert!((0.5..2.0).contains(&ratio), "{before} became {after}");
    }

    #[test]
    fn three_linear_layers_keep_the_spread() {
        let device = Device::flex();
        // Narrow to wide to narrow: the output's fan would be wrong by a factor of 4.
        let widths = [[WIDTH, 4 * WIDTH], [4 * WIDTH, WIDTH], [WIDTH, 4 * WIDTH]];
        let layers: Vec<Linear> = widths
            .map(|[i, o]| LinearConfig::new(i, o).with_bias(false).init(&device))
            .to_vec();
        let x = normal([200, WIDTH]);
        let y = seeded(layers, 7)
            .iter()
            .fold(x.clone(), |x, l| relu(l.forward(x)));
        assert_kept(spread(x), spread(y));
    }

    #[test]
    fn three_convolutions_keep_the_spread() {
        let device = Device::flex();
        for groups in [1, 4] {
            let layers: Vec<Conv2d> = (0..3)
                .map(|_| {
                    Conv2dConfig::new([WIDTH, WIDTH], [3, 3])
                        .with_padding(PaddingConfig2d::Same)
                        .with_groups(groups)
                        .with_bias(false)
                        .init(&device)
                })
                .collect();
            let x = normal([2, WIDTH, 12, 12]);
            let y = seeded(layers, 7)
                .iter()
                .fold(x.clone(), |x, l| relu(l.forward(x)));
            assert_kept(spread(x), spread(y));
        }
    }

    #[test]
    fn three_transposed_convolutions_keep_the_spread() {
        let device = Device::flex();
        for (stride, kernel, groups) in [(1, 3, 1), (2, 4, 1), (2, 2, 4)] {
            let layers: Vec<ConvTranspose2d> = (0..3)
                .map(|_| {
                    ConvTranspose2dConfig::new([WIDTH, WIDTH], [kernel, kernel])
                        .with_stride([stride, stride])
                        .with_padding([(kernel - stride) / 2; 2])
                        .with_groups(groups)
                        .with_bias(false)
                        .init(&device)
                })
                .collect();
            let layers = seeded_with(layers, 7, |weight| {
                Some(weight.transposed_fan_in(&[stride, stride], groups))
            });
            let x = normal([1, WIDTH, 6, 6]);
            let y = layers.iter().fold(x.clone(), |x, l| relu(l.forward(x)));
            assert_kept(spread(x), spread(y));
        }
    }

    #[test]
    fn three_convolutions_on_a_grid_keep_the_spread() {
        let device = Device::flex();
        for (kernel, step) in [(3, Step::Same), (3, Step::Half), (1, Step::Same)] {
            let config = GridConvConfig::new([WIDTH, WIDTH])
                .with_kernel(kernel)
                .with_step(step);
            let layers: Vec<GridConv> = (0..3).map(|_| config.init(&device)).collect();
            let (x, mut side) = (normal([256, 2, WIDTH]), 16);
            let mut y = x.clone();
            for layer in seeded(layers, 7) {
                y = relu(layer.forward(y, side));
                side = step.side(side);
            }
            assert_kept(spread(x), spread(y));
        }
    }

    /// The weights that the shipped networks began with: `sqrt(2 / (taps * in))` times the first draws.
    #[test]
    fn a_grid_convolution_starts_as_it_always_did() {
        let layer = seeded(GridConvConfig::new([5, 4]).init(&Device::flex()), 7);
        let found: Vec<f32> = layer.weight.val().into_data().try_into_vec().unwrap();
        let scale = (2.0f32 / 45.0).sqrt();
        let expected: Vec<f32> = Draws::new(7, 0)
            .normals(180)
            .iter()
            .map(|v| v * scale)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    #[should_panic(expected = "weight of a Embedding")]
    fn a_layer_without_a_rule_is_refused() {
        seeded(EmbeddingConfig::new(10, 4).init(&Device::flex()), 7);
    }

    #[test]
    #[should_panic(expected = "weight of a ConvTranspose2d")]
    fn a_transposed_convolution_must_say_its_stride() {
        let config = ConvTranspose2dConfig::new([2, 2], [3, 3]);
        seeded(config.init(&Device::flex()), 7);
    }
}
