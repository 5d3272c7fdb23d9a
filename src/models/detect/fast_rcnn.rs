//! Fast R-CNN's heads: what stands in regions that come from outside.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::pyramid::{Pyramid, PyramidConfig};
use super::region_head;
use crate::models::Network;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig};

/// Configuration of [`FastRcnn`] heads.
#[derive(Config, Debug)]
pub struct FastRcnnConfig {
    /// Classes, without the background.
    pub classes: usize,
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

/// What stands on the backbone: Faster R-CNN without its first step.
///
/// # Reference
/// Girshick 2015, "Fast R-CNN"; on a pyramid as Lin et al. 2017, "Feature Pyramid Networks", section 4.
#[derive(Module, Debug)]
pub struct FastRcnn {
    /// Of the backbone's maps.
    pub pyramid: Pyramid,
    /// From the bins of a region.
    pub dense: Vec<GridConv>,
    /// To logits of background and classes.
    pub classes: GridConv,
    /// To four offsets for each class.
    pub offsets: GridConv,
}

/// The row of the shelf: nine classes.
pub const FAST_RCNN: Network<FastRcnn> = Network {
    name: "fast-rcnn",
    init: |device| FastRcnnConfig::new(9).init(device),
};

impl FastRcnnConfig {
    /// Heads of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> FastRcnn {
        let dense =
            |from: usize, to: usize| GridConvConfig::new([from, to]).with_kernel(1).init(device);
        FastRcnn {
            pyramid: PyramidConfig::new(self.channels).init(device),
            dense: vec![
                dense(self.side * self.side * self.channels, self.hidden),
                dense(self.hidden, self.hidden),
            ],
            classes: dense(self.hidden, 1 + self.classes),
            offsets: dense(self.hidden, 4 * self.classes),
        }
    }
}

impl FastRcnn {
    /// The maps that regions are read from, with their sides.
    ///
    /// # Shapes
    /// - input: see [`Pyramid::forward`]
    pub fn levels(&self, maps: &[Tensor<3>]) -> Vec<(Tensor<3>, usize)> {
        self.pyramid.forward(maps)
    }

    /// Each region by itself.
    ///
    /// # Shapes
    /// - input: `[side * side, regions, channels]`, what was pooled
    /// - output: logits `[regions, 1 + classes]`, offsets `[regions, 4 * classes]`
    pub fn name(&self, pooled: Tensor<3>) -> [Tensor<2>; 2] {
        region_head::name(&self.dense, [&self.classes, &self.offsets], pooled)
    }

    /// [`name`](Self::name), logits as probabilities: `[regions, 1 + classes + 4 * classes]`.
    pub fn name_together(&self, pooled: Tensor<3>) -> Tensor<2> {
        region_head::together(self.name(pooled))
    }
}
