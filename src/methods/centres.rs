//! Anchor-free detection: each cell of a map whose middle lies near the middle of an object says how far its four edges
//! are.
//!
//! # Reference
//! Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection", section 3; sampling near the centre as in its
//! later version (2020).

use crate::maths::boxes::Corners;

/// A map of a pyramid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Pixels of the network's input from one cell to the next.
    pub stride: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The objects that it is for: the farthest of the four edges is at least so many pixels away, and less than that many.
    pub reach: [f32; 2],
}

impl Level {
    /// The middles of its cells in pixels, by row: across and down.
    pub fn middles(&self) -> impl Iterator<Item = [f32; 2]> + use<> {
        let Self {
            stride,
            columns,
            rows,
            ..
        } = *self;
        let middle = move |index: usize| (index as f32 + 0.5) * stride as f32;
        (0..rows).flat_map(move |row| (0..columns).map(move |column| [middle(column), middle(row)]))
    }
}

/// What a cell has to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Number of the truth.
    pub truth: usize,
    /// Pixels to its left, upper, right and lower edge.
    pub distances: [f32; 4],
    /// How near the middle the cell is, 0 at an edge to 1: the root of the product of the smaller by the larger distance,
    /// across and down. It weighs scores, because boxes from the rim are bad.
    pub centreness: f32,
}

/// How far from the middle of an object, in strides, cells are still for it.
pub const RADIUS: f32 = 1.5;

/// The target of each cell, level after level, cells by row; none where nothing is. Where several truths ask for a cell the
/// smallest has it. Truths in pixels of the network's input.
pub fn targets(levels: &[Level], truths: &[Corners]) -> Vec<Option<Target>> {
    let of_cell = |level: &Level, [x, y]: [f32; 2]| {
        let asks = |(number, truth): (usize, &Corners)| {
            let distances = [x - truth.x0, y - truth.y0, truth.x1 - x, truth.y1 - y];
            let centre = truth.centre_size();
            let near = RADIUS * level.stride as f32;
            let is_inside = distances.iter().all(|&distance| distance > 0.0);
            let is_near = (x - centre.cx).abs() < near && (y - centre.cy).abs() < near;
            let farthest = distances.iter().copied().fold(0.0, f32::max);
            let [least, most] = level.reach;
            (is_inside && is_near && farthest >= least && farthest < most).then_some((
                number,
                distances,
                truth.area(),
            ))
        };
        let all = truths.iter().enumerate().filter_map(asks);
        all.min_by(|a, b| a.2.total_cmp(&b.2))
            .map(|(truth, distances, _)| Target {
                truth,
                distances,
                centreness: centreness(distances),
            })
    };
    let cells = levels
        .iter()
        .flat_map(|level| level.middles().map(move |middle| of_cell(level, middle)));
    cells.collect()
}

/// See [`Target::centreness`].
pub fn centreness([left, up, right, down]: [f32; 4]) -> f32 {
    let part = |a: f32, b: f32| (a.min(b) / a.max(b)).max(0.0);
    (part(left, right) * part(up, down)).sqrt()
}

/// The box whose edges are so far from a place.
pub fn box_at([x, y]: [f32; 2], [left, up, right, down]: [f32; 4]) -> Corners {
    Corners {
        x0: x - left,
        y0: y - up,
        x1: x + right,
        y1: y + down,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [Level; 2] = [
        Level {
            stride: 8,
            rows: 4,
            columns: 4,
            reach: [0.0, 16.0],
        },
        Level {
            stride: 16,
            rows: 2,
            columns: 2,
            reach: [16.0, f32::INFINITY],
        },
    ];

    fn corners(x0: f32, y0: f32, x1: f32, y1: f32) -> Corners {
        Corners { x0, y0, x1, y1 }
    }

    #[test]
    fn cells_near_the_middle_are_for_it_by_hand() {
        // Middles at 4, 12, 20, 28. The box has its middle at 12: cells 4, 12, 20 are less than 12 away.
        let small = [corners(2.0, 2.0, 22.0, 22.0)];
        let found = targets(&LEVELS, &small);
        assert_eq!(found.len(), 20);
        let middle = found[5].expect("the middle");
        assert_eq!(middle.distances, [10.0, 10.0, 10.0, 10.0]);
        assert_eq!(middle.centreness, 1.0);
        // At 4 and 12: edges 2, 10, 18, 10. 18 is too far for this level.
        assert_eq!(found[4], None);
        // On the second level the middle at 8 has its farthest edge 14 away: too near. 24 lies outside.
        assert_eq!(found.iter().flatten().count(), 1, "{found:?}");
    }

    #[test]
    fn the_smaller_of_two_has_the_cell() {
        let truths = [corners(0.0, 0.0, 24.0, 24.0), corners(8.0, 8.0, 16.0, 16.0)];
        let found = targets(&LEVELS, &truths);
        assert_eq!(found[5].expect("both ask").truth, 1);
        assert_eq!(found[0].map(|target| target.truth), None);
        assert_eq!(targets(&LEVELS, &[]), vec![None; 20]);
        // A box of one pixel between the middles is nobody's.
        assert_eq!(
            targets(&LEVELS, &[corners(7.5, 7.5, 8.5, 8.5)]),
            vec![None; 20]
        );
    }

    #[test]
    fn distances_make_the_box_again() {
        let truth = corners(3.0, 1.0, 29.0, 30.0);
        let levels = [Level {
            reach: [0.0, f32::INFINITY],
            ..LEVELS[0]
        }];
        let found = targets(&levels, &[truth]);
        assert!(found.iter().flatten().count() >= 4);
        for (middle, target) in levels[0].middles().zip(&found) {
            if let Some(target) = target {
                assert_eq!(box_at(middle, target.distances), truth);
                assert!(target.centreness > 0.0 && target.centreness <= 1.0);
            }
        }
        // A third and a half.
        assert!((centreness([1.0, 1.0, 3.0, 2.0]) - (1f32 / 6.0).sqrt()).abs() < 1e-6);
    }
}
