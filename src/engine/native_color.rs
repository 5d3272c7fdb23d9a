//! Colours of picture files to sRGB, as a browser does it: the networks were trained on sRGB, and a
//! camera's wider colours would look washed out to them.

use image::DynamicImage;
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

/// Takes a picture to sRGB. What a file says of its colours counts in the order in which browsers ask:
/// a PNG's code points (`cICP`), the profile inside the file, and a PNG's `sRGB`, `gAMA` and `cHRM`.
/// Whatever is damaged or does not fit the channels is passed by; a file that says nothing is sRGB.
pub fn to_srgb(image: DynamicImage, file: &[u8], icc: Option<&[u8]>) -> DynamicImage {
    let chunks = PngColors::of(file);
    if let Some(points @ [_, transfer]) = chunks.code_points {
        if let Some(profile) = of_code_points(points) {
            return convert(image, &profile);
        }
        // The brightness of films (PQ, HLG) needs more than a profile: such a picture stays as it is.
        if matches!(transfer, 16 | 18) {
            return image;
        }
    }
    let profile = icc.and_then(|icc| ColorProfile::new_from_slice(icc).ok());
    let fits = |profile: &ColorProfile| match profile.color_space {
        DataColorSpace::Rgb => image.color().has_color(),
        DataColorSpace::Gray => !image.color().has_color(),
        _ => false,
    };
    match profile.filter(fits).or_else(|| chunks.profile()) {
        Some(profile) => convert(image, &profile),
        None => image,
    }
}

/// What the chunks of a PNG before its pixels say of colours, but for the profile.
#[derive(Debug, Default)]
struct PngColors {
    /// Numbers of primaries and transfer of `cICP`.
    code_points: Option<[u8; 2]>,
    is_srgb: bool,
    /// `gAMA`: 1 over the exponent.
    gamma: Option<f32>,
    /// `cHRM`: x and y of white, red, green and blue.
    chromaticities: Option<[[f32; 2]; 4]>,
}

impl PngColors {
    fn of(file: &[u8]) -> Self {
        let mut colors = Self::default();
        let Some(mut rest) = file.strip_prefix(b"\x89PNG\r\n\x1a\n") else {
            return colors;
        };
        // Both are hundred thousandths.
        let number = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes) as f32 / 100_000.0;
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, kind @ ..] = *head;
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let Some(data) = after.get(..length) else {
                break;
            };
            let (numbers, _) = data.as_chunks::<4>();
            match (&kind, numbers) {
                (b"IDAT", _) => break,
                (b"cICP", [[primaries, transfer, 0, 1]]) => {
                    colors.code_points = Some([*primaries, *transfer]);
                }
                (b"sRGB", _) => colors.is_srgb = true,
                (b"gAMA", [gamma]) => colors.gamma = Some(number(gamma)),
                (b"cHRM", [xw, yw, xr, yr, xg, yg, xb, yb]) => {
                    let points = [[xw, yw], [xr, yr], [xg, yg], [xb, yb]];
                    colors.chromaticities = Some(points.map(|point| point.map(number)));
                }
                _ => {}
            }
            // Behind the data stands a checksum.
            rest = after.get(length + 4..).unwrap_or(&[]);
        }
        colors
    }

    /// `None` where there is nothing to convert from. `cHRM` alone says nothing, as in browsers.
    fn profile(&self) -> Option<ColorProfile> {
        let gamma = self.gamma.filter(|gamma| *gamma > 0.0 && !self.is_srgb)?;
        let mut profile = ColorProfile::new_srgb();
        match self.chromaticities {
            Some([white, red, green, blue]) => {
                let point = |[x, y]: [f32; 2]| Chromaticity { x, y };
                let sound = |[x, y]: [f32; 2]| y > 0.0 && x + y <= 1.0;
                if ![white, red, green, blue].into_iter().all(sound) {
                    return None;
                }
                let primaries = ColorPrimaries {
                    red: point(red),
                    green: point(green),
                    blue: point(blue),
                };
                profile.update_rgb_colorimetry(point(white).to_xyyb(), primaries);
            }
            // 1 / 2.2 alone is what writers say who mean sRGB.
            None if (gamma - 0.45455).abs() < 1e-4 => return None,
            None => {}
        }
        set_curve(&mut profile, 1.0 / gamma);
        Some(profile)
    }
}

/// The profile of numbers of ITU-T H.273, where browsers have one.
fn of_code_points([primaries, transfer]: [u8; 2]) -> Option<ColorProfile> {
    let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
    if color_primaries == CicpColorPrimaries::Xyz {
        return None;
    }
    let exponent = match transfer {
        // The curves of television, as its screens undo them.
        1 | 6 | 11 | 14 | 15 => Some(2.4),
        4 => Some(2.2),
        5 => Some(2.8),
        8 => Some(1.0),
        13 => None,
        _ => return None,
    };
    let mut profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics: TransferCharacteristics::Srgb,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    if let Some(exponent) = exponent {
        set_curve(&mut profile, exponent);
    }
    profile.red_trc.is_some().then_some(profile)
}

/// Light is the power of what the file holds.
fn set_curve(profile: &mut ColorProfile, exponent: f32) {
    let curve = ToneReprCurve::Parametric(vec![exponent]);
    profile.red_trc = Some(curve.clone());
    profile.green_trc = Some(curve.clone());
    profile.blue_trc = Some(curve);
    // It would be believed before the curves.
    profile.cicp = None;
}

/// A picture in the colours of a profile, in sRGB; as it is where that cannot be computed.
fn convert(image: DynamicImage, from: &ColorProfile) -> DynamicImage {
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    if from.color_space == DataColorSpace::Gray {
        // 256 values have 256 colours.
        let ramp: Vec<u8> = (0..=255).collect();
        let mut colors = vec![0; 256 * 3];
        let transform = from.create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, options);
        if transform.is_ok_and(|transform| transform.transform(&ramp, &mut colors).is_ok()) {
            let mut rgba = image.into_rgba8();
            for pixel in rgba.pixels_mut() {
                let at = usize::from(pixel[0]) * 3;
                pixel.0[..3].copy_from_slice(&colors[at..at + 3]);
            }
            return rgba.into();
        }
        return image;
    }
    let before = image.into_rgba8();
    let mut after = before.clone();
    let transform = from.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options);
    match transform.map(|transform| transform.transform(&before, &mut after)) {
        Ok(Ok(())) => after.into(),
        _ => before.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::native_host::{decode_picture, encode_png};
    use crate::protocol::picture::Picture;

    /// What the tests convert: grey, and a colour that most conversions change in all channels.
    const PIXELS: [[u8; 3]; 2] = [[128, 128, 128], [200, 120, 40]];

    /// A PNG of [`PIXELS`] with chunks behind its header.
    fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let rgba = PIXELS.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]);
        let picture = Picture::new(2, 1, rgba.collect()).expect("two pixels");
        let mut png = encode_png(&picture);
        let after = png.split_off(33);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        for (kind, data) in chunks {
            let body = [&kind[..], data].concat();
            png.extend((data.len() as u32).to_be_bytes());
            png.extend(&body);
            png.extend(crc.checksum(&body).to_be_bytes());
        }
        png.extend(after);
        png
    }

    fn gamma(value: u32) -> (&'static [u8; 4], Vec<u8>) {
        (b"gAMA", value.to_be_bytes().to_vec())
    }

    /// The primaries of Display P3.
    fn chromaticities() -> (&'static [u8; 4], Vec<u8>) {
        let numbers: [u32; 8] = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];
        (b"cHRM", numbers.map(u32::to_be_bytes).concat())
    }

    fn assert_near(name: &str, found: &[u8], expected: [u8; 3]) {
        let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(near, "{name}: {:?}, Chromium {expected:?}", &found[..3]);
    }

    /// The expected values are what `createImageBitmap` of Chromium 156 gave for the same files.
    #[test]
    fn chunks_of_a_png_count_as_in_chromium() {
        let points = |points: [u8; 4]| (b"cICP", points.to_vec());
        let [grey, colour] = PIXELS;
        let damaged = (b"iCCP", b"x\0\0nonsense".to_vec());
        for (name, chunks, expected) in [
            ("nothing", vec![], PIXELS),
            ("linear", vec![gamma(100_000)], [[188; 3], [229, 183, 110]]),
            ("1/2.2 alone", vec![gamma(45_455)], PIXELS),
            (
                "gamma and P3",
                vec![gamma(55_556), chromaticities()],
                [[146; 3], [222, 135, 18]],
            ),
            ("primaries alone", vec![chromaticities()], PIXELS),
            (
                "sRGB before gamma",
                vec![(b"sRGB", vec![0]), gamma(100_000)],
                PIXELS,
            ),
            (
                "a damaged profile",
                vec![damaged, gamma(100_000), chromaticities()],
                [[188; 3], [238, 180, 97]],
            ),
            (
                "points of P3 before gamma",
                vec![points([12, 13, 0, 1]), gamma(100_000)],
                [grey, [213, 115, 0]],
            ),
            (
                "points of BT.2020",
                vec![points([9, 14, 0, 1])],
                [[121; 3], [235, 96, 0]],
            ),
            (
                "unknown points",
                vec![points([99, 99, 0, 1])],
                [grey, colour],
            ),
        ] {
            let picture = decode_picture(&png(&chunks)).expect(name);
            for (found, expected) in picture.rgba.chunks_exact(4).zip(expected) {
                assert_near(name, found, expected);
            }
        }
    }

    /// Patches in Display P3, by column and row, and what Chromium 156 shows of them.
    #[test]
    fn a_profile_is_applied_as_in_chromium() {
        let picture = decode_picture(include_bytes!("../../tests/cases/p3-patches.png"));
        let picture = picture.expect("a picture");
        for (x, y, expected) in [
            (0, 0, [255, 0, 0]),
            (64, 0, [3, 255, 0]),
            (128, 0, [0, 0, 255]),
        ] {
            let at = (y * picture.width + x) * 4;
            assert_near(&format!("{x}, {y}"), &picture.rgba[at..], expected);
        }
    }
}
