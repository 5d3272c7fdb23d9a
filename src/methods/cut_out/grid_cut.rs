//! The cheapest way to part the pixels of a grid in two, by maximum flow.

use std::collections::VecDeque;

/// Rows and columns from a pixel to the first four of its eight neighbours: right, right below, below, left below. The
/// other four are their opposites, so each pair of neighbours is named once.
pub const STEPS: [[isize; 2]; 4] = [[0, 1], [1, 1], [1, 0], [1, -1]];

/// The largest cost; larger ones count as this. What flows through a pixel still fits an `i32`.
pub const LARGEST: i32 = 1 << 26;

/// A grid of pixels to be parted into foreground and background at the least cost.
///
/// The cheapest cut is found by sending as much as possible from a source, which stands for the foreground, through
/// the grid to a sink, which stands for the background: where the edges are full, there is the cut. Two trees of edges
/// that are not full grow from source and sink until they meet, and are mended after each path.
///
/// # Reference
/// Boykov and Jolly 2001, "Interactive graph cuts for optimal boundary and region segmentation of objects in N-D
/// images": why the minimum cut is the answer. Boykov and Kolmogorov 2004, "An experimental comparison of min-cut/max-
/// flow algorithms for energy minimization in vision", section 3: how it is found.
#[derive(Debug, Clone)]
pub struct GridCut {
    columns: usize,
    /// By row, in a frame of pixels that no edge leads to, so that every pixel has eight neighbours. A `place` is an
    /// index here.
    nodes: Vec<Node>,
    /// What to add to a place to come to its neighbour in each direction; direction `d ^ 4` leads back from `d`.
    steps: [isize; 8],
    /// The leanings of the cut before.
    leanings: Vec<i32>,
    /// Augmentations so far.
    time: u32,
    /// Places at which a tree may grow.
    active: VecDeque<usize>,
    /// Places that were cut off from their tree.
    orphans: VecDeque<usize>,
}

/// A pixel.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// What the edge to each neighbour still carries.
    left: [i32; 8],
    /// What the edge from the source still carries, or where negative that to the sink.
    terminal: i32,
    tree: Tree,
    parent: Parent,
    /// Number of edges to the terminal, as it was at the time in `seen`.
    distance: u32,
    /// When the distance was right, in augmentations.
    seen: u32,
    /// Whether it is among the active ones.
    queued: bool,
}

/// The tree that a pixel belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Free,
    /// More can come here from the source.
    Source,
    /// More can go from here to the sink.
    Sink,
}

/// Where a pixel hangs in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    /// The source or the sink itself.
    Terminal,
    /// The neighbour in this direction, 0 to 7.
    Neighbour(u8),
    /// None: it is free or an orphan.
    Lost,
}

impl GridCut {
    /// A grid of `rows` and `columns`. `ties` are for each pixel, by row, those to its neighbours along [`STEPS`]: what
    /// is paid if the two come to different sides, not negative. Those that are missing count as zero, those that lead
    /// out of the grid not at all.
    pub fn new([rows, columns]: [usize; 2], ties: &[[i32; 4]]) -> Self {
        let stride = columns as isize + 2;
        let forth = STEPS.map(|[down, right]| down * stride + right);
        let node = Node {
            left: [0; 8],
            terminal: 0,
            tree: Tree::Free,
            parent: Parent::Lost,
            distance: 0,
            seen: 0,
            queued: false,
        };
        let mut grid = Self {
            columns,
            nodes: vec![node; (rows + 2) * (columns + 2)],
            steps: std::array::from_fn(|d| if d < 4 { forth[d] } else { -forth[d - 4] }),
            leanings: vec![0; rows * columns],
            time: 0,
            active: VecDeque::new(),
            orphans: VecDeque::new(),
        };
        let inside = |start: usize, step: isize, end: usize| {
            start
                .checked_add_signed(step)
                .is_some_and(|place| place < end)
        };
        for (pixel, ties) in ties.iter().enumerate().take(rows * columns) {
            for (direction, &tie) in ties.iter().enumerate() {
                let [down, right] = STEPS[direction];
                if inside(pixel / columns, down, rows) && inside(pixel % columns, right, columns) {
                    let place = grid.place(pixel);
                    let other = grid.neighbour(place, direction);
                    // It can be cut either way.
                    grid.nodes[place].left[direction] = tie.clamp(0, LARGEST);
                    grid.nodes[other].left[direction ^ 4] = tie.clamp(0, LARGEST);
                }
            }
        }
        grid
    }

    /// Which pixels are foreground, by row, so that the sum of the ties that are cut and of the `leanings` that are
    /// gone against is least. A pixel's leaning is what is paid if it is background; a negative one is paid if it is
    /// foreground. Missing ones count as zero. Of several cheapest cuts it is the one with the fewest pixels in the
    /// foreground.
    ///
    /// The flow of the cut before is where the next begins (Kohli and Torr 2005, "Efficiently solving dynamic Markov
    /// random fields using graph cuts"): if the leanings are similar, it takes little time.
    pub fn cut(&mut self, leanings: &[i32]) -> Vec<bool> {
        self.plant(leanings);
        while let Some((place, direction)) = self.grow() {
            self.augment(place, direction);
            self.adopt();
        }
        let pixels = 0..self.leanings.len();
        pixels
            .map(|pixel| self.nodes[self.place(pixel)].tree == Tree::Source)
            .collect()
    }

    /// Begins both trees anew, from the pixels that still have an edge to source or sink.
    fn plant(&mut self, leanings: &[i32]) {
        self.time += 1;
        for pixel in 0..self.leanings.len() {
            let leaning = leanings
                .get(pixel)
                .map_or(0, |leaning| leaning.clamp(&-LARGEST, &LARGEST).to_owned());
            let place = self.place(pixel);
            let node = &mut self.nodes[place];
            // The flow stays as it is. If that is more than comes from the source now, the rest is taken from the
            // sink: the same amount more on both edges changes the cost of every cut alike.
            node.terminal += leaning - self.leanings[pixel];
            self.leanings[pixel] = leaning;
            node.seen = self.time;
            (node.tree, node.parent, node.distance) = match node.terminal {
                0 => (Tree::Free, Parent::Lost, 0),
                1.. => (Tree::Source, Parent::Terminal, 1),
                _ => (Tree::Sink, Parent::Terminal, 1),
            };
            if node.tree != Tree::Free {
                self.activate(place);
            }
        }
    }

    fn place(&self, pixel: usize) -> usize {
        (pixel / self.columns + 1) * (self.columns + 2) + pixel % self.columns + 1
    }

    fn neighbour(&self, place: usize, direction: usize) -> usize {
        place.wrapping_add_signed(self.steps[direction])
    }

    fn activate(&mut self, place: usize) {
        if !self.nodes[place].queued {
            self.nodes[place].queued = true;
            self.active.push_back(place);
        }
    }

    /// What an edge of a tree still carries: in the source's from the neighbour to the place, in the sink's the other
    /// way.
    fn carries(&self, tree: Tree, place: usize, direction: usize) -> i32 {
        match tree {
            Tree::Source => self.nodes[self.neighbour(place, direction)].left[direction ^ 4],
            _ => self.nodes[place].left[direction],
        }
    }

    /// Grows both trees until they meet: a place in the source's and the direction of its neighbour in the sink's.
    fn grow(&mut self) -> Option<(usize, usize)> {
        while let Some(&place) = self.active.front() {
            let node = self.nodes[place];
            if node.tree != Tree::Free {
                for direction in 0..8 {
                    let (other, back) = (self.neighbour(place, direction), direction ^ 4);
                    if self.carries(node.tree, other, back) == 0 {
                        continue;
                    }
                    let found = &self.nodes[other];
                    if found.tree == Tree::Free {
                        self.nodes[other].tree = node.tree;
                        self.hang(other, back);
                        self.activate(other);
                    } else if found.tree != node.tree {
                        // The place stays active: there may be more paths through it.
                        return Some(if node.tree == Tree::Source {
                            (place, direction)
                        } else {
                            (other, back)
                        });
                    } else if found.seen <= node.seen && found.distance > node.distance + 1 {
                        // This way to the terminal is shorter.
                        self.hang(other, back);
                    }
                }
            }
            self.active.pop_front();
            self.nodes[place].queued = false;
        }
        None
    }

    fn hang(&mut self, place: usize, direction: usize) {
        let Node { distance, seen, .. } = self.nodes[self.neighbour(place, direction)];
        let node = &mut self.nodes[place];
        node.parent = Parent::Neighbour(direction as u8);
        node.distance = distance + 1;
        node.seen = seen;
    }

    /// Sends as much as goes along the path through an edge between the trees.
    fn augment(&mut self, place: usize, direction: usize) {
        self.time += 1;
        let other = self.neighbour(place, direction);
        let ends = [place, other];
        let amount = ends
            .iter()
            .fold(self.nodes[place].left[direction], |least, &end| {
                least.min(self.narrowest(end))
            });
        self.nodes[place].left[direction] -= amount;
        self.nodes[other].left[direction ^ 4] += amount;
        for end in ends {
            self.send(end, amount);
        }
    }

    /// The least that is left on the way between a place and its terminal.
    fn narrowest(&self, mut place: usize) -> i32 {
        let mut least = i32::MAX;
        while let Parent::Neighbour(direction) = self.nodes[place].parent {
            least = least.min(self.carries(self.nodes[place].tree, place, direction.into()));
            place = self.neighbour(place, direction.into());
        }
        least.min(self.nodes[place].terminal.abs())
    }

    /// Sends between a place and its terminal. A place whose edge to its parent is full becomes an orphan.
    fn send(&mut self, mut place: usize, amount: i32) {
        let tree = self.nodes[place].tree;
        let amount = if tree == Tree::Source {
            amount
        } else {
            -amount
        };
        while let Parent::Neighbour(direction) = self.nodes[place].parent {
            let direction = usize::from(direction);
            let parent = self.neighbour(place, direction);
            self.nodes[parent].left[direction ^ 4] -= amount;
            self.nodes[place].left[direction] += amount;
            if self.carries(tree, place, direction) == 0 {
                self.orphan_first(place);
            }
            place = parent;
        }
        self.nodes[place].terminal -= amount;
        if self.nodes[place].terminal == 0 {
            self.orphan_first(place);
        }
    }

    fn orphan_first(&mut self, place: usize) {
        self.nodes[place].parent = Parent::Lost;
        self.orphans.push_front(place);
    }

    /// Finds each orphan another parent in its tree, the one nearest to the terminal, or sets it free.
    fn adopt(&mut self) {
        while let Some(place) = self.orphans.pop_front() {
            let tree = self.nodes[place].tree;
            let mut nearest: Option<(u32, usize)> = None;
            for direction in 0..8 {
                let other = self.neighbour(place, direction);
                if self.nodes[other].tree == tree
                    && self.carries(tree, place, direction) > 0
                    && let Some(distance) = self.distance_to_terminal(other)
                    && nearest.is_none_or(|(least, _)| distance < least)
                {
                    nearest = Some((distance, direction));
                }
            }
            if let Some((_, direction)) = nearest {
                self.hang(place, direction);
                continue;
            }
            self.nodes[place].tree = Tree::Free;
            for direction in 0..8 {
                let other = self.neighbour(place, direction);
                if self.nodes[other].tree != tree {
                    continue;
                }
                if self.carries(tree, place, direction) > 0 {
                    // The tree may come back from there.
                    self.activate(other);
                }
                if self.nodes[other].parent == Parent::Neighbour((direction ^ 4) as u8) {
                    self.nodes[other].parent = Parent::Lost;
                    self.orphans.push_back(other);
                }
            }
        }
    }

    /// Number of edges to the terminal; `None` if the way there ends at an orphan. Places on the way remember theirs,
    /// so that another way that comes across them need not be followed further.
    fn distance_to_terminal(&mut self, start: usize) -> Option<u32> {
        let mut passed = 0;
        let mut place = start;
        let known = loop {
            let node = self.nodes[place];
            if node.seen == self.time {
                break node.distance;
            }
            match node.parent {
                Parent::Terminal => break 1,
                Parent::Lost => return None,
                Parent::Neighbour(direction) => place = self.neighbour(place, direction.into()),
            }
            passed += 1;
        };
        let distance = known + passed;
        place = start;
        for step in 0..=passed {
            self.nodes[place].seen = self.time;
            self.nodes[place].distance = distance - step;
            if let Parent::Neighbour(direction) = self.nodes[place].parent {
                place = self.neighbour(place, direction.into());
            }
        }
        Some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a partition costs.
    fn cost(
        [rows, columns]: [usize; 2],
        leanings: &[i32],
        ties: &[[i32; 4]],
        foreground: &[bool],
    ) -> i32 {
        let mut cost = 0;
        for row in 0..rows {
            for column in 0..columns {
                let pixel = row * columns + column;
                let against = if foreground[pixel] {
                    -leanings[pixel]
                } else {
                    leanings[pixel]
                };
                cost += against.max(0);
                for (tie, [down, right]) in ties[pixel].into_iter().zip(STEPS) {
                    let (r, c) = (row as isize + down, column as isize + right);
                    if r < rows as isize && (0..columns as isize).contains(&c) {
                        let other = r as usize * columns + c as usize;
                        cost += if foreground[pixel] == foreground[other] {
                            0
                        } else {
                            tie
                        };
                    }
                }
            }
        }
        cost
    }

    #[test]
    fn four_pixels_in_a_row_are_cut_at_the_weakest_tie() {
        // Source 9 -> a -5- b -2- c -4- d -> 8 sink: the flow is 2 and fills the edge from b to c.
        let ties = [5, 2, 4, 0].map(|right| [right, 0, 0, 0]);
        let mut grid = GridCut::new([1, 4], &ties);
        assert_eq!(grid.cut(&[9, 0, 0, -8]), [true, true, false, false]);
        // With 1 from the source its edge is the weakest.
        assert_eq!(grid.cut(&[1, 0, 0, -8]), [false; 4]);
        // Pixel c leans by 3 to the foreground: now cutting between c and d, at 4, is less than 2 + 3.
        assert_eq!(grid.cut(&[9, 0, 3, -8]), [true, true, true, false]);
    }

    #[test]
    fn no_cut_of_a_small_grid_is_cheaper() {
        let mut state = 7u32;
        let mut draw = |most: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % (most + 1)) as i32
        };
        for size in [[3, 3], [1, 9], [9, 1], [2, 4]] {
            let pixels = size[0] * size[1];
            for _ in 0..60 {
                let ties: Vec<[i32; 4]> = (0..pixels).map(|_| [0; 4].map(|_| draw(6))).collect();
                let mut grid = GridCut::new(size, &ties);
                // The later cuts begin with the flow of the first.
                for _ in 0..4 {
                    let leanings: Vec<i32> = (0..pixels).map(|_| draw(24) - 12).collect();
                    let cut = grid.cut(&leanings);
                    let all = (0..1u32 << pixels).map(|bits| {
                        let foreground: Vec<bool> =
                            (0..pixels).map(|pixel| bits >> pixel & 1 == 1).collect();
                        (cost(size, &leanings, &ties, &foreground), bits.count_ones())
                    });
                    let size_of_cut = cut.iter().filter(|&&side| side).count() as u32;
                    assert_eq!(
                        Some((cost(size, &leanings, &ties, &cut), size_of_cut)),
                        all.min()
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_and_too_little_have_an_answer() {
        assert!(GridCut::new([0, 5], &[]).cut(&[]).is_empty());
        assert!(GridCut::new([5, 0], &[]).cut(&[1]).is_empty());
        assert_eq!(GridCut::new([1, 2], &[]).cut(&[1]), [true, false]);
        // All three count as the same, so it is the cut with less in the foreground.
        assert_eq!(
            GridCut::new([1, 2], &[[i32::MAX; 4]; 2]).cut(&[i32::MAX, i32::MIN]),
            [false; 2]
        );
    }
}
