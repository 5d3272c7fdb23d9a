//! From the network's offsets to boxes: the "Faster R-CNN box coder".
//!
//! # Reference
//! Ren et al. 2015, section 3.1.2, with the scale factors of the TensorFlow object detection API.

use crate::labs::detect::spec::BoxInImage;

use super::default_boxes::DefaultBox;

/// Offsets of the centre are in tenths of the default box.
const CENTRE_SCALE: f32 = 10.0;
/// Logarithms of the size are in fifths.
const SIZE_SCALE: f32 = 5.0;
/// The logarithm of the largest growth: beyond it `exp` would run to infinity.
const MAX_LOG_SIZE: f32 = 10.0;

/// Decodes `[ty, tx, th, tw]` against its default box, to pixels of a picture of that size.
/// The box may reach beyond the picture; see [`clip`].
pub fn decode(encoding: [f32; 4], default: DefaultBox, width: f32, height: f32) -> BoxInImage {
    let [ty, tx, th, tw] = encoding;
    let cx = tx / CENTRE_SCALE * default.width + default.cx;
    let cy = ty / CENTRE_SCALE * default.height + default.cy;
    let half_width = (tw / SIZE_SCALE).min(MAX_LOG_SIZE).exp() * default.width / 2.0;
    let half_height = (th / SIZE_SCALE).min(MAX_LOG_SIZE).exp() * default.height / 2.0;
    BoxInImage {
        x0: (cx - half_width) * width,
        y0: (cy - half_height) * height,
        x1: (cx + half_width) * width,
        y1: (cy + half_height) * height,
    }
}

/// The part of a box that lies inside the picture.
pub fn clip(b: BoxInImage, width: f32, height: f32) -> BoxInImage {
    BoxInImage {
        x0: b.x0.clamp(0.0, width),
        y0: b.y0.clamp(0.0, height),
        x1: b.x1.clamp(0.0, width),
        y1: b.y1.clamp(0.0, height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CENTRE: DefaultBox = DefaultBox {
        cx: 0.5,
        cy: 0.5,
        width: 0.2,
        height: 0.4,
    };

    #[test]
    fn zero_offsets_give_the_default_box() {
        let b = decode([0.0; 4], CENTRE, 100.0, 200.0);
        // Centre (50, 100), size 20 x 80.
        for (got, want) in [(b.x0, 40.0), (b.y0, 60.0), (b.x1, 60.0), (b.y1, 140.0)] {
            assert!((got - want).abs() < 1e-4, "{b:?}");
        }
    }

    #[test]
    fn offsets_worked_by_hand() {
        // ty 5: half a box height (0.2) down. tx -10: one box width (0.2) left.
        // th = 5 ln 2: twice as high. tw 0: same width.
        let b = decode([5.0, -10.0, 5.0 * 2f32.ln(), 0.0], CENTRE, 1.0, 1.0);
        let expected = BoxInImage {
            x0: 0.2,
            y0: 0.3,
            x1: 0.4,
            y1: 1.1,
        };
        for (got, want) in [
            (b.x0, expected.x0),
            (b.y0, expected.y0),
            (b.x1, expected.x1),
            (b.y1, expected.y1),
        ] {
            assert!((got - want).abs() < 1e-5, "{b:?}");
        }
        assert_eq!(clip(b, 1.0, 1.0).y1, 1.0);
    }

    proptest! {
        #[test]
        fn any_offsets_give_a_finite_box_inside_the_picture(t in proptest::array::uniform4(-1e6f32..1e6)) {
            let b = clip(decode(t, CENTRE, 640.0, 480.0), 640.0, 480.0);
            prop_assert!(0.0 <= b.x0 && b.x0 <= b.x1 && b.x1 <= 640.0);
            prop_assert!(0.0 <= b.y0 && b.y0 <= b.y1 && b.y1 <= 480.0);
        }
    }
}
