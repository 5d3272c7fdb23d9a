//! Boxes by their corners, and how much two of them overlap.

use crate::labs::detect::spec::BoxInImage;

/// Area of a box, 0 for one that is empty or turned inside out.
pub fn area(b: BoxInImage) -> f32 {
    (b.x1 - b.x0).max(0.0) * (b.y1 - b.y0).max(0.0)
}

/// Intersection over union, 0 to 1; 0 where either box is empty.
pub fn iou(a: BoxInImage, b: BoxInImage) -> f32 {
    let intersection = area(BoxInImage {
        x0: a.x0.max(b.x0),
        y0: a.y0.max(b.y0),
        x1: a.x1.min(b.x1),
        y1: a.y1.min(b.y1),
    });
    let union = area(a) + area(b) - intersection;
    if union > 0.0 {
        (intersection / union).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corners(x0: f32, y0: f32, x1: f32, y1: f32) -> BoxInImage {
        BoxInImage { x0, y0, x1, y1 }
    }

    #[test]
    fn overlaps_worked_by_hand() {
        let unit = corners(0.0, 0.0, 2.0, 2.0);
        // Half of each: intersection 2, union 4 + 4 - 2.
        assert_eq!(iou(unit, corners(1.0, 0.0, 3.0, 2.0)), 2.0 / 6.0);
        assert_eq!(iou(unit, unit), 1.0);
        assert_eq!(iou(unit, corners(2.0, 0.0, 4.0, 2.0)), 0.0); // touching
        assert_eq!(iou(unit, corners(0.5, 0.5, 1.5, 1.5)), 0.25); // inside
    }

    #[test]
    fn empty_boxes_overlap_nothing() {
        let empty = corners(1.0, 1.0, 1.0, 1.0);
        assert_eq!(iou(empty, empty), 0.0);
        assert_eq!(
            iou(corners(2.0, 2.0, 0.0, 0.0), corners(0.0, 0.0, 2.0, 2.0)),
            0.0
        );
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_between_0_and_1(v in proptest::array::uniform8(-100f32..100.0)) {
            let a = corners(v[0], v[1], v[2], v[3]);
            let b = corners(v[4], v[5], v[6], v[7]);
            prop_assert!((0.0..=1.0).contains(&iou(a, b)));
            prop_assert_eq!(iou(a, b), iou(b, a));
        }
    }
}
