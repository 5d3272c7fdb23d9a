//! What Faster R-CNN's two steps say, and how the second reads the maps.

use burn::tensor::Tensor;

use super::{Places, sigmoid};
use crate::maths::boxes::Corners;
use crate::methods::anchors::Anchors;
use crate::methods::box_coder::BoxCoder;
use crate::methods::centres::Level;
use crate::methods::proposals::{Choosing, Proposal};
use crate::methods::roi::{MapShape, Pooling, Region};
use crate::models::detect::SIDE;
use crate::models::detect::backbone::STRIDES;

/// Sides of anchors in strides of their level.
const SIZE: f32 = 4.0;
/// Heights by widths.
pub const RATIOS: [f32; 3] = [0.5, 1.0, 2.0];
/// Bins in a row of a region.
pub const BINS: usize = 7;
/// How the second step says boxes.
pub const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;
/// Strides of the levels: those of the backbone, and one coarser.
pub const LEVELS: [usize; 4] = [STRIDES[0], STRIDES[1], STRIDES[2], 2 * STRIDES[2]];

/// Proposals of a picture.
pub const PROPOSALS: Choosing = Choosing {
    before: 400,
    after: 100,
    overlap: 0.7,
    least: 4.0,
};

/// Where the first step looks, and how the second reads its regions.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// In pixels of the square: levels from fine to coarse, cells by row, shapes inside a cell.
    pub anchors: Vec<Corners>,
    /// How regions are read.
    pub pooling: Pooling,
    /// Bins in a row of a region.
    pub side: usize,
}

/// Regions as the second step sees them.
pub struct Pooled {
    /// `[bins, regions, channels]`.
    pub bins: Tensor<3>,
    /// Which region each is.
    pub order: Vec<usize>,
}

impl Geometry {
    /// For regions of so many bins in a row.
    pub fn new(side: usize, pooling: Pooling) -> Self {
        Self {
            anchors: anchors(),
            pooling,
            side,
        }
    }

    /// The proposals of one picture, `objectness` as logits and `moves` of all its anchors.
    pub fn proposals(
        &self,
        objectness: &[f32],
        moves: &[[f32; 4]],
        choosing: Choosing,
    ) -> Vec<Proposal> {
        choosing.of(&self.anchors, objectness, moves, [SIDE as f32; 2])
    }

    /// The level that a region is read from: the one at whose stride it has about as many cells as bins. Never the coarsest,
    /// which is for proposals alone.
    ///
    /// # Reference
    /// Lin et al. 2017, "Feature Pyramid Networks", section 4.2.
    pub fn level_of(&self, region: Corners) -> usize {
        let size = region.area().sqrt() / (1.5 * self.side as f32);
        let last = LEVELS.len() - 2;
        (0..last)
            .find(|&level| size < LEVELS[level] as f32)
            .unwrap_or(last)
    }

    /// Where the bins of a region lie, in pixels of the square.
    pub fn reads(&self, region: Corners) -> Corners {
        let stride = LEVELS[self.level_of(region)] as f32;
        let in_cells = region.scale(1.0 / stride, 1.0 / stride);
        self.pooling.reads(in_cells).scale(stride, stride)
    }

    /// What regions have in the pyramid's maps, each in a picture of the batch. There has to be one.
    pub fn pool(&self, levels: &[(Tensor<3>, usize)], regions: &[(usize, Corners)]) -> Pooled {
        let (mut pooled, mut order) = (Vec::new(), Vec::new());
        for level in 0..LEVELS.len() - 1 {
            let (map, side) = &levels[level];
            let here: Vec<usize> = (0..regions.len())
                .filter(|&index| self.level_of(regions[index].1) == level)
                .collect();
            if here.is_empty() {
                continue;
            }
            let share = 1.0 / LEVELS[level] as f32;
            let in_cells = |&index: &usize| Region {
                picture: regions[index].0,
                box_in_cells: regions[index].1.scale(share, share),
            };
            let in_cells: Vec<Region> = here.iter().map(in_cells).collect();
            let shape = MapShape {
                rows: *side,
                columns: *side,
                batch: map.dims()[1],
            };
            let plan = self.pooling.plan(&in_cells, shape, self.side);
            pooled.push(plan.read(map.clone()));
            order.extend(here);
        }
        Pooled {
            bins: Tensor::cat(pooled, 1),
            order,
        }
    }
}

/// The anchors of all levels, in pixels of the square.
fn anchors() -> Vec<Corners> {
    let of_level = |&stride: &usize| {
        let side = SIDE / stride;
        let level = Level {
            stride,
            rows: side,
            columns: side,
            reach: [0.0, f32::INFINITY],
        };
        let one = Anchors {
            sizes: &[SIZE],
            ratios: &RATIOS,
        };
        // The size is in strides: of a level of stride 1, then enlarged.
        let shapes = one.shapes();
        let around = move |[x, y]: [f32; 2]| {
            let shapes = shapes.clone().into_iter();
            shapes.map(move |[width, height]| {
                let [half_width, half_height] =
                    [width, height].map(|side| side * stride as f32 / 2.0);
                Corners {
                    x0: x - half_width,
                    y0: y - half_height,
                    x1: x + half_width,
                    y1: y + half_height,
                }
            })
        };
        level.middles().flat_map(around).collect::<Vec<_>>()
    };
    LEVELS.iter().flat_map(of_level).collect()
}

/// The regions of one picture, from `[regions, 1 + classes + 4 * classes]`, in the order of `order`: probabilities of
/// background and classes, four offsets for each class.
pub fn places(proposals: &[Proposal], order: &[usize], numbers: &[f32], classes: usize) -> Places {
    let none = Corners {
        x0: 0.0,
        y0: 0.0,
        x1: 0.0,
        y1: 0.0,
    };
    let mut places = Places {
        starts: proposals.iter().map(|of| of.box_in_input).collect(),
        boxes: vec![none; proposals.len() * classes],
        sure: proposals.iter().map(|of| sigmoid(of.score)).collect(),
        scores: vec![0.0; proposals.len() * classes],
        classes,
    };
    for (numbers, &region) in numbers.chunks_exact(1 + 5 * classes).zip(order) {
        let start = proposals[region].box_in_input.centre_size();
        for class in 0..classes {
            let offsets = std::array::from_fn(|at| numbers[1 + classes + 4 * class + at]);
            places.boxes[region * classes + class] = CODER.decode(offsets, start);
            places.scores[region * classes + class] = numbers[1 + class];
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_four_strides_wide() {
        let anchors = anchors();
        assert_eq!(anchors.len(), (1600 + 400 + 100 + 25) * 3);
        // The square of the first cell, around 4.
        let [low, high] = [4.0 - 16.0, 4.0 + 16.0];
        assert_eq!(
            anchors[1],
            Corners {
                x0: low,
                y0: low,
                x1: high,
                y1: high
            }
        );
        let last = anchors[anchors.len() - 2];
        assert_eq!(last.x1 - last.x0, 256.0);
    }

    #[test]
    fn regions_come_back_to_their_places() {
        let square = |x: f32| Proposal {
            box_in_input: Corners {
                x0: x,
                y0: 0.0,
                x1: x + 10.0,
                y1: 10.0,
            },
            score: 0.0,
            anchor: 0,
        };
        let proposals = [square(0.0), square(100.0)];
        // The second region comes first; its class moves it by a width, which is 10 tenths.
        let second = [0.1, 0.9, 0.0, 10.0, 0.0, 0.0];
        let first = [0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
        let places = places(&proposals, &[1, 0], &[second, first].concat(), 1);
        assert_eq!(places.scores, [0.5, 0.9]);
        assert!(
            (places.boxes[1].x0 - 110.0).abs() < 1e-4,
            "{:?}",
            places.boxes
        );
        assert_eq!(places.sure, [0.5, 0.5]);
    }

    #[test]
    fn larger_regions_are_read_from_coarser_levels() {
        let geometry = Geometry::new(7, Pooling::Aligned { samples: 2 });
        let of = |side: f32| {
            geometry.level_of(Corners {
                x0: 0.0,
                y0: 0.0,
                x1: side,
                y1: side,
            })
        };
        assert_eq!([20.0, 100.0, 300.0].map(of), [0, 1, 2]);
    }
}
