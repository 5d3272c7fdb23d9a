//! Sums of parts of pixels, along the links of a grid, and the way back.

use macerator::{Scalar, Simd, Vector};

use crate::After;
use crate::grid::Links;
use crate::threads::{append, parts};
use crate::tile::compiled_for;

/// For each pixel the sum of parts of others: of `[pixels, batch, taps, channels]` the part of each link's tap, at its
/// pixel. Times a factor and plus a sum for each channel, if there are such, and what follows.
pub struct Gather<'a> {
    /// Which parts.
    pub links: &'a Links,
    /// Pictures.
    pub batch: usize,
    /// Parts of a pixel, and channels of each.
    pub parts: [usize; 2],
    /// `[pixels, batch, taps, channels]`.
    pub from: &'a [f32],
    /// What each channel is multiplied with, if anything.
    pub factors: Option<&'a [f32]>,
    /// What is added to each channel then, if anything.
    pub sums: Option<&'a [f32]>,
    /// What follows.
    pub after: After,
}

impl Gather<'_> {
    /// Appends the result, `[pixels, batch, channels]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [taps, channels] = self.parts;
        let results = self.links.order.len();
        let pixels = self.from.len() / (self.batch * taps * channels).max(1);
        assert!(self.links.last_tap().is_none_or(|tap| tap < taps));
        assert!(self.links.last_pixel().is_none_or(|pixel| pixel < pixels));
        assert!(self.links.order.iter().all(|&pixel| pixel < results));
        for of_channels in [self.factors, self.sums].into_iter().flatten() {
            assert_eq!(of_channels.len(), channels);
        }
        let cost = self.links.links.len() * self.batch * channels;
        // SAFETY: each pixel of the result stands in `order` once, and all of its channels are written.
        unsafe {
            append(to, results * self.batch * channels, |result| {
                parts(results, cost, |entries| {
                    for entry in entries {
                        for picture in 0..self.batch {
                            let pixel = self.links.order[entry] * self.batch + picture;
                            let place = |[source, tap]: [usize; 2]| {
                                ((source * self.batch + picture) * taps + tap) * channels
                            };
                            let to = result.place(pixel * channels, channels);
                            self.sum(self.links.of(entry), place, to);
                        }
                    }
                });
            });
        }
    }

    /// A pixel of a picture.
    ///
    /// # Safety
    /// There must be room for all channels.
    unsafe fn sum(&self, links: &[[usize; 2]], place: impl Fn([usize; 2]) -> usize, to: *mut f32) {
        let [_, channels] = self.parts;
        let places: Vec<usize> = links.iter().map(|&link| place(link)).collect();
        // SAFETY: the caller's, and `append` looked at the links.
        let to = unsafe {
            sum_rows_at(self.from, &places, channels, to);
            std::slice::from_raw_parts_mut(to, channels)
        };
        if let Some(factors) = self.factors {
            to.iter_mut()
                .zip(factors)
                .for_each(|(to, factor)| *to *= factor);
        }
        if let Some(sums) = self.sums {
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
        }
        if self.after != After::Nothing {
            crate::rescale(to, &[[1.0, 0.0]], self.after, None);
        }
    }
}

/// The sum of rows of `count` numbers that begin at those places, written to `to`.
///
/// # Safety
/// The rows must be there, and there must be room.
unsafe fn sum_rows_at(from: &[f32], places: &[usize], count: usize, to: *mut f32) {
    sum_rows_at_of(from, places, count, Target(to));
}

/// Where a row goes.
#[derive(Clone, Copy)]
struct Target(*mut f32);

#[macerator::with_simd]
fn sum_rows_at_of<'a, S: Simd>(from: &'a [f32], places: &'a [usize], count: usize, to: Target) {
    compiled_for::<S>();
    let lanes = <f32 as Scalar>::lanes::<S>();
    let whole = count - count % lanes;
    // SAFETY: the caller's promise: as many numbers at each place.
    unsafe {
        for start in (0..whole).step_by(lanes) {
            let mut sum: Vector<S, f32> = 0f32.splat();
            for &place in places {
                sum += f32::vload_unaligned(from.as_ptr().add(place + start));
            }
            f32::vstore_unaligned::<S>(to.0.add(start), sum);
        }
        for index in whole..count {
            *to.0.add(index) = places
                .iter()
                .map(|place| *from.as_ptr().add(place + index))
                .sum();
        }
    }
}

/// The way back of [`Gather`]: from `[results, batch, channels]` to `[pixels, batch, taps, channels]`, where each part
/// is the sum of the results that it went into. `back` are the links seen from the pixels: see [`Links::turned`].
pub fn spread(back: &Links, batch: usize, [taps, channels]: [usize; 2], from: &[f32]) -> Vec<f32> {
    let pixels = back.order.len();
    let results = from.len() / (batch * channels).max(1);
    assert!(back.last_tap().is_none_or(|tap| tap < taps));
    assert!(back.last_pixel().is_none_or(|pixel| pixel < results));
    assert!(back.order.iter().all(|&pixel| pixel < pixels));
    let mut to = Vec::new();
    // SAFETY: each pixel stands in `order` once, and all of its parts are written.
    unsafe {
        append(&mut to, pixels * batch * taps * channels, |result| {
            parts(pixels, back.links.len() * batch * channels, |entries| {
                let mut places = Vec::new();
                for entry in entries {
                    for picture in 0..batch {
                        let pixel = back.order[entry] * batch + picture;
                        for tap in 0..taps {
                            places.clear();
                            let of_tap = back.of(entry).iter().filter(|link| link[1] == tap);
                            places
                                .extend(of_tap.map(|link| (link[0] * batch + picture) * channels));
                            let to = result.place((pixel * taps + tap) * channels, channels);
                            sum_rows_at(from, &places, channels, to);
                        }
                    }
                }
            });
        });
    }
    to
}
