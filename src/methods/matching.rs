//! Which anchors have to say what in training: matched to truths by overlap, sampled, or chosen by how wrong they are.
//!
//! # Reference
//! Ren et al. 2015, "Faster R-CNN", section 3.1.2; Liu et al. 2016, "SSD", section 2.2. Ties are broken as torchvision does.

use crate::maths::boxes::Corners;
use crate::maths::draws::Draws;

/// What an anchor, a default box or a proposal is in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It has to find this truth, by its number.
    Positive(usize),
    /// It has to say that nothing is there.
    Negative,
    /// It overlaps too much for the one and too little for the other: it has to say nothing.
    Ignored,
}

impl Match {
    /// The truth that it has to find.
    pub fn truth(self) -> Option<usize> {
        match self {
            Self::Positive(truth) => Some(truth),
            Self::Negative | Self::Ignored => None,
        }
    }
}

/// What becomes of a truth that no anchor overlaps enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescue {
    /// Nobody looks for it.
    None,
    /// The anchors that overlap it most, all where several are alike, look for the truth that they overlap most
    /// themselves: nearly always this one (Faster R-CNN).
    Best,
    /// The one anchor that overlaps it most looks for it, whatever else it overlaps (SSD).
    First,
}

/// The rules of matching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matching {
    /// Overlap (IoU) from which an anchor is positive.
    pub positive: f32,
    /// Overlap below which it is negative.
    pub negative: f32,
    /// What becomes of truths that find none.
    pub rescue: Rescue,
}

impl Matching {
    /// Anchors of a region proposal network.
    pub const PROPOSALS: Self = Self {
        positive: 0.7,
        negative: 0.3,
        rescue: Rescue::Best,
    };
    /// Proposals in the second step.
    pub const SECOND_STEP: Self = Self {
        positive: 0.5,
        negative: 0.5,
        rescue: Rescue::None,
    };
    /// SSD's default boxes.
    pub const DEFAULT_BOXES: Self = Self {
        positive: 0.5,
        negative: 0.5,
        rescue: Rescue::First,
    };

    /// A match for each anchor. Anchors and truths are in the same space. Without truths all are negative.
    pub fn of(&self, anchors: &[Corners], truths: &[Corners]) -> Vec<Match> {
        // The truth that each overlaps most, of equal ones the first, and by how much.
        let best_of = |anchor: &Corners| {
            let mut best = (0, -1.0);
            for (number, truth) in truths.iter().enumerate() {
                let iou = anchor.iou(*truth);
                if iou > best.1 {
                    best = (number, iou);
                }
            }
            best
        };
        let best: Vec<(usize, f32)> = anchors.iter().map(best_of).collect();
        let by_overlap = |&(truth, iou): &(usize, f32)| match iou {
            _ if truths.is_empty() => Match::Negative,
            iou if iou >= self.positive => Match::Positive(truth),
            iou if iou < self.negative => Match::Negative,
            _ => Match::Ignored,
        };
        let mut matches: Vec<Match> = best.iter().map(by_overlap).collect();
        if self.rescue == Rescue::None {
            return matches;
        }
        for (number, truth) in truths.iter().enumerate() {
            let overlaps: Vec<f32> = anchors.iter().map(|anchor| anchor.iou(*truth)).collect();
            let most = overlaps.iter().copied().fold(0.0, f32::max);
            let mut alike = (0..anchors.len()).filter(|&index| overlaps[index] == most);
            match self.rescue {
                Rescue::Best => {
                    alike.for_each(|index| matches[index] = Match::Positive(best[index].0))
                }
                Rescue::First => {
                    if let Some(index) = alike.next() {
                        matches[index] = Match::Positive(number);
                    }
                }
                Rescue::None => {}
            }
        }
        matches
    }
}

/// A part of the matches: at most `count`, of which at most `share` are positive, drawn at random. The others are ignored
/// then, so that the many negative ones do not drown the few positive ones.
pub fn sampled(matches: &[Match], count: usize, share: f32, draws: &mut Draws) -> Vec<Match> {
    let of = |is_positive: bool| -> Vec<usize> {
        let all = matches.iter().enumerate();
        let wanted = all.filter(|(_, is)| match is {
            Match::Positive(_) => is_positive,
            Match::Negative => !is_positive,
            Match::Ignored => false,
        });
        wanted.map(|(index, _)| index).collect()
    };
    let mut taken = vec![Match::Ignored; matches.len()];
    let mut take = |mut from: Vec<usize>, most: usize| {
        let most = most.min(from.len());
        for place in 0..most {
            // The front is drawn, the rest left over (Fisher and Yates).
            let other = place + draws.below(from.len() - place);
            from.swap(place, other);
            taken[from[place]] = matches[from[place]];
        }
        most
    };
    let positives = take(of(true), (count as f32 * share) as usize);
    take(of(false), count - positives);
    taken
}

/// Of the negative ones those with the largest losses, `ratio` times as many as are positive; the others are ignored. Equal
/// losses in the order of the input.
pub fn hard_negatives(matches: &[Match], losses: &[f32], ratio: usize) -> Vec<Match> {
    let positives = matches.iter().filter(|is| is.truth().is_some()).count();
    let mut negatives: Vec<usize> = (0..matches.len())
        .filter(|&index| matches[index] == Match::Negative)
        .collect();
    negatives.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
    let mut kept = matches.to_vec();
    for &index in negatives.iter().skip(ratio * positives) {
        kept[index] = Match::Ignored;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, side: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + side,
            y1: side,
        }
    }

    #[test]
    fn overlaps_decide_by_hand() {
        // Shifts of 0, 2, 4, 8 of 10: overlaps of 1, 2/3, 3/7, 1/9.
        let anchors = [0.0, 2.0, 4.0, 8.0].map(|x| square(x, 10.0));
        let truth = [square(0.0, 10.0)];
        use Match::{Ignored, Negative, Positive};
        let of = |matching: Matching| matching.of(&anchors, &truth);
        assert_eq!(
            of(Matching::PROPOSALS),
            [Positive(0), Ignored, Ignored, Negative]
        );
        assert_eq!(
            of(Matching::SECOND_STEP),
            [Positive(0), Positive(0), Negative, Negative]
        );
        assert_eq!(Matching::PROPOSALS.of(&anchors, &[]), [Negative; 4]);
        assert_eq!(Matching::PROPOSALS.of(&[], &truth), []);
    }

    #[test]
    fn a_truth_that_nobody_overlaps_enough_is_rescued() {
        let anchors = [0.0, 20.0, 40.0].map(|x| square(x, 10.0));
        let truths = [square(5.0, 10.0), square(44.0, 10.0)];
        use Match::{Negative, Positive};
        let with = |rescue| {
            Matching {
                rescue,
                ..Matching::SECOND_STEP
            }
            .of(&anchors, &truths)
        };
        assert_eq!(with(Rescue::None), [Negative; 3]);
        assert_eq!(with(Rescue::Best), [Positive(0), Negative, Positive(1)]);
        assert_eq!(with(Rescue::First), [Positive(0), Negative, Positive(1)]);
        // Two anchors between which it lies: both, or the first.
        let between = [square(5.0, 10.0)];
        let pair = [square(0.0, 10.0), square(10.0, 10.0)];
        let with = |rescue| {
            Matching {
                rescue,
                ..Matching::SECOND_STEP
            }
            .of(&pair, &between)
        };
        assert_eq!(with(Rescue::Best), [Positive(0); 2]);
        assert_eq!(with(Rescue::First), [Positive(0), Negative]);
    }

    #[test]
    fn a_sample_has_its_share_and_fills_up_with_negatives() {
        let mut matches = vec![Match::Negative; 100];
        matches[..30].fill(Match::Positive(3));
        matches[90..].fill(Match::Ignored);
        let count = |matches: &[Match], wanted: fn(&Match) -> bool| {
            matches.iter().filter(|is| wanted(is)).count()
        };
        let mut draws = Draws::new(1, 0);
        let taken = sampled(&matches, 40, 0.25, &mut draws);
        assert_eq!(count(&taken, |is| is.truth() == Some(3)), 10);
        assert_eq!(count(&taken, |is| *is == Match::Negative), 30);
        assert!(
            taken
                .iter()
                .zip(&matches)
                .all(|(taken, was)| taken == was || *taken == Match::Ignored)
        );
        // Fewer than asked for.
        let taken = sampled(&matches[..35], 64, 0.25, &mut draws);
        assert_eq!(count(&taken, |is| is.truth() == Some(3)), 16);
        assert_eq!(count(&taken, |is| *is == Match::Negative), 5);
        assert_eq!(sampled(&[], 8, 0.5, &mut draws), []);
    }

    #[test]
    fn the_worst_negatives_stay() {
        use Match::{Ignored, Negative, Positive};
        let matches = [Negative, Positive(0), Negative, Negative, Ignored, Negative];
        let kept = hard_negatives(&matches, &[0.1, 9.0, 0.4, 0.2, 9.0, 0.4], 2);
        assert_eq!(
            kept,
            [Ignored, Positive(0), Negative, Ignored, Ignored, Negative]
        );
        // Nothing to find: nothing is learned from a picture without truths.
        assert_eq!(hard_negatives(&[Negative; 2], &[1.0, 2.0], 3), [Ignored; 2]);
    }
}
