//! Blurring with a Gaussian, on plain numbers, by plane.

/// What stands beyond the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The edge's pixel.
    Nearest,
    /// The picture mirrored, the edge's pixel twice.
    Mirror,
}

/// Blurs each plane of `height * width`: a Gaussian of standard deviation `sigma` in pixels, cut off after `reach` pixels.
pub fn blur(planes: &mut [f32], [height, width]: [usize; 2], sigma: f32, reach: usize, edge: Edge) {
    if sigma <= 0.0 || height * width == 0 {
        return;
    }
    let mut kernel: Vec<f32> = (0..=2 * reach)
        .map(|i| {
            let away = i as f32 - reach as f32;
            (-away * away / (2.0 * sigma * sigma)).exp()
        })
        .collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|weight| *weight /= sum);
    let inside = |place: usize, count: usize| match edge {
        Edge::Nearest => place.saturating_sub(reach).min(count - 1),
        Edge::Mirror => {
            // A reach may be longer than the picture: it is mirrored again and again.
            let turn = 2 * count;
            let place = (place + turn * reach.div_ceil(turn) - reach) % turn;
            place.min(turn - 1 - place)
        }
    };
    let mut line = Vec::new();
    let mut along = |plane: &mut [f32], start: usize, count: usize, step: usize| {
        line.clear();
        line.extend((0..count + 2 * reach).map(|i| plane[start + inside(i, count) * step]));
        for place in 0..count {
            let near = &line[place..place + kernel.len()];
            let sum = near
                .iter()
                .zip(&kernel)
                .map(|(value, weight)| value * weight)
                .sum();
            plane[start + place * step] = sum;
        }
    };
    for plane in planes.chunks_exact_mut(height * width) {
        for row in 0..height {
            along(plane, row * width, width, 1);
        }
        for column in 0..width {
            along(plane, column, height, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_the_edge_twice_and_reaches_beyond_small_pictures() {
        // Of equal weights the mean of what is in reach: [b a a b c] and so on.
        let mean = |values: &[f32], reach| {
            let mut plane = values.to_vec();
            blur(&mut plane, [1, values.len()], 1e4, reach, Edge::Mirror);
            plane
        };
        let [a, b, c] = [1.0, 2.0, 4.0];
        // Around the first b a a b c, around the second a a b c c, around the last a b c c b.
        for (found, wanted) in mean(&[a, b, c], 2).iter().zip([10.0, 12.0, 13.0]) {
            assert!((found - wanted / 5.0).abs() < 1e-4, "{found}");
        }
        // Two pixels mirrored over and over: b a a b around the first of them.
        let far = mean(&[a, b], 7);
        assert!(
            (far[0] - (7.0 * a + 8.0 * b) / 15.0).abs() < 1e-4,
            "{far:?}"
        );
    }
}
