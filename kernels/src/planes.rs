//! What is done to the numbers of one channel at a time: their mean and spread, a scale and a shift.

use macerator::{Scalar, Simd, Vector};

use crate::After;
use crate::threads::{Shared, append, parts};
use crate::tile::{MOST_PIXELS, activate, compiled_for, copy, finish};

/// Sums that are kept side by side: as many as the longest vectors hold.
const LANES: usize = 16;
/// Numbers that a lane adds up as f32 before they go into an f64: so few that nothing is lost.
const EACH: usize = 64;

/// Mean and variance of each of `channels` planes that lie one after the other.
///
/// The variance is the mean square of the distances from the mean, found in a second pass: the difference of two
/// large sums would lose it where the mean is large.
pub fn moments(map: &[f32], channels: usize) -> Vec<[f32; 2]> {
    let mut moments = vec![0.0; 2 * channels];
    if map.is_empty() {
        return vec![[0.0; 2]; channels];
    }
    let plane = map.len() / channels;
    assert_eq!(plane * channels, map.len(), "planes of the same size");
    let shared = Shared::new(&mut moments);
    parts(channels, map.len(), |channels| {
        for channel in channels {
            let numbers = &map[channel * plane..(channel + 1) * plane];
            let mean = (total(numbers, 0.0, false) / plane as f64) as f32;
            let variance = total(numbers, mean, true) / plane as f64;
            // SAFETY: a channel is of one thread.
            let to = unsafe { shared.part(2 * channel, 2) };
            to.copy_from_slice(&[mean, variance as f32]);
        }
    });
    moments.as_chunks().0.to_vec()
}

/// The sum of what the numbers are more than `from`, or of its square. The compiler makes vectors of it.
#[macerator::with_simd]
#[allow(clippy::extra_unused_type_parameters, clippy::needless_lifetimes)]
fn total<'a, S: Simd>(numbers: &'a [f32], from: f32, squared: bool) -> f64 {
    compiled_for::<S>();
    let mut total = 0.0;
    let term = |number: f32| match squared {
        true => (number - from) * (number - from),
        false => number - from,
    };
    let mut some = numbers.chunks_exact(LANES * EACH);
    for some in some.by_ref() {
        let mut lanes = [0f32; LANES];
        for numbers in some.as_chunks::<LANES>().0 {
            for (lane, &number) in lanes.iter_mut().zip(numbers) {
                *lane += term(number);
            }
        }
        total += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
    }
    let rest = some.remainder().iter();
    total + rest.map(|&number| f64::from(term(number))).sum::<f64>()
}

/// The mean of each of `channels` planes.
pub fn means(map: &[f32], channels: usize) -> Vec<f32> {
    if map.is_empty() {
        return vec![0.0; channels];
    }
    let planes = map.chunks_exact(map.len() / channels);
    planes
        .map(|plane| (total(plane, 0.0, false) / plane.len() as f64) as f32)
        .collect()
}

/// Each number of a plane times its factor plus its sum, then what follows, then plus `added`; in place.
/// `scales` are factor and sum of each plane.
pub fn rescale(map: &mut [f32], scales: &[[f32; 2]], after: After, added: Option<&[f32]>) {
    let (length, shared) = (map.len(), Shared::new(map));
    let place = |start: usize, length: usize| {
        // SAFETY: a channel is of one thread.
        let to = unsafe { shared.place(start, length) };
        (to.cast_const(), to)
    };
    planes(length, scales, after, added, place);
}

/// The same beside the map.
pub fn rescaled(
    map: &[f32],
    scales: &[[f32; 2]],
    after: After,
    added: Option<&[f32]>,
    to: &mut Vec<f32>,
) {
    // SAFETY: all numbers of all planes are written.
    unsafe {
        append(to, map.len(), |result| {
            let place = |start: usize, length: usize| {
                (
                    map[start..start + length].as_ptr(),
                    result.place(start, length),
                )
            };
            planes(map.len(), scales, after, added, place);
        });
    }
}

/// Plane by plane. `place` tells where one is read and written.
fn planes(
    length: usize,
    scales: &[[f32; 2]],
    after: After,
    added: Option<&[f32]>,
    place: impl Fn(usize, usize) -> (*const f32, *mut f32) + Send + Sync,
) {
    assert!(added.is_none_or(|added| added.len() == length));
    if length == 0 {
        return;
    }
    let plane = length / scales.len();
    assert_eq!(plane * scales.len(), length, "planes of the same size");
    parts(scales.len(), length, |channels| {
        for channel in channels {
            let start = channel * plane;
            let added = added.map(|added| &added[start..start + plane]);
            let (from, to) = place(start, plane);
            rescale_plane(
                Plane {
                    from,
                    to,
                    length: plane,
                },
                scales[channel],
                after,
                added,
            );
        }
    });
}

/// Where a plane is read and written: the same place or two that do not overlap.
#[derive(Clone, Copy)]
struct Plane {
    from: *const f32,
    to: *mut f32,
    length: usize,
}

#[macerator::with_simd]
#[allow(clippy::needless_lifetimes)]
fn rescale_plane<'a, S: Simd>(
    plane: Plane,
    scale: [f32; 2],
    after: After,
    added: Option<&'a [f32]>,
) {
    compiled_for::<S>();
    let Plane { from, to, length } = plane;
    let lanes = <f32 as Scalar>::lanes::<S>();
    let (factor, sum): (Vector<S, f32>, Vector<S, f32>) = (scale[0].splat(), scale[1].splat());
    let whole = length - length % lanes;
    let later = after == After::Sigmoid;
    for start in (0..whole).step_by(lanes) {
        // SAFETY: both places, and what is added, hold whole vectors up to there.
        unsafe {
            let x = f32::vload_unaligned::<S>(from.add(start));
            let mut y = activate(x.mul_add(factor, sum), after);
            if let Some(added) = added
                && !later
            {
                y += f32::vload_unaligned(added.as_ptr().add(start));
            }
            f32::vstore_unaligned::<S>(to.add(start), y);
        }
    }
    // The last few, with zeros behind them.
    let mut few = [0f32; MOST_PIXELS];
    let mut few_added = [0f32; MOST_PIXELS];
    let rest = length - whole;
    // SAFETY: the arrays hold a vector, and the places as many numbers as are left.
    let numbers = unsafe {
        copy::<S>(from.add(whole), few.as_mut_ptr(), rest);
        if let Some(added) = added {
            few_added[..rest].copy_from_slice(&added[whole..]);
        }
        let x = f32::vload_unaligned::<S>(few.as_ptr());
        let mut y = activate(x.mul_add(factor, sum), after);
        if !later {
            y += f32::vload_unaligned(few_added.as_ptr());
        }
        f32::vstore_unaligned::<S>(few.as_mut_ptr(), y);
        copy::<S>(few.as_ptr(), to.add(whole), rest);
        std::slice::from_raw_parts_mut(to, length)
    };
    if later {
        finish(numbers, after);
        if let Some(added) = added {
            numbers
                .iter_mut()
                .zip(added)
                .for_each(|(number, added)| *number += added);
        }
    }
}

/// Stops a gradient where a rectifier stopped the value: where `output`, shaped like it, is not between zero and `top`.
/// With `guided` what is not above zero is stopped, too.
pub fn gate(gradient: &mut [f32], output: &[f32], top: f32, guided: bool) {
    assert_eq!(gradient.len(), output.len());
    // Nothing is at most what is no number.
    let most = if guided { 0.0 } else { f32::NAN };
    // Whole planes are of no interest here; threads take runs of numbers.
    const RUN: usize = 16 * 1024;
    let (length, shared) = (gradient.len(), Shared::new(gradient));
    parts(length.div_ceil(RUN), length, |runs| {
        for run in runs {
            let place = run * RUN..length.min((run + 1) * RUN);
            // SAFETY: a run is of one thread.
            let gradient = unsafe { shared.part(place.start, place.len()) };
            gate_run(gradient, &output[place], [top, most]);
        }
    });
}

/// The compiler makes vectors of it.
#[macerator::with_simd]
#[allow(clippy::extra_unused_type_parameters, clippy::needless_lifetimes)]
fn gate_run<'a, S: Simd>(gradient: &'a mut [f32], output: &'a [f32], limits: [f32; 2]) {
    compiled_for::<S>();
    let [top, most] = limits;
    for (gradient, &output) in gradient.iter_mut().zip(output) {
        let is_stopped = *gradient <= most;
        let passes = (output > 0.0) & (output < top) & !is_stopped;
        *gradient = if passes { *gradient } else { 0.0 };
    }
}

/// Planes of twice as many rows and columns: each new pixel lies a quarter of the way from one to the next, beyond
/// the edges the edge goes on. Bilinear interpolation between the centres of pixels.
pub fn double(map: &[f32], [channels, rows, columns]: [usize; 3], to: &mut Vec<f32>) {
    assert_eq!(map.len(), channels * rows * columns);
    if map.is_empty() {
        return;
    }
    let last_row = rows - 1;
    let start = to.len();
    to.resize(start + 4 * map.len(), 0.0);
    let mut mixed = vec![0.0; columns];
    let planes = to[start..].chunks_exact_mut(4 * rows * columns);
    for (to, plane) in planes.zip(map.chunks_exact(rows * columns)) {
        let line = |row: usize| &plane[row * columns..(row + 1) * columns];
        for (row, to) in to.chunks_exact_mut(2 * columns).enumerate() {
            let near = row / 2;
            let far = if row % 2 == 0 {
                near.saturating_sub(1)
            } else {
                (near + 1).min(last_row)
            };
            for ((mixed, near), far) in mixed.iter_mut().zip(line(near)).zip(line(far)) {
                *mixed = 0.75 * near + 0.25 * far;
            }
            to[0] = mixed[0];
            to[2 * columns - 1] = mixed[columns - 1];
            let between = to[1..2 * columns - 1].as_chunks_mut::<2>().0;
            for ((to, &left), &right) in between.iter_mut().zip(&mixed).zip(&mixed[1..]) {
                *to = [0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_far_away_leaves_the_spread_as_it_is() {
        // 10,000 plus or minus 1, in a plane that fills lanes and leaves a rest; then a plane of zeros.
        let plane = LANES * EACH * 3 + 8;
        let far = (0..plane).map(|i| 10_000.0 + if i % 2 == 0 { 1.0 } else { -1.0 });
        let map: Vec<f32> = far.chain(std::iter::repeat_n(0.0, plane)).collect();
        assert_eq!(moments(&map, 2), [[10_000.0, 1.0], [0.0, 0.0]]);
        assert_eq!(moments(&[], 3), [[0.0; 2]; 3]);
    }

    #[test]
    fn planes_are_scaled_each_by_its_own() {
        let mut map = [1.0, -1.0, 2.0, 8.0];
        rescale(
            &mut map,
            &[[3.0, 1.0], [-0.5, 2.0]],
            After::Relu,
            Some(&[10.0; 4]),
        );
        assert_eq!(map, [14.0, 10.0, 11.0, 10.0]);
        let mut beside = Vec::new();
        rescaled(
            &[1.0, -1.0, 2.0, 8.0],
            &[[3.0, 1.0], [-0.5, 2.0]],
            After::Relu,
            Some(&[10.0; 4]),
            &mut beside,
        );
        assert_eq!(beside, map);
        let mut map = [0.0, 100.0];
        rescale(&mut map, &[[1.0, 0.0]], After::Sigmoid, None);
        assert_eq!(map, [0.5, 1.0]);
        let mut map = [-4.0, 3.0, 8.0];
        rescale(&mut map, &[[1.0, 0.0]], After::HardSwish, None);
        assert_eq!(map, [0.0, 3.0, 8.0]);
    }

    #[test]
    fn a_gate_is_open_between_its_limits() {
        let output = [-1.0, 0.0, 0.5, 5.9, 6.0, 3.0];
        let mut gradient = [1.0, 2.0, -3.0, 4.0, 5.0, f32::NAN];
        gate(&mut gradient[..5], &output[..5], 6.0, false);
        assert_eq!(gradient[..5], [0.0, 0.0, -3.0, 4.0, 0.0]);
        gate(&mut gradient[..5], &output[..5], f32::INFINITY, true);
        assert_eq!(gradient[..5], [0.0, 0.0, 0.0, 4.0, 0.0]);
        gate(&mut gradient[5..], &output[5..], 6.0, true);
        assert!(
            gradient[5].is_nan(),
            "whoever reads the result looks for it"
        );
        let mut long = vec![1.0; 40_000];
        let output: Vec<f32> = (0..40_000).map(|i| (i % 7) as f32).collect();
        gate(&mut long, &output, 6.0, false);
        assert!((0..40_000).all(|i| (long[i] == 1.0) != (i % 7).is_multiple_of(6)));
    }

    #[test]
    fn a_doubled_plane_is_a_quarter_of_the_way() {
        let mut doubled = Vec::new();
        double(&[0.0, 4.0, 8.0, 12.0], [1, 2, 2], &mut doubled);
        let rows = [
            [0.0, 1.0, 3.0, 4.0],
            [2.0, 3.0, 5.0, 6.0],
            [6.0, 7.0, 9.0, 10.0],
            [8.0, 9.0, 11.0, 12.0],
        ];
        assert_eq!(doubled, rows.as_flattened());
        assert_eq!(means(&[1.0, 2.0, 5.0, 5.0], 2), [1.5, 5.0]);
    }
}
