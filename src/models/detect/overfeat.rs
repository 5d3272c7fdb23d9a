//! OverFeat: the classifier of one window, slid over several sizes of the picture as a convolution.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::backbone::{CHANNELS, STRIDES};
use crate::models::Network;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig};

/// Sides of the squares that a picture is laid into, in pixels: its longer side is scaled to each.
pub const SCALES: [usize; 4] = [160, 224, 320, 448];
/// Cells in a row of the part of the map that a window is classified by: 128 pixels of the square.
pub const WINDOW: usize = 4;
/// Cells in a row that pooling makes one of, at the same stride.
pub const POOLED: usize = 2;
/// Pooled cells in a row of a window.
const TAPS: usize = WINDOW / POOLED;
/// The backbone's map that is read.
const MAP: usize = 2;

/// Windows in a row of a map of so many cells: one begins at every cell that leaves room for it.
pub const fn windows_in_row(side: usize) -> usize {
    (side + 1).saturating_sub(WINDOW)
}

/// Windows in a row of each scale: 2, 4, 7 and 11.
pub const WINDOWS: [usize; SCALES.len()] = {
    let mut windows = [0; SCALES.len()];
    let mut scale = 0;
    while scale < SCALES.len() {
        windows[scale] = windows_in_row(SCALES[scale] / STRIDES[MAP]);
        scale += 1;
    }
    windows
};

/// Configuration of an [`OverFeat`] network.
#[derive(Config, Debug)]
pub struct OverFeatConfig {
    /// Classes, without the background.
    pub classes: usize,
    /// Numbers between the convolution and the outputs.
    #[config(default = 256)]
    pub hidden: usize,
}

/// What stands on the backbone: a classifier and a regressor of boxes, which share nothing but the pooled map.
///
/// The paper pools by 3x3 and reads windows of 5x5 pooled cells; the map here is as coarse as the paper's pooled one, so pooling
/// is by 2x2 and a window is 2x2 pooled cells.
///
/// # Reference
/// Sermanet et al. 2014, "OverFeat: Integrated Recognition, Localization and Detection using Convolutional Networks", sections
/// 3.3 and 4.
#[derive(Module, Debug)]
pub struct OverFeat {
    /// From a window's pooled cells: the first layer of the classifier.
    pub classifier: GridConv,
    /// To logits of background and classes.
    pub classes: GridConv,
    /// From a window's pooled cells: the first layer of the regressor.
    pub regressor: GridConv,
    /// To four offsets for each class.
    pub offsets: GridConv,
}

/// What is said of all windows: scales from the smallest square to the largest, windows by row.
#[derive(Debug, Clone)]
pub struct OverFeatSaid {
    /// Logits, `[windows, batch, 1 + classes]`; the background is first.
    pub classes: Tensor<3>,
    /// `[windows, batch, 4 * classes]`.
    pub offsets: Tensor<3>,
}

/// The row of the shelf: nine classes.
pub const OVERFEAT: Network<OverFeat> = Network {
    name: "overfeat",
    init: |device| OverFeatConfig::new(9).init(device),
};

impl OverFeatSaid {
    /// All numbers of a window together, `[batch, windows, 1 + classes + 4 * classes]`, logits as probabilities.
    pub fn together(self) -> Tensor<3> {
        let probabilities = activation::softmax(self.classes, 2);
        Tensor::cat(vec![probabilities, self.offsets], 2).swap_dims(0, 1)
    }
}

impl OverFeatConfig {
    /// A network of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> OverFeat {
        let dense =
            |from: usize, to: usize| GridConvConfig::new([from, to]).with_kernel(1).init(device);
        let first = || dense(TAPS * TAPS * CHANNELS[MAP], self.hidden);
        OverFeat {
            classifier: first(),
            classes: dense(self.hidden, 1 + self.classes),
            regressor: first(),
            offsets: dense(self.hidden, 4 * self.classes),
        }
    }
}

/// What the windows of a map see of it, `[windows, batch, 4 * channels]`, windows by row: pooled cells left to right, then down.
///
/// Pooling halves the map, and a convolution over the pooled map would move by two cells. OverFeat pools once for each offset by
/// which pooling can begin, four times here, convolves each pooled map, and interleaves what comes out: a window for every cell.
/// The four pooled maps, interleaved, are pooling at every cell; in this map the cells of one offset are [`POOLED`] apart, and so
/// are those that a window reads.
///
/// # Shapes
/// - input: `[side * side, batch, channels]`
fn windows(map: &Tensor<3>) -> Tensor<3> {
    let [cells, batch, channels] = map.dims();
    let side = cells.isqrt();
    let rows = map.clone().reshape([side, side, batch, channels]);
    // The maps that begin at each of a square of cells, as large as fits all of them.
    let beginnings = |of: &Tensor<4>, count: usize, apart: usize| -> Vec<Tensor<4>> {
        let room = of.dims()[0] - (count - 1) * apart;
        let at = |down: usize, across: usize| {
            of.clone()
                .narrow(0, down * apart, room)
                .narrow(1, across * apart, room)
        };
        (0..count * count)
            .map(|number| at(number / count, number % count))
            .collect()
    };
    let pooled = beginnings(&rows, POOLED, 1)
        .into_iter()
        .reduce(Tensor::max_pair)
        .expect("pooling has cells");
    let taps = Tensor::cat(beginnings(&pooled, TAPS, POOLED), 3);
    let windows = windows_in_row(side);
    taps.reshape([windows * windows, batch, TAPS * TAPS * channels])
}

impl OverFeat {
    /// # Shapes
    /// - input: the backbone's coarsest map of each scale as a grid, of at least [`WINDOW`] cells in a row
    pub fn forward(&self, maps: &[Tensor<3>]) -> OverFeatSaid {
        let seen = Tensor::cat(maps.iter().map(windows).collect(), 0);
        let [windows, batch, features] = seen.dims();
        // A window for every cell is a convolution over the pooled maps, and the same layer for each window.
        let seen = seen.reshape([1, windows * batch, features]);
        let through = |first: &GridConv, last: &GridConv| {
            let said = last.forward(activation::relu(first.forward(seen.clone(), 1)), 1);
            let numbers = said.dims()[2];
            said.reshape([windows, batch, numbers])
        };
        OverFeatSaid {
            classes: through(&self.classifier, &self.classes),
            offsets: through(&self.regressor, &self.offsets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::draws::Draws;
    use crate::train::seeded::seeded;
    use burn::tensor::TensorData;

    fn drawn(sides: &[usize], batch: usize) -> Vec<Tensor<3>> {
        let mut draws = Draws::new(5, 0);
        let map = |&side: &usize| {
            let shape = [side * side, batch, CHANNELS[MAP]];
            let values = draws.normals(shape.iter().product());
            Tensor::from_data(TensorData::new(values, shape), &Device::flex())
        };
        sides.iter().map(map).collect()
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn every_window_of_every_scale_says_something() {
        assert_eq!(WINDOWS, [2, 4, 7, 11]);
        let network = OverFeatConfig::new(9).with_hidden(8).init(&Device::flex());
        let said = network.forward(&drawn(&SCALES.map(|side| side / STRIDES[MAP]), 2));
        let windows = 4 + 16 + 49 + 121;
        assert_eq!(
            (said.classes.dims(), said.offsets.dims()),
            ([windows, 2, 10], [windows, 2, 36])
        );
    }

    /// The point of the paper: what the convolution says of a window is what the classifier says of that window alone, cut out
    /// of the map, pooled without overlap.
    #[test]
    fn the_convolution_is_the_classifier_at_each_window() {
        let (side, batch, channels) = (7, 2, CHANNELS[MAP]);
        let config = OverFeatConfig::new(9).with_hidden(8);
        let network = seeded(config.init(&Device::flex()), 3);
        let maps = drawn(&[side], batch);
        let said = network.forward(&maps);
        let [of_classes, of_offsets] = [values(said.classes), values(said.offsets)];
        let map = values(maps[0].clone());
        let in_row = windows_in_row(side);
        for window in 0..in_row * in_row {
            let [down, across] = [window / in_row, window % in_row];
            for picture in 0..batch {
                let at = |y: usize, x: usize, channel: usize| {
                    map[((y * side + x) * batch + picture) * channels + channel]
                };
                let mut pooled = Vec::new();
                for cell in 0..TAPS * TAPS {
                    let y = down + cell / TAPS * POOLED;
                    let x = across + cell % TAPS * POOLED;
                    pooled.extend((0..channels).map(|channel| {
                        let four = [[0, 0], [0, 1], [1, 0], [1, 1]]
                            .map(|[dy, dx]| at(y + dy, x + dx, channel));
                        four.into_iter().fold(f32::NEG_INFINITY, f32::max)
                    }));
                }
                let shape = [1, TAPS * TAPS * channels];
                let pooled =
                    Tensor::<2>::from_data(TensorData::new(pooled, shape), &Device::flex());
                let alone = |first: &GridConv, last: &GridConv| {
                    let layer = |x: Tensor<2>, of: &GridConv| {
                        x.matmul(of.weight.val().squeeze_dim(0)) + of.bias.val().unsqueeze()
                    };
                    values(layer(activation::relu(layer(pooled.clone(), first)), last))
                };
                let place = window * batch + picture;
                for (found, expected) in [
                    (&of_classes, alone(&network.classifier, &network.classes)),
                    (&of_offsets, alone(&network.regressor, &network.offsets)),
                ] {
                    let each = expected.len();
                    for (a, b) in found[place * each..][..each].iter().zip(&expected) {
                        assert!((a - b).abs() < 1e-5, "window {window}: {a}, {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_map_of_one_window_has_one_and_a_smaller_one_none() {
        let rows = [1, 3, 4, 5].map(windows_in_row);
        assert_eq!(rows, [0, 0, 1, 2]);
    }
}
