//! Work in parts, on the threads that there are.

use std::ops::Range;

/// Multiplications that are worth another thread.
#[cfg(feature = "threads")]
const WORTH_A_THREAD: usize = 200_000;

/// Threads that work is shared among.
pub fn threads() -> usize {
    #[cfg(feature = "threads")]
    return crate::team::size();
    #[cfg(not(feature = "threads"))]
    1
}

/// Does the parts `0..count`, of `cost` multiplications in all. In a browser there is one thread.
#[cfg(not(feature = "threads"))]
pub(crate) fn parts(count: usize, _cost: usize, work: impl Fn(Range<usize>) + Send + Sync) {
    work(0..count);
}

/// Does the parts `0..count`, of `cost` multiplications in all.
#[cfg(feature = "threads")]
pub(crate) fn parts(count: usize, cost: usize, work: impl Fn(Range<usize>) + Send + Sync) {
    let threads = threads().min(cost / WORTH_A_THREAD);
    crate::team::share(count, threads, &work);
}

/// Where results go that several threads write, each its own places.
#[derive(Clone, Copy)]
pub(crate) struct Shared {
    start: *mut f32,
    length: usize,
}

// SAFETY: whoever writes through it promises to write what no other thread does.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Numbers that are there.
    pub fn new(values: &mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            length: values.len(),
        }
    }

    /// A place for so many numbers, to be written from the first to the last.
    ///
    /// # Safety
    /// No two threads may write the same place, and none may read what was not written.
    #[inline(always)]
    pub unsafe fn place(&self, start: usize, length: usize) -> *mut f32 {
        assert!(start + length <= self.length, "a result outside its map");
        // SAFETY: inside the memory that it was made of.
        unsafe { self.start.add(start) }
    }

    /// A part of it that was written.
    ///
    /// # Safety
    /// No two threads may hold overlapping parts.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, start: usize, length: usize) -> &mut [f32] {
        // SAFETY: inside the memory that it was made of; the rest is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.place(start, length), length) }
    }
}

/// Appends `length` numbers to a vector, without clearing the memory first: for large maps that takes as long as
/// writing them.
///
/// # Safety
/// `write` must write each of them.
pub(crate) unsafe fn append(to: &mut Vec<f32>, length: usize, write: impl FnOnce(Shared)) {
    to.reserve_exact(length);
    let spare = to.spare_capacity_mut();
    write(Shared {
        start: spare.as_mut_ptr().cast(),
        length,
    });
    // SAFETY: there is room, and they were written.
    unsafe { to.set_len(to.len() + length) };
}
