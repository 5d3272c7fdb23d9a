//! What YOLO's first grid says.

use super::Places;
use crate::maths::boxes::{CentreSize, Corners};
use crate::models::detect::SIDE;
use crate::models::detect::backbone::STRIDES;
use crate::models::detect::grid_head::NUMBERS;

/// Cells in a row.
pub const CELLS: usize = SIDE / STRIDES[2];

/// The box of a cell by its numbers, in pixels of the square.
pub fn box_of(cell: usize, numbers: &[f32]) -> Corners {
    let side = SIDE as f32;
    let centre = |within: f32, cell: usize| (cell as f32 + within) / CELLS as f32;
    let share = CentreSize {
        cx: centre(numbers[0], cell % CELLS),
        cy: centre(numbers[1], cell / CELLS),
        width: numbers[2] * numbers[2],
        height: numbers[3] * numbers[3],
    };
    share.corners().scale(side, side)
}

/// A cell, in pixels of the square.
fn corners_of(cell: usize) -> Corners {
    let [x, y] = [cell % CELLS, cell / CELLS].map(|at| (at * STRIDES[2]) as f32);
    let side = STRIDES[2] as f32;
    Corners {
        x0: x,
        y0: y,
        x1: x + side,
        y1: y + side,
    }
}

/// The cells, each as often as it has boxes, in pixels of the square.
pub fn starts(boxes: usize) -> Vec<Corners> {
    let cells = 0..CELLS * CELLS;
    cells
        .flat_map(|cell| std::iter::repeat_n(corners_of(cell), boxes))
        .collect()
}

/// From `[cells, boxes * NUMBERS + classes]`. A place is a box of a cell; its scores are its confidence times the classes of
/// the cell.
///
/// # Reference
/// Redmon et al. 2016, "You Only Look Once", section 2, equation 1.
pub fn places(numbers: &[f32], boxes: usize, classes: usize) -> Places {
    let mut places = Places {
        starts: starts(boxes),
        classes,
        ..Places::default()
    };
    let cells = numbers.chunks_exact(boxes * NUMBERS + classes);
    for (cell, numbers) in cells.enumerate() {
        let (of_boxes, of_classes) = numbers.split_at(boxes * NUMBERS);
        for of_box in of_boxes.chunks_exact(NUMBERS) {
            places.boxes.push(box_of(cell, of_box));
            places.sure.push(of_box[4]);
            places
                .scores
                .extend(of_classes.iter().map(|class| of_box[4] * class));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_two_boxes_and_one_class() {
        let each = 2 * NUMBERS + 3;
        let mut numbers = vec![0.0; CELLS * CELLS * each];
        let cell = CELLS + 3;
        numbers[cell * each..(cell + 1) * each].copy_from_slice(&[
            0.5, 0.5, 0.5, 0.5, 0.8, // a quarter of the square
            0.0, 0.0, 1.0, 1.0, 0.1, // all of it
            0.25, 0.5, 1.0,
        ]);
        let places = places(&numbers, 2, 3);
        assert_eq!(places.count(), 2 * CELLS * CELLS);
        let first = 2 * cell;
        assert_eq!(places.sure[first..first + 2], [0.8, 0.1]);
        assert_eq!(places.scores[3 * first..3 * first + 3], [0.2, 0.4, 0.8]);
        let b = places.boxes[first];
        let wanted = [72.0, 8.0, 152.0, 88.0];
        let apart = [b.x0, b.y0, b.x1, b.y1].into_iter().zip(wanted);
        assert!(
            apart
                .map(|(a, b): (f32, f32)| (a - b).abs())
                .all(|apart| apart < 1e-4),
            "{b:?}"
        );
        let start = places.starts[first];
        assert_eq!([start.x0, start.y0], [96.0, 32.0]);
    }
}
