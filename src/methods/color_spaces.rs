//! Colours as other numbers than red, green and blue: what is far apart in one space is near in another.

/// A colour space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Red, green, blue of sRGB.
    Rgb,
    /// CIE L*a*b* for the white of daylight (D65): distances are about as large as they look.
    Lab,
    /// Hue, saturation, value: hue does not change with shadow.
    Hsv,
}

/// Three planes of a picture of opaque RGB pixels, each scaled so that its range is about 0 to 255.
pub fn planes(rgb: &[u8], space: Space) -> Vec<f32> {
    let pixels = rgb.as_chunks::<3>().0;
    let mut planes = vec![0.0; 3 * pixels.len()];
    // The curve of sRGB is asked for 256 values only.
    let linear: Vec<f32> = match space {
        Space::Lab => (0..=255).map(linear).collect(),
        Space::Rgb | Space::Hsv => Vec::new(),
    };
    for (at, &pixel) in pixels.iter().enumerate() {
        let numbers = match space {
            Space::Rgb => pixel.map(f32::from),
            Space::Lab => lab(pixel.map(|value| linear[usize::from(value)])),
            Space::Hsv => hsv(pixel.map(f32::from)),
        };
        for (plane, number) in numbers.into_iter().enumerate() {
            planes[plane * pixels.len() + at] = number;
        }
    }
    planes
}

/// A channel of sRGB as light, 0 to 1 (IEC 61966-2-1).
fn linear(value: u8) -> f32 {
    let share = f32::from(value) / 255.0;
    if share <= 0.04045 {
        share / 12.92
    } else {
        ((share + 0.055) / 1.055).powf(2.4)
    }
}

/// L* from 0 to 255 instead of 100, a* and b* around 128.
fn lab([r, g, b]: [f32; 3]) -> [f32; 3] {
    let of_white = [
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.950456,
        0.2126729 * r + 0.715_152_2 * g + 0.0721750 * b,
        (0.0193339 * r + 0.119_192 * g + 0.9503041 * b) / 1.088754,
    ];
    let [x, y, z] = of_white.map(|share: f32| {
        if share > 0.008856 {
            share.cbrt()
        } else {
            7.787 * share + 16.0 / 116.0
        }
    });
    [
        2.55 * (116.0 * y - 16.0),
        500.0 * (x - y) + 128.0,
        200.0 * (y - z) + 128.0,
    ]
}

/// All three from 0 to 255; grey has hue 0.
fn hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let range = most - least;
    if range == 0.0 {
        return [0.0, 0.0, most];
    }
    let sixths = if most == r {
        ((g - b) / range).rem_euclid(6.0)
    } else if most == g {
        (b - r) / range + 2.0
    } else {
        (r - g) / range + 4.0
    };
    [sixths * 255.0 / 6.0, 255.0 * range / most, most]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(space: Space, rgb: [u8; 3], wanted: [f32; 3]) {
        let found = planes(&rgb, space);
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(
                (found - wanted).abs() < 0.3,
                "{space:?} of {rgb:?}: {found}"
            );
        }
    }

    #[test]
    fn colours_have_the_numbers_of_the_tables() {
        close(Space::Rgb, [1, 2, 3], [1.0, 2.0, 3.0]);
        // CIE L*a*b* of sRGB's red: 53.24, 80.09, 67.20; of white: 100, 0, 0.
        close(Space::Lab, [255, 0, 0], [135.8, 208.1, 195.2]);
        close(Space::Lab, [255, 255, 255], [255.0, 128.0, 128.0]);
        close(Space::Lab, [0, 0, 0], [0.0, 128.0, 128.0]);
        // Green is at a third, blue at two thirds of the circle.
        close(Space::Hsv, [0, 128, 0], [85.0, 255.0, 128.0]);
        close(Space::Hsv, [0, 0, 255], [170.0, 255.0, 255.0]);
        close(Space::Hsv, [90, 90, 90], [0.0, 0.0, 90.0]);
        close(Space::Hsv, [255, 0, 1], [254.8, 255.0, 255.0]);
    }
}
