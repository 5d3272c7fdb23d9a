//! From what a detector's network says to boxes with scores: plain numbers, the same in training, in a lab and on the command
//! line. One file a family.

pub mod anchor_free;
pub mod grid;
pub mod overfeat;
pub mod region_svm;
pub mod ssd;
pub mod two_step;
pub mod votes;

use crate::maths::boxes::Corners;

/// What a detector says of all places where it looks in one picture: default boxes, anchors, cells or regions. Boxes are in
/// pixels of the network's input.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Places {
    /// Where each place is before the network says anything.
    pub starts: Vec<Corners>,
    /// Where an object is, by the network: a box for each place, or one for each class of each place.
    pub boxes: Vec<Corners>,
    /// How sure the family's own number is that anything is there, 0 to 1, for each place: objectness, confidence or
    /// centreness; none where classes alone say it.
    pub sure: Vec<f32>,
    /// Scores, 0 to 1, the classes of each place together: what a threshold is compared with.
    pub scores: Vec<f32>,
    /// How many classes there are, without a background.
    pub classes: usize,
}

/// A box that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// In pixels of the network's input.
    pub box_in_square: Corners,
    /// Index of its class.
    pub class: usize,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Number of the place that it comes from.
    pub place: usize,
}

impl Places {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The box that a place has for a class.
    pub fn box_of(&self, place: usize, class: usize) -> Corners {
        match self.boxes.len() == self.count() {
            true => self.boxes[place],
            false => self.boxes[place * self.classes + class],
        }
    }

    /// All boxes whose score is at least so high, place after place.
    pub fn found(&self, least: f32) -> impl Iterator<Item = Found> {
        let scores = self.scores.iter().enumerate();
        let high = scores.filter(move |(_, score)| **score >= least);
        high.map(|(at, &score)| {
            let (place, class) = (at / self.classes, at % self.classes);
            Found {
                box_in_square: self.box_of(place, class),
                class,
                score,
                place,
            }
        })
    }

    /// The best score of each class.
    pub fn best_scores(&self) -> Vec<f32> {
        let mut best = vec![0f32; self.classes];
        for scores in self.scores.chunks_exact(self.classes.max(1)) {
            for (best, score) in best.iter_mut().zip(scores) {
                *best = best.max(*score);
            }
        }
        best
    }
}

/// A share from a logit.
pub fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        }
    }

    #[test]
    fn places_give_their_own_box_or_that_of_a_class() {
        let mut places = Places {
            starts: vec![square(0.0), square(100.0)],
            boxes: vec![square(1.0), square(101.0)],
            sure: vec![],
            scores: vec![0.1, 0.9, 0.4, 0.3],
            classes: 2,
        };
        let found: Vec<Found> = places.found(0.3).collect();
        let said = found.iter().map(|found| (found.place, found.class));
        assert_eq!(said.collect::<Vec<_>>(), [(0, 1), (1, 0), (1, 1)]);
        assert_eq!(found[2].box_in_square, square(101.0));
        assert_eq!(places.best_scores(), [0.4, 0.9]);
        places.boxes = [1.0, 2.0, 101.0, 102.0].map(square).to_vec();
        assert_eq!(places.box_of(1, 1), square(102.0));
        assert_eq!(Places::default().found(0.0).count(), 0);
    }
}
