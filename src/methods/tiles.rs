//! Parts of a large picture, computed one after the other so that memory does not grow with the picture.

use std::ops::Range;

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Columns and rows whose results are kept. Those of all tiles are the picture.
    pub kept: [Range<usize>; 2],
    /// Columns and rows that are read for them.
    pub read: [Range<usize>; 2],
}

/// How a picture is parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    /// Most columns and rows that a tile keeps.
    pub most: usize,
    /// Columns and rows beyond them that decide about them, on each side; where the picture ends, so does
    /// the tile.
    pub margin: usize,
    /// Where tiles may begin: at multiples of this. `margin` is one.
    pub multiple: usize,
}

impl Tiling {
    /// The tiles of a picture of `columns` and `rows`, both multiples of [`multiple`](Self::multiple), row
    /// by row. They are of about the same size.
    pub fn tiles(&self, [columns, rows]: [usize; 2]) -> Vec<Tile> {
        let pairs = self.pieces(rows).into_iter().flat_map(|row| {
            let row = move |column| [column, row.clone()];
            self.pieces(columns).into_iter().map(row)
        });
        let tile = |kept: [Range<usize>; 2]| {
            let [across, down] = kept.clone();
            Tile {
                kept,
                read: [self.reach(across, columns), self.reach(down, rows)],
            }
        };
        pairs.map(tile).collect()
    }

    fn pieces(&self, length: usize) -> Vec<Range<usize>> {
        let count = length.div_ceil(self.most);
        let cut = |number: usize| length / self.multiple * number / count * self.multiple;
        (0..count)
            .map(|number| cut(number)..cut(number + 1))
            .collect()
    }

    fn reach(&self, kept: Range<usize>, length: usize) -> Range<usize> {
        kept.start.saturating_sub(self.margin)..(kept.end + self.margin).min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Each pixel is kept once, within a tile that reads all around it and is no larger than allowed.
        #[test]
        fn tiles_are_the_picture(across in 1usize..60, down in 1usize..60, most in 1usize..20, margin in 0usize..9) {
            let tiling = Tiling { most: most * 4, margin: margin * 4, multiple: 4 };
            let [columns, rows] = [across, down].map(|fours| fours * 4);
            let mut kept = vec![0; columns * rows];
            for Tile { kept: [x, y], read: [all_x, all_y] } in tiling.tiles([columns, rows]) {
                prop_assert!(x.len() <= tiling.most && y.len() <= tiling.most);
                prop_assert!([all_x.start, all_x.end, all_y.start, all_y.end].iter().all(|at| at % 4 == 0));
                prop_assert!(all_x.start == x.start.saturating_sub(tiling.margin));
                prop_assert!(all_y.end == (y.end + tiling.margin).min(rows));
                for row in y {
                    for column in x.clone() {
                        kept[row * columns + column] += 1;
                    }
                }
            }
            prop_assert!(kept.iter().all(|&times| times == 1));
        }
    }
}
