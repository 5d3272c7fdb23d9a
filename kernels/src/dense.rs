//! A convolution in which every channel of the result sees all channels of the map.

use std::ops::Range;

use macerator::{Scalar, Simd};

use crate::After;
use crate::map::{Bordered, Frame, Window};
use crate::threads::{Shared, append, parts, threads};
use crate::tile::{
    self, CHANNELS, MOST_PIXELS, Sums, VECTORS, activate, compiled_for, copy, numbers, pixels,
};

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

/// Channels of a tile where there are registers for them: each number of the map is read half as often.
const MANY: usize = 2 * CHANNELS;
/// Numbers in a line of the cache.
const LINE: usize = 16;

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
        let (taps, channels) = (self.offsets.len(), self.channels());
        let length = channels * rows * columns;
        assert_eq!(channels * taps, self.weights.len(), "weights for each tap");
        assert!(self.bias.is_none_or(|bias| bias.len() == channels));
        assert!(self.added.is_none_or(|added| added.len() == length));
        if length == 0 {
            return;
        }
        if self.after == After::Sigmoid {
            let plain = Dense {
                after: After::Nothing,
                added: None,
                ..*self
            };
            return with_sigmoid(to, self.added, |to| plain.append(to));
        }
        // SAFETY: `run` writes all rows of all channels.
        unsafe {
            append(to, length, |result| {
                self.run(Place {
                    plane: rows * columns,
                    first: 0,
                    result,
                });
            });
        }
    }

    /// Writes the channels of the result to their place.
    fn run(&self, place: Place) {
        let [rows, columns] = self.size;
        let channels = self.channels();
        let is_copy = matches!(self.map.values, std::borrow::Cow::Owned(_));
        let farthest = self.offsets.iter().max().copied().unwrap_or(0);
        let last = (rows - 1) * self.map.frame.columns() + columns - 1 + farthest;
        assert!(last < self.map.values.len(), "a tap outside its map");
        let cost = rows * columns * self.weights.len();
        if is_copy && columns >= LONG_ROW && channels <= FEW {
            // All rows as one line: what belongs to no pixel between two rows is computed and left out.
            let line = (rows - 1) * self.map.frame.columns() + columns;
            assert!(
                last + MOST_PIXELS <= self.map.values.len(),
                "a tile outside its map"
            );
            let tiles = line.div_ceil(tile_pixels());
            parts(tiles, cost, |tiles| along_rows(self, tiles, place));
        } else {
            let tiles = (rows * columns).div_ceil(tile_pixels());
            let groups = groups(tiles, channels);
            let each = channels.div_ceil(groups).next_multiple_of(MANY);
            let groups = channels.div_ceil(each);
            let of = |group: usize| group * each..channels.min((group + 1) * each);
            parts(groups * tiles, cost, |some| {
                for group in some.start / tiles..some.end.div_ceil(tiles) {
                    let first = group * tiles;
                    let tiles = some.start.max(first) - first..tiles.min(some.end - first);
                    in_panels(self, tiles, of(group), place);
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
    fn store<S: Simd, const C: usize, const V: usize>(
        &self,
        channel: usize,
        sums: Sums<S, C, V>,
        pixels: &Pixels,
        to: Place,
    ) {
        let lanes = <f32 as Scalar>::lanes::<S>();
        for i in 0..C {
            let mut row = sums[i];
            for k in 0..V {
                row[k] = activate(row[k], self.after);
            }
            let start = (channel + i) * to.plane + to.first;
            if let Pixels::Run { first, count } = *pixels
                && count == V * lanes
            {
                let first = start + first;
                // SAFETY: a pixel of a channel is of one tile, and a tile of one thread.
                let at = unsafe { to.result.place(first, count) };
                let added = self.added.map(|added| &added[first..][..count]);
                for k in 0..V {
                    // SAFETY: there is room for a tile, and as much to be added.
                    unsafe {
                        let mut sum = row[k];
                        if let Some(added) = added {
                            sum += f32::vload_unaligned(added[k * lanes..].as_ptr());
                        }
                        f32::vstore_unaligned::<S>(at.add(k * lanes), sum);
                    }
                }
            } else {
                self.store_each(numbers::<S, V>(row), start, pixels, to);
            }
        }
    }

    /// Hands the numbers of a row that is no whole tile to the channel that begins at `start`.
    #[inline(never)]
    fn store_each(&self, numbers: [f32; MOST_PIXELS], start: usize, pixels: &Pixels, to: Place) {
        for (index, number) in numbers.into_iter().enumerate() {
            let place = match pixels {
                Pixels::Run { first, count } => (index < *count).then_some(first + index),
                Pixels::Each(places) => places[index],
            };
            if let Some(place) = place {
                let added = self.added.map_or(0.0, |added| added[start + place]);
                // SAFETY: a pixel of a channel is of one tile, and a tile of one thread.
                unsafe { *to.result.place(start + place, 1) = number + added };
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
        to: Place,
    ) {
        if !is_wide::<S>() {
            return self.channels_of::<S, VECTORS>(place, pixels, channels, to);
        }
        // The last tile of a small map is mostly empty.
        match pixels.vectors(<f32 as Scalar>::lanes::<S>()) {
            1 => self.channels_of::<S, 1>(place, pixels, channels, to),
            _ => self.channels_of::<S, VECTORS>(place, pixels, channels, to),
        }
    }

    /// The sums of all channels of `V` vectors of a tile.
    #[inline(always)]
    fn channels_of<S: Simd, const V: usize>(
        &self,
        place: impl Fn(usize) -> *const f32 + Copy,
        pixels: &Pixels,
        channels: Range<usize>,
        to: Place,
    ) {
        let mut channel = channels.start;
        while channel < channels.end {
            let left = channels.end - channel;
            if is_wide::<S>() && left >= MANY {
                self.some::<S, MANY, V>(place, pixels, channel, to);
                channel += MANY;
                continue;
            }
            match left {
                1 => self.some::<S, 1, V>(place, pixels, channel, to),
                2 => self.some::<S, 2, V>(place, pixels, channel, to),
                3 => self.some::<S, 3, V>(place, pixels, channel, to),
                _ => self.some::<S, CHANNELS, V>(place, pixels, channel, to),
            }
            channel += CHANNELS;
        }
    }

    /// The sums of `C` channels of `V` vectors of a tile.
    #[inline(always)]
    fn some<S: Simd, const C: usize, const V: usize>(
        &self,
        place: impl Fn(usize) -> *const f32,
        pixels: &Pixels,
        channel: usize,
        to: Place,
    ) {
        let taps = self.offsets.len();
        let weights = self.weights[channel * taps..(channel + C) * taps].as_ptr();
        // SAFETY: the weights are as many rows; `place` is good by its makers.
        let sums = unsafe { tile::sums::<S, C, V>(taps, place, weights, self.bias(channel)) };
        self.store(channel, sums, pixels, to);
    }
}

/// Where a result goes.
#[derive(Clone, Copy)]
struct Place {
    /// From one channel to the next.
    plane: usize,
    /// The first number of the first channel.
    first: usize,
    result: Shared,
}

/// Numbers of bordered rows that stay in a cache until they are read.
const IN_A_CACHE: usize = 192 * 1024;

/// [`Dense`] of a map that gets its border here: where the map is large some rows of the result at a time, so that
/// bordered rows are read while they lie in the cache.
pub struct Banded<'a> {
    /// `[channels, height, width]`.
    pub map: &'a [f32],
    /// Its channels, height and width.
    pub sides: [usize; 3],
    /// Of the kernel.
    pub window: Window,
    /// Shaped like the map: stops what is not above zero there.
    pub gate: Option<&'a [f32]>,
    /// `[channels of the result, channels, kernel, kernel]`.
    pub weights: &'a [f32],
    /// For each channel of the result; zeros without it.
    pub bias: Option<&'a [f32]>,
    /// What follows the bias.
    pub after: After,
    /// Added last, laid out as the result.
    pub added: Option<&'a [f32]>,
}

impl Banded<'_> {
    /// Appends the channels of the result, `[channels, rows, columns]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [channels, height, width] = self.sides;
        let [rows, columns] = self.window.size;
        let taps = channels * self.window.kernel.pow(2);
        let out = self.weights.len() / taps.max(1);
        let frame = Frame::new([height, width], self.window);
        if self.after == After::Sigmoid {
            let plain = Banded {
                after: After::Nothing,
                added: None,
                ..*self
            };
            return with_sigmoid(to, self.added, |to| plain.append(to));
        }
        let bands = self.bands(frame);
        if bands == 1 {
            let map = Bordered::in_frame(self.map, channels, frame, self.gate);
            return self.dense(&map, &map.offsets(channels), rows).append(to);
        }
        let length = out * rows * columns;
        assert_eq!(out * taps, self.weights.len(), "weights for each tap");
        assert!(self.bias.is_none_or(|bias| bias.len() == out));
        assert!(self.added.is_none_or(|added| added.len() == length));
        let each = rows.div_ceil(bands);
        // SAFETY: each row of the result is of one band, which writes all channels of it.
        unsafe {
            append(to, length, |result| {
                parts(rows.div_ceil(each), length * taps, |bands| {
                    for band in bands {
                        let rows = band * each..rows.min((band + 1) * each);
                        let frame = frame.rows(rows.clone());
                        let map = Bordered::in_frame(self.map, channels, frame, self.gate);
                        let place = Place {
                            plane: self.window.size[0] * columns,
                            first: rows.start * columns,
                            result,
                        };
                        self.dense(&map, &map.offsets(channels), rows.len())
                            .run(place);
                    }
                });
            });
        }
    }

    /// Into how many bands the rows of the result are put.
    fn bands(&self, frame: Frame) -> usize {
        let Window {
            kernel,
            stride,
            size: [rows, _],
            ..
        } = self.window;
        let numbers = self.sides[0] * frame.channel();
        let bands = numbers.div_ceil(IN_A_CACHE).next_multiple_of(threads());
        // What two bands share is bordered twice.
        let is_worth_it = kernel * bands * 2 <= rows * stride;
        if numbers > IN_A_CACHE && is_worth_it && !frame.is_bare() {
            bands
        } else {
            1
        }
    }

    fn dense<'a>(&'a self, map: &'a Bordered<'a>, offsets: &'a [usize], rows: usize) -> Dense<'a> {
        Dense {
            map,
            offsets,
            weights: self.weights,
            bias: self.bias,
            after: self.after,
            added: self.added,
            size: [rows, self.window.size[1]],
        }
    }
}

/// What is appended, with the sigmoid of all of it at once, plus `added`: row by row it would take longer to begin
/// than to compute.
fn with_sigmoid(to: &mut Vec<f32>, added: Option<&[f32]>, append: impl FnOnce(&mut Vec<f32>)) {
    let start = to.len();
    append(to);
    let appended = &mut to[start..];
    tile::finish(appended, After::Sigmoid);
    if let Some(added) = added {
        assert_eq!(added.len(), appended.len());
        for (number, added) in appended.iter_mut().zip(added) {
            *number += added;
        }
    }
}

/// Into how many groups channels are put for the threads: one, where there are tiles for all of them.
fn groups(tiles: usize, channels: usize) -> usize {
    let threads = threads();
    if threads == 1 || tiles >= 8 * threads {
        1
    } else {
        (2 * threads).min(channels / (2 * MANY)).max(1)
    }
}

/// A convolution of single pixels, on the thread that asks.
pub(crate) fn pointwise(work: &Dense<'_>, to: &mut Vec<f32>) {
    if work.after == After::Sigmoid {
        let plain = Dense {
            after: After::Nothing,
            ..*work
        };
        return with_sigmoid(to, None, |to| pointwise(&plain, to));
    }
    let pixels = work.size[0] * work.size[1];
    let last = pixels + work.offsets.iter().max().copied().unwrap_or(0);
    assert!(last <= work.map.values.len(), "a tap outside its map");
    // SAFETY: all pixels of all channels are written.
    unsafe {
        append(to, work.channels() * pixels, |result| {
            let tiles = 0..pixels.div_ceil(tile_pixels());
            let place = Place {
                plane: pixels,
                first: 0,
                result,
            };
            in_panels(work, tiles, 0..work.channels(), place);
        });
    }
}

/// The pixels of a tile: where their results lie in a channel.
// A few are made at a time, on the stack.
#[allow(clippy::large_enum_variant)]
enum Pixels {
    /// So many, one after the other.
    Run { first: usize, count: usize },
    /// Each by itself, as far as it is one.
    Each([Option<usize>; MOST_PIXELS]),
}

impl Pixels {
    /// Of `count` places in a line, from `first` on. A row takes `columns` places, the pixels are the first of them.
    fn new(count: usize, first: usize, columns: usize, work: &Dense<'_>) -> Self {
        let [rows, wide] = work.size;
        if columns == wide {
            let count = count.min(rows * wide - first);
            return Self::Run { first, count };
        }
        let (mut row, mut column) = (first / columns, first % columns);
        if row < rows && column + count <= wide {
            let first = row * wide + column;
            return Self::Run { first, count };
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

    /// Vectors that hold them all.
    fn vectors(&self, lanes: usize) -> usize {
        match self {
            Self::Run { count, .. } => count.div_ceil(lanes),
            Self::Each(_) => VECTORS,
        }
    }
}

/// Whether this processor's vectors are the longest: with them come twice as many registers.
#[inline(always)]
fn is_wide<S: Simd>() -> bool {
    <f32 as Scalar>::lanes::<S>() == 16
}

#[macerator::with_simd]
fn tile_pixels<S: Simd>() -> usize {
    pixels::<S>()
}

/// Tiles along the rows of the bordered map, as if they were one line.
#[macerator::with_simd]
fn along_rows<'a, S: Simd>(work: &'a Dense<'a>, tiles: Range<usize>, to: Place) {
    compiled_for::<S>();
    let count = pixels::<S>();
    let columns = work.map.frame.columns();
    let values = work.map.values.as_ptr();
    let offsets = work.offsets;
    for tile in tiles {
        let first = tile * count;
        let pixels = Pixels::new(count, first, columns, work);
        // SAFETY: `run` saw that the farthest tap of the last tile ends inside the map.
        let place = |tap: usize| unsafe { values.add(*offsets.get_unchecked(tap) + first) };
        work.tile::<S>(place, &pixels, 0..work.channels(), to);
    }
}

/// Tiles whose pixels are brought together in panels `[taps, pixels]` first. Several panels are made before the
/// weights pass by, so that they pass by less often.
#[macerator::with_simd]
fn in_panels<'a, S: Simd>(
    work: &'a Dense<'a>,
    tiles: Range<usize>,
    channels: Range<usize>,
    to: Place,
) {
    compiled_for::<S>();
    let count = pixels::<S>();
    let taps = work.offsets.len();
    let together = (PANELS / (taps * count).max(1)).clamp(1, MOST_PANELS);
    // A vector that lies on two lines of the cache is read twice.
    let mut room = vec![0.0; together * taps * count + LINE];
    let aligned = room
        .as_ptr()
        .align_offset(LINE * size_of::<f32>())
        .min(LINE);
    let panels = &mut room[aligned..][..together * taps * count];
    let mut start = tiles.start;
    while start < tiles.end {
        let end = (start + together).min(tiles.end);
        let mut made = Vec::with_capacity(together);
        for (tile, panel) in (start..end).zip(panels.chunks_exact_mut(taps * count)) {
            let first = tile * count;
            fill::<S>(panel, work, first);
            made.push(Pixels::new(count, first, work.size[1], work));
        }
        let many = if is_wide::<S>() { MANY } else { CHANNELS };
        for channel in channels.clone().step_by(many) {
            let channels = channel..(channel + many).min(channels.end);
            for (pixels, panel) in made.iter().zip(panels.chunks_exact(taps * count)) {
                let panel = panel.as_ptr();
                // SAFETY: a panel holds `count` numbers for each tap.
                let place = |tap: usize| unsafe { panel.add(tap * count) };
                work.tile::<S>(place, pixels, channels.clone(), to);
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
    let start = to.len();
    to.resize(start + 4 * each, 0.0);
    if columns == 0 {
        return;
    }
    for (line, to) in to[start..].chunks_exact_mut(2 * columns).enumerate() {
        let (row, odd) = (line / 2, line % 2 * 2);
        let from = |map: usize| &four[map * each + row * columns..][..columns];
        let pairs = to.as_chunks_mut::<2>().0.iter_mut();
        for ((to, &even), &odd) in pairs.zip(from(odd)).zip(from(odd + 1)) {
            *to = [even, odd];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Around;

    #[test]
    fn bands_are_the_whole() {
        let (channels, out, [height, width]) = (8, 5, [190, 170]);
        let numbers = |count: usize, seed: usize| -> Vec<f32> {
            (0..count)
                .map(|i| (((i + seed) * 2_654_435_761) >> 9 & 255) as f32 / 256.0 - 0.5)
                .collect()
        };
        let map = numbers(channels * height * width, 0);
        let gate = numbers(map.len(), 1);
        for (kernel, stride, around) in [
            (3, 1, Around::Zeros),
            (3, 2, Around::Mirrored),
            (5, 2, Around::Zeros),
            (4, 4, Around::Edge),
        ] {
            let window = Window {
                kernel,
                stride,
                around,
                before: [kernel / 2; 2],
                size: [height.div_ceil(stride), width.div_ceil(stride)],
            };
            let weights = numbers(out * channels * kernel * kernel, 2);
            let added = numbers(out * window.size[0] * window.size[1], 3);
            let banded = Banded {
                map: &map,
                sides: [channels, height, width],
                window,
                gate: Some(&gate),
                weights: &weights,
                bias: Some(&[0.5; 5]),
                after: After::Relu,
                added: Some(&added),
            };
            assert!(banded.bands(Frame::new([height, width], window)) > 1);
            let (mut in_bands, mut whole) = (Vec::new(), Vec::new());
            banded.append(&mut in_bands);
            let map = Bordered::new(&map, banded.sides, window, banded.gate);
            banded
                .dense(&map, &map.offsets(channels), window.size[0])
                .append(&mut whole);
            assert_eq!(in_bands, whole, "{window:?}");
        }
    }
}
