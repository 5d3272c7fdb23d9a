//! SSD's heads on the common backbone: several maps, each with its default boxes and its own predictors.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::backbone::CHANNELS;
use super::pyramid::Unit;
use crate::models::Network;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

/// Maps that are made of the coarsest of the backbone, each half as large.
const EXTRAS: usize = 2;

/// Configuration of an [`SsdHead`].
#[derive(Config, Debug)]
pub struct SsdHeadConfig {
    /// Classes, without the background.
    pub classes: usize,
    /// Default boxes of a cell.
    pub shapes: usize,
    /// Channels of all maps.
    #[config(default = 96)]
    pub channels: usize,
}

/// What stands on the backbone. Unlike a pyramid the maps know nothing of each other: each looks for objects of its size.
///
/// # Reference
/// Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.1.
#[derive(Module, Debug)]
pub struct SsdHead {
    /// 1x1, from the channels of each of the backbone's maps.
    pub enter: Vec<GridConv>,
    /// From a map to the next coarser one.
    pub extras: Vec<Unit>,
    /// Before the predictors of each map.
    pub units: Vec<Unit>,
    /// 3x3, to logits of background and classes for each shape.
    pub classes: Vec<GridConv>,
    /// 3x3, to four offsets for each shape.
    pub offsets: Vec<GridConv>,
}

/// What the heads say of all default boxes: maps from fine to coarse, cells by row, shapes inside a cell.
#[derive(Debug, Clone)]
pub struct SsdSaid {
    /// Logits, `[boxes, batch, 1 + classes]`; the background is first.
    pub classes: Tensor<3>,
    /// `[boxes, batch, 4]`.
    pub offsets: Tensor<3>,
}

/// The row of the shelf: nine classes, four default boxes a cell.
pub const SSD_HEAD: Network<SsdHead> = Network {
    name: "ssd-voc",
    init: |device| SsdHeadConfig::new(9, 4).init(device),
};

impl SsdSaid {
    /// All numbers of a default box together, `[batch, boxes, 1 + classes + 4]`, logits as probabilities.
    pub fn together(self) -> Tensor<3> {
        let probabilities = activation::softmax(self.classes, 2);
        Tensor::cat(vec![probabilities, self.offsets], 2).swap_dims(0, 1)
    }
}

impl SsdHeadConfig {
    /// Heads of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> SsdHead {
        let maps = CHANNELS.len() + EXTRAS;
        let enter = |&from: &usize| {
            GridConvConfig::new([from, self.channels])
                .with_kernel(1)
                .init(device)
        };
        let units = |count: usize, step: Step| {
            (0..count)
                .map(|_| Unit::new(self.channels, step, device))
                .collect()
        };
        let predictors = |numbers: usize| {
            let predictor =
                |_| GridConvConfig::new([self.channels, self.shapes * numbers]).init(device);
            (0..maps).map(predictor).collect()
        };
        SsdHead {
            enter: CHANNELS.iter().map(enter).collect(),
            extras: units(EXTRAS, Step::Half),
            units: units(maps, Step::Same),
            classes: predictors(1 + self.classes),
            offsets: predictors(4),
        }
    }
}

/// From `[cells, batch, shapes * numbers]` to `[cells * shapes, batch, numbers]`.
pub(super) fn by_box(said: Tensor<3>, numbers: usize) -> Tensor<3> {
    let [cells, batch, all] = said.dims();
    let shapes = all / numbers;
    let said = said
        .reshape([cells, batch, shapes, numbers])
        .swap_dims(1, 2);
    said.reshape([cells * shapes, batch, numbers])
}

impl SsdHead {
    /// # Shapes
    /// - input: the backbone's three maps as grids, see [`Backbone::forward`](super::backbone::Backbone::forward)
    pub fn forward(&self, maps: &[Tensor<3>; 3]) -> SsdSaid {
        let mut levels: Vec<(Tensor<3>, usize)> = Vec::new();
        for (map, enter) in maps.iter().zip(&self.enter) {
            let side = map.dims()[0].isqrt();
            levels.push((enter.forward(map.clone(), side), side));
        }
        for extra in &self.extras {
            let (last, side) = levels[levels.len() - 1].clone();
            levels.push((extra.forward(last, side), Step::Half.side(side)));
        }
        let (mut classes, mut offsets) = (Vec::new(), Vec::new());
        for (level, (map, side)) in levels.into_iter().enumerate() {
            let x = self.units[level].forward(map, side);
            let [_, batch, _] = x.dims();
            let of_classes = self.classes[level].forward(x.clone(), side);
            let of_offsets = self.offsets[level].forward(x, side);
            let shapes = of_offsets.dims()[2] / 4;
            let numbers = of_classes.dims()[2] / shapes;
            debug_assert_eq!(of_classes.dims()[1], batch);
            classes.push(by_box(of_classes, numbers));
            offsets.push(by_box(of_offsets, 4));
        }
        SsdSaid {
            classes: Tensor::cat(classes, 0),
            offsets: Tensor::cat(offsets, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn every_default_box_of_five_maps_is_spoken_for() {
        let device = Device::flex();
        let head = SsdHeadConfig::new(9, 4).with_channels(16).init(&device);
        let maps = [(8, 40), (4, 112), (2, 320)]
            .map(|(side, channels)| Tensor::zeros([side * side, 2, channels], &device));
        let said = head.forward(&maps);
        // 8, 4, 2, 1 and 1 cells in a row.
        let boxes = (64 + 16 + 4 + 1 + 1) * 4;
        assert_eq!(
            (said.classes.dims(), said.offsets.dims()),
            ([boxes, 2, 10], [boxes, 2, 4])
        );
    }

    #[test]
    fn numbers_of_a_box_stay_together() {
        // Two cells, two pictures, two shapes of two numbers: cell, picture, shape, number as digits.
        let value = |index: usize| {
            let digits = [index / 8 % 2, index / 4 % 2, index / 2 % 2, index % 2];
            digits.iter().fold(0, |sum, digit| 10 * sum + digit) as f32
        };
        let values: Vec<f32> = (0..16).map(value).collect();
        let said = Tensor::<3>::from_data(TensorData::new(values, [2, 2, 4]), &Device::flex());
        let by_box: Vec<f32> = by_box(said, 2).into_data().try_into_vec().expect("f32");
        // The first cell's first shape of both pictures, then its second shape.
        assert_eq!(
            by_box[..8],
            [0.0, 1.0, 100.0, 101.0, 10.0, 11.0, 110.0, 111.0]
        );
    }
}
