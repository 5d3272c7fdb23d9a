//! Faster R-CNN's heads: a network that proposes regions, and one that says what stands in each.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::models::Network;

use super::pyramid::{Pyramid, PyramidConfig, Unit};
use super::region_head;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

/// Configuration of [`TwoStep`] heads.
#[derive(Config, Debug)]
pub struct TwoStepConfig {
    /// Classes, without the background.
    pub classes: usize,
    /// Anchors of a cell.
    pub shapes: usize,
    /// Channels of the pyramid.
    #[config(default = 96)]
    pub channels: usize,
    /// Bins in a row of a pooled region.
    #[config(default = 7)]
    pub side: usize,
    /// Numbers between the two dense layers.
    #[config(default = 256)]
    pub hidden: usize,
}

/// What stands on the backbone.
///
/// # Reference
/// Ren et al. 2015, "Faster R-CNN"; on a pyramid as Lin et al. 2017, "Feature Pyramid Networks", section 4.
#[derive(Module, Debug)]
pub struct TwoStep {
    /// Of the backbone's maps.
    pub pyramid: Pyramid,
    /// Before the proposals, the same for all levels.
    pub unit: Unit,
    /// 1x1: whether something is there, for each anchor of a cell.
    pub objectness: GridConv,
    /// 1x1: how each anchor is moved.
    pub moves: GridConv,
    /// From the bins of a region.
    pub dense: Vec<GridConv>,
    /// To logits of background and classes.
    pub classes: GridConv,
    /// To four offsets for each class.
    pub offsets: GridConv,
}

/// What the first step says of all anchors: levels from fine to coarse, cells by row, shapes inside a cell.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Logits, `[anchors, batch, 1]`.
    pub objectness: Tensor<3>,
    /// `[anchors, batch, 4]`.
    pub moves: Tensor<3>,
    /// The pyramid's maps with their sides.
    pub levels: Vec<(Tensor<3>, usize)>,
}

/// The row of the shelf: nine classes, three anchors a cell.
pub const TWO_STEP: Network<TwoStep> = Network {
    name: "faster-rcnn",
    init: |device| TwoStepConfig::new(9, 3).init(device),
};

impl Proposed {
    /// All numbers of an anchor together, `[batch, anchors, 1 + 4]`.
    pub fn together(&self) -> Tensor<3> {
        let both = vec![self.objectness.clone(), self.moves.clone()];
        Tensor::cat(both, 2).swap_dims(0, 1)
    }
}

impl TwoStepConfig {
    /// Heads of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> TwoStep {
        let dense =
            |from: usize, to: usize| GridConvConfig::new([from, to]).with_kernel(1).init(device);
        TwoStep {
            pyramid: PyramidConfig::new(self.channels).init(device),
            unit: Unit::new(self.channels, Step::Same, device),
            objectness: dense(self.channels, self.shapes),
            moves: dense(self.channels, 4 * self.shapes),
            dense: vec![
                dense(self.side * self.side * self.channels, self.hidden),
                dense(self.hidden, self.hidden),
            ],
            classes: dense(self.hidden, 1 + self.classes),
            offsets: dense(self.hidden, 4 * self.classes),
        }
    }
}

impl TwoStep {
    /// The first step.
    ///
    /// # Shapes
    /// - input: see [`Pyramid::forward`]
    pub fn propose(&self, maps: &[Tensor<3>]) -> Proposed {
        let levels = self.pyramid.forward(maps);
        let (mut objectness, mut moves) = (Vec::new(), Vec::new());
        for (map, side) in &levels {
            let x = self.unit.forward(map.clone(), *side);
            objectness.push(super::ssd_head::by_box(
                self.objectness.forward(x.clone(), *side),
                1,
            ));
            moves.push(super::ssd_head::by_box(self.moves.forward(x, *side), 4));
        }
        Proposed {
            objectness: Tensor::cat(objectness, 0),
            moves: Tensor::cat(moves, 0),
            levels,
        }
    }

    /// Objectness and moves of all anchors of a picture, from [`Proposed::together`].
    pub fn apart(said: &[f32]) -> (Vec<f32>, Vec<[f32; 4]>) {
        let anchors = said.as_chunks::<5>().0.iter();
        anchors
            .map(|&[score, y, x, height, width]| (score, [y, x, height, width]))
            .unzip()
    }

    /// [`name`](Self::name), logits as probabilities: `[regions, 1 + classes + 4 * classes]`.
    pub fn name_together(&self, pooled: Tensor<3>) -> Tensor<2> {
        region_head::together(self.name(pooled))
    }

    /// The second step, for each region by itself.
    ///
    /// # Shapes
    /// - input: `[side * side, regions, channels]`, what was pooled
    /// - output: logits `[regions, 1 + classes]`, offsets `[regions, 4 * classes]`
    pub fn name(&self, pooled: Tensor<3>) -> [Tensor<2>; 2] {
        region_head::name(&self.dense, [&self.classes, &self.offsets], pooled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_of_all_levels_are_spoken_for_and_regions_are_named() {
        let device = Device::flex();
        let heads = TwoStepConfig::new(9, 3)
            .with_channels(16)
            .with_hidden(8)
            .init(&device);
        let maps = [(8, 40), (4, 112), (2, 320)]
            .map(|(side, channels)| Tensor::zeros([side * side, 2, channels], &device));
        let proposed = heads.propose(&maps);
        let anchors = (64 + 16 + 4 + 1) * 3;
        assert_eq!(
            (proposed.objectness.dims(), proposed.moves.dims()),
            ([anchors, 2, 1], [anchors, 2, 4])
        );
        let [logits, offsets] = heads.name(Tensor::zeros([49, 5, 16], &device));
        assert_eq!((logits.dims(), offsets.dims()), ([5, 10], [5, 36]));
    }
}
