//! A decoded picture, and many small ones.

use serde::{Deserialize, Serialize};

/// Longest side that is decoded in full; the browser shrinks larger pictures to it.
pub const MAX_SIDE: usize = 4096;
/// Most pixels, in megapixels, of a picture that is decoded at all.
pub const MAX_MEGAPIXELS: usize = 64;
/// Most bytes, in MB, of a picture file.
pub const MAX_MEGABYTES: usize = 64;

/// Quality of JPEG files, of 100: below, the grain of paint begins to blur.
pub const JPEG_QUALITY: u8 = 92;

/// RGBA pixels, 8 bits a channel, alpha not premultiplied, by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// A picture from its pixels; `None` if their number is not `width * height`, or zero.
    pub fn new(width: usize, height: usize, rgba: Vec<u8>) -> Option<Self> {
        let pixels = width.checked_mul(height)?;
        (pixels > 0 && Some(rgba.len()) == pixels.checked_mul(4)).then_some(Self {
            width,
            height,
            rgba,
        })
    }
}

/// Width and height after shrinking to [`MAX_SIDE`], at the same aspect ratio, at least 1 x 1.
pub fn fit(width: usize, height: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest <= MAX_SIDE {
        return (width, height);
    }
    let scale = |side: usize| ((side * MAX_SIDE + longest / 2) / longest).max(1);
    (scale(width), scale(height))
}

/// RGBA by pixel, opaque, of RGB.
pub fn opaque(rgb: &[u8]) -> Vec<u8> {
    let pixels = rgb.as_chunks::<3>().0.iter();
    pixels.flat_map(|&[r, g, b]| [r, g, b, 255]).collect()
}

/// RGB by pixel, of RGBA.
pub fn rgb_of(rgba: &[u8]) -> Vec<u8> {
    let pixels = rgba.as_chunks::<4>().0.iter();
    pixels.flat_map(|&[r, g, b, _]| [r, g, b]).collect()
}

/// Lays RGBA pixels over white: what is transparent is white to the networks, on the stage and in files.
pub fn over_white(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4).filter(|pixel| pixel[3] < 255) {
        let alpha = u32::from(pixel[3]);
        for channel in &mut pixel[..3] {
            *channel = ((u32::from(*channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
}

/// A sheet of pictures of one size, row by row. Beside it the file `rgba`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Pixels of a picture's side.
    pub side: u32,
    /// Pictures in a row.
    pub columns: u32,
    /// Rows of pictures.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_pictures_shrink() {
        assert_eq!(fit(4096, 3000), (4096, 3000));
        assert_eq!(fit(8192, 2048), (4096, 1024));
        assert_eq!(fit(1, 100_000), (1, 4096));
    }

    #[test]
    fn what_is_transparent_is_white() {
        let mut rgba = [[0, 0, 0, 0], [0, 100, 255, 128], [1, 2, 3, 255]].concat();
        over_white(&mut rgba);
        assert_eq!(
            rgba,
            [[255, 255, 255, 255], [127, 177, 255, 255], [1, 2, 3, 255]].concat()
        );
    }

    #[test]
    fn the_pixels_must_fit_the_size() {
        assert!(Picture::new(2, 1, vec![0; 8]).is_some());
        assert!(Picture::new(2, 1, vec![0; 7]).is_none());
        assert!(Picture::new(0, 5, vec![]).is_none());
        assert!(Picture::new(usize::MAX, 4, vec![]).is_none());
    }
}
