//! The search of detectors: several hierarchies of a picture, and the boxes of all in one order.

use super::{Described, Measures};
use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;
use crate::methods::color_spaces::Space;
use crate::methods::resize::{stretch_rgb, working_size};
use crate::methods::segments::Cutting;
use crate::protocol::picture::Picture;

/// A way to look at a picture: several together find more than each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strategy {
    /// In which colours.
    pub space: Space,
    /// How it is cut.
    pub cutting: Cutting,
    /// What makes regions similar, one hierarchy for each.
    pub measures: &'static [Measures],
}

/// How a picture is searched for detectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Longer side in pixels at which it is looked at.
    pub longest: usize,
    /// The ways.
    pub strategies: &'static [Strategy],
    /// Smaller side of a box at least, as a share of the picture's longer side.
    pub least: f32,
    /// Overlap (IoU) from which on a box is the same as one before it.
    pub overlap: f32,
    /// Decides the order.
    pub seed: u32,
}

/// The search of the detectors that ship. Of what was tried on 102 held-out photographs it found most objects with 500 boxes in
/// its time: cuts of three sizes in three colour spaces, boxes that are nearly the same left out.
pub const SEARCH: Search = Search {
    longest: 240,
    strategies: &[
        Strategy {
            space: Space::Hsv,
            cutting: cutting(50.0),
            measures: &[Measures::ALL],
        },
        Strategy {
            space: Space::Lab,
            cutting: cutting(100.0),
            measures: &[
                Measures::ALL,
                Measures {
                    color: false,
                    ..Measures::ALL
                },
            ],
        },
        Strategy {
            space: Space::Rgb,
            cutting: cutting(200.0),
            measures: &[Measures::ALL],
        },
    ],
    least: 0.03,
    overlap: 0.8,
    seed: 7,
};

const fn cutting(k: f32) -> Cutting {
    Cutting {
        k,
        sigma: 0.5,
        least: 15,
    }
}

/// What strategies find: the bounds of each region of each hierarchy, with its rank from the whole.
pub type Found = Vec<(usize, [u16; 4])>;

impl Search {
    /// Columns and rows at which a picture is looked at.
    pub fn size(&self, picture: &Picture) -> [usize; 2] {
        working_size(picture, self.longest)
    }

    /// The boxes of a picture, see [`Search::chosen`].
    pub fn of(&self, picture: &Picture, most: usize) -> Vec<Corners> {
        let [width, height] = self.size(picture);
        let rgb = stretch_rgb(picture, width, height);
        let strategies = self.strategies.iter();
        let found = strategies.flat_map(|strategy| strategy.found(&rgb, [height, width]));
        self.chosen(found.collect(), picture, most)
    }

    /// Boxes of all strategies in pixels of the picture, those first that are likelier to hold an object: what was made late,
    /// in an order that chance mixes, so that no size comes before all others (as in the paper). The same picture always has
    /// the same.
    pub fn chosen(&self, found: Found, picture: &Picture, most: usize) -> Vec<Corners> {
        let mut draws = Draws::new(self.seed, 0);
        let mut ranked: Vec<(f32, [u16; 4])> = found
            .into_iter()
            .map(|(rank, bounds)| ((rank + 1) as f32 * draws.unit(), bounds))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = self.size(picture).map(|side| side as f32);
        // A picture that is thinner than any box is one itself.
        let least = (self.least * size[0].max(size[1])).min(size[0].min(size[1]));
        let mut kept: Vec<Corners> = Vec::new();
        for (_, [x0, y0, x1, y1]) in ranked {
            let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(f32::from);
            let new = Corners { x0, y0, x1, y1 };
            let is_large = (x1 - x0).min(y1 - y0) >= least;
            if is_large && kept.iter().all(|old| old.iou(new) < self.overlap) {
                kept.push(new);
            }
            if kept.len() == most {
                break;
            }
        }
        let [width, height] = size;
        let [across, down] = [picture.width as f32 / width, picture.height as f32 / height];
        kept.into_iter().map(|of| of.scale(across, down)).collect()
    }
}

impl Strategy {
    /// The regions of its hierarchies in a picture of `height * width` opaque RGB pixels.
    pub fn found(&self, rgb: &[u8], size: [usize; 2]) -> Found {
        let described = Described::new(rgb, size, self.space, self.cutting);
        let ranked = |measures: &Measures| {
            let regions = described.merged(*measures).regions.into_iter().rev();
            regions.enumerate().map(|(rank, of)| (rank, of.bounds))
        };
        self.measures.iter().flat_map(ranked).collect()
    }
}
