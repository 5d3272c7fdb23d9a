//! The views of the page.

pub mod boxes;
pub mod regions;

use std::sync::Arc;

use js_sys::{Float32Array, Uint8Array, Uint16Array};

use super::spec::{Answer, OF_MERGE, OF_REGION};
use crate::maths::boxes::Corners;
use crate::page::engine::Payload;

/// What a run found.
#[derive(Clone)]
pub struct Opened {
    /// Sizes, counts and times.
    pub answer: Answer,
    /// The boxes of the search in pixels of the picture, the likeliest first.
    pub boxes: Arc<Vec<Corners>>,
    segments: Arc<Vec<u16>>,
    regions: Arc<Vec<f32>>,
    merges: Arc<Vec<f32>>,
}

/// A merge, as the page tells it.
pub struct Told {
    /// Numbers of the regions.
    pub of: [usize; 2],
    /// Colour, texture, size, fill: each from 0 to 1.
    pub similarity: [f32; 4],
}

fn floats(bytes: &Uint8Array) -> Vec<f32> {
    // A copy begins where numbers may.
    let bytes = bytes.slice(0, bytes.length());
    Float32Array::new(&bytes.buffer()).to_vec()
}

impl Opened {
    /// From an answer.
    pub fn read(says: &Payload) -> Option<Self> {
        let answer: Answer = says.read()?;
        let segments = says.file("segments");
        let segments = segments.slice(0, segments.length());
        let numbers = |name: &str| floats(&says.file(name));
        let corners = numbers("proposals");
        let boxes = corners.as_chunks::<4>().0.iter();
        Some(Self {
            answer,
            boxes: Arc::new(boxes.map(|&[x0, y0, x1, y1]| Corners { x0, y0, x1, y1 }).collect()),
            segments: Arc::new(Uint16Array::new(&segments.buffer()).to_vec()),
            regions: Arc::new(numbers("regions")),
            merges: Arc::new(numbers("merges")),
        })
    }

    /// How many merges there are.
    pub fn merges(&self) -> usize {
        self.merges.len() / OF_MERGE
    }

    /// A merge, by its number from 0.
    pub fn merge(&self, number: usize) -> Option<Told> {
        let of = self.merges.get(number * OF_MERGE..(number + 1) * OF_MERGE)?;
        Some(Told {
            of: [of[0] as usize, of[1] as usize],
            similarity: [of[2], of[3], of[4], of[5]],
        })
    }

    /// Pixels of a region, as cut.
    pub fn pixels(&self, region: usize) -> usize {
        self.regions.get(region * OF_REGION).map_or(0, |of| *of as usize)
    }

    /// The box of a region, in pixels as cut.
    pub fn bounds(&self, region: usize) -> Corners {
        let at = |number: usize| self.regions.get(region * OF_REGION + number).copied().unwrap_or(0.0);
        Corners {
            x0: at(1),
            y0: at(2),
            x1: at(3),
            y1: at(4),
        }
    }

    /// The region of each pixel after so many merges.
    fn after(&self, merges: usize) -> Vec<usize> {
        let first = self.answer.segments;
        let mut above: Vec<usize> = (0..first + merges).collect();
        for number in 0..merges {
            if let Some(told) = self.merge(number) {
                for region in told.of {
                    above[region] = first + number;
                }
            }
        }
        // A merge is above what it merged: from the last one down each finds the top in one look.
        for region in (0..above.len()).rev() {
            above[region] = above[above[region]];
        }
        self.segments.iter().map(|&of| above[usize::from(of)]).collect()
    }

    /// The colour of each region: of a merge that of the larger one, so that growing regions keep theirs.
    fn colors(&self, merges: usize) -> Vec<[u8; 3]> {
        let mut colors: Vec<[u8; 3]> = (0..self.answer.segments).map(color).collect();
        for number in 0..merges {
            let Some(Told { of: [a, b], .. }) = self.merge(number) else {
                break;
            };
            let larger = if self.pixels(a) >= self.pixels(b) { a } else { b };
            colors.push(colors[larger]);
        }
        colors
    }
}

/// Neighbouring numbers get hues far apart: each goes on by the golden section.
fn color(number: usize) -> [u8; 3] {
    let hue = (number as f32 * 0.618_034).fract() * 6.0;
    let value = [1.0, 0.8, 0.62][number % 3];
    let channel = |from: f32| {
        let place = (hue + from) % 6.0;
        let share = (place.min(4.0 - place)).clamp(0.0, 1.0);
        (255.0 * value * (0.25 + 0.75 * share)) as u8
    };
    [channel(2.0), channel(0.0), channel(4.0)]
}
