//! Warping: a region of any shape becomes a square crop with some of what lies around it, as R-CNN looks at its proposals.
//!
//! # Reference
//! Girshick, Donahue, Darrell and Malik 2014, "Rich feature hierarchies for accurate object detection and semantic
//! segmentation", section 2.1 and appendix A.

use super::resize::{stretch_opaque, stretch_part};
use crate::maths::boxes::Corners;
pub use crate::models::detect::crops::SIDE;
use crate::protocol::picture::Picture;

/// Pixels of context on each side of the region in the crop: the paper's 16 of 227.
pub const CONTEXT: usize = 9;

/// A picture of which regions are cut out.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    rgba: Vec<u8>,
    size: [usize; 2],
}

/// A region with its context, whether it lies in the picture or not.
pub fn with_context(region: Corners) -> Corners {
    let grow = SIDE as f32 / (SIDE - 2 * CONTEXT) as f32;
    let along = |low: f32, high: f32| {
        // A region without a size is a pixel.
        let half = (high - low).max(1.0) / 2.0 * grow;
        let middle = (low + high) / 2.0;
        [middle - half, middle + half]
    };
    let ([x0, x1], [y0, y1]) = (along(region.x0, region.x1), along(region.y0, region.y1));
    Corners { x0, y0, x1, y1 }
}

impl Sheet {
    /// The picture, stretched to so many columns and rows.
    pub fn of(picture: &Picture, size: [usize; 2]) -> Self {
        Self {
            rgba: stretch_opaque(picture, size[0], size[1]),
            size,
        }
    }

    /// Puts the crop of a region, in pixels of the sheet, behind `planes`: red, green and blue, `(x - 127) / 128` of each byte,
    /// 0 beside the picture.
    pub fn crop(&self, region: Corners, planes: &mut Vec<f32>) {
        let start = planes.len();
        planes.resize(start + 3 * SIDE * SIDE, 0.0);
        let whole = with_context(region);
        let [width, height] = self.size.map(|side| side as f32);
        let inside = whole.clip(width, height);
        if inside.area() <= 0.0 {
            return;
        }
        // Where the part that is in the picture lies in the crop, in whole pixels.
        let along = |low: f32, high: f32, from: f32, to: f32| {
            let at = |edge: f32| ((edge - from) / (to - from) * SIDE as f32).round() as usize;
            let first = at(low).min(SIDE - 1);
            first..at(high).clamp(first + 1, SIDE)
        };
        let columns = along(inside.x0, inside.x1, whole.x0, whole.x1);
        let rows = along(inside.y0, inside.y1, whole.y0, whole.y1);
        let edges = [inside.x0, inside.y0, inside.x1, inside.y1];
        let size = [columns.len(), rows.len()];
        let part = stretch_part(&self.rgba, self.size, edges, size);
        for (at, pixel) in part.as_chunks::<4>().0.iter().enumerate() {
            let place = (rows.start + at / size[0]) * SIDE + columns.start + at % size[0];
            for channel in 0..3 {
                planes[start + channel * SIDE * SIDE + place] =
                    (f32::from(pixel[channel]) - 127.0) / 128.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corners([x0, y0, x1, y1]: [f32; 4]) -> Corners {
        Corners { x0, y0, x1, y1 }
    }

    /// Red says the column, green the row.
    fn ramp(width: usize, height: usize) -> Sheet {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| [x as u8, y as u8]));
        let rgba = pixels.flat_map(|[x, y]| [x, y, 0, 255]).collect();
        let picture = Picture::new(width, height, rgba).expect("right size");
        Sheet::of(&picture, [width, height])
    }

    fn byte(value: f32) -> f32 {
        value * 128.0 + 127.0
    }

    #[test]
    fn the_region_lies_in_the_middle_with_its_context_around() {
        // 110 columns and 55 rows: with context 128 and 64, from column 41 and row 48.5 on.
        let region = corners([50.0, 53.0, 160.0, 108.0]);
        let whole = with_context(region);
        assert!((whole.x0 - 41.0).abs() < 1e-4 && (whole.x1 - 169.0).abs() < 1e-4);
        assert!((whole.y0 - 48.5).abs() < 1e-4 && (whole.y1 - 112.5).abs() < 1e-4);
        let mut planes = Vec::new();
        ramp(200, 200).crop(region, &mut planes);
        assert_eq!(planes.len(), 3 * SIDE * SIDE);
        // Across a pixel is a pixel; down each is seen twice.
        let red = |x: usize, y: usize| byte(planes[y * SIDE + x]);
        assert!((red(0, 64) - 41.0).abs() < 0.6 && (red(127, 64) - 168.0).abs() < 0.6);
        let green = byte(planes[SIDE * SIDE + 64 * SIDE + 64]);
        assert!((green - 80.25).abs() < 0.6, "{green}");
    }

    #[test]
    fn beside_the_picture_is_nothing() {
        let mut planes = Vec::new();
        // A quarter of the crop lies in the picture.
        ramp(200, 200).crop(corners([-110.0, -110.0, 0.0, 0.0]), &mut planes);
        let in_picture = planes[..SIDE * SIDE].iter().filter(|value| **value != 0.0);
        assert_eq!(in_picture.count(), CONTEXT * CONTEXT);
        planes.clear();
        ramp(20, 20).crop(corners([100.0, 100.0, 120.0, 120.0]), &mut planes);
        assert!(planes.iter().all(|value| *value == 0.0));
    }

    proptest! {
        #[test]
        fn any_region_has_a_crop(
            edges in [-30f32..60.0, -30f32..60.0, -30f32..60.0, -30f32..60.0],
            width in 1usize..40,
            height in 1usize..40,
        ) {
            let [x0, y0, x1, y1] = edges;
            let region = corners([x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)]);
            let mut planes = Vec::new();
            ramp(width, height).crop(region, &mut planes);
            prop_assert_eq!(planes.len(), 3 * SIDE * SIDE);
            prop_assert!(planes.iter().all(|value| value.abs() <= 1.0));
        }
    }
}
