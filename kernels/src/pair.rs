//! Two convolutions at once: pixel by pixel to more channels, then channel by channel.
//!
//! The blocks of MobileNets widen a map before they look at neighbours. The wide map is the largest thing that such a
//! network moves; here only as many rows of it are made at a time as the cache holds.

use std::ops::Range;

use crate::After;
use crate::dense::{Dense, pointwise};
use crate::depthwise::{Depthwise, by_channel};
use crate::map::{Bordered, Frame, Window};
use crate::threads::{Shared, append, parts};

/// Numbers of the wide map that are made at a time.
const AT_A_TIME: usize = 192 * 1024;

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// `[wide channels, channels]`, or `[wide channels, taps]`.
    pub weights: &'a [f32],
    /// For each wide channel; zeros without it.
    pub bias: Option<&'a [f32]>,
    /// What follows the bias.
    pub after: After,
}

/// What is computed from what.
pub struct Pair<'a> {
    /// `[channels, height, width]`.
    pub map: &'a [f32],
    /// Its channels, height and width.
    pub sides: [usize; 3],
    /// To the wide map.
    pub widen: Step<'a>,
    /// What each channel of it is convolved with.
    pub depthwise: Step<'a>,
    /// The second one's window.
    pub window: Window,
}

impl Pair<'_> {
    /// Appends the wide channels of the result, `[wide channels, rows, columns]`.
    pub fn append(&self, to: &mut Vec<f32>) {
        let [channels, height, width] = self.sides;
        let taps = self.window.kernel.pow(2);
        let wide = self.depthwise.weights.len() / taps;
        let [rows, columns] = self.window.size;
        assert_eq!(self.map.len(), channels * height * width);
        assert_eq!(
            self.widen.weights.len(),
            wide * channels,
            "weights for each channel"
        );
        assert_eq!(
            self.depthwise.weights.len(),
            wide * taps,
            "weights for each tap"
        );
        for step in [self.widen, self.depthwise] {
            assert!(step.bias.is_none_or(|bias| bias.len() == wide));
        }
        let length = wide * rows * columns;
        if length == 0 {
            return;
        }
        let line = wide * width * self.window.stride;
        let each = (AT_A_TIME / line).clamp(1, rows);
        let cost = wide * height * width * channels + length * taps;
        // SAFETY: each row of the result is made once, with all of its channels.
        unsafe {
            append(to, length, |result| {
                parts(rows.div_ceil(each), cost, |bands| {
                    for band in bands {
                        self.band(band * each..rows.min((band + 1) * each), result);
                    }
                });
            });
        }
    }

    /// Some rows of the result.
    fn band(&self, rows: Range<usize>, result: Shared) {
        let [channels, height, width] = self.sides;
        let Window {
            kernel,
            stride,
            before: [above, left],
            size,
            around,
        } = self.window;
        let wide = self.widen.weights.len() / channels;
        // Rows of the map that they read, as far as there are such.
        let first = (rows.start * stride).saturating_sub(above);
        let last = ((rows.end - 1) * stride + kernel)
            .saturating_sub(above)
            .min(height);
        let seen = last.saturating_sub(first);
        let missing = above.saturating_sub(rows.start * stride);
        let bare = Window {
            kernel: 1,
            stride: 1,
            around,
            before: [0, 0],
            size: [height, width],
        };
        let map = Bordered::new(self.map, self.sides, bare, None);
        let offsets: Vec<usize> = (0..channels)
            .map(|channel| (channel * height + first) * width)
            .collect();
        let mut widened = Vec::with_capacity(wide * seen * width);
        let widen = Dense {
            map: &map,
            offsets: &offsets,
            weights: self.widen.weights,
            bias: self.widen.bias,
            after: self.widen.after,
            added: None,
            size: [seen, width],
        };
        pointwise(&widen, &mut widened);
        let window = Window {
            before: [missing, left],
            size: [rows.len(), size[1]],
            ..self.window
        };
        let depthwise = Depthwise {
            map: &widened,
            frame: Frame::new([seen, width], window),
            weights: self.depthwise.weights,
            bias: self.depthwise.bias,
            after: self.depthwise.after,
            added: None,
        };
        by_channel(
            &depthwise,
            0..wide,
            size[0] * size[1],
            rows.start * size[1],
            result,
        );
    }
}
