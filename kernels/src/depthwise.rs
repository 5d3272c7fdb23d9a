//! A convolution in which each channel of the result sees one channel of the map.

use std::ops::Range;

use macerator::{Scalar, Simd, Vector};

use crate::After;
use crate::map::Frame;
use crate::threads::{Shared, append, parts};
use crate::tile::{activate, compiled_for, copy, finish};

/// What is computed from what.
///
/// There is so little to compute that what counts is what moves: a channel is bordered, convolved and written
/// while it lies in the cache.
pub struct Depthwise<'a> {
    /// `[channels, height, width]`.
    pub map: &'a [f32],
    /// How a channel of it is bordered.
    pub frame: Frame,
    /// `[channels, taps]`.
    pub weights: &'a [f32],
    /// For each channel; zeros without it.
    pub bias: Option<&'a [f32]>,
    /// What follows the bias.
    pub after: After,
    /// Added last, laid out as the result.
    pub added: Option<&'a [f32]>,
}

impl Depthwise<'_> {
    /// Appends the channels of the result, one after the other.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [rows, columns] = self.frame.size();
        let taps = self.frame.offsets().len();
        let channels = self.weights.len() / taps;
        assert_eq!(channels * taps, self.weights.len(), "weights for each tap");
        let length = channels * rows * columns;
        assert_eq!(self.map.len() % channels.max(1), 0, "channels of one size");
        assert!(self.bias.is_none_or(|bias| bias.len() == channels));
        assert!(self.added.is_none_or(|added| added.len() == length));
        if length == 0 {
            return;
        }
        let cost = rows * columns * self.weights.len();
        // SAFETY: all rows of all channels are copied there.
        unsafe {
            append(to, length, |result| {
                parts(channels, cost, |channels| {
                    by_channel(self, channels, rows * columns, 0, result);
                });
            });
        }
    }
}

/// Vectors of neighbouring pixels that are summed side by side, so that no sum waits for the one before.
const TOGETHER: usize = 6;

/// All rows of a bordered channel as one line: what belongs to no pixel between two rows is computed and left out.
/// The result's channels are `plane` numbers apart, and these rows begin at `first` of each.
#[macerator::with_simd]
pub(crate) fn by_channel<'a, S: Simd>(
    work: &'a Depthwise<'a>,
    channels: Range<usize>,
    plane: usize,
    first: usize,
    shared: Shared,
) {
    compiled_for::<S>();
    let [rows, columns] = work.frame.size();
    let between = work.frame.columns();
    let offsets = work.frame.offsets();
    let taps = offsets.len();
    let count = <f32 as Scalar>::lanes::<S>() * TOGETHER;
    let line = (rows - 1) * between + columns;
    let mut bordered = vec![0.0; work.frame.channel() + count];
    let mut sums = vec![0.0; line.next_multiple_of(count)];
    assert!(
        offsets
            .iter()
            .all(|offset| offset + sums.len() <= bordered.len())
    );
    let from = work.map.len() / (work.weights.len() / taps);
    for channel in channels {
        let map = &work.map[channel * from..(channel + 1) * from];
        work.frame.border(map, None, &mut bordered);
        let weights = &work.weights[channel * taps..(channel + 1) * taps];
        let bias = work.bias.map_or(0.0, |bias| bias[channel]);
        for (tile, to) in sums.chunks_exact_mut(count).enumerate() {
            // SAFETY: each tap of the last tile ends inside `bordered`, as asserted above.
            unsafe {
                let from = bordered.as_ptr().add(tile * count);
                tile_of::<S>(from, &offsets, weights, bias, work.after, to.as_mut_ptr());
            }
        }
        let start = channel * plane + first;
        for row in 0..rows {
            let from = &sums[row * between..][..columns];
            // SAFETY: a channel is of one thread.
            unsafe {
                let to = shared.place(start + row * columns, columns);
                copy::<S>(from.as_ptr(), to, columns);
            }
        }
        // SAFETY: as above, and written.
        let to = unsafe { shared.part(start, rows * columns) };
        finish(to, work.after);
        if let Some(added) = work.added {
            for (to, added) in to.iter_mut().zip(&added[start..]) {
                *to += added;
            }
        }
    }
}

/// The sums of [`TOGETHER`] vectors of pixels.
///
/// # Safety
/// As many numbers must be there to be read from each offset on, and to be written.
#[inline(always)]
unsafe fn tile_of<S: Simd>(
    from: *const f32,
    offsets: &[usize],
    weights: &[f32],
    bias: f32,
    after: After,
    to: *mut f32,
) {
    let lanes = <f32 as Scalar>::lanes::<S>();
    let mut sums: [Vector<S, f32>; TOGETHER] = [bias.splat(); TOGETHER];
    for (&offset, &weight) in offsets.iter().zip(weights) {
        let weight = weight.splat();
        for i in 0..TOGETHER {
            // SAFETY: the caller's.
            let map: Vector<S, f32> = unsafe { f32::vload_unaligned(from.add(offset + i * lanes)) };
            sums[i] = map.mul_add(weight, sums[i]);
        }
    }
    for i in 0..TOGETHER {
        // SAFETY: the caller's.
        unsafe { f32::vstore_unaligned::<S>(to.add(i * lanes), activate(sums[i], after)) };
    }
}
