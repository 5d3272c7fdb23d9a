//! What keeps a picture that is made for a network like one for people: blurring, clipping, smoothing. On plain numbers, by
//! plane: a picture is three planes of `height * width`, values 0 to 1.
//!
//! # Reference
//! Yosinski, Clune, Nguyen, Fuchs and Lipson 2015, "Understanding Neural Networks Through Deep Visualization", section 3.

use super::gaussian::{self, Edge};

/// Half the range from black to white: grey, to which pictures are pulled.
pub const GREY: f32 = 0.5;

/// Blurs each plane: a Gaussian of that standard deviation in pixels, cut off at three of them; beyond the edge stands
/// the edge's pixel.
pub fn blur(planes: &mut [f32], size: [usize; 2], sigma: f32) {
    let reach = (3.0 * sigma).ceil() as usize;
    gaussian::blur(planes, size, sigma, reach, Edge::Nearest);
}

/// Pulls a picture to grey by a share of the way: what weight decay is to weights.
pub fn decay(picture: &mut [f32], share: f32) {
    picture
        .iter_mut()
        .for_each(|value| *value = GREY + (*value - GREY) * (1.0 - share));
}

/// A step down the total variation: each pixel goes a share of the way to the mean of its neighbours.
pub fn smooth(planes: &mut [f32], [height, width]: [usize; 2], share: f32) {
    if share <= 0.0 {
        return;
    }
    for plane in planes.chunks_exact_mut(height * width) {
        let before = plane.to_vec();
        for row in 0..height {
            for column in 0..width {
                let here = before[row * width + column];
                let mut pull = 0.0;
                for [down, right] in [[0, 1], [2, 1], [1, 0], [1, 2]] {
                    // Beyond the edge there is no step.
                    let (Some(y), Some(x)) =
                        ((row + down).checked_sub(1), (column + right).checked_sub(1))
                    else {
                        continue;
                    };
                    if y < height && x < width {
                        pull += before[y * width + x] - here;
                    }
                }
                plane[row * width + column] = here + share / 4.0 * pull;
            }
        }
    }
}

/// Makes grey the share of a picture's pixels of which the least is: of `measure`, one number for each pixel.
pub fn clip(picture: &mut [f32], measure: &[f32], share: f32) {
    let pixels = measure.len();
    let count = (pixels as f32 * share) as usize;
    if count == 0 {
        return;
    }
    let mut order: Vec<usize> = (0..pixels).collect();
    let by = |a: &usize, b: &usize| measure[*a].total_cmp(&measure[*b]);
    order.select_nth_unstable_by(count.min(pixels) - 1, by);
    for &pixel in &order[..count.min(pixels)] {
        for plane in picture.chunks_exact_mut(pixels) {
            plane[pixel] = GREY;
        }
    }
}

/// How far each pixel is from grey: the length of its three numbers.
pub fn norms(picture: &[f32]) -> Vec<f32> {
    by_pixel(picture, |plane, pixel| {
        let away = picture[plane + pixel] - GREY;
        away * away
    })
}

/// How much each pixel adds to the objective, to first order, in size: its distance from grey times the gradient.
pub fn contributions(picture: &[f32], gradient: &[f32]) -> Vec<f32> {
    let sums = by_pixel(picture, |plane, pixel| {
        (picture[plane + pixel] - GREY) * gradient[plane + pixel]
    });
    sums.into_iter().map(f32::abs).collect()
}

fn by_pixel(picture: &[f32], of: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let pixels = picture.len() / 3;
    let sum = |pixel| (0..3).map(|channel| of(channel * pixels, pixel)).sum();
    (0..pixels).map(sum).collect()
}

/// A gradient on a picture of which the part that changes colours and not brightness counts only so much.
pub fn fade_colors(gradient: &mut [f32], chroma: f32) {
    let pixels = gradient.len() / 3;
    for pixel in 0..pixels {
        let at = [0, 1, 2].map(|channel| channel * pixels + pixel);
        let brightness = at.iter().map(|&at| gradient[at]).sum::<f32>() / 3.0;
        for at in at {
            gradient[at] = brightness + chroma * (gradient[at] - brightness);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_sum_and_a_flat_picture() {
        let mut flat = vec![0.3; 20];
        blur(&mut flat, [4, 5], 1.5);
        assert!(flat.iter().all(|value| (value - 0.3).abs() < 1e-6));
        let mut dot = vec![0.0; 31 * 31];
        dot[15 * 31 + 15] = 1.0;
        blur(&mut dot, [31, 31], 2.0);
        assert!((dot.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        // The density of a Gaussian at its middle and one to the right.
        let density = 1.0 / (std::f32::consts::TAU * 4.0);
        assert!((dot[15 * 31 + 15] - density).abs() < 1e-3);
        assert!((dot[15 * 31 + 16] / dot[15 * 31 + 15] - (-1f32 / 8.0).exp()).abs() < 1e-4);
        // One row, one column.
        let mut narrow = vec![0.25];
        blur(&mut narrow, [1, 1], 3.0);
        assert!((narrow[0] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn smoothing_goes_down_the_total_variation() {
        let mut steps = vec![0.0, 1.0, 0.0, 1.0];
        smooth(&mut steps, [1, 4], 0.4);
        // 0 + 0.1 * 1; 1 + 0.1 * (-1 - 1).
        let expected = [0.1, 0.8, 0.2, 0.9];
        assert!(
            steps
                .iter()
                .zip(expected)
                .all(|(got, expected)| (got - expected).abs() < 1e-6),
            "{steps:?}"
        );
    }

    #[test]
    fn the_least_pixels_become_grey() {
        let mut picture = vec![0.6, 0.9, 0.1, 0.5, 0.6, 0.9, 0.1, 0.5, 0.6, 0.9, 0.1, 0.5];
        let far = norms(&picture);
        assert!((far[1] - 0.48).abs() < 1e-6, "{far:?}");
        clip(&mut picture, &far, 0.5);
        assert_eq!(&picture[..4], [0.5, 0.9, 0.1, 0.5]);
        let gradient = [1.0, -1.0, 0.0, 9.0].repeat(3);
        let adds = contributions(&picture, &gradient);
        assert!(
            (adds[1] - 1.2).abs() < 1e-6 && adds[0] == 0.0 && adds[3] == 0.0,
            "{adds:?}"
        );
        clip(&mut picture, &adds, 1.0);
        assert!(picture.iter().all(|&value| value == GREY));
    }

    #[test]
    fn colours_fade_and_brightness_stays() {
        let mut gradient = [3.0, 0.0, -6.0];
        fade_colors(&mut gradient, 0.5);
        assert_eq!(gradient, [1.0, -0.5, -3.5]);
        decay(&mut gradient, 1.0);
        assert_eq!(gradient, [GREY; 3]);
    }
}
