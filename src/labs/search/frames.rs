//! The pictures of a search, kept for an animation of how its result came about.

use crate::methods::resize::stretch_rgb;
use crate::protocol::failure::Failure;
use crate::protocol::picture::Picture;

use crate::job::Job;

/// Most pictures that are kept: when there are more, every other one goes.
const MOST: usize = 48;
/// Hundredths of a second that a picture of the animation stays.
const DELAY: u16 = 8;
/// Hundredths of a second that the last one stays.
const LAST_DELAY: u16 = 200;
/// Longer side in pixels that an animation has at least: smaller pictures are enlarged by whole numbers.
const SHOWN: u16 = 384;
/// Quality of the 256 colours, 1 (best) to 30 (fastest).
const SPEED: i32 = 10;

/// Pictures of one size, evenly spread over the steps.
#[derive(Debug, Clone)]
pub struct Frames {
    size: [u16; 2],
    interval: u32,
    pictures: Vec<Vec<u8>>,
}

impl Frames {
    /// None yet, of that many columns and rows.
    pub fn new([width, height]: [usize; 2]) -> Self {
        Self {
            size: [width as u16, height as u16],
            interval: 1,
            pictures: Vec::new(),
        }
    }

    /// Columns and rows of the pictures.
    pub fn size(&self) -> [usize; 2] {
        self.size.map(usize::from)
    }

    /// Whether the picture after this step is to be kept.
    pub fn wants(&self, step: u32) -> bool {
        step.is_multiple_of(self.interval)
    }

    /// Keeps the RGB bytes of a wanted step.
    pub fn keep(&mut self, rgb: Vec<u8>) {
        self.pictures.push(rgb);
        if self.pictures.len() > MOST {
            let mut index = 0;
            // The first, third, ... stay: they are those of the multiples of twice the interval.
            self.pictures.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.interval *= 2;
        }
    }

    /// A GIF that repeats, with `last` at its end; `color` gives each picture its final colours. Gives
    /// way between pictures.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    pub async fn to_gif(
        &self,
        job: &Job<'_>,
        last: &[u8],
        color: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let [width, height] = self.size;
        let times = SHOWN.div_ceil(width.max(height)).max(1);
        let [wide, high] = [width, height].map(|side| side * times);
        let mut bytes = Vec::new();
        let written = "writing to memory does not fail";
        let mut encoder = gif::Encoder::new(&mut bytes, wide, high, &[]).expect(written);
        encoder.set_repeat(gif::Repeat::Infinite).expect(written);
        let kept = self.pictures.iter().map(|rgb| (&**rgb, DELAY));
        for (rgb, delay) in kept.chain([(last, LAST_DELAY)]) {
            let rgb = enlarge(&color(rgb), self.size, [wide, high]);
            let mut frame = gif::Frame::from_rgb_speed(wide, high, &rgb, SPEED);
            frame.delay = delay;
            encoder.write_frame(&frame).expect(written);
            job.breathe().await?;
        }
        drop(encoder);
        Ok(bytes)
    }
}

/// RGB bytes at a larger size, between pixels by their shares.
fn enlarge(rgb: &[u8], from: [u16; 2], to: [u16; 2]) -> Vec<u8> {
    if from == to {
        return rgb.to_vec();
    }
    let pixels = rgb.as_chunks::<3>().0.iter();
    let [width, height] = from.map(usize::from);
    let rgba = pixels.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    let picture = Picture {
        width,
        height,
        rgba,
    };
    stretch_rgb(&picture, usize::from(to[0]), usize::from(to[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::clock::Clock;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn long_searches_keep_evenly_spread_pictures() {
        let mut frames = Frames::new([1, 1]);
        for step in 0..=200u32 {
            if frames.wants(step) {
                frames.keep(vec![step as u8; 3]);
            }
        }
        let steps: Vec<_> = frames
            .pictures
            .iter()
            .map(|rgb| u32::from(rgb[0]))
            .collect();
        let expected: Vec<_> = (0..=200).step_by(frames.interval as usize).collect();
        assert_eq!(steps, expected);
        assert!(
            steps.len() <= MOST && steps.len() > MOST / 3,
            "{}",
            steps.len()
        );
    }

    /// The frames of an animation: how long each stays, and its pixels, RGBA.
    fn animated(frames: &Frames, last: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let clock = Clock::default();
        let job = Job::new(&clock, "cpu");
        let gif = frames.to_gif(&job, last, <[u8]>::to_vec);
        let gif = std::pin::pin!(gif).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(gif)) = gif else {
            panic!("nothing to wait for");
        };
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&*gif).expect("a GIF");
        let mut shown = Vec::new();
        while let Some(frame) = decoder.read_next_frame().expect("whole") {
            shown.push((frame.delay, frame.buffer.to_vec()));
        }
        shown
    }

    #[test]
    fn the_animation_has_the_pictures_and_the_result() {
        let columns = usize::from(SHOWN);
        let mut frames = Frames::new([columns, 1]);
        let [first, last] = [[255, 0, 0], [0, 255, 0]].map(|pixel: [u8; 3]| pixel.repeat(columns));
        frames.keep(first);
        let shown = animated(&frames, &last);
        assert_eq!(
            shown,
            [
                (DELAY, [255, 0, 0, 255].repeat(columns)),
                (LAST_DELAY, [0, 255, 0, 255].repeat(columns)),
            ]
        );
    }

    #[test]
    fn a_small_search_is_shown_larger() {
        let mut frames = Frames::new([192, 128]);
        frames.keep(vec![9; 192 * 128 * 3]);
        for (_, pixels) in animated(&frames, &[9; 192 * 128 * 3]) {
            assert_eq!(pixels.len(), 384 * 256 * 4);
        }
    }
}
