//! Convolutions on plain slices, for the CPU.
//!
//! A convolution is sums of products, and a processor adds and multiplies a vector of numbers as fast as one.
//! What costs time is bringing them there. So a *tile* of the result, few channels by some pixels, stays in
//! registers while all taps pass by ([`tile`]). The taps are read from a copy of the map with its border around
//! it, in which each tap is the map shifted by a fixed number of places ([`Frame`]); or, where rows are short,
//! from panels in which what a tile needs lies together ([`Dense`]).
//!
//! Vectors are the processor's own, found when the program runs: a function with `#[with_simd]` is compiled for each
//! kind. What such a function is made of has to become part of it: functions that it calls are `#[inline(always)]`,
//! and vectors go through loops over numbers, never through closures or iterators, which stay what they were before
//! the kind was known (eight times slower).
//!
//! It is a package of its own so that it is optimised where the rest is quick to build.

// Loops over numbers: see above.
#![allow(clippy::needless_range_loop)]

mod dense;
mod depthwise;
mod gather;
mod grid;
mod map;
mod pair;
mod peak;
mod planes;
#[cfg(feature = "threads")]
mod team;
mod threads;
mod tile;
mod winograd;

pub use dense::{Banded, Dense, interleave};
pub use depthwise::Depthwise;
pub use gather::{Gather, spread};
pub use grid::{Grid, Links, on_bias, on_weights};
pub use map::{Around, Bordered, Frame, Window};
pub use pair::{Pair, Step};
pub use peak::busy;
pub use planes::{double, gate, means, moments, rescale, rescaled};
pub use threads::threads;
pub use winograd::Winograd;

/// What follows a convolution, number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
    /// `x * relu6(x + 3) / 6`.
    HardSwish,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
}
