//! The thirteen convolutions of VGG-16: features for comparing pictures.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use super::conv_block::{Activation, ConvBlock, ConvBlockConfig};

/// Name, channels in and channels out of each layer; the number before the underscore is its block.
/// Between two blocks, pooling halves rows and columns.
pub const LAYERS: [(&str, usize, usize); 13] = [
    ("conv1_1", 3, 64),
    ("conv1_2", 64, 64),
    ("conv2_1", 64, 128),
    ("conv2_2", 128, 128),
    ("conv3_1", 128, 256),
    ("conv3_2", 256, 256),
    ("conv3_3", 256, 256),
    ("conv4_1", 256, 512),
    ("conv4_2", 512, 512),
    ("conv4_3", 512, 512),
    ("conv5_1", 512, 512),
    ("conv5_2", 512, 512),
    ("conv5_3", 512, 512),
];
/// What the network was trained to have subtracted from red, green and blue of 0 to 255.
const MEAN: [f32; 3] = [123.68, 116.779, 103.939];

/// Position of a layer in [`LAYERS`].
pub fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.0 == name)
}

/// How maps are halved between blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The largest of 2x2, as trained.
    Max,
    /// The mean of 2x2: gradients reach every pixel, which Gatys et al. found to look better.
    Mean,
}

/// Configuration of [`Vgg16`].
#[derive(Config, Debug)]
pub struct Vgg16Config {}

/// # Reference
/// Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
/// Recognition", configuration D, without the classifier.
#[derive(Module, Debug)]
pub struct Vgg16 {
    /// The layers of [`LAYERS`], 3x3 with ReLU.
    pub layers: Vec<ConvBlock>,
}

impl Vgg16Config {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> Vgg16 {
        let layers = LAYERS
            .iter()
            .map(|&(_, channels_in, out)| {
                ConvBlockConfig::new([channels_in, out])
                    .with_kernel(3)
                    .with_activation(Activation::Relu)
                    .init(device)
            })
            .collect();
        Vgg16 { layers }
    }
}

impl Vgg16 {
    /// The activations, after ReLU, of the wanted layers, in the order of the network; nothing
    /// beyond the deepest is computed.
    ///
    /// # Shapes
    /// - input: `[batch, 3, height, width]`, RGB from 0 to 1; height and width at least 16
    /// - outputs: `[batch, channels, height / 2^b, width / 2^b]` after `b` poolings, rounded down
    pub fn features(&self, image: Tensor<4>, wanted: &[usize], pooling: Pooling) -> Vec<Tensor<4>> {
        let deepest = wanted
            .iter()
            .copied()
            .max()
            .map_or(0, |deepest| deepest + 1);
        let mut x = normalise(image);
        let mut found = Vec::with_capacity(wanted.len());
        for (index, layer) in self.layers.iter().enumerate().take(deepest) {
            let block = |index: usize| LAYERS[index].0.as_bytes()[4];
            if index > 0 && block(index) != block(index - 1) {
                x = halve(x, pooling);
            }
            x = layer.forward(x);
            if wanted.contains(&index) {
                found.push(x.clone());
            }
        }
        found
    }
}

/// From 0..1 to the values that the network was trained on.
fn normalise(image: Tensor<4>) -> Tensor<4> {
    let mean = Tensor::<1>::from_floats(MEAN, &image.device()).reshape([1, 3, 1, 1]);
    image * 255.0 - mean
}

fn halve(x: Tensor<4>, pooling: Pooling) -> Tensor<4> {
    match pooling {
        Pooling::Max => max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2])),
        Pooling::Mean => avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([2, 2])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_as_large_as_their_block_says() {
        let device = Device::flex();
        let network = Vgg16Config::new().init(&device);
        let wanted = ["conv1_2", "conv3_1", "conv4_2"].map(|name| layer(name).expect("a layer"));
        let image = Tensor::zeros([1, 3, 37, 24], &device);
        let sizes: Vec<_> = network
            .features(image, &wanted, Pooling::Max)
            .iter()
            .map(|map| map.dims())
            .collect();
        assert_eq!(sizes, [[1, 64, 37, 24], [1, 256, 9, 6], [1, 512, 4, 3]]);
    }

    #[test]
    fn no_layer_is_wanted_none_is_given() {
        let device = Device::flex();
        let network = Vgg16Config::new().init(&device);
        let image = Tensor::zeros([1, 3, 16, 16], &device);
        assert!(network.features(image, &[], Pooling::Mean).is_empty());
        assert_eq!(layer("conv6_1"), None);
    }
}
