//! YOLO's first head: a grid of cells, each with a few boxes and one class.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::backbone::CHANNELS;
use super::pyramid::Unit;
use crate::models::Network;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

/// Boxes of a cell.
pub const BOXES: usize = 2;
/// Units before the predictor.
const UNITS: usize = 3;
/// Numbers of a box: where in the cell across and down, the roots of its width and height, and how sure it is.
pub const NUMBERS: usize = 5;

/// Configuration of a [`GridHead`].
#[derive(Config, Debug)]
pub struct GridHeadConfig {
    /// Classes.
    pub classes: usize,
    /// Boxes of a cell.
    #[config(default = 2)]
    pub boxes: usize,
    /// Channels.
    #[config(default = 160)]
    pub channels: usize,
}

/// What stands on the backbone: the map at stride 32 is the grid; that at stride 16, halved, is added.
///
/// The paper's last layers are dense, so that every cell sees the whole picture; here convolutions do.
///
/// # Reference
/// Redmon et al. 2016, "You Only Look Once: Unified, Real-Time Object Detection", section 2.
#[derive(Module, Debug)]
pub struct GridHead {
    /// 3x3, halves, from the map at stride 16.
    pub finer: GridConv,
    /// 1x1, from the map at stride 32.
    pub coarse: GridConv,
    /// 3x3 each.
    pub units: Vec<Unit>,
    /// 1x1, to [`NUMBERS`] of each box, then a number for each class.
    pub last: GridConv,
}

impl GridHeadConfig {
    /// A head of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> GridHead {
        let conv = |channels: [usize; 2]| GridConvConfig::new(channels);
        GridHead {
            finer: conv([CHANNELS[1], self.channels])
                .with_step(Step::Half)
                .init(device),
            coarse: conv([CHANNELS[2], self.channels])
                .with_kernel(1)
                .init(device),
            units: (0..UNITS)
                .map(|_| Unit::new(self.channels, Step::Same, device))
                .collect(),
            last: conv([self.channels, self.boxes * NUMBERS + self.classes])
                .with_kernel(1)
                .init(device),
        }
    }
}

/// The row of the shelf: nine classes.
pub const GRID_HEAD: Network<GridHead> = Network {
    name: "yolo-v1",
    init: |device| GridHeadConfig::new(9).with_boxes(BOXES).init(device),
};

impl GridHead {
    /// # Shapes
    /// - input: the backbone's three maps as grids; the finest is not read
    /// - output: `[cells, batch, boxes * NUMBERS + classes]`, 0 to 1
    pub fn forward(&self, [_, finer, coarse]: &[Tensor<3>; 3]) -> Tensor<3> {
        let [fine_side, side] = [finer, coarse].map(|map| map.dims()[0].isqrt());
        let x = self.finer.forward(finer.clone(), fine_side)
            + self.coarse.forward(coarse.clone(), side);
        let x = self.units.iter().fold(x, |x, unit| unit.forward(x, side));
        activation::sigmoid(self.last.forward(x, side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_has_its_boxes_and_one_class() {
        let device = Device::flex();
        let head = GridHeadConfig::new(9).with_channels(16).init(&device);
        let maps = [(8, 40), (4, 112), (2, 320)]
            .map(|(side, channels)| Tensor::zeros([side * side, 3, channels], &device));
        let said = head.forward(&maps);
        assert_eq!(said.dims(), [4, 3, 19]);
        let values: Vec<f32> = said.into_data().try_into_vec().expect("f32");
        assert!(values.iter().all(|value| *value == 0.5));
    }
}
