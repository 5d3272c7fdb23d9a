//! Greedy merging of boxes: where suppression keeps the strongest of many boxes, this keeps their mean.

use crate::maths::boxes::Corners;

/// A box that others were merged into.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The mean of its members.
    pub mean: Corners,
    /// What the scores of its members come to, see [`accumulated`].
    pub score: f32,
    /// Their class.
    pub class: usize,
    /// Indices of the boxes that were merged into it, in the input, by falling score: one where it matched with none.
    pub members: Vec<usize>,
}

/// The scores of boxes that were merged, together: the best one, and of what it lacks to 1 the share `r / (1 + r)`, with `r` the
/// sum of the others. It is no less than the best of them, and what many windows see beats what one sees.
///
/// The paper adds the scores up, which ends nowhere. Were they chances that do not depend on each other, all together would be
/// 1 - (1 - a)(1 - b)...; but windows that overlap do, and in single precision a dozen of them would come to 1 for any object.
pub fn accumulated(scores: impl Iterator<Item = f32>) -> f32 {
    let (best, sum) = scores.fold((0f32, 0f32), |(best, sum), score| {
        (best.max(score), sum + score)
    });
    let others = (sum - best).max(0.0);
    (best + (1.0 - best) * others / (1.0 + others)).min(1.0)
}

/// How badly two boxes match: the distance of their centres as a share of the mean of their diagonals, plus the share of their
/// union that they do not have in common. 0 for the same box; 1 and more where they have nothing in common.
///
/// The paper takes "the sum of the distance between centers of the two bounding boxes and the intersection area of the boxes"
/// and leaves the units open. Shares do not depend on the size of picture and boxes; and since boxes that match well have a
/// small distance but a large intersection, it is what is missing of the intersection that is added here. A box of nothing
/// matches with none: infinity.
pub fn match_score(a: Corners, b: Corners) -> f32 {
    let diagonal = |of: Corners| (of.x1 - of.x0).hypot(of.y1 - of.y0);
    let [centre_a, centre_b] = [a, b].map(Corners::centre_size);
    let apart = (centre_a.cx - centre_b.cx).hypot(centre_a.cy - centre_b.cy);
    let score = 2.0 * apart / (diagonal(a) + diagonal(b)) + 1.0 - a.iou(b);
    match score.is_finite() && a.area() > 0.0 && b.area() > 0.0 {
        true => score,
        false => f32::INFINITY,
    }
}

/// Merges the two boxes of a class that match best, again and again, as long as they match better than `threshold`; of equal
/// ones those that come first. Two boxes become one with the mean of their coordinates, in which each counts by the scores of
/// all that was merged into it.
///
/// Boxes, scores and classes are of equal length, else it panics: that is a bug. Every box of the input is a member of one box
/// of the output, which comes by falling score.
///
/// # Reference
/// Sermanet et al. 2014, "OverFeat: Integrated Recognition, Localization and Detection using Convolutional Networks", section
/// 4.3; there the two boxes of a mean count alike, and boxes of all classes of a place are merged together.
pub fn merge(boxes: &[Corners], scores: &[f32], classes: &[usize], threshold: f32) -> Vec<Merged> {
    assert_eq!(boxes.len(), scores.len(), "a score for each box");
    assert_eq!(boxes.len(), classes.len(), "a class for each box");
    let mut all = Vec::new();
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    // Both sorts are stable, so equal scores stay in the order of their indices.
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.sort_by_key(|&index| classes[index]);
    for of_class in order.chunk_by(|&a, &b| classes[a] == classes[b]) {
        let alone = |&index: &usize| Group {
            mean: boxes[index],
            weight: scores[index].max(f32::MIN_POSITIVE),
            members: vec![index],
        };
        let mut groups: Vec<Group> = of_class.iter().map(alone).collect();
        while let Some((first, second)) = best_pair(&groups, threshold) {
            let other = groups.remove(second);
            groups[first].take(other);
        }
        all.extend(groups.into_iter().map(|mut group| {
            group
                .members
                .sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
            Merged {
                mean: group.mean,
                score: accumulated(group.members.iter().map(|&index| scores[index])),
                class: classes[of_class[0]],
                members: group.members,
            }
        }));
    }
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    all
}

/// A box on the way, with the sum of its members' weights.
struct Group {
    mean: Corners,
    weight: f32,
    members: Vec<usize>,
}

impl Group {
    fn take(&mut self, other: Self) {
        let share = other.weight / (self.weight + other.weight);
        let mean = |a: f32, b: f32| a + share * (b - a);
        self.mean = Corners {
            x0: mean(self.mean.x0, other.mean.x0),
            y0: mean(self.mean.y0, other.mean.y0),
            x1: mean(self.mean.x1, other.mean.x1),
            y1: mean(self.mean.y1, other.mean.y1),
        };
        self.weight += other.weight;
        self.members.extend(other.members);
    }
}

/// The two boxes that match best, the earlier one first; none where no two match better than `threshold`.
fn best_pair(groups: &[Group], threshold: f32) -> Option<(usize, usize)> {
    let mut best = None;
    let mut least = threshold;
    for (second, b) in groups.iter().enumerate() {
        for (first, a) in groups[..second].iter().enumerate() {
            let score = match_score(a.mean, b.mean);
            if score < least {
                (best, least) = (Some((first, second)), score);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ten by ten at `x`: a diagonal of 14.1421.
    fn square(x: f32) -> Corners {
        Corners {
            x0: x,
            y0: 0.0,
            x1: x + 10.0,
            y1: 10.0,
        }
    }

    #[test]
    fn match_scores_worked_by_hand() {
        // The same; shifted by 2: 2 / 14.1421 and a third of the union not in common (IoU 80 / 120); apart: 20 / 14.1421 and all
        // of it.
        let scores = [0.0, 2.0, 20.0].map(|x| match_score(square(0.0), square(x)));
        for (score, wanted) in scores.into_iter().zip([0.0, 0.474_755, 2.414_214]) {
            assert!((score - wanted).abs() < 1e-5, "{scores:?}");
        }
        // Around the same centre there is only the intersection: 25 of 100.
        let small = Corners {
            x0: 2.5,
            y0: 2.5,
            x1: 7.5,
            y1: 7.5,
        };
        assert!((match_score(square(0.0), small) - 0.75).abs() < 1e-6);
    }

    #[test]
    fn a_box_of_nothing_matches_with_none() {
        let point = Corners {
            x0: 1.0,
            y0: 1.0,
            x1: 1.0,
            y1: 1.0,
        };
        assert_eq!(match_score(point, point), f32::INFINITY);
        assert_eq!(match_score(point, square(0.0)), f32::INFINITY);
        let nan = square(f32::NAN);
        assert_eq!(match_score(nan, square(0.0)), f32::INFINITY);
    }

    #[test]
    fn scores_accumulate() {
        assert_eq!(accumulated([].into_iter()), 0.0);
        assert_eq!(accumulated([0.3].into_iter()), 0.3);
        // The others are 0.7: of the 0.5 that the best lacks, 0.7 of 1.7.
        let three = accumulated([0.5, 0.5, 0.2].into_iter());
        assert!((three - 0.705_882).abs() < 1e-5, "{three}");
        // Many sure ones can still be told from one more.
        let sure = |count| accumulated(std::iter::repeat_n(0.999, count));
        assert!(sure(30) < sure(31) && sure(31) < 1.0);
        assert_eq!(accumulated([1.0, 0.7].into_iter()), 1.0);
    }

    #[test]
    fn two_become_their_mean_and_a_third_stays() {
        let boxes = [square(0.0), square(2.0), square(30.0)];
        let merged = merge(&boxes, &[0.6, 0.3, 0.9], &[4; 3], 0.5);
        let members: Vec<&[usize]> = merged.iter().map(|of| &*of.members).collect();
        assert_eq!(members, [&[2][..], &[0, 1]]);
        assert_eq!((merged[0].mean, merged[0].score), (square(30.0), 0.9));
        // A third of the way to the second: 0.3 of 0.9. Of the 0.4 that the best lacks, 0.3 of 1.3.
        assert!((merged[1].mean.x0 - 2.0 / 3.0).abs() < 1e-5, "{merged:?}");
        assert!((merged[1].score - 0.692_308).abs() < 1e-5);
        assert_eq!(merged[1].class, 4);
    }

    #[test]
    fn what_was_merged_may_match_no_more() {
        // Neighbours match by 3 / 14.1421 + 1 - 70 / 130 = 0.674. The first two become a box at 1.5, which the third matches by
        // 4.5 / 14.1421 + 1 - 55 / 145 = 0.939.
        let boxes = [square(0.0), square(3.0), square(6.0)];
        let merged = merge(&boxes, &[0.5; 3], &[0; 3], 0.7);
        assert_eq!(merged.len(), 2);
        assert_eq!(
            (&*merged[0].members, merged[0].mean),
            (&[0, 1][..], square(1.5))
        );
        assert_eq!(
            (&*merged[1].members, merged[1].mean),
            (&[2][..], square(6.0))
        );
        // With a little more room all three become one.
        assert_eq!(merge(&boxes, &[0.5; 3], &[0; 3], 0.95).len(), 1);
    }

    #[test]
    fn other_classes_are_left_alone() {
        let merged = merge(&[square(0.0); 2], &[0.5, 0.6], &[1, 2], 0.9);
        let classes: Vec<usize> = merged.iter().map(|of| of.class).collect();
        assert_eq!(classes, [2, 1]);
        assert!(merge(&[], &[], &[], 0.9).is_empty());
    }

    #[test]
    #[should_panic(expected = "a class for each box")]
    fn a_class_too_few_is_a_bug() {
        merge(&[square(0.0)], &[0.5], &[], 0.5);
    }

    proptest! {
        #[test]
        fn every_box_goes_into_one_and_what_is_left_matches_no_more(
            drawn in proptest::collection::vec((0usize..3, 0.01f32..1.0, 0f32..30.0), 0..30),
            threshold in 0f32..1.0,
        ) {
            let boxes: Vec<_> = drawn.iter().map(|&(_, _, x)| square(x)).collect();
            let scores: Vec<_> = drawn.iter().map(|&(_, score, _)| score).collect();
            let classes: Vec<_> = drawn.iter().map(|&(class, _, _)| class).collect();
            let merged = merge(&boxes, &scores, &classes, threshold);
            let mut members: Vec<usize> = merged.iter().flat_map(|of| of.members.clone()).collect();
            members.sort_unstable();
            prop_assert_eq!(members, (0..boxes.len()).collect::<Vec<_>>());
            prop_assert!(merged.is_sorted_by(|a, b| a.score >= b.score));
            for (number, of) in merged.iter().enumerate() {
                let best = of.members[0];
                prop_assert!(of.members.iter().all(|&index| scores[index] <= scores[best]));
                prop_assert!(of.members.iter().all(|&index| classes[index] == of.class));
                prop_assert!(scores[best] <= of.score && of.score <= 1.0);
                // The mean lies among its members.
                let left = |pick: fn(f32, f32) -> f32| of.members.iter().map(|&index| boxes[index].x0).reduce(pick).unwrap();
                prop_assert!(left(f32::min) - 1e-4 <= of.mean.x0 && of.mean.x0 <= left(f32::max) + 1e-4);
                for other in merged[..number].iter().filter(|other| other.class == of.class) {
                    prop_assert!(match_score(of.mean, other.mean) >= threshold);
                }
            }
        }
    }
}
