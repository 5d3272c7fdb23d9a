//! From the network's offsets to boxes: the "Faster R-CNN box coder".
//!
//! # Reference
//! Ren et al. 2015, section 3.1.2.

use crate::maths::boxes::{CentreSize, Corners};

/// How a network was trained to write offsets from an anchor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxCoder {
    /// Offsets of the centre are in such parts of the anchor's size: 10 is tenths.
    pub centre_scale: f32,
    /// Logarithms of the size are in such parts.
    pub size_scale: f32,
    /// Logarithm of the largest growth: beyond it `exp` would run to infinity.
    pub max_log_size: f32,
}

impl BoxCoder {
    /// Tenths and fifths, as in the TensorFlow object detection API. torchvision's box heads have
    /// the same scales.
    pub const TENTHS_AND_FIFTHS: Self = Self {
        centre_scale: 10.0,
        size_scale: 5.0,
        max_log_size: 10.0,
    };

    /// Of proposals: neither tenths nor fifths. torchvision's region proposal networks have the same.
    pub const UNSCALED: Self = Self {
        centre_scale: 1.0,
        size_scale: 1.0,
        max_log_size: 10.0,
    };

    /// The offsets `[ty, tx, th, tw]` with which [`decode`](Self::decode) finds a truth from its anchor. Neither may be
    /// empty: there is no logarithm of nothing.
    pub fn encode(&self, truth: CentreSize, anchor: CentreSize) -> [f32; 4] {
        [
            (truth.cy - anchor.cy) / anchor.height * self.centre_scale,
            (truth.cx - anchor.cx) / anchor.width * self.centre_scale,
            (truth.height / anchor.height).ln() * self.size_scale,
            (truth.width / anchor.width).ln() * self.size_scale,
        ]
    }

    /// Decodes `[ty, tx, th, tw]` against its anchor, to the anchor's unit. Finite offsets give a
    /// finite box, which may reach beyond the picture; see [`Corners::clip`].
    pub fn decode(&self, [ty, tx, th, tw]: [f32; 4], anchor: CentreSize) -> Corners {
        let growth = |t: f32| (t / self.size_scale).min(self.max_log_size).exp();
        CentreSize {
            cx: tx / self.centre_scale * anchor.width + anchor.cx,
            cy: ty / self.centre_scale * anchor.height + anchor.cy,
            width: growth(tw) * anchor.width,
            height: growth(th) * anchor.height,
        }
        .corners()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;
    const CENTRE: CentreSize = CentreSize {
        cx: 0.5,
        cy: 0.5,
        width: 0.2,
        height: 0.4,
    };

    fn assert_close(got: Corners, [x0, y0, x1, y1]: [f32; 4]) {
        for (got, want) in [(got.x0, x0), (got.y0, y0), (got.x1, x1), (got.y1, y1)] {
            assert!((got - want).abs() < 1e-5, "{got} is not {want}");
        }
    }

    #[test]
    fn zero_offsets_give_the_anchor() {
        assert_close(CODER.decode([0.0; 4], CENTRE), [0.4, 0.3, 0.6, 0.7]);
    }

    #[test]
    fn offsets_worked_by_hand() {
        // ty 5: half a box height (0.2) down. tx -10: one box width (0.2) left.
        // th = 5 ln 2: twice as high. tw 0: same width.
        let offsets = [5.0, -10.0, 5.0 * 2f32.ln(), 0.0];
        assert_close(CODER.decode(offsets, CENTRE), [0.2, 0.3, 0.4, 1.1]);
        // The same in units of the anchor itself, as region proposal networks have it.
        let offsets = [0.5, -1.0, 2f32.ln(), 0.0];
        assert_close(
            BoxCoder::UNSCALED.decode(offsets, CENTRE),
            [0.2, 0.3, 0.4, 1.1],
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_found_again(t in proptest::array::uniform4(-2f32..2.0)) {
            for coder in [CODER, BoxCoder::UNSCALED] {
                let found = coder.decode(t, CENTRE).centre_size();
                let again = coder.encode(found, CENTRE);
                prop_assert!(t.iter().zip(again).all(|(t, again)| (t - again).abs() < 1e-3), "{t:?} {again:?}");
            }
        }

        #[test]
        fn any_offsets_give_a_finite_box_inside_the_picture(t in proptest::array::uniform4(-1e6f32..1e6)) {
            let b = CODER.decode(t, CENTRE).scale(640.0, 480.0).clip(640.0, 480.0);
            prop_assert!(0.0 <= b.x0 && b.x0 <= b.x1 && b.x1 <= 640.0);
            prop_assert!(0.0 <= b.y0 && b.y0 <= b.y1 && b.y1 <= 480.0);
        }
    }
}
