//! The one resize that a network sees, in the page, on the command line and in the tests.

use burn::tensor::{Device, Tensor, TensorData};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::protocol::picture::{Picture, over_white};

/// Stretches a picture to `width` x `height` and returns RGB, `width * height * 3` bytes by row.
///
/// Bilinear with a support that grows when shrinking (a triangle filter, as in Pillow), so that
/// small networks see no aliasing. Transparent pixels are laid over white.
pub fn stretch_rgb(picture: &Picture, width: usize, height: usize) -> Vec<u8> {
    let rgba = stretch_opaque(picture, width, height);
    rgba.chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect()
}

/// The same as RGBA, whose fourth byte says nothing.
pub fn stretch_opaque(picture: &Picture, width: usize, height: usize) -> Vec<u8> {
    let opaque;
    let rgba = if picture.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255) {
        &picture.rgba
    } else {
        let mut rgba = picture.rgba.clone();
        over_white(&mut rgba);
        opaque = rgba;
        &opaque
    };
    resize::<U8x4>(rgba, [picture.width, picture.height], [width, height])
}

/// Stretches the part of RGBA bytes between left, upper, right and lower edge, in pixels of which a part counts as well;
/// what lies beside them leans in, as between any two pixels. The part lies in the picture and has a size.
pub fn stretch_part(
    rgba: &[u8],
    from: [usize; 2],
    [left, top, right, bottom]: [f32; 4],
    to: [usize; 2],
) -> Vec<u8> {
    let [left, top, right, bottom] = [left, top, right, bottom].map(f64::from);
    let options = options().crop(left, top, right - left, bottom - top);
    resize_by::<U8x4>(rgba, from, to, &options)
}

/// Columns and rows of a picture whose longer side becomes `side` pixels, rounded, at least 1 each. Neither of `size` may
/// be 0.
pub fn size_in_square(size: [usize; 2], side: usize) -> [usize; 2] {
    let longer = size[0].max(size[1]);
    size.map(|of| ((of * side + longer / 2) / longer).clamp(1, side.max(1)))
}

/// Stretches one channel of bytes with the same filter.
pub fn stretch_gray(gray: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    resize::<U8>(gray, from, to)
}

fn options() -> ResizeOptions {
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .use_alpha(false)
}

fn resize<P: PixelTrait<Component = u8>>(
    bytes: &[u8],
    from: [usize; 2],
    to: [usize; 2],
) -> Vec<u8> {
    if from == to {
        return bytes.to_vec();
    }
    resize_by::<P>(bytes, from, to, &options())
}

/// Typed, so that the program holds the code of two kinds of pixels and not of fifteen.
fn resize_by<P: PixelTrait<Component = u8>>(
    bytes: &[u8],
    from: [usize; 2],
    to: [usize; 2],
    options: &ResizeOptions,
) -> Vec<u8> {
    let source = TypedImageRef::<P>::from_buffer(from[0] as u32, from[1] as u32, bytes)
        .expect("a Picture has as many bytes as its size says");
    let mut target = TypedImage::<P>::new(to[0] as u32, to[1] as u32);
    Resizer::new()
        .resize_typed(&source, &mut target, options)
        .expect("neither picture is empty");
    P::components(target.pixels()).to_vec()
}

/// RGB bytes by row to a tensor `[1, 3, height, width]` of `byte * scale + offset`.
pub fn to_tensor(
    rgb: &[u8],
    width: usize,
    height: usize,
    scale: f32,
    offset: f32,
    device: &Device,
) -> Tensor<4> {
    let pixels = width * height;
    let mut values = vec![0f32; pixels * 3];
    for (index, pixel) in rgb.chunks_exact(3).enumerate() {
        for channel in 0..3 {
            values[channel * pixels + index] = f32::from(pixel[channel]) * scale + offset;
        }
    }
    Tensor::from_data(TensorData::new(values, [1, 3, height, width]), device)
}

/// Columns and rows of a picture whose longer side is at most `longest`: smaller ones stay.
pub fn working_size(picture: &Picture, longest: usize) -> [usize; 2] {
    let longer = picture.width.max(picture.height);
    let limit = longest.min(longer);
    [picture.width, picture.height].map(|side| ((side * limit + longer / 2) / longer).max(1))
}

/// RGB bytes with the last column and row repeated until both sides are multiples of `multiple` and
/// at least `smallest`; with the new columns and rows.
pub fn extend(
    rgb: &[u8],
    [width, height]: [usize; 2],
    multiple: usize,
    smallest: usize,
) -> (Vec<u8>, [usize; 2]) {
    let [wide, high] = [width, height].map(|side| side.next_multiple_of(multiple).max(smallest));
    let mut extended = Vec::with_capacity(wide * high * 3);
    for y in 0..high {
        let row = &rgb[y.min(height - 1) * width * 3..][..width * 3];
        extended.extend_from_slice(row);
        for _ in width..wide {
            extended.extend_from_slice(&row[width * 3 - 3..]);
        }
    }
    (extended, [wide, high])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gray(width: usize, height: usize, values: &[u8]) -> Picture {
        let rgba = values.iter().flat_map(|&v| [v, v, v, 255]).collect();
        Picture::new(width, height, rgba).expect("right size")
    }

    fn first_channel(rgb: Vec<u8>) -> Vec<u8> {
        rgb.into_iter().step_by(3).collect()
    }

    #[test]
    fn halving_weighs_neighbours_by_a_triangle() {
        // Output centre 1 of 0..4 -> 0..2: weights 1/8 3/8 3/8 1/8 of pixels -1..3, cut at the
        // border and normalised: (3*0 + 3*80 + 1*160) / 7 = 57.1 and (1*80 + 3*160 + 3*240) / 7 = 182.9.
        assert_eq!(
            first_channel(stretch_rgb(&gray(4, 1, &[0, 80, 160, 240]), 2, 1)),
            [57, 183]
        );
    }

    #[test]
    fn doubling_interpolates_at_half_pixel_centres() {
        // Centres at -0.25, 0.25, 0.75, 1.25 pixels: 0, 25, 75, 100.
        assert_eq!(
            first_channel(stretch_rgb(&gray(2, 1, &[0, 100]), 4, 1)),
            [0, 25, 75, 100]
        );
    }

    #[test]
    fn a_part_is_stretched_by_itself() {
        let ramp: Vec<u8> = (0..8).flat_map(|v| [10 * v, 0, 0, 255]).collect();
        // The two pixels 20 and 30, doubled. Their centres are at 2.5 and 3.5; those of the output at 2.25, 2.75, 3.25 and 3.75, so
        // that its first and last pixel lean to the neighbours 10 and 40.
        let part = stretch_part(&ramp, [8, 1], [2.0, 0.0, 4.0, 1.0], [4, 1]);
        let red: Vec<u8> = part.into_iter().step_by(4).collect();
        assert_eq!(red, [18, 23, 28, 33]);
    }

    #[test]
    fn transparency_is_laid_over_white() {
        let picture = Picture::new(1, 1, vec![0, 0, 0, 0]).expect("one pixel");
        assert_eq!(stretch_rgb(&picture, 1, 1), [255, 255, 255]);
        let half = Picture::new(1, 1, vec![0, 100, 200, 128]).expect("one pixel");
        // c * 128/255 + 255 * 127/255, rounded.
        assert_eq!(stretch_rgb(&half, 1, 1), [127, 177, 227]);
    }

    #[test]
    fn channels_become_planes() {
        let tensor = to_tensor(&[0, 1, 2, 3, 4, 5], 2, 1, 1.0, 10.0, &Device::flex());
        tensor.into_data().assert_eq(
            &TensorData::from([[[[10f32, 13.0]], [[11.0, 14.0]], [[12.0, 15.0]]]]),
            true,
        );
    }

    fn empty(width: usize, height: usize) -> Picture {
        Picture::new(width, height, vec![99; width * height * 4]).expect("right size")
    }

    #[test]
    fn pictures_shrink_to_the_size_and_never_grow() {
        assert_eq!(working_size(&empty(400, 300), 200), [200, 150]);
        assert_eq!(working_size(&empty(40, 30), 512), [40, 30]);
        assert_eq!(working_size(&empty(1, 2000), 512), [1, 512]);
    }

    #[test]
    fn the_last_column_and_row_are_repeated() {
        let (extended, size) = extend(&[1, 2, 3, 4, 5, 6], [2, 1], 4, 16);
        assert_eq!(size, [16, 16]);
        assert_eq!(extended.len(), 16 * 16 * 3);
        let pixel = |x: usize, y: usize| &extended[(y * 16 + x) * 3..][..3];
        assert_eq!(pixel(0, 0), [1, 2, 3]);
        assert_eq!(pixel(15, 0), [4, 5, 6]);
        assert_eq!(pixel(0, 15), [1, 2, 3]);
        assert_eq!(pixel(15, 15), [4, 5, 6]);
    }

    proptest! {
        #[test]
        fn a_flat_picture_stays_flat(value: u8, w in 1usize..40, h in 1usize..40, to_w in 1usize..40, to_h in 1usize..40) {
            let rgb = stretch_rgb(&gray(w, h, &vec![value; w * h]), to_w, to_h);
            prop_assert_eq!(rgb, vec![value; to_w * to_h * 3]);
        }
    }
}
