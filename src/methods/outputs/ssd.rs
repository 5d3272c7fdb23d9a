//! What SSD's heads on the common backbone say.

use super::Places;
use crate::maths::boxes::Corners;
use crate::methods::box_coder::BoxCoder;
use crate::methods::default_boxes::DefaultBoxes;
use crate::models::detect::SIDE;

/// The default boxes, as shares of the square.
pub const DEFAULT_BOXES: DefaultBoxes = DefaultBoxes {
    cells: &[40, 20, 10, 5, 3],
    scales: [0.08, 0.8],
    ratios: &[1.0, 2.0, 0.5],
    first: None,
};
/// Default boxes of a cell: the ratios, and a square between a map's scale and the next one's.
pub const SHAPES: usize = 4;
/// How boxes are said.
pub const CODER: BoxCoder = BoxCoder::TENTHS_AND_FIFTHS;

/// The default boxes in pixels of the square.
pub fn default_boxes() -> Vec<Corners> {
    let side = SIDE as f32;
    let boxes = DEFAULT_BOXES.boxes().into_iter();
    boxes.map(|of| of.corners().scale(side, side)).collect()
}

/// From `[default boxes, 1 + classes + 4]`: probabilities of background and classes, four offsets.
///
/// # Reference
/// Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.2.
pub fn places(default_boxes: &[Corners], numbers: &[f32], classes: usize) -> Places {
    let mut places = Places {
        starts: default_boxes.to_vec(),
        classes,
        ..Places::default()
    };
    let boxes = numbers.chunks_exact(1 + classes + 4).zip(default_boxes);
    for (numbers, default) in boxes {
        let offsets = std::array::from_fn(|at| numbers[1 + classes + at]);
        places
            .boxes
            .push(CODER.decode(offsets, default.centre_size()));
        places.scores.extend(&numbers[1..=classes]);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_nothing_leave_the_default_boxes() {
        let boxes = default_boxes();
        let cells: usize = DEFAULT_BOXES.cells.iter().map(|side| side * side).sum();
        assert_eq!(boxes.len(), cells * SHAPES);
        assert!((boxes[0].x1 - boxes[0].x0 - 0.08 * 320.0).abs() < 1e-3);
        let of_one = [0.7, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0];
        let places = places(&boxes, &of_one.repeat(boxes.len()), 2);
        assert_eq!(places.scores[2..4], [0.2, 0.1]);
        let apart = |a: f32, b: f32| (a - b).abs() < 1e-3;
        let all = places.boxes.iter().zip(&boxes);
        assert!(all.clone().count() == boxes.len());
        assert!(
            all.into_iter()
                .all(|(a, b)| apart(a.x0, b.x0) && apart(a.y1, b.y1))
        );
    }
}
