//! A convolution in which every channel of the result sees all channels of the map.

use std::ops::Range;

use macerator::{Simd, vload_unaligned, vstore_unaligned};

use crate::After;
use crate::map::Bordered;
use crate::threads::{Shared, append, parts};
use crate::tile::{self, CHANNELS, MOST_PIXELS, Sums, VECTORS, activate, copy, numbers, pixels};

/// Shortest row, in pixels of the result, that tiles are laid along. In shorter ones they are panels of pixels
/// from several rows.
const LONG_ROW: usize = 16;
/// Channels that are too few for panels to be worth making. (With more of them, what counts is that a tile reads
/// from one page of memory, and not from as many as it has taps.)
const FEW: usize = 8;
/// Numbers of the panels that are made together: with the weights that pass by they stay in the cache next to the
/// processor.
const PANELS: usize = 64 * 1024;
/// Most panels that are made together.
const MOST_PANELS: usize = 16;

/// What the tiles are computed from, and what follows.
pub struct Dense<'a> {
    /// The map with its border.
    pub map: &'a Bordered<'a>,
    /// Where each tap reads, from the pixel it is for.
    pub offsets: &'a [usize],
    /// `[channels, taps]`.
    pub weights: &'a [f32],
    /// For each channel; zeros without it.
    pub bias: Option<&'a [f32]>,
    /// What follows the bias.
    pub after: After,
    /// Added last, laid out as the result.
    pub added: Option<&'a [f32]>,
    /// Rows and columns of the result.
    pub size: [usize; 2],
}

impl Dense<'_> {
    /// Appends the channels of the result, `[channels, rows, columns]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [rows, columns] = self.size;
        let taps = self.offsets.len();
        let channels = self.weights.len() / taps.max(1);
        let length = channels * rows * columns;
        assert_eq!(channels * taps, self.weights.len(), "weights for each tap");
        assert!(self.bias.is_none_or(|bias| bias.len() == channels));
        assert!(self.added.is_none_or(|added| added.len() == length));
        if length == 0 {
            return;
        }
        let is_copy = matches!(self.map.values, std::borrow::Cow::Owned(_));
        let farthest = self.offsets.iter().max().copied().unwrap_or(0);
        let last = (rows - 1) * self.map.frame.columns() + columns - 1 + farthest;
        assert!(last < self.map.values.len(), "a tap outside its map");
        let cost = rows * columns * self.weights.len();
        // SAFETY: each pixel is of one tile, and tiles write all channels of theirs.
        unsafe {
            append(to, length, |result| {
                if is_copy && columns >= LONG_ROW && channels <= FEW {
                    // All rows as one line: what belongs to no pixel between two rows is computed and left out.
                    let line = (rows - 1) * self.map.frame.columns() + columns;
                    assert!(
                        last + MOST_PIXELS <= self.map.values.len(),
                        "a tile outside its map"
                    );
                    let tiles = line.div_ceil(tile_pixels());
                    parts(tiles, cost, |tiles| along_rows(self, tiles, result));
                } else {
                    let tiles = (rows * columns).div_ceil(tile_pixels());
                    parts(tiles, cost, |tiles| in_panels(self, tiles, result));
                }
            });
        }
    }

    fn bias<const C: usize>(&self, channel: usize) -> [f32; C] {
        core::array::from_fn(|i| self.bias.map_or(0.0, |bias| bias[channel + i]))
    }

    fn channels(&self) -> usize {
        self.weights.len() / self.offsets.len().max(1)
    }

    /// Hands each channel's sums of a tile to the result.
    #[inline(always)]
    fn store<S: Simd, const C: usize>(
        &self,
        channel: usize,
        sums: Sums<S, C>,
        pixels: &Pixels,
        shared: Shared,
    ) {
        for (i, sums) in sums.into_iter().enumerate() {
            let row = sums.map(|sum| activate(sum, self.after));
            let start = (channel + i) * self.size[0] * self.size[1];
            if let Pixels::Run(first) = *pixels
                && self.after != After::Sigmoid
            {
                let length = tile::pixels::<S>();
                let lanes = length / VECTORS;
                // SAFETY: a pixel of a channel is of one tile, and a tile of one thread.
                let to = unsafe { shared.place(start + first, length) };
                let added = self.added.map(|added| &added[start + first..][..length]);
                for (k, vector) in row.into_iter().enumerate() {
                    // SAFETY: there is room for a tile, and as much to be added.
                    unsafe {
                        let sum = match added {
                            Some(added) => vector + vload_unaligned(added[k * lanes..].as_ptr()),
                            None => vector,
                        };
                        vstore_unaligned::<S, _>(to.add(k * lanes), sum);
                    }
                }
                continue;
            }
            let mut numbers = numbers::<S>(row);
            tile::finish(&mut numbers, self.after);
            let places = pixels.places(tile::pixels::<S>());
            for (number, place) in numbers.iter().zip(places) {
                if let Some(place) = place {
                    let added = self.added.map_or(0.0, |added| added[start + place]);
                    // SAFETY: as above.
                    unsafe { *shared.place(start + place, 1) = number + added };
                }
            }
        }
    }

    /// The sums of all channels of a tile.
    #[inline(always)]
    fn tile<S: Simd>(
        &self,
        place: impl Fn(usize) -> *const f32 + Copy,
        pixels: &Pixels,
        channels: Range<usize>,
        shared: Shared,
    ) {
        for channel in channels.clone().step_by(CHANNELS) {
            match channels.end - channel {
                1 => self.some::<S, 1>(place, pixels, channel, shared),
                2 => self.some::<S, 2>(place, pixels, channel, shared),
                3 => self.some::<S, 3>(place, pixels, channel, shared),
                _ => self.some::<S, CHANNELS>(place, pixels, channel, shared),
            }
        }
    }

    /// The sums of `C` channels of a tile.
    #[inline(always)]
    fn some<S: Simd, const C: usize>(
        &self,
        place: impl Fn(usize) -> *const f32,
        pixels: &Pixels,
        channel: usize,
        shared: Shared,
    ) {
        let taps = self.offsets.len();
        let weights = self.weights[channel * taps..(channel + C) * taps].as_ptr();
        // SAFETY: the weights are as many rows; `place` is good by its makers.
        let sums = unsafe { tile::sums::<S, C>(taps, place, weights, self.bias(channel)) };
        self.store(channel, sums, pixels, shared);
    }
}

/// A convolution of single pixels, on the thread that asks.
pub(crate) fn pointwise(work: &Dense<'_>, to: &mut Vec<f32>) {
    let pixels = work.size[0] * work.size[1];
    let last = pixels + work.offsets.iter().max().copied().unwrap_or(0);
    assert!(last <= work.map.values.len(), "a tap outside its map");
    // SAFETY: all pixels of all channels are written.
    unsafe {
        append(to, work.channels() * pixels, |result| {
            in_panels(work, 0..pixels.div_ceil(tile_pixels()), result);
        });
    }
}

/// The pixels of a tile: where their results lie in a channel.
// A few are made at a time, on the stack.
#[allow(clippy::large_enum_variant)]
enum Pixels {
    /// One after the other, from here on.
    Run(usize),
    /// Each by itself, as far as it is one.
    Each([Option<usize>; MOST_PIXELS]),
}

impl Pixels {
    /// Of `count` places in a line, from `first` on. A row takes `columns` places, the pixels are the first of them.
    fn new(count: usize, first: usize, columns: usize, work: &Dense<'_>) -> Self {
        let [rows, wide] = work.size;
        let (mut row, mut column) = (first / columns, first % columns);
        let in_a_row = row < rows && column + count <= wide;
        let goes_on = columns == wide && first + count <= rows * wide;
        if in_a_row || goes_on {
            return Self::Run(row * wide + column);
        }
        let mut places = [None; MOST_PIXELS];
        for to in &mut places[..count] {
            let is_pixel = row < rows && column < wide;
            *to = is_pixel.then(|| row * wide + column);
            column += 1;
            if column == columns {
                (row, column) = (row + 1, 0);
            }
        }
        Self::Each(places)
    }

    /// Where each of `count` lies.
    fn places(&self, count: usize) -> [Option<usize>; MOST_PIXELS] {
        match *self {
            Self::Each(places) => places,
            Self::Run(first) => {
                core::array::from_fn(|index| (index < count).then_some(first + index))
            }
        }
    }
}

#[macerator::with_simd]
fn tile_pixels<S: Simd>() -> usize {
    pixels::<S>()
}

/// Tiles along the rows of the bordered map, as if they were one line.
#[macerator::with_simd]
fn along_rows<'a, S: Simd>(work: &'a Dense<'a>, tiles: Range<usize>, shared: Shared) {
    let count = pixels::<S>();
    let columns = work.map.frame.columns();
    let values = work.map.values.as_ptr();
    let offsets = work.offsets;
    for tile in tiles {
        let first = tile * count;
        let pixels = Pixels::new(count, first, columns, work);
        // SAFETY: `run` saw that the farthest tap of the last tile ends inside the map.
        let place = |tap: usize| unsafe { values.add(*offsets.get_unchecked(tap) + first) };
        work.tile::<S>(place, &pixels, 0..work.channels(), shared);
    }
}

/// Tiles whose pixels are brought together in panels `[taps, pixels]` first. Several panels are made before the
/// weights pass by, so that they pass by less often.
#[macerator::with_simd]
fn in_panels<'a, S: Simd>(work: &'a Dense<'a>, tiles: Range<usize>, shared: Shared) {
    let count = pixels::<S>();
    let taps = work.offsets.len();
    let together = (PANELS / (taps * count).max(1)).clamp(1, MOST_PANELS);
    let mut panels = vec![0.0; together * taps * count];
    let mut start = tiles.start;
    while start < tiles.end {
        let end = (start + together).min(tiles.end);
        let mut made = Vec::with_capacity(together);
        for (tile, panel) in (start..end).zip(panels.chunks_exact_mut(taps * count)) {
            let first = tile * count;
            fill::<S>(panel, work, first);
            made.push(Pixels::new(count, first, work.size[1], work));
        }
        for channel in (0..work.channels()).step_by(CHANNELS) {
            let channels = channel..(channel + CHANNELS).min(work.channels());
            for (pixels, panel) in made.iter().zip(panels.chunks_exact(taps * count)) {
                let panel = panel.as_ptr();
                // SAFETY: a panel holds `count` numbers for each tap.
                let place = |tap: usize| unsafe { panel.add(tap * count) };
                work.tile::<S>(place, pixels, channels.clone(), shared);
            }
        }
        start = end;
    }
}

/// A panel: for each tap what it reads for the pixels from `first` on. Behind the last pixel stands what stood
/// there before.
#[inline(always)]
fn fill<S: Simd>(panel: &mut [f32], work: &Dense<'_>, first: usize) {
    let [rows, columns] = work.size;
    let count = pixels::<S>();
    let count_here = count.min(rows * columns - first);
    let from = |pixel: usize| pixel / columns * work.map.frame.columns() + pixel % columns;
    let bases: [usize; MOST_PIXELS] =
        core::array::from_fn(|index| from(first + index.min(count_here - 1)));
    let values = &work.map.values[..];
    let is_run = bases[count_here - 1] == bases[0] + count_here - 1;
    for (to, &offset) in panel.chunks_exact_mut(count).zip(work.offsets) {
        if is_run {
            let from = &values[offset + bases[0]..][..count_here];
            // SAFETY: both are as long.
            unsafe { copy::<S>(from.as_ptr(), to.as_mut_ptr(), count_here) };
        } else {
            for (to, base) in to.iter_mut().zip(bases) {
                *to = values[offset + base];
            }
        }
    }
}

/// A map of twice as many rows and columns, from the four maps `[channels, rows, columns]` of its pixels in even and
/// odd rows and columns, in this order.
pub fn interleave(four: &[f32], [channels, rows, columns]: [usize; 3], to: &mut Vec<f32>) {
    let each = channels * rows * columns;
    assert_eq!(four.len(), 4 * each, "four maps");
    to.reserve_exact(4 * each);
    for row in 0..channels * rows {
        for odd in [0, 2] {
            let line = |map: usize| &four[map * each + row * columns..][..columns];
            to.extend(
                line(odd)
                    .iter()
                    .zip(line(odd + 1))
                    .flat_map(|(&even, &odd)| [even, odd]),
            );
        }
    }
}
