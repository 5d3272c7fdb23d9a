//! Spatial pyramid pooling: a region of any size becomes as many numbers as any other, the largest value in each bin of a few
//! grids. On plain numbers: a map has few cells, and hundreds of regions share them.
//!
//! # Reference
//! He, Zhang, Ren and Sun 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition".

use crate::maths::boxes::Corners;

/// A square map, cells by row, the channels of a cell together.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a> {
    /// `side * side * channels` numbers.
    pub values: &'a [f32],
    /// Cells in a row.
    pub side: usize,
    /// Numbers of a cell.
    pub channels: usize,
}

/// First and last cells of bin `bin` of `bins` over `cells` cells from `first` on: bins overlap where cells do not part evenly,
/// so that none is empty.
pub fn bin_of(first: usize, cells: usize, bin: usize, bins: usize) -> std::ops::Range<usize> {
    first + bin * cells / bins..first + ((bin + 1) * cells).div_ceil(bins)
}

/// The whole cells that a region touches, columns then rows; at least one, as near as there is.
pub fn cells_of(region: Corners, side: usize) -> [std::ops::Range<usize>; 2] {
    let along = |low: f32, high: f32| {
        let first = (low.floor().max(0.0) as usize).min(side - 1);
        let last = (high.ceil().max(0.0) as usize).clamp(first + 1, side);
        first..last
    };
    [along(region.x0, region.x1), along(region.y0, region.y1)]
}

impl Map<'_> {
    /// Puts the pyramid of a region, in cells of the map, behind `pooled`: grids with so many bins in a row, bins by row, the
    /// channels of a bin together.
    pub fn pool(&self, region: Corners, grids: &[usize], pooled: &mut Vec<f32>) {
        let [columns, rows] = cells_of(region, self.side);
        for &bins in grids {
            for row in 0..bins {
                for column in 0..bins {
                    let start = pooled.len();
                    pooled.resize(start + self.channels, f32::NEG_INFINITY);
                    let largest = &mut pooled[start..];
                    for y in bin_of(rows.start, rows.len(), row, bins) {
                        for x in bin_of(columns.start, columns.len(), column, bins) {
                            let cell = &self.values[(y * self.side + x) * self.channels..];
                            for (largest, value) in largest.iter_mut().zip(cell) {
                                *largest = if *value > *largest { *value } else { *largest };
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(x0: f32, y0: f32, x1: f32, y1: f32) -> Corners {
        Corners { x0, y0, x1, y1 }
    }

    /// A map of 4 x 4 cells whose values are their numbers, and the same negative.
    fn pooled(of: Corners, grids: &[usize]) -> Vec<f32> {
        let values: Vec<f32> = (0..16).flat_map(|at| [at as f32, -(at as f32)]).collect();
        let map = Map {
            values: &values,
            side: 4,
            channels: 2,
        };
        let mut pooled = Vec::new();
        map.pool(of, grids, &mut pooled);
        pooled
    }

    #[test]
    fn each_bin_has_its_largest_value() {
        let whole = pooled(region(0.0, 0.0, 4.0, 4.0), &[1, 2]);
        assert_eq!(
            whole,
            [15.0, 0.0, 5.0, 0.0, 7.0, -2.0, 13.0, -8.0, 15.0, -10.0]
        );
        // Three columns in two bins: the middle one belongs to both.
        let three = pooled(region(0.2, 1.1, 2.9, 1.8), &[2]);
        assert_eq!(three, [5.0, -4.0, 6.0, -5.0, 5.0, -4.0, 6.0, -5.0]);
    }

    #[test]
    fn what_is_smaller_than_a_cell_or_beside_the_map_has_the_nearest_cell() {
        assert_eq!(pooled(region(2.4, 3.4, 2.5, 3.5), &[1]), [14.0, -14.0]);
        assert_eq!(pooled(region(9.0, 9.0, 12.0, 12.0), &[1]), [15.0, -15.0]);
        assert_eq!(pooled(region(-3.0, -3.0, -2.0, -2.0), &[1]), [0.0, 0.0]);
    }
}
