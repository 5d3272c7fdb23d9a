//! A map with its border around it, in the order in which a convolution reads it.

use std::borrow::Cow;
use std::ops::Range;

use crate::threads::{Shared, append, parts};
use crate::tile::MOST_PIXELS;

/// What a tile may read too far.
const BEHIND: usize = 2 * MOST_PIXELS;
/// Multiplications that take as long as copying a number.
const WORTH_OF_A_COPY: usize = 4;

/// What lies around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Zeros.
    Zeros,
    /// The map, mirrored at its outermost pixels.
    Mirrored,
    /// Its outermost pixels again and again.
    Edge,
}

impl Around {
    /// Where the value at a place along a side of the map comes from; `None` for zero.
    pub fn source(self, place: isize, side: usize) -> Option<usize> {
        let last = side as isize - 1;
        let inside = match self {
            Self::Zeros => place,
            Self::Mirrored if place < 0 => -place,
            Self::Mirrored => place.min(2 * last - place),
            Self::Edge => place.clamp(0, last),
        };
        (0..=last).contains(&inside).then_some(inside as usize)
    }
}

/// A convolution's window: side and step of its kernel, and where it begins.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
    /// What lies around the map.
    pub around: Around,
    /// Rows above and columns left of the map that it reads first.
    pub before: [usize; 2],
    /// Rows and columns of the result.
    pub size: [usize; 2],
}

/// How a channel is bordered and sorted by phase: the rows and columns that a stride takes together lie together.
/// In such a plane whatever a tap reads for all pixels is one run, shifted by a fixed number of places; at the end
/// of each row it reads a few pixels that belong to no result.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    window: Window,
    /// Rows and columns of the map.
    sides: [usize; 2],
    /// Rows and columns of a plane. From one row of the result to the next are as many columns.
    planes: [usize; 2],
    /// The row of the whole result that is this one's first.
    first_row: usize,
}

impl Frame {
    /// Of maps of `sides`, height and width.
    pub fn new(sides: [usize; 2], window: Window) -> Self {
        let reach = (window.kernel - 1) / window.stride;
        Self {
            window,
            sides,
            planes: window.size.map(|side| side + reach),
            first_row: 0,
        }
    }

    /// The same for some rows of the result only.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let mut window = self.window;
        window.size[0] = rows.len();
        Self {
            first_row: self.first_row + rows.start,
            ..Self::new(self.sides, window)
        }
    }

    /// Columns of a plane: from one row of the result to the next.
    pub fn columns(&self) -> usize {
        self.planes[1]
    }

    /// Rows and columns of the result.
    pub fn size(&self) -> [usize; 2] {
        self.window.size
    }

    /// Numbers of a bordered channel.
    pub fn channel(&self) -> usize {
        self.window.stride.pow(2) * self.plane()
    }

    fn plane(&self) -> usize {
        self.planes[0] * self.planes[1]
    }

    /// How far a tap of the kernel reads from the pixel that it is for.
    pub fn offset(&self, [row, column]: [usize; 2]) -> usize {
        let stride = self.window.stride;
        let phase = row % stride * stride + column % stride;
        phase * self.plane() + row / stride * self.planes[1] + column / stride
    }

    /// The offsets of all taps, in the order of a kernel's weights.
    pub fn offsets(&self) -> Vec<usize> {
        let kernel = self.window.kernel;
        (0..kernel * kernel)
            .map(|tap| self.offset([tap / kernel, tap % kernel]))
            .collect()
    }

    /// Whether a map is its own bordered copy.
    pub(crate) fn is_bare(&self) -> bool {
        self.window.kernel == 1
            && self.window.stride == 1
            && self.first_row == 0
            && self.window.size == self.sides
            && self.window.before == [0, 0]
    }

    /// Writes a bordered channel. `gate`, shaped like the channel, stops what is not above zero there.
    pub fn border(&self, map: &[f32], gate: Option<&[f32]>, to: &mut [f32]) {
        let [height, width] = self.sides;
        let [rows, columns] = self.planes;
        let stride = self.window.stride;
        let mut passed = vec![0.0; if gate.is_some() { width } else { 0 }];
        for row in 0..rows * stride {
            let place = (row + self.first_row * stride) as isize - self.window.before[0] as isize;
            let from = self.window.around.source(place, height);
            let mut line = from.map(|from| &map[from * width..(from + 1) * width]);
            if let (Some(gate), Some(from), Some(numbers)) = (gate, from, line) {
                let gate = &gate[from * width..(from + 1) * width];
                for ((to, number), gate) in passed.iter_mut().zip(numbers).zip(gate) {
                    *to = if *gate > 0.0 { *number } else { 0.0 };
                }
                line = Some(&passed);
            }
            for phase in 0..stride {
                let start = (row % stride * stride + phase) * self.plane() + row / stride * columns;
                let to = &mut to[start..start + columns];
                match line {
                    Some(line) => self.border_row(line, phase, to),
                    None => to.fill(0.0),
                }
            }
        }
    }

    /// The columns of a row that a phase takes.
    fn border_row(&self, line: &[f32], phase: usize, to: &mut [f32]) {
        let Window {
            stride,
            around,
            before,
            ..
        } = self.window;
        let (left, width) = (before[1], line.len());
        // Those that lie inside the map follow each other.
        let first_inside = left.saturating_sub(phase).div_ceil(stride).min(to.len());
        let inside = (width + left).saturating_sub(phase).div_ceil(stride);
        let inside = inside.clamp(first_inside, to.len());
        for column in (0..first_inside).chain(inside..to.len()) {
            let place = (column * stride + phase) as isize - left as isize;
            let from = around.source(place, width);
            to[column] = from.map_or(0.0, |from| line[from]);
        }
        let to = &mut to[first_inside..inside];
        if to.is_empty() {
            return;
        }
        let line = &line[first_inside * stride + phase - left..];
        match stride {
            1 => to.copy_from_slice(&line[..to.len()]),
            2 => every::<2>(line, to),
            4 => every::<4>(line, to),
            _ => {
                for (to, from) in to.iter_mut().zip(line.iter().step_by(stride)) {
                    *to = *from;
                }
            }
        }
    }
}

/// Every so many-th number, from the first on: as the loop over a step, but of vectors.
fn every<const STRIDE: usize>(line: &[f32], to: &mut [f32]) {
    let (groups, rest) = line.as_chunks::<STRIDE>();
    for (to, group) in to.iter_mut().zip(groups) {
        *to = group[0];
    }
    if let (Some(to), Some(last)) = (to.get_mut(groups.len()), rest.first()) {
        *to = *last;
    }
}

/// A map with its border around it: [`Frame`]s of all its channels.
pub struct Bordered<'a> {
    /// `[channels, stride, stride, rows, columns]`, and behind it as much as a tile may read too far.
    pub values: Cow<'a, [f32]>,
    /// How each channel lies.
    pub frame: Frame,
}

impl<'a> Bordered<'a> {
    /// Of a map `[channels, height, width]`. `gate`, shaped like it, stops what is not above zero there.
    pub fn new(
        map: &'a [f32],
        [channels, height, width]: [usize; 3],
        window: Window,
        gate: Option<&[f32]>,
    ) -> Self {
        Self::in_frame(map, channels, Frame::new([height, width], window), gate)
    }

    /// Of a map of so many channels, for each of which there is this frame.
    pub(crate) fn in_frame(
        map: &'a [f32],
        channels: usize,
        frame: Frame,
        gate: Option<&[f32]>,
    ) -> Self {
        let [height, width] = frame.sides;
        if frame.is_bare() && gate.is_none() {
            let values = Cow::Borrowed(map);
            return Self { values, frame };
        }
        let (from, each) = (height * width, frame.channel());
        let mut values = Vec::with_capacity(channels * each + BEHIND);
        let border = |shared: Shared| {
            parts(channels, channels * each * WORTH_OF_A_COPY, |channels| {
                for channel in channels {
                    let of_channel = channel * from..(channel + 1) * from;
                    let gate = gate.map(|gate| &gate[of_channel.clone()]);
                    // SAFETY: a channel is of one thread.
                    let to = unsafe { shared.part(channel * each, each) };
                    frame.border(&map[of_channel], gate, to);
                }
            });
        };
        // SAFETY: all of each channel is written.
        unsafe { append(&mut values, channels * each, border) };
        values.resize(channels * each + BEHIND, 0.0);
        let values = Cow::Owned(values);
        Self { values, frame }
    }

    /// How far a tap of a channel's kernel reads from the pixel that it is for.
    pub fn offset(&self, channel: usize, tap: [usize; 2]) -> usize {
        channel * self.frame.channel() + self.frame.offset(tap)
    }

    /// The offsets of all taps, in the order of weights `[channels, kernel, kernel]`.
    pub fn offsets(&self, channels: usize) -> Vec<usize> {
        let taps = self.frame.offsets();
        let of_channel = |channel| {
            taps.iter()
                .map(move |tap| channel * self.frame.channel() + tap)
        };
        (0..channels).flat_map(of_channel).collect()
    }
}
