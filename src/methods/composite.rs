//! What is done with a matte: tint, blur, replace, cut out.

use crate::protocol::picture::Picture;

use super::resize::stretch_rgb;

/// What stands behind the person, or over it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect<'a> {
    /// The person tinted with a colour of this opacity, 0 to 1.
    Tint { color: [u8; 3], opacity: f32 },
    /// The background blurred; standard deviation in pixels.
    Blur { sigma: f32 },
    /// The background replaced by one colour.
    Color([u8; 3]),
    /// The background replaced by a picture that covers it, cut at the sides that stick out.
    Picture(&'a Picture),
    /// The background made transparent.
    CutOut,
}

/// Applies an effect. `alpha` holds, for each pixel, 0 for background to 255 for person.
pub fn compose(picture: &Picture, alpha: &[u8], effect: &Effect) -> Picture {
    let background: Vec<u8> = match effect {
        Effect::CutOut => return cut_out(picture, alpha),
        Effect::Tint { color, opacity } => return tint(picture, alpha, *color, *opacity),
        Effect::Color(color) => color.repeat(alpha.len()),
        Effect::Blur { sigma } => blur(picture, *sigma),
        Effect::Picture(other) => cover(other, picture.width, picture.height),
    };
    let mut rgba = picture.rgba.clone();
    for ((pixel, &a), behind) in rgba
        .chunks_exact_mut(4)
        .zip(alpha)
        .zip(background.chunks_exact(3))
    {
        // A transparent foreground pixel shows what is behind it, too.
        let weight = u32::from(a) * u32::from(pixel[3]) / 255;
        for channel in 0..3 {
            pixel[channel] = mix(pixel[channel], behind[channel], weight);
        }
        pixel[3] = 255;
    }
    Picture { rgba, ..*picture }
}

/// `weight` of 255 parts `over`, the rest `under`.
fn mix(over: u8, under: u8, weight: u32) -> u8 {
    ((u32::from(over) * weight + u32::from(under) * (255 - weight) + 127) / 255) as u8
}

fn cut_out(picture: &Picture, alpha: &[u8]) -> Picture {
    let mut rgba = picture.rgba.clone();
    for (pixel, &a) in rgba.chunks_exact_mut(4).zip(alpha) {
        pixel[3] = mix(pixel[3], 0, u32::from(a));
    }
    Picture { rgba, ..*picture }
}

fn tint(picture: &Picture, alpha: &[u8], color: [u8; 3], opacity: f32) -> Picture {
    let mut rgba = picture.rgba.clone();
    for (pixel, &a) in rgba.chunks_exact_mut(4).zip(alpha) {
        let weight = (f32::from(a) * opacity.clamp(0.0, 1.0)).round() as u32;
        for channel in 0..3 {
            pixel[channel] = mix(color[channel], pixel[channel], weight);
        }
    }
    Picture { rgba, ..*picture }
}

/// RGB of the picture, blurred.
fn blur(picture: &Picture, sigma: f32) -> Vec<u8> {
    let rgb = stretch_rgb(picture, picture.width, picture.height);
    let buffer = image::RgbImage::from_raw(picture.width as u32, picture.height as u32, rgb)
        .expect("three bytes a pixel");
    image::imageops::fast_blur(&buffer, sigma.max(0.1)).into_raw()
}

/// RGB of the middle of a picture, scaled to cover `width` x `height`.
fn cover(picture: &Picture, width: usize, height: usize) -> Vec<u8> {
    let scale = (width as f32 / picture.width as f32).max(height as f32 / picture.height as f32);
    let crop_width = ((width as f32 / scale).round() as usize).clamp(1, picture.width);
    let crop_height = ((height as f32 / scale).round() as usize).clamp(1, picture.height);
    let (left, top) = (
        (picture.width - crop_width) / 2,
        (picture.height - crop_height) / 2,
    );
    let rgba = (top..top + crop_height)
        .flat_map(|row| {
            let start = (row * picture.width + left) * 4;
            picture.rgba[start..start + crop_width * 4].iter().copied()
        })
        .collect();
    stretch_rgb(
        &Picture {
            width: crop_width,
            height: crop_height,
            rgba,
        },
        width,
        height,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two grey pixels, person on the left, background on the right, half in the middle.
    fn row() -> (Picture, [u8; 3]) {
        let rgba = [[100, 100, 100, 255]; 3].concat();
        (
            Picture::new(3, 1, rgba).expect("three pixels"),
            [255, 128, 0],
        )
    }

    #[test]
    fn a_new_background_shows_where_nobody_is() {
        let (picture, alpha) = row();
        let out = compose(&picture, &alpha, &Effect::Color([200, 0, 0]));
        // Middle: (100 * 128 + 200 * 127) / 255 = 149.8, (100 * 128) / 255 = 50.2.
        assert_eq!(
            out.rgba,
            [100, 100, 100, 255, 150, 50, 50, 255, 200, 0, 0, 255]
        );
    }

    #[test]
    fn a_cut_out_keeps_colours_and_sets_alpha() {
        let (picture, alpha) = row();
        let out = compose(&picture, &alpha, &Effect::CutOut);
        assert_eq!(
            out.rgba,
            [100, 100, 100, 255, 100, 100, 100, 128, 100, 100, 100, 0]
        );
    }

    #[test]
    fn a_tint_of_no_opacity_changes_nothing() {
        let (picture, alpha) = row();
        assert_eq!(
            compose(
                &picture,
                &alpha,
                &Effect::Tint {
                    color: [9, 9, 9],
                    opacity: 0.0
                }
            ),
            picture
        );
        let full = compose(
            &picture,
            &alpha,
            &Effect::Tint {
                color: [9, 9, 9],
                opacity: 1.0,
            },
        );
        assert_eq!(full.rgba[..3], [9, 9, 9]);
        assert_eq!(full.rgba[8..11], [100, 100, 100]);
    }

    #[test]
    fn a_blurred_flat_picture_is_the_same_picture() {
        let (picture, alpha) = row();
        assert_eq!(
            compose(&picture, &alpha, &Effect::Blur { sigma: 2.0 }),
            picture
        );
    }

    #[test]
    fn a_background_picture_is_cut_at_its_middle() {
        // A 3 x 3 background for a 3 x 1 picture: the middle row.
        let rows = [[10u8; 12], [20; 12], [30; 12]].concat();
        let mut other = Picture::new(3, 3, rows).expect("nine pixels");
        other.rgba.chunks_exact_mut(4).for_each(|p| p[3] = 255);
        let (picture, _) = row();
        let out = compose(&picture, &[0, 0, 0], &Effect::Picture(&other));
        assert!(
            out.rgba.chunks_exact(4).all(|p| p == [20, 20, 20, 255]),
            "{:?}",
            out.rgba
        );
    }
}
