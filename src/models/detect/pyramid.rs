//! A pyramid of feature maps: coarse maps know what is there, fine ones where; a way down from the coarse ones tells the
//! fine ones.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};

use super::backbone::CHANNELS;
use crate::models::generate::grid_conv::{GridConv, GridConvConfig, Step};

/// Groups of channels that are normalised together.
const GROUPS: usize = 8;
/// Keeps a variance of nothing away from a division by zero.
const EPSILON: f64 = 1e-5;

/// Group normalisation of a grid: for each picture and each group of channels over all cells.
///
/// # Reference
/// Wu and He 2018, "Group Normalization": unlike batch normalisation it does not matter how many pictures a step has.
#[derive(Module, Debug)]
pub struct GroupNorm {
    /// `[channels]`.
    pub gamma: Param<Tensor<1>>,
    /// `[channels]`.
    pub beta: Param<Tensor<1>>,
}

impl GroupNorm {
    fn new(channels: usize, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([channels], device)),
            beta: Param::from_tensor(Tensor::zeros([channels], device)),
        }
    }

    /// # Shapes
    /// - input and output: `[cells, batch, channels]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [cells, batch, channels] = x.dims();
        let each = channels / GROUPS;
        let over = |x: Tensor<4>| x.mean_dim(0).mean_dim(3);
        let x = x.reshape([cells, batch, GROUPS, each]);
        let centred = x.clone() - over(x);
        let variance = over(centred.clone().square());
        let y = centred / (variance + EPSILON).sqrt();
        let y = y.reshape([cells, batch, channels]);
        y * self.gamma.val().reshape([1, 1, channels]) + self.beta.val().reshape([1, 1, channels])
    }
}

/// A 3x3 convolution, group normalisation, a rectifier.
#[derive(Module, Debug)]
pub struct Unit {
    /// The convolution.
    pub conv: GridConv,
    /// The normalisation.
    pub norm: GroupNorm,
}

impl Unit {
    /// A unit that keeps the number of channels.
    pub fn new(channels: usize, step: Step, device: &Device) -> Self {
        Self {
            conv: GridConvConfig::new([channels, channels])
                .with_step(step)
                .init(device),
            norm: GroupNorm::new(channels, device),
        }
    }

    /// # Shapes
    /// - input: `[side * side, batch, channels]`
    pub fn forward(&self, x: Tensor<3>, side: usize) -> Tensor<3> {
        activation::relu(self.norm.forward(self.conv.forward(x, side)))
    }
}

/// Configuration of a [`Pyramid`].
#[derive(Config, Debug)]
pub struct PyramidConfig {
    /// Channels of all its maps.
    pub channels: usize,
    /// Maps of the backbone that it reads, from the coarsest: 2 without that at stride 8, or all 3.
    #[config(default = 3)]
    pub maps: usize,
}

/// A feature pyramid: each map of the backbone to the same number of channels, plus the one above it, twice as large; and
/// one coarser still.
///
/// # Reference
/// Lin et al. 2017, "Feature Pyramid Networks for Object Detection".
#[derive(Module, Debug)]
pub struct Pyramid {
    /// 1x1, from the channels of each map, from fine to coarse.
    pub side: Vec<GridConv>,
    /// After the way down, of each.
    pub smooth: Vec<Unit>,
    /// From the coarsest map to one of half its side.
    pub coarse: Unit,
}

impl PyramidConfig {
    /// A pyramid of zeros: weights come from a file or from a seed.
    pub fn init(&self, device: &Device) -> Pyramid {
        let read = &CHANNELS[CHANNELS.len() - self.maps..];
        let side = |&from: &usize| {
            GridConvConfig::new([from, self.channels])
                .with_kernel(1)
                .init(device)
        };
        Pyramid {
            side: read.iter().map(side).collect(),
            smooth: read
                .iter()
                .map(|_| Unit::new(self.channels, Step::Same, device))
                .collect(),
            coarse: Unit::new(self.channels, Step::Half, device),
        }
    }
}

/// A grid of twice the side: each cell four times.
fn doubled(grid: Tensor<3>, side: usize) -> Tensor<3> {
    let [_, batch, channels] = grid.dims();
    let one = grid.reshape([side, 1, side, 1, batch * channels]);
    let four = one.expand([side, 2, side, 2, batch * channels]);
    four.reshape([4 * side * side, batch, channels])
}

impl Pyramid {
    /// Its maps with their sides, from fine to coarse: one more than it reads.
    ///
    /// # Shapes
    /// - input: as many of the backbone's maps, from fine to coarse, as grids: `[side * side, batch, CHANNELS[i]]`
    /// - output: `[side * side, batch, channels]` each
    pub fn forward(&self, maps: &[Tensor<3>]) -> Vec<(Tensor<3>, usize)> {
        let mut levels: Vec<(Tensor<3>, usize)> = Vec::new();
        let mut above: Option<(Tensor<3>, usize)> = None;
        for (index, map) in maps.iter().enumerate().rev() {
            let side = map.dims()[0].isqrt();
            let mut x = self.side[index].forward(map.clone(), side);
            if let Some((coarse, coarse_side)) = above {
                x = x + doubled(coarse, coarse_side);
            }
            levels.push((self.smooth[index].forward(x.clone(), side), side));
            above = Some((x, side));
        }
        levels.reverse();
        if let Some((coarsest, side)) = levels.last().cloned() {
            levels.push((self.coarse.forward(coarsest, side), Step::Half.side(side)));
        }
        levels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn cells_are_doubled_in_both_directions() {
        let grid = Tensor::<3>::from_data(
            TensorData::new(vec![1f32, 2.0, 3.0, 4.0], [4, 1, 1]),
            &Device::flex(),
        );
        let twice: Vec<f32> = doubled(grid, 2).into_data().try_into_vec().expect("f32");
        let rows = [
            [1.0, 1.0, 2.0, 2.0],
            [1.0, 1.0, 2.0, 2.0],
            [3.0, 3.0, 4.0, 4.0],
            [3.0, 3.0, 4.0, 4.0],
        ];
        assert_eq!(twice, rows.concat());
    }

    #[test]
    fn groups_have_mean_zero_and_variance_one() {
        let device = Device::flex();
        let values: Vec<f32> = (0..5 * 2 * 16)
            .map(|i| ((i * 37 % 101) as f32).powi(2) / 100.0)
            .collect();
        let x = Tensor::<3>::from_data(TensorData::new(values, [5, 2, 16]), &device);
        let y = GroupNorm::new(16, &device).forward(x);
        // Of the second picture the third group: channels 4 and 5.
        let group: Vec<f32> = y
            .slice([0..5, 1..2, 4..6])
            .into_data()
            .try_into_vec()
            .expect("f32");
        let mean = group.iter().sum::<f32>() / 10.0;
        let variance = group.iter().map(|value| value * value).sum::<f32>() / 10.0;
        assert!(
            mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-3,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_pyramid_has_one_level_more_than_it_reads() {
        let device = Device::flex();
        for (maps, sides) in [(3, vec![8, 4, 2, 1]), (2, vec![4, 2, 1])] {
            let pyramid = PyramidConfig::new(16).with_maps(maps).init(&device);
            let read: Vec<Tensor<3>> = CHANNELS[3 - maps..]
                .iter()
                .zip(&sides)
                .map(|(&channels, &side)| Tensor::zeros([side * side, 2, channels], &device))
                .collect();
            let levels = pyramid.forward(&read);
            assert_eq!(
                levels.iter().map(|(_, side)| *side).collect::<Vec<_>>(),
                sides
            );
            assert!(
                levels
                    .iter()
                    .all(|(level, side)| level.dims() == [side * side, 2, 16])
            );
        }
    }
}
