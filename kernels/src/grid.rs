//! Layers on grids of pixels that hold a batch: `[pixels, batch, channels]`.
//!
//! Each pixel of the result is a sum of matrix products, of a pixel's channels with the weights of a tap. Which
//! pixels, and which taps, is a list: so a layer that halves or doubles the grid is the same sum as one that keeps
//! it, and so is the way back from a gradient.

use std::ops::Range;

use macerator::{Scalar, Simd};

use crate::After;
use crate::threads::{Shared, append, parts};
use crate::tile::{
    CHANNELS, MOST_PIXELS, Sums, VECTORS, accumulate, activate, compiled_for, copy, finish,
    numbers, pixels,
};

/// Rows of channels that are worked on together: what they read stays in the cache while all weights pass by.
const ROWS: usize = 64;

/// What each pixel of a result is made of.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Pixels of the result, those with the same taps next to each other.
    pub order: Vec<usize>,
    /// For each of them, where its links begin in [`links`](Self::links); and the end of the last.
    pub starts: Vec<usize>,
    /// Pixel of the map, and tap.
    pub links: Vec<[usize; 2]>,
}

impl Links {
    /// From what each pixel of the result is made of.
    pub fn new(of_pixels: &[Vec<[usize; 2]>]) -> Self {
        let taps = |pixel: usize| of_pixels[pixel].iter().map(|link| link[1]);
        let mut order: Vec<usize> = (0..of_pixels.len()).collect();
        order.sort_by(|&a, &b| taps(a).cmp(taps(b)));
        let mut found = Self {
            order,
            starts: vec![0],
            links: Vec::new(),
        };
        for &pixel in &found.order {
            found.links.extend(&of_pixels[pixel]);
            found.starts.push(found.links.len());
        }
        found
    }

    pub(crate) fn of(&self, entry: usize) -> &[[usize; 2]] {
        &self.links[self.starts[entry]..self.starts[entry + 1]]
    }

    fn have_same_taps(&self, a: usize, b: usize) -> bool {
        a == b || {
            let taps = |entry| self.of(entry).iter().map(|link| link[1]);
            taps(a).eq(taps(b))
        }
    }

    /// The same seen from the map, of so many pixels: what each of its pixels goes into.
    pub fn turned(&self, pixels: usize) -> Self {
        let mut of_pixels = vec![Vec::new(); pixels];
        for (entry, &pixel) in self.order.iter().enumerate() {
            for &[from, tap] in self.of(entry) {
                of_pixels[from].push([pixel, tap]);
            }
        }
        for links in &mut of_pixels {
            links.sort_by_key(|link| link[1]);
        }
        Self::new(&of_pixels)
    }

    pub(crate) fn last_tap(&self) -> Option<usize> {
        self.links.iter().map(|link| link[1]).max()
    }

    pub(crate) fn last_pixel(&self) -> Option<usize> {
        self.links.iter().map(|link| link[0]).max()
    }
}

/// A layer, or the way back from a gradient on its result to one on its map.
pub struct Grid<'a> {
    /// What goes where.
    pub links: &'a Links,
    /// Pictures.
    pub batch: usize,
    /// Channels of the map and of the result.
    pub channels: [usize; 2],
    /// `[pixels, batch, channels of the map]`.
    pub map: &'a [f32],
    /// `[taps, channels of the map, channels of the result]`.
    pub weights: &'a [f32],
    /// Whether the weights are those of the way there, `[taps, channels of the result, channels of the map]`.
    pub turned: bool,
    /// What each channel is multiplied with, if anything.
    pub factors: Option<&'a [f32]>,
    /// What is added to each channel then, if anything.
    pub sums: Option<&'a [f32]>,
    /// What follows.
    pub after: After,
}

impl Grid<'_> {
    /// Appends the result, `[pixels, batch, channels]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [from, out] = self.channels;
        let results = self.links.order.len();
        let length = results * self.batch * out;
        let taps = self.weights.len() / (from * out).max(1);
        let map_pixels = self.map.len() / (self.batch * from).max(1);
        assert!(
            self.links.last_tap().is_none_or(|tap| tap < taps),
            "weights for each tap"
        );
        assert!(
            self.links
                .last_pixel()
                .is_none_or(|pixel| pixel < map_pixels),
            "pixels of the map"
        );
        assert!(self.links.order.iter().all(|&pixel| pixel < results));
        assert!(self.factors.is_none_or(|factors| factors.len() == out));
        assert!(self.sums.is_none_or(|sums| sums.len() == out));
        if length == 0 {
            return;
        }
        let panels = self.panels(taps);
        let together = (ROWS / self.batch).max(1);
        let cost = self.links.links.len() * self.batch * from * out;
        // SAFETY: each pixel of the result stands in `order` once, and all of its channels are written.
        unsafe {
            append(to, length, |result| {
                parts(results.div_ceil(together), cost, |blocks| {
                    for block in blocks {
                        let end = results.min((block + 1) * together);
                        by_entries(self, block * together..end, &panels, result);
                    }
                });
            });
        }
    }

    /// The weights as tiles read them: `[taps, panels, channels of the map, channels of a panel]`, with zeros behind
    /// the last channel.
    fn panels(&self, taps: usize) -> Vec<f32> {
        let [from, out] = self.channels;
        let wide = panel_width();
        let count = out.div_ceil(wide);
        let mut panels = vec![0.0; taps * count * from * wide];
        for (tap, panels) in panels
            .chunks_exact_mut((count * from * wide).max(1))
            .enumerate()
        {
            let weights = &self.weights[tap * from * out..(tap + 1) * from * out];
            for (panel, to) in panels.chunks_exact_mut(from * wide).enumerate() {
                let first = panel * wide;
                let width = wide.min(out - first);
                for (channel, to) in to.chunks_exact_mut(wide).enumerate() {
                    if self.turned {
                        let column = weights[first * from + channel..].iter().step_by(from);
                        to[..width]
                            .iter_mut()
                            .zip(column)
                            .for_each(|(to, weight)| *to = *weight);
                    } else {
                        to[..width].copy_from_slice(&weights[channel * out + first..][..width]);
                    }
                }
            }
        }
        panels
    }
}

#[macerator::with_simd]
fn panel_width<S: Simd>() -> usize {
    pixels::<S>()
}

/// Rows of the result that are made together: entry of the list and picture.
#[derive(Clone, Copy)]
struct Rows {
    rows: [[usize; 2]; CHANNELS],
    count: usize,
}

/// All channels of some pixels.
#[macerator::with_simd]
fn by_entries<'a, S: Simd>(
    work: &'a Grid<'a>,
    entries: Range<usize>,
    panels: &'a [f32],
    result: Shared,
) {
    compiled_for::<S>();
    let rows = entries.flat_map(|entry| (0..work.batch).map(move |picture| [entry, picture]));
    let mut groups: Vec<Rows> = Vec::with_capacity(ROWS / CHANNELS + 1);
    for row in rows {
        match groups.last_mut() {
            Some(last)
                if last.count < CHANNELS && work.links.have_same_taps(last.rows[0][0], row[0]) =>
            {
                last.rows[last.count] = row;
                last.count += 1;
            }
            _ => groups.push(Rows {
                rows: [row; CHANNELS],
                count: 1,
            }),
        }
    }
    let [from, out] = work.channels;
    let wide = pixels::<S>();
    let count = out.div_ceil(wide);
    for panel in 0..count {
        // SAFETY: `append` looked at taps and pixels; a panel of a tap holds `from` rows of `wide`.
        let weights =
            |tap: usize| unsafe { panels.as_ptr().add((tap * count + panel) * from * wide) };
        for rows in &groups {
            match rows.count {
                1 => some::<S, 1>(work, rows, panel, weights, result),
                2 => some::<S, 2>(work, rows, panel, weights, result),
                3 => some::<S, 3>(work, rows, panel, weights, result),
                _ => some::<S, CHANNELS>(work, rows, panel, weights, result),
            }
        }
    }
}

/// A panel of channels of `C` rows.
#[inline(always)]
fn some<S: Simd, const C: usize>(
    work: &Grid<'_>,
    rows: &Rows,
    panel: usize,
    weights: impl Fn(usize) -> *const f32,
    result: Shared,
) {
    let [from, out] = work.channels;
    let (wide, lanes) = (pixels::<S>(), <f32 as Scalar>::lanes::<S>());
    let links: [&[[usize; 2]]; C] = core::array::from_fn(|i| work.links.of(rows.rows[i][0]));
    let mut sums: Sums<S, C> = [[0f32.splat(); VECTORS]; C];
    for (index, &[_, tap]) in links[0].iter().enumerate() {
        let weights = weights(tap);
        let pixels: [*const f32; C] = core::array::from_fn(|i| {
            let row = links[i][index][0] * work.batch + rows.rows[i][1];
            // SAFETY: `append` saw that the map has all pixels of the list.
            unsafe { work.map.as_ptr().add(row * from) }
        });
        // SAFETY: as many weights and channels are there.
        unsafe {
            accumulate::<S, C, VECTORS>(
                &mut sums,
                from,
                |k| weights.add(k * wide),
                |i, k| *pixels[i].add(k),
            )
        };
    }
    let first = panel * wide;
    let width = wide.min(out - first);
    let part = |of: Option<&[f32]>, default: f32| {
        let mut part = [default; MOST_PIXELS];
        if let Some(of) = of {
            part[..width].copy_from_slice(&of[first..first + width]);
        }
        part
    };
    let (factors, shifts) = (part(work.factors, 1.0), part(work.sums, 0.0));
    for i in 0..C {
        let mut row = sums[i];
        for k in 0..VECTORS {
            // SAFETY: both hold as many numbers as a panel is wide.
            let (factor, shift) = unsafe {
                (
                    f32::vload_unaligned(factors[k * lanes..].as_ptr()),
                    f32::vload_unaligned(shifts[k * lanes..].as_ptr()),
                )
            };
            row[k] = activate(row[k].mul_add(factor, shift), work.after);
        }
        let mut made = numbers::<S, VECTORS>(row);
        finish(&mut made[..width], work.after);
        let [entry, picture] = rows.rows[i];
        let start = (work.links.order[entry] * work.batch + picture) * out + first;
        // SAFETY: a pixel is of one entry, and an entry of one thread.
        unsafe {
            let to = result.place(start, width);
            copy::<S>(made.as_ptr(), to, width);
        }
    }
}

/// From a gradient on a layer's result to one on its weights, `[taps, channels of the map, channels of the result]`.
///
/// # Shapes
/// - `map` `[pixels, batch, channels of the map]`, `gradient` `[pixels, batch, channels of the result]`
pub fn on_weights(
    links: &Links,
    taps: usize,
    batch: usize,
    [from, out]: [usize; 2],
    map: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let mut of_taps = vec![Vec::new(); taps];
    for (entry, &pixel) in links.order.iter().enumerate() {
        for &[source, tap] in links.of(entry) {
            of_taps[tap].push([source, pixel]);
        }
    }
    let pixels = links.order.len();
    assert_eq!(gradient.len(), pixels * batch * out);
    assert!(links.order.iter().all(|&pixel| pixel < pixels));
    let map_pixels = map.len() / (batch * from).max(1);
    assert!(
        links.last_pixel().is_none_or(|pixel| pixel < map_pixels),
        "pixels of the map"
    );
    // Rows as wide as panels, so that the last one reads no other row.
    let wide = panel_width();
    let width = out.next_multiple_of(wide);
    let mut padded = Vec::new();
    if width != out {
        padded.resize(pixels * batch * width, 0.0);
        for (to, from) in padded
            .chunks_exact_mut(width)
            .zip(gradient.chunks_exact(out))
        {
            to[..out].copy_from_slice(from);
        }
    }
    let gradient = if width == out { gradient } else { &padded };
    let mut summed = vec![0.0; taps * from * width];
    let shared = Shared::new(&mut summed);
    let fours = from.div_ceil(CHANNELS);
    let work = Weights {
        of_taps: &of_taps,
        batch,
        from,
        width,
        map,
        gradient,
    };
    parts(
        taps * fours,
        links.links.len() * batch * from * out,
        |units| {
            work.run(units, fours, shared);
        },
    );
    if width == out {
        return summed;
    }
    summed
        .chunks_exact(width)
        .flat_map(|row| &row[..out])
        .copied()
        .collect()
}

/// What the weights' gradient is computed from.
struct Weights<'a> {
    /// For each tap pixels of the map and of the result.
    of_taps: &'a [Vec<[usize; 2]>],
    batch: usize,
    from: usize,
    width: usize,
    map: &'a [f32],
    gradient: &'a [f32],
}

impl Weights<'_> {
    /// A few channels of the map at a tap are a unit.
    fn run(&self, units: Range<usize>, fours: usize, result: Shared) {
        let together = (ROWS / self.batch).max(1);
        let (first, last) = (units.start / fours, units.end.div_ceil(fours));
        for tap in first..last {
            for links in self.of_taps[tap].chunks(together) {
                for four in 0..fours {
                    if units.contains(&(tap * fours + four)) {
                        let channel = four * CHANNELS;
                        let start = (tap * self.from + channel) * self.width;
                        sum_rows(self, links, channel, start, result);
                    }
                }
            }
        }
    }
}

#[macerator::with_simd]
fn sum_rows<'a, S: Simd>(
    work: &'a Weights<'a>,
    links: &'a [[usize; 2]],
    channel: usize,
    start: usize,
    result: Shared,
) {
    compiled_for::<S>();
    match work.from - channel {
        1 => sum_rows_of::<S, 1>(work, links, channel, start, result),
        2 => sum_rows_of::<S, 2>(work, links, channel, start, result),
        3 => sum_rows_of::<S, 3>(work, links, channel, start, result),
        _ => sum_rows_of::<S, CHANNELS>(work, links, channel, start, result),
    }
}

/// Adds to `C` channels' weights what some links give.
#[inline(always)]
fn sum_rows_of<S: Simd, const C: usize>(
    work: &Weights<'_>,
    links: &[[usize; 2]],
    channel: usize,
    start: usize,
    result: Shared,
) {
    let (wide, lanes) = (pixels::<S>(), <f32 as Scalar>::lanes::<S>());
    for panel in (0..work.width).step_by(wide) {
        // SAFETY: a few channels at a tap are of one thread.
        let to: [*mut f32; C] =
            core::array::from_fn(|i| unsafe { result.place(start + i * work.width + panel, wide) });
        let mut sums: Sums<S, C> = [[0f32.splat(); VECTORS]; C];
        for i in 0..C {
            for k in 0..VECTORS {
                // SAFETY: there is room for a panel.
                sums[i][k] = unsafe { f32::vload_unaligned(to[i].add(k * lanes)) };
            }
        }
        for &[source, pixel] in links {
            // SAFETY: `on_weights` looked at the pixels.
            let (map, gradient) = unsafe {
                (
                    work.map
                        .as_ptr()
                        .add(source * work.batch * work.from + channel),
                    work.gradient
                        .as_ptr()
                        .add(pixel * work.batch * work.width + panel),
                )
            };
            // SAFETY: each has a row for each picture.
            unsafe {
                accumulate::<S, C, VECTORS>(
                    &mut sums,
                    work.batch,
                    |picture| gradient.add(picture * work.width),
                    |i, picture| *map.add(picture * work.from + i),
                );
            }
        }
        for i in 0..C {
            for k in 0..VECTORS {
                // SAFETY: as above.
                unsafe { f32::vstore_unaligned::<S>(to[i].add(k * lanes), sums[i][k]) };
            }
        }
    }
}

/// The sum of each channel over all rows.
pub fn on_bias(gradient: &[f32], out: usize) -> Vec<f32> {
    let mut sums = vec![0.0; out];
    for row in gradient.chunks_exact(out.max(1)) {
        for (sum, number) in sums.iter_mut().zip(row) {
            *sum += number;
        }
    }
    sums
}
