//! What OverFeat says of its windows.

use super::Places;
use crate::maths::boxes::Corners;
use crate::methods::box_coder::BoxCoder;
use crate::models::detect::SIDE;
use crate::models::detect::backbone::STRIDES;
use crate::models::detect::overfeat::{SCALES, WINDOW, WINDOWS};

/// How boxes are said: from the window.
pub const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;
/// Pixels from one window to the next, in the square of each scale.
pub const STRIDE: usize = STRIDES[2];

/// From the overlap above which a family that suppresses lets the weaker of two boxes go to the match score below which boxes
/// are merged: boxes with a common centre are merged from the same overlap on.
pub fn merging_threshold(overlap: f32) -> f32 {
    1.0 - overlap
}

/// The windows of all scales, in pixels of the square of [`SIDE`] pixels: from the smallest square, whose windows cover most of
/// the picture, to the largest, by row.
pub fn windows() -> Vec<Corners> {
    let of_scale = |(&side, &in_row): (&usize, &usize)| {
        let share = SIDE as f32 / side as f32;
        let stride = STRIDE as f32 * share;
        let width = WINDOW as f32 * stride;
        (0..in_row * in_row).map(move |window| {
            let [x0, y0] = [window % in_row, window / in_row].map(|at| at as f32 * stride);
            Corners {
                x0,
                y0,
                x1: x0 + width,
                y1: y0 + width,
            }
        })
    };
    SCALES.iter().zip(&WINDOWS).flat_map(of_scale).collect()
}

/// From `[windows, 1 + classes + 4 * classes]`: probabilities of background and classes, four offsets for each class.
///
/// # Reference
/// Sermanet et al. 2014, "OverFeat", section 4.2: the last layer of the regressor has an output for each class.
pub fn places(windows: &[Corners], numbers: &[f32], classes: usize) -> Places {
    let mut places = Places {
        starts: windows.to_vec(),
        classes,
        ..Places::default()
    };
    let of_windows = numbers.chunks_exact(1 + 5 * classes).zip(windows);
    for (numbers, window) in of_windows {
        let (probabilities, offsets) = numbers.split_at(1 + classes);
        places.scores.extend(&probabilities[1..]);
        let offsets = offsets.as_chunks::<4>().0.iter();
        let window = window.centre_size();
        places
            .boxes
            .extend(offsets.map(|&offsets| CODER.decode(offsets, window)));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_128_pixels_of_their_scale_one_for_every_cell() {
        let windows = windows();
        assert_eq!(windows.len(), 4 + 16 + 49 + 121);
        let sides = [0, 4, 20, 69].map(|first| windows[first].x1 - windows[first].x0);
        // 128 of 160, 224, 320 and 448, as shares of 320.
        for (found, wanted) in sides.into_iter().zip([256.0, 182.857, 128.0, 91.4286]) {
            assert!((found - wanted).abs() < 1e-3, "{sides:?}");
        }
        // The second row of the third scale begins 32 pixels further down.
        let below = windows[20 + 7];
        assert_eq!([below.x0, below.y0], [0.0, 32.0]);
        // The last window ends where the square does.
        let last = windows[windows.len() - 1];
        assert!((last.x1 - 320.0).abs() < 1e-3 && (last.y1 - 320.0).abs() < 1e-3);
    }

    #[test]
    fn each_class_moves_the_window_in_its_own_way() {
        let windows = windows();
        let mut numbers = vec![0.0; windows.len() * 11];
        // The first window of the third scale, 128 pixels: the second class a tenth of it to the right.
        numbers[20 * 11..21 * 11]
            .copy_from_slice(&[0.2, 0.5, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let places = places(&windows, &numbers, 2);
        assert_eq!(places.count(), windows.len());
        assert_eq!(places.scores[40..42], [0.5, 0.3]);
        assert_eq!(places.box_of(20, 0), windows[20]);
        let moved = places.box_of(20, 1);
        assert!(
            (moved.x0 - 12.8).abs() < 1e-3 && (moved.x1 - 140.8).abs() < 1e-3,
            "{moved:?}"
        );
    }
}
