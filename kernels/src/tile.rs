//! A tile of the result: some channels by some pixels in registers, while all taps pass by.

use macerator::{Scalar, Simd, Vector};

use crate::After;

/// Channels of a tile.
pub(crate) const CHANNELS: usize = 4;
/// Vectors of neighbouring pixels of a tile. With [`CHANNELS`], its sums, vectors of the map, a weight and a
/// product fill the sixteen vector registers that processors have. Where a product is added as it is made, as
/// browsers do not, it needs no register. (In a browser two vectors are 25 % quicker than three.)
pub(crate) const VECTORS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 3 };
/// Numbers of the longest vectors.
const MOST_LANES: usize = if cfg!(target_arch = "wasm32") { 4 } else { 16 };
/// Most pixels of a tile.
pub(crate) const MOST_PIXELS: usize = MOST_LANES * VECTORS;

/// Pixels of a tile on this processor.
#[inline(always)]
pub(crate) fn pixels<S: Simd>() -> usize {
    <f32 as Scalar>::lanes::<S>() * VECTORS
}

/// Says at the head of a kernel that it is for vectors, where the whole program is compiled for them, as it is for
/// browsers: what the kernel would be without them is not carried along.
#[inline(always)]
pub(crate) fn compiled_for<S: Simd>() {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    assert!(<f32 as Scalar>::lanes::<S>() == MOST_LANES, "vectors");
}

/// The sums of a tile, or of one with fewer vectors.
pub(crate) type Sums<S, const C: usize, const V: usize = VECTORS> = [[Vector<S, f32>; V]; C];

/// Sums of `weights[channel][tap] * map[tap][pixel]`, from `bias` on.
///
/// # Safety
/// `place(tap)` must give a place that `V` vectors can be read from, for each tap below `taps`;
/// `weights` must hold `C` rows of `taps` numbers, each `taps` after the one before.
#[inline(always)]
pub(crate) unsafe fn sums<S: Simd, const C: usize, const V: usize>(
    taps: usize,
    place: impl Fn(usize) -> *const f32,
    weights: *const f32,
    bias: [f32; C],
) -> Sums<S, C, V> {
    let mut sums: Sums<S, C, V> = [[0f32.splat(); V]; C];
    for (sums, bias) in sums.iter_mut().zip(bias) {
        *sums = [bias.splat(); V];
    }
    // SAFETY: the caller's.
    unsafe {
        let weight = |channel: usize, tap: usize| *weights.add(channel * taps + tap);
        accumulate::<S, C, V>(&mut sums, taps, place, weight);
    }
    sums
}

/// Adds `weight(channel, tap) * map[tap][pixel]` to the sums of a tile.
///
/// # Safety
/// `place(tap)` must give a place that `V` vectors can be read from, for each tap below `taps`.
#[inline(always)]
pub(crate) unsafe fn accumulate<S: Simd, const C: usize, const V: usize>(
    sums: &mut Sums<S, C, V>,
    taps: usize,
    place: impl Fn(usize) -> *const f32,
    weight: impl Fn(usize, usize) -> f32,
) {
    let lanes = <f32 as Scalar>::lanes::<S>();
    for tap in 0..taps {
        let place = place(tap);
        let mut map: [Vector<S, f32>; V] = [0f32.splat(); V];
        for i in 0..V {
            // SAFETY: the caller's.
            map[i] = unsafe { f32::vload_unaligned(place.add(i * lanes)) };
        }
        for channel in 0..C {
            let weight = weight(channel, tap).splat();
            for i in 0..V {
                sums[channel][i] = map[i].mul_add(weight, sums[channel][i]);
            }
        }
    }
}

/// A function of each number, as far as it is one of vectors. A sigmoid is none: see [`finish`].
#[inline(always)]
pub(crate) fn activate<S: Simd>(x: Vector<S, f32>, after: After) -> Vector<S, f32> {
    let above = |x: Vector<S, f32>| bound::<S>(x, 0.0, false);
    let bounded = |x: Vector<S, f32>| bound::<S>(above(x), 6.0, true);
    match after {
        After::Nothing | After::Sigmoid => x,
        After::Relu => above(x),
        After::Relu6 => bounded(x),
        After::HardSwish => x * bounded(x + 3f32.splat()) * (1f32 / 6.0).splat(),
    }
}

/// `x` where it lies above the limit, or below it, and the limit elsewhere. What is no number stays none.
#[inline(always)]
fn bound<S: Simd>(x: Vector<S, f32>, limit: f32, below: bool) -> Vector<S, f32> {
    let limit: Vector<S, f32> = limit.splat();
    // The maximum of the language is seven instructions of the processor, this one is one.
    #[cfg(target_arch = "wasm32")]
    if size_of::<Vector<S, f32>>() == size_of::<core::arch::wasm32::v128>() {
        use core::arch::wasm32::{f32x4_pmax, f32x4_pmin, v128};
        // SAFETY: a vector of this size is this register.
        return unsafe {
            let [x, limit] = [x, limit].map(|vector| core::mem::transmute_copy::<_, v128>(&vector));
            core::mem::transmute_copy(&if below {
                f32x4_pmin(x, limit)
            } else {
                f32x4_pmax(x, limit)
            })
        };
    }
    // In this order processors keep what is no number.
    if below { limit.min(x) } else { limit.max(x) }
}

/// What is left of an activation after [`activate`].
pub(crate) fn finish(values: &mut [f32], after: After) {
    if after == After::Sigmoid {
        sigmoids(values);
    }
}

#[macerator::with_simd]
#[allow(clippy::extra_unused_type_parameters, clippy::needless_lifetimes)]
fn sigmoids<'a, S: Simd>(values: &'a mut [f32]) {
    compiled_for::<S>();
    for value in values {
        *value = 1.0 / (1.0 + exponential(-*value));
    }
}

/// `e^x`, within three units in the last place, as operations that the compiler makes vectors of: the power of two
/// goes into the exponent's bits, and what is left of `x`, at most half of ln 2, into the exponential's series.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    /// A number this large has no room for a fraction: adding it rounds.
    const ROUNDS: f32 = 12_582_912.0;
    // Beyond, the result is no normal number.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUNDS;
    let power = rounded - ROUNDS;
    // ln 2 in two parts, the first of which has few enough digits for its products to be exact.
    let rest = (x - power * 0.693_359_4) + power * 2.121_944_4e-4;
    let mut series = 1.0 / 5040.0;
    for factor in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * rest + factor;
    }
    series * f32::from_bits((rounded.to_bits() << 23).wrapping_add(1f32.to_bits()))
}

/// Copies a few numbers. (Browsers take longer to begin what the standard library's copy becomes than these take.)
///
/// # Safety
/// There must be as many numbers to be read and to be written, in different places.
#[inline(always)]
pub(crate) unsafe fn copy<S: Simd>(from: *const f32, to: *mut f32, count: usize) {
    let lanes = <f32 as Scalar>::lanes::<S>();
    let whole = count - count % lanes;
    // SAFETY: the caller's.
    unsafe {
        for start in (0..whole).step_by(lanes) {
            let some: Vector<S, f32> = f32::vload_unaligned(from.add(start));
            f32::vstore_unaligned::<S>(to.add(start), some);
        }
        for index in whole..count {
            // Read as if somebody watched, or the loop becomes the copy that it is instead of.
            *to.add(index) = from.add(index).read_volatile();
        }
    }
}

/// The numbers of a row of a tile.
#[inline(always)]
pub(crate) fn numbers<S: Simd, const V: usize>(row: [Vector<S, f32>; V]) -> [f32; MOST_PIXELS] {
    let lanes = <f32 as Scalar>::lanes::<S>();
    let mut numbers = [0.0; MOST_PIXELS];
    for i in 0..V {
        // SAFETY: a row is no longer than `MOST_PIXELS`.
        unsafe { f32::vstore_unaligned::<S>(numbers[i * lanes..].as_mut_ptr(), row[i]) };
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmoid_is_as_good_as_the_library_s() {
        let mut values: Vec<f32> = (-12_000..12_000).map(|i| i as f32 / 100.0).collect();
        values.extend([f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 0.0]);
        let exact: Vec<f64> = values
            .iter()
            .map(|&x| 1.0 / (1.0 + (-f64::from(x)).exp()))
            .collect();
        finish(&mut values, After::Sigmoid);
        for (value, exact) in values.iter().zip(exact) {
            assert!(
                (f64::from(*value) - exact).abs() < 3e-7 * exact.max(1e-30),
                "{value}, not {exact}"
            );
        }
    }

    /// Whoever reads the result looks for it.
    #[test]
    fn what_is_no_number_stays_none() {
        for after in [
            After::Nothing,
            After::Relu,
            After::Relu6,
            After::HardSwish,
            After::Sigmoid,
        ] {
            let mut plane = [f32::NAN; 40];
            crate::rescale(&mut plane, &[[1.0, 0.0]], after, None);
            assert!(plane.iter().all(|value| value.is_nan()), "{after:?}");
        }
    }
}
