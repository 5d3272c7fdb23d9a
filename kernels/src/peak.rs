//! How fast this processor multiplies and adds at best.

use macerator::{Scalar, Simd, Vector};

use crate::tile::{CHANNELS, VECTORS, pixels};

/// Multiplies and adds in the registers of a tile for some rounds, and nothing else: no memory, no waiting for the
/// sum before. How many operations that were, a multiplication and an addition each being one.
pub fn busy(rounds: usize) -> usize {
    rounds * 2 * CHANNELS * turn(rounds)
}

/// Numbers of a row of the tile.
#[macerator::with_simd]
fn turn<S: Simd>(rounds: usize) -> usize {
    let mut sums: [[Vector<S, f32>; VECTORS]; CHANNELS] = [[0f32.splat(); VECTORS]; CHANNELS];
    // Neither too large nor too small ever: subnormal numbers are slow.
    let (factor, start) = (std::hint::black_box(0.5f32), std::hint::black_box(1f32));
    let (factor, start): (Vector<S, f32>, Vector<S, f32>) = (factor.splat(), start.splat());
    for _ in 0..rounds {
        for row in &mut sums {
            for sum in row {
                *sum = sum.mul_add(factor, start);
            }
        }
    }
    let mut ends = [0f32; CHANNELS];
    for (end, row) in ends.iter_mut().zip(sums) {
        *end = crate::tile::numbers::<S, VECTORS>(row).iter().sum();
    }
    std::hint::black_box(ends);
    pixels::<S>()
}
