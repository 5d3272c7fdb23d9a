//! A picture cut into segments of similar colour, by a graph of its pixels.
//!
//! # Reference
//! Felzenszwalb and Huttenlocher 2004, "Efficient Graph-Based Image Segmentation".

use super::gaussian::{Edge, blur};

/// How a picture is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cutting {
    /// How much two segments have to differ before they stay apart, for colours from 0 to 255: more makes larger segments.
    /// Small segments need stronger evidence, `k` divided by their pixels.
    pub k: f32,
    /// Standard deviation of the blur before, in pixels: noise is no border.
    pub sigma: f32,
    /// Pixels that a segment has at least.
    pub least: usize,
}

/// Which segment each pixel belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// By row; segments are numbered as they are met.
    pub of: Vec<u32>,
    /// How many there are.
    pub count: usize,
}

/// Sets of pixels that grow together, each known by one of its pixels.
struct Forest {
    parent: Vec<u32>,
    pixels: Vec<u32>,
    /// Up to which difference a set takes others in: the largest inside it and `k` by its pixels.
    limit: Vec<f32>,
}

impl Forest {
    fn root(&mut self, mut pixel: u32) -> u32 {
        while self.parent[pixel as usize] != pixel {
            // Each look halves the way of the next.
            let above = self.parent[self.parent[pixel as usize] as usize];
            self.parent[pixel as usize] = above;
            pixel = above;
        }
        pixel
    }

    fn join(&mut self, a: u32, b: u32) -> usize {
        let [above, below] = [a.min(b), a.max(b)];
        self.parent[below as usize] = above;
        self.pixels[above as usize] += self.pixels[below as usize];
        above as usize
    }
}

/// Cuts a picture of three planes of `height * width`, 0 to 255. Every pixel is joined with its eight neighbours, the most
/// alike first, wherever the difference across the border is no larger than those inside.
pub fn cut(planes: &[f32], [height, width]: [usize; 2], how: Cutting) -> Segments {
    let count = height * width;
    if count == 0 {
        return Segments {
            of: Vec::new(),
            count: 0,
        };
    }
    let mut smooth = planes.to_vec();
    let reach = (4.0 * how.sigma + 0.5) as usize;
    blur(&mut smooth, [height, width], how.sigma, reach, Edge::Mirror);
    let pairs = pairs(&smooth, [height, width]);
    let mut forest = Forest {
        parent: (0..count as u32).collect(),
        pixels: vec![1; count],
        limit: vec![how.k; count],
    };
    for pair in &pairs {
        let [a, b] = pair.pixels(width).map(|pixel| forest.root(pixel));
        let apart = pair.apart();
        if a != b && apart < forest.limit[a as usize].min(forest.limit[b as usize]) {
            let root = forest.join(a, b);
            forest.limit[root] = apart + how.k / forest.pixels[root] as f32;
        }
    }
    for pair in &pairs {
        let [a, b] = pair.pixels(width).map(|pixel| forest.root(pixel));
        let smaller = forest.pixels[a as usize].min(forest.pixels[b as usize]);
        if a != b && (smaller as usize) < how.least {
            forest.join(a, b);
        }
    }
    let mut names = vec![u32::MAX; count];
    let mut next = 0;
    let of = (0..count as u32).map(|pixel| {
        let name = &mut names[forest.root(pixel) as usize];
        if *name == u32::MAX {
            *name = next;
            next += 1;
        }
        *name
    });
    let of = of.collect();
    Segments {
        of,
        count: next as usize,
    }
}

/// Two neighbours. As a number it sorts by their difference, then by direction and place: above the difference's bits, which
/// sort like the difference as it is not negative; below two bits of direction and the first pixel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(u64);

/// Down and right of the second pixel from the first: right, down, down right, and from the lower left to the upper right.
const DIRECTIONS: [[usize; 2]; 4] = [[0, 1], [1, 0], [1, 1], [1, 1]];

impl Pair {
    fn new(apart: f32, direction: usize, pixel: usize) -> Self {
        Self((u64::from(apart.to_bits()) << 32) | ((direction as u64) << 30) | pixel as u64)
    }

    fn apart(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }

    /// The first pixel is the upper left of the square that both span.
    fn pixels(self, width: usize) -> [u32; 2] {
        let first = (self.0 & ((1 << 30) - 1)) as u32;
        let width = width as u32;
        match (self.0 >> 30) & 3 {
            0 => [first, first + 1],
            1 => [first, first + width],
            2 => [first, first + width + 1],
            _ => [first + width, first + 1],
        }
    }
}

/// All neighbours, the most alike first.
fn pairs(planes: &[f32], [height, width]: [usize; 2]) -> Vec<Pair> {
    let count = height * width;
    let mut pairs = Vec::with_capacity(4 * count);
    for (direction, [down, right]) in DIRECTIONS.into_iter().enumerate() {
        for row in 0..height - down.min(height) {
            for column in 0..width - right.min(width) {
                let corner = row * width + column;
                let [a, b] = Pair::new(0.0, direction, corner).pixels(width);
                let square = |plane: &[f32]| {
                    let apart = plane[a as usize] - plane[b as usize];
                    apart * apart
                };
                let squares: f32 = planes.chunks_exact(count).map(square).sum();
                pairs.push(Pair::new(squares.sqrt(), direction, corner));
            }
        }
    }
    by_difference(pairs)
}

/// Bits of a difference that a pass sorts by.
const DIGIT: usize = 11;

/// Sorted by their difference, those of the same as they came, which is by direction and place. By counting, a few bits at a
/// time: there are four pairs for each pixel, and each pass goes over them once.
fn by_difference(mut pairs: Vec<Pair>) -> Vec<Pair> {
    let mut sorted = pairs.clone();
    for pass in 0..32usize.div_ceil(DIGIT) {
        let digit = |pair: &Pair| (pair.0 >> (32 + pass * DIGIT)) as usize & ((1 << DIGIT) - 1);
        let mut places = [0usize; 1 << DIGIT];
        for pair in &pairs {
            places[digit(pair)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for pair in &pairs {
            let place = &mut places[digit(pair)];
            sorted[*place] = *pair;
            *place += 1;
        }
        std::mem::swap(&mut pairs, &mut sorted);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cutting = Cutting {
        k: 100.0,
        sigma: 0.0,
        least: 1,
    };

    fn picture(rows: &[&str]) -> (Vec<f32>, [usize; 2]) {
        let plane: Vec<f32> = rows
            .concat()
            .bytes()
            .map(|byte| f32::from(byte - b'0') * 25.0)
            .collect();
        (plane.repeat(3), [rows.len(), rows[0].len()])
    }

    #[test]
    fn counting_sorts_as_comparing_does() {
        let mut draws = crate::maths::draws::Draws::new(3, 0);
        let mut pairs = Vec::new();
        for direction in 0..4 {
            for pixel in 0..500 {
                // From 0 to as far as colours are apart, many alike.
                let apart = (draws.unit() * 30.0).floor().powi(2) * 0.49;
                pairs.push(Pair::new(apart, direction, pixel));
            }
        }
        let mut compared = pairs.clone();
        compared.sort_unstable();
        assert!(by_difference(pairs) == compared);
        assert!(by_difference(Vec::new()).is_empty());
    }

    #[test]
    fn pixels_of_one_colour_are_one_segment() {
        let (planes, size) = picture(&["3333", "3333", "3333"]);
        let segments = cut(&planes, size, PLAIN);
        assert_eq!(segments.count, 1);
        assert_eq!(segments.of, [0; 12]);
    }

    #[test]
    fn a_square_on_a_ground_is_found_whole() {
        let (planes, size) = picture(&["00000", "09990", "09990", "00000"]);
        let segments = cut(&planes, size, PLAIN);
        assert_eq!(segments.count, 2);
        let inside = segments.of.iter().filter(|of| **of == 1).count();
        assert_eq!((inside, segments.of[0]), (6, 0));
    }

    #[test]
    fn what_is_too_small_joins_what_it_is_most_like() {
        let (planes, size) = picture(&["000000", "000000", "009000", "000000"]);
        assert_eq!(cut(&planes, size, PLAIN).count, 2);
        let least = Cutting { least: 2, ..PLAIN };
        assert_eq!(cut(&planes, size, least).count, 1);
    }

    #[test]
    fn more_is_alike_with_a_larger_k() {
        let (planes, size) = picture(&["0123456789", "0123456789", "9876543210"]);
        let count = |k: f32| cut(&planes, size, Cutting { k, ..PLAIN }).count;
        assert!(count(0.0) > count(200.0));
        assert_eq!(count(1e6), 1);
    }

    #[test]
    fn lines_and_nothing_are_answered() {
        let one = cut(&[1.0, 2.0, 3.0], [1, 1], PLAIN);
        assert_eq!(one.count, 1);
        assert_eq!(cut(&[0.0; 30], [10, 1], PLAIN).count, 1);
        assert_eq!(cut(&[0.0; 30], [1, 10], PLAIN).count, 1);
        assert_eq!(cut(&[], [0, 0], PLAIN).count, 0);
    }
}
