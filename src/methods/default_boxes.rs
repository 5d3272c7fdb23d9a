//! The grid of default boxes ("anchors", "priors") of SSD.
//!
//! # Reference
//! Liu et al. 2016, section 2.2; a first map with fewer shapes is that of the TensorFlow object
//! detection API (`ssd_anchor_generator`).

use crate::maths::boxes::CentreSize;

/// How the default boxes of a network are laid out. All numbers are shares of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefaultBoxes {
    /// Cells in a row and in a column of each feature map, from fine to coarse.
    pub cells: &'static [usize],
    /// Scale of the first and of the last map; those between are evenly spaced.
    pub scales: [f32; 2],
    /// Aspect ratios of each map; a square between a map's scale and the next one's comes on top.
    pub ratios: &'static [f32],
    /// Scale and aspect ratio of each shape of the first map, where it has shapes of its own.
    pub first: Option<&'static [[f32; 2]]>,
}

impl DefaultBoxes {
    /// Width, height and aspect ratio of the boxes of one map, in the network's order.
    pub fn shapes(&self, map: usize) -> Vec<[f32; 3]> {
        let shape = |scale: f32, ratio: f32| [scale * ratio.sqrt(), scale / ratio.sqrt(), ratio];
        if let (0, Some(first)) = (map, self.first) {
            return first.iter().map(|&[s, ratio]| shape(s, ratio)).collect();
        }
        let between = (self.scale(map) * self.scale(map + 1)).sqrt();
        self.ratios
            .iter()
            .map(|&ratio| shape(self.scale(map), ratio))
            .chain([shape(between, 1.0)])
            .collect()
    }

    /// All boxes: maps from fine to coarse, cells by row, shapes inside a cell.
    pub fn boxes(&self) -> Vec<CentreSize> {
        let mut boxes = Vec::new();
        for (map, &cells) in self.cells.iter().enumerate() {
            let shapes = self.shapes(map);
            for row in 0..cells {
                for column in 0..cells {
                    let centre = |index: usize| (index as f32 + 0.5) / cells as f32;
                    boxes.extend(shapes.iter().map(|&[width, height, _]| CentreSize {
                        cx: centre(column),
                        cy: centre(row),
                        width,
                        height,
                    }));
                }
            }
        }
        boxes
    }

    /// Scale of a map; 1 after the last.
    fn scale(&self, map: usize) -> f32 {
        if map >= self.cells.len() {
            return 1.0;
        }
        let steps = (self.cells.len() - 1).max(1);
        let [from, to] = self.scales;
        from + (to - from) * map as f32 / steps as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_MAPS: DefaultBoxes = DefaultBoxes {
        cells: &[4, 2, 1],
        scales: [0.2, 0.8],
        ratios: &[1.0, 2.0, 0.5],
        first: None,
    };

    #[test]
    fn maps_cells_and_shapes_in_order_by_hand() {
        let boxes = THREE_MAPS.boxes();
        assert_eq!(boxes.len(), (16 + 4 + 1) * 4);
        // The second cell is the next column, not the next row.
        assert_eq!((boxes[0].cx, boxes[0].cy), (0.125, 0.125));
        assert_eq!((boxes[4].cx, boxes[4].cy), (0.375, 0.125));
        // The second map's scale is halfway, 0.5; its first ratio is 1.
        assert_eq!(boxes[64].cx, 0.25);
        assert!((boxes[64].width - 0.5).abs() < 1e-6);
        // Last box: the one cell of the last map, between the scales 0.8 and 1.
        let last = boxes[boxes.len() - 1];
        assert_eq!((last.cx, last.cy), (0.5, 0.5));
        assert!((last.width - 0.8f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_ratio_changes_the_shape_and_keeps_the_area() {
        for map in 0..3 {
            let scale = THREE_MAPS.scale(map);
            for [width, height, ratio] in &THREE_MAPS.shapes(map)[..3] {
                assert!((width / height - ratio).abs() < 1e-4);
                assert!((width * height - scale * scale).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn one_map_has_the_first_scale_and_none_has_no_boxes() {
        let one = DefaultBoxes {
            cells: &[1],
            ..THREE_MAPS
        };
        assert_eq!(one.boxes().len(), 4);
        assert_eq!(one.boxes()[0].width, 0.2);
        let none = DefaultBoxes {
            cells: &[],
            ..THREE_MAPS
        };
        assert!(none.boxes().is_empty());
    }
}
