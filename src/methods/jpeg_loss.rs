//! What JPEG leaves of a picture: its rounding, without the file.

/// The luminance and the chrominance table of the standard (ITU-T T.81, annex K.1), row by row.
const TABLES: [[u8; 64]; 2] = [
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69,
        56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81,
        104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ],
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99,
        99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
];

/// The tables of a quality from 1 to 100, scaled as the Independent JPEG Group's library does.
fn table(of: &[u8; 64], quality: u32) -> [f32; 64] {
    let scale = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    of.map(|entry| ((u32::from(entry) * scale + 50) / 100).clamp(1, 255) as f32)
}

/// The 8 x 8 matrix of the discrete cosine transform, by row.
fn cosines() -> [[f32; 8]; 8] {
    std::array::from_fn(|k| {
        let scale = if k == 0 { 0.125f32.sqrt() } else { 0.5 };
        std::array::from_fn(|n| {
            let angle = std::f32::consts::PI / 16.0 * (2 * n + 1) as f32 * k as f32;
            scale * angle.cos()
        })
    })
}

/// `m * block * m^T`, or with `m` transposed.
fn transformed(block: &[[f32; 8]; 8], m: &[[f32; 8]; 8], back: bool) -> [[f32; 8]; 8] {
    let at = |i: usize, j: usize| if back { m[j][i] } else { m[i][j] };
    let half: [[f32; 8]; 8] = std::array::from_fn(|i| {
        std::array::from_fn(|j| (0..8).map(|n| at(i, n) * block[n][j]).sum())
    });
    std::array::from_fn(|i| std::array::from_fn(|j| (0..8).map(|n| half[i][n] * at(j, n)).sum()))
}

/// A picture of `[3, height, width]`, RGB from 0 to 1, as it comes back from a JPEG file of that quality whose colours
/// are not thinned out (4:4:4).
pub fn through_jpeg(picture: &[f32], [height, width]: [usize; 2], quality: u32) -> Vec<f32> {
    let pixels = height * width;
    let [red, green, blue] = [0, 1, 2].map(|channel| &picture[channel * pixels..][..pixels]);
    let level = |value: f32| (value * 255.0).round().clamp(0.0, 255.0);
    // ITU-T T.871; the middle of the range is zero.
    let weights = [
        [0.299, 0.587, 0.114],
        [-0.168_736, -0.331_264, 0.5],
        [0.5, -0.418_688, -0.081_312],
    ];
    let matrix = cosines();
    let mut planes: [Vec<f32>; 3] = Default::default();
    for (index, plane) in planes.iter_mut().enumerate() {
        let [r, g, b] = weights[index];
        let middle = if index == 0 { 128.0 } else { 0.0 };
        let values: Vec<f32> = (0..pixels)
            .map(|i| {
                (r * level(red[i]) + g * level(green[i]) + b * level(blue[i]) - middle).round()
            })
            .collect();
        let steps = table(&TABLES[index.min(1)], quality);
        let mut kept = vec![0f32; pixels];
        for top in (0..height).step_by(8) {
            for left in (0..width).step_by(8) {
                // Beyond the edge stands the edge's pixel.
                let block = std::array::from_fn(|y| {
                    std::array::from_fn(|x| {
                        values[(top + y).min(height - 1) * width + (left + x).min(width - 1)]
                    })
                });
                let mut waves = transformed(&block, &matrix, false);
                for (wave, step) in waves.as_flattened_mut().iter_mut().zip(steps) {
                    *wave = (*wave / step).round() * step;
                }
                let block = transformed(&waves, &matrix, true);
                for y in 0..8.min(height - top) {
                    for x in 0..8.min(width - left) {
                        kept[(top + y) * width + left + x] = block[y][x] + middle;
                    }
                }
            }
        }
        *plane = kept;
    }
    let [luminance, blue, red] = planes;
    let mut back = vec![0f32; 3 * pixels];
    for pixel in 0..pixels {
        let (y, cb, cr) = (luminance[pixel], blue[pixel], red[pixel]);
        let rgb = [
            y + 1.402 * cr,
            y - 0.344_136 * cb - 0.714_136 * cr,
            y + 1.772 * cb,
        ];
        for (channel, value) in rgb.into_iter().enumerate() {
            back[channel * pixels + pixel] = value.round().clamp(0.0, 255.0) / 255.0;
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_and_fine_noise_goes() {
        let flat: Vec<f32> = [[0.5; 90], [0.2; 90], [0.8; 90]].concat();
        let back = through_jpeg(&flat, [9, 10], 75);
        for (before, after) in flat.iter().zip(&back) {
            assert!((before - after).abs() < 3.0 / 255.0, "{before} {after}");
        }
        // A chessboard of two levels: less than half a step of the table.
        let noisy: Vec<f32> = (0..3 * 64)
            .map(|i| 0.5 + if (i / 8 + i) % 2 == 0 { 2.0 } else { -2.0 } / 255.0)
            .collect();
        let back = through_jpeg(&noisy, [8, 8], 75);
        let spread = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values
                .iter()
                .map(|value| (value - mean).abs())
                .fold(0f32, f32::max)
        };
        assert!(
            spread(&noisy) > 1.9 / 255.0 && spread(&back) < 1.1 / 255.0,
            "{}",
            spread(&back) * 255.0
        );
        // At the best quality little is lost.
        let ramp: Vec<f32> = (0..3 * 64).map(|i| (i % 64) as f32 / 64.0).collect();
        let back = through_jpeg(&ramp, [8, 8], 100);
        assert!(
            ramp.iter()
                .zip(&back)
                .all(|(a, b)| (a - b).abs() < 3.0 / 255.0)
        );
    }

    #[test]
    fn the_transform_and_its_tables() {
        let block: [[f32; 8]; 8] =
            std::array::from_fn(|y| std::array::from_fn(|x| (x * x + 3 * y) as f32));
        let matrix = cosines();
        let waves = transformed(&block, &matrix, false);
        // The first is eight times the mean.
        let mean = block.as_flattened().iter().sum::<f32>() / 64.0;
        assert!((waves[0][0] - 8.0 * mean).abs() < 1e-3);
        let again = transformed(&waves, &matrix, true);
        for (a, b) in block.as_flattened().iter().zip(again.as_flattened()) {
            assert!((a - b).abs() < 1e-3);
        }
        // Quality 75 halves the table.
        assert_eq!(table(&TABLES[0], 75)[..4], [8.0, 6.0, 5.0, 8.0]);
        assert_eq!(table(&TABLES[0], 50)[0], 16.0);
        assert_eq!(table(&TABLES[1], 10)[0], 85.0);
    }
}
