//! Selective search: where objects may be, from the picture alone. Segments are merged, the most similar neighbours first, until
//! one is left; every segment that there ever was is a proposal.
//!
//! # Reference
//! Uijlings, van de Sande, Gevers and Smeulders 2013, "Selective Search for Object Recognition".

mod search;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

pub use self::search::{Found, SEARCH, Search, Strategy};
use super::color_spaces::{self, Space};
use super::gaussian::{Edge, blur};
use super::segments::{Cutting, Segments, cut};
use crate::maths::boxes::Corners;

/// Bins of a histogram of a channel's values.
const COLORS: usize = 25;
/// Bins of a histogram of a channel's slopes in one direction.
const SLOPES: usize = 10;
/// Directions of slopes.
const DIRECTIONS: usize = 8;
/// Numbers of a region: histograms of colour, then of texture.
const OF_COLOR: usize = 3 * COLORS;
const NUMBERS: usize = OF_COLOR + 3 * DIRECTIONS * SLOPES;

/// What makes two regions similar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measures {
    /// Their colours.
    pub color: bool,
    /// Their slopes.
    pub texture: bool,
    /// That they are small: all grow at the same time.
    pub size: bool,
    /// That they fit into each other.
    pub fill: bool,
}

impl Measures {
    /// All four.
    pub const ALL: Self = Self {
        color: true,
        texture: true,
        size: true,
        fill: true,
    };
}

/// How alike two regions are, each from 0 to 1 (section 3.2 of the paper).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// What their histograms of colour share.
    pub color: f32,
    /// What their histograms of slopes share.
    pub texture: f32,
    /// The share of the picture that neither takes.
    pub size: f32,
    /// The share of the picture that a box around both would not leave empty.
    pub fill: f32,
}

impl Similarity {
    /// The sum of those that count.
    pub fn by(&self, measures: Measures) -> f32 {
        let counted = |is: bool, value: f32| if is { value } else { 0.0 };
        counted(measures.color, self.color)
            + counted(measures.texture, self.texture)
            + counted(measures.size, self.size)
            + counted(measures.fill, self.fill)
    }
}

/// A connected part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// How many it has.
    pub pixels: u32,
    /// First column, first row, and those after the last.
    pub bounds: [u16; 4],
}

impl Region {
    fn with(self, other: Self) -> Self {
        let [x0, y0, x1, y1] = self.bounds;
        let [u0, v0, u1, v1] = other.bounds;
        Self {
            pixels: self.pixels + other.pixels,
            bounds: [x0.min(u0), y0.min(v0), x1.max(u1), y1.max(v1)],
        }
    }

    fn area(self) -> f32 {
        let [x0, y0, x1, y1] = self.bounds.map(f32::from);
        (x1 - x0) * (y1 - y0)
    }

    /// Its box in pixels.
    pub fn corners(self) -> Corners {
        let [x0, y0, x1, y1] = self.bounds.map(f32::from);
        Corners { x0, y0, x1, y1 }
    }
}

/// Two regions that became one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// Numbers of the regions.
    pub of: [u32; 2],
    /// Why.
    pub similarity: Similarity,
}

/// All regions of a picture, from the first segments to the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// The first segments.
    pub segments: Segments,
    /// Those segments, then what each merge made.
    pub regions: Vec<Region>,
    /// In the order in which they happened.
    pub merges: Vec<Merge>,
}

/// A picture seen in one colour space: cut into segments, with all that similarity needs.
#[derive(Debug, Clone)]
pub struct Described {
    size: [usize; 2],
    segments: Segments,
    regions: Vec<Region>,
    /// [`NUMBERS`] for each; the histograms of colour sum to 1, and so do those of texture.
    histograms: Vec<f32>,
    neighbours: Vec<BTreeSet<u32>>,
}

impl Described {
    /// Cuts and describes a picture of `height * width` opaque RGB pixels.
    pub fn new(rgb: &[u8], [height, width]: [usize; 2], space: Space, how: Cutting) -> Self {
        let planes = color_spaces::planes(rgb, space);
        let segments = cut(&planes, [height, width], how);
        let mut regions = vec![
            Region {
                pixels: 0,
                bounds: [u16::MAX, u16::MAX, 0, 0],
            };
            segments.count
        ];
        let mut neighbours = vec![BTreeSet::new(); segments.count];
        for row in 0..height {
            for column in 0..width {
                let here = segments.of[row * width + column];
                let [x, y] = [column as u16, row as u16];
                let pixel = Region {
                    pixels: 1,
                    bounds: [x, y, x + 1, y + 1],
                };
                let region = &mut regions[here as usize];
                *region = region.with(pixel);
                let mut meet = |other: u32| {
                    if other != here {
                        neighbours[here as usize].insert(other);
                        neighbours[other as usize].insert(here);
                    }
                };
                if column + 1 < width {
                    meet(segments.of[row * width + column + 1]);
                }
                if row + 1 < height {
                    meet(segments.of[(row + 1) * width + column]);
                }
            }
        }
        let histograms = histograms(&planes, [height, width], &segments);
        Self {
            size: [height, width],
            segments,
            regions,
            histograms,
            neighbours,
        }
    }

    /// Merges until one region is left.
    pub fn merged(&self, measures: Measures) -> Hierarchy {
        let mut grouping = Grouping {
            area: (self.size[0] * self.size[1]) as f32,
            measures,
            regions: self.regions.clone(),
            histograms: self.histograms.clone(),
            neighbours: self.neighbours.clone(),
            waiting: BinaryHeap::new(),
            merges: Vec::new(),
        };
        for a in 0..self.regions.len() as u32 {
            let later = grouping.neighbours[a as usize].range(a + 1..);
            for b in later.copied().collect::<Vec<_>>() {
                grouping.weigh([a, b]);
            }
        }
        while grouping.merge() {}
        Hierarchy {
            segments: self.segments.clone(),
            regions: grouping.regions,
            merges: grouping.merges,
        }
    }
}

/// Histograms of the first segments, region after region.
fn histograms(planes: &[f32], [height, width]: [usize; 2], segments: &Segments) -> Vec<f32> {
    let count = height * width;
    let mut all = vec![0f32; segments.count * NUMBERS];
    let mut smooth = planes.to_vec();
    blur(&mut smooth, [height, width], 1.0, 4, Edge::Mirror);
    for (channel, (plane, smooth)) in planes
        .chunks_exact(count.max(1))
        .zip(smooth.chunks_exact(count.max(1)))
        .enumerate()
    {
        let slopes = slopes(smooth, [height, width]);
        let squares = slopes.iter().map(|[x, y]| x * x + y * y);
        let steepest = squares.fold(0.0, f32::max).sqrt();
        let scale = SLOPES as f32 / steepest.max(1e-6);
        for (at, &region) in segments.of.iter().enumerate() {
            let numbers = &mut all[region as usize * NUMBERS..][..NUMBERS];
            let bin = (plane[at] * (COLORS as f32 / 256.0)) as usize;
            numbers[channel * COLORS + bin.min(COLORS - 1)] += 1.0;
            let [x, y] = slopes[at];
            let diagonal = std::f32::consts::FRAC_1_SQRT_2;
            let half = [x, (x + y) * diagonal, y, (y - x) * diagonal];
            let texture = &mut numbers[OF_COLOR + channel * DIRECTIONS * SLOPES..];
            for (direction, slope) in half.into_iter().enumerate() {
                // What rises in one direction falls in the opposite one.
                for (direction, slope) in [(direction, slope), (direction + 4, -slope)] {
                    let bin = (slope.max(0.0) * scale) as usize;
                    texture[direction * SLOPES + bin.min(SLOPES - 1)] += 1.0;
                }
            }
        }
    }
    for numbers in all.chunks_exact_mut(NUMBERS) {
        let (color, texture) = numbers.split_at_mut(OF_COLOR);
        for part in [color, texture] {
            let sum: f32 = part.iter().sum();
            part.iter_mut().for_each(|number| *number /= sum.max(1.0));
        }
    }
    all
}

/// What two histograms share: the sum of the smaller of each two numbers. Eight sums side by side, which a processor adds at
/// once.
fn shared(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += if a[lane] < b[lane] { a[lane] } else { b[lane] };
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a.min(*b));
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

/// How a plane rises to the right and down at each pixel.
fn slopes(plane: &[f32], [height, width]: [usize; 2]) -> Vec<[f32; 2]> {
    let mut slopes = Vec::with_capacity(plane.len());
    for row in 0..height {
        for column in 0..width {
            let at = |row: usize, column: usize| plane[row * width + column];
            let across = at(row, (column + 1).min(width - 1)) - at(row, column.saturating_sub(1));
            let down = at((row + 1).min(height - 1), column) - at(row.saturating_sub(1), column);
            slopes.push([across / 2.0, down / 2.0]);
        }
    }
    slopes
}

/// Neighbours that may be merged. The most similar come first, of equal ones those with the lowest numbers.
#[derive(Clone, Copy)]
struct Candidate {
    total: f32,
    of: Reverse<[u32; 2]>,
    similarity: Similarity,
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_total = self.total.total_cmp(&other.total);
        by_total.then(self.of.cmp(&other.of))
    }
}

struct Grouping {
    /// Pixels of the picture.
    area: f32,
    measures: Measures,
    regions: Vec<Region>,
    histograms: Vec<f32>,
    /// Of regions that are there; none of those that were merged.
    neighbours: Vec<BTreeSet<u32>>,
    waiting: BinaryHeap<Candidate>,
    merges: Vec<Merge>,
}

impl Grouping {
    fn histograms(&self, region: u32) -> &[f32] {
        &self.histograms[region as usize * NUMBERS..][..NUMBERS]
    }

    fn similarity(&self, [a, b]: [u32; 2]) -> Similarity {
        let shared =
            |from, to| shared(&self.histograms(a)[from..to], &self.histograms(b)[from..to]);
        let [a, b] = [a, b].map(|region| self.regions[region as usize]);
        let both = a.with(b);
        let pixels = both.pixels as f32;
        Similarity {
            color: shared(0, OF_COLOR),
            texture: shared(OF_COLOR, NUMBERS),
            size: 1.0 - pixels / self.area,
            fill: 1.0 - (both.area() - pixels) / self.area,
        }
    }

    fn weigh(&mut self, of: [u32; 2]) {
        let similarity = self.similarity(of);
        self.waiting.push(Candidate {
            total: similarity.by(self.measures),
            of: Reverse(of),
            similarity,
        });
    }

    /// Whether there were two to merge.
    fn merge(&mut self) -> bool {
        let both = loop {
            let Some(candidate) = self.waiting.pop() else {
                return false;
            };
            // What was merged meanwhile has no neighbours any more.
            let Reverse([a, b]) = candidate.of;
            if self.neighbours[a as usize].contains(&b) {
                break candidate;
            }
        };
        let Reverse([a, b]) = both.of;
        let new = self.regions.len() as u32;
        let [of_a, of_b] = [a, b].map(|region| self.regions[region as usize]);
        self.regions.push(of_a.with(of_b));
        let share = of_a.pixels as f32 / (of_a.pixels + of_b.pixels) as f32;
        let mixed: Vec<f32> = self
            .histograms(a)
            .iter()
            .zip(self.histograms(b))
            .map(|(a, b)| share * a + (1.0 - share) * b)
            .collect();
        self.histograms.extend(mixed);
        self.merges.push(Merge {
            of: [a, b],
            similarity: both.similarity,
        });
        let mut around = std::mem::take(&mut self.neighbours[a as usize]);
        around.append(&mut std::mem::take(&mut self.neighbours[b as usize]));
        around.remove(&a);
        around.remove(&b);
        for &other in &around {
            let theirs = &mut self.neighbours[other as usize];
            theirs.remove(&a);
            theirs.remove(&b);
            theirs.insert(new);
        }
        let others: Vec<u32> = around.iter().copied().collect();
        self.neighbours.push(around);
        for other in others {
            self.weigh([other, new]);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::picture::Picture;

    /// Rectangles of a colour each, on grey.
    fn picture([height, width]: [usize; 2], objects: &[([usize; 4], [u8; 3])]) -> Vec<u8> {
        let color = |row: usize, column: usize| {
            let on = objects.iter().rev().find(|([x0, y0, x1, y1], _)| {
                (*x0..*x1).contains(&column) && (*y0..*y1).contains(&row)
            });
            on.map_or([120, 120, 120], |(_, color)| *color)
        };
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        pixels
            .flat_map(|(row, column)| color(row, column))
            .collect()
    }

    fn opaque(rgb: &[u8], [height, width]: [usize; 2]) -> Picture {
        let pixels = rgb.as_chunks::<3>().0.iter();
        let rgba = pixels.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        Picture::new(width, height, rgba).expect("as many bytes as its size says")
    }

    #[test]
    fn every_object_of_a_simple_picture_is_proposed() {
        let objects = [
            ([10, 10, 40, 50], [200, 30, 30]),
            ([60, 20, 90, 40], [30, 160, 40]),
            // A thing of two halves.
            ([50, 60, 70, 75], [20, 40, 200]),
            ([70, 60, 90, 75], [20, 60, 220]),
        ];
        let picture = opaque(&picture([80, 100], &objects), [80, 100]);
        let found = SEARCH.of(&picture, 500);
        let mut wanted: Vec<[usize; 4]> = objects.iter().map(|(place, _)| *place).collect();
        wanted.push([50, 60, 90, 75]);
        wanted.push([0, 0, 100, 80]);
        for place in wanted {
            let [x0, y0, x1, y1] = place.map(|edge| edge as f32);
            let place = Corners { x0, y0, x1, y1 };
            let best = found.iter().map(|of| of.iou(place)).fold(0.0, f32::max);
            assert!(best > 0.85, "{place:?}: {best} among {}", found.len());
        }
        assert_eq!(found, SEARCH.of(&picture, 500));
        assert_eq!(found[..5], SEARCH.of(&picture, 5));
    }

    #[test]
    fn the_most_similar_are_merged_first_until_one_is_left() {
        let rgb = picture(
            [40, 60],
            &[
                ([5, 5, 20, 35], [90, 90, 200]),
                ([20, 5, 35, 35], [92, 92, 205]),
                ([45, 5, 55, 35], [220, 40, 10]),
            ],
        );
        let cutting = Cutting {
            k: 1.0,
            sigma: 0.0,
            least: 4,
        };
        let described = Described::new(&rgb, [40, 60], Space::Rgb, cutting);
        let hierarchy = described.merged(Measures {
            size: false,
            fill: false,
            ..Measures::ALL
        });
        let first = hierarchy.segments.count;
        assert_eq!(first, 4);
        assert_eq!(hierarchy.regions.len(), 2 * first - 1);
        let [a, b] = hierarchy.merges[0]
            .of
            .map(|of| hierarchy.regions[of as usize].bounds);
        assert_eq!([a, b], [[5, 5, 20, 35], [20, 5, 35, 35]]);
        let whole = hierarchy.regions.last().unwrap();
        assert_eq!((whole.pixels, whole.bounds), (2400, [0, 0, 60, 40]));
    }

    #[test]
    fn the_four_similarities_are_those_of_the_paper() {
        // Halves of one colour each: nothing in common but that they fill the whole.
        let rgb = picture(
            [10, 20],
            &[
                ([0, 0, 10, 10], [250, 0, 0]),
                ([10, 0, 20, 10], [0, 0, 250]),
            ],
        );
        let cutting = Cutting {
            k: 1.0,
            sigma: 0.0,
            least: 1,
        };
        let described = Described::new(&rgb, [10, 20], Space::Rgb, cutting);
        let hierarchy = described.merged(Measures::ALL);
        let of = hierarchy.merges[0].similarity;
        // Of three channels one is the same.
        assert!((of.color - 1.0 / 3.0).abs() < 1e-5, "{of:?}");
        assert_eq!((of.size, of.fill), (0.0, 1.0));
        // Slopes lie along the border only, in the two channels that change: in most directions there are none.
        assert!((0.5..1.0 + 1e-5).contains(&of.texture), "{of:?}");
        let whole = Similarity {
            color: 0.1,
            texture: 0.2,
            size: 0.3,
            fill: 0.4,
        };
        assert!((whole.by(Measures::ALL) - 1.0).abs() < 1e-6);
        let without = Measures {
            color: false,
            ..Measures::ALL
        };
        assert!((whole.by(without) - 0.9).abs() < 1e-6);
    }

    #[test]
    fn pictures_without_anything_in_them_are_answered() {
        for size in [[1, 1], [16, 16], [50, 40], [3000, 4000]] {
            let rgb = vec![77; 3 * size[0] * size[1]];
            let [height, width] = size.map(|side| side as f32);
            let found = SEARCH.of(&opaque(&rgb, size), 500);
            assert!(found.iter().all(|of| of.x1 <= width && of.y1 <= height));
            assert_eq!(found.len(), 1, "{size:?}");
        }
        for size in [[1, 500], [500, 1]] {
            assert_eq!(SEARCH.of(&opaque(&[77; 1500], size), 500).len(), 1);
        }
    }
}
