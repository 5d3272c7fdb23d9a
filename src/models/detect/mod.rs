//! The networks of the detectors that are trained here: one backbone for all, a pyramid of its maps, and the heads of each
//! family.
//!
//! The backbone works on pictures `[batch, channels, rows, columns]`, what stands on it on grids
//! `[rows * columns, batch, channels]` ([`GridConv`](super::generate::grid_conv::GridConv)): pictures lie in the upper left
//! of a square of [`SIDE`] pixels, so that all maps are squares.

pub mod anchor_free;
pub mod backbone;
pub mod crops;
pub mod fast_rcnn;
pub mod grid_head;
pub mod overfeat;
pub mod pyramid;
pub mod region_head;
pub mod region_svm;
pub mod ssd_head;
pub mod two_step;

/// Side in pixels of the square that pictures lie in.
pub const SIDE: usize = 320;
