//! What a region of a picture has in a feature map, as a grid of a fixed number of bins: RoI pooling and RoI align.
//!
//! Both are a gathering: the plan, made of the regions alone, says which cells of the map each bin reads and with which
//! weights; the map then gives the values. So the gradient finds back into the map by itself, on every backend.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::maths::boxes::Corners;

/// A region of a picture of a batch, in cells of the map: pixels of the network's input divided by the map's stride.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Number of the picture in the batch.
    pub picture: usize,
    /// Where it is.
    pub box_in_cells: Corners,
}

/// The map that is read: `[rows * columns, batch, channels]`, by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapShape {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Pictures.
    pub batch: usize,
}

/// How bins read the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The largest of the cells of a bin. Edges of region and bins are rounded to whole cells: a shift of up to half a cell
    /// at each (Girshick 2015, "Fast R-CNN", section 2.1).
    Largest,
    /// The mean of `samples` times `samples` points of a bin, each between the four nearest cells; nothing is rounded (He et
    /// al. 2017, "Mask R-CNN", section 3).
    Aligned {
        /// Points in a row.
        samples: usize,
    },
}

/// Which cells each bin reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    side: usize,
    regions: usize,
    map: MapShape,
    /// Cells that each bin reads, the same number for all: bins by row, in each the regions, in each the cells.
    cells: Vec<i32>,
    /// Of means: the weight of each.
    weights: Option<Vec<f32>>,
    /// Of largest values: 0 where the bin lies outside the map, else 1, for each bin of each region.
    inside: Vec<f32>,
}

impl Pooling {
    /// The plan for regions of `side` times `side` bins. Regions may reach beyond the map; there is nothing there.
    ///
    /// # Panics
    /// With no bins or no samples: that is a bug.
    pub fn plan(self, regions: &[Region], map: MapShape, side: usize) -> Plan {
        assert!(side > 0, "a region has bins");
        match self {
            Self::Largest => largest(regions, map, side),
            Self::Aligned { samples } => aligned(regions, map, side, samples),
        }
    }

    /// Where the bins of a region lie, in cells: its edges rounded to whole cells, of which the last counts whole, or the region
    /// itself.
    pub fn reads(self, box_in_cells: Corners) -> Corners {
        let of = |low: f32, high: f32| {
            let (first, last) = (rounded(low), rounded(high));
            [first as f32, (last + 1).max(first + 1) as f32]
        };
        match self {
            Self::Largest => {
                let [x0, x1] = of(box_in_cells.x0, box_in_cells.x1);
                let [y0, y1] = of(box_in_cells.y0, box_in_cells.y1);
                Corners { x0, y0, x1, y1 }
            }
            Self::Aligned { .. } => box_in_cells,
        }
    }
}

impl MapShape {
    /// Index of a cell in the map with its batch laid flat.
    fn index(self, row: usize, column: usize, picture: usize) -> i32 {
        ((row * self.columns + column) * self.batch + picture) as i32
    }
}

fn aligned(regions: &[Region], map: MapShape, side: usize, samples: usize) -> Plan {
    assert!(samples > 0, "a bin has samples");
    let reads = regions.len() * side * side * samples * samples * 4;
    let (mut cells, mut weights) = (Vec::with_capacity(reads), Vec::with_capacity(reads));
    // The two cells between which a place lies, and how near the second is; none outside the map. The middle of a cell is
    // half a cell from its edge.
    let between = |place: f32, count: usize| {
        let place = place - 0.5;
        if count == 0 || !(-1.0..=count as f32).contains(&place) {
            return None;
        }
        let place = place.max(0.0);
        let low = (place as usize).min(count - 1);
        let high = (low + 1).min(count - 1);
        Some([
            (low, 1.0 - (place - low as f32)),
            (high, place - low as f32),
        ])
        .map(|[first, second]| match low == high {
            true => [(low, 1.0), (low, 0.0)],
            false => [first, second],
        })
    };
    for bin in 0..side * side {
        for region in regions {
            let b = region.box_in_cells;
            let step = |start: f32, end: f32, bin: usize, sample: usize| {
                let bins = (end - start) / side as f32;
                start + bins * (bin as f32 + (sample as f32 + 0.5) / samples as f32)
            };
            for down in 0..samples {
                let rows = between(step(b.y0, b.y1, bin / side, down), map.rows);
                for across in 0..samples {
                    let columns = between(step(b.x0, b.x1, bin % side, across), map.columns);
                    let (Some(rows), Some(columns)) = (rows, columns) else {
                        cells.extend([0; 4]);
                        weights.extend([0.0; 4]);
                        continue;
                    };
                    for (row, by_row) in rows {
                        for (column, by_column) in columns {
                            cells.push(map.index(row, column, region.picture));
                            weights.push(by_row * by_column / (samples * samples) as f32);
                        }
                    }
                }
            }
        }
    }
    Plan {
        side,
        regions: regions.len(),
        map,
        cells,
        weights: Some(weights),
        inside: Vec::new(),
    }
}

/// Half away from zero, as C's `round`.
fn rounded(value: f32) -> i64 {
    value.round() as i64
}

fn largest(regions: &[Region], map: MapShape, side: usize) -> Plan {
    // Rows or columns that a bin reads.
    let range = |start: f32, end: f32, bin: usize, count: usize| {
        let (first, last) = (rounded(start), rounded(end));
        let wide = (last - first + 1).max(1) as f32 / side as f32;
        let from = first + (bin as f32 * wide).floor() as i64;
        let to = first + ((bin + 1) as f32 * wide).ceil() as i64;
        let within = |place: i64| place.clamp(0, count as i64) as usize;
        within(from)..within(to)
    };
    let bins = (0..side * side).flat_map(|bin| regions.iter().map(move |region| (bin, region)));
    let read: Vec<Vec<i32>> = bins
        .map(|(bin, region)| {
            let b = region.box_in_cells;
            let columns = range(b.x0, b.x1, bin % side, map.columns);
            let rows = range(b.y0, b.y1, bin / side, map.rows);
            let row_of = |row| {
                columns
                    .clone()
                    .map(move |column| map.index(row, column, region.picture))
            };
            rows.flat_map(row_of).collect()
        })
        .collect();
    let most = read.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let inside = read
        .iter()
        .map(|cells| if cells.is_empty() { 0.0 } else { 1.0 })
        .collect();
    // Reading a cell twice changes no maximum.
    let filled = read.into_iter().flat_map(|cells| {
        let first = cells.first().copied().unwrap_or(0);
        let missing = most - cells.len();
        cells.into_iter().chain(std::iter::repeat_n(first, missing))
    });
    Plan {
        side,
        regions: regions.len(),
        map,
        cells: filled.collect(),
        weights: None,
        inside,
    }
}

impl Plan {
    /// Reads the map.
    ///
    /// # Shapes
    /// - input: `[rows * columns, batch, channels]`
    /// - output: `[side * side, regions, channels]`: a grid for each region
    ///
    /// # Panics
    /// Where the map has another shape than the plan was made for.
    pub fn read(&self, map: Tensor<3>) -> Tensor<3> {
        let [pixels, batch, channels] = map.dims();
        let shape = self.map;
        assert_eq!(
            [pixels, batch],
            [shape.rows * shape.columns, shape.batch],
            "the plan is of another map"
        );
        let device = map.device();
        let bins = self.side * self.side * self.regions;
        if bins == 0 || pixels == 0 {
            return Tensor::zeros([self.side * self.side, self.regions, channels], &device);
        }
        let reads = self.cells.len() / bins;
        let cells = Tensor::<1, Int>::from_data(
            TensorData::new(self.cells.clone(), [self.cells.len()]),
            &device,
        );
        let values = map.reshape([pixels * batch, channels]).select(0, cells);
        let values = values.reshape([bins, reads, channels]);
        let pooled = match &self.weights {
            Some(weights) => (values * numbers(weights, [bins, reads, 1], &device)).sum_dim(1),
            None => values.max_dim(1) * numbers(&self.inside, [bins, 1, 1], &device),
        };
        pooled.reshape([self.side * self.side, self.regions, channels])
    }
}

fn numbers(values: &[f32], shape: [usize; 3], device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: MapShape = MapShape {
        rows: 4,
        columns: 5,
        batch: 2,
    };

    /// The cell's row times ten plus its column; the second picture the same plus a hundred.
    fn map(device: &Device) -> Tensor<3> {
        let cell = |index: usize| {
            let (place, picture) = (index / 2, index % 2);
            (place / 5 * 10 + place % 5 + picture * 100) as f32
        };
        let values: Vec<f32> = (0..4 * 5 * 2).map(cell).collect();
        Tensor::from_data(TensorData::new(values, [20, 2, 1]), device)
    }

    fn region(picture: usize, [x0, y0, x1, y1]: [f32; 4]) -> Region {
        Region {
            picture,
            box_in_cells: Corners { x0, y0, x1, y1 },
        }
    }

    fn read(pooling: Pooling, regions: &[Region]) -> Vec<f32> {
        let device = Device::flex();
        let pooled = pooling.plan(regions, MAP, 2).read(map(&device));
        assert_eq!(pooled.dims(), [4, regions.len(), 1]);
        pooled.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn pooling_reads_whole_cells() {
        let region = Corners {
            x0: 1.4,
            y0: 2.6,
            x1: 3.4,
            y1: 2.7,
        };
        let wanted = Corners {
            x0: 1.0,
            y0: 3.0,
            x1: 4.0,
            y1: 4.0,
        };
        assert_eq!(Pooling::Largest.reads(region), wanted);
        assert_eq!(Pooling::Aligned { samples: 2 }.reads(region), region);
    }

    #[test]
    fn pooled_values_worked_by_hand() {
        // Columns 1 to 4 and rows 0 to 3 in whole: bins of two cells each.
        let whole = region(0, [1.0, 0.0, 4.0, 3.0]);
        assert_eq!(read(Pooling::Largest, &[whole]), [12.0, 14.0, 32.0, 34.0]);
        // One point in the middle of each bin, which lies at the middle of a cell: bins of two cells from 0.5 on.
        let middle = region(1, [0.5, 0.5, 4.5, 4.5]);
        let one = Pooling::Aligned { samples: 1 };
        assert_eq!(read(one, &[middle]), [111.0, 113.0, 131.0, 133.0]);
        // A linear map has the value of a bin's middle, whatever the number of samples.
        let bent = region(0, [0.75, 0.6, 3.25, 3.1]);
        let [first, third] = [1, 3].map(|samples| read(Pooling::Aligned { samples }, &[bent]));
        assert!(
            first.iter().zip(&third).all(|(a, b)| (a - b).abs() < 1e-4),
            "{first:?} {third:?}"
        );
    }

    #[test]
    fn what_lies_outside_is_nothing() {
        let outside = region(0, [20.0, 20.0, 25.0, 25.0]);
        for pooling in [Pooling::Largest, Pooling::Aligned { samples: 2 }] {
            assert_eq!(read(pooling, &[outside]), [0.0; 4]);
            assert_eq!(read(pooling, &[]), [0.0; 0]);
            // A region of a point and one that is inside out have numbers, too.
            let values = read(
                pooling,
                &[
                    region(0, [2.0, 2.0, 2.0, 2.0]),
                    region(0, [3.0, 3.0, 1.0, 1.0]),
                ],
            );
            assert!(values.iter().all(|value| value.is_finite()));
        }
    }

    /// Both ways back by central differences.
    #[test]
    fn the_gradient_is_what_a_nudge_of_the_map_does() {
        let device = Device::flex();
        let regions = [
            region(0, [0.3, 0.7, 3.9, 3.2]),
            region(1, [1.0, 1.0, 5.0, 4.0]),
        ];
        for pooling in [Pooling::Largest, Pooling::Aligned { samples: 2 }] {
            let plan = pooling.plan(&regions, MAP, 2);
            let weights: Vec<f32> = (0..8).map(|index| (index as f32 - 3.5) / 4.0).collect();
            let value = |map: Tensor<3>| {
                let weights = numbers(&weights, [4, 2, 1], &map.device());
                (plan.read(map) * weights).sum()
            };
            let from = Tensor::from_inner(map(&device)).require_grad();
            let gradient = value(from.clone()).backward();
            let gradient: Vec<f32> = from
                .grad(&gradient)
                .expect("a gradient")
                .into_data()
                .try_into_vec()
                .expect("f32");
            for nudged in 0..40 {
                let by = |amount: f32| -> f32 {
                    let mut values: Vec<f32> =
                        map(&device).into_data().try_into_vec().expect("f32");
                    values[nudged] += amount;
                    let map = Tensor::from_data(TensorData::new(values, [20, 2, 1]), &device);
                    value(map).into_data().try_into_vec::<f32>().expect("f32")[0]
                };
                let slope = (by(0.25) - by(-0.25)) / 0.5;
                assert!(
                    (slope - gradient[nudged]).abs() < 1e-3,
                    "{pooling:?} {nudged}: {slope} {}",
                    gradient[nudged]
                );
            }
        }
    }
}
