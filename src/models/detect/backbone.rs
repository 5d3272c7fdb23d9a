//! The backbone of the detectors that were trained here: EfficientNet-Lite0 without its classifier. [`BACKBONE`] is the one that
//! was fine-tuned on photographs with boxes.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::models::Network;
use crate::models::conv_block::ConvBlock;
use crate::models::efficientnet_lite::{EfficientNetLite, EfficientNetLiteConfig};
use crate::models::mobilenet_v2::InvertedResidual;

/// Channels of the maps that are read, at the strides [`STRIDES`].
pub const CHANNELS: [usize; 3] = [40, 112, 320];
/// Pixels of the picture from one cell of each map to the next.
pub const STRIDES: [usize; 3] = [8, 16, 32];
/// The blocks that make these maps, counted from 0.
const READ: [usize; 3] = [4, 10, 15];

/// Configuration of a [`Backbone`].
#[derive(Config, Debug)]
pub struct BackboneConfig {}

/// The stem and the 16 inverted residuals of EfficientNet-Lite0, batch normalisation folded in.
#[derive(Module, Debug)]
pub struct Backbone {
    /// 3x3, stride 2.
    pub stem: ConvBlock,
    /// 16 inverted residuals.
    pub blocks: Vec<InvertedResidual>,
}

impl BackboneConfig {
    /// A backbone with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> Backbone {
        EfficientNetLiteConfig::new().init(device).into()
    }
}

impl From<EfficientNetLite> for Backbone {
    /// All but the classifier.
    fn from(EfficientNetLite { stem, blocks, .. }: EfficientNetLite) -> Self {
        Self { stem, blocks }
    }
}

/// The row of the shelf.
pub const BACKBONE: Network<Backbone> = Network {
    name: "detector-backbone",
    init: |device| BackboneConfig::new().init(device),
};

impl Backbone {
    /// The maps at strides of 8, 16 and 32.
    ///
    /// # Shapes
    /// - input: `[batch, 3, rows, columns]`, RGB, `(x - 127) / 128` of values 0 to 255
    /// - output: `[batch, 40 | 112 | 320, rows / stride, columns / stride]`, rounded up
    pub fn forward(&self, images: Tensor<4>) -> [Tensor<4>; 3] {
        let mut x = self.stem.forward(images);
        let mut maps = Vec::with_capacity(READ.len());
        for (index, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if READ.contains(&index) {
                maps.push(x.clone());
            }
        }
        maps.try_into().expect("three blocks are read")
    }
}

/// From `[batch, channels, rows, columns]` to a grid `[rows * columns, batch, channels]`.
pub fn to_grid(map: Tensor<4>) -> Tensor<3> {
    let [batch, channels, rows, columns] = map.dims();
    map.permute([2, 3, 0, 1])
        .reshape([rows * columns, batch, channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_those_at_strides_of_8_16_and_32() {
        let device = Device::flex();
        let network = BackboneConfig::new().init(&device);
        let maps = network.forward(Tensor::zeros([2, 3, 64, 96], &device));
        for ((map, channels), stride) in maps.iter().zip(CHANNELS).zip(STRIDES) {
            assert_eq!(map.dims(), [2, channels, 64 / stride, 96 / stride]);
        }
        let [.., coarse] = maps;
        assert_eq!(to_grid(coarse).dims(), [6, 2, 320]);
    }
}
