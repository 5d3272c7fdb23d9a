//! What methods that look inside know of a network: layers with names and maps, and a way back to the picture.

use burn::tensor::Tensor;

use super::conv_block::Rectifiers;
use crate::protocol::named_layers::Layers;

/// A network that can be looked into. Pictures are `[batch, 3, height, width]`, RGB from 0 to 1, whatever the network
/// was trained on: it prepares them itself.
pub trait Layered {
    /// Its layers, from the picture on.
    fn layers(&self) -> &'static Layers;

    /// The kernels of a layer, `[out, in, side, side]`: of the first those that see the picture's red, green and blue; of
    /// an inverted residual those of its depthwise convolution, one for each inner channel (`in` is 1). None where they
    /// are single numbers.
    fn kernels(&self, layer: usize) -> Option<Tensor<4>>;

    /// How many numbers a layer has learned.
    fn parameters(&self, layer: usize) -> usize;

    /// The map of one layer, from that of the layer below, or from pictures for the first; shapes as in [`Pass::map`].
    fn layer(&self, layer: usize, below: Tensor<4>) -> Tensor<4>;

    /// Sends pictures through: up to and with the layer `last`, or without one to the logits, where there are classes.
    fn pass<'a>(&'a self, pictures: Tensor<4>, last: Option<usize>) -> Box<dyn Pass + 'a>;
}

/// What pictures left on their way through a network.
pub trait Pass {
    /// The map of a layer that was reached, `[batch, channels, rows, columns]`.
    fn map(&self, layer: usize) -> &Tensor<4>;

    /// `[batch, classes]`, before the softmax; none where they were not reached.
    fn logits(&self) -> Option<&Tensor<2>>;

    /// From gradients to the one on the pictures, shaped like them.
    fn back(&self, from: Gradients, rectifiers: Rectifiers) -> Tensor<4>;
}

/// Where a way back begins: gradients that are added up on the way.
#[derive(Default)]
pub struct Gradients {
    /// On the logits, `[batch, classes]`.
    pub on_logits: Option<Tensor<2>>,
    /// On maps, by the number of the layer; each shaped like its map.
    pub on_maps: Vec<(usize, Tensor<4>)>,
}

impl Gradients {
    /// On the logits alone.
    pub fn on_logits(gradient: Tensor<2>) -> Self {
        Self {
            on_logits: Some(gradient),
            on_maps: Vec::new(),
        }
    }

    /// On one map alone.
    pub fn on_map(layer: usize, gradient: Tensor<4>) -> Self {
        Self {
            on_logits: None,
            on_maps: vec![(layer, gradient)],
        }
    }

    /// What is added at a layer.
    pub(super) fn at(&mut self, layer: usize) -> Option<Tensor<4>> {
        let mut sum: Option<Tensor<4>> = None;
        for (_, gradient) in self.on_maps.extract_if(.., |(at, _)| *at == layer) {
            sum = Some(match sum {
                Some(sum) => sum + gradient,
                None => gradient,
            });
        }
        sum
    }
}

/// The sum of what there is.
pub(super) fn plus(one: Option<Tensor<4>>, other: Option<Tensor<4>>) -> Option<Tensor<4>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::efficientnet_lite::EfficientNetLiteConfig;
    use crate::models::generate::classifier::LeNetConfig;
    use crate::models::generate::lenet_layers::NamedLeNet;
    use crate::models::vgg16::Vgg16Config;
    use crate::protocol::named_layers::LENET_DIGITS;
    use burn::module::{Module, ModuleMapper, Param};
    use burn::tensor::{Device, Distribution, TensorData};
    use std::rc::Rc;

    /// Fills weights with numbers that keep values about as large as they are.
    struct Filled;

    impl ModuleMapper for Filled {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let dims = param.dims();
            let inputs: usize = dims.iter().skip(1).product();
            let device = param.val().device();
            let spread = f64::from((2.0 / inputs.max(1) as f32).sqrt());
            let (id, spread) = (param.id, if D == 1 { 0.1 } else { spread });
            let drawn = Tensor::random(dims, Distribution::Normal(0.0, spread), &device);
            Param::initialized(id, drawn)
        }
    }

    fn number(tensor: Tensor<1>) -> f64 {
        tensor
            .into_data()
            .convert::<f64>()
            .try_into_vec::<f64>()
            .expect("a number")[0]
    }

    /// The way back from two maps at once, of two pictures, against the difference that a small step makes.
    fn goes_back(network: &dyn Layered, layers: [usize; 2], with_logits: bool) {
        let device = Device::flex();
        let pictures = Tensor::random([2, 3, 32, 48], Distribution::Uniform(0.2, 0.8), &device);
        let last = (!with_logits).then_some(layers[1]);
        let weights = |dims: [usize; 4]| -> Tensor<4> {
            let count: usize = dims.iter().product();
            let values: Vec<f32> = (0..count)
                .map(|i| ((i * 31 % 17) as f32 - 8.0) / 8.0)
                .collect();
            Tensor::from_data(TensorData::new(values, dims), &device)
        };
        let value = |pictures: Tensor<4>| -> Tensor<1> {
            let pass = network.pass(pictures, last);
            let mut sum = Tensor::zeros([1], &device);
            for layer in layers {
                let map = pass.map(layer).clone();
                sum = sum + (weights(map.dims()) * map).sum();
            }
            if with_logits {
                sum = sum
                    + pass
                        .logits()
                        .expect("classes")
                        .clone()
                        .slice([0..2, 3..4])
                        .sum()
                        * 10.0;
            }
            sum
        };
        let pass = network.pass(pictures.clone(), last);
        let on_maps = layers.map(|layer| (layer, weights(pass.map(layer).dims())));
        let on_logits = with_logits.then(|| {
            let classes = network.layers().classes.len();
            let mut one = vec![0f32; 2 * classes];
            one[3] = 10.0;
            one[classes + 3] = 10.0;
            Tensor::from_data(TensorData::new(one, [2, classes]), &device)
        });
        let from = Gradients {
            on_logits,
            on_maps: on_maps.to_vec(),
        };
        let gradient = pass.back(from, Rectifiers::Gradient);
        // Along the gradient the value rises most: no noise of rounding hides it.
        let length = number(gradient.clone().square().sum()).sqrt();
        let step = 1e-3;
        let way = gradient / length;
        let [ahead, behind] =
            [step, -step].map(|step| number(value(pictures.clone() + way.clone() * step)));
        let measured = (ahead - behind) / (2.0 * step);
        assert!(
            (measured - length).abs() < 0.03 * length,
            "{}: {measured} measured, {length} by the way back",
            network.layers().network
        );
    }

    #[test]
    fn the_way_back_is_the_slope() {
        let device = Device::flex();
        let small = EfficientNetLiteConfig::new().init(&device).map(&mut Filled);
        goes_back(&small, [4, 9], false);
        goes_back(&small, [0, 17], true);
        let large = Vgg16Config::new().init(&device).map(&mut Filled);
        goes_back(&large, [1, 6], false);
        goes_back(&small_digits(), [0, 2], true);
        goes_back(&small_digits(), [1, 3], false);
    }

    fn small_digits() -> NamedLeNet {
        let network = LeNetConfig::new(10).init(&Device::flex()).map(&mut Filled);
        NamedLeNet {
            network: Rc::new(network),
            layers: &LENET_DIGITS,
        }
    }

    /// Layer by layer is the same as all at once; and what a layer says it is.
    #[test]
    fn layers_follow_one_another() {
        let device = Device::flex();
        let small = EfficientNetLiteConfig::new().init(&device).map(&mut Filled);
        let large = Vgg16Config::new().init(&device).map(&mut Filled);
        let networks: [&dyn Layered; 3] = [&small, &large, &small_digits()];
        for network in networks {
            let pictures = Tensor::random([2, 3, 32, 48], Distribution::Uniform(0.2, 0.8), &device);
            let pass = network.pass(pictures.clone(), None);
            let mut map = pictures;
            for (number, layer) in network.layers().layers.iter().enumerate() {
                map = network.layer(number, map);
                let whole = pass.map(number);
                assert_eq!(map.dims(), whole.dims(), "{}", layer.name);
                assert_eq!(map.dims()[1], layer.channels, "{}", layer.name);
                let apart = (map.clone() - whole.clone()).abs().max();
                assert!(self::number(apart) < 1e-4, "{}", layer.name);
            }
        }
    }
}
