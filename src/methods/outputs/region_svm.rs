//! What support vector machines say of regions.

use super::{Places, sigmoid};
use crate::maths::boxes::Corners;
use crate::methods::box_coder::BoxCoder;
use crate::methods::spatial_pyramid::Map;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::{CHANNELS, STRIDES};
use crate::models::detect::region_svm::{FEATURES, GRIDS, MAPS};

/// How boxes are said: shares of the region, logarithms of its size (Girshick et al. 2014, appendix C).
pub const CODER: BoxCoder = BoxCoder::UNSCALED;

/// The features of regions in pixels of the square, region after region: the pyramids of two of the backbone's maps, each
/// `[cells, channels]`.
pub fn features(maps: &[Vec<f32>; MAPS.len()], regions: &[Corners]) -> Vec<f32> {
    let mut features = Vec::with_capacity(regions.len() * FEATURES);
    for region in regions {
        for ((values, map), grids) in maps.iter().zip(MAPS).zip(GRIDS) {
            let share = 1.0 / STRIDES[map] as f32;
            let map = Map {
                values,
                side: SIDE / STRIDES[map],
                channels: CHANNELS[map],
            };
            map.pool(region.scale(share, share), grids, &mut features);
        }
    }
    features
}

/// Regions from `[regions, classes + 4 * classes]`: the margin of each class, four offsets for each. A margin is no probability;
/// as a score stands its logistic function, 0.5 where the machine is undecided.
pub fn places(regions: &[Corners], numbers: &[f32], classes: usize) -> Places {
    let mut places = Places {
        starts: regions.to_vec(),
        classes,
        ..Places::default()
    };
    for (numbers, region) in numbers.chunks_exact(5 * classes).zip(regions) {
        let (margins, offsets) = numbers.split_at(classes);
        places
            .scores
            .extend(margins.iter().map(|margin| sigmoid(*margin)));
        let start = region.centre_size();
        let boxes = offsets.as_chunks::<4>().0.iter();
        places
            .boxes
            .extend(boxes.map(|&offsets| CODER.decode(offsets, start)));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_as_many_numbers_as_the_machines_expect() {
        let maps = MAPS.map(|map| vec![0.5; (SIDE / STRIDES[map]).pow(2) * CHANNELS[map]]);
        let region = Corners {
            x0: 1.0,
            y0: 2.0,
            x1: 300.0,
            y1: 7.0,
        };
        assert_eq!(features(&maps, &[region, region]).len(), 2 * FEATURES);
    }

    #[test]
    fn each_class_has_its_margin_and_its_box() {
        let region = Corners {
            x0: 10.0,
            y0: 10.0,
            x1: 30.0,
            y1: 20.0,
        };
        // The box of the second class lies half a width to the right, or half a height below.
        let offsets = CODER.encode(
            Corners {
                x0: 20.0,
                y0: 10.0,
                x1: 40.0,
                y1: 20.0,
            }
            .centre_size(),
            region.centre_size(),
        );
        let mut numbers = vec![0.0, 2.0, 0.0, 0.0, 0.0, 0.0];
        numbers.extend(offsets);
        let places = places(&[region], &numbers, 2);
        assert_eq!(places.scores[0], 0.5);
        assert!((places.scores[1] - 0.8808).abs() < 1e-4);
        assert!((places.box_of(0, 0).x0 - 10.0).abs() < 1e-4);
        assert!((places.box_of(0, 1).x0 - 20.0).abs() < 1e-4);
    }
}
