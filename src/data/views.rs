//! Photographs as a detector in training sees them: placed in a square, mirrored, scaled, cut, in other colours.

use super::photographs::Labelled;
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;

/// Stream of the random changes.
const STREAM: u64 = 3;

/// What becomes of a photograph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Pixels of the square for each of the photograph, across and down.
    pub scale: [f32; 2],
    /// Where its upper left corner comes, in pixels of the square; beyond the square where it is cut.
    pub corner: [f32; 2],
    /// Whether the square is mirrored afterwards.
    pub mirrored: bool,
    /// What differences from grey are multiplied by.
    pub saturation: f32,
    /// What all colours are multiplied by, from the middle between black and white.
    pub gain: f32,
    /// What is added then, as a share of half the range from black to white.
    pub shift: f32,
}

impl Change {
    /// As it is, in the upper left.
    pub const NONE: Self = Self {
        scale: [1.0; 2],
        corner: [0.0; 2],
        mirrored: false,
        saturation: 1.0,
        gain: 1.0,
        shift: 0.0,
    };

    /// Any change that leaves most objects recognisable: half to 1.6 times as large, a little wider or higher, anywhere in
    /// the square, mirrored or not, in other colours.
    pub fn drawn(size: [usize; 2], side: usize, draws: &mut Draws) -> Self {
        let mut between = |least: f32, most: f32| least + (most - least) * draws.unit();
        let scale = between(0.5f32.ln(), 1.6f32.ln()).exp();
        let aspect = between(-0.15, 0.15).exp();
        let scale = [scale * aspect, scale / aspect];
        let corner = [0, 1].map(|axis| {
            let left_over = side as f32 - size[axis] as f32 * scale[axis];
            left_over * between(0.0, 1.0)
        });
        Self {
            scale,
            corner,
            mirrored: between(0.0, 1.0) < 0.5,
            saturation: between(0.5, 1.5),
            gain: between(0.7, 1.3),
            shift: between(-0.2, 0.2),
        }
    }

    /// The views of a photograph: as it is, mirrored, then drawn ones without end. The same for the same seed and number.
    pub fn of(
        size: [usize; 2],
        side: usize,
        seed: u32,
        number: usize,
    ) -> impl Iterator<Item = Self> {
        let mut draws = Draws::new(seed, STREAM + ((number as u64) << 8));
        let mirrored = Self {
            mirrored: true,
            ..Self::NONE
        };
        let drawn = std::iter::repeat_with(move || Self::drawn(size, side, &mut draws));
        [Self::NONE, mirrored].into_iter().chain(drawn)
    }

    /// The photograph's RGB bytes in a square: three planes of `(x - 127) / 128`, 0 beside the photograph.
    pub fn paint(&self, rgb: &[u8], [width, height]: [usize; 2], side: usize) -> Vec<f32> {
        let mut planes = vec![0f32; 3 * side * side];
        // The two pixels between which a place lies, and how near the second is; none outside.
        let between = |place: usize, axis: usize, count: usize| {
            let at = (place as f32 + 0.5 - self.corner[axis]) / self.scale[axis];
            if !(0.0..=count as f32).contains(&at) || count == 0 {
                return None;
            }
            let at = (at - 0.5).clamp(0.0, (count - 1) as f32);
            let low = at as usize;
            Some((low, (low + 1).min(count - 1), at - low as f32))
        };
        let columns: Vec<_> = (0..side).map(|x| between(x, 0, width)).collect();
        for y in 0..side {
            let Some((above, below, down)) = between(y, 1, height) else {
                continue;
            };
            for (x, column) in columns.iter().enumerate() {
                let Some((left, right, over)) = *column else {
                    continue;
                };
                let at = |row: usize, column: usize, channel: usize| {
                    f32::from(rgb[(row * width + column) * 3 + channel])
                };
                let color: [f32; 3] = std::array::from_fn(|channel| {
                    let upper =
                        at(above, left, channel) * (1.0 - over) + at(above, right, channel) * over;
                    let lower =
                        at(below, left, channel) * (1.0 - over) + at(below, right, channel) * over;
                    (upper * (1.0 - down) + lower * down - 127.0) / 128.0
                });
                let gray = color.iter().sum::<f32>() / 3.0;
                let x = if self.mirrored { side - 1 - x } else { x };
                for (channel, value) in color.into_iter().enumerate() {
                    let value = (gray + (value - gray) * self.saturation) * self.gain + self.shift;
                    planes[(channel * side + y) * side + x] = value.clamp(-1.0, 1.0);
                }
            }
        }
        planes
    }

    /// Where the objects are then, in pixels of the square. Those of which less than a third is left, or less than five
    /// pixels, are gone.
    pub fn move_all(&self, objects: &[Labelled], side: usize) -> Vec<Labelled> {
        const LEFT: f32 = 0.3;
        const LEAST: f32 = 5.0;
        let side = side as f32;
        let moved = objects.iter().filter_map(|object| {
            let b = object.box_in_image.scale(self.scale[0], self.scale[1]);
            let [dx, dy] = self.corner;
            let mut whole = Corners {
                x0: b.x0 + dx,
                y0: b.y0 + dy,
                x1: b.x1 + dx,
                y1: b.y1 + dy,
            };
            if self.mirrored {
                (whole.x0, whole.x1) = (side - whole.x1, side - whole.x0);
            }
            let seen = whole.clip(side, side);
            let is_gone = seen.area() < LEFT * whole.area()
                || seen.x1 - seen.x0 < LEAST
                || seen.y1 - seen.y0 < LEAST;
            (!is_gone).then_some(Labelled {
                box_in_image: seen,
                ..*object
            })
        });
        moved.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(x0: f32, y0: f32, x1: f32, y1: f32) -> Labelled {
        Labelled {
            class: 0,
            box_in_image: Corners { x0, y0, x1, y1 },
            ignored: None,
        }
    }

    /// A white rectangle on black: its box moves with it.
    #[test]
    fn boxes_move_with_their_pixels() {
        let (width, height, side) = (60, 40, 64);
        let white = object(10.0, 6.0, 50.0, 30.0);
        let is_white = |x: usize, y: usize| (10..50).contains(&x) && (6..30).contains(&y);
        let rgb: Vec<u8> = (0..width * height)
            .flat_map(|pixel| {
                if is_white(pixel % width, pixel / width) {
                    [255; 3]
                } else {
                    [0; 3]
                }
            })
            .collect();
        let mut draws = Draws::new(3, 0);
        let drawn = (0..20).map(|_| Change::drawn([width, height], side, &mut draws));
        let mut kept = 0;
        for change in [
            Change::NONE,
            Change {
                mirrored: true,
                ..Change::NONE
            },
        ]
        .into_iter()
        .chain(drawn)
        {
            let plain = Change {
                saturation: 1.0,
                gain: 1.0,
                shift: 0.0,
                ..change
            };
            let planes = plain.paint(&rgb, [width, height], side);
            let Some(moved) = change.move_all(&[white], side).first().copied() else {
                continue;
            };
            kept += 1;
            let bright: Vec<[f32; 2]> = (0..side * side)
                .filter(|&place| planes[place] > 0.0)
                .map(|place| [(place % side) as f32, (place / side) as f32])
                .collect();
            let end = |axis: usize, pick: fn(f32, f32) -> f32| {
                bright
                    .iter()
                    .map(|place| place[axis])
                    .reduce(pick)
                    .expect("bright")
            };
            let b = moved.box_in_image;
            for (edge, found) in [
                (b.x0, end(0, f32::min)),
                (b.y0, end(1, f32::min)),
                (b.x1, end(0, f32::max) + 1.0),
                (b.y1, end(1, f32::max) + 1.0),
            ] {
                assert!((edge - found).abs() <= 1.1, "{change:?}: {b:?}, {found}");
            }
        }
        assert!(kept > 10, "{kept}");
    }

    #[test]
    fn what_is_cut_away_is_gone() {
        let change = Change {
            corner: [-30.0, 0.0],
            ..Change::NONE
        };
        assert_eq!(change.move_all(&[object(0.0, 0.0, 40.0, 20.0)], 64), []);
        let half = change.move_all(&[object(0.0, 0.0, 60.0, 20.0)], 64);
        assert_eq!(half, [object(0.0, 0.0, 30.0, 20.0)]);
        assert_eq!(
            Change::NONE.move_all(&[object(0.0, 0.0, 4.0, 20.0)], 64),
            []
        );
    }

    #[test]
    fn beside_the_photograph_there_is_nothing_whatever_the_colours() {
        let change = Change {
            shift: 0.2,
            gain: 1.3,
            ..Change::NONE
        };
        let planes = change.paint(&[200; 12], [2, 2], 4);
        assert_eq!(planes.iter().filter(|value| **value != 0.0).count(), 12);
        assert!((planes[0] - ((200.0 - 127.0) / 128.0 * 1.3 + 0.2)).abs() < 1e-6);
        assert_eq!(change.paint(&[], [0, 0], 4), vec![0.0; 48]);
    }
}
