//! Boxes by corners and by centre and size, and how much two of them overlap.
//!
//! A box says nothing of its space: it may be in pixels of a picture, in cells of a feature map or
//! in shares of a picture. The name of whoever holds it does (`box_in_image`, `box_in_input`).

use serde::{Deserialize, Serialize};

/// A box by its corners. It is empty where a right or lower edge is not beyond the other one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corners {
    /// Left.
    pub x0: f32,
    /// Top.
    pub y0: f32,
    /// Right.
    pub x1: f32,
    /// Bottom.
    pub y1: f32,
}

/// A box by its centre and its size, as anchors and box regression have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CentreSize {
    /// Centre from the left.
    pub cx: f32,
    /// Centre from the top.
    pub cy: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Corners {
    /// Area, 0 of a box that is empty or turned inside out.
    pub fn area(self) -> f32 {
        (self.x1 - self.x0).max(0.0) * (self.y1 - self.y0).max(0.0)
    }

    /// What both boxes cover; empty, perhaps inside out, where that is nothing.
    pub fn intersection(self, other: Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// Intersection over union, 0 to 1. It is 0 where either box is empty, has a corner that is NaN,
    /// or is so large that its area is no finite number; never NaN.
    ///
    /// # Reference
    /// Everingham et al. 2010, "The PASCAL Visual Object Classes Challenge", section 4.2.
    pub fn iou(self, other: Self) -> f32 {
        let (area, other_area) = (self.area(), other.area());
        let intersection = self.intersection(other).area();
        let union = area + other_area - intersection;
        if area > 0.0 && other_area > 0.0 && union > 0.0 && union.is_finite() {
            (intersection / union).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The part inside `0..=width` by `0..=height`; a box beyond them becomes an empty one at the
    /// edge. Neither limit may be negative or NaN.
    pub fn clip(self, width: f32, height: f32) -> Self {
        Self {
            x0: self.x0.clamp(0.0, width),
            y0: self.y0.clamp(0.0, height),
            x1: self.x1.clamp(0.0, width),
            y1: self.y1.clamp(0.0, height),
        }
    }

    /// The same box in a space whose unit is `1 / x` and `1 / y` of this one's: shares of a picture
    /// times its size are pixels.
    pub fn scale(self, x: f32, y: f32) -> Self {
        Self {
            x0: self.x0 * x,
            y0: self.y0 * y,
            x1: self.x1 * x,
            y1: self.y1 * y,
        }
    }

    /// The same box by centre and size. The size of a box that is inside out is negative.
    pub fn centre_size(self) -> CentreSize {
        CentreSize {
            cx: (self.x0 + self.x1) / 2.0,
            cy: (self.y0 + self.y1) / 2.0,
            width: self.x1 - self.x0,
            height: self.y1 - self.y0,
        }
    }
}

impl CentreSize {
    /// The same box by its corners.
    pub fn corners(self) -> Corners {
        let (half_width, half_height) = (self.width / 2.0, self.height / 2.0);
        Corners {
            x0: self.cx - half_width,
            y0: self.cy - half_height,
            x1: self.cx + half_width,
            y1: self.cy + half_height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn corners(x0: f32, y0: f32, x1: f32, y1: f32) -> Corners {
        Corners { x0, y0, x1, y1 }
    }

    #[test]
    fn areas_worked_by_hand() {
        assert_eq!(corners(1.0, 2.0, 4.0, 4.0).area(), 6.0);
        assert_eq!(corners(1.0, 2.0, 1.0, 4.0).area(), 0.0);
        // Inside out in both directions: the product of two negative sides is no area.
        assert_eq!(corners(4.0, 4.0, 1.0, 2.0).area(), 0.0);
    }

    #[test]
    fn overlaps_worked_by_hand() {
        let square = corners(0.0, 0.0, 2.0, 2.0);
        // Half of each: intersection 2, union 4 + 4 - 2.
        assert_eq!(square.iou(corners(1.0, 0.0, 3.0, 2.0)), 2.0 / 6.0);
        assert_eq!(square.iou(square), 1.0);
        assert_eq!(square.iou(corners(2.0, 0.0, 4.0, 2.0)), 0.0); // touching
        assert_eq!(square.iou(corners(0.5, 0.5, 1.5, 1.5)), 0.25); // inside
        assert_eq!(square.iou(corners(5.0, 5.0, 6.0, 6.0)), 0.0); // apart in both directions
    }

    #[test]
    fn empty_boxes_overlap_nothing() {
        let square = corners(0.0, 0.0, 2.0, 2.0);
        let point = corners(1.0, 1.0, 1.0, 1.0);
        let line = corners(0.0, 1.0, 2.0, 1.0);
        let inside_out = corners(2.0, 2.0, 0.0, 0.0);
        let not_a_number = corners(f32::NAN, 0.0, 1.0, 1.0);
        let endless = corners(f32::NEG_INFINITY, 0.0, f32::INFINITY, 1.0);
        for empty in [point, line, inside_out, not_a_number, endless] {
            assert_eq!(empty.iou(empty), 0.0, "{empty:?}");
            assert_eq!(empty.iou(square), 0.0, "{empty:?}");
            assert_eq!(square.iou(empty), 0.0, "{empty:?}");
        }
    }

    #[test]
    fn a_box_is_cut_at_the_edges() {
        assert_eq!(
            corners(-1.0, 2.0, 3.0, 9.0).clip(5.0, 4.0),
            corners(0.0, 2.0, 3.0, 4.0)
        );
        let beyond = corners(6.0, 1.0, 8.0, 2.0).clip(5.0, 4.0);
        assert_eq!(beyond, corners(5.0, 1.0, 5.0, 2.0));
        assert_eq!(beyond.area(), 0.0);
    }

    #[test]
    fn conversions_worked_by_hand() {
        let by_centre = CentreSize {
            cx: 0.5,
            cy: 0.25,
            width: 0.5,
            height: 0.25,
        };
        let by_corners = corners(0.25, 0.125, 0.75, 0.375);
        assert_eq!(by_centre.corners(), by_corners);
        assert_eq!(by_corners.centre_size(), by_centre);
        assert_eq!(
            by_corners.scale(100.0, 200.0),
            corners(25.0, 25.0, 75.0, 75.0)
        );
    }

    fn any_box() -> impl Strategy<Value = Corners> {
        proptest::array::uniform4(proptest::num::f32::ANY)
            .prop_map(|[x0, y0, x1, y1]| corners(x0, y0, x1, y1))
    }

    fn box_in_image() -> impl Strategy<Value = Corners> {
        (
            proptest::array::uniform2(-1000f32..1000.0),
            proptest::array::uniform2(0.1f32..1000.0),
        )
            .prop_map(|([x0, y0], [w, h])| corners(x0, y0, x0 + w, y0 + h))
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_between_0_and_1(a in box_in_image(), b in box_in_image()) {
            prop_assert!((0.0..=1.0).contains(&a.iou(b)));
            prop_assert_eq!(a.iou(b), b.iou(a));
        }

        #[test]
        fn iou_of_whatever_numbers_is_a_number(a in any_box(), b in any_box()) {
            prop_assert!((0.0..=1.0).contains(&a.iou(b)), "{} of {a:?} and {b:?}", a.iou(b));
            prop_assert_eq!(a.iou(b), b.iou(a));
        }

        #[test]
        fn a_box_is_all_of_itself(a in box_in_image()) {
            prop_assert_eq!(a.iou(a), 1.0);
        }

        #[test]
        fn iou_does_not_depend_on_the_unit(a in box_in_image(), b in box_in_image()) {
            // A power of two changes no digit.
            prop_assert_eq!(a.iou(b), a.scale(4.0, 0.5).iou(b.scale(4.0, 0.5)));
        }

        #[test]
        fn what_is_clipped_lies_inside(a in any_box()) {
            let clipped = a.clip(640.0, 480.0);
            for (edge, limit) in [(clipped.x0, 640.0), (clipped.x1, 640.0), (clipped.y0, 480.0), (clipped.y1, 480.0)] {
                prop_assert!(edge.is_nan() || (0.0..=limit).contains(&edge));
            }
        }

        #[test]
        fn there_and_back_is_the_same_box(a in box_in_image()) {
            let back = a.centre_size().corners();
            for (was, is) in [(a.x0, back.x0), (a.y0, back.y0), (a.x1, back.x1), (a.y1, back.y1)] {
                prop_assert!((was - is).abs() < 1e-3, "{a:?} {back:?}");
            }
        }
    }
}
