//! Kernels read and write nothing behind what they are given: there begins a page that nobody may touch, and the
//! program would end.

#![cfg(unix)]

use std::ops::{Deref, DerefMut};
use std::ptr;

use kiln_kernels::{
    After, Around, Banded, Bordered, Dense, Depthwise, Frame, Gather, Grid, Links, Pair, Step,
    Window, Winograd, double, interleave, means, moments, on_bias, on_weights, rescale, rescaled,
    spread,
};
use proptest::prelude::*;

/// Numbers whose last one is the last of a page.
struct Guarded {
    pages: *mut libc::c_void,
    bytes: usize,
    first: *mut f32,
    count: usize,
}

impl Guarded {
    fn new(values: &[f32]) -> Self {
        // SAFETY: pages of our own, of which the last is closed.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let open = size_of_val(values).next_multiple_of(page);
            let bytes = open + page;
            let (access, kind) = (
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            );
            let pages = libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED);
            assert_eq!(
                libc::mprotect(pages.byte_add(open), page, libc::PROT_NONE),
                0
            );
            let first = pages.byte_add(open - size_of_val(values)).cast::<f32>();
            first.copy_from_nonoverlapping(values.as_ptr(), values.len());
            Self {
                pages,
                bytes,
                first,
                count: values.len(),
            }
        }
    }

    /// So many numbers, of any sign and size.
    fn numbers(count: usize, seed: u32) -> Self {
        let number = |i: usize| {
            ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 20) as f32 / 2048.0 - 1.0
        };
        Self::new(&(0..count).map(number).collect::<Vec<_>>())
    }
}

impl Deref for Guarded {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: they lie there as long as the pages.
        unsafe { std::slice::from_raw_parts(self.first, self.count) }
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and nobody else has them.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.count) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the pages are ours.
        unsafe { libc::munmap(self.pages, self.bytes) };
    }
}

/// A map too large for a cache, whose border is made by bands.
#[test]
fn a_large_convolution() {
    for (kernel, stride) in [(3, 1), (3, 2), (5, 3)] {
        let sides = [8, 190, 170];
        let map = Guarded::numbers(8 * 190 * 170, 1);
        let weights = Guarded::numbers(6 * 8 * kernel * kernel, 2);
        let window = window(kernel, stride, [190, 170]);
        let (bias, after) = (None, After::Nothing);
        let length = 6 * window.size[0] * window.size[1];
        let added = Guarded::numbers(length, 3);
        let (weights, gate, added) = (&*weights, Some(&*map), Some(&*added));
        let map = &*map;
        let mut result = Vec::new();
        Banded {
            map,
            sides,
            window,
            gate,
            weights,
            bias,
            after,
            added,
        }
        .append(&mut result);
        assert!(is_whole(&result, length));
    }
}

fn window(kernel: usize, stride: usize, [height, width]: [usize; 2]) -> Window {
    Window {
        kernel,
        stride,
        around: Around::Zeros,
        before: [kernel / 2; 2],
        size: [height.div_ceil(stride), width.div_ceil(stride)],
    }
}

/// All numbers were written: fresh memory is seldom full of what a kernel makes of numbers below one.
fn is_whole(result: &[f32], length: usize) -> bool {
    result.len() == length && result.iter().all(|value| value.abs() < 1e6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn convolutions(
        (channels, out) in (1usize..40, 1usize..40),
        (height, width) in (1usize..30, 1usize..50),
        (kernel, stride) in (prop_oneof![Just(1usize), Just(3), Just(5), Just(9)], 1usize..4),
        (gated, with_added) in any::<(bool, bool)>(),
        seed in any::<u32>(),
    ) {
        let map = Guarded::numbers(channels * height * width, seed);
        let gate = Guarded::numbers(channels * height * width, seed ^ 1);
        let weights = Guarded::numbers(out * channels * kernel * kernel, seed ^ 2);
        let bias = Guarded::numbers(out, seed ^ 3);
        let mut of = window(kernel, stride, [height, width]);
        let size = of.size;
        let length = out * size[0] * size[1];
        let added = Guarded::numbers(length, seed ^ 4);
        let (gate, added) = (gated.then_some(&*gate), with_added.then_some(&*added));
        let sides = [channels, height, width];
        let by_points = Winograd::is_worth_it(kernel, stride, channels, out, size);
        if by_points {
            of = Winograd::window(of);
        }
        let mut result = Vec::new();
        if by_points {
            let bordered = Bordered::new(&map, sides, of, gate);
            let (turned, after) = (gated, After::Sigmoid);
            Winograd { map: &bordered, kernel, channels, weights: &weights, turned, bias: Some(&bias), after, added, size }
                .append(&mut result);
        } else {
            Banded { map: &map, sides, window: of, gate, weights: &weights, bias: Some(&bias), after: After::Relu6, added }
                .append(&mut result);
        }
        prop_assert!(is_whole(&result, length));
    }

    #[test]
    fn depthwise_ones_alone_and_in_pairs(
        (channels, wide) in (1usize..9, 1usize..50),
        (height, width) in (1usize..40, 1usize..60),
        (kernel, stride) in (prop_oneof![Just(3usize), Just(5)], 1usize..3),
        seed in any::<u32>(),
    ) {
        let map = Guarded::numbers(wide * height * width, seed);
        let filters = Guarded::numbers(wide * kernel * kernel, seed ^ 1);
        let bias = Guarded::numbers(wide, seed ^ 2);
        let of = window(kernel, stride, [height, width]);
        let length = wide * of.size[0] * of.size[1];
        let added = Guarded::numbers(length, seed ^ 3);
        let mut result = Vec::new();
        Depthwise {
            map: &map,
            frame: Frame::new([height, width], of),
            weights: &filters,
            bias: Some(&bias),
            after: After::HardSwish,
            added: Some(&added),
        }
        .append(&mut result);
        prop_assert!(is_whole(&result, length));
        let narrow = Guarded::numbers(channels * height * width, seed ^ 4);
        let widening = Guarded::numbers(wide * channels, seed ^ 5);
        let mut result = Vec::new();
        Pair {
            map: &narrow,
            sides: [channels, height, width],
            widen: Step { weights: &widening, bias: Some(&bias), after: After::Relu },
            depthwise: Step { weights: &filters, bias: None, after: After::Nothing },
            window: of,
        }
        .append(&mut result);
        prop_assert!(is_whole(&result, length));
    }

    #[test]
    fn grids(
        (side, batch) in (1usize..7, 1usize..9),
        (from, out) in (1usize..30, 1usize..60),
        taps in 1usize..5,
        seed in any::<u32>(),
    ) {
        let pixels = side * side;
        let of_pixel = |pixel: usize| (0..taps).map(|tap| [(pixel * 7 + tap * 3) % pixels, tap]).collect();
        let links = Links::new(&(0..pixels).map(of_pixel).collect::<Vec<_>>());
        let map = Guarded::numbers(pixels * batch * from, seed);
        let weights = Guarded::numbers(taps * from * out, seed ^ 1);
        let (factors, sums) = (Guarded::numbers(out, seed ^ 2), Guarded::numbers(out, seed ^ 3));
        let mut result = Vec::new();
        let (channels, after) = ([from, out], After::Relu);
        Grid {
            links: &links, batch, channels, map: &map, weights: &weights, turned: false,
            factors: Some(&factors), sums: Some(&sums), after,
        }
        .append(&mut result);
        prop_assert!(is_whole(&result, pixels * batch * out));
        let gradient = Guarded::numbers(pixels * batch * out, seed ^ 4);
        let mut back = Vec::new();
        Grid {
            links: &links.turned(pixels), batch, channels: [out, from], map: &gradient, weights: &weights, turned: true,
            factors: None, sums: None, after: After::Nothing,
        }
        .append(&mut back);
        prop_assert!(is_whole(&back, pixels * batch * from));
        let spread_out = spread(&links.turned(pixels), batch, [taps, out], &gradient);
        prop_assert!(is_whole(&spread_out, pixels * batch * taps * out));
        let spread_out = Guarded::new(&spread_out);
        let mut gathered = Vec::new();
        Gather {
            links: &links, batch, parts: [taps, out], from: &spread_out,
            factors: Some(&factors), sums: Some(&sums), after,
        }
        .append(&mut gathered);
        prop_assert!(is_whole(&gathered, pixels * batch * out));
        prop_assert_eq!(on_weights(&links, taps, batch, [from, out], &map, &gradient).len(), weights.len());
        prop_assert_eq!(on_bias(&gradient, out).len(), out);
    }

    #[test]
    fn planes(
        channels in 1usize..5,
        (height, width) in (1usize..20, 1usize..40),
        with_added in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let length = channels * height * width;
        let mut map = Guarded::numbers(length, seed);
        let added = Guarded::numbers(length, seed ^ 1);
        let added = with_added.then_some(&*added);
        let scales = vec![[2.0, -1.0]; channels];
        prop_assert_eq!(moments(&map, channels).len(), channels);
        prop_assert_eq!(means(&map, channels).len(), channels);
        let (mut beside, mut doubled, mut woven) = (Vec::new(), Vec::new(), Vec::new());
        rescaled(&map, &scales, After::Sigmoid, added, &mut beside);
        double(&map, [channels, height, width], &mut doubled);
        interleave(&Guarded::numbers(4 * length, seed ^ 2), [channels, height, width], &mut woven);
        rescale(&mut map, &scales, After::Sigmoid, added);
        prop_assert_eq!(&beside, &map.to_vec());
        prop_assert!(is_whole(&beside, length) && is_whole(&doubled, 4 * length) && is_whole(&woven, 4 * length));
    }
}

/// Nothing comes of nothing.
#[test]
fn empty_maps() {
    let of = Window {
        size: [0, 0],
        ..window(3, 1, [0, 0])
    };
    let mut result = Vec::new();
    let bordered = Bordered::new(&[], [4, 0, 0], of, None);
    let weights = vec![1.0; 5 * 4 * 9];
    let (bias, after, added) = (None, After::Relu, None);
    Dense {
        offsets: &bordered.offsets(4),
        map: &bordered,
        weights: &weights,
        bias,
        after,
        added,
        size: [0, 0],
    }
    .append(&mut result);
    let frame = Frame::new([0, 0], of);
    Depthwise {
        map: &[],
        frame,
        weights: &weights,
        bias,
        after,
        added,
    }
    .append(&mut result);
    let links = Links::new(&[]);
    let (channels, factors, sums) = ([4, 5], None, None);
    Grid {
        links: &links,
        batch: 3,
        channels,
        map: &[],
        weights: &weights,
        turned: false,
        factors,
        sums,
        after,
    }
    .append(&mut result);
    rescaled(&[], &[[1.0, 0.0]], after, None, &mut result);
    double(&[], [1, 0, 0], &mut result);
    assert!(result.is_empty());
}
