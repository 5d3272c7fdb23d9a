//! The proposals of a region proposal network: its best boxes, of which none overlaps a better one much.

use crate::maths::boxes::Corners;
use crate::methods::box_coder::BoxCoder;
use crate::methods::nms::{Among, Suppression, suppress};

/// How proposals are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choosing {
    /// Boxes that go into suppression at most, the best by their scores.
    pub before: usize,
    /// Proposals at most.
    pub after: usize,
    /// Overlap above which the weaker of two goes.
    pub overlap: f32,
    /// Boxes with a side of less pixels are none.
    pub least: f32,
}

/// A proposal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// In the space of the anchors.
    pub box_in_input: Corners,
    /// The logit that something is there.
    pub score: f32,
    /// Index of the anchor that it was moved from.
    pub anchor: usize,
}

/// What was chosen from, and what became of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// The best boxes that are large enough, by falling score.
    pub moved: Vec<Proposal>,
    /// Which of them suppressed which.
    pub suppression: Suppression,
}

impl Looked {
    /// The proposals by falling score.
    pub fn kept(&self, choosing: &Choosing) -> Vec<Proposal> {
        let kept = self.suppression.kept().take(choosing.after);
        kept.map(|index| self.moved[index]).collect()
    }
}

impl Choosing {
    /// Anchors moved by their offsets `[ty, tx, th, tw]`, clipped to `[width, height]`, the best of them, and which of these
    /// suppresses which.
    ///
    /// # Reference
    /// Ren et al. 2015, "Faster R-CNN", section 3.1.3.
    pub fn look(
        &self,
        anchors: &[Corners],
        scores: &[f32],
        offsets: &[[f32; 4]],
        [width, height]: [f32; 2],
    ) -> Looked {
        let mut order: Vec<usize> = (0..anchors.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        order.truncate(self.before);
        let moved = order.into_iter().map(|anchor| Proposal {
            box_in_input: BoxCoder::UNSCALED
                .decode(offsets[anchor], anchors[anchor].centre_size())
                .clip(width, height),
            score: scores[anchor],
            anchor,
        });
        let is_large = |proposal: &Proposal| {
            let b = proposal.box_in_input;
            b.x1 - b.x0 >= self.least && b.y1 - b.y0 >= self.least
        };
        let moved: Vec<Proposal> = moved.filter(is_large).collect();
        let boxes: Vec<Corners> = moved.iter().map(|proposal| proposal.box_in_input).collect();
        let scores: Vec<f32> = moved.iter().map(|proposal| proposal.score).collect();
        Looked {
            suppression: suppress(&boxes, &scores, Among::All, self.overlap),
            moved,
        }
    }

    /// The proposals by falling score, see [`look`](Self::look).
    pub fn of(
        &self,
        anchors: &[Corners],
        scores: &[f32],
        offsets: &[[f32; 4]],
        size: [f32; 2],
    ) -> Vec<Proposal> {
        self.look(anchors, scores, offsets, size).kept(self)
    }
}

/// All anchors moved by their offsets `[ty, tx, th, tw]`.
pub fn moved(anchors: &[Corners], offsets: &[[f32; 4]]) -> Vec<Corners> {
    let both = offsets.iter().zip(anchors);
    both.map(|(&offsets, anchor)| BoxCoder::UNSCALED.decode(offsets, anchor.centre_size()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 20.0,
            y1: 20.0,
        }
    }

    #[test]
    fn the_best_are_moved_clipped_and_kept_apart() {
        let choosing = Choosing {
            before: 4,
            after: 2,
            overlap: 0.7,
            least: 5.0,
        };
        let anchors = [
            square(0.0),
            square(1.0),
            square(40.0),
            square(90.0),
            square(60.0),
        ];
        // The first two overlap by 19 / 21. The third moves down by half its height. Of the fourth only two pixels are left.
        let offsets = [
            [0.0; 4],
            [0.0; 4],
            [0.5, 0.0, 0.0, 0.0],
            [0.0, 0.4, 0.0, 0.0],
            [0.0; 4],
        ];
        let found = choosing.of(
            &anchors,
            &[0.5, 0.9, 0.7, 0.8, -1.0],
            &offsets,
            [100.0, 50.0],
        );
        let anchors: Vec<usize> = found.iter().map(|proposal| proposal.anchor).collect();
        assert_eq!(anchors, [1, 2]);
        assert_eq!(found[1].box_in_input.y0, 10.0);
        assert_eq!(choosing.of(&[], &[], &[], [100.0, 50.0]), []);
    }
}
