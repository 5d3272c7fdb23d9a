//! SSD: one pass from picture to box offsets and class logits.

use burn::config::Config;
use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::conv_block::{Activation, ConvBlock, ConvBlockConfig, in_one};
use super::mobilenet_v2::{MobileNetV2, MobileNetV2Config};

/// Channels of the four extra maps: inside and out.
const EXTRAS: [[usize; 2]; 4] = [[256, 512], [128, 256], [128, 256], [64, 128]];
/// Default boxes at each cell of the six maps.
pub const BOXES_PER_CELL: [usize; 6] = [3, 6, 6, 6, 6, 6];

/// Configuration of [`Ssd`].
#[derive(Config, Debug)]
pub struct SsdConfig {
    /// Classes with the background, which is class 0.
    pub classes: usize,
}

/// SSD on MobileNetV2: six feature maps, each with its own pair of 1x1 predictors.
///
/// # Reference
/// Liu et al. 2016, "SSD: Single Shot MultiBox Detector"; the backbone of Sandler et al. 2018.
#[derive(Module, Debug)]
pub struct Ssd {
    /// Gives the maps at stride 16 and 32.
    pub backbone: MobileNetV2,
    /// Four further maps, each half the size of the one before.
    pub extras: Vec<ExtraMap>,
    /// One for each of the six maps.
    pub predictors: Vec<BoxPredictor>,
    /// Classes with the background.
    #[module(skip)]
    pub classes: usize,
}

/// A bottleneck that halves the map.
#[derive(Module, Debug)]
pub struct ExtraMap {
    /// 1x1.
    pub reduce: ConvBlock,
    /// 3x3, stride 2.
    pub down: ConvBlock,
}

/// Box offsets and class logits of every default box of one map.
#[derive(Module, Debug)]
pub struct BoxPredictor {
    /// 1x1 to `boxes_per_cell * 4` channels.
    pub boxes: Conv2d,
    /// 1x1 to `boxes_per_cell * classes` channels.
    pub classes: Conv2d,
}

/// What the network says of each default box, maps from fine to coarse, cells by row.
pub struct SsdOutput {
    /// Offsets `(y, x, height, width)` for the box coder: `[batch, boxes, 4]`.
    pub encodings: Tensor<3>,
    /// Logits, before the sigmoid: `[batch, boxes, classes]`.
    pub logits: Tensor<3>,
}

impl SsdConfig {
    /// A network with zero weights: they always come from a file.
    pub fn init(&self, device: &Device) -> Ssd {
        let mut map_channels = vec![576, 1280];
        let extras = EXTRAS
            .iter()
            .map(|&[inside, out]| {
                let channels_in = *map_channels.last().expect("starts with two maps");
                map_channels.push(out);
                let relu6 = |config: ConvBlockConfig| config.with_activation(Activation::Relu6);
                ExtraMap {
                    reduce: relu6(ConvBlockConfig::new([channels_in, inside])).init(device),
                    down: relu6(
                        ConvBlockConfig::new([inside, out])
                            .with_kernel(3)
                            .with_stride(2),
                    )
                    .init(device),
                }
            })
            .collect();
        let predictors = map_channels
            .iter()
            .zip(BOXES_PER_CELL)
            .map(|(&channels, boxes)| {
                let head = |out: usize| {
                    Conv2dConfig::new([channels, out], [1, 1])
                        .with_initializer(Initializer::Zeros)
                        .init(device)
                };
                BoxPredictor {
                    boxes: head(boxes * 4),
                    classes: head(boxes * self.classes),
                }
            })
            .collect();
        Ssd {
            backbone: MobileNetV2Config::new().init(device),
            extras,
            predictors,
            classes: self.classes,
        }
    }
}

impl Ssd {
    /// # Shapes
    /// - input: `[batch, 3, 300, 300]`, RGB, values -1 to 1
    /// - output: 1,917 boxes, see [`SsdOutput`]
    pub fn forward(&self, images: Tensor<4>) -> SsdOutput {
        self.predict(self.feature_maps(images))
    }

    /// What the predictors make of the maps of [`feature_maps`](Self::feature_maps).
    pub fn predict(&self, maps: Vec<Tensor<4>>) -> SsdOutput {
        let (encodings, logits) = maps
            .into_iter()
            .zip(&self.predictors)
            .map(|(map, predictor)| {
                let values = |conv: &Conv2d| {
                    let in_one = in_one(conv, Activation::Linear, &map, None);
                    in_one.unwrap_or_else(|| conv.forward(map.clone()))
                };
                (
                    per_box(values(&predictor.boxes), 4),
                    per_box(values(&predictor.classes), self.classes),
                )
            })
            .unzip();
        SsdOutput {
            encodings: Tensor::cat(encodings, 1),
            logits: Tensor::cat(logits, 1),
        }
    }

    /// The six maps that the predictors read: 19, 10, 5, 3, 2 and 1 cells wide for 300 pixels.
    pub fn feature_maps(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let features = self.backbone.forward(images);
        let mut maps = vec![features.stride_16, features.stride_32];
        for extra in &self.extras {
            let last = maps.last().expect("starts with two maps").clone();
            maps.push(extra.down.forward(extra.reduce.forward(last)));
        }
        maps
    }
}

/// One row for each box: `[batch, boxes_per_cell * values, height, width]` to
/// `[batch, height * width * boxes_per_cell, values]`.
fn per_box(prediction: Tensor<4>, values: usize) -> Tensor<3> {
    let [batch, channels, height, width] = prediction.dims();
    let boxes = height * width * channels / values;
    prediction
        .permute([0, 2, 3, 1])
        .reshape([batch, boxes, values])
}

/// The shipped SSD: 23 classes and the background.
pub const SSD: super::Network<Ssd> = super::Network {
    name: "ssd",
    init: |device| SsdConfig::new(24).init(device),
};

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn has_1917_boxes_at_300_pixels() {
        let device = Device::flex();
        let output = SsdConfig::new(24)
            .init(&device)
            .forward(Tensor::zeros([1, 3, 300, 300], &device));
        assert_eq!(output.encodings.dims(), [1, 1917, 4]);
        assert_eq!(output.logits.dims(), [1, 1917, 24]);
    }

    #[test]
    fn boxes_run_by_row_then_column_then_shape() {
        let device = Device::flex();
        // Two boxes a cell with two values each, one row of two cells; channel-major storage.
        let prediction =
            Tensor::<4>::from_data([[[[0, 1]], [[2, 3]], [[4, 5]], [[6, 7]]]], &device);
        per_box(prediction, 2)
            .into_data()
            .convert::<i32>()
            .assert_eq(&TensorData::from([[[0, 2], [4, 6], [1, 3], [5, 7]]]), true);
    }
}
