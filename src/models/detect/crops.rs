//! What the backbone says of crops: every crop goes through it by itself, as in R-CNN.
//!
//! # Reference
//! Girshick, Donahue, Darrell and Malik 2014, "Rich feature hierarchies for accurate object detection and semantic
//! segmentation", section 2.1.

use burn::tensor::Tensor;

use super::backbone::{Backbone, CHANNELS, STRIDES};

/// Columns and rows of a crop.
pub const SIDE: usize = 128;
/// Cells in a row of the coarsest map of a crop.
pub const CELLS: usize = SIDE / STRIDES[2];
/// Numbers of a crop.
pub const FEATURES: usize = CELLS * CELLS * (CHANNELS[2] + CHANNELS[1]);

/// What is read of crops.
#[derive(Debug, Clone)]
pub struct OfCrops {
    /// `[crops, FEATURES]`: channel by channel of the coarsest map its cells by row, then the same of the map before it, of which
    /// four cells are one.
    pub features: Tensor<2>,
    /// `[crops, CELLS * CELLS]`: the mean of all channels in each cell of the coarsest map, by row.
    pub cells: Tensor<2>,
}

/// Sends crops `[crops, 3, SIDE, SIDE]`, `(x - 127) / 128`, through the backbone.
pub fn read(backbone: &Backbone, crops: Tensor<4>) -> OfCrops {
    let [_, finer, coarsest] = backbone.forward(crops);
    pool(finer, coarsest)
}

/// From the maps `[crops, channels, rows, columns]` at the strides of 16 and 32.
fn pool(finer: Tensor<4>, coarsest: Tensor<4>) -> OfCrops {
    let count = coarsest.dims()[0];
    let halved: Tensor<2> = finer
        .reshape([count * CHANNELS[1] * CELLS, 2, 2 * CELLS])
        .mean_dim(1)
        .reshape([count * CHANNELS[1] * CELLS * CELLS, 2])
        .mean_dim(1)
        .reshape([count, CHANNELS[1] * CELLS * CELLS]);
    let cells = coarsest.clone().mean_dim(1);
    let whole = coarsest.reshape([count, CHANNELS[2] * CELLS * CELLS]);
    OfCrops {
        features: Tensor::cat(vec![whole, halved], 1),
        cells: cells.reshape([count, CELLS * CELLS]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn features_are_cells() {
        let device = Device::flex();
        let map = |of: usize| {
            let side = SIDE / STRIDES[of];
            Tensor::<4>::random(
                [2, CHANNELS[of], side, side],
                Distribution::Default,
                &device,
            )
        };
        let (finer, coarsest) = (map(1), map(2));
        let read = pool(finer.clone(), coarsest.clone());
        assert_eq!(read.features.dims(), [2, FEATURES]);
        let numbers = |tensor: Tensor<1>| tensor.into_data().try_into_vec::<f32>().unwrap();
        let features = numbers(read.features.reshape([-1]));
        let cells = numbers(read.cells.reshape([-1]));
        let (finer, coarsest) = (
            numbers(finer.reshape([-1])),
            numbers(coarsest.reshape([-1])),
        );
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} {b}");
        // The second crop, channel 7, row 2, column 1.
        let cell = |channel: usize, row: usize, column: usize| {
            coarsest[((CHANNELS[2] + channel) * CELLS + row) * CELLS + column]
        };
        let at = |channel: usize, row: usize, column: usize| {
            features[FEATURES + (channel * CELLS + row) * CELLS + column]
        };
        near(at(7, 2, 1), cell(7, 2, 1));
        // Its channel 5 of the finer map, row 1, column 3: rows 2 and 3, columns 6 and 7.
        let side = 2 * CELLS;
        let fine =
            |row: usize, column: usize| finer[((CHANNELS[1] + 5) * side + row) * side + column];
        let mean = (fine(2, 6) + fine(2, 7) + fine(3, 6) + fine(3, 7)) / 4.0;
        near(at(CHANNELS[2] + 5, 1, 3), mean);
        // Row 1, column 3 over all channels.
        let mean = (0..CHANNELS[2])
            .map(|channel| cell(channel, 1, 3))
            .sum::<f32>()
            / CHANNELS[2] as f32;
        near(cells[CELLS * CELLS + CELLS + 3], mean);
    }
}
