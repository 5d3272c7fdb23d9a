//! The grid of default boxes ("anchors", "priors") of SSD.
//!
//! # Reference
//! Liu et al. 2016, section 2.2, with the scales and the reduced first map of the TensorFlow
//! object detection API (`ssd_anchor_generator`).

/// Cells in a row of each feature map for an input of 300 pixels.
pub const MAP_CELLS: [usize; 6] = [19, 10, 5, 3, 2, 1];
/// Scale of the first and of the last map, as a share of the picture.
const SCALES: [f32; 2] = [0.2, 0.95];
/// The ratios of every map but the first; a box between two scales comes on top.
const RATIOS: [f32; 5] = [1.0, 2.0, 0.5, 3.0, 1.0 / 3.0];

/// A default box by centre and size, as shares of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefaultBox {
    /// Centre from the left.
    pub cx: f32,
    /// Centre from the top.
    pub cy: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Width, height and aspect ratio of the boxes of one map, in the network's order.
pub fn shapes(map: usize) -> Vec<[f32; 3]> {
    let shape = |scale: f32, ratio: f32| [scale * ratio.sqrt(), scale / ratio.sqrt(), ratio];
    if map == 0 {
        return vec![
            shape(0.1, 1.0),
            shape(SCALES[0], 2.0),
            shape(SCALES[0], 0.5),
        ];
    }
    let between = (scale(map) * scale(map + 1)).sqrt();
    RATIOS
        .iter()
        .map(|&ratio| shape(scale(map), ratio))
        .chain([shape(between, 1.0)])
        .collect()
}

/// Scale of a map; 1 after the last.
fn scale(map: usize) -> f32 {
    let last = MAP_CELLS.len() - 1;
    if map > last {
        return 1.0;
    }
    SCALES[0] + (SCALES[1] - SCALES[0]) * map as f32 / last as f32
}

/// All 1,917 boxes: maps from fine to coarse, cells by row, shapes inside a cell.
pub fn default_boxes() -> Vec<DefaultBox> {
    let mut boxes = Vec::new();
    for (map, &cells) in MAP_CELLS.iter().enumerate() {
        let shapes = shapes(map);
        for row in 0..cells {
            for column in 0..cells {
                let centre = |index: usize| (index as f32 + 0.5) / cells as f32;
                boxes.extend(shapes.iter().map(|&[width, height, _]| DefaultBox {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_1917() {
        assert_eq!(default_boxes().len(), 1917);
    }

    #[test]
    fn first_and_last_boxes_by_hand() {
        let boxes = default_boxes();
        // First cell of 19: centre at half a cell; shapes (0.1, 1), (0.2, 2), (0.2, 1/2).
        let first = boxes[0];
        assert_eq!((first.cx, first.cy), (0.5 / 19.0, 0.5 / 19.0));
        assert_eq!((first.width, first.height), (0.1, 0.1));
        assert!((boxes[1].width - 0.2 * 2f32.sqrt()).abs() < 1e-6);
        assert!((boxes[1].height - 0.2 / 2f32.sqrt()).abs() < 1e-6);
        // The second cell is the next column, not the next row.
        assert_eq!((boxes[3].cx, boxes[3].cy), (1.5 / 19.0, 0.5 / 19.0));
        // Last box: the one cell of the last map, between the scales 0.95 and 1.
        let last = boxes[1916];
        assert_eq!((last.cx, last.cy), (0.5, 0.5));
        assert!((last.width - 0.95f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_ratio_changes_the_shape_and_keeps_the_area() {
        for map in 1..6 {
            let shapes = shapes(map);
            for [width, height, ratio] in &shapes[..5] {
                assert!((width / height - ratio).abs() < 1e-4);
                assert!((width * height - scale(map) * scale(map)).abs() < 1e-5);
            }
        }
    }
}
