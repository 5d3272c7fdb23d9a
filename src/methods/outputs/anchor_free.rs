//! What the anchor-free head says.

use super::{Places, sigmoid};
use crate::maths::boxes::Corners;
use crate::methods::centres::{self, Level};
use crate::models::detect::SIDE;
use crate::models::detect::backbone::STRIDES;

/// How objects are shared out among levels: the farthest of an object's edges, in strides. Neighbours overlap, so that no
/// object falls between them.
const REACH: [f32; 2] = [2.0, 6.0];

/// The levels of a head that reads so many of the backbone's maps, with the objects that each is for.
pub fn levels(maps: usize) -> Vec<Level> {
    let read = &STRIDES[STRIDES.len() - maps..];
    let strides = read.iter().copied().chain([2 * STRIDES[STRIDES.len() - 1]]);
    let strides: Vec<usize> = strides.collect();
    let level = |(index, &stride): (usize, &usize)| {
        let side = SIDE / stride;
        let least = if index == 0 {
            0.0
        } else {
            REACH[0] * stride as f32
        };
        let most = if index + 1 == strides.len() {
            f32::INFINITY
        } else {
            REACH[1] * stride as f32
        };
        Level {
            stride,
            rows: side,
            columns: side,
            reach: [least, most],
        }
    };
    strides.iter().enumerate().map(level).collect()
}

/// The cells of all levels, in pixels of the square.
pub fn starts(levels: &[Level]) -> Vec<Corners> {
    let of_level = |level: &Level| {
        let half = level.stride as f32 / 2.0;
        level.middles().map(move |[x, y]| Corners {
            x0: x - half,
            y0: y - half,
            x1: x + half,
            y1: y + half,
        })
    };
    levels.iter().flat_map(of_level).collect()
}

/// From `[cells, classes + 5]`: logits of the classes, pixels to the four edges, the logit of the centreness.
///
/// # Reference
/// Tian et al. 2019, "FCOS", section 3.3; the score is the root of class times centreness, since neither alone tells a good
/// box.
pub fn places(levels: &[Level], numbers: &[f32], classes: usize) -> Places {
    let mut places = Places {
        starts: starts(levels),
        classes,
        ..Places::default()
    };
    let middles = levels.iter().flat_map(Level::middles);
    for (numbers, middle) in numbers.chunks_exact(classes + 5).zip(middles) {
        let edges = std::array::from_fn(|edge| numbers[classes + edge]);
        places.boxes.push(centres::box_at(middle, edges));
        let near = sigmoid(numbers[classes + 4]);
        places.sure.push(near);
        let scores = numbers[..classes].iter();
        places
            .scores
            .extend(scores.map(|&logit| (sigmoid(logit) * near).sqrt()));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_its_edges_and_classes() {
        let levels = levels(2);
        let cells = 400 + 100 + 25;
        let mut numbers = vec![0.0; cells * 7];
        // The second cell of the second level, around (48, 16).
        let cell = &mut numbers[401 * 7..402 * 7];
        cell.copy_from_slice(&[0.0, -2.0, 10.0, 20.0, 30.0, 40.0, 0.0]);
        let places = places(&levels, &numbers, 2);
        assert_eq!(places.count(), cells);
        let b = places.boxes[401];
        assert_eq!([b.x0, b.y0, b.x1, b.y1], [38.0, -4.0, 78.0, 56.0]);
        assert_eq!(places.sure[401], 0.5);
        // The root of a half times a half.
        assert!((places.scores[802] - 0.5).abs() < 1e-6);
        assert!((places.scores[803] - (0.119_203 * 0.5f32).sqrt()).abs() < 1e-5);
        let start = places.starts[401];
        assert_eq!(
            [start.x0, start.y0, start.x1, start.y1],
            [32.0, 0.0, 64.0, 32.0]
        );
    }
}
