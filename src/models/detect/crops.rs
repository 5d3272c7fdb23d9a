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
/// Quarters of the crop, whose means of the coarsest map are features, beside the mean of the map before it.
const QUARTERS: usize = 4;
/// Numbers of a crop.
pub const FEATURES: usize = QUARTERS * CHANNELS[2] + CHANNELS[1];

/// What is read of crops.
#[derive(Debug, Clone)]
pub struct OfCrops {
    /// `[crops, FEATURES]`: channel by channel of the coarsest map its mean in the upper left, upper right, lower left and lower
    /// right quarter, then the means of the channels of the map before it.
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
    let half = CELLS / 2;
    let quarters: Tensor<2> = coarsest
        .clone()
        .reshape([count * CHANNELS[2] * 2, half, 2 * half])
        .mean_dim(1)
        .reshape([count * CHANNELS[2] * QUARTERS, half])
        .mean_dim(1)
        .reshape([count, CHANNELS[2] * QUARTERS]);
    let means: Tensor<2> = finer
        .reshape([count, CHANNELS[1], (SIDE / STRIDES[1]).pow(2)])
        .mean_dim(2)
        .reshape([count, CHANNELS[1]]);
    OfCrops {
        features: Tensor::cat(vec![quarters, means], 1),
        cells: coarsest.mean_dim(1).reshape([count, CELLS * CELLS]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn quarters_are_means_of_their_cells() {
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
        // The second crop, channel 7, lower left: rows 2 and 3, columns 0 and 1.
        let cell = |channel: usize, row: usize, column: usize| {
            coarsest[((CHANNELS[2] + channel) * CELLS + row) * CELLS + column]
        };
        let quarter = cell(7, 2, 0) + cell(7, 2, 1) + cell(7, 3, 0) + cell(7, 3, 1);
        near(features[FEATURES + 7 * QUARTERS + 2], quarter / 4.0);
        // Its channel 5 of the finer map.
        let each = (SIDE / STRIDES[1]).pow(2);
        let mean = finer[(CHANNELS[1] + 5) * each..][..each]
            .iter()
            .sum::<f32>()
            / each as f32;
        near(features[FEATURES + QUARTERS * CHANNELS[2] + 5], mean);
        // Row 1, column 3 over all channels.
        let mean = (0..CHANNELS[2])
            .map(|channel| cell(channel, 1, 3))
            .sum::<f32>()
            / CHANNELS[2] as f32;
        near(cells[CELLS * CELLS + CELLS + 3], mean);
    }
}
