//! The anchors of a region proposal network: boxes of a few sizes and shapes around the middle of each cell of a map.
//!
//! # Reference
//! Ren et al. 2015, "Faster R-CNN", section 3.1.1.

use super::centres::Level;
use crate::maths::boxes::{CentreSize, Corners};

/// The shapes around each cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchors {
    /// Sides in pixels of the squares.
    pub sizes: &'static [f32],
    /// Heights by widths; each keeps the area of the square.
    pub ratios: &'static [f32],
}

impl Anchors {
    /// Widths and heights in pixels: for each ratio all sizes.
    pub fn shapes(&self) -> Vec<[f32; 2]> {
        let of_ratio = |&ratio: &f32| {
            self.sizes
                .iter()
                .map(move |size| [size / ratio.sqrt(), size * ratio.sqrt()])
        };
        self.ratios.iter().flat_map(of_ratio).collect()
    }

    /// All anchors of a map in pixels of the network's input: cells by row, in each the shapes.
    pub fn boxes(&self, level: &Level) -> Vec<Corners> {
        let shapes = self.shapes();
        let around = |[cx, cy]: [f32; 2]| {
            let shapes = shapes.clone().into_iter();
            shapes.map(move |[width, height]| {
                CentreSize {
                    cx,
                    cy,
                    width,
                    height,
                }
                .corners()
            })
        };
        level.middles().flat_map(around).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_worked_by_hand() {
        let anchors = Anchors {
            sizes: &[16.0],
            ratios: &[1.0, 4.0],
        };
        assert_eq!(anchors.shapes(), [[16.0, 16.0], [8.0, 32.0]]);
        let level = Level {
            stride: 8,
            rows: 1,
            columns: 2,
            reach: [0.0, f32::INFINITY],
        };
        let boxes = anchors.boxes(&level);
        assert_eq!(boxes.len(), 4);
        // Around 12, 4.
        let [x0, y0, x1, y1] = [8.0, -12.0, 16.0, 20.0];
        assert_eq!(boxes[3], Corners { x0, y0, x1, y1 });
    }
}
