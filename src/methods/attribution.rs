//! What in a picture speaks for a class: what is made of gradients, and what is covered up.

use burn::tensor::{Tensor, activation};

/// The largest size of each pixel's numbers, of `[channels, pixels]`: Simonyan et al. 2014, section 3.1.
pub fn strongest(values: &[f32], channels: usize) -> Vec<f32> {
    by_pixel(values, channels, |largest, value| value.abs().max(largest))
}

/// The sum of each pixel's numbers, of `[channels, pixels]`.
pub fn summed(values: &[f32], channels: usize) -> Vec<f32> {
    by_pixel(values, channels, |sum, value| sum + value)
}

fn by_pixel(values: &[f32], channels: usize, fold: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let pixels = values.len() / channels;
    let mut of_pixel = vec![0.0; pixels];
    for channel in values.chunks_exact(pixels.max(1)) {
        for (folded, &value) in of_pixel.iter_mut().zip(channel) {
            *folded = fold(*folded, value);
        }
    }
    of_pixel
}

/// Grad-CAM (Selvaraju et al. 2017): the channels of a map, each weighed by the mean of the gradient on it, added up;
/// what speaks against the class is left out. `[1, channels, rows, columns]` both, to `[rows, columns]`.
pub fn grad_cam(map: Tensor<4>, gradient: Tensor<4>) -> Tensor<2> {
    let weights = gradient.mean_dims(&[2, 3]);
    let [_, _, rows, columns] = map.dims();
    activation::relu((map * weights).sum_dim(1)).reshape([rows, columns])
}

/// Numbers as bytes to be drawn, and the size that is drawn as the largest: the 99th percentile of all sizes (Smilkov
/// et al. 2017), or a few pixels would darken all others. 255 is the largest. With a `signed` map 128 is zero, 1 the
/// largest below it. What is drawn as the largest is at least `least`: rounding errors are not to look like findings.
pub fn drawn(values: &[f32], signed: bool, least: f32) -> (Vec<u8>, f32) {
    let mut sizes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let rank = (sizes.len() * 99).div_ceil(100).saturating_sub(1);
    let mut largest = sizes.get(rank).copied().unwrap_or(0.0);
    if largest == 0.0 {
        // So few pixels count that the percentile is none of them.
        largest = sizes.last().copied().unwrap_or(0.0);
    }
    largest = largest.max(least);
    let share = |value: f32| {
        if largest > 0.0 {
            (value / largest).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    };
    let byte = |&value: &f32| match signed {
        true => (128.0 + 127.0 * share(value)).round() as u8,
        false => (255.0 * share(value).max(0.0)).round() as u8,
    };
    (values.iter().map(byte).collect(), largest)
}

/// A picture that is covered up place by place: Zeiler and Fergus 2014, section 4.2.
///
/// The picture is divided into cells; for each, a square around its middle is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occlusion {
    /// Rows and columns of the picture.
    pub size: [usize; 2],
    /// Side of the square.
    pub patch: usize,
    /// Side of a cell.
    pub cell: usize,
}

impl Occlusion {
    /// Rows and columns of cells.
    pub fn cells(&self) -> [usize; 2] {
        self.size.map(|side| side.div_ceil(self.cell))
    }

    /// The rows and the columns of the picture that are covered for a cell, as far as it has them.
    pub fn covered(&self, [row, column]: [usize; 2]) -> [std::ops::Range<usize>; 2] {
        let along = |index: usize, side: usize| {
            // The cells are drawn as wide as each other, and so they lie.
            let middle = (2 * index + 1) * side / (2 * side.div_ceil(self.cell));
            let start = middle.saturating_sub(self.patch / 2);
            let end = middle + self.patch.div_ceil(2);
            start.min(side)..end.min(side)
        };
        [along(row, self.size[0]), along(column, self.size[1])]
    }

    /// All cells, first a few all over the picture and then those between them; each with the side, in cells, of the
    /// square that it stands for until its neighbours come.
    pub fn order(&self) -> Vec<([usize; 2], usize)> {
        let [rows, columns] = self.cells();
        let mut order = Vec::with_capacity(rows * columns);
        for step in [4, 2, 1] {
            for row in (0..rows).step_by(step) {
                for column in (0..columns).step_by(step) {
                    let before = step * 2;
                    let is_known = step < 4 && row % before == 0 && column % before == 0;
                    if !is_known {
                        order.push(([row, column], step));
                    }
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData, Tolerance};

    #[test]
    fn channels_of_a_pixel_become_one_number() {
        let values = [1.0, -5.0, 0.5, -2.0, 3.0, 0.25];
        assert_eq!(strongest(&values, 2), [2.0, 5.0, 0.5]);
        assert_eq!(summed(&values, 2), [-1.0, -2.0, 0.75]);
    }

    #[test]
    fn grad_cam_by_hand() {
        let device = Device::flex();
        // Two channels of one row. Means of the gradients: 2 and -1.
        let map = Tensor::<4>::from_data([[[[1.0, 0.0]], [[1.0, 3.0]]]], &device);
        let gradient = Tensor::<4>::from_data([[[[4.0, 0.0]], [[-1.0, -1.0]]]], &device);
        // 2 * 1 - 1 * 1 = 1; 2 * 0 - 1 * 3 = -3, which is left out.
        grad_cam(map, gradient)
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from([[1.0, 0.0]]), Tolerance::absolute(1e-6));
    }

    #[test]
    fn bytes_reach_the_percentile_and_a_flat_map_is_flat() {
        let mut values = vec![0.5; 99];
        values.push(100.0);
        assert_eq!(drawn(&values, false, 0.0), (vec![255; 100], 0.5));
        assert_eq!(drawn(&[0.0; 4], true, 0.0), (vec![128; 4], 0.0));
        assert_eq!(drawn(&[0.0; 4], false, 0.0), (vec![0; 4], 0.0));
        assert_eq!(drawn(&[-2.0, 1.0], true, 0.0), (vec![1, 192], 2.0));
        // One pixel of a thousand is seen all the same.
        let mut lonely = vec![0.0; 1000];
        lonely[7] = 3.0;
        assert_eq!(drawn(&lonely, false, 0.0).0[7], 255);
        assert_eq!(drawn(&[], true, 0.0), (vec![], 0.0));
        // A rounding error beside what counts.
        assert_eq!(drawn(&[1e-7], true, 1e-3), (vec![128], 1e-3));
    }

    #[test]
    fn every_cell_is_covered_once_and_squares_stay_inside() {
        let occlusion = Occlusion {
            size: [50, 33],
            patch: 20,
            cell: 8,
        };
        let [rows, columns] = occlusion.cells();
        assert_eq!([rows, columns], [7, 5]);
        let mut cells: Vec<_> = occlusion.order().iter().map(|(cell, _)| *cell).collect();
        // A coarse picture first.
        assert_eq!(cells[..4], [[0, 0], [0, 4], [4, 0], [4, 4]]);
        cells.sort_unstable();
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
        assert!(cells.iter().copied().eq(all));
        assert_eq!(occlusion.covered([0, 1]), [0..13, 0..19]);
        assert_eq!(occlusion.covered([6, 4]), [36..50, 19..33]);
    }
}
