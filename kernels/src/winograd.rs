//! Convolution with kernels of three by three in a quarter of the multiplications.
//!
//! Four outputs of a kernel of three in a row see six numbers. Seen as polynomials, both are known by their values
//! at six points, and values are multiplied point by point: six multiplications instead of twelve, thirty-six
//! instead of 144 in rows and columns. Going to the values and back is additions, and is shared by all channels of
//! the other side. Kernels of nine by nine are nine of three by three, each shifted by three.
//!
//! # Reference
//! Winograd 1980, "Arithmetic Complexity of Computations"; Lavin and Gray 2016, "Fast Algorithms for Convolutional
//! Neural Networks", F(4x4, 3x3). The points are 0, 1, -1, 2, -2 and infinity.

use std::ops::Range;

use macerator::{Scalar, Simd, Vector};

use crate::After;
use crate::map::{Bordered, Window};
use crate::threads::{Shared, append, parts};
use crate::tile::{self, CHANNELS, MOST_PIXELS, VECTORS, activate, compiled_for, finish, pixels};

/// Rows and columns of a block of the result.
const BLOCK: usize = 4;
/// Rows and columns of the map that it sees.
const SEEN: usize = BLOCK + 2;
/// Points in rows and columns.
const POINTS: usize = SEEN * SEEN;
/// Numbers of the map's values that are made together: as many as the second cache holds beside the weights'.
const TOGETHER: usize = 64 * 1024;
/// Numbers between the values of two points. Steps that are powers of two would have all points of a value in the
/// same few places of the cache.
const BETWEEN: usize = 16;
/// Fewest channels on either side that are worth the way there and back.
const FEWEST: usize = 16;

/// What is computed from what: stride 1, and kernels of three or nine.
pub struct Winograd<'a> {
    /// The map with its border, of [`Winograd::window`].
    pub map: &'a Bordered<'a>,
    /// Side of the kernel.
    pub kernel: usize,
    /// Channels of the map.
    pub channels: usize,
    /// `[out, channels, kernel, kernel]`.
    pub weights: &'a [f32],
    /// Whether the weights are those of the way there, `[channels, out, kernel, kernel]`, and this is the way back:
    /// each kernel is turned by half a turn.
    pub turned: bool,
    /// For each channel; zeros without it.
    pub bias: Option<&'a [f32]>,
    /// What follows the bias.
    pub after: After,
    /// Added last, laid out as the result.
    pub added: Option<&'a [f32]>,
    /// Rows and columns of the result.
    pub size: [usize; 2],
}

/// What all parts of the work have to know.
#[derive(Clone, Copy)]
struct Plan {
    /// Kernels of three by three of an output channel.
    terms: usize,
    /// Output channels.
    out: usize,
    /// Places of blocks in the map's planes, one behind each row included.
    line: usize,
    /// Blocks of a tile.
    count: usize,
}

impl Plan {
    /// From a point's values of the map to the next one's.
    fn map_step(&self) -> usize {
        self.terms * self.count + BETWEEN
    }

    /// Numbers of the map's values for a tile of blocks.
    fn of_tile(&self) -> usize {
        POINTS * self.map_step()
    }

    /// From a point's values of the weights to the next one's.
    fn weights_step(&self) -> usize {
        CHANNELS * self.terms + BETWEEN
    }

    /// Numbers of the weights' values for a few output channels.
    fn of_channels(&self) -> usize {
        POINTS * self.weights_step()
    }

    fn tiles(&self) -> usize {
        self.line.div_ceil(self.count)
    }
}

impl Winograd<'_> {
    /// Whether it is the quicker way.
    pub fn is_worth_it(
        kernel: usize,
        stride: usize,
        channels: usize,
        out: usize,
        size: [usize; 2],
    ) -> bool {
        let terms = channels * (kernel / 3).pow(2);
        let fits = stride == 1 && (kernel == 3 || kernel == 9);
        fits && terms >= FEWEST && out >= FEWEST && size[0].min(size[1]) >= BLOCK
    }

    /// How the map is bordered for it, from the window of the convolution itself.
    pub fn window(of: Window) -> Window {
        Window {
            kernel: of.kernel + BLOCK - 1,
            stride: BLOCK,
            size: of.size.map(|side| side.div_ceil(BLOCK)),
            ..of
        }
    }

    /// Appends the channels of the result, `[out, rows, columns]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [rows, columns] = self.map.frame.size();
        let terms = self.channels * (self.kernel / 3).pow(2);
        let out = self.weights.len() / (terms * 9).max(1);
        assert_eq!(self.weights.len(), out * terms * 9, "weights for each tap");
        let length = out * self.size[0] * self.size[1];
        assert!(self.bias.is_none_or(|bias| bias.len() == out));
        assert!(self.added.is_none_or(|added| added.len() == length));
        if length == 0 {
            return;
        }
        let line = (rows - 1) * self.map.frame.columns() + columns;
        let plan = Plan {
            terms,
            out,
            line,
            count: blocks_of_tile(),
        };
        let farthest = self
            .map
            .offset(self.channels - 1, [self.kernel + BLOCK - 2; 2]);
        assert!(
            farthest + line + MOST_PIXELS <= self.map.values.len(),
            "a block outside its map"
        );
        // SAFETY: each pixel is of one block, and all channels of all blocks are written.
        unsafe { append(to, length, |result| self.write_all(plan, result)) };
    }

    fn write_all(&self, plan: Plan, result: Shared) {
        let fours = plan.out.div_ceil(CHANNELS);
        let cost = POINTS * plan.terms * plan.out * plan.line;
        // What is less to keep is kept, the other is made piece by piece.
        if fours * plan.of_channels() <= plan.tiles() * plan.of_tile() {
            let mut weights = vec![0.0; fours * plan.of_channels()];
            let of_weights = Shared::new(&mut weights);
            parts(fours, POINTS * plan.terms * plan.out, |fours| {
                for four in fours {
                    // SAFETY: a few channels are of one thread.
                    let to =
                        unsafe { of_weights.part(four * plan.of_channels(), plan.of_channels()) };
                    weight_values(self, plan, four, to);
                }
            });
            parts(plan.tiles(), cost, |tiles| {
                by_tiles(self, plan, tiles, &weights, result)
            });
        } else {
            let mut map = vec![0.0; plan.tiles() * plan.of_tile()];
            let of_map = Shared::new(&mut map);
            parts(plan.tiles(), plan.tiles() * plan.of_tile(), |tiles| {
                for tile in tiles {
                    // SAFETY: a tile is of one thread.
                    let to = unsafe { of_map.part(tile * plan.of_tile(), plan.of_tile()) };
                    map_values(self, plan, tile, to);
                }
            });
            parts(fours, cost, |fours| {
                by_channels(self, plan, fours, &map, result)
            });
        }
    }
}

#[macerator::with_simd]
fn blocks_of_tile<S: Simd>() -> usize {
    pixels::<S>()
}

/// Some tiles of blocks, with the values of all weights.
fn by_tiles(work: &Winograd<'_>, plan: Plan, tiles: Range<usize>, weights: &[f32], shared: Shared) {
    let together = (TOGETHER / plan.of_tile()).max(1);
    let mut map = vec![0.0; together.min(tiles.len()) * plan.of_tile()];
    let mut start = tiles.start;
    while start < tiles.end {
        let end = (start + together).min(tiles.end);
        for (tile, to) in (start..end).zip(map.chunks_exact_mut(plan.of_tile())) {
            map_values(work, plan, tile, to);
        }
        for (four, weights) in weights.chunks_exact(plan.of_channels()).enumerate() {
            for (tile, map) in (start..end).zip(map.chunks_exact(plan.of_tile())) {
                multiply(work, plan, Piece { tile, four }, map, weights, shared);
            }
        }
        start = end;
    }
}

/// Some output channels, with the values of all of the map.
fn by_channels(work: &Winograd<'_>, plan: Plan, fours: Range<usize>, map: &[f32], shared: Shared) {
    let mut weights = vec![0.0; plan.of_channels()];
    for four in fours {
        weight_values(work, plan, four, &mut weights);
        for (tile, map) in map.chunks_exact(plan.of_tile()).enumerate() {
            multiply(work, plan, Piece { tile, four }, map, &weights, shared);
        }
    }
}

/// A tile of blocks, and a few output channels.
#[derive(Clone, Copy)]
struct Piece {
    tile: usize,
    four: usize,
}

/// Six numbers as values at the points.
#[inline(always)]
fn of_map<S: Simd>(d: [Vector<S, f32>; SEEN]) -> [Vector<S, f32>; SEEN] {
    let (two, four, five) = (2f32.splat::<S>(), 4f32.splat::<S>(), 5f32.splat::<S>());
    let (even, odd) = (d[4] - d[2] * four, d[3] - d[1] * four);
    let (even_2, odd_2) = (d[4] - d[2], (d[3] - d[1]) * two);
    [
        d[0] * four - d[2] * five + d[4],
        even + odd,
        even - odd,
        even_2 + odd_2,
        even_2 - odd_2,
        d[1] * four - d[3] * five + d[5],
    ]
}

/// Values at the points as four numbers.
#[inline(always)]
fn to_block<S: Simd>(m: [Vector<S, f32>; SEEN]) -> [Vector<S, f32>; BLOCK] {
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
    let (two, four, eight) = (2f32.splat::<S>(), 4f32.splat::<S>(), 8f32.splat::<S>());
    [
        m[0] + sum + sum_2,
        difference + difference_2 * two,
        sum + sum_2 * four,
        difference + difference_2 * eight + m[5],
    ]
}

/// A column of some rows of vectors.
#[inline(always)]
fn column_of<S: Simd, const R: usize, const C: usize>(
    rows: &[[Vector<S, f32>; C]; R],
    column: usize,
) -> [Vector<S, f32>; R] {
    let mut values = [0f32.splat::<S>(); R];
    for row in 0..R {
        values[row] = rows[row][column];
    }
    values
}

/// Terms whose weights are taken to their values together: the compiler makes vectors of them.
const ABREAST: usize = 8;
/// A number of each of them.
type Abreast = [f32; ABREAST];

/// Three weights as values at the points.
#[inline(always)]
fn of_weights(g: [Abreast; 3]) -> [Abreast; SEEN] {
    let mut values = [[0f32; ABREAST]; SEEN];
    for i in 0..ABREAST {
        let [a, b, c] = [g[0][i], g[1][i], g[2][i]];
        values[0][i] = a * 0.25;
        values[1][i] = (a + b + c) * (-1.0 / 6.0);
        values[2][i] = (a - b + c) * (-1.0 / 6.0);
        values[3][i] = (a + 2.0 * b + 4.0 * c) * (1.0 / 24.0);
        values[4][i] = (a - 2.0 * b + 4.0 * c) * (1.0 / 24.0);
        values[5][i] = c;
    }
    values
}

/// The values of a few output channels' weights, `[POINTS, CHANNELS, terms]`; zeros for channels that are none.
#[macerator::with_simd]
#[allow(
    clippy::extra_unused_type_parameters,
    clippy::needless_lifetimes,
    clippy::needless_range_loop
)]
fn weight_values<'a, S: Simd>(work: &'a Winograd<'a>, plan: Plan, four: usize, to: &'a mut [f32]) {
    compiled_for::<S>();
    let kernel = work.kernel;
    let parts = kernel / 3;
    for i in 0..CHANNELS {
        let channel = four * CHANNELS + i;
        for first in (0..plan.terms).step_by(ABREAST) {
            let terms = ABREAST.min(plan.terms - first);
            let mut weights = [[[0f32; ABREAST]; 3]; 3];
            for abreast in 0..terms {
                let term = first + abreast;
                let (from, part) = (term / (parts * parts), term % (parts * parts));
                let (down, right) = (part / parts * 3, part % parts * 3);
                let Some(numbers) = work.kernel_of(plan, channel, from) else {
                    continue;
                };
                for (row, weights) in weights.iter_mut().enumerate() {
                    for (column, to) in weights.iter_mut().enumerate() {
                        let tap = (down + row) * kernel + right + column;
                        to[abreast] = numbers[if work.turned {
                            numbers.len() - 1 - tap
                        } else {
                            tap
                        }];
                    }
                }
            }
            let rows = [
                of_weights(weights[0]),
                of_weights(weights[1]),
                of_weights(weights[2]),
            ];
            for column in 0..SEEN {
                let values = of_weights([rows[0][column], rows[1][column], rows[2][column]]);
                for (row, values) in values.iter().enumerate() {
                    let point = row * SEEN + column;
                    let place = point * plan.weights_step() + i * plan.terms + first;
                    to[place..place + terms].copy_from_slice(&values[..terms]);
                }
            }
        }
    }
}

/// The values of a tile of blocks, `[POINTS, terms, blocks]`.
#[macerator::with_simd]
#[allow(clippy::needless_range_loop)]
fn map_values<'a, S: Simd>(work: &'a Winograd<'a>, plan: Plan, tile: usize, to: &'a mut [f32]) {
    compiled_for::<S>();
    let lanes = <f32 as Scalar>::lanes::<S>();
    let parts = work.kernel / 3;
    assert_eq!(to.len(), plan.of_tile());
    // Where each of the numbers that a block sees lies in a channel, for each kernel of three by three.
    let offsets: Vec<usize> = (0..parts * parts)
        .flat_map(|part| {
            let (down, right) = (part / parts * 3, part % parts * 3);
            (0..POINTS).map(move |seen| [down + seen / SEEN, right + seen % SEEN])
        })
        .map(|place| work.map.offset(0, place))
        .collect();
    let channel = work.map.frame.channel();
    for term in 0..plan.terms {
        let (from, part) = (term / (parts * parts), term % (parts * parts));
        let offsets = &offsets[part * POINTS..(part + 1) * POINTS];
        for k in 0..VECTORS {
            let start = from * channel + tile * plan.count + k * lanes;
            let start = work.map.values[start..].as_ptr();
            let mut rows = [[0f32.splat::<S>(); SEEN]; SEEN];
            for (row, offsets) in rows.iter_mut().zip(offsets.chunks_exact(SEEN)) {
                let mut seen = [0f32.splat::<S>(); SEEN];
                for i in 0..SEEN {
                    // SAFETY: `run` saw that the last block's farthest number lies a tile inside the map.
                    seen[i] = unsafe { f32::vload_unaligned(start.add(offsets[i])) };
                }
                *row = of_map(seen);
            }
            for column in 0..SEEN {
                let values = of_map(column_of::<S, _, _>(&rows, column));
                for row in 0..SEEN {
                    let point = row * SEEN + column;
                    let place = point * plan.map_step() + term * plan.count + k * lanes;
                    // SAFETY: the last place is that of the last point, term and vector.
                    unsafe { f32::vstore_unaligned::<S>(to[place..].as_mut_ptr(), values[row]) };
                }
            }
        }
    }
}

/// Point by point the sums over all terms, and from there the blocks.
#[macerator::with_simd]
#[allow(clippy::needless_range_loop)]
fn multiply<'a, S: Simd>(
    work: &'a Winograd<'a>,
    plan: Plan,
    piece: Piece,
    map: &'a [f32],
    weights: &'a [f32],
    shared: Shared,
) {
    compiled_for::<S>();
    let lanes = <f32 as Scalar>::lanes::<S>();
    let mut values = [[[0f32.splat::<S>(); VECTORS]; CHANNELS]; POINTS];
    for (point, values) in values.iter_mut().enumerate() {
        let map = map[point * plan.map_step()..][..plan.terms * plan.count].as_ptr();
        let weights = weights[point * plan.weights_step()..][..CHANNELS * plan.terms].as_ptr();
        // SAFETY: both slices hold as many numbers.
        *values = unsafe {
            let place = |term: usize| map.add(term * plan.count);
            tile::sums::<S, CHANNELS, VECTORS>(plan.terms, place, weights, [0.0; CHANNELS])
        };
    }
    let blocks = work.blocks(piece.tile * plan.count, plan.count);
    for i in 0..CHANNELS.min(plan.out - piece.four * CHANNELS) {
        let channel = piece.four * CHANNELS + i;
        let bias = work.bias.map_or(0.0, |bias| bias[channel]).splat::<S>();
        let mut block = [[[0f32; MOST_PIXELS]; BLOCK]; BLOCK];
        for k in 0..VECTORS {
            let mut rows = [[0f32.splat::<S>(); BLOCK]; SEEN];
            for (row, to) in rows.iter_mut().enumerate() {
                let mut sums = [0f32.splat::<S>(); SEEN];
                for column in 0..SEEN {
                    sums[column] = values[row * SEEN + column][i][k];
                }
                *to = to_block(sums);
            }
            for column in 0..BLOCK {
                let sums = to_block(column_of::<S, _, _>(&rows, column));
                for row in 0..BLOCK {
                    let sum = activate(sums[row] + bias, work.after);
                    let to = block[row][column][k * lanes..].as_mut_ptr();
                    // SAFETY: a row of the tile has room for all vectors.
                    unsafe { f32::vstore_unaligned::<S>(to, sum) };
                }
            }
        }
        block
            .as_flattened_mut()
            .iter_mut()
            .for_each(|row| finish(row, work.after));
        work.write(channel, &blocks[..plan.count], &block, shared);
    }
}

impl Winograd<'_> {
    /// The kernel of a channel of the result on one of the map; none behind the last.
    #[inline(always)]
    fn kernel_of(&self, plan: Plan, channel: usize, from: usize) -> Option<&[f32]> {
        let taps = self.kernel * self.kernel;
        let index = match self.turned {
            false => channel * self.channels + from,
            true => from * plan.out + channel,
        };
        (channel < plan.out).then(|| &self.weights[index * taps..(index + 1) * taps])
    }

    /// Row and column of each of `count` blocks from a place in the line on, where it is one.
    fn blocks(&self, first: usize, count: usize) -> [Option<[usize; 2]>; MOST_PIXELS] {
        let [rows, columns] = self.map.frame.size();
        let between = self.map.frame.columns();
        let mut blocks = [None; MOST_PIXELS];
        let (mut row, mut column) = (first / between, first % between);
        for block in &mut blocks[..count] {
            *block = (row < rows && column < columns).then_some([row * BLOCK, column * BLOCK]);
            column += 1;
            if column == between {
                (row, column) = (row + 1, 0);
            }
        }
        blocks
    }

    /// Blocks to their places in a channel; those at the far edges may be cut.
    #[inline(always)]
    fn write(
        &self,
        channel: usize,
        blocks: &[Option<[usize; 2]>],
        numbers: &[[[f32; MOST_PIXELS]; BLOCK]; BLOCK],
        shared: Shared,
    ) {
        let [rows, columns] = self.size;
        for (index, block) in blocks.iter().enumerate() {
            let Some([row, column]) = *block else {
                continue;
            };
            let wide = BLOCK.min(columns - column);
            for (down, numbers) in numbers.iter().enumerate().take(rows - row) {
                let start = (channel * rows + row + down) * columns + column;
                // SAFETY: a block of a channel is of one tile, and a tile of one thread.
                unsafe {
                    let to = shared.place(start, wide);
                    for (column, numbers) in numbers[..wide].iter().enumerate() {
                        let added = self.added.map_or(0.0, |added| added[start + column]);
                        *to.add(column) = numbers[index] + added;
                    }
                }
            }
        }
    }
}
