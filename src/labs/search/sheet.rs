//! Several pictures of one size as one, side by side.

use super::passes::interleave;
use crate::protocol::picture::Picture;

/// Pixels between two pictures.
pub const GAP: usize = 4;
/// What stands there.
const BETWEEN: [u8; 4] = [255; 4];

/// Columns of so many pictures: as nearly square as it goes.
pub fn columns(count: usize) -> usize {
    (1..).find(|side| side * side >= count).unwrap_or(1)
}

/// Pictures of `[3, height, width]`, values 0 to 1, one behind the other, in so many columns.
pub fn sheet(pictures: &[f32], [height, width]: [usize; 2], columns: usize) -> Picture {
    let one = 3 * height * width;
    let count = pictures.len() / one;
    let rows = count.div_ceil(columns);
    let [wide, high] = [
        columns * width + (columns - 1) * GAP,
        rows * height + (rows - 1) * GAP,
    ];
    let mut rgba = BETWEEN.repeat(wide * high);
    for (index, picture) in pictures.chunks_exact(one).enumerate() {
        let rgb = interleave(picture, height * width);
        let [left, top] = [
            index % columns * (width + GAP),
            index / columns * (height + GAP),
        ];
        for (row, line) in rgb.chunks_exact(3 * width).enumerate() {
            let start = ((top + row) * wide + left) * 4;
            let place = rgba[start..start + 4 * width].chunks_exact_mut(4);
            for (pixel, rgb) in place.zip(line.chunks_exact(3)) {
                pixel[..3].copy_from_slice(rgb);
            }
        }
    }
    Picture {
        width: wide,
        height: high,
        rgba,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_rows() {
        assert_eq!([1, 2, 3, 4, 5].map(columns), [1, 2, 2, 2, 3]);
        // Three pictures of one pixel, red by their number.
        let pictures: Vec<f32> = (1..=3).flat_map(|n| [n as f32 / 255.0, 0.0, 0.0]).collect();
        let made = sheet(&pictures, [1, 1], 2);
        assert_eq!([made.width, made.height], [6, 6]);
        let at = |x: usize, y: usize| made.rgba[(y * 6 + x) * 4];
        assert_eq!([at(0, 0), at(5, 0), at(0, 5)], [1, 2, 3]);
        assert_eq!([at(1, 0), at(5, 5)], [255, 255]);
    }
}
