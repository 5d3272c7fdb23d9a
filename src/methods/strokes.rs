//! Strokes of a brush as coverage of pixels.

/// A brush that was drawn along a line.
#[derive(Debug, Clone, Copy)]
pub struct Brush<'a> {
    /// Diameter at full pressure, as a share of the longer side.
    pub width: f32,
    /// Places as shares of columns and of rows, and pressure from 0 to 1.
    pub points: &'a [[f32; 3]],
}

/// How much of each pixel a stroke covers: `width * height` numbers of 0 to 1 by row, with an edge one
/// pixel soft. The diameter follows the pressure along each piece of the line.
pub fn coverage(brush: Brush<'_>, [width, height]: [usize; 2]) -> Vec<f32> {
    let longer = width.max(height) as f32;
    let placed: Vec<[f32; 3]> = brush
        .points
        .iter()
        .map(|&[x, y, pressure]| {
            let radius = brush.width * longer / 2.0 * pressure;
            [x * width as f32, y * height as f32, radius]
        })
        .collect();
    let mut covered = vec![0f32; width * height];
    // A single point is a piece of no length.
    let pieces = placed.windows(2).map(|pair| [pair[0], pair[1]]);
    let dot = placed.first().filter(|_| placed.len() == 1);
    for [from, to] in pieces.chain(dot.map(|&point| [point, point])) {
        let reach = from[2].max(to[2]) + 1.0;
        let range = |axis: usize, length: usize| {
            let low = (from[axis].min(to[axis]) - reach).floor().max(0.0) as usize;
            let high = (from[axis].max(to[axis]) + reach).ceil().max(0.0) as usize;
            low.min(length)..high.min(length)
        };
        let along = [to[0] - from[0], to[1] - from[1]];
        let square = along[0] * along[0] + along[1] * along[1];
        for y in range(1, height) {
            for x in range(0, width) {
                let away = [x as f32 + 0.5 - from[0], y as f32 + 0.5 - from[1]];
                let share = if square > 0.0 {
                    ((away[0] * along[0] + away[1] * along[1]) / square).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let off = [away[0] - share * along[0], away[1] - share * along[1]];
                let radius = from[2] + (to[2] - from[2]) * share;
                let inside = radius + 0.5 - off[0].hypot(off[1]);
                let pixel = &mut covered[y * width + x];
                *pixel = pixel.max(inside.clamp(0.0, 1.0));
            }
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_round() {
        let points = [[0.5, 0.5, 1.0]];
        let covered = coverage(
            Brush {
                width: 0.6,
                points: &points,
            },
            [10, 10],
        );
        let area: f32 = covered.iter().sum();
        // A disc of radius 3.
        assert!((area - 28.27).abs() < 0.6, "{area}");
        assert_eq!(covered[5 * 10 + 5], 1.0);
        assert_eq!(covered[0], 0.0);
    }

    #[test]
    fn a_line_is_as_wide_as_the_brush_and_thins_with_the_pressure() {
        let points = [[0.0, 0.5, 1.0], [1.0, 0.5, 0.5]];
        let covered = coverage(
            Brush {
                width: 0.2,
                points: &points,
            },
            [40, 20],
        );
        let column = |x: usize| (0..20).map(|y| covered[y * 40 + x]).sum::<f32>();
        assert!((column(1) - 8.0).abs() < 0.4, "{}", column(1));
        assert!((column(38) - 4.0).abs() < 0.4, "{}", column(38));
    }

    #[test]
    fn what_lies_outside_and_no_points_cover_nothing() {
        let outside = [[5.0, -3.0, 1.0], [7.0, -3.0, 1.0]];
        assert_eq!(
            coverage(
                Brush {
                    width: 0.2,
                    points: &outside
                },
                [4, 4]
            ),
            [0.0; 16]
        );
        assert_eq!(
            coverage(
                Brush {
                    width: 0.2,
                    points: &[]
                },
                [4, 4]
            ),
            [0.0; 16]
        );
    }
}
